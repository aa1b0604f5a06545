# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client certificate: a signed assertion in place of a secret.

RFC 7523 section 3; Learn, "Microsoft identity platform application authentication certificate credentials".

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    AssertionCredential,
    TokenRequest,
    choose_option,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings


class ClientCertificate(AssertionCredential):
    """Signs a new assertion with the certificate's key for each request."""

    kind = "client_certificate"

    def name_proof(self) -> str:
        return choose_option(self.options, "client_certificate", "client_certificate_path") or self.kind

    def get_entry_secret(self) -> str:
        # A digest, because the content may be binary; the private key in it makes it a secret.
        password = self.options.client_certificate_password or ""
        return hashlib.sha256(self._read_content() + b"\0" + password.encode()).hexdigest()

    def create_assertion(self, request: TokenRequest, network: NetworkSettings) -> str:
        from ansible_collections.entra.auth.plugins.plugin_utils._credentials.certificate_file import (
            load_client_certificate,
        )

        certificate = load_client_certificate(
            self._read_content(), self.options.client_certificate_password, self._describe_source()
        )
        with_chain = self.options.send_certificate_chain
        return certificate.sign_assertion(request.client_id, request.token_url, with_chain=with_chain)

    def _read_content(self) -> bytes:
        if self._is_in_file():
            from ansible_collections.entra.auth.plugins.plugin_utils._options.file_content import read_file

            return read_file("client_certificate_path", str(self.options.client_certificate_path))
        return str(self.options.client_certificate).encode()

    def _describe_source(self) -> str:
        options = self.options
        if self._is_in_file():
            return f"client_certificate_path {options.client_certificate_path}"
        return f"client_certificate (from {options.origins.get('client_certificate', 'option client_certificate')})"

    def _is_in_file(self) -> bool:
        return self.name_proof() == "client_certificate_path"


__all__ = ("ClientCertificate",)
