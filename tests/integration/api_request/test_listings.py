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

    from .conftest import Entry, Scene

USERS: t.Final = "/v1.0/users"
ALL: t.Final = 250
TOP: t.Final = {"$top": 20}
PAGES_OF_20: t.Final = 13


@pytest.fixture(scope="module")
def scene(new_scene: Callable[[], Scene]) -> Scene:
    """One play with all cases of this file."""
    scene = new_scene()
    busy = {"action": "status", "after": 1}
    scene.case("plain", url=USERS)
    scene.case("one_connection", url=USERS, query=TOP)
    scene.case("headers", url=USERS, query={"$count": True}, headers={"ConsistencyLevel": "eventual"})
    scene.case("select", url=USERS, query={"$select": ["id", "displayName"], "$top": 999}, max_items=1)
    scene.case("exactly", url=USERS, max_items=150)
    scene.case("one_page", url=USERS, max_items=100)
    scene.case("jmespath", url=USERS, jmespath="value[?userPrincipalName=='user0250@contoso.example'].displayName")
    scene.case("unpaged", url=USERS, paginate=False)
    scene.case("arm", url="/subscriptions", scope="arm", query={"api-version": "2022-12-01"})
    scene.case("relative", {"action": "next_link", "to": "relative"}, url=USERS)
    scene.case("empty_pages", {"action": "empty_page", "times": 100}, url=USERS)
    scene.case("loop", {"action": "next_link", "to": "loop", "times": None}, url=USERS)
    scene.case("foreign", {"action": "next_link", "to": "foreign", "after": 1}, url=USERS)
    scene.case("foreign_http", {"action": "next_link", "to": "foreign_http"}, url=USERS)
    scene.case("plain_http", {"action": "next_link", "to": "http"}, url=USERS)
    scene.case("redirect", {"action": "redirect"}, url=USERS)
    scene.case("reset", {"action": "reset_mid_body", "after": 6}, url=USERS, query=TOP)
    scene.case("dropped", {"action": "drop", "after": 1}, url=USERS)
    scene.case(
        "html", {"action": "status", "status": 503, "body": "<h1>Busy</h1>", "content_type": "text/html"}, url=USERS
    )
    scene.case("seconds", {**busy, "status": 429, "retry_after": 1}, url=USERS)
    scene.case("date", {**busy, "status": 429, "retry_after": 1, "retry_after_as": "date"}, url=USERS)
    scene.case("no_header", {**busy, "status": 429}, url=USERS)
    scene.case("too_long", {**busy, "status": 429, "retry_after": 600}, url=USERS, retry_for=5)
    scene.case(
        "refused_html",
        {"action": "status", "status": 400, "body": "<h1>s3cret</h1>", "content_type": "text/html"},
        url=USERS,
    )
    scene.case("truncated", {"action": "truncated_json", "after": 2}, url=USERS)
    scene.case("array", {"action": "json_array_200", "after": 1}, url=USERS)
    scene.case("portal", {"action": "non_json_200"}, url=USERS)
    scene.case("huge", {"action": "huge"}, url=USERS)
    scene.case("endless", {"action": "endless", "bytes": 200 * 1024 * 1024}, url=USERS)
    scene.case("ended", {"action": "expire_token", "after": 2}, url=USERS)
    scene.case("revoked", {"action": "revoke_token", "after": 1}, url=USERS)
    scene.case("challenged", {"action": "revoke_token", "after": 1, "challenge": True}, url=USERS)
    scene.case("refused", {"action": "status", "status": 401, "times": None}, url=USERS)
    scene.case("forbidden", url="/v1.0/me/messages", status_code=[404])
    scene.case("denied", url="/v1.0/users", client_id="{{ no_roles }}", client_secret="made-up~secret-of-no-roles")
    scene.case("lines", url=USERS, query=TOP, dest="users.jsonl")
    scene.case("again", url=USERS, dest="users.jsonl")
    scene.case("broken_file", {"action": "truncated_json", "after": 2}, url=USERS, dest="users.jsonl")
    scene.run("-v", no_roles="aaaaaaaa-0000-4000-8000-000000000002")
    return scene


def connections(entries: list[Entry]) -> set[str]:
    return {entry["connection"] for entry in entries}


def test_all_pages_are_one_list(scene: Scene) -> None:
    result = scene.good("plain")
    names = [user["userPrincipalName"] for user in result["value"]]
    assert names == [f"user{number:04}@contoso.example" for number in range(1, ALL + 1)]
    assert result["result"] == result["value"]
    assert (result["count"], result["pages"], result["status"], result["changed"]) == (ALL, 3, 200, False)
    assert set(result["json"]) == {"@odata.context"}
    assert result["request_id"] == result["headers"]["request-id"]


def test_all_pages_go_over_one_connection_with_one_token(scene: Scene) -> None:
    asked = scene.asked("one_connection")
    assert len(asked) == PAGES_OF_20
    assert len(connections(asked)) == 1
    assert len({entry["token"] for entry in asked}) == 1
    assert len(scene.log(listener="login")) == len({e["token"] for e in scene.log(listener="api") if e["token"]})


def test_headers_go_out_with_each_page(scene: Scene) -> None:
    assert scene.statuses("headers") == [200, 200, 200]
    assert all(("ConsistencyLevel", "eventual") in map(tuple, entry["headers"]) for entry in scene.asked("headers"))
    # It is on the first page only.
    assert scene.good("headers")["json"]["@odata.count"] == ALL


def test_a_list_for_an_option_of_odata_is_one_value(scene: Scene) -> None:
    (entry,) = scene.asked("select")
    assert parse_qs(entry["query"])["$select"] == ["id,displayName"]
    assert set(scene.good("select")["value"][0]) == {"id", "displayName"}


@pytest.mark.parametrize(("case", "items", "asked"), [("exactly", 150, 2), ("one_page", 100, 1)])
def test_max_items_stops_exactly_and_asks_for_no_page_more(scene: Scene, case: str, items: int, asked: int) -> None:
    assert (len(scene.good(case)["value"]), scene.good(case)["count"]) == (items, items)
    assert len(scene.asked(case)) == asked


def test_jmespath_sees_the_last_page_too(scene: Scene) -> None:
    assert scene.good("jmespath")["result"] == ["User 0250"]


def test_without_paging_a_page_is_an_answer(scene: Scene) -> None:
    result = scene.good("unpaged")
    assert len(scene.asked("unpaged")) == 1
    assert len(result["json"]["value"]) == 100
    assert result["result"] == result["json"]
    assert "value" not in result


def test_arm_is_listed_too(scene: Scene) -> None:
    assert [one["displayName"] for one in scene.good("arm")["value"]] == ["contoso-production", "contoso-test"]


@pytest.mark.parametrize(("case", "asked"), [("relative", 3), ("empty_pages", 103)])
def test_unusual_pages_are_followed(scene: Scene, case: str, asked: int) -> None:
    assert scene.good(case)["count"] == ALL
    assert len(scene.asked(case)) == asked
    assert len(connections(scene.asked(case))) == 1


def test_progress_is_told_with_v(scene: Scene) -> None:
    assert "entra.auth: 0 items in 99 pages so far" in scene.play.output


def test_a_circle_is_noticed(scene: Scene) -> None:
    assert "goes round in a circle" in scene.failure("loop")
    assert len(scene.asked("loop")) == 2


@pytest.mark.parametrize(
    ("case", "said", "asked"),
    [
        ("foreign", "The link to page 3 leads to https://127.0.0.1:", 2),
        ("foreign_http", "The link to page 2 leads to http://127.0.0.1:", 1),
        ("plain_http", "The link to page 2 leads to http://localhost:", 1),
        ("redirect", "leads to https://127.0.0.1:", 1),
    ],
)
def test_what_leads_elsewhere_fails_by_name_and_is_not_asked(scene: Scene, case: str, said: str, asked: int) -> None:
    assert said in scene.failure(case)
    assert "gets no token" in scene.failure(case)
    assert len(scene.asked(case)) == asked
    assert {entry["listener"] for entry in scene.asked(case)} == {"api"}


@pytest.mark.parametrize(("case", "page"), [("reset", 7), ("dropped", 2)])
def test_a_lost_connection_costs_the_page_alone(scene: Scene, case: str, page: int) -> None:
    asked = scene.asked(case)
    assert scene.good(case)["count"] == ALL
    assert asked[page - 1]["query"] == asked[page]["query"]
    assert len({entry["query"] for entry in asked}) == len(asked) - 1


@pytest.mark.parametrize(("case", "position"), [("html", 0), ("seconds", 1), ("date", 1), ("no_header", 1)])
def test_a_busy_api_is_asked_again_when_it_says(scene: Scene, case: str, position: int) -> None:
    asked = scene.asked(case)
    assert scene.good(case)["count"] == ALL
    busy, again = asked[position : position + 2]
    assert busy["status"] in (429, 503)
    assert busy["query"] == again["query"]
    wait = {"seconds": 1, "date": 0.9}.get(case, 0)
    assert again["time"] - busy["time"] >= wait
    assert len(asked) == 4


def test_a_wait_beyond_the_budget_is_not_begun(scene: Scene) -> None:
    said = scene.failure("too_long")
    assert "Page 2 of the listing" in said
    assert "asks to wait 600 s, longer than is left of retry_for (5 s)" in said
    assert scene.statuses("too_long") == [200, 429]


def test_html_is_never_repeated_to_the_reader(scene: Scene) -> None:
    assert "was answered 400: it gave no reason that could be read" in scene.failure("refused_html")
    assert "with HTML, so something else answered in its place" in scene.failure("portal")
    assert "s3cret" not in scene.play.output
    assert "sign in to this network" not in scene.play.output


def test_answers_that_are_none_are_told_from_empty_ones(scene: Scene) -> None:
    assert "Page 3 of the listing" in scene.failure("truncated")
    assert "may be cut off" in scene.failure("truncated")
    assert "Page 2 of the listing is not a JSON object" in scene.failure("array")


@pytest.mark.parametrize("case", ["huge", "endless"])
def test_an_answer_without_end_is_refused(scene: Scene, case: str) -> None:
    assert "the limit is 134217728 bytes" in scene.failure(case)
    assert len(scene.asked(case)) == 1


@pytest.mark.parametrize(("case", "page"), [("ended", 3), ("revoked", 2), ("challenged", 2)])
def test_a_token_that_ends_on_the_way_is_replaced_once(scene: Scene, case: str, page: int) -> None:
    asked = scene.asked(case)
    assert scene.good(case)["count"] == ALL
    assert [entry["status"] for entry in asked].count(401) == 1
    refused, again = asked[page - 1 : page + 1]
    assert (refused["status"], again["status"]) == (401, 200)
    assert refused["query"] == again["query"]
    assert refused["token"] != again["token"]
    assert {entry["token"] for entry in asked[page:]} == {again["token"]}


def test_a_challenge_is_answered_with_its_claims(scene: Scene) -> None:
    (claims,) = [e["requested_claims"] for e in scene.log(listener="login") if e["requested_claims"]]
    assert "nbf" in claims["access_token"]


def test_a_token_that_is_refused_again_is_a_failure_that_helps(scene: Scene) -> None:
    said = scene.failure("refused")
    assert scene.statuses("refused") == [401, 401]
    assert "was answered 401" in said
    assert "Check that scope names this API" in said
    assert "client aaaaaaaa-0000-4000-8000-000000000009" in said


def test_a_refusal_names_the_roles_the_token_has(scene: Scene) -> None:
    said = scene.failure("denied")
    result = scene.result("denied")
    assert "Insufficient privileges" in said
    assert "The token has the roles: none to be seen." in said
    assert "Grant the app the permission" in said
    assert (result["status"], result["error"]) == (403, "Authorization_RequestDenied")
    assert result["request_id"] == result["trace_id"]
    assert result["trace_id"] in said


def test_a_status_that_is_expected_is_no_failure(scene: Scene) -> None:
    result = scene.good("forbidden")
    assert (result["status"], result["json"]["error"]["code"]) == (404, "Request_ResourceNotFound")


def test_a_listing_becomes_a_file_of_lines_all_at_once(scene: Scene) -> None:
    path = scene.play.directory / "users.jsonl"
    users = [json.loads(line) for line in path.read_text().splitlines()]
    assert users == scene.good("plain")["value"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    result = scene.good("lines")
    assert (result["changed"], result["count"], result["size"]) == (True, ALL, path.stat().st_size)
    assert "value" not in result
    assert scene.good("again")["changed"] is False
    # What broke off left the file as it was, and nothing beside it.
    assert "may be cut off" in scene.failure("broken_file")
    assert not list(path.parent.glob(".users.jsonl*"))
