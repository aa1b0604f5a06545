# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listings to their last page, whatever gets in the way, over one connection and with the token for the API alone."""

from __future__ import annotations

import json
import stat
import typing as t
from urllib.parse import parse_qs

import pytest

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from entra_emulator.client import Emulator
    from plays import Plays

    from .conftest import ApiCalls, Entry

USERS: t.Final = "/v1.0/users"
ALL: t.Final = 250
TOP: t.Final = {"$top": 20}
PAGES_OF_20: t.Final = 13


@pytest.fixture(scope="module")
def calls(new_calls: Callable[[], ApiCalls]) -> ApiCalls:
    """One play with all cases of this file."""
    calls = new_calls()
    busy = {"action": "status", "after": 1}
    calls.add("plain", url=USERS)
    calls.add("one_connection", url=USERS, query=TOP)
    calls.add("headers", url=USERS, query={"$count": True}, headers={"ConsistencyLevel": "eventual"})
    calls.add("select", url=USERS, query={"$select": ["id", "displayName"], "$top": 999}, max_items=1)
    calls.add("exactly", url=USERS, max_items=150)
    calls.add("one_page", url=USERS, max_items=100)
    calls.add("jmespath", url=USERS, jmespath="value[?userPrincipalName=='user0250@contoso.example'].displayName")
    calls.add("unpaged", url=USERS, paginate=False)
    calls.add("arm", url="/subscriptions", scope="arm", query={"api-version": "2022-12-01"})
    calls.add("relative", {"action": "next_link", "to": "relative"}, url=USERS)
    calls.add("empty_pages", {"action": "empty_page", "times": 100}, url=USERS)
    calls.add("loop", {"action": "next_link", "to": "loop", "times": None}, url=USERS)
    calls.add("foreign", {"action": "next_link", "to": "foreign", "after": 1}, url=USERS)
    calls.add("foreign_http", {"action": "next_link", "to": "foreign_http"}, url=USERS)
    calls.add("plain_http", {"action": "next_link", "to": "http"}, url=USERS)
    calls.add("redirect", {"action": "redirect"}, url=USERS)
    calls.add("reset", {"action": "reset_mid_body", "after": 6}, url=USERS, query=TOP)
    calls.add("dropped", {"action": "drop", "after": 1}, url=USERS)
    calls.add(
        "html", {"action": "status", "status": 503, "body": "<h1>Busy</h1>", "content_type": "text/html"}, url=USERS
    )
    calls.add("seconds", {**busy, "status": 429, "retry_after": 1}, url=USERS)
    calls.add("date", {**busy, "status": 429, "retry_after": 1, "retry_after_as": "date"}, url=USERS)
    calls.add("no_header", {**busy, "status": 429}, url=USERS)
    calls.add("too_long", {**busy, "status": 429, "retry_after": 600}, url=USERS, retry_for=5)
    calls.add(
        "refused_html",
        {"action": "status", "status": 400, "body": "<h1>s3cret</h1>", "content_type": "text/html"},
        url=USERS,
    )
    calls.add("truncated", {"action": "truncated_json", "after": 2}, url=USERS)
    calls.add("array", {"action": "json_array_200", "after": 1}, url=USERS)
    calls.add("portal", {"action": "non_json_200"}, url=USERS)
    calls.add("huge", {"action": "huge"}, url=USERS)
    calls.add("endless", {"action": "endless", "bytes": 200 * 1024 * 1024}, url=USERS)
    calls.add("ended", {"action": "expire_token", "after": 2}, url=USERS)
    calls.add("revoked", {"action": "revoke_token", "after": 1}, url=USERS)
    calls.add("challenged", {"action": "revoke_token", "after": 1, "challenge": True}, url=USERS)
    calls.add("refused", {"action": "status", "status": 401, "times": None}, url=USERS)
    calls.add("forbidden", url="/v1.0/me/messages", status_code=[404])
    calls.add("denied", url="/v1.0/users", client_id="{{ no_roles }}", client_secret="made-up~secret-of-no-roles")
    calls.add("lines", url=USERS, query=TOP, dest="users.jsonl")
    calls.add("again", url=USERS, dest="users.jsonl")
    calls.add("broken_file", {"action": "truncated_json", "after": 2}, url=USERS, dest="users.jsonl")
    calls.run("-v", no_roles="aaaaaaaa-0000-4000-8000-000000000002")
    return calls


def connections(entries: list[Entry]) -> set[str]:
    return {entry["connection"] for entry in entries}


@pytest.mark.entry_point
def test_a_listing_is_complete_and_its_token_stays_at_the_api(plays: Plays, emulator: Emulator) -> None:
    """On each ansible-core, without the play of all other cases."""
    emulator.fault("next_link", to="foreign", endpoint="api", match="case=astray")
    astray = {"name": "Astray", "entra.auth.api_request": {"url": USERS, "query": {"case": "astray"}}}
    tasks = [{"name": "List", "entra.auth.api_request": {"url": USERS}}, {**astray, "ignore_errors": True}]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert (play.result("List")["count"], play.result("List")["pages"]) == (ALL, 3)
    assert "The link to page 2 leads to https://127.0.0.1:" in play.result("Astray")["msg"]
    assert emulator.tokens_at_strangers() == []


def test_all_pages_are_one_list(calls: ApiCalls) -> None:
    result = calls.get_success("plain")
    names = [user["userPrincipalName"] for user in result["value"]]
    assert names == [f"user{number:04}@contoso.example" for number in range(1, ALL + 1)]
    assert result["result"] == result["value"]
    assert (result["count"], result["pages"], result["status"], result["changed"]) == (ALL, 3, 200, False)
    assert set(result["json"]) == {"@odata.context"}
    assert result["request_id"] == result["headers"]["request-id"]


def test_all_pages_go_over_one_connection_with_one_token(calls: ApiCalls) -> None:
    asked = calls.list_requests("one_connection")
    assert len(asked) == PAGES_OF_20
    assert len(connections(asked)) == 1
    assert len({entry["token"] for entry in asked}) == 1
    assert len(calls.filter_log(listener="login")) == len(
        {e["token"] for e in calls.filter_log(listener="api") if e["token"]}
    )


def test_headers_go_out_with_each_page(calls: ApiCalls) -> None:
    assert calls.list_statuses("headers") == [200, 200, 200]
    assert all(
        ("ConsistencyLevel", "eventual") in map(tuple, entry["headers"]) for entry in calls.list_requests("headers")
    )
    # It is on the first page only.
    assert calls.get_success("headers")["json"]["@odata.count"] == ALL


def test_a_list_for_an_option_of_odata_is_one_value(calls: ApiCalls) -> None:
    (entry,) = calls.list_requests("select")
    assert parse_qs(entry["query"])["$select"] == ["id,displayName"]
    assert set(calls.get_success("select")["value"][0]) == {"id", "displayName"}


@pytest.mark.parametrize(("case", "items", "asked"), [("exactly", 150, 2), ("one_page", 100, 1)])
def test_max_items_stops_exactly(calls: ApiCalls, case: str, items: int, asked: int) -> None:
    assert (len(calls.get_success(case)["value"]), calls.get_success(case)["count"]) == (items, items)
    assert len(calls.list_requests(case)) == asked


def test_jmespath_sees_the_last_page_too(calls: ApiCalls) -> None:
    assert calls.get_success("jmespath")["result"] == ["User 0250"]


def test_without_paging_a_page_is_returned_as_it_is(calls: ApiCalls) -> None:
    result = calls.get_success("unpaged")
    assert len(calls.list_requests("unpaged")) == 1
    assert len(result["json"]["value"]) == 100
    assert result["result"] == result["json"]
    assert "value" not in result


def test_arm_is_listed_too(calls: ApiCalls) -> None:
    assert [one["displayName"] for one in calls.get_success("arm")["value"]] == [
        "contoso-production",
        "contoso-test",
    ]


@pytest.mark.parametrize(("case", "asked"), [("relative", 3), ("empty_pages", 103)])
def test_unusual_pages_are_followed(calls: ApiCalls, case: str, asked: int) -> None:
    assert calls.get_success(case)["count"] == ALL
    assert len(calls.list_requests(case)) == asked
    assert len(connections(calls.list_requests(case))) == 1


def test_progress_is_shown_with_v(calls: ApiCalls) -> None:
    assert "entra.auth: 0 items in 99 pages so far" in calls.play.output


def test_a_circle_is_noticed(calls: ApiCalls) -> None:
    assert "goes round in a circle" in calls.get_failure("loop")
    assert len(calls.list_requests("loop")) == 1


@pytest.mark.parametrize(
    ("case", "said", "asked"),
    [
        ("foreign", "The link to page 3 leads to https://127.0.0.1:", 2),
        ("foreign_http", "The link to page 2 leads to http://127.0.0.1:", 1),
        ("plain_http", "The link to page 2 leads to http://localhost:", 1),
        ("redirect", "leads to https://127.0.0.1:", 1),
    ],
)
def test_an_address_elsewhere_gets_no_token(calls: ApiCalls, case: str, said: str, asked: int) -> None:
    assert said in calls.get_failure(case)
    assert "gets no token" in calls.get_failure(case)
    assert len(calls.list_requests(case)) == asked
    assert {entry["listener"] for entry in calls.list_requests(case)} == {"api"}


@pytest.mark.parametrize(("case", "page"), [("reset", 7), ("dropped", 2)])
def test_only_the_page_of_a_lost_connection_is_requested_again(calls: ApiCalls, case: str, page: int) -> None:
    asked = calls.list_requests(case)
    assert calls.get_success(case)["count"] == ALL
    assert asked[page - 1]["query"] == asked[page]["query"]
    assert len({entry["query"] for entry in asked}) == len(asked) - 1


@pytest.mark.parametrize(("case", "position"), [("html", 0), ("seconds", 1), ("date", 1), ("no_header", 1)])
def test_a_busy_api_gets_the_request_again_when_it_says(calls: ApiCalls, case: str, position: int) -> None:
    asked = calls.list_requests(case)
    assert calls.get_success(case)["count"] == ALL
    busy, again = asked[position : position + 2]
    assert busy["status"] in (429, 503)
    assert busy["query"] == again["query"]
    wait = {"seconds": 1, "date": 0.9}.get(case, 0)
    assert again["time"] - busy["time"] >= wait
    assert len(asked) == 4


def test_a_wait_beyond_the_budget_is_not_begun(calls: ApiCalls) -> None:
    said = calls.get_failure("too_long")
    assert "Page 2 of the listing" in said
    assert "asks to wait 600 s, longer than is left of retry_for (5 s)" in said
    assert calls.list_statuses("too_long") == [200, 429]


def test_html_is_never_repeated_to_the_reader(calls: ApiCalls) -> None:
    assert "responded with 400: it gave no reason that could be read" in calls.get_failure("refused_html")
    assert "and HTML, so another program responded in its place" in calls.get_failure("portal")
    assert "s3cret" not in calls.play.output
    assert "sign in to this network" not in calls.play.output


def test_a_broken_page_is_not_taken_for_an_empty_one(calls: ApiCalls) -> None:
    assert "Page 3 of the listing" in calls.get_failure("truncated")
    assert "may be cut off" in calls.get_failure("truncated")
    assert "Page 2 of the listing has no list of items" in calls.get_failure("array")


@pytest.mark.parametrize("case", ["huge", "endless"])
def test_a_response_without_end_is_refused(calls: ApiCalls, case: str) -> None:
    assert "the limit is 134217728 bytes" in calls.get_failure(case)
    assert len(calls.list_requests(case)) == 1


@pytest.mark.parametrize(("case", "page"), [("ended", 3), ("revoked", 2), ("challenged", 2)])
def test_a_token_that_expires_on_the_way_is_replaced_once(calls: ApiCalls, case: str, page: int) -> None:
    asked = calls.list_requests(case)
    assert calls.get_success(case)["count"] == ALL
    assert [entry["status"] for entry in asked].count(401) == 1
    refused, again = asked[page - 1 : page + 1]
    assert (refused["status"], again["status"]) == (401, 200)
    assert refused["query"] == again["query"]
    assert refused["token"] != again["token"]
    assert {entry["token"] for entry in asked[page:]} == {again["token"]}


def test_a_challenge_is_answered_with_its_claims(calls: ApiCalls) -> None:
    (claims,) = [e["requested_claims"] for e in calls.filter_log(listener="login") if e["requested_claims"]]
    assert "nbf" in claims["access_token"]


def test_a_token_that_is_refused_again_is_a_failure_with_a_fix(calls: ApiCalls) -> None:
    said = calls.get_failure("refused")
    assert calls.list_statuses("refused") == [401, 401]
    assert "responded with 401" in said
    assert "Check that scope names this API" in said
    assert "client aaaaaaaa-0000-4000-8000-000000000009" in said


def test_a_403_names_the_roles_of_the_token(calls: ApiCalls) -> None:
    said = calls.get_failure("denied")
    result = calls.get_result("denied")
    assert "Insufficient privileges" in said
    assert "No roles can be read from the token." in said
    assert "Grant the app the permission" in said
    assert (result["status"], result["error"]) == (403, "Authorization_RequestDenied")
    assert result["request_id"] == result["trace_id"]
    assert result["trace_id"] in said


def test_a_status_that_is_expected_is_no_failure(calls: ApiCalls) -> None:
    result = calls.get_success("forbidden")
    assert (result["status"], result["json"]["error"]["code"]) == (404, "Request_ResourceNotFound")


def test_a_listing_becomes_a_file_of_lines_all_at_once(calls: ApiCalls) -> None:
    path = calls.play.directory / "users.jsonl"
    users = [json.loads(line) for line in path.read_text().splitlines()]
    assert users == calls.get_success("plain")["value"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    result = calls.get_success("lines")
    assert (result["changed"], result["count"], result["size"]) == (True, ALL, path.stat().st_size)
    assert "value" not in result
    assert calls.get_success("again")["changed"] is False
    # What broke off left the file as it was, and nothing beside it.
    assert "may be cut off" in calls.get_failure("broken_file")
    assert not list(path.parent.glob(".users.jsonl*"))
