# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describe a token request in words, for messages and for ``-v``. Loaded only if there is something to say.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, printable
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import OAuthCredential
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import (
    CREDENTIALS,
    create_credential,
    explain_choice,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import FEDERATED_TOKEN_SOURCES

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import Credential
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import Messages
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken

_SHOWN_CHARACTERS = 1000
_CERTIFICATE = ("client_certificate_password", "send_certificate_chain")
# The options that a credential reads, by its kind or by the option or source that its proof comes from.
_OPTIONS_BY_PROOF: t.Mapping[str, tuple[str, ...]] = {
    "client_certificate": _CERTIFICATE,
    "client_certificate_path": _CERTIFICATE,
    "request_url": ("federated_token_request_url", "federated_token_request_token"),
    "managed_identity": ("managed_identity_client_id", "managed_identity_object_id", "managed_identity_resource_id"),
    "refresh_token": ("refresh_token", "refresh_token_file"),
    "device_code": ("refresh_token", "refresh_token_file"),
}
_PROOF_OPTIONS = frozenset(name for entry in CREDENTIALS.values() for name in entry.selecting_options).union(
    *_OPTIONS_BY_PROOF.values()
)


def log_token(messages: Messages, app_token: AppToken) -> None:
    """Show with -v where a token comes from, and with which credential, roles and options it was requested."""
    options, kind = app_token.options, app_token.credential
    state = f"token from {app_token.source}, valid until {app_token.token.expires_at}"
    messages.v(_format_message(state, describe_request(options, kind, app_token.scope)))
    show = messages.v if app_token.source == "network" else messages.vv
    roles = f"roles {format_roles(app_token.token)}"
    show(_format_message(f"credential by {explain_choice(options)}", roles, _describe_origins(options, kind)))


def log_failure(messages: Messages, options: AppTokenOptions, kind: str | None) -> None:
    """Show with -v which credential was chosen, and where each option was found."""
    chosen = f"credential by {explain_choice(options)}" if kind else "no credential"
    messages.v(_format_message(chosen, _describe_origins(options, kind)))


def describe_request(options: AppTokenOptions, kind: str, scope: str) -> str:
    """Return what a token is requested with, in words; names only the tenant, client and authority that are used.

    Args:
        options: The options of the call.
        kind: The kind of credential.
        scope: The scope as it is sent.
    """
    identity = create_credential(kind, options).get_identity()
    parts = [
        ("credential", kind),
        ("authority", identity.authority) if identity.authority else ("cloud", options.cloud),
        ("tenant", identity.tenant_id),
        ("client", identity.client_id),
        ("scope", scope),
    ]
    text = ", ".join(f"{name} {value}" for name, value in parts if value)
    return printable(text, _SHOWN_CHARACTERS)


def format_roles(token: Token) -> str:
    """Return the app roles in a token, in words."""
    return printable(", ".join(token.list_roles()), _SHOWN_CHARACTERS) or "none that can be read in the token"


def build_missing_roles_error(app_token: AppToken, missing: t.Iterable[str]) -> InputError:
    """Build the error for a token without roles that are required, with the way to grant them for its credential."""
    return InputError(
        f"The token for {app_token.scope} lacks the app roles {', '.join(missing)}. It has "
        f"{format_roles(app_token.token)}.",
        hint=create_credential(app_token.credential, app_token.options).missing_roles_hint,
    )


def _describe_origins(options: AppTokenOptions, kind: str | None) -> str:
    unused = _list_unused(create_credential(kind, options)) if kind else frozenset()
    parts = [
        f"{name} from {origin}{' (not used by this credential)' if name in unused else ''}"
        for name, origin in options.origins.items()
    ]
    return ", ".join(parts)


def _list_unused(credential: Credential) -> frozenset[str]:
    """Return the options that are given, but that this credential does not send or read."""
    options = credential.options
    proof = credential.name_proof() if isinstance(credential, OAuthCredential) else credential.kind
    used = {proof, *_OPTIONS_BY_PROOF.get(credential.kind, ()), *_OPTIONS_BY_PROOF.get(proof, ())}
    if options.federated_token_source == (proof if proof in FEDERATED_TOKEN_SOURCES else "given"):
        used.add("federated_token_source")
    return frozenset(credential.list_unused()) | (_PROOF_OPTIONS - used)


def _format_message(*parts: str) -> str:
    return f"entra.auth: {'; '.join(filter(None, parts))}"


__all__ = ("build_missing_roles_error", "describe_request", "format_roles", "log_failure", "log_token")
