# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way an app proves itself, and which one is meant.

A new credential is a file beside this one, a line in CREDENTIALS, and its options.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

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

# In the order in which "auto" takes them; a device code is never given, so never taken.
CREDENTIALS: t.Mapping[str, type[Credential]] = {
    cls.kind: cls for cls in (RefreshToken, ClientCertificate, ClientSecret, Federated, ManagedIdentity, DeviceCode)
}


def choose_kind(options: AppTokenOptions) -> tuple[str | None, str]:
    """The kind of credential that is meant, and why, in words; None where none was given."""
    if options.credential != "auto":
        return options.credential, options.origins.get("credential", "option credential")
    given = [cls for cls in CREDENTIALS.values() if cls.is_given(options)]
    direct = [cls for cls in given if cls.is_given_directly(options)]
    if not given:
        return None, "none was given"
    chosen = (direct or given)[0]
    others = [cls.kind for cls in given if cls is not chosen]
    reason = _origin(chosen, options) + (f"; comes before {', '.join(others)}" if others else "")
    return chosen.kind, reason


def create_credential(kind: str, options: AppTokenOptions, tell: t.Callable[[str], object] | None = None) -> Credential:
    """The credential of that kind, with what the options hold for it; ``tell`` shows a sentence to a person."""
    if kind == RefreshToken.kind:
        # A sign-in by device code is that of a public app, which has nothing to prove itself by.
        return RefreshToken(options, None if options.credential == DeviceCode.kind else _client_of(options))
    return CREDENTIALS[kind](options, tell)


def _client_of(options: AppTokenOptions) -> OAuthCredential | None:
    """By what a confidential app proves itself when it redeems a refresh token; a public app has nothing."""
    candidates = (cls for cls in (ClientCertificate, ClientSecret, Federated) if _is_in_hand(cls, options))
    return next((cls(options) for cls in candidates if not _belongs_to_another_app(cls, options)), None)


def _is_in_hand(cls: type[OAuthCredential], options: AppTokenOptions) -> bool:
    # Not what a platform may offer besides: a public app on such a platform has to send nothing.
    return any(getattr(options, name) for name in cls.selecting_options)


def _belongs_to_another_app(cls: type[OAuthCredential], options: AppTokenOptions) -> bool:
    """Whether a call names its own app and sign-in, and this is only what the environment holds for some app."""
    direct = options.origins.get("client_id", "").startswith("option ") and RefreshToken.is_given_directly(options)
    origins = [options.origins[name] for name in cls.selecting_options if name in options.origins]
    return direct and all(origin.startswith("environment ") for origin in origins)


def _origin(cls: type[Credential], options: AppTokenOptions) -> str:
    given = [options.origins[name] for name in cls.selecting_options if name in options.origins]
    return " and ".join(given) or "the variables of the platform"


__all__ = ("CREDENTIALS", "Credential", "TokenRequest", "choose_kind", "create_credential")
