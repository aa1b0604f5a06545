# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token knows when it is due, and what is no bearer token never becomes one."""

from __future__ import annotations

import base64
import dataclasses
import json
import typing as t

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.module_utils._token import Freshness, Token

FRESH, DUE, STALE, EXPIRED = Freshness.FRESH, Freshness.DUE, Freshness.STALE, Freshness.EXPIRED

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


def token(text: str = "abc", *, lifetime: float = 3600, refresh_in: float | None = None) -> Token:
    """Issued at 1000."""
    return Token(text, 1000, 1000 + lifetime, refresh_on=1000 + refresh_in if refresh_in is not None else None)


def jwt(payload: bytes) -> str:
    return f"e30.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}.c2ln"


@pytest.mark.parametrize(
    ("lifetime", "refresh_in", "min_validity", "age", "expected"),
    [
        # An hour, the usual case: fresh until a minute before five minutes are left.
        (3600, None, 300, 0, FRESH),
        (3600, None, 300, 3240, FRESH),
        (3600, None, 300, 3240.5, DUE),
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
        # A clock that went back.
        (3600, None, 300, -500, FRESH),
    ],
)
def test_freshness_follows_from_the_times_alone(
    lifetime: float, refresh_in: float | None, min_validity: float, age: float, expected: Freshness
) -> None:
    issued = token(lifetime=lifetime, refresh_in=refresh_in)
    assert issued.freshness(1000 + age, min_validity=min_validity) is expected


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
    sooner, later = (issued.freshness(1000 + age, min_validity=min_validity) for age in sorted(ages))
    assert order.index(sooner) <= order.index(later)
    if later in (FRESH, DUE):
        left = issued.expires_on - 1000 - max(ages)
        assert left >= min(min_validity, lifetime / 2) - 1e-6
    assert issued.freshness(issued.expires_on, min_validity=min_validity) is EXPIRED


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
    assert token(jwt(json.dumps(claims).encode())).claims() == claims


@pytest.mark.parametrize("blanks", [0, 1, 2])
def test_claims_of_any_length_are_decoded(blanks: int) -> None:
    assert token(jwt(b'{"aud":"a"}' + b" " * blanks)).claims() == {"aud": "a"}


@pytest.mark.parametrize(
    "text",
    [
        "opaque",
        "one.two",
        "a.b.c.d",
        "..",
        "e30..c2ln",
        "e30.A.c2ln",
        jwt(b"[1]"),
        jwt(b'"text"'),
        jwt(b"null"),
        jwt(b"not json"),
        jwt(b"\xff\xfe\x00"),
        jwt(b'{"a": ' + b"[" * 40000 + b"]" * 40000 + b"}"),
        jwt(b'{"n": ' + b"9" * 5000 + b"}"),
    ],
    ids=lambda text: text[:20],
)
def test_a_token_that_can_t_be_read_has_no_claims_and_no_roles(text: str) -> None:
    assert token(text).claims() == {}
    assert token(text).roles() == []


@given(st.text("ABCabc019._~+/-", min_size=1))
def test_no_token_makes_decoding_fail(text: str) -> None:
    assert isinstance(token(text).claims(), dict)
    assert isinstance(token(text).roles(), list)


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({"roles": ["User.Read.All", "Mail.Send"]}, ["User.Read.All", "Mail.Send"]),
        ({"roles": []}, []),
        ({"scp": "a b"}, ["a", "b"]),
        ({"roles": ["a"], "scp": "b"}, ["a"]),
        ({"roles": "a"}, []),
        ({"roles": {"a": 1}}, []),
        ({"roles": [1]}, ["1"]),
        ({"scp": None}, []),
        ({}, []),
    ],
)
def test_roles_are_read_wherever_they_are(claims: dict[str, t.Any], roles: list[str]) -> None:
    assert token(jwt(json.dumps(claims).encode())).roles() == roles


@given(
    st.builds(
        Token,
        access_token=st.text("ABCabc019._~+/-", min_size=1),
        issued_on=st.floats(0, 1e10),
        expires_on=st.floats(0, 1e10),
        refresh_on=st.none() | st.floats(0, 1e10),
        scope=st.text(),
        correlation_id=st.none() | st.text(),
        refresh_token=st.none() | st.text(),
    )
)
def test_a_token_survives_the_cache(issued: Token) -> None:
    assert Token.from_json(issued.to_json()) == issued
    assert Token.from_json(issued.to_json().encode()) == issued


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '"a"', "{", '{"access_token": "a", "unknown": 1}', b"\xff"])
def test_what_is_no_token_is_not_read_as_one(text: str | bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        Token.from_json(text)


def test_no_token_is_in_what_is_printed_of_it() -> None:
    shown = repr(dataclasses.replace(token("access-hunter2"), refresh_token="refresh-hunter2"))
    assert "hunter2" not in shown
    assert "expires_on" in shown
