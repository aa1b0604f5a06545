# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls by ``ansible.builtin.uri``, judged as ``api_request`` judges its own: where they may go, and what came back.

An answer is what ``ansible.builtin.uri`` returns; a token is what the lookup returns with ``output='token'``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import math
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import (
    ApiError,
    build_error_response,
    find_hint,
    parse_error_body,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import build_host_pin
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import CREDENTIALS
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS
from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import resolve_scope
from ansible_collections.entra.auth.plugins.plugin_utils._token.validation import parse_claims_challenge

Response = t.Mapping[str, t.Any]
Token = t.Mapping[str, t.Any]

_ASKED = ("credential", "cloud", "tenant_id", "client_id", "scope")
# What api_request calls its options is here a variable of a role.
_OPTIONS = r"\b(url|status_code|retry_for|allowed_hosts|body_format|scope(?= names))\b"

# What is behind it never reaches the API: without a word, that of another resource would be called.
_CUT = (
    "{label} holds a #, at which a URL ends. To fix it: Write %23 for it, as in ann_contoso.com%23EXT%23@example.com."
)


def objection(
    url: str, token: Token, scope: str, allowed_hosts: t.Sequence[str] = (), label: str = "url", prefix: str = ""
) -> str:
    """Why the token for ``scope`` may not be sent to a URL, which is called ``what``; empty where it may.

    ``prefix`` is what the role puts before the names of its options.
    """
    if "#" in str(url):
        return _CUT.format(label=label)
    delegated = CREDENTIALS[token["credential"]].delegated
    try:
        asked = resolve_scope([str(scope)], CLOUDS[token["cloud"]], delegated=delegated)
        base = None if token["api_url"] == asked.api_url else token["api_url"]
        build_host_pin(asked, base, [str(host) for host in allowed_hosts]).check(str(url), label)
    except InputError as exc:
        failure = exc
    else:
        return ""
    failure.message = failure.message.replace("allowed_hosts:", f"{prefix}allowed_hosts:")
    failure.hint = _renamed(failure.hint, prefix)
    return str(failure)


def refusal(response: Response, token: Token, request: str, more: str = "", prefix: str = "") -> str:
    """What the API said, its ids and the fix. ``request`` is the method and URL that it answered."""
    complaint = parse_error_body(response.get("json") or {})
    headers = {name.replace("_", "-"): str(value) for name, value in response.items() if isinstance(value, str)}
    roles = f" The token has the roles: {', '.join(roles_of(token)) or 'none to be seen'}."
    explained = (roles if response["status"] in (401, 403) else "") + (f" {more}" if more else "")
    failure = ApiError(
        f"{request.partition('?')[0]} was answered {response['status']}: {complaint}.{explained}",
        hint=_renamed(find_hint(int(response["status"]), complaint), prefix),
        response=build_error_response({**headers, "Date": headers.get("date", "")}, complaint),
    )
    failure.request_summary = ", ".join(
        f"{name.removesuffix('_id')} {token[name]}" for name in _ASKED if token.get(name)
    )
    return str(failure)


def roles_of(token: Token) -> list[str]:
    """What a token permits, in order: app roles, or the scopes of a user."""
    claims = token.get("claims") or {}
    return sorted(claims.get("roles") or str(claims.get("scp") or "").split())


def challenge(response: Response) -> str:
    """The claims that an answer asks for, in base64; empty where it asks for none that can be read."""
    from ansible_collections.entra.auth.plugins.plugin_utils._api.retry_policy import extract_claims

    claims = extract_claims(str(response.get("www_authenticate") or ""))
    try:
        return claims if claims and parse_claims_challenge(claims) else ""
    except InputError:
        return ""


def pause(response: Response, otherwise: float) -> int:
    """The whole seconds to wait that an answer asks for; ``otherwise`` where it asks for none."""
    from ansible_collections.entra.auth.plugins.module_utils._http.retry_after import parse_retry_after

    asked = parse_retry_after(str(response.get("retry_after", "")), str(response.get("date", "")))
    return math.ceil(asked or otherwise)


def _renamed(hint: str | None, prefix: str) -> str:
    return re.sub(_OPTIONS, rf"{prefix}\1", hint or "")


__all__ = ("challenge", "objection", "pause", "refusal", "roles_of")
