# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the parts that all credentials share.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import abc
import dataclasses
import json
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, TokenRequestRefused
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import build_token_url
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

# A login host names the lifetime of a device code, usually 900 s (Learn, "device authorization response"). A play must
# not wait for as long as a host of another kind says.
MAX_SIGN_IN_SECONDS = 3600.0
# For a user's token.
MISSING_SCOPES_HINT = (
    "Add them to the app as delegated permissions and have the user or an administrator consent; then sign in again, "
    "or request once with force_refresh."
)
# An option that the environment or ansible.cfg holds may be meant for another app than this call's.
_CHOSEN_ORIGINS = ("option ", "variable ")
# The strongest first.
_ORIGINS = (*_CHOSEN_ORIGINS, "environment ENTRA_AUTH_", "environment ", "ansible.cfg ")


@dataclasses.dataclass(frozen=True)
class TokenRequest:
    """A token request without the proof of the client.

    ``claims`` is the JSON text of a claims request (Learn, "Claims challenges"), or None.
    """

    token_url: str
    client_id: str
    scope: str
    claims: str | None

    def build_key(self) -> str:
        """Return a text that is equal for equal requests and differs for different ones."""
        return "\n".join((self.token_url, self.client_id, self.scope, self.claims or ""))


@dataclasses.dataclass(frozen=True)
class Identity:
    """The names by which results and messages identify a request; None for those that the credential does not use."""

    tenant_id: str | None = None
    client_id: str | None = None
    authority: str | None = None


class Credential(abc.ABC):
    """One way in which an app proves its identity.

    Creating an instance has no side effects.

    Attributes:
        kind: the value of the option ``credential``.
        required: options that the credential needs, apart from those that select it (see the registry).
        delegated: whether its tokens are those of a user.
        outlives_run: whether its tokens may be stored in a cache that outlives the run.
        sign_in_seconds: how long a person has for a sign-in that a request waits for; None without one.
        missing_roles_hint: what to do about roles that its token lacks.
    """

    kind: t.ClassVar[str]
    required: t.ClassVar[tuple[str, ...]] = ("tenant_id", "client_id")
    delegated: t.ClassVar[bool] = False
    outlives_run: t.ClassVar[bool] = True
    sign_in_seconds: t.ClassVar[float | None] = None
    missing_roles_hint: t.ClassVar[str] = (
        "Grant them to the app as application permissions with admin consent; then request once with force_refresh, "
        "because a token keeps the roles it was issued with."
    )

    def __init__(self, options: AppTokenOptions, show: t.Callable[[str], object] | None = None) -> None:
        """Take the options, and ``show``, which shows a sentence to the user at once."""
        self.options = options
        self.show = show or (lambda sentence: None)

    @classmethod
    def is_offered(cls) -> bool:
        """Return whether the platform that this runs on offers this credential without any option."""
        return False

    def build_request(self, scope: str, claims: str | None) -> TokenRequest:
        """Return the request for a scope.

        Args:
            scope: the form field of that name.
            claims: the JSON text of a claims challenge, to which the client's capabilities are added.

        Raises:
            InputError: for an authority that is not valid.
        """
        options = self.options
        token_url = build_token_url(_get_authority(options), str(options.tenant_id))
        return TokenRequest(
            token_url, str(options.client_id), scope, _add_capabilities(claims, options.client_capabilities)
        )

    def get_identity(self, token: Token | None = None) -> Identity:
        """Return the tenant, client and authority that are used.

        Args:
            token: the token that was issued, if there is one; only some credentials need it.
        """
        options = self.options
        return Identity(_get_tenant(options), options.client_id, options.authority)

    def list_unused(self) -> list[str]:
        """Return those of tenant_id, client_id and authority that are given and that this credential does not use."""
        used, given = dataclasses.asdict(self.get_identity()), self.options.origins
        return [name for name in used if name in given and used[name] != getattr(self.options, name)]

    def get_entry_secret(self) -> str | None:
        """Return the secret that protects cached tokens of this credential; None if the credential has none."""
        return None

    def get_proof_fingerprint(self) -> str:
        """Return what tells this proof from another one in the cache, if the entry secret does not.

        A caller with another proof must not receive the tokens of this one.
        """
        return ""

    @abc.abstractmethod
    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        """Request a token from its issuer. Raises EntraAuthError."""


class OAuthCredential(Credential):
    """A credential for Entra's token endpoint: a grant, and the client's authentication."""

    def build_grant(self) -> dict[str, str]:
        """Return the form fields of the grant (RFC 6749 section 4); by default those of client credentials."""
        return {"grant_type": "client_credentials"}

    @abc.abstractmethod
    def build_client_authentication(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        """Return the form fields that authenticate the client (RFC 6749 section 2.3), new for each request."""

    def build_form(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        """Return all fields of the token request."""
        fields = {**self.build_grant(), "client_id": request.client_id, "scope": request.scope}
        if request.claims:
            fields["claims"] = request.claims
        return {**fields, **self.build_client_authentication(request, network)}

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        # Imported here because requests is needed for a request only, not for a cached token.
        from ansible_collections.entra.auth.plugins.plugin_utils._entra.token_endpoint import TokenEndpoint

        endpoint = TokenEndpoint(request.token_url, network, self.name_proof())
        try:
            return endpoint.request_token(lambda: self.build_form(request, network))
        except TokenRequestRefused as exc:
            refusal = exc
        raise self.explain_refusal(refusal)

    @abc.abstractmethod
    def name_proof(self) -> str:
        """Return the option or the platform that the app's proof comes from; empty for a public app, without proof."""

    def explain_refusal(self, refusal: TokenRequestRefused) -> TokenRequestRefused:
        """Return the refusal with what this credential can add to its message."""
        return refusal


class AssertionCredential(OAuthCredential):
    """A credential that sends an assertion in place of a secret (RFC 7523 section 2.2)."""

    @abc.abstractmethod
    def create_assertion(self, request: TokenRequest, network: NetworkSettings) -> str:
        """Return a new assertion."""

    def build_client_authentication(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.create_assertion(request, network),
        }


def is_chosen(options: AppTokenOptions, name: str) -> bool:
    """Return whether an option comes from the call or an Ansible variable, not from the environment or ansible.cfg."""
    return options.origins.get(name, "").startswith(_CHOSEN_ORIGINS)


def choose_option(options: AppTokenOptions, *names: str) -> str | None:
    """Return the option, of several ways to give the same thing, that has a value from the strongest source.

    Of two with the same source the first one is returned; None if none has a value.
    """
    given = [name for name in names if getattr(options, name)]
    return min(given, key=lambda name: _get_rank(options.origins.get(name, "")), default=None)


def _get_rank(origin: str) -> int:
    return next((rank for rank, prefix in enumerate(_ORIGINS) if origin.startswith(prefix)), 0)


def _add_capabilities(claims: str | None, capabilities: t.Sequence[str]) -> str | None:
    """Return a claims request that declares what the client can do (Learn, "Client capabilities")."""
    if not capabilities:
        return claims
    merged = json.loads(claims) if claims else {}
    asked = merged.get("access_token")
    declared = {"xms_cc": {"values": list(capabilities)}}
    merged["access_token"] = {**(asked if isinstance(asked, dict) else {}), **declared}
    return json.dumps(merged, separators=(",", ":"))


def identify_token(token: Token) -> Identity:
    """Return the tenant and client that a token names, for credentials whose issuer decides about them."""
    claims = token.decode_claims()
    client_id, tenant_id = claims.get("appid") or claims.get("azp"), claims.get("tid")
    return Identity(*(value if isinstance(value, str) else None for value in (tenant_id, client_id)))


def _get_tenant(options: AppTokenOptions) -> str | None:
    """Return the tenant in the token URL: an authority with a path names its own, or none (AD FS)."""
    try:
        url = build_token_url(_get_authority(options), str(options.tenant_id))
    except InputError:
        return options.tenant_id
    tenant = urllib.parse.urlsplit(url).path.split("/")[1]
    return None if tenant.lower() == "adfs" else tenant


def _get_authority(options: AppTokenOptions) -> str:
    return options.authority or CLOUDS[options.cloud].login_url


__all__ = (
    "MAX_SIGN_IN_SECONDS",
    "MISSING_SCOPES_HINT",
    "AssertionCredential",
    "Credential",
    "Identity",
    "OAuthCredential",
    "TokenRequest",
    "choose_option",
    "identify_token",
    "is_chosen",
)
