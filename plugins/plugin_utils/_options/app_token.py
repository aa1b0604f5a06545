# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``app_token``: one table for all entry points.

Each field of AppTokenOptions is an option. Its metadata is the type and the other places it is read from. The
documentation is in ``doc_fragments/_app_token.py``; a unit test compares both.

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
    "azure_cli",
)
FEDERATED_TOKEN_SOURCES = ("given", "github_actions", "azure_pipelines", "managed_identity", "request_url")
CACHES = ("run", "user", "none")
# With these, nothing outlives the run.
CACHES_OF_A_RUN = ("run", "none")
INI_SECTION = "entra_auth"
# They are not secrets as a whole, but a URL may have a password, and a header or a body a key.
_MAY_HOLD_SECRET = frozenset(
    {"api_base_url", "authority", "body", "cache", "extra_headers", "headers", "proxy", "query", "requests", "url"}
)


@dataclasses.dataclass(frozen=True)
class OptionSpec:
    """The type of one option, and the places it is read from.

    Attributes:
        name: The name of the option.
        type: A key of the converters in ``types``.
        elements: The type of the items of a list, or of the values of a mapping.
        default: The value if no place has one.
        choices: The values that are allowed; empty for any.
        aliases: Other names under which it may be given directly.
        vendor_env: The environment variables that other tools set, strongest first.
        vendor_file_env: Environment variables of other tools that name a file with the value.
        secret: Whether the value is kept out of messages and out of ansible.cfg.
    """

    name: str
    type: str
    default: t.Any = None
    elements: str = "str"
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    vendor_env: tuple[str, ...] = ()
    vendor_file_env: tuple[str, ...] = ()
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

    def describe_places(self) -> str:
        """Every place in which it is searched, as text for a message about a missing option."""
        ini = [f"ansible.cfg [{INI_SECTION}] {self.ini_key}"] if self.ini_key else []
        places = (
            f"option {self.name}",
            f"variable {self.variable}",
            f"environment {', '.join((*self.env, *self.vendor_file_env))}",
            *ini,
        )
        return "; ".join(places)


def define_option(type_: str, default: t.Any = None, **spec: t.Any) -> t.Any:
    """Return the field of an option; ``spec`` are more fields of its OptionSpec."""
    factory = {"default_factory": lambda: default} if isinstance(default, (list, dict)) else {"default": default}
    metadata = {"type": type_, "default": default, **spec}
    # pylint: disable-next=invalid-field-call  # it is called in the class below, for each option
    return dataclasses.field(repr=not spec.get("secret", False), metadata=metadata, **factory)


@dataclasses.dataclass(frozen=True)
class AppTokenOptions:
    """The options of one call, from all sources. Seconds are floats, paths are expanded.

    ``origins`` has the place of each option that was given, as text for messages.
    """

    tenant_id: str | None = define_option(
        "str", aliases=("tenant",), vendor_env=("AZURE_TENANT_ID", "AZURE_TENANT", "ARM_TENANT_ID")
    )
    client_id: str | None = define_option(
        "str", vendor_env=("AZURE_CLIENT_ID", "ARM_CLIENT_ID"), vendor_file_env=("ARM_CLIENT_ID_FILE_PATH",)
    )
    credential: str = define_option("str", "auto", choices=CREDENTIAL_KINDS)
    client_secret: str | None = define_option(
        "str", secret=True, vendor_env=("AZURE_CLIENT_SECRET", "AZURE_SECRET", "ARM_CLIENT_SECRET")
    )
    client_secret_file: str | None = define_option("path", vendor_env=("ARM_CLIENT_SECRET_FILE_PATH",))
    client_certificate: str | None = define_option("str", secret=True, vendor_env=("ARM_CLIENT_CERTIFICATE",))
    client_certificate_path: str | None = define_option(
        "path",
        aliases=("certificate_path", "x509_certificate_path"),
        vendor_env=(
            "AZURE_CLIENT_CERTIFICATE_PATH",
            "AZURE_X509_CERTIFICATE_PATH",
            "ARM_CLIENT_CERTIFICATE_PATH",
        ),
    )
    client_certificate_password: str | None = define_option(
        "str",
        secret=True,
        vendor_env=("AZURE_CLIENT_CERTIFICATE_PASSWORD", "ARM_CLIENT_CERTIFICATE_PASSWORD"),
    )
    send_certificate_chain: bool = define_option("bool", False, vendor_env=("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",))
    federated_token: str | None = define_option(
        "str", secret=True, vendor_env=("AZURE_FEDERATED_TOKEN", "ARM_OIDC_TOKEN")
    )
    federated_token_file: str | None = define_option(
        "path", vendor_env=("AZURE_FEDERATED_TOKEN_FILE", "ARM_OIDC_TOKEN_FILE_PATH")
    )
    federated_token_source: str | None = define_option("str", choices=FEDERATED_TOKEN_SOURCES)
    federated_token_request_url: str | None = define_option("str", vendor_env=("ARM_OIDC_REQUEST_URL",))
    federated_token_request_token: str | None = define_option(
        "str", secret=True, vendor_env=("ARM_OIDC_REQUEST_TOKEN",)
    )
    client_capabilities: list[str] = define_option("list", [])
    managed_identity_client_id: str | None = define_option("str")
    managed_identity_object_id: str | None = define_option("str")
    managed_identity_resource_id: str | None = define_option("str")
    refresh_token: str | None = define_option("str", secret=True)
    refresh_token_file: str | None = define_option("path")
    scope: list[str] = define_option("list", ["graph"], aliases=("resource",))
    cloud: str = define_option(
        "str", "public", choices=tuple(CLOUDS), vendor_env=("AZURE_CLOUD_ENVIRONMENT", "ARM_ENVIRONMENT")
    )
    authority: str | None = define_option("str", vendor_env=("AZURE_AUTHORITY_HOST",))
    api_base_url: str | None = define_option("str")
    claims_challenge: str | None = define_option("str")
    required_roles: list[str] = define_option("list", [])
    extra_headers: dict[str, str] = define_option("dict", {})
    run_on: str = define_option("str", "controller", choices=("controller", "target"))
    cache: str = define_option("str", "run")
    cache_key: str | None = define_option("str", secret=True)
    min_validity: int = define_option("int", 300)
    force_refresh: bool = define_option("bool", False)
    timeout: float = define_option("float", 30.0)
    retry_for: float = define_option("float", 120.0)
    proxy: str | None = define_option("str")
    ca_path: str | None = define_option("path")
    validate_certs: bool = define_option("bool", True)
    origins: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def get_network_settings(self) -> NetworkSettings:
        """Return how the services are reached."""
        return NetworkSettings(
            timeout=self.timeout,
            retry_for=self.retry_for,
            proxy=self.proxy,
            ca_path=self.ca_path,
            validate_certs=self.validate_certs,
        )

    @property
    def selected_identity(self) -> tuple[str | None, str | None, str | None]:
        """The client id, object id and resource id that are given for a managed identity."""
        return self.managed_identity_client_id, self.managed_identity_object_id, self.managed_identity_resource_id

    def list_secrets(self) -> list[str]:
        """Return every secret value among the options, for masking, the passwords in URLs included."""
        values = [getattr(self, spec.name) for spec in OPTIONS.values() if spec.secret]
        urls = (self.proxy, self.authority, self.api_base_url, self.cache, self.federated_token_request_url)
        passwords = [password for url in urls for password in find_passwords(url or "")]
        return [value for value in (*values, *passwords) if value]


def find_passwords(url: str) -> list[str]:
    """Return the passwords in a URL, each as it is written and decoded."""
    with contextlib.suppress(ValueError):
        parts = urllib.parse.urlsplit(url)
        parameters = [pair.partition("=") for pair in parts.query.split("&")]
        written = [parts.password, *(value for name, _equals, value in parameters if name.endswith("password"))]
        return [form for text in written if text for form in (text, *_decode(text))]
    return []


def _decode(text: str) -> tuple[str, str]:
    # In a query a plus sign stands for a blank, but not every program reads it so.
    return urllib.parse.unquote(text), urllib.parse.unquote_plus(text)


def list_options(options: t.Any) -> dict[str, OptionSpec]:
    """Return the options that the fields of a class define, by their names."""
    return {
        field.name: OptionSpec(field.name, **field.metadata) for field in dataclasses.fields(options) if field.metadata
    }


OPTIONS: t.Mapping[str, OptionSpec] = list_options(AppTokenOptions)
# With the aliases.
OPTION_NAMES = tuple(name for spec in OPTIONS.values() for name in (spec.name, *spec.aliases))


__all__ = (
    "CACHES",
    "CACHES_OF_A_RUN",
    "INI_SECTION",
    "OPTIONS",
    "OPTION_NAMES",
    "AppTokenOptions",
    "OptionSpec",
    "define_option",
    "find_passwords",
    "list_options",
)
