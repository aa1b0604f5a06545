# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have a person sign in on another device (RFC 8628; Learn, "OAuth 2.0 device authorization grant flow").

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError, printable
from ansible_collections.entra.auth.plugins.module_utils._token_response import to_seconds
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import MAX_SIGN_IN_SECONDS
from ansible_collections.entra.auth.plugins.plugin_utils._entra.token_endpoint import PollPolicy, TokenEndpoint

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import TokenRequest

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_DEFAULT_LIFETIME_SECONDS = 900
_REMIND_EVERY_SECONDS = 60
_SHOWN_CHARACTERS = 200


def sign_in(request: TokenRequest, network: NetworkSettings, show: t.Callable[[str], object]) -> Token:
    """Show a code and an address, wait for the sign-in, and return the token with its refresh token.

    Args:
        request: the token request; its scope is extended by ``offline_access``.
        network: how to reach the login host.
        show: shows a sentence to the user at once.

    Raises:
        TokenRequestRefused: if the person declines or the code expires.
        NetworkError: if the login host does not issue a code.
    """
    endpoint = TokenEndpoint(request.token_url, network, proof="")
    scope = " ".join(dict.fromkeys([*request.scope.split(), "offline_access"]))
    started = endpoint.post(
        request.token_url.removesuffix("/token") + "/devicecode", {"client_id": request.client_id, "scope": scope}
    )
    device_code, user_code = started.get("device_code"), started.get("user_code")
    address = started.get("verification_uri") or started.get("verification_url")
    if not (device_code and user_code and address):
        raise NetworkError(
            "The response to the request for a device code has no code.",
            hint="Check that authority and cloud are right.",
        )
    seconds = _parse_seconds(started.get("expires_in"), _DEFAULT_LIFETIME_SECONDS)
    shown = [printable(str(text), _SHOWN_CHARACTERS) for text in (address, user_code)]
    show(f"entra.auth: to sign in, open {shown[0]} and enter the code {shown[1]}")
    fields = {"grant_type": _GRANT, "client_id": request.client_id, "device_code": str(device_code)}
    if request.claims:
        fields["claims"] = request.claims
    interval = _parse_seconds(started.get("interval"), PollPolicy.interval)
    return endpoint.request_token(
        lambda: fields, PollPolicy(interval=interval, seconds=seconds, on_wait=_Countdown(show, seconds))
    )


class _Countdown:
    """Shows once a minute how much time is left."""

    def __init__(self, show: t.Callable[[str], object], seconds: float) -> None:
        self._show = show
        self._next = seconds - _REMIND_EVERY_SECONDS

    def __call__(self, seconds_left: float) -> None:
        if seconds_left <= self._next:
            self._show(f"entra.auth: waiting for the sign-in, {math.ceil(seconds_left / 60)} min left")
            self._next = seconds_left - _REMIND_EVERY_SECONDS


def _parse_seconds(value: t.Any, default: float) -> float:
    seconds = to_seconds(value)
    return default if seconds is None else min(max(1.0, seconds), MAX_SIGN_IN_SECONDS)


__all__ = ("sign_in",)
