# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request in words, and a response without tokens whose content is read or refused."""

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import (
    ApiRequest,
    ApiResponse,
    Headers,
    build_response,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_mask import TokenMask

TOKEN: t.Final = "made-up-token-of-this-test-0123456789"
URL: t.Final = "https://graph.microsoft.com/v1.0/users?sig=hidden"


def respond(body: bytes, content_type: str = "application/json", **headers: str) -> ApiResponse:
    """A response of status 200 that is masked; an underscore in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    fields = {"Content-Type": content_type, **named} if content_type else named
    return build_response(ApiRequest("GET", URL), 200, fields, body, TokenMask([TOKEN]))


@pytest.mark.parametrize(
    ("method", "repeatable", "safe", "idempotent"),
    [
        ("GET", False, True, True),
        ("HEAD", False, True, True),
        ("OPTIONS", False, True, True),
        ("PUT", False, False, True),
        ("DELETE", False, False, True),
        ("POST", False, False, False),
        ("PATCH", False, False, False),
        ("POST", True, False, True),
    ],
)
def test_a_method_tells_whether_a_request_reads_and_may_be_repeated(
    method: str, repeatable: bool, safe: bool, idempotent: bool
) -> None:
    request = ApiRequest(method, URL, repeatable=repeatable)
    assert (request.is_safe, request.is_idempotent) == (safe, idempotent)


def test_a_request_is_described_without_its_query_and_body() -> None:
    request = ApiRequest("POST", URL, body=b"hidden")
    assert request.safe_description == "POST https://graph.microsoft.com/v1.0/users"
    assert "hidden" not in repr(request).replace(URL, "")


def test_headers_compare_without_case_and_keep_their_spelling() -> None:
    headers = Headers({"Retry-After": "7", "ETag": "x"})
    assert headers["retry-after"] == headers.get("RETRY-AFTER") == "7"
    assert headers.get("Date") is None
    assert list(headers.items()) == [("Retry-After", "7"), ("ETag", "x")]
    assert len(headers) == 2


def test_retry_after_counts_from_the_date_of_the_response() -> None:
    dates = {"Retry_After": "Mon, 05 Jan 2026 10:00:07 GMT", "Date": "Mon, 05 Jan 2026 10:00:00 GMT"}
    assert respond(b"", **dates).retry_after == 7
    assert respond(b"").retry_after is None


@pytest.mark.parametrize(
    ("content_type", "body", "is_json"),
    [
        ("application/json; charset=utf-8", b"", True),
        ("application/problem+json", b"x", True),
        ("APPLICATION/JSON", b"x", True),
        ("", b' {"a": 1}', True),
        ("", b"[]", True),
        ("", b"text", False),
        ("text/plain", b"{}", False),
        ("application/json-seq", b"{}", False),
    ],
)
def test_json_is_recognised_by_its_type_or_its_beginning(content_type: str, body: bytes, is_json: bool) -> None:
    assert respond(body, content_type).is_json is is_json


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_json_is_parsed_in_each_encoding_with_and_without_a_byte_order_mark(encoding: str) -> None:
    assert respond('{"name": "Grüße"}'.encode(encoding)).parse_json() == {"name": "Grüße"}


def test_an_empty_body_is_no_content() -> None:
    assert respond(b"").parse_json() is None


@pytest.mark.parametrize("body", [b"{", b"[1, 2", b"<html>", b"\xff\xfe\xff"])
def test_json_that_can_t_be_read_is_an_error(body: bytes) -> None:
    with pytest.raises(ApiError, match="JSON that can't be read: it may be cut off") as failed:
        respond(body).parse_json()
    assert "hidden" not in str(failed.value)


@pytest.mark.parametrize(("opening", "inner", "closing"), [(b"[", b"1", b"]"), (b'{"a":', b"1", b"}")])
@pytest.mark.parametrize("levels", [1, 199, 200])
def test_json_is_nested_as_deeply_as_ansible_can_process(
    opening: bytes, inner: bytes, closing: bytes, levels: int
) -> None:
    assert respond(opening * levels + inner + closing * levels).parse_json()


@pytest.mark.parametrize(("opening", "inner", "closing"), [(b"[", b"1", b"]"), (b'{"a":', b"1", b"}")])
@pytest.mark.parametrize("levels", [201, 900, 100_000])
def test_json_that_ansible_could_not_process_is_refused(
    opening: bytes, inner: bytes, closing: bytes, levels: int
) -> None:
    with pytest.raises(ApiError, match="more than 200 levels"):
        respond(opening * levels + inner + closing * levels).parse_json()


def test_json_that_python_can_not_parse_is_refused_for_its_levels() -> None:
    with pytest.raises(ApiError, match="more than 200 levels"):
        respond(b"[" * 100_000).parse_json()


def test_the_token_is_in_no_part_of_a_response() -> None:
    escaped = json.dumps({"echo": TOKEN, "part": TOKEN[5:30]}).replace("e", "\\u0065")
    response = respond(escaped.encode(), X_Echo=f"Bearer {TOKEN}")
    assert response.headers["x-echo"] == "Bearer ********"
    assert response.parse_json() == {"echo": "********", "part": "********"}
    assert respond(json.dumps({"echo": TOKEN}).encode()).body == b'{"echo": "********"}'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"token {TOKEN}".encode(), "text/plain"),
        (f"token {TOKEN}".encode("utf-16"), "text/plain; charset=utf-16"),
        (f"token {TOKEN}".encode("utf-16-le"), "text/plain"),
        (f"token {TOKEN.replace('-', '%2d')}".encode(), "text/plain"),
    ],
)
def test_the_token_is_masked_in_text_after_decoding(body: bytes, content_type: str) -> None:
    assert respond(body, content_type).decode_text() == "token ********"


@given(st.binary(max_size=60), st.sampled_from(["", "application/json", "text/plain; charset=utf-16", "text/csv"]))
def test_any_body_is_data_or_an_error(body: bytes, content_type: str) -> None:
    response = respond(body, content_type)
    assert isinstance(response.decode_text(), str)
    with contextlib.suppress(ApiError):
        response.parse_json()
