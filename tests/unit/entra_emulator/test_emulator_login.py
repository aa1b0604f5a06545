# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token endpoint: what it accepts, and each refusal in the order it is checked."""

from __future__ import annotations

import base64
import re
import typing as t
import uuid
from urllib.parse import quote_plus

import jwt
import pytest

from entra_emulator import resources, seed

if t.TYPE_CHECKING:
    from conftest import Client

_UNKNOWN_GUID = "99999999-0000-4000-8000-000000000000"
_API = f"api://{seed.CONFIDENTIAL}"


def test_success_has_the_documented_members_and_headers(client: Client) -> None:
    answer = client.ask(client_info="1", unknown_field="ignored")
    body = answer.json()
    assert set(body) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert (body["token_type"], body["expires_in"], body["ext_expires_in"]) == ("Bearer", 3599, 3599)
    assert answer.headers["Cache-Control"] == "no-store, no-cache"
    assert answer.headers["Pragma"] == "no-cache"
    assert uuid.UUID(answer.headers["x-ms-request-id"])
    assert "client-request-id" not in answer.headers


def test_token_is_signed_and_has_the_claims_of_an_app(client: Client) -> None:
    token = client.token()
    keys = client.session.get(f"{client.emulator.urls.login}/contoso.example/discovery/v2.0/keys", timeout=60).json()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, ["RS256"], audience="https://graph.microsoft.com")
    assert claims["iss"] == f"https://sts.windows.net/{seed.CONTOSO.id}/"
    assert (claims["tid"], claims["appid"], claims["appidacr"]) == (seed.CONTOSO.id, seed.READER, "1")
    assert claims["oid"] == claims["sub"] != seed.READER
    assert (claims["idtyp"], claims["ver"]) == ("app", "1.0")
    assert "User.Read.All" in claims["roles"]
    assert claims["exp"] - claims["iat"] in (3599, 3600)
    assert jwt.decode(client.token(), options={"verify_signature": False})["uti"] != claims["uti"]


def test_app_without_roles_gets_a_token_without_the_claim(client: Client) -> None:
    token = client.token(client_id=seed.NO_ROLES, client_secret="made-up~secret-of-no-roles")
    assert "roles" not in jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("tenant", [seed.CONTOSO.id, seed.CONTOSO.id.upper(), "contoso.example", "Contoso.Example"])
def test_tenant_by_id_or_domain(client: Client, tenant: str) -> None:
    assert client.ask(tenant=tenant).status_code == 200


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        ("https://management.azure.com/.default", "https://management.azure.com"),
        ("https://management.azure.com//.default", "https://management.azure.com/"),
        ("https://management.core.windows.net//.default", "https://management.core.windows.net/"),
        (f"{resources.GRAPH.app_id}/.default", resources.GRAPH.app_id),
        ("499b84ac-1321-427f-aa17-267ca6975798/.default", "499b84ac-1321-427f-aa17-267ca6975798"),
        ("https://contoso-admin.sharepoint.com/.default", "https://contoso-admin.sharepoint.com"),
        (f"{_API}/.default", _API),
    ],
)
def test_audience_is_what_is_left_of_the_scope(client: Client, scope: str, audience: str) -> None:
    assert jwt.decode(client.token(scope=scope), options={"verify_signature": False})["aud"] == audience


@pytest.mark.parametrize("uri", [uri for resource in resources.RESOURCES for uri in resource.uris])
def test_every_api_of_every_cloud_is_known(client: Client, uri: str) -> None:
    assert client.ask(scope=f"{uri}/.default").status_code == 200


def test_basic_authentication(client: Client) -> None:
    pair = f"{quote_plus(seed.READER)}:{quote_plus(seed.AWKWARD_SECRET)}"
    header = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    assert client.ask(client_id=None, client_secret=None, headers=header).status_code == 200
    assert client.ask(client_secret=None, headers=header).status_code == 200
    garbage = {"Authorization": "Basic %%%"}
    client.refused(client.ask(client_id=None, client_secret=None, headers=garbage), 400, "invalid_request", 9002313)


@pytest.mark.parametrize(
    ("tenant", "status", "error", "code"),
    [
        ("common", 400, "invalid_request", 9001023),
        ("consumers", 400, "invalid_request", 9001023),
        ("organizations", 400, "invalid_request", 50059),
        ("not a tenant", 400, "invalid_request", 900023),
        ("nodots", 400, "invalid_request", 900023),
        ("nowhere.example", 400, "invalid_request", 90002),
        (_UNKNOWN_GUID, 400, "invalid_request", 90002),
    ],
)
def test_tenant_refusals(client: Client, tenant: str, status: int, error: str, code: int) -> None:
    client.refused(client.ask(tenant=tenant, grant_type=None), status, error, code)


@pytest.mark.parametrize(
    ("fields", "status", "error", "code"),
    [
        ({"grant_type": None}, 400, "invalid_request", 900144),
        ({"grant_type": ""}, 400, "invalid_request", 900144),
        ({"grant_type": ["client_credentials", "client_credentials"]}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"client_id": None}, 400, "invalid_request", 900144),
        ({"client_id": None, "client_secret": None, "client_assertion": "x"}, 401, "invalid_client", 7000110),
        ({"client_id": _UNKNOWN_GUID}, 400, "unauthorized_client", 700016),
        ({"client_id": seed.FABRIKAM_READER}, 400, "unauthorized_client", 700016),
        ({"client_id": seed.DISABLED}, 400, "unauthorized_client", 7000112),
        ({"client_id": seed.NO_SERVICE_PRINCIPAL}, 401, "invalid_client", 7000229),
        ({"client_secret": None}, 401, "invalid_client", 7000218),
        ({"client_secret": ""}, 401, "invalid_client", 7000218),
        ({"client_secret": seed.AWKWARD_SECRET + "\n"}, 401, "invalid_client", 7000215),
        (
            {"client_id": seed.EXPIRED, "client_secret": "made-up~secret-of-expired"},
            401,
            "invalid_client",
            7000222,
        ),
        ({"client_id": seed.EXPIRED, "client_secret": "another"}, 401, "invalid_client", 7000215),
        ({"client_id": seed.PUBLIC}, 401, "invalid_client", 700025),
        ({"client_id": seed.PUBLIC, "client_secret": None}, 401, "invalid_client", 7000218),
        ({"scope": None}, 400, "invalid_request", 900144),
        ({"scope": "https://graph.microsoft.com/User.Read"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://graph.microsoft.com"}, 400, "invalid_scope", 1002012),
        ({"scope": "/.default"}, 400, "invalid_scope", 1002012),
        ({"scope": "openid"}, 400, "invalid_scope", 1002012),
        ({"scope": "  "}, 400, "invalid_scope", 1002012),
        (
            {"scope": "https://graph.microsoft.com/.default https://management.azure.com/.default"},
            400,
            "invalid_scope",
            700022,
        ),
        ({"resource": "https://graph.microsoft.com"}, 400, "invalid_request", 901002),
        ({"scope": "https://nothing.example/.default"}, 400, "invalid_resource", 500011),
        ({"scope": "https://graph.microsoft.com///.default"}, 400, "invalid_resource", 500011),
        ({"scope": "HTTPS://GRAPH.MICROSOFT.COM/.default"}, 400, "invalid_resource", 500011),
    ],
)
def test_refusals(client: Client, fields: dict[str, t.Any], status: int, error: str, code: int) -> None:
    client.refused(client.ask(**fields), status, error, code)


def test_wrong_secret_is_told_the_value_not_the_id(client: Client) -> None:
    body = client.refused(client.ask(client_secret="wrong"), 401, "invalid_client", 7000215)
    assert "client secret value, not the client secret ID" in body["error_description"]
    assert "wrong" not in body["error_description"].replace("wrong tenant", "")


def test_only_post(client: Client) -> None:
    url = f"{client.emulator.urls.login}/contoso.example/oauth2/v2.0/token"
    answer = client.session.get(url, timeout=60)
    assert "Received a GET request." in client.refused(answer, 405, "invalid_request", 900561)["error_description"]


def test_json_body_is_not_read(client: Client) -> None:
    url = f"{client.emulator.urls.login}/contoso.example/oauth2/v2.0/token"
    answer = client.session.post(url, json={"grant_type": "client_credentials"}, timeout=60)
    client.refused(answer, 400, "invalid_request", 900144)


def test_policy_refusals(client: Client) -> None:
    app = client.emulator.add_app(secret="s", blocked=True)
    client.refused(client.ask(client_id=app["client_id"], client_secret="s"), 400, "interaction_required", 53003)
    api = client.emulator.add_app(assignment_required=True, identifier_uris=["https://api.contoso.example"])
    scope = "https://api.contoso.example/.default"
    client.refused(client.ask(scope=scope), 400, "invalid_grant", 501051)
    caller = client.emulator.add_app(secret="s", roles={api["client_id"]: ["Things.Read"]})
    token = client.token(client_id=caller["client_id"], client_secret="s", scope=scope)
    assert jwt.decode(token, options={"verify_signature": False})["roles"] == ["Things.Read"]


def test_error_body_and_ids(client: Client) -> None:
    mine = str(uuid.uuid4())
    headers = {"client-request-id": mine, "return-client-request-id": "true"}
    answer = client.ask(client_secret="wrong", headers=headers)
    body = client.refused(answer, 401, "invalid_client", 7000215)
    assert body["correlation_id"] == answer.headers["client-request-id"] == mine
    assert body["trace_id"] == answer.headers["x-ms-request-id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", body["timestamp"])
    assert body["error_uri"].endswith("/error?code=7000215")
    tail = f" Trace ID: {body['trace_id']} Correlation ID: {mine} Timestamp: {body['timestamp']}"
    assert body["error_description"].endswith(tail)


def test_a_request_id_that_is_no_guid_is_not_echoed(client: Client) -> None:
    body = client.ask(client_secret="wrong", headers={"client-request-id": "mine"}).json()
    assert uuid.UUID(body["correlation_id"])


def test_old_error_separators(client: Client) -> None:
    client.emulator.configure(error_separator="crlf")
    body = client.ask(client_secret="wrong").json()
    assert f"\r\nTrace ID: {body['trace_id']}\r\nCorrelation ID: " in body["error_description"]


def test_legacy_endpoint_answers_with_strings(client: Client) -> None:
    resource = "https://management.core.windows.net/"
    body = client.ask(endpoint="oauth2/token", scope=None, resource=resource).json()
    assert (body["expires_in"], body["ext_expires_in"], body["resource"]) == ("3599", "3599", resource)
    assert int(body["expires_on"]) - int(body["not_before"]) == pytest.approx(3599, abs=1)
    assert jwt.decode(body["access_token"], options={"verify_signature": False})["aud"] == resource
    client.refused(client.ask(endpoint="oauth2/token"), 400, "invalid_request", 900144)


def test_openid_metadata_names_only_the_emulator(client: Client) -> None:
    base = client.emulator.urls.login
    metadata = client.session.get(f"{base}/contoso.example/v2.0/.well-known/openid-configuration", timeout=60).json()
    assert metadata["token_endpoint"] == f"{base}/contoso.example/oauth2/v2.0/token"
    assert metadata["issuer"] == f"{base}/{seed.CONTOSO.id}/v2.0"
    assert client.session.get(metadata["jwks_uri"], timeout=60).json()["keys"]
    common = client.session.get(f"{base}/common/v2.0/.well-known/openid-configuration", timeout=60).json()
    assert common["issuer"] == f"{base}/{{tenantid}}/v2.0"
    unknown = client.session.get(f"{base}/nowhere.example/v2.0/.well-known/openid-configuration", timeout=60)
    client.refused(unknown, 400, "invalid_request", 90002)


def test_instance_discovery(client: Client) -> None:
    base = client.emulator.urls.login
    url = f"{base}/common/discovery/instance?api-version=1.1&authorization_endpoint="
    own = client.session.get(f"{url}{base}/contoso.example/oauth2/v2.0/authorize", timeout=60).json()
    assert own["tenant_discovery_endpoint"] == f"{base}/contoso.example/v2.0/.well-known/openid-configuration"
    stranger = client.session.get(f"{url}https://login.example/common/oauth2/v2.0/authorize", timeout=60)
    client.refused(stranger, 400, "invalid_instance", 50049)
