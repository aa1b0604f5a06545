# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong between a client and an API: refusals, tokens that end early, links that lead astray, strangers."""

from __future__ import annotations

import base64
import email.utils
import json
import time
import typing as t
from urllib.parse import urlsplit

import pytest
import requests

from entra_emulator import seed

if t.TYPE_CHECKING:
    from conftest import Client

_USERS = "/v1.0/users?$top=50&$select=id"
_SUBSCRIPTIONS = "/subscriptions?api-version=2022-12-01"


def walk(client: Client, token: str, most: int = 20) -> list[requests.Response]:
    """The pages of the users' listing, up to the first that is refused or leaves the API."""
    pages = [client.get(_USERS, token)]
    while len(pages) < most and pages[-1].status_code == 200 and "@odata.nextLink" in pages[-1].json():
        pages.append(client.get(pages[-1].json()["@odata.nextLink"], token))
    return pages


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (_USERS, 401, "InvalidAuthenticationToken"),
        (_USERS, 403, "Authorization_RequestDenied"),
        (_USERS, 429, "TooManyRequests"),
        (_USERS, 503, "ServiceUnavailable"),
        (_SUBSCRIPTIONS, 401, "ExpiredAuthenticationToken"),
        (_SUBSCRIPTIONS, 403, "AuthorizationFailed"),
        (_SUBSCRIPTIONS, 504, "GatewayTimeout"),
    ],
)
def test_a_refusal_looks_like_the_apis_own(client: Client, path: str, status: int, code: str) -> None:
    client.emulator.fault("status", endpoint="api", status=status, times=2)
    client.emulator.fault("status", endpoint="api", status=status, error_code="Own", message="Own words.")
    answer = client.send("GET", path, headers={"client-request-id": "mine"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    if path == _USERS:
        inner = answer.json()["error"]["innerError"]
        assert inner["request-id"] == answer.headers["request-id"]
        assert inner["client-request-id"] == answer.headers["client-request-id"] == "mine"
    else:
        assert answer.headers["x-ms-request-id"]
    client.get(path)
    own = client.get(path).json()["error"]
    assert (own["code"], own["message"]) == ("Own", "Own words.")


def test_waits_in_seconds_as_a_date_or_not_at_all(client: Client) -> None:
    token = client.token()
    for options in ({"retry_after": 70}, {"retry_after": 70, "retry_after_as": "date"}, {}):
        client.emulator.fault("status", endpoint="/v1.0/users", status=429, **options)
    seconds, date, none, healthy = (client.get(_USERS, token) for _dummy in range(4))
    assert seconds.headers["Retry-After"] == "70"
    moment = email.utils.parsedate_to_datetime(date.headers["Retry-After"]).timestamp()
    assert 60 < moment - time.time() <= 71
    assert ("Retry-After" in none.headers, none.status_code, healthy.status_code) == (False, 429, 200)


def test_a_page_of_html_is_no_refusal_of_the_api(client: Client) -> None:
    client.emulator.fault("status", endpoint="graph", body="<html>busy</html>", content_type="text/html")
    answer = client.get(_USERS, client.token())
    assert (answer.status_code, answer.text, "request-id" in answer.headers) == (503, "<html>busy</html>", False)


def test_a_token_that_ends_at_page_3(client: Client) -> None:
    client.emulator.fault("expire_token", endpoint="/v1.0/users", after=2)
    pages = walk(client, client.token())
    assert [page.status_code for page in pages] == [200, 200, 401]
    assert pages[-1].json()["error"]["message"] == "Lifetime validation failed, the token is expired."
    assert len(walk(client, client.token())) == 5


@pytest.mark.parametrize("opaque", [False, True])
def test_tokens_that_are_void_at_page_2(client: Client, opaque: bool) -> None:
    client.emulator.configure(opaque_tokens=opaque)
    client.emulator.fault("revoke_token", endpoint="/v1.0/users", after=1)
    pages = walk(client, client.token())
    assert [page.status_code for page in pages] == [200, 401]
    assert "claims=" not in pages[-1].headers["WWW-Authenticate"]
    assert client.get(_USERS, client.token()).status_code == 200


@pytest.mark.parametrize(("path", "scope"), [(_USERS, "GRAPH"), (_SUBSCRIPTIONS, "ARM")])
def test_a_challenge_is_answered_by_a_token_with_its_claims(client: Client, path: str, scope: str) -> None:
    client.emulator.fault("revoke_token", endpoint="api", challenge=True)
    asked = {"scope": getattr(client, scope)}
    challenge = client.get(path, client.token(**asked)).headers["WWW-Authenticate"]
    login = client.emulator.urls.login
    before, _dummy, encoded = challenge.partition('claims="')
    assert before == (
        f'Bearer realm="", authorization_uri="{login}/common/oauth2/authorize", error="insufficient_claims", '
    )
    claims = base64.b64decode(encoded.removesuffix('"')).decode()
    assert json.loads(claims)["access_token"]["nbf"]["essential"] is True
    assert client.get(path, client.token(**asked)).status_code == 401
    assert client.get(path, client.token(**asked, claims=claims)).status_code == 200


def test_tokens_end_at_the_apis_before_their_exp(client: Client) -> None:
    token = client.token()
    client.emulator.configure(token_server_lifetime=60)
    assert client.get(_USERS, token).status_code == 200
    client.emulator.configure(token_server_lifetime=0)
    assert client.get(_USERS, token).status_code == 401


def test_links_that_lead_astray(client: Client) -> None:
    urls, token = client.emulator.urls, client.token()
    healthy = urlsplit(client.get(_USERS, token).json()["@odata.nextLink"])
    path = f"{healthy.path}?{healthy.query}"
    wanted = {
        "foreign": urls.foreign + path,
        "foreign_http": urls.foreign_http + path,
        "http": urls.api.replace("https:", "http:") + path,
        "loop": urls.api + _USERS,
        "relative": path,
        "https://example.com/next": "https://example.com/next",
    }
    for target, link in wanted.items():
        client.emulator.fault("next_link", endpoint="/v1.0/users", to=target)
        assert client.get(_USERS, token).json()["@odata.nextLink"] == link, target
    client.emulator.fault("next_link", endpoint="arm", to="foreign")
    arm = client.get(_SUBSCRIPTIONS, client.token(scope=client.ARM)).json()
    assert arm["nextLink"] == urls.foreign + _SUBSCRIPTIONS
    client.emulator.fault("next_link", endpoint="graph")
    assert client.get(_USERS).status_code == 401


def test_empty_pages_come_before_the_one_asked_for(client: Client) -> None:
    client.emulator.fault("empty_page", endpoint="/v1.0/users", after=1, times=100)
    pages = walk(client, client.token(), most=200)
    assert [len(page.json()["value"]) for page in pages] == [50, *[0] * 100, *[50] * 4]
    ids = [user["id"] for page in pages for user in page.json()["value"]]
    assert len(set(ids)) == 250
    assert len({page.url for page in pages}) == 105


def test_a_reset_in_the_middle_of_page_4(client: Client) -> None:
    client.emulator.fault("reset_mid_body", endpoint="/v1.0/users", after=3)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        walk(client, client.token())
    assert len(client.emulator.requests(path="/v1.0/users")) == 4


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_a_stranger(client: Client, status: int) -> None:
    for stranger in (client.emulator.urls.foreign, client.emulator.urls.foreign_http):
        client.emulator.fault("redirect", endpoint="graph", status=status, location=f"{stranger}/there")
        answer = client.send("GET", _USERS, client.token())
        assert (answer.status_code, answer.headers["Location"]) == (status, f"{stranger}/there")
        assert client.session.get(answer.headers["Location"], timeout=60).json()["foreign"] is True
    assert client.emulator.tokens_at_strangers() == []
    client.session.get(answer.headers["Location"], headers={"Authorization": "Bearer made-up"}, timeout=60)
    assert [entry["listener"] for entry in client.emulator.tokens_at_strangers()] == ["foreign_http"]


def test_strangers_are_other_hosts_under_the_same_ca(client: Client) -> None:
    urls = client.emulator.urls
    hosts = {name: urlsplit(getattr(urls, name)).hostname for name in ("login", "api", "foreign", "storage")}
    assert hosts == {"login": "localhost", "api": "localhost", "foreign": "127.0.0.1", "storage": "127.0.0.1"}
    assert client.get(f"{urls.foreign}/").status_code == 200


def test_a_token_in_the_clear_is_noticed(client: Client) -> None:
    url = client.emulator.urls.api.replace("https:", "http:") + _USERS
    assert client.session.get(url, timeout=60).status_code == 400
    assert client.emulator.tokens_at_strangers() == []
    client.session.get(url, headers={"Authorization": "Bearer made-up"}, timeout=60)
    assert [(entry["listener"], entry["plain"]) for entry in client.emulator.tokens_at_strangers()] == [("api", True)]


def test_the_log_tells_tokens_and_connections_apart(client: Client) -> None:
    first, second = client.token(), client.token()
    for token in (first, second, first):
        client.get(_USERS, token)
    client.session.close()
    client.get(_USERS, client.token(client_id=seed.OPERATOR, client_secret="made-up~secret-of-operator"))
    entries = client.emulator.requests(listener="api")
    tokens = [entry["token"] for entry in entries]
    assert tokens[0] == tokens[2]
    assert len(set(tokens)) == 3
    assert len({entry["connection"] for entry in entries}) == 2
    assert all(entry["ended"] >= entry["time"] for entry in entries[:2])  # those that were followed by another
    assert client.emulator.token_requests()[0]["token"] == ""
