# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed identity of the machine that asks (Learn, "What are managed identities for Azure resources?").

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Credential, TokenRequest
from ansible_collections.entra.auth.plugins.plugin_utils._entra.aadsts import find_hint

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._managed_identity import Selector
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_DEFAULT = "/.default"


class ManagedIdentity(Credential):
    """Asks the platform, not Entra; the identity needs neither tenant nor client, and has no secret."""

    kind = "managed_identity"
    selecting_options = ("managed_identity_client_id", "managed_identity_object_id", "managed_identity_resource_id")
    required = ()

    @classmethod
    def is_given(cls, options: AppTokenOptions) -> bool:
        return super().is_given(options) or bool(os.environ.get("IDENTITY_ENDPOINT") or os.environ.get("MSI_ENDPOINT"))

    def request(self, scope: str, claims: str | None) -> TokenRequest:
        identity = "|".join(f"{name}={getattr(self.options, name)}" for name in self.selecting_options)
        return TokenRequest("managed identity", identity, scope, claims)

    def selector(self) -> Selector:
        """Which user-assigned identity is meant; an empty one is the system-assigned identity."""
        from ansible_collections.entra.auth.plugins.module_utils._managed_identity import Selector

        options = self.options
        return Selector(
            options.managed_identity_client_id, options.managed_identity_object_id, options.managed_identity_resource_id
        )

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        from ansible_collections.entra.auth.plugins.module_utils._managed_identity import request_managed_identity_token

        try:
            return request_managed_identity_token(resource_of(request), self.selector(), network)
        except NetworkError as exc:
            failure = exc
        hint = find_hint(failure.response.error_codes, None)
        failure.hint = hint.fix if hint else failure.hint
        raise failure


def resource_of(request: TokenRequest) -> str:
    """The identifier that the platforms' endpoints take in place of a scope."""
    # Only the suffix goes; a slash that remains is part of the resource's name.
    return request.scope[: -len(_DEFAULT)] if request.scope.endswith(_DEFAULT) else request.scope


__all__ = ("ManagedIdentity", "resource_of")
