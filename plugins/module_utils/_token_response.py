# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token in a token response (RFC 6749 section 5.1), as Entra and the managed identity endpoints write it.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError, printable
from ansible_collections.entra.auth.plugins.module_utils._token import Token

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Response

# Some responses leave it out; MSAL assumes the same.
_DEFAULT_LIFETIME_SECONDS = 600
# The formats of dates end at the year 9999, and a longer life is a mistake.
_MAX_LIFETIME_SECONDS = 400 * 86400


def parse_json_object(response: Response) -> dict[str, t.Any]:
    """The JSON object in an answer; an empty one for an error without. Raises NetworkError where one has to be."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    if response.status == 200:
        raise NetworkError(
            "The token endpoint answered 200, but not with a JSON object, so something else answered in its place.",
            hint="Look for a captive portal or an intercepting proxy; check authority.",
        )
    if 300 <= response.status < 400:
        raise NetworkError(
            f"The token endpoint answered with a redirect ({response.status}), which a token request must not follow.",
            hint="Check authority; look for a captive portal or a proxy that wants a sign-in.",
        )
    return {}


def parse_token_response(response: Response) -> Token:
    """The token in a 200 answer of a token endpoint (RFC 6749 section 5.1) or of a managed identity endpoint.

    Raises NetworkError for an answer that holds none.
    """
    body = parse_json_object(response)
    access_token, token_type = body.get("access_token"), body.get("token_type")
    if not isinstance(access_token, str) or not access_token:
        raise NetworkError(
            "The token endpoint answered 200 without an access token.",
            hint="Check authority: the answer is not one of Entra.",
        )
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise NetworkError(
            "The token endpoint issued a token that is not of the type Bearer.",
            hint="Turn off proof-of-possession for this app; this collection sends bearer tokens.",
        )
    requested_on = response.requested_on
    refresh_in = to_seconds(body.get("refresh_in"))
    refresh_token = body.get("refresh_token")
    return Token(
        access_token=access_token,
        issued_on=requested_on.epoch,
        expires_on=requested_on.epoch + _lifetime(body, requested_on.epoch),
        refresh_on=requested_on.epoch + refresh_in if refresh_in and refresh_in > 0 else None,
        boot_id=requested_on.boot_id,
        issued_at_uptime=requested_on.uptime,
        scope=str(body.get("scope") or ""),
        correlation_id=printable(response.headers.get("client-request-id")) or None,
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
    )


def _lifetime(body: t.Mapping[str, t.Any], requested_on: float) -> float:
    lifetime = to_seconds(body.get("expires_in"))
    if lifetime is None:
        expires_on = _epoch(body.get("expires_on"))
        lifetime = expires_on - requested_on if expires_on else _DEFAULT_LIFETIME_SECONDS
    if lifetime <= 0:
        raise NetworkError(
            "The token endpoint issued a token that has already expired.",
            hint="Set this machine's clock, or check authority.",
        )
    return min(lifetime, _MAX_LIFETIME_SECONDS)


def to_seconds(value: t.Any) -> float | None:
    """A number of seconds as int, float or numeric text, as the endpoints of Entra and its relatives send it."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _epoch(value: t.Any) -> float | None:
    """A point in time as seconds since the epoch, or as a date as App Service and Azure ML write it."""
    seconds = to_seconds(value)
    if seconds is not None or not isinstance(value, str):
        return seconds
    for layout in ("%m/%d/%Y %H:%M:%S %z", "%m/%d/%Y %I:%M:%S %p %z"):
        with contextlib.suppress(ValueError, OverflowError):
            return datetime.datetime.strptime(value, layout).astimezone().timestamp()
    return None


__all__ = ("parse_json_object", "parse_token_response", "to_seconds")
