# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token of one call, for as many requests as the call takes: held while it is fresh, then acquired again.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import json
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.module_utils._secrets import register_secrets
from ansible_collections.entra.auth.plugins.module_utils._token import B64TOKEN, Freshness, Token
from ansible_collections.entra.auth.plugins.plugin_utils._token.descriptions import describe_request
from ansible_collections.entra.auth.plugins.plugin_utils._token.validation import (
    parse_claims_challenge,
    refuse_unusable_request,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.address import ApiAddress
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken

# While another caller renews a token, or fails to, the token is not acquired again for each page of a listing.
_ACQUIRE_AGAIN_SECONDS = 30.0
# The year 9999, the last that a date can show.
_MAX_EPOCH = 253402300799


class TokenHolder:
    """The token of the options. ``acquire`` is the provider, which gets a token for options.

    ``can_renew`` is whether a refused token can be replaced.
    """

    can_renew = True

    def __init__(self, options: AppTokenOptions, acquire: t.Callable[[AppTokenOptions], AppToken]) -> None:
        self._options = options
        self._get_app_token = acquire
        self._held: AppToken | None = None
        self._values: dict[str, None] = {}
        self._acquire_again_on = 0.0

    @property
    def values(self) -> tuple[str, ...]:
        """Every access token that has been held, the current one last."""
        return tuple(self._values)

    @property
    def current_value(self) -> str:
        """The access token that is held; empty before the first."""
        return self._held.token.access_token if self._held else ""

    def get_token(self) -> Token:
        """Return a token that is valid now. Raises EntraAuthError."""
        if self._held and (self._is_fresh(self._held) or time.monotonic() < self._acquire_again_on):
            return self._held.token
        return self._acquire(self._options).token

    def renew(self, claims: str | None) -> None:
        """Replace the token that the API has refused.

        Args:
            claims: The claims of the API's challenge, which this and all later tokens are requested with; None for a
                refusal without a challenge.

        Raises:
            EntraAuthError: No token could be acquired.
        """
        challenge = _read_challenge(claims)
        if challenge:
            self._options = dataclasses.replace(self._options, claims_challenge=challenge)
        refused = self.current_value
        # Another caller with the same token may have replaced it by now: one new token is enough for all of them.
        self._acquire(self._options)
        if not challenge and self.current_value == refused:
            self._acquire(dataclasses.replace(self._options, force_refresh=True))

    def _acquire(self, options: AppTokenOptions) -> AppToken:
        self._held = self._get_app_token(options)
        self._values.pop(self.current_value, None)
        self._values[self.current_value] = None
        self._options = dataclasses.replace(self._options, force_refresh=False)
        least, _most = self._held.token.measure_seconds_left(Moment.now())
        self._acquire_again_on = time.monotonic() + min(_ACQUIRE_AGAIN_SECONDS, max(0.0, least / 2))
        return self._held

    def _is_fresh(self, held: AppToken) -> bool:
        return held.token.judge_freshness(Moment.now(), min_validity=self._options.min_validity) is Freshness.FRESH

    def describe_request(self) -> str | None:
        """Return in words what the token was requested with; None before the first."""
        held = self._held
        return describe_request(self._options, held.credential, held.scope) if held else None

    def describe_roles(self) -> str:
        """Return the permissions in the token as a sentence."""
        return describe_roles(self._held.token if self._held else None)

    def describe_end(self) -> str:
        """Return an empty text, because the holder itself replaces the token."""
        return ""


class GivenToken:
    """A token from elsewhere, given as ``access_token``, which can't be renewed."""

    can_renew = False

    def __init__(self, access_token: str, scope: str) -> None:
        """Check the token as far as it can be read.

        Args:
            access_token: The token without its type.
            scope: The scope whose API the token is used for.

        Raises:
            InputError: It is not a bearer token, or it has expired.
        """
        register_secrets(access_token)
        if not B64TOKEN.fullmatch(access_token):
            raise InputError(
                "access_token has characters that no bearer token has.",
                hint="Give the token alone, without 'Bearer' before it and without line breaks.",
            )
        now = time.time()
        self._token = Token(access_token, issued_on=now, expires_on=_find_expiration(access_token) or now)
        self._scope = scope
        self._refuse_expired(now)

    def _refuse_expired(self, now: float) -> None:
        end = _find_expiration(self._token.access_token)
        if end is not None and end <= now:
            raise InputError(
                f"The token given as access_token expired at {self._token.expires_at}.",
                hint="Get a new token before this task, or leave out access_token to use a credential, whose tokens "
                "are renewed.",
            )

    @property
    def values(self) -> tuple[str, ...]:
        """The token."""
        return (self._token.access_token,)

    def get_token(self) -> Token:
        """Return the token."""
        return self._token

    def renew(self, claims: str | None) -> None:
        """Raise InputError; ``can_renew`` says so before."""
        raise InputError(
            "The API refused the token given as access_token, which can't be renewed.",
            hint="Get a new token before this task, or use a credential in place of access_token.",
        )

    def describe_request(self) -> str:
        """Return in words what is known about the token."""
        return f"the given access_token, scope {self._scope}"

    def describe_roles(self) -> str:
        """Return the permissions in the token as a sentence."""
        return describe_roles(self._token)

    def describe_end(self) -> str:
        """Return a sentence on when the token expires."""
        end = f"expires at {self._token.expires_at}" if _find_expiration(self._token.access_token) else "can't be read"
        return f"The token given as access_token {end} and can't be renewed."


Holder = TokenHolder | GivenToken


def describe_roles(token: Token | None) -> str:
    """Return the permissions in a token as a sentence: app roles, or the scopes of a user."""
    roles = token.list_roles() if token else []
    return f"The token has the roles: {', '.join(sorted(roles))}." if roles else "No roles can be read from the token."


def read_audience(access_token: str) -> str:
    """Return the audience in a token; empty if the token is opaque."""
    audience = _read_claims_of(access_token).get("aud")
    return audience if isinstance(audience, str) else ""


def _read_claims_of(access_token: str) -> dict[str, t.Any]:
    return Token(access_token, issued_on=0, expires_on=0).decode_claims() if access_token else {}


def _read_challenge(claims: str | None) -> str | None:
    try:
        text = parse_claims_challenge(claims)
    except EntraAuthError:
        # Claims that can't be read say no more than that the token is refused.
        return None
    return _remove_capabilities(text) if text else None


def _remove_capabilities(challenge: str) -> str:
    """Return a challenge without ``xms_cc``: what a client can do is not for an API or a host to say.

    With cp1, tokens are valid for up to 28 hours, as long as a host that has one would like.
    """
    claims = json.loads(challenge)
    if isinstance(claims.get("access_token"), dict):
        claims["access_token"].pop("xms_cc", None)
    return json.dumps(claims, separators=(",", ":"))


def _find_expiration(access_token: str) -> float | None:
    """Return when a token expires, in epoch seconds; None if the token is opaque."""
    end = _read_claims_of(access_token).get("exp")
    if isinstance(end, (int, float)) and not isinstance(end, bool) and 0 < end < _MAX_EPOCH:
        return float(end)
    return None


def build_holder(
    access_token: str | None,
    options: AppTokenOptions,
    acquire: t.Callable[[AppTokenOptions], AppToken],
    address: ApiAddress,
) -> Holder:
    """Build the holder of the token for a call.

    Args:
        access_token: A token from elsewhere; None to acquire one.
        options: The options of the token.
        acquire: Gets a token for options.
        address: Where the call goes.

    Raises:
        InputError: The token from elsewhere has expired or is for another API, as far as it can be read, or an option
            for its requests is not usable.
    """
    if not access_token:
        return TokenHolder(options, acquire)
    refuse_unusable_request(options)
    holder = GivenToken(access_token, address.scope.value)
    audience = read_audience(access_token)
    if address.pin.is_for_other_api(audience, address.url):
        raise InputError(
            f"The token given as access_token is for {audience}, which is not the API that url leads to.",
            hint="Set scope and url to the API of the token, or get a token for this API.",
        )
    return holder


__all__ = ("GivenToken", "Holder", "TokenHolder", "build_holder", "describe_roles", "read_audience")
