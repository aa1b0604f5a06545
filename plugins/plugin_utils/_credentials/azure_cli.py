# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sign-in of the Azure CLI on the control node: for development, as in azure-identity's AzureCliCredential.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    Credential,
    Identity,
    TokenRequest,
    identify_token,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._token import Token


class AzureCli(Credential):
    """Asks the ``az`` program for a token of its sign-in; ``credential: auto`` never chooses it.

    The sign-in decides about client, authority and tenant; ``tenant_id`` selects one of several tenants. The CLI itself
    declares the capability cp1.
    """

    kind = "azure_cli"
    required = ()
    delegated = True
    outlives_run = False
    missing_roles_hint = (
        "The app of the Azure CLI has a fixed set of permissions, and of Microsoft Graph only some. Use an app "
        "registration of your own, for example with credential: device_code."
    )

    def build_request(self, scope: str, claims: str | None) -> TokenRequest:
        for one in scope.split():
            if one.startswith("-"):
                raise InputError(f"The scope '{one}' begins with a hyphen.", hint="Correct scope.")
        return TokenRequest("azure_cli", self.options.tenant_id or "", scope, claims)

    def get_identity(self, token: Token | None = None) -> Identity:
        named = identify_token(token) if token else Identity()
        return Identity(named.tenant_id or self.options.tenant_id, named.client_id)

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        from ansible_collections.entra.auth.plugins.plugin_utils._credentials.azure_cli_process import request_cli_token

        return request_cli_token(request.scope.split(), self.options.tenant_id, request.claims, network.timeout)


__all__ = ("AzureCli",)
