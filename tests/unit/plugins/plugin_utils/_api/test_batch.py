# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Batches of twenty, throttled requests again, and no response lost in a failure."""

from __future__ import annotations

import json
import typing as t

import pytest
from api_calls import ScriptedSession, ends_in_value_or_error, json_with
from canned_server import CannedServer, json_answer
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.batch import Batch, build_items, split_into_batches
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest

if t.TYPE_CHECKING:
    from api_calls import ApiCaller, Result

    from ...conftest import Clock


def respond(*responses: t.Any) -> bytes:
    return json_answer(200, {"responses": list(responses)})


def respond_to(count: int, status: int = 201) -> bytes:
    return respond(*({"id": str(number), "status": status} for number in range(1, count + 1)))


def list_ids(server: CannedServer) -> list[list[str]]:
    return [[item["id"] for item in json.loads(received.body)["requests"]] for received in server.received]


# --- what is sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"headers": "abc"}, r"headers \(from requests: 1\) has to be a mapping"),
        ({"headers": {"a": {}}}, r"headers \(from requests: 1\) has to be a mapping"),
        ({"headers": {"Authorization": "x"}}, "requests: 1: headers can't replace Authorization"),
        ({"headers": {"a": "b\r\nc: d"}}, "requests: 1: headers: 'a'"),
        ({"dependsOn": {"a": "b"}}, "requests: 1 has no list in dependsOn"),
        ({"dependsOn": 7}, "requests: 1 depends on 7, which is not the id of a request"),
        ({"url": "/users/a_b.com#EXT#@c.com"}, r"requests: 1 has a # in its url.*%23"),
        ({"url": "/users?$filter=a eq 'b'"}, r"requests: 1 has a blank in its url; write %20"),
        ({"url": "https://graph.microsoft.com/v1.0/users"}, "requests: 1 has no url relative to the version"),
        ({"url": ""}, "requests: 1 has no url"),
        ({"method": "FETCH"}, "requests: 1 has the method FETCH"),
        ({"uri": "/users"}, "requests: 1 has 'uri'"),
    ],
)
def test_a_request_that_graph_would_refuse_is_refused_first(call: ApiCaller, request_: Result, message: str) -> None:
    with CannedServer(respond_to(1)) as server, pytest.raises(InputError, match=message):
        call(server, url=None, requests=[{"url": "/users", **request_}])
    assert server.received == []


def test_ids_are_unique() -> None:
    with pytest.raises(InputError, match="two have the same id"):
        build_items([{"url": "/a", "id": 1}, {"url": "/b", "id": "1"}])
    assert [item["id"] for item in build_items([{"url": "/a"}, {"url": "/b", "id": 1}])] == ["2", "1"]


@given(st.lists(st.sets(st.integers(1, 6), max_size=2), min_size=1, max_size=70))
def test_a_batch_holds_twenty_at_most_and_all_that_depend_on_each_other(distances: list[set[int]]) -> None:
    # Only within sevens, so that no chain is too long.
    number = len(distances)
    requests = [
        {"url": "/u", "dependsOn": [str(n + 1 - back) for back in backs if back <= n % 7]}
        for n, backs in enumerate(distances)
    ]
    batches = split_into_batches(build_items(requests))
    assert sorted(int(item["id"]) for one in batches for item in one) == list(range(1, number + 1))
    for one in batches:
        ids = {item["id"] for item in one}
        assert len(one) <= 20
        assert all(set(item.get("dependsOn", ())) <= ids for item in one)


def test_a_chain_that_is_too_long_for_a_batch_is_refused() -> None:
    requests = [{"url": "/u", "id": n, "dependsOn": [n - 1] if n else []} for n in range(21)]
    with pytest.raises(InputError, match="21 depend on each other"):
        split_into_batches(build_items(requests))


# --- what comes back ----------------------------------------------------------------------------------------------


def test_the_responses_are_returned_under_that_name(call: ApiCaller) -> None:
    requests = [{"url": "/users", "id": "a"}, {"url": "/groups", "id": "b"}]
    first = respond({"id": "b", "status": 200, "body": {"id": 2}}, {"id": "a", "status": 200, "headers": {"x": "y"}})
    with CannedServer(first) as server:
        result = call(server, url=None, requests=requests)
    assert result["responses"] == [
        {"id": "a", "status": 200, "headers": {"x": "y"}, "body": None},
        {"id": "b", "status": 200, "headers": {}, "body": {"id": 2}},
    ]
    assert (result["result"], result["count"], result["pages"]) == (result["responses"], 2, 1)
    assert not {"items", "keys", "values", "get"} & set(result)


@pytest.mark.parametrize(
    ("method", "status", "changed"), [("GET", 200, False), ("DELETE", 204, True), ("DELETE", 404, False)]
)
def test_only_a_write_that_took_effect_is_a_change(call: ApiCaller, method: str, status: int, changed: bool) -> None:
    with CannedServer(respond_to(1, status)) as server:
        request = {"url": "/users/u", "method": method}
        assert call(server, url=None, requests=[request], status_code=[200, 204, 404])["changed"] is changed


def test_throttled_requests_are_sent_again_after_the_longest_wait(call: ApiCaller, clock: Clock) -> None:
    first = respond(
        {"id": "1", "status": 200},
        {"id": "2", "status": 429, "headers": {"Retry-After": "3"}},
        {"id": "3", "status": 503, "headers": {"retry-after": "5"}},
    )
    requests = [{"url": "/a"}, {"url": "/b"}, {"url": "/c"}]
    with CannedServer(first, respond({"id": "2", "status": 200}, {"id": "3", "status": 200})) as server:
        assert call(server, url=None, requests=requests, retry_for=10)["pages"] == 2
    assert list_ids(server) == [["1", "2", "3"], ["2", "3"]]
    assert clock.slept == [5.0]


@pytest.mark.parametrize("headers", [["Retry-After", "1"], "Retry-After: 1", 5, None, {"Retry-After": ["1"]}])
def test_headers_of_another_type_count_as_none(call: ApiCaller, clock: Clock, headers: t.Any) -> None:
    first = respond({"id": "1", "status": 429, "headers": headers})
    with CannedServer(first, respond({"id": "1", "status": 200})) as server:
        assert call(server, url=None, requests=[{"url": "/a"}], retry_for=10)["count"] == 1
    assert clock.slept == [1.0]


@pytest.mark.parametrize(
    "content", [{"responses": 5}, {"responses": {"1": {}}}, {"responses": [5, None, {"id": "1"}]}, {}, [], 5,
                {"responses": [{"id": "1", "status": "200"}]}, {"responses": [{"id": "1", "status": True}]}]
)  # fmt: skip
def test_a_response_of_another_shape_is_named(call: ApiCaller, content: t.Any) -> None:
    with CannedServer(json_answer(200, content)) as server, pytest.raises(ApiError) as failure:
        call(server, url=None, requests=[{"url": "/a"}])
    assert "lacks the responses to 1 of 1 requests" in failure.value.message
    fields = failure.value.to_fields()
    assert (fields["responses"], fields["status"], fields["changed"]) == ([], 200, False)


def test_the_responses_beside_a_missing_one_are_kept(call: ApiCaller) -> None:
    requests = [{"url": "/a", "method": "POST", "body": {}}, {"url": "/b", "method": "POST", "body": {}}]
    with (
        CannedServer(respond({"id": "2", "status": 201, "body": {"n": 2}})) as server,
        pytest.raises(ApiError) as failure,
    ):
        call(server, url=None, requests=requests)
    fields = failure.value.to_fields()
    assert [one["body"] for one in fields["responses"]] == [{"n": 2}]
    assert (fields["count"], fields["changed"]) == (1, True)
    assert "1 of 2 requests have responses, which responses holds" in failure.value.message


def test_a_batch_that_fails_keeps_the_responses_before_it(call: ApiCaller) -> None:
    requests = [{"url": "/users", "method": "POST", "body": {}}] * 40
    with (
        CannedServer(respond_to(20), json_answer(500, {})) as server,
        pytest.raises(ApiError, match=r"responded with 500.* 20 of 40 requests have responses") as failure,
    ):
        call(server, url=None, requests=requests)
    fields = failure.value.to_fields()
    assert [one["id"] for one in fields["responses"]] == [str(n) for n in range(1, 21)]
    assert (fields["count"], fields["pages"], fields["status"], fields["changed"]) == (20, 2, 500, True)


def test_a_first_batch_that_fails_has_changed_nothing(call: ApiCaller) -> None:
    with CannedServer(json_answer(500, {})) as server, pytest.raises(ApiError) as failure:
        call(server, url=None, requests=[{"url": "/users", "method": "POST"}])
    assert (failure.value.to_fields()["responses"], failure.value.to_fields()["changed"]) == ([], False)


def test_a_bad_response_fails_the_batch_by_the_name_of_its_request(call: ApiCaller) -> None:
    missing = {"id": "1", "status": 404, "body": {"error": {"code": "NotFound", "message": "No such user."}}}
    with CannedServer(respond(missing, {"id": "2", "status": 200})) as server, pytest.raises(ApiError) as failure:
        call(server, url=None, requests=[{"url": "/users/x?$select=id"}, {"url": "/b"}])
    assert failure.value.message == (
        "1 of 2 requests of the batch failed: 1 (GET /users/x) responded with 404: No such user (NotFound)."
    )
    assert "responses" in failure.value.hint
    assert [one["status"] for one in failure.value.to_fields()["responses"]] == [404, 200]


def test_a_listing_in_a_batch_is_completed(call: ApiCaller) -> None:
    first = respond({"id": "1", "status": 200, "body": {"value": [1], "@odata.nextLink": "/v1.0/users?page=2"}})
    with CannedServer(first, json_answer(200, {"value": [2]})) as server:
        result = call(server, url=None, requests=[{"url": "/users", "headers": {"Prefer": "x"}}])
    assert result["responses"][0]["body"] == {"value": [1, 2]}
    assert (server.received[1].target, server.received[1].headers["prefer"]) == ("/v1.0/users?page=2", "x")


def test_a_listing_that_breaks_off_loses_no_other_response(call: ApiCaller) -> None:
    body = {"value": [1], "@odata.nextLink": "/v1.0/users?page=2"}
    first = respond({"id": "1", "status": 200, "body": body}, {"id": "2", "status": 200, "body": {"n": 2}})
    with CannedServer(first, json_answer(500, {})) as server, pytest.raises(ApiError, match="Page 2") as failure:
        call(server, url=None, requests=[{"url": "/users"}, {"url": "/b"}])
    assert [one["body"] for one in failure.value.to_fields()["responses"]] == [body, {"n": 2}]


@given(
    st.lists(
        st.tuples(
            st.just(200),
            st.just({}),
            st.fixed_dictionaries(
                {
                    "responses": st.lists(
                        st.fixed_dictionaries(
                            {
                                "id": st.sampled_from(["1", "2", 1]),
                                "status": st.sampled_from([200, 404, 424, 429, "x"]),
                            },
                            optional={
                                "headers": json_with("Retry-After", "Link"),
                                "body": json_with("value", "error", "@odata.nextLink"),
                            },
                        ),
                        max_size=4,
                    )
                }
            )
            | json_with("responses", "id", "status", "value")
            | st.binary(max_size=9),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_responses_end_in_responses_or_an_error(responses: list[tuple[int, dict[str, str], t.Any]]) -> None:
    session: t.Any = ScriptedSession(responses)
    request = ApiRequest("POST", "http://127.0.0.1:1/v1.0/$batch")
    batch = Batch(
        session,
        request,
        retry_for=0,
        expects=lambda status: 200 <= status < 300,
        paginate=True,
        log_progress=lambda _text: None,
    )
    ends_in_value_or_error(lambda: batch.send(build_items([{"url": "/a"}, {"url": "/b", "dependsOn": ["1"]}])))


def test_the_repetitions_of_a_batch_share_one_budget(call: ApiCaller, clock: Clock) -> None:
    """The request that carries it does not get the whole budget again after a throttled response."""
    busy = json_answer(503, {}, Retry_After="4")
    throttled = respond({"id": "1", "status": 429, "headers": {"Retry-After": "4"}})
    with CannedServer(throttled, busy) as server, pytest.raises(ApiError, match="responded with 503"):
        call(server, url="/v1.0/$batch", requests=[{"url": "/me"}], retry_for=10)
    assert clock.slept == [4, 4]


@pytest.mark.parametrize(
    "headers", [{"Link": 5, "NextPageUri": ["x"]}, {"x-ms-continuation-token": {}}, {"link": None}]
)
def test_headers_of_a_response_with_values_of_another_type_name_no_page(call: ApiCaller, headers: t.Any) -> None:
    with CannedServer(respond({"id": "1", "status": 200, "headers": headers, "body": {"value": [1]}})) as server:
        (response,) = call(server, url="/v1.0/$batch", requests=[{"url": "/users"}])["responses"]
    assert response["body"] == {"value": [1]}
