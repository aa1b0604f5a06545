# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control endpoint: log, settings, apps, tenants, reset."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from entra_emulator import seed
from entra_emulator.client import EmulatorError

if t.TYPE_CHECKING:
    from conftest import Client

    from entra_emulator.client import Emulator


def test_log_of_a_token_request_keeps_case_and_duplicates(client: Client) -> None:
    client.ask(scope=["one", "two"], empty="", headers={"X-MixedCase": "Yes"})
    (entry,) = client.emulator.token_requests()
    assert ["X-MixedCase", "Yes"] in entry["headers"]
    assert [pair for pair in entry["form"] if pair[0] == "scope"] == [["scope", "one"], ["scope", "two"]]
    assert ["client_secret", seed.AWKWARD_SECRET] in entry["form"]
    assert (entry["listener"], entry["method"], entry["status"]) == ("login", "POST", 400)


def test_log_of_an_api_request_has_the_verified_claims(client: Client) -> None:
    client.get("/v1.0/users?$top=1", client.token())
    client.get("/v1.0/users", "a.b.c")
    good, bad = client.emulator.requests(path="/v1.0")
    assert (good["claims"]["appid"], good["query"]) == (seed.READER, "$top=1")
    assert bad["claims"] is None


def test_log_of_the_stranger(client: Client) -> None:
    answer = client.session.put(f"{client.emulator.urls.foreign}/a/b?c=d", data="body", timeout=60)
    assert answer.json() == {"foreign": True, "method": "PUT", "path": "/a/b", "value": []}
    (entry,) = client.emulator.requests(listener="foreign", method="put")
    assert (entry["path"], entry["query"], entry["body"]) == ("/a/b", "c=d", "body")


def test_all_that_was_issued_is_known(client: Client) -> None:
    token, refresh_token = client.token(), client.emulator.add_refresh_token(seed.READER)
    assert client.emulator.issued() == {"token": [token], "refresh_token": [refresh_token], "device_code": []}
    client.emulator.reset()
    assert client.emulator.issued() == {"token": [], "refresh_token": [], "device_code": []}


def test_log_can_be_emptied(client: Client) -> None:
    client.ask()
    client.emulator.forget_requests()
    assert client.emulator.requests() == []


def test_chunked_request_bodies_are_read(client: Client) -> None:
    url = f"{client.emulator.urls.foreign}/upload"
    client.session.post(url, data=iter([b"one", b"two"]), timeout=60)
    client.session.get(url, timeout=60)
    assert [entry["body"] for entry in client.emulator.requests(path="/upload")] == ["onetwo", ""]


@pytest.mark.parametrize(
    ("form", "expected"), [("int", 3599), ("string", "3599"), ("float", 3599.0), ("missing", None)]
)
def test_forms_of_expires_in(client: Client, form: str, expected: object) -> None:
    client.emulator.configure(expires_in=form)
    found = client.ask().json().get("expires_in")
    assert (found, type(found)) == (expected, type(expected))


def test_lifetimes(client: Client) -> None:
    client.emulator.configure(token_lifetime=4, refresh_in=2)
    body = client.ask().json()
    assert (body["expires_in"], body["refresh_in"]) == (4, 2)
    client.emulator.configure(token_lifetime=0.5, expires_in="float", refresh_in=None)
    body = client.ask().json()
    assert body["expires_in"] == 0.5
    assert "refresh_in" not in body


def test_clock_offset_shows_in_headers_and_errors(client: Client) -> None:
    client.emulator.configure(clock_offset=-400 * 86400)
    answer = client.ask(client_secret="wrong")
    year = answer.json()["timestamp"][:4]
    assert year in answer.headers["Date"]


@pytest.mark.parametrize(
    "settings", [{"no_such": 1}, {"users": -1}, {"users": True}, {"expires_in": "date"}, {"opaque_tokens": 1}]
)
def test_wrong_settings_are_refused(emulator: Emulator, settings: dict[str, t.Any]) -> None:
    before = emulator.control("GET", "/settings")
    with pytest.raises(EmulatorError, match=next(iter(settings))):
        emulator.configure(**settings)
    assert emulator.control("GET", "/settings") == before


def test_apps_of_ones_own(client: Client) -> None:
    secrets = [{"value": "old", "expires_in": -5}, {"value": "next", "expires_in": 60}, "for ever"]
    roles = {"https://graph.microsoft.com": ["User.Read.All"]}
    app = client.emulator.add_app(secret=secrets, roles=roles, subscriptions=[seed.CONTOSO.subscriptions[2].id])
    mine = {"client_id": app["client_id"]}
    assert client.ask(**mine, client_secret="old").json()["error_codes"] == [7000222]
    assert client.get("/v1.0/users", client.token(**mine, client_secret="next")).status_code == 200
    token = client.token(**mine, client_secret="for ever", scope=client.ARM)
    listed = client.get("/subscriptions?api-version=2022-12-01", token).json()["value"]
    assert [one["displayName"] for one in listed] == ["contoso-locked"]


def test_tenants_of_ones_own(client: Client) -> None:
    tenant = client.emulator.add_tenant(domain="adatum.example", subscriptions=["d0000000-0000-4000-8000-000000000001"])
    app = client.emulator.add_app(tenant_id=tenant["id"], secret="s", subscriptions=[tenant["subscriptions"][0]["id"]])
    fields = {"tenant": "adatum.example", "client_id": app["client_id"], "client_secret": "s", "scope": client.ARM}
    listed = client.get("/subscriptions?api-version=2022-12-01", client.token(**fields)).json()["value"]
    assert [one["tenantId"] for one in listed] == [tenant["id"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/apps", {"tenant_id": "nowhere.example"}),
        ("/apps", {"secrets": "typing slip"}),
        ("/apps", {"secret": 5}),
        ("/apps", {"public": "yes"}),
        ("/apps", ["not an object"]),
        ("/tenants", {"domain": 5}),
        ("/tenants", {"subscriptions": [1]}),
        ("/refresh_tokens", {"client_id": "unknown"}),
        ("/revocations", {"client": "typing slip"}),
    ],
)
def test_slips_are_refused(emulator: Emulator, path: str, body: object) -> None:
    with pytest.raises(EmulatorError, match=f"POST {path}: "):
        emulator.control("POST", path, body)


def test_reset_returns_to_the_seed(client: Client) -> None:
    client.emulator.configure(users=1)
    client.emulator.fault("drop", times=None)
    app = client.emulator.add_app(secret="s")
    value = client.emulator.add_refresh_token(seed.PUBLIC)
    client.emulator.reset()
    assert client.emulator.requests() == []
    assert client.emulator.control("GET", "/faults") == []
    assert client.ask(client_id=app["client_id"]).json()["error_codes"] == [700016]
    gone = client.ask(grant_type="refresh_token", client_id=seed.PUBLIC, client_secret=None, refresh_token=value)
    assert gone.json()["error_codes"] == [70000]
    assert len(client.get("/v1.0/users?$top=999", client.token()).json()["value"]) == 250


def test_many_clients_at_once(client: Client) -> None:
    def one(_number: int) -> str:
        with requests.Session() as session:
            session.trust_env = False
            form = {
                "grant_type": "client_credentials",
                "client_id": seed.READER,
                "client_secret": seed.AWKWARD_SECRET,
                "scope": client.ARM,
            }
            url = f"{client.emulator.urls.login}/contoso.example/oauth2/v2.0/token"
            answer = session.post(url, data=form, verify=client.emulator.ca, timeout=60)
            return str(answer.json()["access_token"])

    with ThreadPoolExecutor(40) as pool:
        tokens = set(pool.map(one, range(80)))
    assert len(tokens) == len(client.emulator.token_requests()) == 80


def test_latency_holds_up_every_answer(client: Client) -> None:
    client.emulator.configure(latency=0.2)
    before = time.monotonic()
    client.ask()
    client.session.get(client.emulator.urls.foreign, timeout=60)
    assert time.monotonic() - before >= 0.4
