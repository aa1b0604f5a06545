# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show the report of preflight as a table.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._preflight.expirations import describe_entry

Report = dict[str, t.Any]

_ARM = "arm"
_HEADINGS = ("API", "App", "Tenant", "Roles", "Token valid until", "Response")


def build_table(report: Report) -> list[str]:
    """Return the report as lines of text, without its problems."""
    rows = [_HEADINGS, *(row for api in report["apis"] for row in _build_rows(api))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    warnings = [f"Warning: {one}" for one in report["warnings"]]
    return [*lines, "", _describe_credentials(report["credentials"]), *warnings]


def _build_rows(api: Report) -> t.Iterator[tuple[str, ...]]:
    """Yield one line for an API, and more if it has several roles or calls."""
    none = "by Azure RBAC" if api["scope"] == _ARM else "none"
    none = none if api["expires_at"] else "unknown"
    roles = [*(api["roles"] or [none]), *(f"missing: {role}" for role in api["missing_roles"])]
    responses = [_describe_call(call, api["calls"]) for call in api["calls"]]
    responses = responses or ["no token" if api["expires_at"] is None else "not called"]
    first = (api["scope"], api["client_id"] or "", api["tenant_id"] or "")
    for number, (role, response) in enumerate(itertools.zip_longest(roles, responses, fillvalue="")):
        left, until = (("", "", ""), "") if number else (first, api["expires_at"] or "")
        yield (*left, role, until, response)


def _describe_call(call: Report, calls: t.Sequence[Report]) -> str:
    # Not by urlsplit, which refuses some URLs: one that was not sent may be any text.
    url = call["url"]
    path = url.split("://", 1)[1].partition("/")[2] if "://" in url else url.lstrip("/")
    return f"/{path}: {call['response']}" if len(calls) > 1 else str(call["response"])


def _describe_credentials(credentials: Report) -> str:
    if not credentials["read"]:
        return f"Expiration of secrets and certificates: not known, because {credentials['note']}"
    listed = [f"{describe_entry(one)} in {one['days_left']} days" for one in credentials["expirations"]]
    expired = [f"{credentials['expired']} expired"] if credentials["expired"] else []
    return f"Expiration of secrets and certificates: {', '.join([*listed, *expired]) or 'none expires'}"


__all__ = ("build_table",)
