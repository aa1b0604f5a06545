# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token knows when it is due, and what is no bearer token never becomes one."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jwts import build_raw_jwt

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.module_utils._token import Freshness, Token

FRESH, DUE, STALE, EXPIRED = Freshness.FRESH, Freshness.DUE, Freshness.STALE, Freshness.EXPIRED

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


def token(
    text: str = "abc", *, lifetime: float = 3600, refresh_in: float | None = None, boot_id: str | None = None
) -> Token:
    """Issued at 100000, when the machine with the boot was up for 500 seconds."""
    refresh_on = 100000 + refresh_in if refresh_in is not None else None
    return Token(text, 100000, 100000 + lifetime, refresh_on, boot_id, 500 if boot_id else None)


def moment(age: float, wall: float = 0, boot_id: str | None = None) -> Moment:
    """So many seconds after the issue, on a machine whose wall clock was set ``wall`` seconds ahead meanwhile."""
    return Moment(100000 + age + wall, boot_id, 500 + age if boot_id else None)


@pytest.mark.parametrize(
    ("lifetime", "refresh_in", "min_validity", "age", "expected"),
    [
        # An hour, the usual case: fresh until a minute before five minutes are left.
        (3600, None, 300, 0, FRESH),
        (3600, None, 300, 3239, FRESH),
        (3600, None, 300, 3240, DUE),
        (3600, None, 300, 3300, DUE),
        (3600, None, 300, 3300.5, STALE),
        (3600, None, 300, 3599, STALE),
        (3600, None, 300, 3600, EXPIRED),
        (3600, None, 300, 9999, EXPIRED),
        # A day, with the service's own wish for a renewal at half-time.
        (86400, 43200, 300, 43199, FRESH),
        (86400, 43200, 300, 43200, DUE),
        (86400, 43200, 300, 86100, DUE),
        (86400, 43200, 300, 86101, STALE),
        # The service's wish can't make a token that is too short usable.
        (3600, 3590, 300, 3301, STALE),
        # No more than min_validity in all: used for half its life.
        (300, None, 300, 0, FRESH),
        (300, None, 300, 112, FRESH),
        (300, None, 300, 113, DUE),
        (300, None, 300, 150, DUE),
        (300, None, 300, 151, STALE),
        (300, None, 300, 300, EXPIRED),
        (4, None, 300, 0, FRESH),
        (4, None, 300, 1.6, DUE),
        (4, None, 300, 2.5, STALE),
        # Just above min_validity: there is some time in which nobody has to wait.
        (301, None, 300, 0, FRESH),
        (301, None, 300, 1, DUE),
        (301, None, 300, 1.5, STALE),
        # No wish for any validity.
        (3600, None, 0, 3539, FRESH),
        (3600, None, 0, 3541, DUE),
        (3600, None, 0, 3599.9, DUE),
        (3600, None, 0, 3600, EXPIRED),
    ],
)
@pytest.mark.parametrize("boot_id", [None, "boot"])
def test_freshness_follows_from_the_times_alone(
    boot_id: str | None, lifetime: float, refresh_in: float | None, min_validity: float, age: float, expected: Freshness
) -> None:
    issued = token(lifetime=lifetime, refresh_in=refresh_in, boot_id=boot_id)
    assert issued.judge_freshness(moment(age, boot_id=boot_id), min_validity=min_validity) is expected


@given(
    lifetime=st.floats(1, 100000),
    min_validity=st.integers(0, 10000),
    refresh_in=st.none() | st.floats(0, 100000),
    ages=st.tuples(st.floats(0, 200000), st.floats(0, 200000)),
)
def test_a_token_never_gets_fresher_and_is_never_handed_out_too_short(
    lifetime: float, min_validity: int, refresh_in: float | None, ages: tuple[float, float]
) -> None:
    issued = token(lifetime=lifetime, refresh_in=refresh_in)
    order = [FRESH, DUE, STALE, EXPIRED]
    sooner, later = (issued.judge_freshness(moment(age), min_validity=min_validity) for age in sorted(ages))
    assert order.index(sooner) <= order.index(later)
    if later in (FRESH, DUE):
        assert lifetime - max(ages) >= min(min_validity, lifetime / 2) - 1e-6
    assert issued.judge_freshness(Moment(issued.expires_on), min_validity=min_validity) is EXPIRED


# --- clocks that are set ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "wall", "expected"),
    [
        # Set back, by how much ever: the clock that nobody sets counts.
        (0, -1e9, FRESH),
        (3239, -500, FRESH),
        (3300, -1e9, DUE),
        (3301, -1e9, STALE),
        (3600, -1, EXPIRED),
        (3600, -1e9, EXPIRED),
        # Set ahead, or the machine slept in a hypervisor: better renewed, and not thrown away before that succeeds.
        (0, 3239, FRESH),
        (0, 3300, DUE),
        (0, 3301, STALE),
        (0, 3600, STALE),
        (0, 1e9, STALE),
        (3599, 1e9, STALE),
        (3600, 1e9, EXPIRED),
    ],
)
def test_a_clock_that_was_set_neither_prolongs_a_token_nor_throws_it_away(
    age: float, wall: float, expected: Freshness
) -> None:
    issued = token(boot_id="boot")
    assert issued.judge_freshness(moment(age, wall, "boot"), min_validity=300) is expected


ELSEWHERE = [("boot", None), (None, "boot"), ("boot", "another boot"), (None, None)]


@pytest.mark.parametrize(("issued_at", "now_at"), ELSEWHERE)
@pytest.mark.parametrize(
    ("age", "expected"),
    [
        # After a reboot, on another machine, without such a clock: the clock of the wall is all there is.
        (0, FRESH),
        (3300, DUE),
        (3301, STALE),
        (3600, EXPIRED),
        (1e9, EXPIRED),
        # Clocks of machines differ; by so much, a token from the future is a new one, which ends no later for that.
        (-1, FRESH),
        (-300, FRESH),
        # By more, nobody knows how old it is.
        (-301, STALE),
        (-1e9, STALE),
    ],
)
def test_without_a_clock_in_common_the_wall_s_is_believed(
    age: float, expected: Freshness, issued_at: str | None, now_at: str | None
) -> None:
    assert token(boot_id=issued_at).judge_freshness(moment(0, age, now_at), min_validity=300) is expected


def test_the_skew_of_another_machine_gives_no_second_too_much() -> None:
    assert token().measure_seconds_left(moment(0, -300)) == (3600, 3600)
    assert token(lifetime=60).measure_seconds_left(moment(0, -299)) == (60, 60)


def test_an_uptime_before_the_issue_is_another_boot_s() -> None:
    """Where an id is not renewed at each boot: in a container that was moved, or a machine put back to a snapshot."""
    before = Moment(100000 + 3601, "boot", 499)
    assert token(boot_id="boot").judge_freshness(before, min_validity=300) is EXPIRED
    at_that_time = Moment(100000, "boot", 500)
    assert token(boot_id="boot").judge_freshness(at_that_time, min_validity=300) is FRESH


def test_a_boot_without_an_uptime_is_of_no_use() -> None:
    issued = Token("abc", 100000, 103600, boot_id="boot")
    assert issued.judge_freshness(moment(3601, boot_id="boot"), min_validity=300) is EXPIRED
    assert issued.judge_freshness(moment(10, boot_id="boot"), min_validity=300) is FRESH


@given(
    lifetime=st.floats(1, 100000),
    min_validity=st.integers(0, 10000),
    refresh_in=st.none() | st.floats(0, 100000),
    age=st.floats(0, 200000),
    wall=st.floats(-1e9, 1e9),
    boots=st.sampled_from([("boot", "boot"), *ELSEWHERE]),
)
def test_a_token_is_used_if_both_clocks_allow_it_and_thrown_away_if_the_trustworthy_one_says_so(
    lifetime: float,
    min_validity: int,
    refresh_in: float | None,
    age: float,
    wall: float,
    boots: tuple[str | None, str | None],
) -> None:
    issued = token(lifetime=lifetime, refresh_in=refresh_in, boot_id=boots[0])
    freshness = issued.judge_freshness(moment(age, wall, boots[1]), min_validity=min_validity)
    left_by_wall = lifetime - age - wall
    left = lifetime - age if boots == ("boot", "boot") else left_by_wall
    if freshness in (FRESH, DUE):
        assert min(left, left_by_wall) >= min(min_validity, lifetime / 2) - 1e-3
        assert left_by_wall <= lifetime + 300 or boots == ("boot", "boot")
    if freshness is EXPIRED:
        assert left <= 1e-3
    if left < -1e-3:
        assert freshness is EXPIRED


# --- what a token is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a", "eyJ0.eyJh.c2ln", "A-Z_a~z+0/9==", "x" * 100000])
def test_a_bearer_token_becomes_a_header(text: str) -> None:
    assert token(text).authorization == f"Bearer {text}"


@pytest.mark.parametrize(
    "text", ["", "a b", "a\n", "a\r\nX-Evil: 1", "a\x00", '"a"', "a,b", "=", "a=b", "é", "a\u2028", "{{ a }}", "a;b"]
)
def test_what_could_break_a_header_is_no_token(text: str) -> None:
    with pytest.raises(NetworkError, match="characters that no bearer token has") as refused:
        token(text)
    assert refused.value.hint
    assert not text.strip("=") or text not in str(refused.value)


@given(st.text())
@example("abc\n")
@example("abc=\n")
def test_every_token_fits_into_one_line_of_a_header(text: str) -> None:
    try:
        authorization = token(text).authorization
    except NetworkError:
        return
    assert authorization.isascii()
    assert authorization.isprintable()
    assert authorization.split(" ") == ["Bearer", text]


@pytest.mark.parametrize(
    ("expires_on", "text"),
    [
        (1795442400, "2026-11-23T14:00:00Z"),
        (1795442400.999, "2026-11-23T14:00:00Z"),
        (0, "1970-01-01T00:00:00Z"),
        (4102444800, "2100-01-01T00:00:00Z"),
    ],
)
def test_the_end_is_told_in_utc_wherever_this_runs(
    expires_on: float, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert Token("abc", 0, expires_on).expires_at == text


@settings(max_examples=40)
@given(st.dictionaries(st.text(), json_values, max_size=3))
def test_the_claims_of_a_jwt_are_decoded(claims: dict[str, t.Any]) -> None:
    assert token(build_raw_jwt(json.dumps(claims).encode())).decode_claims() == claims


@pytest.mark.parametrize("blanks", [0, 1, 2])
def test_claims_of_any_length_are_decoded(blanks: int) -> None:
    assert token(build_raw_jwt(b'{"aud":"a"}' + b" " * blanks)).decode_claims() == {"aud": "a"}


@pytest.mark.parametrize(
    "text",
    [
        "opaque",
        "one.two",
        "a.b.c.d",
        "..",
        "e30..c2ln",
        "e30.A.c2ln",
        build_raw_jwt(b"[1]"),
        build_raw_jwt(b'"text"'),
        build_raw_jwt(b"null"),
        build_raw_jwt(b"not json"),
        build_raw_jwt(b"\xff\xfe\x00"),
        build_raw_jwt(b'{"a": ' + b"[" * 40000 + b"]" * 40000 + b"}"),
        build_raw_jwt(b'{"n": ' + b"9" * 5000 + b"}"),
    ],
    ids=lambda text: text[:20],
)
def test_a_token_that_can_t_be_read_has_no_claims_and_no_roles(text: str) -> None:
    assert token(text).decode_claims() == {}
    assert token(text).list_roles() == []


@given(st.text("ABCabc019._~+/-", min_size=1))
def test_no_token_makes_decoding_fail(text: str) -> None:
    assert isinstance(token(text).decode_claims(), dict)
    assert isinstance(token(text).list_roles(), list)


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({"roles": ["User.Read.All", "Mail.Send"]}, ["User.Read.All", "Mail.Send"]),
        ({"roles": []}, []),
        ({"scp": "a b"}, ["a", "b"]),
        ({"roles": ["a"], "scp": "b a"}, ["a", "b"]),
        ({"roles": "a", "scp": "b"}, ["b"]),
        ({"scp": ["a"]}, []),
        ({"roles": "a"}, []),
        ({"roles": {"a": 1}}, []),
        ({"roles": [1]}, ["1"]),
        ({"scp": None}, []),
        ({}, []),
    ],
)
def test_roles_are_read_wherever_they_are(claims: dict[str, t.Any], roles: list[str]) -> None:
    assert token(build_raw_jwt(json.dumps(claims).encode())).list_roles() == roles


@given(
    st.builds(
        Token,
        access_token=st.text("ABCabc019._~+/-", min_size=1),
        issued_on=st.floats(0, 1e10),
        expires_on=st.floats(0, 1e10),
        refresh_on=st.none() | st.floats(0, 1e10),
        boot_id=st.none() | st.text(),
        issued_at_uptime=st.none() | st.floats(0, 1e10),
        scope=st.text(),
        correlation_id=st.none() | st.text(),
        refresh_token=st.none() | st.text(),
    )
)
def test_a_token_survives_the_cache(issued: Token) -> None:
    assert Token.from_dict(json.loads(json.dumps(dataclasses.asdict(issued)))) == issued


TIMES = {"issued_on": 0.0, "expires_on": 9e9}


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        "a",
        {"access_token": "a"},
        {"access_token": "a", "unknown": 1},
        {"access_token": "a", **TIMES, "of_a_later_version": 1},
        {"access_token": "a", "issued_on": "now", "expires_on": "later"},
        {"access_token": "a", "issued_on": 0.0, "expires_on": None},
        {"access_token": "a", "issued_on": True, "expires_on": 9e9},
        {"access_token": None, **TIMES},
        {"access_token": ["a"], **TIMES},
        TIMES,
    ],
    ids=str,
)
def test_what_is_no_token_is_not_read_as_one(content: t.Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        Token.from_dict(content)


def test_what_is_no_bearer_token_is_not_read_as_one() -> None:
    with pytest.raises(NetworkError, match="characters that no bearer token has"):
        Token.from_dict({"access_token": "a b", **TIMES})


def test_no_token_is_in_what_is_printed_of_it() -> None:
    shown = repr(dataclasses.replace(token("access-hunter2"), refresh_token="refresh-hunter2"))
    assert "hunter2" not in shown
    assert "expires_on" in shown
