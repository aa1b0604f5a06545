# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The refresh token of a user who signed in to the app (RFC 6749 section 6; Learn, "Refresh tokens").

The caller stores the refresh token that the response may contain.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    MISSING_SCOPES_HINT,
    OAuthCredential,
    TokenRequest,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._errors import TokenRequestRefused
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions


class RefreshToken(OAuthCredential):
    """Redeems ``options.refresh_token``."""

    kind = "refresh_token"
    selecting_options = ("refresh_token", "refresh_token_file")
    delegated = True
    missing_roles_hint = MISSING_SCOPES_HINT

    def __init__(self, options: AppTokenOptions, client: OAuthCredential | None = None) -> None:
        """Take the options, and ``client``, the proof of a confidential app; a public app has none."""
        super().__init__(options)
        self._client = client

    def get_sealing_secret(self) -> str:
        return self.options.refresh_token or ""

    def get_proof_fingerprint(self) -> str:
        # A confidential app's refresh token is worth nothing without the app's own proof.
        client = self._client
        return f"{client.get_sealing_secret()}\n{client.get_proof_fingerprint()}" if client else ""

    def name_proof(self) -> str:
        return self._client.name_proof() if self._client else ""

    def explain_refusal(self, refusal: TokenRequestRefused) -> TokenRequestRefused:
        return self._client.explain_refusal(refusal) if self._client else refusal

    def build_grant(self) -> dict[str, str]:
        return {"grant_type": "refresh_token", "refresh_token": self.options.refresh_token or ""}

    def build_client_authentication(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        return self._client.build_client_authentication(request, network) if self._client else {}


__all__ = ("RefreshToken",)
