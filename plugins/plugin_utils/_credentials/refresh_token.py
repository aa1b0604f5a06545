# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The refresh token of a user who signed in to the app (RFC 6749 section 6; Learn, "Refresh tokens").

Who keeps the token that comes back in its place is the caller's matter.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import OAuthCredential, TokenRequest

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions


class RefreshToken(OAuthCredential):
    """Redeems ``options.refresh_token``; ``client`` proves a confidential app, a public app has none."""

    kind = "refresh_token"
    selecting_options = ("refresh_token", "refresh_token_file")
    delegated = True

    def __init__(self, options: AppTokenOptions, client: OAuthCredential | None = None) -> None:
        super().__init__(options)
        self._client = client

    def sealing_secret(self) -> str:
        return self.options.refresh_token or ""

    def failure_fingerprint(self) -> str:
        return f"{self._client.sealing_secret()}\n{self._client.failure_fingerprint()}" if self._client else ""

    def grant(self) -> dict[str, str]:
        return {"grant_type": "refresh_token", "refresh_token": self.options.refresh_token or ""}

    def client_authentication(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        return self._client.client_authentication(request, network) if self._client else {}


__all__ = ("RefreshToken",)
