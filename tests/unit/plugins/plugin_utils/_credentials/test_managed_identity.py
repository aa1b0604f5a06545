# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A managed identity is selected by the options that name one, and only the identity of the token is reported."""

from __future__ import annotations

import typing as t

import pytest
from canned_server import CannedServer, json_answer
from jwts import build_jwt

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, TokenRequestRefused
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.module_utils._managed_identity import Selector
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Identity, TokenRequest
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.managed_identity import (
    ManagedIdentity,
    get_resource,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions


def token(**claims: t.Any) -> Token:
    return Token(build_jwt(**claims), 0, 3600)


def given(origin: str, **options: str) -> ManagedIdentity:
    """Create the credential; ``client_id`` comes from ``origin``."""
    return ManagedIdentity(AppTokenOptions(client_id="app", origins={"client_id": origin}, **options))  # type: ignore[arg-type]  # all of them are texts


@pytest.mark.parametrize(
    ("credential", "selector"),
    [
        (given("option client_id"), Selector("app")),
        (given("variable app_token_client_id"), Selector("app")),
        (given("environment AZURE_CLIENT_ID"), Selector()),
        (given("environment ENTRA_AUTH_CLIENT_ID"), Selector()),
        (given("ansible.cfg [entra_auth] client_id"), Selector()),
        (given("option client_id", managed_identity_client_id="m"), Selector("m")),
        (given("option client_id", managed_identity_object_id="o"), Selector(None, "o")),
        (given("option client_id", managed_identity_resource_id="r"), Selector(None, None, "r")),
    ],
)
def test_client_id_selects_the_identity_if_the_call_chose_it(credential: ManagedIdentity, selector: Selector) -> None:
    """The environment's client may be that of another app; the options of their own are more exact."""
    assert credential.get_selector() == selector
    assert credential.get_identity() == Identity(client_id=selector.client_id)


def test_the_request_names_the_selected_identity_and_no_tenant() -> None:
    requests = [
        ManagedIdentity(AppTokenOptions(tenant_id="t", authority="https://a.test")).build_request("s", None),
        given("option client_id").build_request("s", None),
        ManagedIdentity(AppTokenOptions(managed_identity_object_id="app")).build_request("s", None),
        ManagedIdentity(AppTokenOptions(managed_identity_resource_id="app")).build_request("s", None),
    ]
    assert len({request.build_key() for request in requests}) == len(requests)
    assert given("option client_id").build_request("s", None) == requests[1]
    assert requests[0] == ManagedIdentity(AppTokenOptions()).build_request("s", None)


def test_capabilities_that_the_call_chose_are_refused() -> None:
    """The platforms take none; those of the environment are meant for other credentials."""
    chosen = AppTokenOptions(client_capabilities=["cp1"], origins={"client_capabilities": "option client_capabilities"})
    with pytest.raises(InputError, match="can't declare client_capabilities"):
        ManagedIdentity(chosen).build_request("s", None)
    other = AppTokenOptions(client_capabilities=["cp1"], origins={"client_capabilities": "environment X"})
    assert ManagedIdentity(other).build_request("s", None) == ManagedIdentity(AppTokenOptions()).build_request(
        "s", None
    )


@pytest.mark.parametrize(
    ("issued", "identity"),
    [
        (token(appid="of-the-token", tid="its-tenant"), Identity("its-tenant", "of-the-token")),
        (Token("opaque", 0, 3600), Identity(None, "app")),
    ],
)
def test_the_token_says_whose_it_is(issued: Token, identity: Identity) -> None:
    assert given("option client_id", tenant_id="other", authority="https://a.test").get_identity(issued) == identity


def test_an_error_code_of_entra_that_the_platform_quotes_chooses_the_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"error_description": "AADSTS500011: The resource principal named x was not found."}
    with CannedServer(json_answer(400, body)) as platform:
        monkeypatch.setenv("MSI_ENDPOINT", platform.url)
        monkeypatch.setenv("MSI_SECRET", "s")
        credential = ManagedIdentity(AppTokenOptions())
        with pytest.raises(TokenRequestRefused) as refused:
            credential.request_token(credential.build_request("x/.default", None), NetworkSettings(30, 0))
    assert refused.value.response.error_codes == (500011,)
    assert "scope" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("scope", "resource"),
    [("a//.default", "a/"), ("a/.default", "a"), ("a", "a"), ("a/.default/.default", "a/.default")],
)
def test_the_resource_is_the_scope_without_its_suffix(scope: str, resource: str) -> None:
    assert get_resource(TokenRequest("u", "c", scope, None)) == resource


@pytest.mark.parametrize("name", ["managed_identity_client_id", "managed_identity_object_id"])
def test_two_identities_in_one_call_are_refused_before_any_request(name: str) -> None:
    given = {"client_id": "one", name: "other"}
    direct = {option: f"option {option}" for option in given}
    with pytest.raises(InputError, match=f"client_id and {name} name two different identities"):
        ManagedIdentity(AppTokenOptions(**given, origins=direct)).build_request("s", None)
    # The client of an app that a variable of all tasks holds is another matter.
    for origins in ({**direct, "client_id": "variable app_token_client_id"}, {}):
        assert ManagedIdentity(AppTokenOptions(**given, origins=origins)).build_request("s", None)
    same = AppTokenOptions(client_id="one", managed_identity_client_id="one", origins=direct)
    assert ManagedIdentity(same).build_request("s", None)
