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

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import build_token_url
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_MAX_FILE_BYTES = 1024 * 1024


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
    """One way an app proves itself.

    Creating one has no side effects. ``given_by`` are the options of which any one tells that it is meant, ``required``
    those it can't work without besides; ``delegated`` is whether its tokens are those of a user. ``passing_codes`` are
    AADSTS codes that pass by themselves. ``tell`` shows a sentence to a person at once.
    """

    kind: t.ClassVar[str]
    selecting_options: t.ClassVar[tuple[str, ...]]
    required: t.ClassVar[tuple[str, ...]] = ("tenant_id", "client_id")
    delegated: t.ClassVar[bool] = False
    transient_codes: t.ClassVar[frozenset[int]] = frozenset()

    def __init__(self, options: AppTokenOptions, tell: t.Callable[[str], object] | None = None) -> None:
        self.options = options
        self.tell = tell or (lambda sentence: None)

    @classmethod
    def is_given(cls, options: AppTokenOptions) -> bool:
        """Whether the options, or the platform this runs on, offer this credential."""
        return any(getattr(options, name) for name in cls.selecting_options)

    @classmethod
    def is_given_directly(cls, options: AppTokenOptions) -> bool:
        """Whether the call itself holds this credential, rather than a variable or the environment."""
        return any(options.origins.get(name, "").startswith("option ") for name in cls.selecting_options)

    def request(self, scope: str, claims: str | None) -> TokenRequest:
        """What this credential is going to ask. Raises InputError for an authority that is none."""
        options = self.options
        authority = options.authority or CLOUDS[options.cloud].login_url
        return TokenRequest(build_token_url(authority, str(options.tenant_id)), str(options.client_id), scope, claims)

    def sealing_secret(self) -> str | None:
        """The secret without which nobody may be served a token that this credential bought; None if it has none."""
        return None

    def failure_fingerprint(self) -> str:
        """What was given as proof, if a change of it does not show in ``sealing_secret``; never to be shown."""
        return ""

    @abc.abstractmethod
    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        """Get a token from whoever issues it. Raises EntraAuthError."""


class OAuthCredential(Credential):
    """A credential for Entra's token endpoint: a grant, and the client's authentication."""

    def grant(self) -> dict[str, str]:
        """The form fields of the grant (RFC 6749 section 4); by default those of the client credentials."""
        return {"grant_type": "client_credentials"}

    @abc.abstractmethod
    def client_authentication(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        """The form fields by which the client authenticates (RFC 6749 section 2.3), made anew for each request."""

    def form(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        """All fields of the token request."""
        fields = {**self.grant(), "client_id": request.client_id, "scope": request.scope}
        if request.claims:
            fields["claims"] = request.claims
        return {**fields, **self.client_authentication(request, network)}

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        # Here, not at the top: requests is loaded for a request only, never for a token out of the cache.
        from ansible_collections.entra.auth.plugins.plugin_utils._entra.token_endpoint import PollPolicy, TokenEndpoint

        endpoint = TokenEndpoint(request.token_url, network)
        return endpoint.request_token(lambda: self.form(request, network), PollPolicy(codes=self.transient_codes))


class AssertionCredential(OAuthCredential):
    """A credential that sends an assertion in place of a secret (RFC 7523 section 2.2)."""

    @abc.abstractmethod
    def assertion(self, request: TokenRequest, network: NetworkSettings) -> str:
        """A new assertion."""

    def client_authentication(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion(request, network),
        }


def read_file(option: str, path: str) -> bytes:
    """The content of the file that an option names. Raises InputError."""
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_FILE_BYTES)
    except OSError as exc:
        content, reason = b"", exc.strerror
    else:
        reason = "it is empty"
    if content.strip():
        return content
    raise InputError(f"{option} {path} can't be read: {reason}.", hint=f"Correct {option}, or the file's permissions.")


__all__ = ("AssertionCredential", "Credential", "OAuthCredential", "TokenRequest", "read_file")
