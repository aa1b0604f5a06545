# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List all credentials, and choose the one that a call means.

A new credential needs a file in this package, an entry in CREDENTIALS, and its options.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.azure_cli import AzureCli
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    Credential,
    OAuthCredential,
    TokenRequest,
)
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.client_certificate import ClientCertificate
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.client_secret import ClientSecret
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.device_code import DeviceCode
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.federated import Federated
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.managed_identity import ManagedIdentity
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.refresh_token import RefreshToken

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

# In the order in which "auto" chooses them. It never chooses the last two, which no option selects.
CREDENTIALS: t.Mapping[str, type[Credential]] = {
    cls.kind: cls
    for cls in (
        RefreshToken,
        ClientCertificate,
        ClientSecret,
        Federated,
        ManagedIdentity,
        DeviceCode,
        AzureCli,
    )
}


def choose_kind(options: AppTokenOptions) -> tuple[str | None, str]:
    """Return the kind of the credential that a call means, and the reason in words; None if none is given."""
    if options.credential != "auto":
        return options.credential, options.origins.get("credential", "option credential")
    if options.run_on == "target":
        # The only credential that works on a host; the others would send a secret there.
        return ManagedIdentity.kind, f"run_on: target ({options.origins.get('run_on', 'option run_on')})"
    given = [cls for cls in CREDENTIALS.values() if cls.is_given(options)]
    direct = [cls for cls in given if cls.is_given_directly(options)]
    if not given:
        return None, "none was given"
    chosen = (direct or given)[0]
    others = [cls.kind for cls in given if cls is not chosen]
    reason = _describe_origin(chosen, options) + (f"; comes before {', '.join(others)}" if others else "")
    return chosen.kind, reason


def create_credential(kind: str, options: AppTokenOptions, tell: t.Callable[[str], object] | None = None) -> Credential:
    """Return the credential of a kind. ``tell`` shows a sentence to the user at once."""
    if kind == RefreshToken.kind:
        # A sign-in by device code belongs to a public app, which has no proof of its own.
        client = None if options.credential == DeviceCode.kind else _create_client_credential(options)
        return RefreshToken(options, client)
    return CREDENTIALS[kind](options, tell)


def _create_client_credential(options: AppTokenOptions) -> OAuthCredential | None:
    """Return the proof of a confidential app that redeems a refresh token; None for a public app."""
    candidates = (cls for cls in (ClientCertificate, ClientSecret, Federated) if _has_own_option(cls, options))
    return next((cls(options) for cls in candidates if not _belongs_to_another_app(cls, options)), None)


def _has_own_option(cls: type[OAuthCredential], options: AppTokenOptions) -> bool:
    # An offer of the platform does not count: a public app on such a platform must not send it.
    return any(getattr(options, name) for name in cls.selecting_options)


def _belongs_to_another_app(cls: type[OAuthCredential], options: AppTokenOptions) -> bool:
    """Return whether the call names its own app and sign-in, and this proof comes from the environment alone."""
    direct = options.origins.get("client_id", "").startswith("option ") and RefreshToken.is_given_directly(options)
    origins = [options.origins[name] for name in cls.selecting_options if name in options.origins]
    return direct and all(origin.startswith("environment ") for origin in origins)


def _describe_origin(cls: type[Credential], options: AppTokenOptions) -> str:
    given = [options.origins[name] for name in cls.selecting_options if name in options.origins]
    return " and ".join(given) or "the variables of the platform"


__all__ = ("CREDENTIALS", "Credential", "TokenRequest", "choose_kind", "create_credential")
