# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing in on another device: the request for a code, the polls, and how it ends."""

from __future__ import annotations

import typing as t

import jwt
import pytest

from entra_emulator import seed
from entra_emulator.client import EmulatorError

if t.TYPE_CHECKING:
    import requests
    from conftest import Client

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SCOPE = "https://graph.microsoft.com/.default offline_access openid"


def begin(client: Client, scope: str | None = _SCOPE, **fields: t.Any) -> requests.Response:
    """Ask for a code with the public app."""
    form = {"grant_type": None, "client_secret": None, "client_id": seed.PUBLIC, "scope": scope, **fields}
    return client.ask(endpoint="oauth2/v2.0/devicecode", **form)


def poll(client: Client, device_code: str | None, **fields: t.Any) -> requests.Response:
    """Ask for the token."""
    form = {"client_secret": None, "client_id": seed.PUBLIC, "scope": None, "device_code": device_code, **fields}
    return client.ask(grant_type=_GRANT, **form)


@pytest.fixture
def started(client: Client) -> dict[str, t.Any]:
    """A code that may be polled as fast as one likes."""
    client.emulator.configure(device_code_interval=0)
    return t.cast("dict[str, t.Any]", begin(client).json())


def test_the_code_and_where_to_enter_it(client: Client) -> None:
    client.emulator.configure(device_code_expires_in=300)
    body = begin(client).json()
    assert set(body) == {"user_code", "device_code", "verification_uri", "expires_in", "interval", "message"}
    assert (body["expires_in"], body["interval"]) == (300, 5)
    assert body["user_code"] in body["message"]
    assert body["verification_uri"] in body["message"]
    assert [one["user_code"] for one in client.emulator.device_codes()] == [body["user_code"]]


def test_pending_then_approved_then_used_up(client: Client, started: dict[str, t.Any]) -> None:
    client.refused(poll(client, started["device_code"]), 400, "authorization_pending", 70016)
    client.emulator.decide_device_code(started["user_code"], "approve", user=7)
    body = poll(client, started["device_code"]).json()
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (claims["upn"], claims["scp"]) == ("user0007@contoso.example", "User.Read User.Read.All")
    assert body["id_token"]
    client.refused(poll(client, started["device_code"]), 400, "invalid_grant", 54005)
    again = client.ask(
        grant_type="refresh_token", client_id=seed.PUBLIC, client_secret=None, refresh_token=body["refresh_token"]
    )
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("scope", "audience", "scp"),
    [
        ("User.Read", "https://graph.microsoft.com", "User.Read"),
        ("https://management.azure.com//.default", "https://management.azure.com/", "user_impersonation"),
    ],
)
def test_without_offline_access_there_is_no_refresh_token(client: Client, scope: str, audience: str, scp: str) -> None:
    client.emulator.configure(device_code_interval=0, device_code_approve_after=0)
    body = poll(client, begin(client, scope).json()["device_code"]).json()
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["scp"]) == (audience, scp)
    assert not {"refresh_token", "id_token"} & set(body)


def test_approved_after_some_polls(client: Client, started: dict[str, t.Any]) -> None:
    client.emulator.configure(device_code_approve_after=2)
    assert [poll(client, started["device_code"]).status_code for _dummy in range(3)] == [400, 400, 200]


def test_too_fast(client: Client) -> None:
    code = begin(client).json()["device_code"]
    client.refused(poll(client, code), 400, "authorization_pending", 70016)
    client.refused(poll(client, code), 400, "slow_down", 70016)
    client.emulator.configure(clock_offset=5)
    client.refused(poll(client, code), 400, "authorization_pending", 70016)


def test_the_other_ends(client: Client, started: dict[str, t.Any]) -> None:
    code, user_code = started["device_code"], started["user_code"]
    client.emulator.decide_device_code(user_code, "decline")
    client.refused(poll(client, code), 400, "authorization_declined", 65004)
    client.emulator.decide_device_code(user_code.lower(), "expire")
    client.refused(poll(client, code), 400, "expired_token", 70020)
    client.refused(poll(client, "another"), 400, "bad_verification_code", 70018)
    client.refused(poll(client, None), 400, "invalid_request", 900144)
    late = begin(client).json()["device_code"]
    client.emulator.configure(clock_offset=901)
    client.refused(poll(client, late), 400, "expired_token", 70020)
    with pytest.raises(EmulatorError, match="no code"):
        client.emulator.decide_device_code(user_code, "nod")


def test_who_may_not(client: Client) -> None:
    client.refused(begin(client, client_id=None), 400, "invalid_request", 900144)
    client.refused(begin(client, None), 400, "invalid_request", 900144)
    client.refused(begin(client, "https://nothing.example/.default"), 400, "invalid_resource", 500011)
    client.refused(begin(client, client_id=seed.DISABLED), 400, "unauthorized_client", 7000112)
    client.refused(begin(client, tenant="nowhere.example"), 400, "invalid_request", 90002)
    code = begin(client, client_id=seed.CONFIDENTIAL).json()["device_code"]
    client.refused(poll(client, code, client_id=seed.CONFIDENTIAL), 401, "invalid_client", 7000218)
    client.refused(poll(client, code), 400, "bad_verification_code", 70018)
