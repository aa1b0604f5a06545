# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of options has the documented names, types and places, and shows no secret."""

from __future__ import annotations

import dataclasses
import re

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import CREDENTIALS, load_class
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS, AppTokenOptions

# The variables of other tools in the documented order, written out because playbooks and AWX rely on them.
VENDOR_ENV = {
    "tenant_id": ("AZURE_TENANT_ID", "AZURE_TENANT", "ARM_TENANT_ID"),
    "client_id": ("AZURE_CLIENT_ID", "ARM_CLIENT_ID"),
    "client_secret": ("AZURE_CLIENT_SECRET", "AZURE_SECRET", "ARM_CLIENT_SECRET"),
    "client_secret_file": ("ARM_CLIENT_SECRET_FILE_PATH",),
    "client_certificate": ("ARM_CLIENT_CERTIFICATE",),
    "client_certificate_path": (
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_X509_CERTIFICATE_PATH",
        "ARM_CLIENT_CERTIFICATE_PATH",
    ),
    "client_certificate_password": ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "ARM_CLIENT_CERTIFICATE_PASSWORD"),
    "send_certificate_chain": ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",),
    "federated_token": ("AZURE_FEDERATED_TOKEN", "ARM_OIDC_TOKEN"),
    "federated_token_file": ("AZURE_FEDERATED_TOKEN_FILE", "ARM_OIDC_TOKEN_FILE_PATH"),
    "federated_token_request_url": ("ARM_OIDC_REQUEST_URL",),
    "federated_token_request_token": ("ARM_OIDC_REQUEST_TOKEN",),
    "cloud": ("AZURE_CLOUD_ENVIRONMENT", "ARM_ENVIRONMENT"),
    "authority": ("AZURE_AUTHORITY_HOST",),
}
SECRETS = {
    "client_secret",
    "client_certificate",
    "client_certificate_password",
    "federated_token",
    "federated_token_request_token",
    "refresh_token",
    "cache_key",
}
ALIASES = {
    "tenant_id": ("tenant",),
    "scope": ("resource",),
    "client_certificate_path": ("certificate_path", "x509_certificate_path"),
}
DEFAULTS = {
    "credential": "auto",
    "scope": ["graph"],
    "cloud": "public",
    "cache": "run",
    "run_on": "controller",
    "min_validity": 300,
    "force_refresh": False,
    "timeout": 30.0,
    "retry_for": 120.0,
    "validate_certs": True,
    "send_certificate_chain": False,
    "client_capabilities": [],
    "required_roles": [],
    "extra_headers": {},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_is_read_from_where_the_documentation_says(name: str) -> None:
    spec = OPTIONS[name]
    assert spec.name == name
    assert spec.variable == f"app_token_{name}"
    assert spec.env == (f"ENTRA_AUTH_{name.upper()}", *VENDOR_ENV.get(name, ()))
    assert spec.ini_key == (None if name in SECRETS else name)
    assert spec.secret is (name in SECRETS)
    assert spec.aliases == ALIASES.get(name, ())
    assert spec.vendor_file_env == (("ARM_CLIENT_ID_FILE_PATH",) if name == "client_id" else ())


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_is_not_given_has_its_default(name: str) -> None:
    assert getattr(AppTokenOptions(), name) == OPTIONS[name].default == DEFAULTS.get(name)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_description_of_the_places_names_all_of_them(name: str) -> None:
    spec = OPTIONS[name]
    words = spec.describe_places()
    expected = [f"option {name}", f"variable app_token_{name}", f"ENTRA_AUTH_{name.upper()}", *spec.vendor_env]
    expected += spec.vendor_file_env
    positions = [words.index(place) for place in expected]
    assert positions == sorted(positions)
    assert ("ansible.cfg" in words) is not spec.secret
    assert spec.secret or words.endswith(f"ansible.cfg [entra_auth] {name}")


def test_an_option_with_the_name_of_a_secret_is_one() -> None:
    secret = re.compile(r"(secret|password|_token|certificate|_key)$")
    assert {name for name in OPTIONS if secret.search(name)} == {name for name, spec in OPTIONS.items() if spec.secret}


def test_no_name_means_two_options() -> None:
    names = [name for spec in OPTIONS.values() for name in (spec.name, *spec.aliases)]
    variables = [name for spec in OPTIONS.values() for name in spec.env]
    assert len(set(names)) == len(names)
    assert len(set(variables)) == len(variables)


def test_the_origins_are_not_an_option() -> None:
    assert {field.name for field in dataclasses.fields(AppTokenOptions)} == {*OPTIONS, "origins"}


def test_no_secret_is_in_what_is_printed_of_the_options() -> None:
    secrets = {name: f"hunter2-{name}" for name, spec in OPTIONS.items() if spec.secret}
    shown = repr(AppTokenOptions(tenant_id="contoso.com", **secrets))  # type: ignore[arg-type]  # secrets are texts
    assert "contoso.com" in shown
    assert "hunter2" not in shown


def test_every_secret_is_known_for_masking() -> None:
    secrets = {name: f"hunter2-{name}" for name, spec in OPTIONS.items() if spec.secret}
    options = AppTokenOptions(proxy="http://me:proxy-password@proxy.test:3128", **secrets)  # type: ignore[arg-type]
    assert set(options.list_secrets()) == {*secrets.values(), "proxy-password"}


URL_OPTIONS = ["proxy", "authority", "api_base_url", "cache", "federated_token_request_url"]
URLS_WITH_A_PASSWORD = {
    "http://me:hunter2@proxy.test:3128": {"hunter2"},
    "redis://:hunter2@redis.test:6379/0": {"hunter2"},
    "redis://me:hunter2@one.test:26379,two.test/0?sentinel=main": {"hunter2"},
    "rediss://redis.test/0?password=hunter2&db=1": {"hunter2"},
    "redis://me:hunt%40er2@redis.test": {"hunt%40er2", "hunt@er2"},
    "redis://redis.test?password=hunt%40er2": {"hunt%40er2", "hunt@er2"},
    "redis://redis.test?password=hunt+er2": {"hunt+er2", "hunt er2"},
    "rediss://redis.test?ssl_keyfile=/k&ssl_password=hunter2": {"hunter2"},
    "redis://me:one@redis.test?password=two&password=three": {"one", "two", "three"},
}


@pytest.mark.parametrize("option", URL_OPTIONS)
@pytest.mark.parametrize(("url", "passwords"), URLS_WITH_A_PASSWORD.items())
def test_a_password_in_a_url_is_a_secret_as_written_and_decoded(option: str, url: str, passwords: set[str]) -> None:
    assert set(AppTokenOptions(**{option: url}).list_secrets()) == passwords  # type: ignore[arg-type]


@pytest.mark.parametrize("option", URL_OPTIONS)
@pytest.mark.parametrize(
    "url", ["", "http://proxy.test:3128", "http://me@proxy.test", "http://:@a.test", "http://[::1"]
)
def test_a_url_without_a_password_holds_no_secret(option: str, url: str) -> None:
    assert AppTokenOptions(**{option: url}).list_secrets() == []  # type: ignore[arg-type]
    assert AppTokenOptions(proxy=None).list_secrets() == []


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_a_credential_is_given_by_options_that_exist(kind: str) -> None:
    assert {*CREDENTIALS[kind].selecting_options, *load_class(kind).required} <= set(OPTIONS)


def test_every_credential_is_a_choice_and_every_choice_a_credential() -> None:
    assert set(OPTIONS["credential"].choices) == {"auto", *CREDENTIALS}
