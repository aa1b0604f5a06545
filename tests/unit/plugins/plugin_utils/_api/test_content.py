# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a response holds becomes result fields, or a failure that keeps what there is."""

from __future__ import annotations

import typing as t

import pytest
from canned_server import CannedServer, answer, json_answer

from ansible_collections.entra.auth.plugins.plugin_utils._api.content import describe_response, read_response_text
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse, Headers

if t.TYPE_CHECKING:
    from api_calls import ApiCaller


def build(body: bytes, **headers: str) -> ApiResponse:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiResponse(ApiRequest("GET", "https://x/y?sig=hidden"), 200, Headers(fields), body)


def test_every_response_has_its_status_headers_and_id(call: ApiCaller) -> None:
    with CannedServer(json_answer(200, {}, request_id="r-1", Set_Cookie="a=b")) as server:
        result = call(server)
    assert (result["status"], result["request_id"], result["json"]) == (200, "r-1", {})
    assert result["headers"]["content-type"] == "application/json"
    assert "set-cookie" not in result["headers"]


def test_the_names_of_headers_are_in_lower_case() -> None:
    assert describe_response(build(b"", ETag='"1"'))["headers"] == {"etag": '"1"'}


@pytest.mark.parametrize(
    ("kind", "text"),
    [("text/plain", "893"), ("text/csv", "a,b"), ("application/xml", "<a/>"), ("application/atom+xml", "<a/>")],
)
def test_text_is_the_result(call: ApiCaller, kind: str, text: str) -> None:
    with CannedServer(answer(200, text, Content_Type=kind)) as server:
        assert call(server)["result"] == text


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text/html", "and HTML, so another program responded in its place"),
        ("application/pdf", "and application/pdf, not JSON"),
        ("", "and data of no named type, not JSON"),
    ],
)
def test_other_content_is_a_failure_with_its_status(call: ApiCaller, kind: str, message: str) -> None:
    with (
        CannedServer(answer(201, b"%PDF", Content_Type=kind)) as server,
        pytest.raises(ApiError, match=message) as failure,
    ):
        call(server, method="POST", body={})
    fields = failure.value.to_fields()
    assert (fields["status"], fields["changed"]) == (201, True)


@pytest.mark.parametrize("kind", ["text/html", "application/pdf"])
def test_other_content_is_none_where_any_kind_is_allowed(kind: str) -> None:
    assert read_response_text(build(b"x", Content_Type=kind), paginate=True, any_kind=True) is None
    assert read_response_text(build(b""), paginate=True, any_kind=False) is None


def test_an_error_with_a_good_status_is_a_failure(call: ApiCaller) -> None:
    content = {"error": {"code": "PartialError", "message": "Some of it."}}
    with (
        CannedServer(json_answer(200, content)) as server,
        pytest.raises(ApiError, match=r"responded with 200 and an error: Some of it \(PartialError\)") as failure,
    ):
        call(server)
    assert failure.value.to_fields()["status"] == 200
    for beside in ({"tables": []}, {"id": "1"}):
        with CannedServer(json_answer(200, {**content, **beside})) as server:
            assert call(server)["result"] == {**content, **beside}
    with CannedServer(json_answer(404, content)) as server:
        assert call(server, status_code=[404])["result"] == content
