# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client secret (Learn, "OAuth 2.0 client credentials flow", first case).

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.module_utils._secrets import register_secrets
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    OAuthCredential,
    TokenRequest,
    choose_option,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._errors import TokenRequestRefused
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings

_WRONG_SECRET = 7000215  # AADSTS7000215


class ClientSecret(OAuthCredential):
    """Sends a password of the app in the form."""

    kind = "client_secret"

    def name_proof(self) -> str:
        return choose_option(self.options, "client_secret", "client_secret_file") or self.kind

    def get_entry_secret(self) -> str:
        return self._read_secret()

    def build_client_authentication(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        return {"client_secret": self._read_secret()}

    def explain_refusal(self, refusal: TokenRequestRefused) -> TokenRequestRefused:
        """Return the refusal; its hint says so if the wrong secret has a form that no secret has."""
        if _WRONG_SECRET in refusal.response.error_codes:
            from ansible_collections.entra.auth.plugins.plugin_utils._credentials.secret_format import suggest_secret

            refusal.hint = suggest_secret(self._read_secret(), self.name_proof()) or refusal.hint
        return refusal

    def _read_secret(self) -> str:
        """Return the secret; a file is read again each time, because a mounted secret may be replaced.

        Raises:
            InputError: The file can't be read, or the content is certainly not a secret.
        """
        options = self.options
        if self.name_proof() != "client_secret_file":
            secret = options.client_secret or ""
            source = f"client_secret (from {options.origins.get('client_secret', 'option client_secret')})"
        else:
            # Imported here because most calls have no file.
            from ansible_collections.entra.auth.plugins.plugin_utils._options.file_content import read_text

            secret = read_text("client_secret_file", str(options.client_secret_file))
            source = f"client_secret_file {options.client_secret_file}"
            register_secrets(secret)
        if not secret.isprintable() or secret.startswith("{"):
            from ansible_collections.entra.auth.plugins.plugin_utils._credentials.secret_format import refuse_other_form

            refuse_other_form(secret, source)
        return secret


__all__ = ("ClientSecret",)
