# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a write would send or change, fit to be shown: for check mode and for --diff.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import re
import typing as t

_MASK = "********"
# Names under which APIs take secrets: passwordProfile, secretText, adminPassword, keyCredentials.key, sasToken, …
_SECRET_NAME = re.compile(
    r"passw|pwd|secret|token|credential|connectionstring|privatekey|accesskey|sharedkey|assertion|signature|^sas$|^key$|^pfx",
    re.IGNORECASE,
)


def without_secrets(data: t.Any) -> t.Any:
    """A copy of a body in which everything below a name that tells of a secret is masked."""
    if isinstance(data, dict):
        return {
            name: _MASK if _SECRET_NAME.search(name) and value not in (None, "") else without_secrets(value)
            for name, value in data.items()
        }
    return [without_secrets(item) for item in data] if isinstance(data, list) else data


def shown_body(body: t.Any, body_format: str) -> t.Any:
    """A body as it may be shown: data without its secrets; of text no more than its length."""
    if isinstance(body, (dict, list)):
        return without_secrets(body)
    if body is None or (body_format == "json" and not isinstance(body, str)):
        return body
    return f"({len(str(body).encode())} bytes)"


def difference(url: str, method: str, old: t.Any, new: t.Any) -> dict[str, t.Any]:
    """The difference that a PUT or PATCH makes to what it names, as Ansible shows it."""
    return {
        "before": without_secrets(_restricted(old, new)),
        "after": without_secrets(new),
        "before_header": f"{url} (before)",
        "after_header": f"{url} (after {method})",
    }


def _restricted(old: t.Any, new: t.Any) -> t.Any:
    """Of the old value what the new one names: the rest is the service's own, or stays as it is."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {name: _restricted(old[name], value) for name, value in new.items() if name in old}
    return old


__all__ = ("difference", "shown_body", "without_secrets")
