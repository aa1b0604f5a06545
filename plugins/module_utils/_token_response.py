# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse a token response (RFC 6749 section 5.1), as Entra, its relatives and managed identity endpoints write it.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import datetime
import json
import math
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError, printable
from ansible_collections.entra.auth.plugins.module_utils._http.body import parse_json
from ansible_collections.entra.auth.plugins.module_utils._secrets import mask_content, mask_secrets
from ansible_collections.entra.auth.plugins.module_utils._token import B64TOKEN, Token

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Response

# Some responses leave it out; MSAL assumes the same.
_DEFAULT_LIFETIME_SECONDS = 600
# The formats of dates end at the year 9999, and a longer life is a mistake.
_MAX_LIFETIME_SECONDS = 400 * 86400
_BEARER = "bearer"
_ISSUED_FIELDS = ("access_token", "refresh_token")

_CODE_IN_DESCRIPTION = re.compile(r"\bAADSTS(\d{1,9})\b")


class Issuer(t.NamedTuple):
    """Who issues tokens.

    Attributes:
        name: Its name at the beginning of a sentence.
        hint: What to do about a response that can't be used; empty for the advice about a login host.
    """

    name: str = "The token endpoint"
    hint: str = ""

    def build_error(self, said: str, hint: str) -> NetworkError:
        """Return the error for a response; ``hint`` is the advice about a login host."""
        return NetworkError(f"{self.name} {said}", hint=self.hint or hint)


LOGIN_HOST = Issuer()


def mask_response(response: Response, secrets: t.Collection[str | None]) -> Response:
    """Return a response without the secrets that were sent, which a service may repeat in any header or field.

    A body that is not JSON becomes empty, because nothing of it is ever shown. The tokens of a success are what was
    requested, so they stay, even if one equals what was sent.
    """
    headers: t.Any = copy.copy(response.headers)
    for name, value in response.headers.items():
        headers[name] = mask_secrets(value, secrets)
    try:
        content = parse_json(response.body)
    except ValueError:
        return dataclasses.replace(response, headers=headers, body=b"")
    masked = mask_content(content, secrets)
    if response.status == 200 and isinstance(content, dict):
        masked.update({name: content[name] for name in _ISSUED_FIELDS if name in content})
    return dataclasses.replace(response, headers=headers, body=json.dumps(masked).encode())


def parse_json_object(response: Response, issuer: Issuer = LOGIN_HOST) -> dict[str, t.Any]:
    """Return the JSON object in a response; an empty one for an error without a JSON object.

    Raises:
        NetworkError: A success without a JSON object, or a redirect.
    """
    try:
        body = parse_json(response.body)
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    if response.status == 200:
        raise issuer.build_error(
            "responded with 200, but without a JSON object: another program may be in its place.",
            "Look for a captive portal or an intercepting proxy; check authority.",
        )
    if 300 <= response.status < 400:
        raise issuer.build_error(
            f"responded with a redirect ({response.status}), which a token request must not follow.",
            "Check authority; look for a captive portal or a proxy that wants a sign-in.",
        )
    return {}


def parse_token_response(response: Response, issuer: Issuer = LOGIN_HOST) -> Token:
    """Return the token in a response with the status 200.

    Raises:
        NetworkError: The response holds no bearer token, or one that has expired.
    """
    body = parse_json_object(response, issuer)
    access_token = _get_access_token(body, issuer)
    _refuse_other_type(body.get("token_type"), issuer)
    sent = response.requested_on
    refresh_in = to_seconds(body.get("refresh_in"))
    refresh_token = body.get("refresh_token")
    return Token(
        access_token=access_token,
        issued_on=sent.epoch,
        expires_on=sent.epoch + _find_lifetime(body, sent.epoch, issuer),
        refresh_on=sent.epoch + refresh_in if refresh_in and refresh_in > 0 else None,
        boot_id=sent.boot_id,
        issued_at_uptime=sent.uptime,
        scope=printable(body.get("scope"), len(response.body)),
        correlation_id=printable(response.headers.get("client-request-id")) or None,
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
    )


def _get_access_token(body: t.Mapping[str, t.Any], issuer: Issuer) -> str:
    access_token = body.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise issuer.build_error(
            "responded with 200, but without an access token.", "Check authority: the response is not one of Entra."
        )
    if not B64TOKEN.fullmatch(access_token):
        raise issuer.build_error(
            "issued an access token with characters that no bearer token has.",
            "Look for a proxy that rewrites responses between here and the token endpoint.",
        )
    return access_token


def _refuse_other_type(token_type: t.Any, issuer: Issuer) -> None:
    """Raise NetworkError for a token that is not a bearer token; AD FS before 2019 names no type."""
    if token_type is None or (isinstance(token_type, str) and token_type.strip().lower() in ("", _BEARER)):
        return
    raise issuer.build_error(
        "issued a token that is not of the type Bearer.",
        "Turn off proof-of-possession for this app; this collection sends bearer tokens.",
    )


def _find_lifetime(body: t.Mapping[str, t.Any], sent_on: float, issuer: Issuer) -> float:
    """Return the seconds for which a token is valid. Raises NetworkError if there are none."""
    lifetime = to_seconds(body.get("expires_in"))
    if lifetime is None:
        expires_on = _to_epoch(body.get("expires_on"))
        lifetime = expires_on - sent_on if expires_on else _DEFAULT_LIFETIME_SECONDS
    if lifetime <= 0:
        raise issuer.build_error(
            "issued a token that has already expired.", "Set this machine's clock, or check authority."
        )
    return min(lifetime, _MAX_LIFETIME_SECONDS)


def find_error_codes(description: str) -> tuple[int, ...]:
    """Return the AADSTS codes in the description of an error, each once."""
    return tuple(dict.fromkeys(map(int, _CODE_IN_DESCRIPTION.findall(description))))


def to_seconds(value: t.Any) -> float | None:
    """Return a number of seconds that is an int, a float or a numeric text, as endpoints send it; None for others."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _to_epoch(value: t.Any) -> float | None:
    """Return seconds since the epoch, or a date as App Service and Azure ML write it, as seconds since the epoch."""
    seconds = to_seconds(value)
    if seconds is not None or not isinstance(value, str):
        return seconds
    for layout in ("%m/%d/%Y %H:%M:%S %z", "%m/%d/%Y %I:%M:%S %p %z"):
        with contextlib.suppress(ValueError, OverflowError):
            return datetime.datetime.strptime(value, layout).astimezone().timestamp()
    return None


__all__ = ("Issuer", "find_error_codes", "mask_response", "parse_json_object", "parse_token_response", "to_seconds")
