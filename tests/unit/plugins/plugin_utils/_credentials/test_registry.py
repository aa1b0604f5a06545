# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which credential is meant follows from what was given, where, and in a fixed order."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import (
    CREDENTIALS,
    TokenRequest,
    choose_kind,
    create_credential,
    explain_choice,
    is_given,
    load_class,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS, AppTokenOptions

if t.TYPE_CHECKING:
    from certificates import Issued

    FormSent = t.Callable[..., dict[str, str]]

ORDER = (
    "refresh_token",
    "client_certificate",
    "client_secret",
    "federated",
    "managed_identity",
    "device_code",
    "azure_cli",
)
GIVEN_BY = {
    "refresh_token": ("refresh_token", "refresh_token_file"),
    "client_certificate": ("client_certificate", "client_certificate_path"),
    "client_secret": ("client_secret", "client_secret_file"),
    "federated": (
        "federated_token",
        "federated_token_file",
        "federated_token_source",
        "federated_token_request_url",
    ),
    "managed_identity": (
        "managed_identity_client_id",
        "managed_identity_object_id",
        "managed_identity_resource_id",
    ),
    "device_code": (),
    "azure_cli": (),
}


def given(direct: str = "", variable: str = "", **more: str) -> AppTokenOptions:
    """Options of which some are given directly and some by variables; names separated by blanks."""
    origins = {name: f"option {name}" for name in direct.split()}
    origins.update({name: f"variable app_token_{name}" for name in variable.split()})
    values = {name: f"value-of-{name}" for name in origins}
    if "federated_token_source" in values:
        values["federated_token_source"] = "github_actions"
    return AppTokenOptions(**{**values, **more}, origins=origins)  # type: ignore[arg-type]  # all of them are texts


def test_the_registry_has_every_documented_choice_in_the_documented_order() -> None:
    assert tuple(CREDENTIALS) == ORDER
    assert set(OPTIONS["credential"].choices) == {"auto", *ORDER}


@pytest.mark.parametrize("kind", ORDER)
def test_a_credential_is_told_by_its_own_options(kind: str) -> None:
    assert CREDENTIALS[kind].selecting_options == GIVEN_BY[kind]
    assert load_class(kind).kind == kind


@pytest.mark.parametrize(
    ("options", "kind", "why"),
    [
        (given(), None, "none was given"),
        (given("tenant_id client_id client_certificate_password"), None, "none was given"),
        (given("client_secret"), "client_secret", "option client_secret"),
        (given(variable="client_secret"), "client_secret", "variable app_token_client_secret"),
        (given("client_secret_file"), "client_secret", "option client_secret_file"),
        (given("client_certificate"), "client_certificate", "option client_certificate"),
        (given("client_certificate_path"), "client_certificate", "option client_certificate_path"),
        (given("federated_token"), "federated", "option federated_token"),
        (given("federated_token_file"), "federated", "option federated_token_file"),
        (given("federated_token_source"), "federated", "option federated_token_source"),
        (given("federated_token_request_url"), "federated", "option federated_token_request_url"),
        (given("managed_identity_client_id"), "managed_identity", "option managed_identity_client_id"),
        (given("managed_identity_object_id"), "managed_identity", "option managed_identity_object_id"),
        (given("managed_identity_resource_id"), "managed_identity", "option managed_identity_resource_id"),
        (given("refresh_token_file"), "refresh_token", "option refresh_token_file"),
        (
            given("refresh_token refresh_token_file"),
            "refresh_token",
            "option refresh_token and option refresh_token_file",
        ),
        # The order among what was given in the same way.
        (
            given("refresh_token client_certificate client_secret federated_token managed_identity_client_id"),
            "refresh_token",
            "option refresh_token; comes before client_certificate, client_secret, federated, managed_identity",
        ),
        (
            given("client_secret client_certificate"),
            "client_certificate",
            "option client_certificate; comes before client_secret",
        ),
        (given("federated_token client_secret"), "client_secret", "option client_secret; comes before federated"),
        (
            given("managed_identity_client_id federated_token_file"),
            "federated",
            "option federated_token_file; comes before managed_identity",
        ),
        # What the call itself holds beats what lies in variables or in the environment.
        (
            given("client_secret", variable="refresh_token"),
            "client_secret",
            "option client_secret; comes before refresh_token",
        ),
        (
            given("managed_identity_client_id", variable="refresh_token client_secret federated_token"),
            "managed_identity",
            "option managed_identity_client_id; comes before refresh_token, client_secret, federated",
        ),
        (
            given(variable="client_secret refresh_token"),
            "refresh_token",
            "variable app_token_refresh_token; comes before client_secret",
        ),
        # On a host there is no other credential.
        (given("client_secret run_on", run_on="target"), "managed_identity", "run_on: target (option run_on)"),
        (
            given("client_secret", variable="run_on", run_on="target"),
            "managed_identity",
            "run_on: target (variable app_token_run_on)",
        ),
        (given("client_secret", credential="client_secret", run_on="target"), "client_secret", "option credential"),
        # Asked for by name, whatever else was given.
        (AppTokenOptions(credential="device_code"), "device_code", "option credential"),
        (AppTokenOptions(credential="azure_cli"), "azure_cli", "option credential"),
        (
            AppTokenOptions(credential="client_secret", origins={"credential": "environment ENTRA_AUTH_CREDENTIAL"}),
            "client_secret",
            "environment ENTRA_AUTH_CREDENTIAL",
        ),
        (given("refresh_token", credential="client_secret"), "client_secret", "option credential"),
    ],
)
def test_the_kind_is_chosen_and_the_reason_told(options: AppTokenOptions, kind: str | None, why: str) -> None:
    assert (choose_kind(options), explain_choice(options)) == (kind, why)


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        (["IDENTITY_ENDPOINT"], "managed_identity"),
        (["MSI_ENDPOINT"], "managed_identity"),
        (["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"], "federated"),
        (["SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN"], "federated"),
        (["ACTIONS_ID_TOKEN_REQUEST_URL"], None),
        (["SYSTEM_OIDCREQUESTURI"], None),
        (["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "MSI_ENDPOINT"], "federated"),
    ],
)
def test_a_platform_offers_its_credential(
    environment: list[str], kind: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in environment:
        monkeypatch.setenv(name, "http://127.0.0.1/x")
    assert choose_kind(AppTokenOptions()) == kind
    assert explain_choice(AppTokenOptions()).startswith("the variables of the platform" if kind else "none was given")
    assert choose_kind(given("client_secret")) == "client_secret"


@pytest.mark.parametrize("kind", ["device_code", "azure_cli"])
def test_a_sign_in_of_a_person_is_never_given(kind: str) -> None:
    assert not is_given(kind, AppTokenOptions(refresh_token_file="f", client_id="c"))


def test_claims_go_into_the_form_where_there_are_any(form_sent: FormSent) -> None:
    claims = '{"access_token":{"nbf":{"essential":true}}}'
    assert form_sent("client_secret", client_secret="s", claims=claims)["claims"] == claims


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"client_secret": "s"}, {"client_secret"}),
        ({"federated_token": "e30.e30.c2ln"}, {"client_assertion", "client_assertion_type"}),
        ({"client_secret": "s", "federated_token": "e30.e30.c2ln"}, {"client_secret"}),
        ({"managed_identity_client_id": "m"}, set()),
    ],
)
def test_a_confidential_app_proves_itself_when_it_redeems_a_refresh_token(
    options: dict[str, str], fields: set[str], form_sent: FormSent
) -> None:
    sent = form_sent("refresh_token", refresh_token="r", **options)
    assert set(sent) - {"URL"} == {"grant_type", "refresh_token", "client_id", "scope"} | fields


def test_a_certificate_proves_an_app_that_redeems_a_refresh_token(form_sent: FormSent, leaf: Issued) -> None:
    sent = form_sent("refresh_token", refresh_token="r", client_certificate=leaf.pem(), client_secret="s")
    assert "client_assertion" in sent
    assert "client_secret" not in sent


def test_a_platform_s_offer_is_no_proof_of_a_public_app(form_sent: FormSent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1/x")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t")
    assert "client_assertion" not in form_sent("refresh_token", refresh_token="r")


@pytest.mark.parametrize(
    ("kind", "options", "secret"),
    [
        ("client_secret", {"client_secret": "s"}, "s"),
        ("refresh_token", {"refresh_token": "r"}, "r"),
        ("managed_identity", {"managed_identity_client_id": "m"}, None),
        ("federated", {"federated_token_file": "/f"}, None),
        ("device_code", {}, None),
        ("azure_cli", {}, None),
    ],
)
def test_a_cache_is_encrypted_with_the_secret_of_the_credential(
    kind: str, options: dict[str, str], secret: str | None
) -> None:
    assert create_credential(kind, AppTokenOptions(**options)).get_entry_secret() == secret  # type: ignore[arg-type]


def test_two_requests_are_the_same_only_if_all_of_them_is() -> None:
    same = TokenRequest("u", "c", "s", None)
    others = [
        TokenRequest("v", "c", "s", None),
        TokenRequest("u", "d", "s", None),
        TokenRequest("u", "c", "t", None),
        TokenRequest("u", "c", "s", "{}"),
        TokenRequest("u", "c\ns", "", None),
    ]
    assert len({request.build_key() for request in [same, *others[:4]]}) == 5
    assert same.build_key() == TokenRequest("u", "c", "s", "").build_key()


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"),
        ({"cloud": "usgov"}, "https://login.microsoftonline.us/contoso.com/oauth2/v2.0/token"),
        ({"cloud": "china"}, "https://login.partner.microsoftonline.cn/contoso.com/oauth2/v2.0/token"),
        ({"authority": "https://sts.test/adfs"}, "https://sts.test/adfs/oauth2/token"),
        ({"authority": "login.test", "cloud": "usgov"}, "https://login.test/contoso.com/oauth2/v2.0/token"),
    ],
)
def test_the_request_goes_to_the_authority_else_to_the_cloud(options: dict[str, str], url: str) -> None:
    asked = AppTokenOptions(tenant_id="contoso.com", client_id="c", client_secret="s", **options)  # type: ignore[arg-type]
    assert create_credential("client_secret", asked).build_request("scope", "{}") == TokenRequest(
        url, "c", "scope", "{}"
    )
