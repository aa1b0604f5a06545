# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The refresh token grant: whose token, which scopes, and the three ways of rotation."""

from __future__ import annotations

import typing as t

import jwt
import pytest

from entra_emulator import seed

if t.TYPE_CHECKING:
    import requests
    from conftest import Client

_SECRET = "made-up~secret-of-confidential"
_GRAPH = "https://graph.microsoft.com"


def redeem(client: Client, value: str, **fields: t.Any) -> requests.Response:
    """Redeem with the public app unless told otherwise."""
    form = {"client_id": seed.PUBLIC, "client_secret": None, "scope": None, "refresh_token": value, **fields}
    return client.ask(grant_type="refresh_token", **form)


def claims(answer: requests.Response) -> dict[str, t.Any]:
    """The claims of a success."""
    assert answer.status_code == 200, answer.text
    return jwt.decode(answer.json()["access_token"], options={"verify_signature": False})


def test_public_app_gets_a_users_token_and_a_successor(client: Client) -> None:
    old = client.emulator.add_refresh_token(seed.PUBLIC, user=7)
    answer = redeem(client, old, client_info="1")
    found = claims(answer)
    assert (found["upn"], found["idtyp"], found["appidacr"]) == ("user0007@contoso.example", "user", "0")
    assert (found["aud"], found["scp"]) == (_GRAPH, "User.Read User.Read.All")
    body = answer.json()
    assert body["scope"] == f"{_GRAPH}/User.Read {_GRAPH}/User.Read.All"
    assert body["refresh_token"] != old
    assert body["client_info"]
    identity = jwt.decode(body["id_token"], options={"verify_signature": False})
    assert (identity["aud"], identity["preferred_username"]) == (seed.PUBLIC, "user0007@contoso.example")
    assert client.get("/v1.0/me", body["id_token"]).status_code == 401
    assert claims(redeem(client, body["refresh_token"]))["upn"] == "user0007@contoso.example"


def test_confidential_app_must_prove_itself(client: Client) -> None:
    value = client.emulator.add_refresh_token(seed.CONFIDENTIAL)
    client.refused(redeem(client, value, client_id=seed.CONFIDENTIAL), 401, "invalid_client", 7000218)
    answer = redeem(client, value, client_id=seed.CONFIDENTIAL, client_secret=_SECRET)
    assert claims(answer)["appidacr"] == "1"


def test_refusals(client: Client) -> None:
    value = client.emulator.add_refresh_token(seed.PUBLIC)
    client.refused(redeem(client, value, client_secret="s"), 401, "invalid_client", 700025)
    client.refused(redeem(client, ""), 400, "invalid_request", 900144)
    client.refused(redeem(client, "garbage"), 400, "invalid_grant", 70000)
    client.refused(
        redeem(client, value, client_id=seed.CONFIDENTIAL, client_secret=_SECRET), 401, "invalid_client", 7000110
    )
    client.refused(redeem(client, value, scope="https://nothing.example/.default"), 400, "invalid_resource", 500011)
    client.refused(redeem(client, value, resource=_GRAPH), 400, "invalid_request", 901002)
    client.refused(redeem(client, value, scope="User.Read .default"), 400, "invalid_scope", 70011)
    client.emulator.add_app(tenant_id="fabrikam.example", client_id=seed.PUBLIC, public=True)
    client.refused(redeem(client, value, tenant="fabrikam.example"), 400, "invalid_grant", 90072)


@pytest.mark.parametrize(("more", "code"), [({"expires_in": -1}, 70008), ({"refused_with": 50173}, 50173)])
def test_ended_refresh_tokens(client: Client, more: dict[str, t.Any], code: int) -> None:
    value = client.emulator.add_refresh_token(seed.PUBLIC, **more)
    client.refused(redeem(client, value), 400, "invalid_grant", code)


@pytest.mark.parametrize(
    ("scope", "audience", "scp"),
    [
        ("User.Read", _GRAPH, "User.Read"),
        ("openid offline_access User.Read", _GRAPH, "User.Read"),
        (f"{_GRAPH}/.default", _GRAPH, "User.Read User.Read.All"),
        ("https://management.azure.com/.default", "https://management.azure.com", "user_impersonation"),
        (
            "https://management.core.windows.net//.default",
            "https://management.core.windows.net/",
            "user_impersonation",
        ),
        (
            f"https://management.azure.com/user_impersonation {_GRAPH}/User.Read",
            "https://management.azure.com",
            "user_impersonation",
        ),
    ],
)
def test_scopes(client: Client, scope: str, audience: str, scp: str) -> None:
    found = claims(redeem(client, client.emulator.add_refresh_token(seed.PUBLIC), scope=scope))
    assert (found["aud"], found["scp"]) == (audience, scp)


@pytest.mark.parametrize("scope", ["Mail.Read", "User.Read Mail.Read", "https://vault.azure.net/.default"])
def test_scopes_nobody_consented_to(client: Client, scope: str) -> None:
    answer = redeem(client, client.emulator.add_refresh_token(seed.PUBLIC), scope=scope)
    assert client.refused(answer, 400, "invalid_grant", 65001)["suberror"] == "consent_required"


def test_rotation_keeps_the_old_one_alive_as_entra_does(client: Client) -> None:
    old = client.emulator.add_refresh_token(seed.PUBLIC)
    assert len({redeem(client, old).json()["refresh_token"] for _dummy in range(3)}) == 3


def test_strict_rotation_ends_the_old_one(client: Client) -> None:
    client.emulator.configure(refresh_token_rotation="strict")
    old = client.emulator.add_refresh_token(seed.PUBLIC)
    new = redeem(client, old).json()["refresh_token"]
    assert client.refused(redeem(client, old), 400, "invalid_grant", 70000)["suberror"] == "bad_token"
    assert redeem(client, new).status_code == 200


def test_no_rotation_returns_no_refresh_token(client: Client) -> None:
    client.emulator.configure(refresh_token_rotation="none")
    old = client.emulator.add_refresh_token(seed.PUBLIC)
    assert "refresh_token" not in redeem(client, old).json()
    assert redeem(client, old).status_code == 200


def test_without_offline_access_there_is_no_successor(client: Client) -> None:
    value = client.emulator.add_refresh_token(seed.PUBLIC, scopes=[f"{_GRAPH}/User.Read"])
    assert not {"refresh_token", "id_token"} & set(redeem(client, value).json())


def test_legacy_endpoint(client: Client) -> None:
    value = client.emulator.add_refresh_token(seed.PUBLIC)
    answer = redeem(client, value, endpoint="oauth2/token", resource="https://management.azure.com/")
    assert claims(answer)["aud"] == answer.json()["resource"] == "https://management.azure.com/"
