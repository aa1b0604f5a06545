# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token response is read in each form that an endpoint writes it in, and nothing else is taken for one."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Response
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.module_utils._token_response import (
    mask_response,
    parse_json_object,
    parse_token_response,
    to_seconds,
)

SENT = Moment(1_000_000.0, "boot", 50.0)


def response(body: t.Any, status: int = 200, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, content, SENT)


def parse(**fields: t.Any) -> Token:
    return parse_token_response(response({"access_token": "a.b.c", **fields}))


def test_a_token_is_as_old_as_its_request() -> None:
    body = {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 3600, "refresh_in": 1800, "scope": "x  y"}
    assert parse_token_response(response(body, client_request_id="c-1")) == Token(
        access_token="a.b.c",
        issued_on=1_000_000.0,
        expires_on=1_003_600.0,
        refresh_on=1_001_800.0,
        boot_id="boot",
        issued_at_uptime=50.0,
        scope="x y",
        correlation_id="c-1",
    )


def test_a_response_without_a_type_is_one_of_a_bearer_token() -> None:
    """AD FS before 2019 names none."""
    assert parse().access_token == "a.b.c"
    assert parse(token_type=None).access_token == "a.b.c"
    for other in ("pop", "DPoP", 5, ["Bearer"]):
        with pytest.raises(NetworkError, match="not of the type Bearer"):
            parse(token_type=other)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 300 + b"]" * 300, b'{"a":' * 300])
def test_a_success_is_a_json_object_of_reasonable_depth(body: bytes) -> None:
    with pytest.raises(NetworkError, match="without a JSON object"):
        parse_json_object(response(body))
    assert parse_json_object(response(body, 400)) == {}


def test_a_redirect_is_not_followed() -> None:
    with pytest.raises(NetworkError, match=r"redirect \(302\)"):
        parse_json_object(response(b"moved", 302))


def test_what_was_sent_is_masked_in_headers_and_fields_alike() -> None:
    said = "it was hunter2+secret or hunter2%2Bsecret"
    masked = mask_response(response({"a": [said], said: 5}, 400, x_id=said), ["hunter2+secret", None])
    assert json.loads(masked.body) == {"a": ["it was ******** or ********"], "it was ******** or ********": 5}
    assert masked.headers == {"x-id": "it was ******** or ********"}


def test_issued_tokens_stay_as_they_are() -> None:
    body = {"access_token": "hunter2+secret", "refresh_token": "hunter2+secret", "scope": "hunter2+secret"}
    masked = json.loads(mask_response(response(body), ["hunter2+secret"]).body)
    assert masked == {"access_token": "hunter2+secret", "refresh_token": "hunter2+secret", "scope": "********"}
    refused = json.loads(mask_response(response(body, 400), ["hunter2+secret"]).body)
    assert set(refused.values()) == {"********"}


def test_nothing_stays_of_a_body_that_is_not_json() -> None:
    assert mask_response(response(b"<html>hunter2+secret</html>", 502), []).body == b""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (5, 5.0),
        ("5", 5.0),
        (5.5, 5.5),
        (" 5 ", 5.0),
        (True, None),
        (None, None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        (10**400, None),
        ("9" * 5000, None),
        ([5], None),
        ({}, None),
    ],
)
def test_seconds_are_numbers_in_any_form(value: t.Any, seconds: float | None) -> None:
    assert to_seconds(value) == seconds


FIELDS = ["access_token", "token_type", "expires_in", "expires_on", "refresh_in", "refresh_token", "scope"]
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES | st.just("a.b.c"), max_size=7), st.text())
def test_any_body_is_a_token_or_an_error(body: dict[str, t.Any], header: str) -> None:
    try:
        token = parse_token_response(response(body, client_request_id=header))
    except NetworkError as exc:
        assert "To fix it" in str(exc)  # noqa: PT017 - either outcome is right
        return
    assert token.expires_on > token.issued_on
    assert token.scope.isprintable()
    assert (token.correlation_id or "").isprintable()
