# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Federated credentials: other issuers' assertions, managed identities' tokens, and the CI systems that mint."""

from __future__ import annotations

import typing as t

import jwt
import pytest

from entra_emulator import ci, seed
from entra_emulator.client import EmulatorError

if t.TYPE_CHECKING:
    import requests
    from conftest import Client

_AUDIENCE = "api://AzureADTokenExchange"
_SUBJECT = "system:serviceaccount:ops:Deployer"
_ISSUER = "https://issuer.example/ops"
_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def issuer(client: Client) -> str:
    """An issuer the emulator has the key of."""
    return client.emulator.add_issuer(_ISSUER)


def app(client: Client, **more: t.Any) -> str:
    """An app that trusts the subject, or what ``more`` says."""
    trust = {"issuer": _ISSUER, "subject": _SUBJECT, "audience": _AUDIENCE, **more}
    return str(client.emulator.add_app(federated=[trust])["client_id"])


def present(client: Client, app: str, assertion: str, **fields: t.Any) -> requests.Response:
    """A token request with that assertion in place of the secret."""
    proof = {"client_secret": None, "client_assertion": assertion, "client_assertion_type": _TYPE}
    return client.ask(**{"client_id": app, **proof, **fields})


def test_a_trusted_assertion_is_taken_and_logged(client: Client, issuer: str) -> None:
    assertion = client.emulator.mint_assertion(issuer, _SUBJECT, _AUDIENCE, claims={"environment": "prod"})
    answer = present(client, app(client), assertion)
    assert answer.status_code == 200, answer.text
    logged = client.emulator.token_requests()[-1]["assertion"]
    assert (logged["claims"]["sub"], logged["claims"]["environment"]) == (_SUBJECT, "prod")
    assert logged["header"]["alg"] == "RS256"
    token = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert token["appidacr"] == "2"


@pytest.mark.parametrize(
    ("minted", "code", "quoted"),
    [
        ({"issuer": f"{_ISSUER}/", "audience": "x", "subject": "x"}, 700211, f"'{_ISSUER}/'"),
        ({"audience": f"{_AUDIENCE}USGov", "subject": "x"}, 700212, f"'{_AUDIENCE}USGov'"),
        ({"subject": "another", "forged": True}, 700213, "'another'"),
        ({"subject": _SUBJECT.lower()}, 7002138, f"'{_SUBJECT.lower()}'"),
        ({"forged": True, "lifetime": -10}, 5000811, ""),
        ({"lifetime": -10}, 700024, ""),
        ({"claims": {"nbf": 9999999999}}, 700024, ""),
    ],
)
def test_refusals_in_order(client: Client, issuer: str, minted: dict[str, t.Any], code: int, quoted: str) -> None:
    named = {"issuer": issuer, "subject": _SUBJECT, "audience": _AUDIENCE, **minted}
    answer = present(client, app(client), client.emulator.mint_assertion(**named))
    assert quoted in client.refused(answer, 401, "invalid_client", code)["error_description"]
    assert (client.emulator.token_requests()[-1]["assertion"] is None) == (code != 700024)


def test_a_replaced_key_is_not_known_any_more(client: Client, issuer: str) -> None:
    assertion = client.emulator.mint_assertion(issuer, _SUBJECT, _AUDIENCE)
    client.emulator.add_issuer(issuer)
    client.refused(present(client, app(client), assertion), 401, "invalid_client", 5000811)


def test_a_new_credential_spreads(client: Client, issuer: str) -> None:
    assertion = client.emulator.mint_assertion(issuer, _SUBJECT, _AUDIENCE, lifetime=600)
    by_requests = app(client, spread_requests=2)
    for _dummy in range(2):
        client.refused(present(client, by_requests, assertion), 401, "invalid_client", 70021)
    assert present(client, by_requests, assertion).status_code == 200
    by_seconds = app(client, spread_seconds=100)
    client.refused(present(client, by_seconds, assertion), 401, "invalid_client", 70021)
    client.emulator.configure(clock_offset=101)
    assert present(client, by_seconds, assertion).status_code == 200


def identity_token(client: Client, resource: str = _AUDIENCE) -> str:
    """The token of the user-assigned identity."""
    query = {"api-version": "2018-02-01", "resource": resource, "client_id": seed.USER_IDENTITY}
    url = f"{client.emulator.urls.platform}/metadata/identity/oauth2/token"
    answer = client.session.get(url, params=query, headers={"Metadata": "true"}, timeout=60)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def trusting_the_identity(client: Client, **more: t.Any) -> str:
    """An app that trusts the user-assigned identity."""
    issuer = f"{client.emulator.urls.login}/{client.emulator.tenant_id}/v2.0"
    object_id = seed.USER_IDENTITY.replace("aaaaaaaa", "bbbbbbbb")
    return app(client, issuer=issuer, subject=object_id, **more)


def test_managed_identity_as_assertion(client: Client) -> None:
    client.emulator.configure(opaque_tokens=True)
    trusting = trusting_the_identity(client)
    assert present(client, trusting, identity_token(client)).status_code == 200
    logged = client.emulator.token_requests()[-1]["assertion"]["claims"]
    assert (logged["aud"], logged["ver"], logged["iss"].endswith("/v2.0")) == (_AUDIENCE, "1.0", True)
    client.refused(present(client, app(client), identity_token(client)), 401, "invalid_client", 700211)
    other = trusting_the_identity(client, audience=f"{_AUDIENCE}China")
    client.refused(present(client, other, identity_token(client)), 401, "invalid_client", 7002121)


def test_other_tokens_of_entra_are_no_assertions(client: Client) -> None:
    trusting = trusting_the_identity(client)
    of_an_app = client.token(scope=f"{_AUDIENCE}/.default")
    client.refused(present(client, trusting, of_an_app), 401, "invalid_client", 700222)
    client.refused(present(client, trusting, client.token()), 401, "invalid_client", 700222)
    for_graph = identity_token(client, "https://graph.microsoft.com")
    client.refused(present(client, trusting, for_graph), 401, "invalid_client", 700227)
    refresh_token = client.emulator.add_refresh_token(seed.PUBLIC)
    form = {"client_id": seed.PUBLIC, "client_secret": None, "refresh_token": refresh_token}
    of_a_user = client.token(grant_type="refresh_token", **form)
    client.refused(present(client, trusting, of_a_user), 401, "invalid_client", 700229)
    header, claims, _signature = identity_token(client).split(".")
    client.refused(present(client, trusting, f"{header}.{claims}.AAAA"), 401, "invalid_client", 5000811)


def test_github_actions(client: Client) -> None:
    variables = client.emulator.ci_environment("github_actions")
    url = f"{variables['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={_AUDIENCE}"
    bearer = {"Authorization": f"Bearer {variables['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    body = client.session.get(url, headers=bearer, timeout=60).json()
    subject = client.emulator.control("GET", "/settings")["github_actions_subject"]
    trusting = app(client, issuer=ci.GITHUB_ISSUER, subject=subject)
    assert present(client, trusting, body["value"]).status_code == 200
    minted = client.emulator.requests(listener="platform")[-1]["assertion"]["claims"]
    assert (minted["aud"], minted["exp"] - minted["iat"]) == (_AUDIENCE, 300)
    client.emulator.configure(clock_offset=301)
    client.refused(present(client, trusting, body["value"]), 401, "invalid_client", 700024)
    assert client.session.get(url, headers={"Authorization": "Bearer x"}, timeout=60).status_code == 401


def test_azure_pipelines(client: Client) -> None:
    variables = client.emulator.ci_environment("azure_pipelines")
    connection = variables["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"]
    query = {"api-version": "7.1", "serviceConnectionId": connection}

    def post(token: str, **headers: str) -> requests.Response:
        named = {"Authorization": f"Bearer {token}", **headers}
        url = variables["SYSTEM_OIDCREQUESTURI"]
        return client.session.post(url, params=query, headers=named, timeout=60, allow_redirects=False)

    client.emulator.configure(azure_pipelines_subject="sc://contoso/other/arm")
    assertion = post(variables["SYSTEM_ACCESSTOKEN"]).json()["oidcToken"]
    trusting = app(client, issuer=ci.PIPELINES_ISSUER, subject="sc://contoso/other/arm")
    assert present(client, trusting, assertion).status_code == 200
    assert (post("x").status_code, post("x").headers["Location"][:8]) == (302, "https://")
    assert post("x", **{"X-TFS-FedAuthRedirect": "Suppress"}).status_code == 401
    query.clear()
    assert post(variables["SYSTEM_ACCESSTOKEN"]).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/assertions", {"issuer": "https://x"}, "has an issuer, a subject and an audience"),
        ("/apps", {"federated": ["x"]}, "must be a list of objects"),
        ("/apps", {"federated": [{"iss": "x"}]}, "unknown field"),
        ("/apps", {"certificates": ["x"]}, "not a certificate in PEM"),
        ("/issuers", {"url": "x"}, "unknown field"),
    ],
)
def test_wrong_control_requests(client: Client, path: str, body: dict[str, t.Any], text: str) -> None:
    with pytest.raises(EmulatorError, match=text):
        client.emulator.control("POST", path, body)
