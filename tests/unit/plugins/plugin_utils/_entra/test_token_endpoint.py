# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each answer a token endpoint may give becomes a token, or an error with what was said and what to do."""

from __future__ import annotations

import contextlib
import dataclasses
import html
import itertools
import json
import typing as t
import urllib.parse
import uuid
from unittest import mock

import pytest
from canned_server import CannedServer, answer, hang_up, json_answer, token_answer
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    NetworkError,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Response, Transport
from ansible_collections.entra.auth.plugins.plugin_utils._entra import token_endpoint
from ansible_collections.entra.auth.plugins.plugin_utils._entra.token_endpoint import PollPolicy, TokenEndpoint

if t.TYPE_CHECKING:
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

FORM = {"grant_type": "client_credentials", "client_secret": "hunter2"}
DAY = 86400

REFUSAL = {
    "error": "invalid_client",
    "error_description": "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the value."
    "\r\nTrace ID: t-1\r\nCorrelation ID: c-1\r\nTimestamp: 2026-01-02 03:04:05Z",
    "error_codes": [7000215],
    "timestamp": "2026-01-02 03:04:05Z",
    "trace_id": "t-1",
    "correlation_id": "c-1",
    "error_uri": "https://login.test/error?code=7000215",
}


class Waits(t.Protocol):
    """The clock of conftest.py."""

    slept: list[float]

    def time(self) -> float:
        """Seconds."""


def network(**settings: t.Any) -> NetworkSettings:
    return NetworkSettings(**{"timeout": 30.0, "retry_for": 60.0, **settings})


def ask(*answers: t.Any, policy: PollPolicy | None = None, **settings: t.Any) -> tuple[Token, CannedServer]:
    with CannedServer(*answers) as server:
        token = TokenEndpoint(f"{server.url}/t/oauth2/v2.0/token", network(**settings)).request_token(
            lambda: FORM, policy
        )
    return token, server


def refusal(*answers: t.Any, **settings: t.Any) -> TokenRequestRefused:
    with pytest.raises(TokenRequestRefused) as refused:
        ask(*answers, **settings)
    assert "hunter2" not in str(refused.value)
    return refused.value


def failure(*answers: t.Any, **settings: t.Any) -> NetworkError:
    with pytest.raises(NetworkError) as failed:
        ask(*answers, **settings)
    assert failed.value.hint
    assert "hunter2" not in str(failed.value)
    return failed.value


# --- tokens -----------------------------------------------------------------------------------------------------


def test_a_request_is_one_post_with_an_id_of_its_own() -> None:
    token, server = ask(token_answer())
    (request,) = server.received
    assert (request.method, request.target) == ("POST", "/t/oauth2/v2.0/token")
    assert dict(urllib.parse.parse_qsl(request.body, strict_parsing=True)) == FORM
    assert request.headers["accept"] == "application/json"
    assert request.headers["return-client-request-id"] == "true"
    assert str(uuid.UUID(request.headers["client-request-id"])) == request.headers["client-request-id"]
    assert token.access_token == "canned-token"


def test_no_two_requests_have_the_same_id() -> None:
    ids = [ask(token_answer())[1].received[0].headers["client-request-id"] for _dummy in range(2)]
    assert ids[0] != ids[1]


@pytest.mark.parametrize(
    ("fields", "lifetime"),
    [
        ({"expires_in": 3599}, 3599),
        ({"expires_in": "3599"}, 3599),
        ({"expires_in": 3599.5}, 3599.5),
        ({"expires_in": " 3599 "}, 3599),
        ({"expires_in": 5}, 5),
        ({"expires_in": 10**9}, 400 * DAY),
        ({"expires_in": 1e300}, 400 * DAY),
        ({"expires_in": None}, 600),
        ({"expires_in": "soon"}, 600),
        ({"expires_in": True}, 600),
        ({"expires_in": [1]}, 600),
        ({"expires_in": "inf"}, 600),
        ({"expires_in": "nan"}, 600),
        ({"expires_in": 10**400}, 600),
        ({"expires_in": None, "expires_on": "soon"}, 600),
        ({"expires_in": None, "expires_on": {}}, 600),
        ({"expires_in": None, "expires_on": "13/45/2026 99:00:00 +00:00"}, 600),
        ({"expires_in": 3600, "expires_on": "5"}, 3600),
        ({"ext_expires_in": 99999}, 3600),
    ],
)
def test_a_lifetime_is_read_in_each_form_it_is_sent_in(fields: dict[str, t.Any], lifetime: float) -> None:
    token, _dummy = ask(token_answer(**fields))
    assert token.expires_on - token.issued_on == pytest.approx(lifetime)


@pytest.mark.parametrize("form", [int, str, float])
def test_an_end_stands_in_for_a_missing_lifetime(form: t.Callable[[float], t.Any], clock: Waits) -> None:
    end = int(clock.time()) + 1234
    token, _dummy = ask(token_answer(expires_in=None, expires_on=form(end)))
    assert token.expires_on == pytest.approx(end)


@pytest.mark.parametrize(
    ("date", "epoch"),
    [
        ("11/23/2036 18:00:00 +00:00", 2111076000),
        ("11/23/2036 06:00:00 PM +00:00", 2111076000),
        ("11/23/2036 19:00:00 +01:00", 2111076000),
    ],
)
def test_an_end_may_be_a_date(date: str, epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    token, _dummy = ask(token_answer(expires_in=None, expires_on=date))
    assert token.expires_on == pytest.approx(min(epoch, token.issued_on + 400 * DAY))


@pytest.mark.parametrize(
    "date", ["01/01/0001 00:00:00 +14:00", "12/31/9999 23:59:59 -14:00", "02/30/2036 00:00:00 +00:00"]
)
def test_an_end_that_is_no_date_does_not_break_the_answer(date: str) -> None:
    # An end in the past fails readably, and what can't be read is as if it were not there.
    with contextlib.suppress(NetworkError):
        token, _dummy = ask(token_answer(expires_in=None, expires_on=date))
        assert token.expires_on > token.issued_on


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_in": 0},
        {"expires_in": "0"},
        {"expires_in": -5},
        {"expires_in": None, "expires_on": 1},
        {"expires_in": None, "expires_on": "01/01/2001 00:00:00 +00:00"},
    ],
)
def test_a_token_that_has_already_expired_is_an_error(fields: dict[str, t.Any]) -> None:
    error = failure(token_answer(**fields))
    assert "already expired" in error.message
    assert "clock" in str(error.hint)


@pytest.mark.parametrize(
    ("refresh_in", "expected"),
    [(1800, 1800), ("1800", 1800), (1800.5, 1800.5), (None, None), ("soon", None), (0, None), (-1, None), ([], None)],
)
def test_the_wish_for_a_renewal_is_read(refresh_in: t.Any, expected: float | None) -> None:
    token, _dummy = ask(token_answer(refresh_in=refresh_in))
    wish = token.refresh_on - token.issued_on if token.refresh_on is not None else None
    assert wish == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER", "Bearer ", "", None])
def test_a_token_is_a_bearer_token_in_any_letter_case_and_without_a_type(token_type: str | None) -> None:
    assert ask(token_answer(token_type=token_type))[0].authorization == "Bearer canned-token"


@pytest.mark.parametrize("token_type", ["pop", 5, ["Bearer"], False, {}])
def test_a_token_of_another_type_is_refused(token_type: t.Any) -> None:
    assert "not of the type Bearer" in failure(token_answer(token_type=token_type)).message


@pytest.mark.parametrize("access_token", [None, "", 5, ["a"], {"a": "b"}, False])
def test_a_success_without_a_token_is_an_error(access_token: t.Any) -> None:
    assert "200, but without an access token" in failure(token_answer(access_token=access_token)).message


@pytest.mark.parametrize("access_token", ["a b", "a\r\nX-Evil: 1", "a\x00b", "tok\u00e9n"])
def test_a_token_with_characters_of_no_token_is_an_error(access_token: str) -> None:
    error = failure(token_answer(access_token=access_token))
    assert "characters that no bearer token has" in error.message
    assert access_token not in str(error)


@pytest.mark.parametrize(
    ("value", "expected"), [("0.AAA", "0.AAA"), (None, None), ("", None), (5, None), (["a"], None)]
)
def test_a_refresh_token_comes_along(value: t.Any, expected: str | None) -> None:
    assert ask(token_answer(refresh_token=value))[0].refresh_token == expected


def test_scope_and_correlation_id_are_kept() -> None:
    token, _dummy = ask(
        json_answer(200, {"token_type": "Bearer", "access_token": "a", "scope": "x y"}, client_request_id="c-9")
    )
    assert (token.scope, token.correlation_id) == ("x y", "c-9")


def test_a_token_is_as_old_as_its_own_attempt(clock: Waits) -> None:
    before = clock.time()
    token, _dummy = ask(answer(503, Retry_After="40"), token_answer(expires_in=100))
    assert token.issued_on == pytest.approx(before + 40, abs=20)
    assert token.expires_on == pytest.approx(before + 140, abs=20)


# --- what is no answer of Entra ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", ["", "<html>Sign in</html>", "[]", '["a"]', '"token"', "null", "5", "{", "[" * 100000, b"\xff\xfe{}"]
)
def test_a_success_that_is_no_json_object_is_an_error(body: str | bytes) -> None:
    error = failure(answer(200, body))
    assert "200, but without a JSON object" in error.message
    assert "captive portal" in str(error.hint)
    assert "Sign in" not in str(error)


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_an_error_that_names_it(status: int) -> None:
    error = failure(answer(status, "moved", Location="https://elsewhere.test"))
    assert f"redirect ({status})" in error.message


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
@pytest.mark.parametrize("body", ["", "<html>hunter3</html>", "[1]", "{}", '{"message": "hunter3"}', '{"error": 5}'])
def test_a_refusal_that_can_t_be_read_is_told_by_its_status(status: int, body: str, clock: Waits) -> None:
    error = failure(answer(status, body))
    assert f"responded with {status} and no reason that could be read" in error.message
    assert "hunter3" not in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"error_codes": [7000215]},
        {"error_description": "AADSTS7000215: Wrong."},
        {"error": {}, "error_codes": [7000215]},
    ],
)
def test_a_code_without_an_error_is_explained(body: dict[str, t.Any]) -> None:
    error = refusal(json_answer(401, body))
    assert error.response.error_codes == (7000215,)
    assert "(401): the client secret is wrong" in error.message
    assert "secret's Value" in error.hint


@pytest.mark.parametrize(("wait", "told"), [("61", " It asks to wait 61 s."), (None, "")])
def test_a_throttled_request_says_for_how_long(wait: str | None, told: str, clock: Waits) -> None:
    throttled = answer(429, "Too Many Requests", Retry_After=wait or "", client_request_id="c-7")
    error = refusal(throttled, retry_for=10)
    assert error.message.endswith(f"for longer than retry_for.{told}")
    assert (error.response.error, error.response.correlation_id) == ("too_many_requests", "c-7")
    assert "retry_for" in str(error.hint)
    assert sum(clock.slept) <= 10


def test_a_throttled_request_with_json_but_no_reason_is_told_as_one(clock: Waits) -> None:
    error = refusal(json_answer(429, {"message": "hunter3"}, Retry_After="300"), retry_for=10)
    assert error.message.endswith("for longer than retry_for. It asks to wait 300 s.")
    assert error.response.error == "too_many_requests"
    assert "hunter3" not in str(error)


@pytest.mark.parametrize(("wait", "retry_after"), [("300", 300), ("9" * 23, 1e9), ("0", 30), ("soon", 30), ("", 30)])
def test_a_busy_answer_passes_when_it_says(wait: str, retry_after: float, clock: Waits) -> None:
    bodies = ("", "busy", "{}", '{"error": "temporarily_unavailable"}')
    cases = list(itertools.product((429, 500, 503), bodies))
    with CannedServer(*(answer(status, body, Retry_After=wait) for status, body in cases)) as server:
        endpoint = TokenEndpoint(server.url, network(retry_for=0))
        for case in cases:
            with pytest.raises((NetworkError, TokenRequestRefused)) as busy:
                endpoint.request_token(lambda: FORM)
            assert busy.value.retry_after == retry_after, case
    assert len(server.received) == len(cases)


def test_a_lost_service_is_an_error(clock: Waits) -> None:
    assert failure(hang_up).message.startswith("The connection to 127.0.0.1:")


# --- refusals ---------------------------------------------------------------------------------------------------


def test_a_refusal_is_told_with_its_first_sentence_its_ids_and_the_fix() -> None:
    error = refusal(json_answer(401, REFUSAL))
    assert error.message.startswith(
        "Entra refused the token request: AADSTS7000215: Invalid client secret provided (invalid_client)"
    )
    assert "secret ID" in error.message
    assert dataclasses.asdict(error.response) == {
        "error": "invalid_client",
        "suberror": None,
        "error_codes": (7000215,),
        "correlation_id": "c-1",
        "trace_id": "t-1",
        "timestamp": "2026-01-02 03:04:05Z",
    }
    assert "Value" in str(error.hint)


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("AADSTS7000215: The secret is bad.\r\nTrace ID: t\r\nCorrelation ID: c", "AADSTS7000215: The secret is bad"),
        ("AADSTS7000215: The secret is bad. Trace ID: t Timestamp: x", "AADSTS7000215: The secret is bad"),
        ("AADSTS7000215: The secret is bad\nand long", "AADSTS7000215: The secret is bad"),
        ("AADSTS7000215: The app 1.2.3 is bad. Second.", "AADSTS7000215: The app 1.2.3 is bad"),
        ("AADSTS7000215: Is it? Yes.", "AADSTS7000215: Is it?"),
        ("\x1b[31mred\x07", "[31mred"),
        ("", "it gave no description"),
        (None, "it gave no description"),
        ("Trace ID: t", "it gave no description"),
        (" " * 500_000 + "Trace ID", "Trace ID"),
    ],
)
def test_the_first_sentence_of_a_known_code_is_shown_without_ids(description: str | None, shown: str) -> None:
    error = refusal(json_answer(400, {"error": "xyzzy", "error_description": description}))
    assert error.message.startswith(f"Entra refused the token request: {shown} (xyzzy)")
    assert error.message.isprintable()


@pytest.mark.parametrize(
    "text", ["AADSTS99999999: Made up.", "AADSTS50012: Authentication failed.", "Made up.", "AADSTS70002: No."]
)
def test_the_whole_description_is_shown_where_its_first_sentence_hides_the_cause(text: str) -> None:
    description = f"{text} The cause is in the second sentence.\nOr in the third.\r\nTrace ID: t"
    error = refusal(json_answer(400, {"error": "xyzzy", "error_description": description}))
    assert f"{text} The cause is in the second sentence. Or in the third (xyzzy)" in error.message


@pytest.mark.parametrize("description", [5, True, ["AADSTS7000215: x"], {"a": "b"}, 1.5])
def test_a_description_that_is_no_text_is_not_shown(description: t.Any) -> None:
    error = refusal(json_answer(400, {"error": "xyzzy", "error_description": description}))
    assert error.message == "Entra refused the token request: it gave no description (xyzzy)."
    assert error.response.error_codes == ()


@pytest.mark.parametrize(
    ("path", "description", "name", "advice"),
    [
        ("/adfs/oauth2/token", "MSIS9622: Client authentication failed.", "AD FS", "application group of AD FS"),
        ("/adfs/oauth2/token", None, "AD FS", "application group of AD FS"),
        ("/t/oauth2/v2.0/token", "AADB2C90079: Clients must send a secret.", "Azure AD B2C", "B2C tenant"),
    ],
)
def test_another_issuer_is_named_and_has_its_own_advice(
    path: str, description: str | None, name: str, advice: str
) -> None:
    refused = json_answer(400, {"error": "invalid_client", "error_description": description})
    with CannedServer(refused) as server, pytest.raises(TokenRequestRefused) as failed:
        TokenEndpoint(f"{server.url}{path}", network()).request_token(lambda: FORM)
    assert failed.value.message.startswith(f"{name} refused the token request: ")
    assert advice in failed.value.hint
    assert "Entra" not in str(failed.value)


def test_the_advice_is_for_the_proof_in_use() -> None:
    refused = json_answer(401, {"error": "invalid_client", "error_codes": [700024]})
    for proof, advice in {"client_certificate": "clock", "federated_token_file": "federated_token_file"}.items():
        with CannedServer(refused) as server, pytest.raises(TokenRequestRefused) as failed:
            TokenEndpoint(server.url, network(), proof).request_token(lambda: FORM)
        assert advice in failed.value.hint


def test_a_description_without_end_is_cut() -> None:
    error = refusal(json_answer(400, {"error": "x" * 9999, "error_description": "y" * 9999, "trace_id": "z" * 9999}))
    assert "y" * 999 in error.message
    assert "y" * 1000 not in error.message
    assert [len(str(error.response.error)), len(str(error.response.trace_id))] == [500, 500]


@pytest.mark.parametrize(
    ("codes", "description", "expected"),
    [
        ([7000215], "AADSTS7000215: x", (7000215,)),
        (None, "AADSTS7000215: x", (7000215,)),
        ([50012], "AADSTS7000215: see AADSTS90002", (50012, 7000215, 90002)),
        ("7000215", "", ()),
        (["7000215", None, {}], "", ()),
        ([], "XAADSTS5: no", ()),
    ],
)
def test_codes_are_read_from_the_list_and_the_description(
    codes: t.Any, description: str, expected: tuple[int, ...]
) -> None:
    body = {"error": "invalid_client", "error_codes": codes, "error_description": description}
    assert refusal(json_answer(400, body)).response.error_codes == expected


def test_ids_are_taken_from_the_headers_where_the_body_has_none() -> None:
    refused = json_answer(400, {"error": "invalid_grant"}, client_request_id="c-8", x_ms_request_id="t-8")
    error = refusal(refused)
    assert (error.response.correlation_id, error.response.trace_id) == ("c-8", "t-8")
    assert error.hint


def test_an_unknown_error_has_a_hint() -> None:
    assert "message" in refusal(json_answer(400, {"error": "xyzzy"})).hint


@pytest.mark.parametrize("field", ["error", "suberror", "correlation_id", "trace_id", "timestamp"])
def test_nothing_a_terminal_would_obey_is_shown(field: str) -> None:
    error = refusal(json_answer(400, {"error": "invalid_grant", field: "a\x1b[31m\r\nb"}))
    assert getattr(error.response, field) == "a [31m b"
    assert str(error).isprintable()


@pytest.mark.parametrize("header", ["client_request_id", "x_ms_request_id"])
def test_nothing_a_terminal_would_obey_comes_in_by_a_header(header: str) -> None:
    assert str(refusal(json_answer(400, {"error": "invalid_grant"}, **{header: "a\x1b[31mb"}))).isprintable()


@pytest.mark.parametrize("status", [400, 401])
def test_a_refusal_is_asked_for_once(status: int, clock: Waits) -> None:
    with CannedServer(json_answer(status, REFUSAL)) as server:
        with pytest.raises(TokenRequestRefused):
            TokenEndpoint(server.url, network()).request_token(lambda: FORM)
        assert len(server.received) == 1
    assert clock.slept == []


def test_a_busy_answer_that_stays_is_told_with_its_reason(clock: Waits) -> None:
    busy = json_answer(503, {"error": "server_error", "error_description": "AADSTS50000: Broken."})
    error = refusal(busy, retry_for=10)
    assert "AADSTS50000: Broken" in error.message
    assert sum(clock.slept) <= 10


# --- asking again -----------------------------------------------------------------------------------------------

PENDING = json_answer(400, {"error": "authorization_pending"})
SLOW_DOWN = json_answer(400, {"error": "slow_down"})


@pytest.mark.parametrize(
    ("answers", "slept"),
    [
        ([PENDING], [5]),
        ([PENDING, PENDING], [5, 5]),
        ([SLOW_DOWN], [10]),
        ([SLOW_DOWN, SLOW_DOWN], [10, 15]),
        ([SLOW_DOWN, PENDING], [10, 10]),
        ([json_answer(400, {"error": "temporarily_unavailable"})], [5]),
        ([json_answer(400, {"error": "authorization_pending", "interval": 7})], [7]),
        ([json_answer(400, {"error": "authorization_pending", "interval": "7"}), PENDING], [7, 7]),
        ([json_answer(400, {"error": "authorization_pending"}, Retry_After="9")], [9]),
        ([json_answer(400, {"error": "authorization_pending", "interval": 0})], [5]),
        ([json_answer(400, {"error": "authorization_pending", "interval": 0.001})], [1]),
        ([json_answer(400, {"error": "authorization_pending", "interval": -3})], [1]),
        ([json_answer(400, {"error": "authorization_pending", "interval": "soon"})], [5]),
        ([json_answer(400, {"error": "slow_down", "interval": 20})], [25]),
    ],
)
def test_an_answer_that_says_to_ask_again_is_obeyed_with_its_interval(
    answers: list[bytes], slept: list[float], clock: Waits
) -> None:
    _dummy, server = ask(*answers, token_answer())
    assert clock.slept == slept
    assert len(server.received) == len(slept) + 1
    assert len({request.headers["client-request-id"] for request in server.received}) == len(server.received)


def test_asking_again_has_an_end(clock: Waits) -> None:
    error = refusal(PENDING, retry_for=24.9)
    assert error.response.error == "authorization_pending"
    assert clock.slept == [5, 5, 5, 5]


def test_asking_again_never_becomes_a_hot_loop(clock: Waits) -> None:
    eager = json_answer(400, {"error": "authorization_pending", "interval": 1e-9}, Retry_After="0")
    refusal(eager, retry_for=10)
    assert len(clock.slept) <= 10


def test_a_policy_has_its_own_interval_and_time(clock: Waits) -> None:
    left: list[float] = []
    policy = PollPolicy(interval=2, seconds=100, on_wait=left.append)
    ask(PENDING, PENDING, token_answer(), policy=policy, retry_for=1)
    assert clock.slept == [2, 2]
    first, second = left
    assert 80 < second <= first - 2 <= 98


def test_the_form_is_made_anew_for_each_request(clock: Waits) -> None:
    forms = iter([{"n": "1"}, {"n": "2"}])
    with CannedServer(PENDING, token_answer()) as server:
        TokenEndpoint(server.url, network()).request_token(lambda: next(forms))
    assert [request.body for request in server.received] == ["n=1", "n=2"]


# --- another endpoint -------------------------------------------------------------------------------------------


def test_another_endpoint_is_asked_with_a_form() -> None:
    with CannedServer(json_answer(200, {"device_code": "d"})) as server:
        said = TokenEndpoint("http://login.test", network()).post(f"{server.url}/devicecode", {"client_id": "c"})
    assert said == {"device_code": "d"}
    assert (server.received[0].target, server.received[0].body) == ("/devicecode", "client_id=c")


def test_another_endpoint_refuses_like_the_token_endpoint() -> None:
    with CannedServer(json_answer(401, REFUSAL)) as server, pytest.raises(TokenRequestRefused, match="AADSTS7000215"):
        TokenEndpoint("http://login.test", network()).post(server.url, {})


# --- what was sent ----------------------------------------------------------------------------------------------

SECRETS = {
    "client_secret": "s3cr&t+=/%\u00e9~ \\\"'hunter2-and-more",
    "client_assertion": "eyJhbGciOiJQUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmVkLWJ5LWh1bnRlcjI",
    "refresh_token": "0.AXhunter2-refresh_token.of-a-user",
    "device_code": "hunter2-device-code/with+chars=",
    "assertion": "hunter2-assertion-of-a-user",
    "a_field_of_the_future": "hunter2-field-of-the-future",
}
PUBLIC = {
    "grant_type": "client_credentials",
    "client_id": "11111111-2222-3333-4444-555555555555",
    "scope": "https://graph.microsoft.com/.default",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "claims": '{"access_token":{"xms_cc":{"values":["cp1"]}}}',
}
QUOTES: dict[str, t.Callable[[str], str]] = {
    "raw": str,
    "percent": lambda text: urllib.parse.quote(text, safe=""),
    "plus": urllib.parse.quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "html": html.escape,
    "a part": lambda text: text[: len(text) * 2 // 3],
}
FIELDS = ("error", "error_description", "suberror", "correlation_id", "trace_id", "timestamp", "error_uri", "made_up")


def parts(secret: str) -> list[str]:
    """Pieces of a secret that nothing else holds."""
    return [secret[start : start + 12] for start in range(max(1, len(secret) - 12))]


def repeat_everywhere(status: int, said: str) -> bytes:
    """A response that has a text in each of its fields and headers."""
    body = {**dict.fromkeys(FIELDS, f"It was '{said}', which is wrong."), "error_codes": [50012], "scope": said}
    if status == 200:
        body.update(access_token="issued-token", token_type="Bearer")
    header = said.encode("ascii", "ignore").decode().replace("\r", "").replace("\n", "")
    return json_answer(status, body, client_request_id=header, x_ms_request_id=header, Retry_After="0")


def show_outcome(endpoint: TokenEndpoint, form: dict[str, str]) -> str:
    """All that could be shown of a token or of an error."""
    try:
        return repr(endpoint.request_token(lambda: form))
    except (TokenRequestRefused, NetworkError) as exc:
        return f"{exc} {exc.to_fields()} {exc.response} {exc.__cause__} {exc.__context__}"


@pytest.mark.parametrize("status", [400, 401, 429, 500, 200])
@pytest.mark.usefixtures("clock")
def test_nothing_that_was_sent_comes_back(status: int) -> None:
    """In no message, field, warning or entry of the cache, in whatever form and place the service repeats it."""
    cases = list(itertools.product(SECRETS, QUOTES))
    answers = [repeat_everywhere(status, QUOTES[way](SECRETS[name])) for name, way in cases]
    with CannedServer(*answers) as server:
        endpoint = TokenEndpoint(server.url, network(retry_for=0))
        for name, way in cases:
            shown = show_outcome(endpoint, {**PUBLIC, name: SECRETS[name]})
            pieces = ("issued-token", QUOTES[way](SECRETS[name]), *parts(SECRETS[name]))
            assert not [piece for piece in pieces if piece in shown], f"{name}, {way}"
    assert len(server.received) == len(cases)


@pytest.mark.parametrize("name", SECRETS)
def test_the_secrets_of_another_endpoint_come_back_from_it_no_more(name: str) -> None:
    body = {"error": "invalid_client", "error_description": f"No: {SECRETS[name]}"}
    with CannedServer(json_answer(400, body)) as server, pytest.raises(TokenRequestRefused) as failed:
        TokenEndpoint(server.url, network()).post(server.url, {**PUBLIC, name: SECRETS[name]})
    assert SECRETS[name] not in str(failed.value)


def test_what_is_no_secret_is_shown() -> None:
    description = f"AADSTS50012: {PUBLIC['client_id']} may not use {PUBLIC['scope']}."
    body = {"error": "invalid_client", "error_description": description}
    with CannedServer(json_answer(400, body)) as server, pytest.raises(TokenRequestRefused) as failed:
        TokenEndpoint(server.url, network()).request_token(lambda: {**PUBLIC, "client_secret": "hunter2-and-more"})
    assert description.rstrip(".") in failed.value.message


def test_a_refresh_token_that_stays_the_same_is_returned() -> None:
    form = {**PUBLIC, "refresh_token": SECRETS["refresh_token"]}
    with CannedServer(token_answer(refresh_token=SECRETS["refresh_token"])) as server:
        token = TokenEndpoint(server.url, network()).request_token(lambda: form)
    assert token.refresh_token == SECRETS["refresh_token"]


def test_the_secrets_that_are_sent_and_received_are_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str | None] = []
    monkeypatch.setattr(token_endpoint, "register_secrets", lambda *secrets: registered.extend(secrets))
    with CannedServer(token_answer(access_token="issued-token", refresh_token="issued-refresh")) as server:
        TokenEndpoint(server.url, network()).request_token(lambda: {**PUBLIC, **SECRETS})
    assert registered == [*SECRETS.values(), "issued-token", "issued-refresh"]


# --- any response -----------------------------------------------------------------------------------------------

# The names that a response may have, and what JSON can hold.
NAMES = st.text(max_size=5) | st.sampled_from(
    [
        *FIELDS,
        *("access_token", "token_type", "expires_in", "expires_on", "refresh_in", "refresh_token"),
        *("scope", "interval", "error_codes", "claims"),
    ]
)
TEXTS = st.text() | st.sampled_from(["Bearer", "a.b.c", "invalid_grant", "AADSTS700016: No. Yes."])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=8)
BODIES = OBJECTS.map(json.dumps) | VALUES.map(json.dumps) | st.text() | st.just("[" * 500)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "client-request-id", "x-ms-request-id", "Content-Type"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255)),
)


@given(st.sampled_from([200, 400, 401, 429, 500]), BODIES, HEADERS)
def test_any_response_is_a_token_or_an_error(status: int, body: str, headers: dict[str, str]) -> None:
    response = Response(status, CaseInsensitiveDict(headers), body.encode("utf-8", "surrogatepass"), Moment(1e9))
    with mock.patch.object(Transport, "send", return_value=response):
        endpoint = TokenEndpoint("http://login.test/token", network(retry_for=0))
        for send in (lambda: endpoint.request_token(lambda: FORM), lambda: endpoint.post("http://login.test", FORM)):
            try:
                shown = repr(send())
            except EntraAuthError as exc:
                shown = f"{exc} {exc.to_fields()}"
            assert shown.isprintable()
            assert "hunter2" not in shown
