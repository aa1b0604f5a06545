# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task of api_request: what was sent, what is returned, and what counts as a change."""

from __future__ import annotations

import typing as t

import pytest
from canned_server import CannedServer, answer, json_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

if t.TYPE_CHECKING:
    import pathlib

    from api_calls import ApiCaller, Result

OK: t.Final = json_answer(200, {"fine": True})
CREATED: t.Final = json_answer(201, {"id": "7"})
BATCH: t.Final = json_answer(200, {"responses": [{"id": "1", "status": 201}]})
# In an expression of Jinja, these names are methods of the dictionary.
METHODS_OF_DICT: t.Final = {"items", "keys", "values", "get"}


# --- results ------------------------------------------------------------------------------------------------------


def test_a_response_is_json_and_result(call: ApiCaller) -> None:
    with CannedServer(OK) as server:
        result = call(server)
    assert (result["json"], result["result"], result["status"], result["changed"]) == (
        {"fine": True},
        {"fine": True},
        200,
        False,
    )
    assert not METHODS_OF_DICT & set(result)


def test_a_listing_is_value_count_and_pages(call: ApiCaller) -> None:
    first = json_answer(200, {"@odata.count": 3, "value": [1, 2], "nextLink": "/p2"})
    with CannedServer(first, json_answer(200, {"value": [3], "@odata.deltaLink": "/delta"})) as server:
        result = call(server)
    assert (result["value"], result["result"], result["count"], result["pages"]) == ([1, 2, 3], [1, 2, 3], 3, 2)
    assert result["json"] == {"@odata.count": 3, "@odata.deltaLink": "/delta"}
    assert not METHODS_OF_DICT & set(result)


@pytest.mark.parametrize(("max_items", "value", "sent"), [(1, [1], 1), (2, [1, 2], 1), (3, [1, 2, 3], 2)])
def test_max_items_stops_exactly(call: ApiCaller, max_items: int, value: list[int], sent: int) -> None:
    first = json_answer(200, {"value": [1, 2], "nextLink": "/p2"})
    with CannedServer(first, json_answer(200, {"value": [3, 4]})) as server:
        assert call(server, max_items=max_items)["value"] == value
    assert len(server.received) == sent


def test_without_paging_a_page_is_returned_as_it_is(call: ApiCaller) -> None:
    content = {"value": [1], "nextLink": "/p2"}
    with CannedServer(json_answer(200, content)) as server:
        result = call(server, paginate=False)
    assert (result["result"], "value" in result, len(server.received)) == (content, False, 1)


@pytest.mark.parametrize(
    ("response", "arguments", "kept"),
    [
        (CREATED, {"method": "POST", "body": {}}, {"json": {"id": "7"}, "changed": True, "status": 201}),
        (json_answer(200, {"value": ["a"]}), {}, {"value": ["a"], "count": 1}),
        (BATCH, {"url": None, "requests": [{"url": "/u", "method": "POST"}]}, {"count": 1, "changed": True}),
    ],
)
def test_an_expression_that_does_not_fit_loses_no_response(
    call: ApiCaller, response: bytes, arguments: Result, kept: Result
) -> None:
    with CannedServer(response) as server, pytest.raises(ApiError, match="can't be applied to the data") as failure:
        call(server, jmespath="abs('a')", **arguments)
    fields = failure.value.to_fields()
    assert {name: fields[name] for name in kept} == kept


# --- statuses and changes -----------------------------------------------------------------------------------------


def test_an_unexpected_success_is_a_failure_that_says_what_to_do(call: ApiCaller) -> None:
    with CannedServer(OK) as server, pytest.raises(ApiError, match="responded with 200") as failure:
        call(server, method="POST", body={}, status_code=[201])
    assert "add 200 to status_code" in failure.value.hint
    assert failure.value.to_fields()["status"] == 200


@pytest.mark.parametrize(
    ("method", "status", "changed"),
    [("GET", 200, False), ("POST", 201, True), ("DELETE", 204, True), ("DELETE", 404, False), ("PUT", 412, False)],
)
def test_only_a_write_that_took_effect_is_a_change(call: ApiCaller, method: str, status: int, changed: bool) -> None:
    with CannedServer(answer(status)) as server:
        assert call(server, method=method, status_code=[200, 201, 204, 404, 412])["changed"] is changed


def test_a_write_with_dest_is_a_change_even_if_the_file_is_the_same(call: ApiCaller, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report"
    for _dummy in range(2):
        with CannedServer(answer(200, b"x", Content_Type="text/csv")) as server:
            assert call(server, method="POST", body={}, dest=str(path))["changed"] is True


@pytest.mark.parametrize(
    ("response", "arguments"),
    [
        (json_answer(200, {"value": [1], "nextLink": 5}), {"method": "POST"}),
        (answer(200, "<p>", Content_Type="text/html"), {"method": "POST"}),
        (answer(202), {"method": "POST", "wait": True}),
        (answer(200, "{", Content_Type="application/json"), {"method": "PATCH", "body": {}}),
    ],
)
def test_a_failure_after_a_write_says_that_it_took_effect(call: ApiCaller, response: bytes, arguments: Result) -> None:
    with CannedServer(response) as server, pytest.raises(ApiError) as failure:
        call(server, **arguments)
    assert failure.value.to_fields()["changed"] is True


def test_a_failure_of_a_write_itself_is_no_change(call: ApiCaller) -> None:
    with CannedServer(json_answer(400, {})) as server, pytest.raises(ApiError) as failure:
        call(server, method="POST", body={})
    assert "changed" not in failure.value.to_fields()


# --- check and diff mode ------------------------------------------------------------------------------------------


def test_check_mode_sends_no_write(call: ApiCaller) -> None:
    with CannedServer(OK) as server:
        result = call(server, check_mode=True, method="POST", body={"a": 1, "password": "x"}, query={"b": "c"})
        assert server.received == []
    assert result == {
        "changed": True,
        "method": "POST",
        "url": f"{server.url}/v1.0/things?b=c",
        "body": {"a": 1, "password": "********"},
    }


def test_check_mode_reads(call: ApiCaller) -> None:
    with CannedServer(OK) as server:
        assert call(server, check_mode=True)["json"] == {"fine": True}


@pytest.mark.parametrize(("status", "before"), [(200, {"a": 1}), (404, {})])
def test_a_difference_reads_the_old_value_first(call: ApiCaller, status: int, before: Result) -> None:
    with CannedServer(json_answer(status, {"a": 1, "b": 2}), OK) as server:
        result = call(server, diff_mode=True, method="PATCH", body={"a": 3}, headers={"If-Match": "*", "Prefer": "x"})
    read, written = server.received
    assert (read.method, written.method) == ("GET", "PATCH")
    assert ("if-match" in read.headers, read.headers["prefer"], written.headers["if-match"]) == (False, "x", "*")
    assert (result["diff"]["before"], result["diff"]["after"]) == (before, {"a": 3})


def test_an_old_value_that_can_not_be_read_is_no_failure(call: ApiCaller) -> None:
    with CannedServer(json_answer(403, {}), OK) as server:
        result = call(server, diff_mode=True, method="PUT", body={"a": 3})
    assert (result["diff"], result["changed"]) == ({}, True)
    assert any("shows no difference" in text for text in call.messages.on("v"))


# --- what is sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "content_type", "body"),
    [
        ({"body": {"a": 1}}, "application/json", '{"a": 1}'),
        ({"body": {"a": 1}, "body_format": "form"}, "application/x-www-form-urlencoded", "a=1"),
        ({"body": "x", "body_format": "raw"}, "application/octet-stream", "x"),
        ({"body": "x", "headers": {"content-type": "text/plain"}}, "text/plain", "x"),
    ],
)
def test_a_body_is_sent_with_its_type(call: ApiCaller, arguments: Result, content_type: str, body: str) -> None:
    with CannedServer(OK) as server:
        call(server, method="POST", **arguments)
    assert (server.received[0].headers["content-type"], server.received[0].body) == (content_type, body)


def test_a_file_is_sent_as_it_is(call: ApiCaller, tmp_path: pathlib.Path) -> None:
    (tmp_path / "sent.bin").write_bytes(b"content")
    with CannedServer(answer(503), OK) as server:
        call(server, method="PUT", src=str(tmp_path / "sent.bin"), retry_for=30)
    assert [received.body for received in server.received] == ["content", "content"]
    assert server.received[0].headers["content-type"] == "application/octet-stream"


def test_a_given_token_is_sent_and_no_other_is_acquired(call: ApiCaller) -> None:
    call.options["client_secret"] = "not the secret of any app"
    with CannedServer(OK) as server:
        call(server, access_token="given.token.here")
    assert server.received[0].headers["authorization"] == "Bearer given.token.here"


def test_a_given_token_that_is_refused_is_not_renewed(call: ApiCaller) -> None:
    with CannedServer(json_answer(401, {})) as server, pytest.raises(ApiError, match="can't be renewed"):
        call(server, access_token="given.token.here")
    assert len(server.received) == 1


def test_a_given_token_goes_to_the_api_only(call: ApiCaller) -> None:
    with CannedServer(OK) as server, pytest.raises(InputError, match="gets no token"):
        call(server, url="https://other.example/x", access_token="given.token.here")
    assert server.received == []
