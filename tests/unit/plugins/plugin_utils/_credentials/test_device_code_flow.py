# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A person is told what to do, waited for at the server's pace, and not longer than the code lives."""

from __future__ import annotations

import typing as t
import urllib.parse

import pytest
from canned_server import CannedServer, json_answer, token_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError, TokenRequestRefused
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import create_credential
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

if t.TYPE_CHECKING:
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

STARTED = {
    "device_code": "the-device-code",
    "user_code": "ABCD-EFGH",
    "verification_uri": "https://microsoft.com/devicelogin",
    "expires_in": 900,
    "interval": 5,
    "message": "not used",
}
PENDING = json_answer(400, {"error": "authorization_pending", "error_codes": [70016]})


class Waits(t.Protocol):
    """The clock of conftest.py."""

    slept: list[float]


def sign_in(
    *answers: bytes, scope: str = "User.Read", claims: str | None = None, retry_for: float = 10
) -> tuple[Token, CannedServer, list[str]]:
    told: list[str] = []
    with CannedServer(*answers) as server:
        options = AppTokenOptions(tenant_id="contoso.com", client_id="the-client", authority=server.url)
        credential = create_credential("device_code", options, told.append)
        token = credential.request_token(credential.build_request(scope, claims), NetworkSettings(30, retry_for))
    return token, server, told


def form_of(server: CannedServer, index: int) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(server.received[index].body, strict_parsing=True))


def started(**changes: t.Any) -> bytes:
    return json_answer(200, {name: value for name, value in {**STARTED, **changes}.items() if value is not None})


def test_a_person_is_told_the_address_and_the_code_and_the_token_comes(clock: Waits) -> None:
    token, server, told = sign_in(started(), PENDING, token_answer(refresh_token="r"))
    assert (token.access_token, token.refresh_token) == ("canned-token", "r")
    assert told == ["entra.auth: to sign in, open https://microsoft.com/devicelogin and enter the code ABCD-EFGH"]
    assert [request.target for request in server.received] == [
        "/contoso.com/oauth2/v2.0/devicecode",
        "/contoso.com/oauth2/v2.0/token",
        "/contoso.com/oauth2/v2.0/token",
    ]
    assert form_of(server, 0) == {"client_id": "the-client", "scope": "User.Read offline_access"}
    assert form_of(server, 1) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": "the-client",
        "device_code": "the-device-code",
    }
    assert clock.slept == [5]


def test_a_refresh_token_is_asked_for_once(clock: Waits) -> None:
    _dummy, server, _dummy = sign_in(started(), token_answer(), scope="User.Read offline_access")
    assert form_of(server, 0)["scope"] == "User.Read offline_access"


def test_claims_are_sent_with_the_code(clock: Waits) -> None:
    _dummy, server, _dummy = sign_in(started(), PENDING, token_answer(), claims='{"access_token":{}}')
    assert [form_of(server, index).get("claims") for index in range(3)] == [None, *['{"access_token":{}}'] * 2]


@pytest.mark.parametrize(
    ("interval", "slept"), [(7, [7, 7]), ("7", [7, 7]), (None, [5, 5]), (0, [1, 1]), ("soon", [5, 5]), ([], [5, 5])]
)
def test_the_server_s_interval_is_kept(interval: t.Any, slept: list[float], clock: Waits) -> None:
    sign_in(started(interval=interval), PENDING, PENDING, token_answer())
    assert clock.slept == slept


def test_the_server_may_ask_to_slow_down(clock: Waits) -> None:
    sign_in(started(), json_answer(400, {"error": "slow_down"}), PENDING, token_answer())
    assert clock.slept == [10, 10]


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (60, 60),
        ("60", 60),
        (None, 900),
        ("soon", 900),
        (float("inf"), 900),
        (float("nan"), 900),
        (10**400, 900),
        (1e9, 3600),
    ],
)
def test_nobody_is_waited_for_longer_than_the_code_lives(expires_in: t.Any, seconds: float, clock: Waits) -> None:
    with pytest.raises(TokenRequestRefused, match="authorization_pending"):
        sign_in(started(expires_in=expires_in), PENDING, retry_for=10000)
    assert seconds - 10 <= sum(clock.slept) <= seconds


def test_the_time_that_is_left_is_told_once_a_minute(clock: Waits) -> None:
    _dummy, _dummy, told = sign_in(started(expires_in=300), *[PENDING] * 30, token_answer())
    assert [line for line in told if "left" in line] == [
        f"entra.auth: waiting for the sign-in, {minutes} min left" for minutes in (4, 3)
    ]


@pytest.mark.parametrize("error", ["authorization_declined", "expired_token", "bad_verification_code", "access_denied"])
def test_a_no_is_a_no(error: str, clock: Waits) -> None:
    with pytest.raises(TokenRequestRefused, match=error):
        sign_in(started(), json_answer(400, {"error": error}))
    assert clock.slept == []


@pytest.mark.parametrize("missing", ["device_code", "user_code", "verification_uri"])
def test_an_answer_without_a_code_is_an_error(missing: str) -> None:
    with pytest.raises(NetworkError, match="has no code") as failed:
        sign_in(started(**{missing: None}))
    assert failed.value.hint


def test_the_older_name_of_the_address_is_understood(clock: Waits) -> None:
    _dummy, _dummy, told = sign_in(
        started(verification_uri=None, verification_url="https://aka.ms/devicelogin"), token_answer()
    )
    assert "open https://aka.ms/devicelogin and" in told[0]


def test_nothing_a_terminal_would_obey_is_shown(clock: Waits) -> None:
    _dummy, _dummy, told = sign_in(
        started(user_code="A\x1b[31m\nB", verification_uri="https://x\r\ny" + "z" * 999), token_answer()
    )
    assert told[0].isprintable()
    assert "A [31m B" in told[0]
    assert len(told[0]) < 500


def test_a_refused_start_is_told(clock: Waits) -> None:
    with pytest.raises(TokenRequestRefused, match="unauthorized_client"):
        sign_in(json_answer(400, {"error": "unauthorized_client", "error_codes": [700016]}))
