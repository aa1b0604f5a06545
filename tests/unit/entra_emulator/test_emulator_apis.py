# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Graph and ARM: who is let in, what they list, and how they refuse."""

from __future__ import annotations

import base64
import json
import typing as t

import jwt
import pytest

from entra_emulator import resources, seed

if t.TYPE_CHECKING:
    import requests
    from conftest import Client

_VERSION = "api-version=2022-12-01"
_SUBSCRIPTION = seed.CONTOSO.subscriptions[0].id


def error(answer: requests.Response, status: int, code: str) -> dict[str, t.Any]:
    """The ``error`` member of an answer with that status and code."""
    body: dict[str, t.Any] = answer.json()["error"]
    assert (answer.status_code, body["code"]) == (status, code)
    return body


def follow(client: Client, path: str, token: str, link: str, headers: dict[str, str]) -> list[dict[str, t.Any]]:
    """All pages from ``path`` on."""
    pages = [client.get(path, token, headers).json()]
    while link in pages[-1]:
        pages.append(client.get(pages[-1][link], token, headers).json())
    return pages


class TestGraph:
    """Microsoft Graph."""

    def test_users_are_paged_by_an_absolute_link(self, client: Client) -> None:
        pages = follow(client, "/v1.0/users?$select=id,userPrincipalName", client.token(), "@odata.nextLink", {})
        assert [len(page["value"]) for page in pages] == [100, 100, 50]
        assert pages[0]["@odata.nextLink"].startswith(f"{client.emulator.urls.api}/v1.0/users?")
        names = [user["userPrincipalName"] for page in pages for user in page["value"]]
        assert (names[0], names[-1], len(set(names))) == ("user0001@contoso.example", "user0250@contoso.example", 250)
        assert set(pages[2]["value"][0]) == {"id", "userPrincipalName"}

    def test_count_needs_the_header_and_is_on_the_first_page_only(self, client: Client) -> None:
        token, path = client.token(), "/v1.0/users?$count=true&$top=200"
        eventual = {"ConsistencyLevel": "eventual"}
        pages = follow(client, path, token, "@odata.nextLink", eventual)
        assert [page.get("@odata.count") for page in pages] == [250, None]
        assert "@odata.count" not in client.get(path, token).json()
        error(client.get(pages[0]["@odata.nextLink"], token), 400, "Directory_ExpiredPageToken")
        assert client.get("/v1.0/users/$count", token, eventual).text == "250"
        error(client.get("/v1.0/users/$count", token), 400, "Request_BadRequest")

    @pytest.mark.parametrize("top", ["0", "1000", "-1", "ten"])
    def test_bad_top(self, client: Client, top: str) -> None:
        assert client.get(f"/v1.0/users?$top={top}", client.token()).status_code == 400

    def test_link_rebuilt_with_another_query_is_refused(self, client: Client) -> None:
        token = client.token()
        link = client.get("/v1.0/users?$top=10&$select=id", token).json()["@odata.nextLink"]
        error(client.get(link.replace("&$select=id", ""), token), 400, "Directory_ExpiredPageToken")
        error(client.get("/v1.0/users?$skiptoken=%C3%A4", token), 400, "Directory_ExpiredPageToken")

    @pytest.mark.parametrize(
        ("asked", "count"),
        [
            ("userPrincipalName eq 'user0003@contoso.example'", 1),
            ("startswith(userPrincipalName,'user001')", 10),
            ("accountEnabled eq false", 25),
            ("displayName eq 'O''Nobody'", 0),
        ],
    )
    def test_filter(self, client: Client, asked: str, count: int) -> None:
        assert len(client.get(f"/v1.0/users?$filter={asked}", client.token()).json()["value"]) == count

    def test_unknown_filter_is_refused(self, client: Client) -> None:
        error(client.get("/v1.0/users?$filter=id ne null", client.token()), 400, "Request_UnsupportedQuery")

    def test_one_user(self, client: Client) -> None:
        token = client.token()
        user = client.get("/beta/users/user0005@contoso.example", token).json()
        assert client.get(f"/v1.0/users/{user['id']}", token).json()["displayName"] == "User 0005"
        for absent in ("user0251@contoso.example", "user0005@fabrikam.example", "nobody"):
            error(client.get(f"/v1.0/users/{absent}", token), 404, "Request_ResourceNotFound")

    def test_me_is_for_users(self, client: Client) -> None:
        message = "/me request is only valid with delegated authentication flow."
        assert error(client.get("/v1.0/me", client.token()), 400, "Request_BadRequest")["message"] == message
        value = client.emulator.add_refresh_token(seed.PUBLIC, user=9)
        fields = {"client_id": seed.PUBLIC, "client_secret": None, "refresh_token": value}
        token = client.token(grant_type="refresh_token", **fields)
        assert client.get("/v1.0/me", token).json()["userPrincipalName"] == "user0009@contoso.example"

    def test_other_listings(self, client: Client) -> None:
        token = client.token()
        assert client.get("/v1.0/organization", token).json()["value"][0]["id"] == seed.CONTOSO.id
        assert len(client.get("/v1.0/groups", token).json()["value"]) == 12
        mine = client.get(f"/v1.0/applications?$filter=appId eq '{seed.READER}'", token).json()["value"]
        assert mine[0]["passwordCredentials"][0]["endDateTime"].endswith("Z")

    def test_missing_role(self, client: Client) -> None:
        token = client.token(client_id=seed.NO_ROLES, client_secret="made-up~secret-of-no-roles")
        answer = client.get("/v1.0/users", token, {"client-request-id": "mine"})
        inner = error(answer, 403, "Authorization_RequestDenied")["innerError"]
        assert inner["client-request-id"] == answer.headers["client-request-id"] == "mine"
        assert inner["request-id"] == answer.headers["request-id"]

    def test_tokens_it_does_not_take(self, client: Client) -> None:
        good = client.token()
        forged = jwt.encode({**jwt.decode(good, options={"verify_signature": False}), "roles": []}, "x" * 32)
        for bad in (None, "", "garbage", "a.b.c", forged, good[:-4] + "AAAA", client.token(scope=client.ARM)):
            answer = client.get("/v1.0/users", bad)
            error(answer, 401, "InvalidAuthenticationToken")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")

    @pytest.mark.parametrize("uri", [*resources.GRAPH.uris, resources.GRAPH.app_id, "https://graph.microsoft.com/"])
    def test_audience_of_any_cloud(self, client: Client, uri: str) -> None:
        assert client.get("/v1.0/organization", client.token(scope=f"{uri}/.default")).status_code == 200

    def test_unknown_path(self, client: Client) -> None:
        error(client.get("/v1.0/nothing/here", client.token()), 404, "Request_ResourceNotFound")
        error(client.get("/v1.0/nothing/here"), 401, "InvalidAuthenticationToken")


class TestArm:
    """Azure Resource Manager."""

    def test_subscriptions_with_a_role_assignment(self, client: Client) -> None:
        answer = client.get(f"/subscriptions?{_VERSION}", client.token(scope=client.ARM))
        assert [one["displayName"] for one in answer.json()["value"]] == ["contoso-production", "contoso-test"]
        assert answer.headers["x-ms-ratelimit-remaining-tenant-reads"] == "249"
        assert answer.headers["x-ms-request-id"]
        assert answer.headers["x-ms-correlation-request-id"]

    def test_paging(self, client: Client) -> None:
        client.emulator.configure(page_size=1)
        pages = follow(client, f"/subscriptions?{_VERSION}", client.token(scope=client.ARM), "nextLink", {})
        assert [len(page["value"]) for page in pages] == [1, 1]
        error(
            client.get(f"/subscriptions?{_VERSION}&$skiptoken=x", client.token(scope=client.ARM)),
            400,
            "InvalidSkipToken",
        )

    def test_a_user_sees_the_tenants_subscriptions(self, client: Client) -> None:
        value = client.emulator.add_refresh_token(seed.PUBLIC)
        fields = {"client_id": seed.PUBLIC, "client_secret": None, "refresh_token": value, "scope": client.ARM}
        token = client.token(grant_type="refresh_token", **fields)
        headers = {"x-ms-client-request-id": "mine", "x-ms-return-client-request-id": "true"}
        answer = client.get(f"/subscriptions?{_VERSION}", token, headers)
        assert len(answer.json()["value"]) == len(seed.CONTOSO.subscriptions)
        assert answer.headers["x-ms-client-request-id"] == "mine"

    def test_no_role_assignment_is_an_empty_list(self, client: Client) -> None:
        token = client.token(client_id=seed.NO_ROLES, client_secret="made-up~secret-of-no-roles", scope=client.ARM)
        assert client.get(f"/subscriptions?{_VERSION}", token).json() == {"value": []}

    def test_resource_groups(self, client: Client) -> None:
        token = client.token(scope=client.ARM)
        answer = client.get(f"/subscriptions/{_SUBSCRIPTION}/resourcegroups?{_VERSION}", token)
        assert [group["name"] for group in answer.json()["value"]] == ["web", "data", "network"]
        assert answer.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
        one = client.get(f"/subscriptions/{_SUBSCRIPTION}?{_VERSION}", token).json()
        assert one["displayName"] == "contoso-production"

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("/subscriptions", 400, "MissingApiVersionParameter"),
            ("/subscriptions?api-version=latest", 400, "InvalidApiVersionParameter"),
            (f"/subscriptions/{seed.CONTOSO.subscriptions[2].id}?{_VERSION}", 403, "AuthorizationFailed"),
            (f"/subscriptions/{seed.FABRIKAM.subscriptions[0].id}?{_VERSION}", 401, "InvalidAuthenticationTokenTenant"),
            (f"/subscriptions/{seed.READER}?{_VERSION}", 404, "SubscriptionNotFound"),
            (f"/subscriptions/{_SUBSCRIPTION}/nothing?{_VERSION}", 404, "NotFound"),
            (f"/providers?{_VERSION}", 404, "NotFound"),
        ],
    )
    def test_refusals(self, client: Client, path: str, status: int, code: str) -> None:
        error(client.get(path, client.token(scope=client.ARM)), status, code)

    def test_tokens_it_does_not_take(self, client: Client) -> None:
        path = f"/subscriptions?{_VERSION}"
        answer = client.get(path)
        error(answer, 401, "AuthenticationFailed")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
        error(client.get(path, "garbage"), 401, "InvalidAuthenticationToken")
        wrong = error(client.get(path, client.token(scope=client.GRAPH)), 401, "InvalidAuthenticationTokenAudience")
        assert "'https://graph.microsoft.com'" in wrong["message"]
        assert "'https://management.core.windows.net/'" in wrong["message"]

    @pytest.mark.parametrize("uri", [uri + slash for uri in resources.ARM.uris for slash in ("", "/")])
    def test_audience_of_any_cloud(self, client: Client, uri: str) -> None:
        token = client.token(scope=f"{uri}/.default")
        assert client.get(f"/subscriptions?{_VERSION}", token).status_code == 200


def test_expiry_by_the_services_clock(client: Client) -> None:
    graph, arm = client.token(), client.token(scope=client.ARM)
    client.emulator.configure(clock_offset=3500)
    assert client.get("/v1.0/users", graph).status_code == 200
    client.emulator.configure(clock_offset=3600)
    expired = error(client.get("/v1.0/users", graph), 401, "InvalidAuthenticationToken")
    assert expired["message"] == "Lifetime validation failed, the token is expired."
    error(client.get(f"/subscriptions?{_VERSION}", arm), 401, "ExpiredAuthenticationToken")


def test_revocation_with_and_without_a_claims_challenge(client: Client) -> None:
    token = client.token()
    client.emulator.revoke(seed.READER)
    plain = client.get("/v1.0/users", token)
    error(plain, 401, "InvalidAuthenticationToken")
    assert "claims=" not in plain.headers["WWW-Authenticate"]
    client.emulator.revoke(seed.READER, challenge=True)
    challenge = client.get("/v1.0/users", token).headers["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in challenge
    claims = json.loads(base64.b64decode(challenge.partition('claims="')[2].rstrip('"')))
    assert claims["access_token"]["nbf"]["essential"] is True
    assert client.get("/v1.0/users", client.token(claims=json.dumps(claims))).status_code == 200
    assert client.emulator.token_requests()[-1]["requested_claims"] == claims


@pytest.mark.parametrize(
    ("claims", "scope", "lifetime"),
    [
        (None, "https://graph.microsoft.com/.default", 3599),
        ('{"access_token":{"xms_cc":{"values":["cp1"]}}}', "https://graph.microsoft.com/.default", 86399),
        ('{"access_token":{"xms_cc":{"values":["CP1"]}}}', "https://graph.microsoft.com/.default", 86399),
        ('{"access_token":{"xms_cc":{"values":["cp1"]}}}', "https://management.azure.com/.default", 3599),
        ('{"access_token":{"xms_cc":{"values":"cp1"}}}', "https://graph.microsoft.com/.default", 3599),
    ],
)
def test_graph_s_tokens_live_long_if_the_client_can_answer_a_challenge(
    client: Client, claims: str | None, scope: str, lifetime: int
) -> None:
    assert client.ask(claims=claims, scope=scope).json()["expires_in"] == lifetime


@pytest.mark.parametrize(
    "requested", [None, "{}", '{"access_token": null}', '{"access_token": {"nbf": {"value": "1"}}}']
)
def test_a_token_that_does_not_answer_the_challenge_is_challenged_too(client: Client, requested: str | None) -> None:
    client.emulator.revoke(seed.READER, challenge=True)
    challenge = client.get("/v1.0/users", client.token(claims=requested)).headers["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in challenge


@pytest.mark.parametrize("claims", ["{", "[]", "1"])
def test_claims_that_are_none(client: Client, claims: str) -> None:
    client.refused(client.ask(claims=claims), 400, "invalid_request", 9002313)


def test_opaque_tokens_work_like_any(client: Client) -> None:
    client.emulator.configure(opaque_tokens=True)
    token = client.token()
    assert token.count(".") == 1
    assert client.get("/v1.0/users", token).status_code == 200
    error(client.get(f"/subscriptions?{_VERSION}", token), 401, "InvalidAuthenticationTokenAudience")
    client.emulator.reset()
    error(client.get("/v1.0/users", token), 401, "InvalidAuthenticationToken")
