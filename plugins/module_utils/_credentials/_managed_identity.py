# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed identity of the machine that asks (Learn, "What are managed identities for Azure resources?").

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._credentials._base import Credential, TokenRequest

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._options import AppTokenOptions
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

_DEFAULT = "/.default"


class ManagedIdentity(Credential):
    """Asks the platform, not Entra; the identity needs neither tenant nor client, and has no secret."""

    kind = "managed_identity"
    given_by = ("managed_identity_client_id", "managed_identity_object_id", "managed_identity_resource_id")
    required = ()

    @classmethod
    def is_given(cls, options: AppTokenOptions) -> bool:
        return super().is_given(options) or bool(os.environ.get("IDENTITY_ENDPOINT") or os.environ.get("MSI_ENDPOINT"))

    def request(self, scope: str, claims: str | None) -> TokenRequest:
        identity = "|".join(f"{name}={getattr(self.options, name)}" for name in self.given_by)
        return TokenRequest("managed identity", identity, scope, claims)

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        from ansible_collections.entra.auth.plugins.module_utils._managed_identity import request_managed_identity_token

        # Only the suffix goes; a slash that remains is part of the resource's name.
        resource = request.scope[: -len(_DEFAULT)] if request.scope.endswith(_DEFAULT) else request.scope
        return request_managed_identity_token(resource, self.options, network)

    def options_for_target(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        selected = {name: value for name in self.given_by if (value := getattr(self.options, name))}
        return {"credential": self.kind, **selected}


__all__ = ("ManagedIdentity",)
