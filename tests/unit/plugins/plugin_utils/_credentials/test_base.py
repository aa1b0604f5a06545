# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts that credentials share: the request and the identity that may be named."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from jwts import build_jwt

from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    Identity,
    TokenRequest,
    choose_option,
    identify_token,
    is_chosen,
)
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import (
    CREDENTIALS,
    create_credential,
    load_class,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

OAUTH = ("client_secret", "client_certificate", "federated", "refresh_token", "device_code")


def token(**claims: t.Any) -> Token:
    return Token(build_jwt(**claims), 0, 3600)


@pytest.mark.parametrize("changed", ["token_url", "client_id", "scope", "claims"])
def test_every_part_of_a_request_counts_in_its_key(changed: str) -> None:
    request = TokenRequest("u", "c", "s", None)
    assert request.build_key() == dataclasses.replace(request).build_key()
    assert request.build_key() != dataclasses.replace(request, **{changed: "x"}).build_key()


# --- identity ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OAUTH)
@pytest.mark.parametrize(
    ("authority", "tenant"),
    [
        (None, "contoso.com"),
        ("https://login.test", "contoso.com"),
        ("login.test", "contoso.com"),
        ("https://login.test/fabrikam.com", "fabrikam.com"),
        ("login.test/fabrikam.com/b2c_1_policy", "fabrikam.com"),
        ("https://sts.test/adfs", None),
    ],
)
def test_the_tenant_is_the_one_in_the_token_url(kind: str, authority: str | None, tenant: str | None) -> None:
    """An authority may name its own; the one in the options is not used then."""
    options = AppTokenOptions(tenant_id="contoso.com", client_id="c", authority=authority, client_secret="s")
    identity = create_credential(kind, options).get_identity()
    assert identity == Identity(tenant, "c", authority)
    assert str(identity.tenant_id or "adfs") in create_credential(kind, options).build_request("s", None).token_url


@pytest.mark.parametrize(
    ("kind", "options", "unused"),
    [
        ("client_secret", {}, []),
        ("client_secret", {"authority": "https://login.test/fabrikam.com"}, ["tenant_id"]),
        ("client_secret", {"authority": "https://sts.test/adfs"}, ["tenant_id"]),
        ("managed_identity", {"authority": "https://login.test"}, ["tenant_id", "authority"]),
        ("managed_identity", {"managed_identity_client_id": "m"}, ["tenant_id", "client_id"]),
    ],
)
def test_a_given_option_that_the_credential_does_not_use_is_listed(
    kind: str, options: dict[str, str], unused: list[str]
) -> None:
    origins = {name: f"option {name}" for name in ("tenant_id", "client_id", *options)}
    given = AppTokenOptions(tenant_id="t", client_id="c", origins=origins, **options)  # type: ignore[arg-type]  # all of them are texts
    assert create_credential(kind, given).list_unused() == unused


def test_an_authority_that_is_refused_anyway_does_not_hide_the_tenant() -> None:
    """The refusal itself may be told with the tenant."""
    options = AppTokenOptions(tenant_id="contoso.com", client_id="c", authority="http://foreign.test")
    assert create_credential("client_secret", options).get_identity().tenant_id == "contoso.com"


@pytest.mark.parametrize(
    ("claims", "identity"),
    [
        ({"tid": "t", "appid": "a"}, Identity("t", "a")),
        ({"tid": "t", "azp": "z"}, Identity("t", "z")),
        ({"tid": 5, "appid": ["a"]}, Identity()),
        ({}, Identity()),
    ],
)
def test_a_token_names_its_tenant_and_client(claims: dict[str, t.Any], identity: Identity) -> None:
    assert identify_token(token(**claims)) == identity


@pytest.mark.parametrize(
    ("origin", "chosen"),
    [
        ("option client_id", True),
        ("variable app_token_client_id", True),
        ("environment AZURE_CLIENT_ID", False),
        ("environment ENTRA_AUTH_CLIENT_ID", False),
        ("ansible.cfg [entra_auth] client_id", False),
        (None, False),
    ],
)
def test_an_option_is_chosen_by_the_call_or_a_variable(origin: str | None, chosen: bool) -> None:
    assert is_chosen(AppTokenOptions(origins={"client_id": origin} if origin else {}), "client_id") is chosen


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_creating_a_credential_touches_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is read and no sentence shown; the file that is named does not exist."""
    said: list[str] = []
    options = AppTokenOptions(
        client_certificate_path="/nowhere", federated_token_file="/nowhere", refresh_token_file="/nowhere"
    )
    credential = create_credential(kind, options, said.append)
    assert (said, credential.kind) == ([], kind)
    assert credential.__class__ is load_class(kind)


# --- claims and sources -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "capabilities", "sent"),
    [
        (None, [], None),
        ('{"a":1}', [], '{"a":1}'),
        (None, ["cp1"], '{"access_token":{"xms_cc":{"values":["cp1"]}}}'),
        (
            '{"access_token":{"nbf":{"essential":true,"value":"1"}},"id_token":{}}',
            ["cp1"],
            '{"access_token":{"nbf":{"essential":true,"value":"1"},"xms_cc":{"values":["cp1"]}},"id_token":{}}',
        ),
        ('{"access_token":5}', ["cp1"], '{"access_token":{"xms_cc":{"values":["cp1"]}}}'),
    ],
)
@pytest.mark.parametrize("kind", ["client_secret", "refresh_token", "device_code"])
def test_capabilities_are_added_to_the_claims(
    kind: str, claims: str | None, capabilities: list[str], sent: str | None
) -> None:
    options = AppTokenOptions(tenant_id="t", client_id="c", client_capabilities=capabilities)
    assert create_credential(kind, options).build_request("s", claims).claims == sent


def test_tokens_with_and_without_capabilities_are_told_apart() -> None:
    keys = {
        create_credential("client_secret", AppTokenOptions(tenant_id="t", client_id="c", client_capabilities=given))
        .build_request("s", None)
        .build_key()
        for given in ([], ["cp1"], ["cp2"])
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("origins", "chosen"),
    [
        ({}, "client_certificate"),
        ({"client_certificate": "variable x", "client_certificate_path": "option x"}, "client_certificate_path"),
        (
            {"client_certificate": "environment ARM_CLIENT_CERTIFICATE", "client_certificate_path": "variable x"},
            "client_certificate_path",
        ),
        (
            {"client_certificate": "environment A", "client_certificate_path": "environment ENTRA_AUTH_X"},
            "client_certificate_path",
        ),
        ({"client_certificate": "environment A", "client_certificate_path": "ansible.cfg [x] y"}, "client_certificate"),
        ({"client_certificate": "environment A", "client_certificate_path": "environment B"}, "client_certificate"),
    ],
)
def test_of_two_ways_the_stronger_source_is_chosen(origins: dict[str, str], chosen: str) -> None:
    options = AppTokenOptions(client_certificate="c", client_certificate_path="p", origins=origins)
    assert choose_option(options, "client_certificate", "client_certificate_path") == chosen
    assert choose_option(AppTokenOptions(), "client_certificate", "client_certificate_path") is None
