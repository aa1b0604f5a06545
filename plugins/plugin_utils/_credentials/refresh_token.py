# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The refresh token of a user who signed in to the app (RFC 6749 section 6; Learn, "Refresh tokens").

The caller stores the refresh token that the response may contain.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    MISSING_SCOPES_HINT,
    OAuthCredential,
    TokenRequest,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._errors import TokenRequestRefused
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions


_ACCESS_TOKEN_CLAIMS = frozenset({"appid", "azp", "roles", "scp"})


class RefreshToken(OAuthCredential):
    """Redeems ``options.refresh_token``."""

    kind = "refresh_token"
    delegated = True
    missing_roles_hint = MISSING_SCOPES_HINT

    def __init__(self, options: AppTokenOptions, client: OAuthCredential | None = None) -> None:
        """Take the options, and ``client``, the proof of a confidential app; a public app has none."""
        super().__init__(options)
        self._client = client

    def get_entry_secret(self) -> str:
        return self.options.refresh_token or ""

    def get_proof_fingerprint(self) -> str:
        # A confidential app's refresh token is worth nothing without the app's own proof.
        client = self._client
        return f"{client.get_entry_secret()}\n{client.get_proof_fingerprint()}" if client else ""

    def name_proof(self) -> str:
        return self._client.name_proof() if self._client else ""

    def explain_refusal(self, refusal: TokenRequestRefused) -> TokenRequestRefused:
        return self._client.explain_refusal(refusal) if self._client else refusal

    def build_grant(self) -> dict[str, str]:
        options = self.options
        source = f"refresh_token (from {options.origins.get('refresh_token', 'option refresh_token')})"
        if options.refresh_token_file:
            source = f"refresh_token_file {options.refresh_token_file}"
        return {
            "grant_type": "refresh_token",
            "refresh_token": parse_refresh_token(options.refresh_token or "", source),
        }

    def build_client_authentication(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        return self._client.build_client_authentication(request, network) if self._client else {}


def parse_refresh_token(text: str, source: str) -> str:
    """Return the refresh token that a text holds, without white space, quotes and a byte order mark.

    Args:
        text: the content of the option or file.
        source: the option or file, for the message.

    Raises:
        InputError: for JSON, for an access token, and for more than one word.
    """
    refresh_token = text.lstrip("\ufeff").strip().strip("\"'")
    if refresh_token.isprintable() and " " not in refresh_token and not refresh_token.startswith(("{", "eyJ")):
        return refresh_token
    # Imported here because hardly any refresh token needs a closer look.
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_format import read_claims
    from ansible_collections.entra.auth.plugins.plugin_utils._options.file_content import describe_json

    form = describe_json(refresh_token, "the refresh token")
    if form is None and refresh_token.isprintable() and " " not in refresh_token:
        if _ACCESS_TOKEN_CLAIMS.isdisjoint(read_claims(refresh_token) or ()):
            return refresh_token
        form = "an access token"
    raise InputError(
        f"{source} does not hold a refresh token: it holds {form or 'more than one word'}.",
        hint="Give the refresh token alone, as the login host issued it.",
    )


__all__ = ("RefreshToken", "parse_refresh_token")
