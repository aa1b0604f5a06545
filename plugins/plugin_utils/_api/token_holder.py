# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token of one api_request, for as many exchanges as it takes: held while it is fresh, then asked for again.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.module_utils._token import Freshness
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import describe_request
from ansible_collections.entra.auth.plugins.plugin_utils._token.validation import parse_claims_challenge

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken

# While somebody else renews a token, or can't, it is not asked for with each page.
_ASK_AGAIN_SECONDS = 30.0


class TokenHolder:
    """``obtain`` is the provider, given the options to ask with."""

    def __init__(self, options: AppTokenOptions, obtain: t.Callable[[AppTokenOptions], AppToken]) -> None:
        self._options = options
        self._obtain = obtain
        self._held: AppToken | None = None
        self._ask_again_on = 0.0

    @property
    def current_value(self) -> str:
        """The access token that is held; empty before the first."""
        return self._held.token.access_token if self._held else ""

    def get_token(self) -> AppToken:
        """A token that is valid now. Raises EntraAuthError."""
        if self._held and (self._is_fresh(self._held) or time.monotonic() < self._ask_again_on):
            return self._held
        return self._hold(self._options)

    def renew(self, claims: str | None) -> None:
        """Have the token replaced that the API has refused, by one with the claims it asks for if it does.

        Raises EntraAuthError.
        """
        try:
            challenge = parse_claims_challenge(claims)
        except EntraAuthError:
            # Claims that nobody can read say no more than that the token is refused.
            challenge = None
        refused = self.current_value
        # Others with the same token may have had it replaced by now: one new token is enough for all of them.
        self._hold(dataclasses.replace(self._options, claims_challenge=challenge or self._options.claims_challenge))
        if not challenge and self.current_value == refused:
            self._hold(dataclasses.replace(self._options, force_refresh=True))

    def _hold(self, options: AppTokenOptions) -> AppToken:
        self._held = self._obtain(options)
        self._options = dataclasses.replace(self._options, force_refresh=False)
        least, _most = self._held.token.seconds_left(Moment.now())
        self._ask_again_on = time.monotonic() + min(_ASK_AGAIN_SECONDS, max(0.0, least / 2))
        return self._held

    def _is_fresh(self, held: AppToken) -> bool:
        return held.token.freshness(Moment.now(), min_validity=self._options.min_validity) is Freshness.FRESH

    def describe_request(self) -> str | None:
        """What the token was asked for with, in words; None before the first."""
        held = self._held
        return describe_request(self._options, held.credential, held.scope) if held else None

    def describe_roles(self) -> str:
        """The permissions the token has to show, as a sentence."""
        token = self._held.token if self._held else None
        scopes = str(token.claims().get("scp") or "").split() if token else []
        roles = (token.roles() if token else []) or scopes
        listed = ", ".join(sorted(roles)) or "none to be seen"
        return f"The token has the roles: {listed}."


__all__ = ("TokenHolder",)
