# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List all credentials, and choose the one that a call means.

A new credential needs a file in this package, an entry in CREDENTIALS, and its options. The class of a credential is
loaded at its first use, because a worker process of Ansible compiles every file that a call needs.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import functools
import importlib
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    Credential,
    OAuthCredential,
    TokenRequest,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_PACKAGE = "ansible_collections.entra.auth.plugins.plugin_utils._credentials"


class Entry(t.NamedTuple):
    """The name of a credential's class, the options that select it, and whether a platform may offer it as well."""

    class_name: str
    selecting_options: tuple[str, ...] = ()
    on_platforms: bool = False


# In the order in which "auto" chooses them. It never chooses the last two, which no option selects. The file of a
# credential has the name of its kind.
CREDENTIALS: t.Mapping[str, Entry] = {
    "refresh_token": Entry("RefreshToken", ("refresh_token", "refresh_token_file")),
    "client_certificate": Entry("ClientCertificate", ("client_certificate", "client_certificate_path")),
    "client_secret": Entry("ClientSecret", ("client_secret", "client_secret_file")),
    "federated": Entry(
        "Federated",
        ("federated_token", "federated_token_file", "federated_token_source", "federated_token_request_url"),
        on_platforms=True,
    ),
    "managed_identity": Entry(
        "ManagedIdentity",
        ("managed_identity_client_id", "managed_identity_object_id", "managed_identity_resource_id"),
        on_platforms=True,
    ),
    "device_code": Entry("DeviceCode"),
    "azure_cli": Entry("AzureCli"),
}
# The credentials by which a confidential app proves its identity when it redeems a refresh token.
_OF_CONFIDENTIAL_APPS = ("client_certificate", "client_secret", "federated")


@functools.cache
def load_class(kind: str) -> type[Credential]:
    """Return the class of a kind of credential."""
    module = importlib.import_module(f"{_PACKAGE}.{kind}")
    return t.cast("type[Credential]", getattr(module, CREDENTIALS[kind].class_name))


def choose_kind(options: AppTokenOptions) -> str | None:
    """Return the kind of the credential that a call means; None if none is given."""
    if options.credential != "auto":
        return options.credential
    if options.run_on == "target":
        # The only credential that works on a host; the others would send a secret there.
        return "managed_identity"
    direct = (kind for kind in CREDENTIALS if _is_given_directly(kind, options))
    return next(direct, None) or next((kind for kind in CREDENTIALS if is_given(kind, options)), None)


def explain_choice(options: AppTokenOptions) -> str:
    """Return in words why ``choose_kind`` chooses a credential."""
    if options.credential != "auto":
        return options.origins.get("credential", "option credential")
    if options.run_on == "target":
        return f"run_on: target ({options.origins.get('run_on', 'option run_on')})"
    chosen = choose_kind(options)
    if chosen is None:
        return "none was given"
    others = [kind for kind in CREDENTIALS if kind != chosen and is_given(kind, options)]
    origins = [options.origins[name] for name in CREDENTIALS[chosen].selecting_options if name in options.origins]
    reason = " and ".join(origins) or "the variables of the platform"
    return f"{reason}; comes before {', '.join(others)}" if others else reason


def is_given(kind: str, options: AppTokenOptions) -> bool:
    """Return whether an option selects this credential, or the platform that this runs on offers it."""
    return _has_own_option(kind, options) or (CREDENTIALS[kind].on_platforms and load_class(kind).is_offered())


def _is_given_directly(kind: str, options: AppTokenOptions) -> bool:
    """Return whether the call itself has this credential, not a variable or the environment."""
    return any(options.origins.get(name, "").startswith("option ") for name in CREDENTIALS[kind].selecting_options)


def create_credential(kind: str, options: AppTokenOptions, show: t.Callable[[str], object] | None = None) -> Credential:
    """Return the credential of a kind. ``show`` shows a sentence to the user at once."""
    if kind != "refresh_token":
        return load_class(kind)(options, show)
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.refresh_token import RefreshToken

    # A sign-in by device code belongs to a public app, which has no proof of its own.
    return RefreshToken(options, None if options.credential == "device_code" else _create_client_credential(options))


def _create_client_credential(options: AppTokenOptions) -> OAuthCredential | None:
    """Return the proof of a confidential app that redeems a refresh token; None for a public app."""
    for kind in _OF_CONFIDENTIAL_APPS:
        # An offer of the platform does not count: a public app on such a platform must not send it.
        if _has_own_option(kind, options) and not _belongs_to_another_app(kind, options):
            return t.cast("OAuthCredential", load_class(kind)(options))
    return None


def _has_own_option(kind: str, options: AppTokenOptions) -> bool:
    return any(getattr(options, name) for name in CREDENTIALS[kind].selecting_options)


def _belongs_to_another_app(kind: str, options: AppTokenOptions) -> bool:
    """Return whether the call names its own app and sign-in, and this proof comes from the environment alone."""
    direct = options.origins.get("client_id", "").startswith("option ") and _is_given_directly("refresh_token", options)
    names = [name for name in CREDENTIALS[kind].selecting_options if name in options.origins]
    return direct and all(options.origins[name].startswith("environment ") for name in names)


__all__ = (
    "CREDENTIALS",
    "Credential",
    "TokenRequest",
    "choose_kind",
    "create_credential",
    "explain_choice",
    "is_given",
    "load_class",
)
