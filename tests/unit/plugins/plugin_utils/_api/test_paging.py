# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listings are followed as long as any part of a response says that there is more."""

from __future__ import annotations

import json
import typing as t

import pytest
from api_calls import ScriptedSession, build_response, ends_in_value_or_error, headers_with, json_with
from canned_server import CannedServer, answer, json_answer
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.next_page import is_listing
from ansible_collections.entra.auth.plugins.plugin_utils._api.paging import iterate_pages

if t.TYPE_CHECKING:
    from api_calls import ApiCaller

    Result = dict[str, t.Any]

FIRST: t.Final = "/v1.0/things"
LAST: t.Final = json_answer(200, {"value": [2]})


def list_targets(server: CannedServer) -> list[str]:
    return [received.target for received in server.received]


@pytest.mark.parametrize(
    ("member", "link", "target"),
    [
        ("@odata.nextLink", "/p2", "/p2"),
        ("nextLink", "/p2?$skipToken=~wk==#RT:1#TRC:100", "/p2?$skipToken=~wk==%23RT:1%23TRC:100"),
        ("nextLink", "/p2?$filter='v/id' eq '/s'", "/p2?$filter='v/id'%20eq%20'/s'"),
        ("odata.nextLink", "/p2", "/p2"),
        ("continuationUri", "/p2", "/p2"),
        ("@nextLink", "/p2", "/p2"),
        ("next_link", "/p2", "/p2"),
        ("nextPageLink", "/p2", "/p2"),
        ("next", "/p2", "/p2"),
        ("next", "?page=2", f"{FIRST}?page=2"),
    ],
)
def test_a_link_in_the_body_is_followed_whole(call: ApiCaller, member: str, link: str, target: str) -> None:
    with CannedServer(json_answer(200, {"value": [1], member: link, "more": True}), LAST) as server:
        result = call(server)
    assert list_targets(server) == [FIRST, target]
    assert (result["value"], result["count"], result["pages"]) == ([1, 2], 2, 2)
    assert result["json"] == {"more": True}


@pytest.mark.parametrize(
    "more",
    [
        {"_links": {"next": {"href": "/p2"}}},
        {"links": {"next": "/p2"}},
        {"paging": {"next": "/p2"}},
        {"pagination": {"nextLink": "/p2"}},
    ],
)
def test_a_link_inside_of_another_member_is_followed(call: ApiCaller, more: Result) -> None:
    with CannedServer(json_answer(200, {"value": [1], **more}), LAST) as server:
        assert call(server)["value"] == [1, 2]
    assert list_targets(server) == [FIRST, "/p2"]


@pytest.mark.parametrize(
    ("headers", "target"),
    [
        ({"x_ms_continuationtoken": "100"}, f"{FIRST}?a=b&continuationToken=100"),
        (
            {"x_ms_continuation_NextPartitionKey": "1!8!cDI-", "x_ms_continuation_NextRowKey": "k"},
            f"{FIRST}?a=b&NextPartitionKey=1%218%21cDI-&NextRowKey=k",
        ),
        ({"NextPageUri": "/p2?nextPage=2"}, "/p2?nextPage=2"),
        ({"Link": '</p1>; rel="prev", </p2?n=5>; rel="next"'}, "/p2?n=5"),
        ({"Link": "</p2>; rel=next"}, "/p2"),
    ],
)
def test_a_continuation_in_a_header_is_followed(call: ApiCaller, headers: dict[str, str], target: str) -> None:
    with CannedServer(json_answer(200, {"value": [1]}, **headers), LAST) as server:
        result = call(server, query={"a": "b"})
    assert list_targets(server) == [f"{FIRST}?a=b", target]
    assert (result["value"], result["pages"]) == ([1, 2], 2)


def test_a_token_in_a_header_replaces_the_one_before(call: ApiCaller) -> None:
    pages = [json_answer(200, {"count": 1, "value": [n]}, x_ms_continuationtoken=str(n)) for n in (1, 2)]
    with CannedServer(*pages, json_answer(200, {"count": 1, "value": [3]})) as server:
        assert call(server)["value"] == [1, 2, 3]
    assert list_targets(server)[2] == f"{FIRST}?continuationToken=2"


def test_cosmos_gets_its_continuation_back_as_a_header(call: ApiCaller) -> None:
    first = json_answer(200, {"_rid": "r", "Documents": [{"id": 1}], "_count": 1}, x_ms_continuation="token==")
    with CannedServer(first, json_answer(200, {"_rid": "r", "Documents": [{"id": 2}], "_count": 1})) as server:
        result = call(server)
    assert server.received[1].headers["x-ms-continuation"] == "token=="
    assert result["value"] == [{"id": 1}, {"id": 2}]
    assert result["result"] == {"_rid": "r", "Documents": [{"id": 1}, {"id": 2}], "_count": 1}


def test_items_under_another_name_are_returned_under_that_name_too(call: ApiCaller) -> None:
    first = json_answer(200, {"workspaces": [1], "continuationUri": "/p2", "continuationToken": "t"})
    with CannedServer(first, json_answer(200, {"workspaces": [2], "continuationUri": None})) as server:
        result = call(server, jmespath="workspaces[-1]")
    assert (result["value"], result["result"]) == ([1, 2], 2)


@pytest.mark.parametrize("member", ["continuationToken", "$skipToken"])
def test_a_token_in_the_body_of_a_response_is_sent_back(call: ApiCaller, member: str) -> None:
    with CannedServer(json_answer(200, {"data": [1], member: "t"}), json_answer(200, {"data": [2]})) as server:
        result = call(server, method="POST", body={"query": "q", "options": {"$top": 1}})
    second = server.received[1]
    if member == "continuationToken":
        assert second.target == f"{FIRST}?continuationToken=t"
    else:
        assert json.loads(second.body) == {"query": "q", "options": {"$top": 1, "$skipToken": "t"}}
    assert result["value"] == [1, 2]


def test_a_search_is_continued_with_the_body_that_the_response_names(call: ApiCaller) -> None:
    parameters = {"search": "x", "skip": 50}
    first = json_answer(200, {"value": [1], "@odata.nextLink": FIRST, "@search.nextPageParameters": parameters})
    with CannedServer(first, LAST) as server:
        assert call(server, method="POST", body={"search": "x"})["value"] == [1, 2]
    assert json.loads(server.received[1].body) == parameters


def test_an_array_is_a_listing_of_one_or_more_pages(call: ApiCaller) -> None:
    with CannedServer(json_answer(200, [{"n": 1}])) as server:
        result = call(server, jmespath="[].n")
        assert (result["value"], result["count"], result["pages"], result["result"]) == ([{"n": 1}], 1, 1, [1])
    with CannedServer(json_answer(200, [1], NextPageUri="/p2"), json_answer(200, [2])) as server:
        result = call(server)
        assert (result["value"], result["result"], result["pages"]) == ([1, 2], [1, 2], 2)


@pytest.mark.parametrize("end", [{"hasMore": False}, {"isLast": True}, {"nextToken": ""}, {"next": None}, {"next": 0}])
def test_the_last_page_is_the_end(call: ApiCaller, end: Result) -> None:
    with CannedServer(json_answer(200, {"value": [1], **end}, X_Next_Page=" ")) as server:
        assert call(server)["pages"] == 1


def test_azure_resource_graph_has_a_second_list_beside_its_items(call: ApiCaller) -> None:
    page = {"count": 1, "data": [1], "facets": [], "resultTruncated": "false"}
    first = json_answer(200, {**page, "$skipToken": "t"})
    with CannedServer(first, json_answer(200, {**page, "data": [2]})) as server:
        assert call(server, method="POST", body={"query": "q"})["value"] == [1, 2]


@pytest.mark.parametrize(
    ("page", "headers", "message"),
    [
        ({"value": [1], "hasMore": True}, {}, r"Page 1 of the listing says that there is more \(hasMore\), but not"),
        ({"value": [1], "hasMore": "true"}, {}, r"there is more \(hasMore\)"),
        ({"data": [1], "facets": [], "resultTruncated": "true"}, {}, r"there is more \(resultTruncated\)"),
        ({"value": [1], "isTruncated": True}, {}, r"there is more \(isTruncated\)"),
        ({"value": [1], "isLast": False}, {}, r"there is more \(isLast\)"),
        ({"value": [1], "nextToken": "t"}, {}, r"there is more \(nextToken\)"),
        ({"value": [1], "nextMarker": "m"}, {}, r"there is more \(nextMarker\)"),
        ({"value": [1], "next_cursor": 5}, {}, r"there is more \(next_cursor\)"),
        ({"value": [1]}, {"X_Next_Page": "2"}, r"there is more \(X-Next-Page\)"),
        ({"value": [1]}, {"x_ms_continuation_token": "t"}, r"there is more \(x-ms-continuation-token\)"),
        ({"value": [1], "nextLink": 5}, {}, r"a link to the next page that is not text \(nextLink\)"),
        ({"value": [1], "@odata.nextLink": {"href": "/p2"}}, {}, "a link to the next page that is not text"),
        ({"value": {"a": 1}, "nextLink": "/p2"}, {}, "Page 1 of the listing has no list of items"),
        ({"one": [], "two": [], "nextLink": "/p2"}, {}, "Page 1 of the listing has no list of items"),
        ({"d": {"results": [1], "__next": "/p2"}}, {}, "Page 1 of the listing has no list of items"),
        ({"value": [1], "nextLink": FIRST}, {}, "goes round in a circle: page 2 was there before"),
        ({"value": [1]}, {"x_ms_continuationtoken": "1"}, "goes round in a circle: page 3 was there before"),
        ({"value": [1], "nextLink": "http://["}, {}, "The link to page 2 is not a valid URL"),
    ],
)
def test_a_listing_that_can_not_be_followed_fails_by_name(
    call: ApiCaller, page: t.Any, headers: dict[str, str], message: str
) -> None:
    with CannedServer(json_answer(200, page, **headers)) as server, pytest.raises(ApiError, match=message) as failure:
        call(server)
    assert failure.value.hint


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (json_answer(200, {"error": {"code": "x"}}), "Page 2 of the listing has no list of items"),
        (json_answer(200, 5), "Page 2 of the listing has no list of items"),
        (json_answer(200, [2]), "Page 2 of the listing has no list of items"),
        (answer(204), "Page 2 of the listing has no list of items"),
        (json_answer(400, {"error": {"code": "Expired", "message": "gone"}}), r"Page 2 of the listing: GET .* gone"),
    ],
)
def test_a_broken_page_is_named_by_its_number(call: ApiCaller, second: bytes, message: str) -> None:
    first = json_answer(200, {"value": [1], "nextLink": "/p2"})
    with CannedServer(first, second) as server, pytest.raises(ApiError, match=message):
        call(server)


def test_what_is_enough_is_returned_whatever_follows(call: ApiCaller) -> None:
    with CannedServer(json_answer(200, {"value": [1, 2, 3], "nextLink": 5})) as server:
        assert call(server, max_items=2)["value"] == [1, 2]


@pytest.mark.parametrize(
    "response",
    [
        answer(200, "<R><NextMarker>abc</NextMarker></R>", Content_Type="application/xml"),
        answer(200, "a,b", Content_Type="text/csv", x_ms_continuationtoken="1"),
    ],
)
def test_a_page_in_another_format_is_not_taken_for_the_whole(call: ApiCaller, response: bytes) -> None:
    with CannedServer(response) as server:
        with pytest.raises(ApiError, match="one page of a listing in a format"):
            call(server)
        assert call(server, paginate=False)["result"]


BODIES: t.Final = json_with(
    "value", "nextLink", "@odata.nextLink", "continuationToken", "$skipToken", "hasMore", "data"
)
HEADERS: t.Final = headers_with(
    "Link", "NextPageUri", "x-ms-continuationtoken", "x-ms-continuation", "x-ms-continuation-NextRowKey"
)


@given(st.lists(st.tuples(st.sampled_from([200, 204, 404]), HEADERS, BODIES | st.binary(max_size=9)), min_size=1))
def test_any_pages_end_in_items_or_an_error(responses: list[tuple[int, dict[str, str], t.Any]]) -> None:
    request = ApiRequest("POST", "http://127.0.0.1:1/v1.0/things", {}, b'{"options": 5}')
    status, headers, body = responses[0]

    def read_all() -> None:
        response = build_response(request, status, headers, body)
        content = response.parse_json() if response.is_json else None
        if is_listing(content, response.headers):
            for page in iterate_pages(ScriptedSession(responses), response, content, lambda _text: None):
                assert isinstance(page.items, list)

    ends_in_value_or_error(read_all)
