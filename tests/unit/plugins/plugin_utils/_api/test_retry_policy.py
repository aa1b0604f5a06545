# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One table of what follows a response: a wait, a renewal, a redirect, or the end."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._http.retry_after import parse_retry_after
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import Headers
from ansible_collections.entra.auth.plugins.plugin_utils._api.retry_policy import (
    MAX_REDIRECTS,
    NO_RESPONSE,
    Follow,
    Renew,
    RetryPolicy,
    Step,
    Stop,
    Wait,
    blames_audience,
    extract_claims,
)

READING: t.Final = ("GET", "HEAD", "OPTIONS")
IDEMPOTENT: t.Final = (*READING, "PUT", "DELETE")
CHALLENGE: t.Final = 'Bearer realm="", error="insufficient_claims", claims="eyJhIjoxfQ"'
DATE: t.Final = "Mon, 05 Jan 2026 10:00:00 GMT"


@dataclasses.dataclass(frozen=True)
class Reply:
    """A response as the policy reads it."""

    status: int
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=lambda: Headers({}))
    body: bytes = b""

    @property
    def retry_after(self) -> float | None:
        """The seconds that Retry-After asks to wait."""
        return parse_retry_after(self.headers.get("Retry-After", ""), self.headers.get("Date", ""))


def reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    """A response with headers; an underscore in a name stands for a hyphen."""
    return Reply(status, Headers({name.replace("_", "-"): value for name, value in headers.items()}), body)


def policy(method: str = "GET", *, accepted: t.Container[int] = range(200, 300), **more: t.Any) -> RetryPolicy:
    """The policy for a request of a method, with a budget of 100 seconds from second 0 on."""
    rules = {"retry_for": 100.0, "deadline": 100.0, **more}
    return RetryPolicy(method in READING, method in IDEMPOTENT, lambda status: status in accepted, **rules)


def decide(response: Reply, method: str = "GET", now: float = 0.0, **more: t.Any) -> Step:
    """What follows the first response."""
    return policy(method, **more).next(response, now=now)


def decide_each(responses: t.Iterable[Reply], method: str = "GET") -> list[Step]:
    """What follows each of several responses, up to the end."""
    current, steps = policy(method), []
    for response in responses:
        step = current.next(response, now=0.0)
        steps.append(step)
        if isinstance(step, Stop):
            break
        current = step.policy
    return steps


# --- the end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204, 299])
def test_a_success_is_the_end(status: int) -> None:
    assert decide(reply(status, Retry_After="5", Location="/x")) == Stop()


@pytest.mark.parametrize("status", [302, 401, 404, 429, 503])
def test_a_status_that_is_accepted_is_never_retried(status: int) -> None:
    response = reply(status, Retry_After="5", Location="/x", WWW_Authenticate=CHALLENGE)
    assert decide(response, accepted=[status]) == Stop()


@pytest.mark.parametrize("status", [-2, 0, 300, 304, 400, 403, 404, 405, 409, 412, 501, 505, 999])
def test_any_other_status_is_the_end(status: int) -> None:
    assert decide(reply(status, Retry_After="5", Location="/x")) == Stop()


# --- waits ------------------------------------------------------------------------------------------------------

BUSY: t.Final = {
    408: IDEMPOTENT,
    429: (*IDEMPOTENT, "POST", "PATCH"),
    500: IDEMPOTENT,
    502: IDEMPOTENT,
    503: (*IDEMPOTENT, "POST", "PATCH"),
    504: IDEMPOTENT,
    509: IDEMPOTENT,
}


@pytest.mark.parametrize("method", [*IDEMPOTENT, "POST", "PATCH"])
@pytest.mark.parametrize("status", BUSY)
def test_a_busy_service_is_asked_again_if_that_makes_no_difference(status: int, method: str) -> None:
    step = decide(reply(status, Retry_After="7"), method)
    assert isinstance(step, Wait if method in BUSY[status] else Stop)
    assert not isinstance(step, Wait) or step.seconds == 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 1),
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "0"}, 1),
        ({"Retry_After": "soon"}, 1),
        ({"Retry_After": "-5"}, 1),
        ({"Retry_After": "Mon, 05 Jan 2026 10:00:30 GMT", "Date": DATE}, 30),
        ({"Retry_After": "Mon, 05 Jan 2026 09:59:00 GMT", "Date": DATE}, 1),
    ],
)
def test_retry_after_is_obeyed_in_each_form_and_has_a_floor(headers: dict[str, str], seconds: float) -> None:
    step = decide(reply(503, **headers))
    assert isinstance(step, Wait)
    assert step.seconds == seconds


def test_waits_double_up_to_half_a_minute_where_no_time_is_named() -> None:
    steps = decide_each([reply(503)] * 8)
    assert [step.seconds for step in steps if isinstance(step, Wait)] == [1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize(("now", "fits"), [(0, True), (92.9, True), (93.1, False), (200, False)])
def test_a_wait_that_ends_after_the_budget_is_not_begun(now: float, fits: bool) -> None:
    step = decide(reply(429, Retry_After="7"), now=now)
    assert isinstance(step, Wait if fits else Stop)
    if isinstance(step, Stop):
        assert step.reason == "It asks to wait 7 s, longer than is left of retry_for (100 s)."


def test_a_wait_that_the_service_did_not_ask_for_is_named_differently() -> None:
    step = decide(reply(503), deadline=0.5, retry_for=0.5)
    assert step == Stop("The next attempt is due in 1 s, longer than is left of retry_for (0.5 s).")


# --- lost responses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "waits"), [("GET", 3), ("PUT", 3), ("DELETE", 3), ("POST", 0), ("PATCH", 0)])
def test_a_lost_response_is_awaited_again_three_times_at_most(method: str, waits: int) -> None:
    steps = decide_each([reply(NO_RESPONSE)] * 9, method)
    assert [isinstance(step, Wait) for step in steps] == [True] * waits + [False]


@pytest.mark.parametrize("first", [NO_RESPONSE, 500, 504])
@pytest.mark.parametrize(("method", "status"), [("DELETE", 404), ("DELETE", 410), ("PUT", 412), ("PUT", 409)])
def test_an_error_after_a_repetition_says_that_the_first_attempt_may_have_taken_effect(
    first: int, method: str, status: int
) -> None:
    last = decide_each([reply(first), reply(status)], method)[-1]
    assert isinstance(last, Stop)
    assert "may have taken effect" in last.reason


@pytest.mark.parametrize(("first", "method"), [(429, "DELETE"), (503, "PUT"), (500, "GET")])
def test_an_attempt_that_had_no_effect_is_not_suspected(first: int, method: str) -> None:
    assert decide_each([reply(first), reply(404)], method)[-1] == Stop()


# --- renewals ---------------------------------------------------------------------------------------------------

PLAIN = reply(401, WWW_Authenticate='Bearer error="invalid_token"')
WITH_CLAIMS = reply(401, WWW_Authenticate=CHALLENGE)


@pytest.mark.parametrize(
    ("responses", "renewals"),
    [
        ([PLAIN, PLAIN], [None]),
        ([WITH_CLAIMS, WITH_CLAIMS], ["eyJhIjoxfQ"]),
        ([WITH_CLAIMS, PLAIN, WITH_CLAIMS], ["eyJhIjoxfQ", None]),
        ([PLAIN, WITH_CLAIMS, PLAIN], [None, "eyJhIjoxfQ"]),
        ([PLAIN, reply(429), PLAIN], [None]),
    ],
)
def test_a_token_is_renewed_once_with_claims_and_once_without(responses: list[Reply], renewals: list[t.Any]) -> None:
    steps = decide_each(responses)
    assert [step.claims for step in steps if isinstance(step, Renew)] == renewals
    assert isinstance(steps[-1], Stop)
    assert "was refused as well" in steps[-1].reason


def test_a_token_that_can_t_be_renewed_is_not() -> None:
    assert decide(PLAIN, can_renew=False) == Stop()
    assert decide(WITH_CLAIMS, can_renew=False) == Stop()


WRONG_AUDIENCE: t.Final = {
    "arm": (b'{"error": {"code": "InvalidAuthenticationTokenAudience", "message": "no"}}', ""),
    "graph": (b'{"error": {"code": "InvalidAuthenticationToken", "message": "Invalid audience."}}', ""),
    "vault": (b'{"error": {"code": "Unauthorized", "message": "AKV10022: Invalid audience. Expected x"}}', ""),
    "arm_words": (b'{"error": {"message": "obtained for wrong audience or resource"}}', ""),
    "aspnet": (b"", 'Bearer error="invalid_token", error_description="The audience \'api://x\' is invalid"'),
}


@pytest.mark.parametrize(("body", "header"), WRONG_AUDIENCE.values(), ids=WRONG_AUDIENCE)
def test_a_token_for_another_api_is_not_renewed(body: bytes, header: str) -> None:
    response = reply(401, body, WWW_Authenticate=header)
    assert blames_audience(response)
    step = decide(response)
    assert isinstance(step, Stop)
    assert "for another API" in step.reason


def test_a_token_that_the_caller_knows_to_be_for_another_api_is_not_renewed() -> None:
    assert isinstance(policy().next(PLAIN, now=0.0, is_wrong_audience=True), Stop)


@pytest.mark.parametrize("body", [b"", b"audience", b'{"error": {"message": "The audience applauds."}}', b"[1]"])
def test_other_refusals_do_not_blame_the_audience(body: bytes) -> None:
    assert not blames_audience(reply(401, body))


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        (CHALLENGE, "eyJhIjoxfQ"),
        ('Bearer claims="a=", error="x", PoP', "a="),
        ("Bearer claims=abc, realm=x", "abc"),
        ('Bearer realm="", Bearer CLAIMS = "abc"', "abc"),
        ('Bearer noclaims="abc"', None),
        ('Bearer realm="claims=none"', None),
        ("", None),
    ],
)
def test_claims_are_found_anywhere_in_the_header(header: str, claims: str | None) -> None:
    assert extract_claims(header) == claims


# --- redirects --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [*IDEMPOTENT, "POST", "PATCH"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_write_is_redirected_only_with_307_and_308(status: int, method: str) -> None:
    step = decide(reply(status, Location="/there"), method)
    if method in READING or status in (307, 308):
        assert isinstance(step, Follow)
        assert step.location == "/there"
    else:
        assert step == Stop()


def test_a_redirect_without_an_address_is_the_end() -> None:
    assert decide(reply(302)) == Stop()


def test_redirects_end() -> None:
    steps = decide_each([reply(302, Location="/again")] * 20)
    assert len(steps) == MAX_REDIRECTS + 1
    assert steps[-1] == Stop("There were more than 5 redirects in a row.")


# --- bounds -----------------------------------------------------------------------------------------------------

RESPONSES: t.Final = st.builds(
    lambda status, headers, body: Reply(status, Headers(headers), body),
    st.sampled_from([-1, 200, 302, 307, 401, 404, 429, 500, 503]),
    st.dictionaries(st.sampled_from(["Retry-After", "Location", "WWW-Authenticate", "Date"]), st.text(max_size=20)),
    st.binary(max_size=30),
)


@given(st.sampled_from([*IDEMPOTENT, "POST", "PATCH"]), st.lists(RESPONSES, max_size=60))
def test_any_responses_lead_to_an_end_within_the_budget(method: str, responses: list[Reply]) -> None:
    current, now, sent = policy(method), 0.0, 0
    for response in responses:
        step = current.next(response, now=now)
        if isinstance(step, Stop):
            break
        if isinstance(step, Wait):
            assert step.seconds >= 1
            now += step.seconds
        else:
            sent += 1
        current = step.policy
    assert now <= 100
    assert sent <= MAX_REDIRECTS + 2
