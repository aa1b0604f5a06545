# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every credential has in common.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import abc
import dataclasses
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._options import AppTokenOptions
    from ansible_collections.entra.auth.plugins.module_utils._token import Token


@dataclasses.dataclass(frozen=True)
class TokenRequest:
    """What is asked of which endpoint: all of a token request but the proof of who asks.

    ``claims`` is the JSON text of a claims request (Learn, "Claims challenges"), or None.
    """

    token_url: str
    client_id: str
    scope: str
    claims: str | None

    def identity(self) -> str:
        """What makes two requests the same request, as text."""
        return "\n".join((self.token_url, self.client_id, self.scope, self.claims or ""))


class Credential(abc.ABC):
    """One way an app proves itself at the token endpoint.

    Creating one has no side effects. ``given_by`` are the options of which any one tells that it is meant, and
    ``delegated`` whether its tokens are those of a user. ``passing_codes`` are AADSTS codes that pass by themselves.
    """

    kind: t.ClassVar[str]
    given_by: t.ClassVar[tuple[str, ...]]
    delegated: t.ClassVar[bool] = False
    passing_codes: t.ClassVar[frozenset[int]] = frozenset()

    def __init__(self, options: AppTokenOptions) -> None:
        self.options = options

    @classmethod
    def is_given(cls, options: AppTokenOptions) -> bool:
        """Whether the options hold this credential."""
        return any(getattr(options, name) for name in cls.given_by)

    @classmethod
    def is_given_directly(cls, options: AppTokenOptions) -> bool:
        """Whether the call itself holds this credential, rather than a variable or the environment."""
        return any(options.origins.get(name, "").startswith("option ") for name in cls.given_by)

    @abc.abstractmethod
    def sealing_secret(self) -> str:
        """The secret without which nobody may be served a token that this credential bought."""

    @abc.abstractmethod
    def grant(self) -> dict[str, str]:
        """The form fields of the grant (RFC 6749 section 4)."""

    @abc.abstractmethod
    def client_authentication(self, request: TokenRequest) -> dict[str, str]:
        """The form fields by which the client authenticates (RFC 6749 section 2.3), made anew for each request."""

    def form(self, request: TokenRequest) -> dict[str, str]:
        """All fields of the token request."""
        fields = {**self.grant(), "client_id": request.client_id, "scope": request.scope}
        if request.claims:
            fields["claims"] = request.claims
        return {**fields, **self.client_authentication(request)}

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        """Get a token from whoever issues it. Raises EntraAuthError."""
        # Here, not at the top: requests is loaded for a request only, never for a token out of the cache.
        from ansible_collections.entra.auth.plugins.module_utils._token_endpoint import Patience, TokenEndpoint

        endpoint = TokenEndpoint(request.token_url, network)
        return endpoint.request_token(lambda: self.form(request), Patience(codes=self.passing_codes))


__all__ = ("Credential", "TokenRequest")
