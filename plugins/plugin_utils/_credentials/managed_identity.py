# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed identity of this machine or of the task's host.

Learn, "What are managed identities for Azure resources?".

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, NetworkError, TokenRequestRefused
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    Credential,
    Identity,
    TokenRequest,
    identify_token,
    is_chosen,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._managed_identity import Selector
    from ansible_collections.entra.auth.plugins.module_utils._token import Token


_SELECTORS = ("managed_identity_client_id", "managed_identity_object_id", "managed_identity_resource_id")


class ManagedIdentity(Credential):
    """Sends the request to the platform instead of Entra; needs no tenant, no client and no secret."""

    kind = "managed_identity"
    required = ()

    @classmethod
    def is_offered(cls) -> bool:
        return bool(os.environ.get("IDENTITY_ENDPOINT") or os.environ.get("MSI_ENDPOINT"))

    def build_request(self, scope: str, claims: str | None) -> TokenRequest:
        """Return the request; its client is the selected identity, by every name that may select one.

        Claims can't be sent to a platform. They count as another request, for which a new token is requested.

        Raises:
            InputError: for capabilities that the call chose, because the platforms accept none, and for two identities.
        """
        self._refuse_two_identities()
        if is_chosen(self.options, "client_capabilities"):
            raise InputError(
                "A managed identity can't declare client_capabilities.",
                hint="Remove client_capabilities, or use another credential.",
            )
        return TokenRequest("managed identity", "|".join(map(str, self._get_selection())), scope, claims)

    def _refuse_two_identities(self) -> None:
        """Raise InputError if the call itself names one identity by client_id and another one by its own option."""
        options = self.options
        is_direct = options.origins.get("client_id", "").startswith("option ")
        selection = self._get_selection()
        if is_direct and options.client_id not in (*selection, None):
            name = next(name for name, value in zip(_SELECTORS, selection, strict=True) if value)
            raise InputError(
                f"client_id and {name} name two different identities.",
                hint=f"Remove client_id, or {name}: each of them selects the identity.",
            )

    def get_identity(self, token: Token | None = None) -> Identity:
        """Return what the token says; without a readable token, the client id that selects the identity."""
        # A tenant and an authority in the options are those of another credential.
        named = identify_token(token) if token else Identity()
        return named if named.client_id else Identity(client_id=self._get_selection()[0])

    def get_selector(self) -> Selector:
        """Return which user-assigned identity is requested; an empty selector means the system-assigned identity."""
        from ansible_collections.entra.auth.plugins.module_utils._managed_identity import Selector

        return Selector(*self._get_selection())

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        # Imported here because they are needed for a request only, not for a cached token.
        from ansible_collections.entra.auth.plugins.module_utils._managed_identity import request_managed_identity_token
        from ansible_collections.entra.auth.plugins.plugin_utils._entra.hints import find_code_hint

        try:
            return request_managed_identity_token(get_resource(request), self.get_selector(), network)
        except (NetworkError, TokenRequestRefused) as exc:
            failure = exc
        hint = find_code_hint(failure.response.error_codes)
        failure.hint = hint.fix if hint else failure.hint
        raise failure

    def _get_selection(self) -> tuple[str | None, str | None, str | None]:
        """Return the client id, object id and resource id that are given for the identity.

        The option ``client_id`` counts if it was chosen for this call: the environment's AZURE_CLIENT_ID may be that
        of an app registration.
        """
        options = self.options
        given = options.selected_identity
        if not any(given) and is_chosen(options, "client_id"):
            return options.client_id, None, None
        return given


def get_resource(request: TokenRequest) -> str:
    """Return the identifier that the platforms' endpoints take in place of a scope."""
    # A slash that remains is part of the resource's name.
    return request.scope.removesuffix("/.default")


__all__ = ("ManagedIdentity", "get_resource")
