# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get the tokens of a person's sign-in: by a refresh token that changes with each use, or by a device code.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import TokenRequestRefused
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.refresh_token import RefreshToken
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import create_credential
from ansible_collections.entra.auth.plugins.plugin_utils._token.refresh_tokens import RefreshTokenStore

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import Credential
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

# With these errors a refresh token can't be redeemed again (Learn, "Error codes for token endpoint errors").
_SIGN_IN_AGAIN = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required"})


class StoredSignIn:
    """A sign-in whose newest refresh token is in ``refresh_token_file``.

    Args:
        options: The options of the call.
        request: Sends a token request with a credential.
        wait_seconds: How long to wait for the redemption of another process.
    """

    def __init__(
        self, options: AppTokenOptions, request: t.Callable[[Credential], Token], *, wait_seconds: float
    ) -> None:
        self._options = options
        self._request = request
        self._store = RefreshTokenStore(
            str(options.refresh_token_file), options.refresh_token, wait_seconds=wait_seconds
        )

    def get_entry_secret(self) -> str:
        """Return the secret that protects cached tokens of this sign-in. Raises InputError."""
        return self._store.load_sign_in().entry_secret

    def get_newest(self) -> str:
        """Return the newest refresh token. Raises InputError."""
        return self._store.load_sign_in().refresh_token

    def find_successor(self, refresh_token: str | None) -> str | None:
        """Return the newest refresh token after the one of a cached token, which stays if the file has none."""
        return refresh_token and (self._store.read_newest() or refresh_token)

    def redeem(self) -> Token:
        """Redeem the newest refresh token, and store its successor first. Raises EntraAuthError."""
        with self._store.exclusive_redemption() as sign_in:
            options = dataclasses.replace(self._options, refresh_token=sign_in.refresh_token)
            token = self._request(create_credential(RefreshToken.kind, options))
            # Without a successor, the refresh token that was redeemed is still the newest.
            newest = token.refresh_token or sign_in.refresh_token
            self._store.store_rotated(sign_in, newest)
            return dataclasses.replace(token, refresh_token=newest)

    def redeem_or_sign_in(self, device_code: Credential) -> Token:
        """Redeem the refresh token of an earlier sign-in; without a usable one a person signs in again.

        Raises:
            EntraAuthError: The redemption failed for a reason that a new sign-in would not change, or the sign-in did.
        """
        if self._store.has_any():
            try:
                return self.redeem()
            except TokenRequestRefused as exc:
                refused = exc
            if refused.response.error not in _SIGN_IN_AGAIN:
                raise refused
        with self._store.replace_after_sign_in() as store:
            token = self._request(device_code)
            if token.refresh_token:
                store(token.refresh_token)
            return token


__all__ = ("StoredSignIn",)
