# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``app_token``: one table, read by every face.

Each field of AppTokenOptions is an option; its metadata says how it is typed and where else it is read from. The texts
for people are in ``doc_fragments/_app_token.py``; a unit test holds both together.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS

CREDENTIAL_KINDS = (
    "auto",
    "client_secret",
    "client_certificate",
    "federated",
    "managed_identity",
    "refresh_token",
    "device_code",
)
FEDERATED_TOKEN_SOURCES = ("given", "github_actions", "azure_pipelines", "managed_identity")
CACHES = ("run", "user", "none")
# Those of which nothing outlives the run.
CACHES_OF_A_RUN = ("run", "none")
INI_SECTION = "entra_auth"
# Not secrets as a whole, but a URL may have a password, and a header an API key.
_MAY_HOLD_SECRET = frozenset(
    {"api_base_url", "authority", "body", "cache", "extra_headers", "headers", "proxy", "query", "requests", "url"}
)


@dataclasses.dataclass(frozen=True)
class OptionSpec:
    """How one option is typed and where it may come from.

    ``secret`` keeps its value out of messages and ansible.cfg; ``vendor_env`` are the variables other tools already
    set, strongest first.
    """

    name: str
    type: str
    default: t.Any = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    vendor_env: tuple[str, ...] = ()
    secret: bool = False

    @property
    def variable(self) -> str:
        """The Ansible variable it is read from."""
        return f"app_token_{self.name}"

    @property
    def may_hold_secret(self) -> bool:
        """Whether the value is or may contain a secret, such as a password in a URL or a key in a header."""
        return self.secret or self.name in _MAY_HOLD_SECRET

    @property
    def env(self) -> tuple[str, ...]:
        """The environment variables it is read from, strongest first."""
        return (f"ENTRA_AUTH_{self.name.upper()}", *self.vendor_env)

    @property
    def ini_key(self) -> str | None:
        """Its key in ansible.cfg; None for secrets, which don't belong there."""
        return None if self.secret else self.name

    def places(self) -> str:
        """Every place it is looked for, in words, for the message about a missing one."""
        ini = [f"ansible.cfg [{INI_SECTION}] {self.ini_key}"] if self.ini_key else []
        places = (f"option {self.name}", f"variable {self.variable}", f"environment {', '.join(self.env)}", *ini)
        return f"looked for {'; '.join(places)}"


def _option(type_: str, default: t.Any = None, **spec: t.Any) -> t.Any:
    factory = {"default_factory": lambda: default} if isinstance(default, (list, dict)) else {"default": default}
    metadata = {"type": type_, "default": default, **spec}
    # pylint: disable-next=invalid-field-call  # it is called in the class below, where the options are
    return dataclasses.field(repr=not spec.get("secret", False), metadata=metadata, **factory)


@dataclasses.dataclass(frozen=True)
class AppTokenOptions:
    """What one call asks for, all sources resolved. Seconds are floats; paths are expanded.

    ``origins`` tells for each option that was given where its value came from, in words for people.
    """

    tenant_id: str | None = _option(
        "str", aliases=("tenant",), vendor_env=("AZURE_TENANT_ID", "AZURE_TENANT", "ARM_TENANT_ID")
    )
    client_id: str | None = _option("str", vendor_env=("AZURE_CLIENT_ID", "ARM_CLIENT_ID"))
    credential: str = _option("str", "auto", choices=CREDENTIAL_KINDS)
    client_secret: str | None = _option(
        "str", secret=True, vendor_env=("AZURE_CLIENT_SECRET", "AZURE_SECRET", "ARM_CLIENT_SECRET")
    )
    client_certificate: str | None = _option("str", secret=True)
    client_certificate_path: str | None = _option(
        "path",
        aliases=("certificate_path", "x509_certificate_path"),
        vendor_env=(
            "AZURE_CLIENT_CERTIFICATE_PATH",
            "AZURE_X509_CERTIFICATE_PATH",
            "ARM_CLIENT_CERTIFICATE_PATH",
        ),
    )
    client_certificate_password: str | None = _option(
        "str",
        secret=True,
        vendor_env=("AZURE_CLIENT_CERTIFICATE_PASSWORD", "ARM_CLIENT_CERTIFICATE_PASSWORD"),
    )
    send_certificate_chain: bool = _option("bool", False, vendor_env=("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",))
    federated_token: str | None = _option("str", secret=True, vendor_env=("AZURE_FEDERATED_TOKEN",))
    federated_token_file: str | None = _option(
        "path", vendor_env=("AZURE_FEDERATED_TOKEN_FILE", "ARM_OIDC_TOKEN_FILE_PATH")
    )
    federated_token_source: str | None = _option("str", choices=FEDERATED_TOKEN_SOURCES)
    managed_identity_client_id: str | None = _option("str")
    managed_identity_object_id: str | None = _option("str")
    managed_identity_resource_id: str | None = _option("str")
    refresh_token: str | None = _option("str", secret=True)
    refresh_token_file: str | None = _option("path")
    scope: list[str] = _option("list", ["graph"], aliases=("resource",))
    cloud: str = _option(
        "str", "public", choices=tuple(CLOUDS), vendor_env=("AZURE_CLOUD_ENVIRONMENT", "ARM_ENVIRONMENT")
    )
    authority: str | None = _option("str", vendor_env=("AZURE_AUTHORITY_HOST",))
    api_base_url: str | None = _option("str")
    claims_challenge: str | None = _option("str")
    required_roles: list[str] = _option("list", [])
    extra_headers: dict[str, str] = _option("dict", {})
    run_on: str = _option("str", "controller", choices=("controller", "target"))
    cache: str = _option("str", "run")
    cache_key: str | None = _option("str", secret=True)
    min_validity: int = _option("int", 300)
    force_refresh: bool = _option("bool", False)
    timeout: float = _option("float", 30.0)
    retry_for: float = _option("float", 120.0)
    proxy: str | None = _option("str")
    ca_path: str | None = _option("path")
    validate_certs: bool = _option("bool", True)
    origins: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def network_settings(self) -> NetworkSettings:
        """How to reach the services that this call needs."""
        return NetworkSettings(
            timeout=self.timeout,
            retry_for=self.retry_for,
            proxy=self.proxy,
            ca_path=self.ca_path,
            validate_certs=self.validate_certs,
        )

    def secrets(self) -> list[str]:
        """Every secret value among the options, for masking; a password inside a URL is one too."""
        values = [getattr(self, spec.name) for spec in OPTIONS.values() if spec.secret]
        urls = (self.proxy, self.authority, self.api_base_url, self.cache)
        passwords = [password for url in urls for password in find_passwords(url or "")]
        return [value for value in (*values, *passwords) if value]


def find_passwords(url: str) -> list[str]:
    """The password in a URL, as it is written there and as it is meant."""
    with contextlib.suppress(ValueError):
        parts = urllib.parse.urlsplit(url)
        parameters = [pair.partition("=") for pair in parts.query.split("&")]
        written = [parts.password, *(value for name, _equals, value in parameters if name.endswith("password"))]
        return [form for text in written if text for form in (text, *_meant(text))]
    return []


def _meant(text: str) -> tuple[str, str]:
    # In a query a plus sign is a blank, but not to all who read one.
    return urllib.parse.unquote(text), urllib.parse.unquote_plus(text)


OPTIONS: t.Mapping[str, OptionSpec] = {
    option.name: OptionSpec(option.name, **option.metadata)
    for option in dataclasses.fields(AppTokenOptions)
    if option.metadata
}


__all__ = ("CACHES", "CACHES_OF_A_RUN", "INI_SECTION", "OPTIONS", "AppTokenOptions", "OptionSpec", "find_passwords")
