# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every api_request: bad input costs no request, nothing secret is shown, the token stays at home."""

from __future__ import annotations

import typing as t

import pytest
from leaks import Markers

from entra_emulator import seed

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from entra_emulator.client import Emulator
    from plays import Plays

    from .conftest import ApiCalls

USERS: t.Final = "/v1.0/users"
SECRET: t.Final = "made-up~secret-of-operator"
BODY_SECRET: t.Final = "made-up~b0dy-secret"

BAD: t.Final[dict[str, tuple[dict[str, t.Any], str]]] = {
    "nothing": ({}, "api_request needs a url"),
    "mistyped": ({"ulr": USERS}, "'ulr' is not an option of api_request. To fix it: Write url instead of ulr."),
    "method": ({"url": USERS, "method": "FETCH"}, "method (from option method) is 'FETCH'"),
    "body_of_get": ({"url": USERS, "body": {"a": 1}}, "A GET has no body"),
    "both": ({"url": USERS, "method": "POST", "body": {}, "src": "x"}, "body and src exclude each other"),
    "file_selected": ({"url": USERS, "dest": "x", "jmespath": "value"}, "dest and jmespath exclude each other"),
    "no_items": ({"url": USERS, "max_items": 0}, "max_items is 0"),
    "jmespath": ({"url": USERS, "jmespath": "value["}, "'value[' is not a JMESPath expression"),
    "status": ({"url": USERS, "status_code": "good"}, "has to be a list of whole numbers"),
    "query": ({"url": USERS, "query": ["a"]}, "has to be a mapping"),
    "nested": ({"url": USERS, "query": {"a": {"b": "c"}}}, "'a' is a mapping"),
    "header": ({"url": USERS, "headers": {"Authorization": "Bearer x"}}, "headers can't replace Authorization"),
    "line_break": ({"url": USERS, "headers": {"A": "b\r\nC: d"}}, "holds a line break"),
    "form": ({"url": USERS, "method": "POST", "body": ["a"], "body_format": "form"}, "has to be a mapping or text"),
    "no_directory": ({"url": USERS, "dest": "missing/x"}, "can't be written: No such file or directory"),
    "a_directory": ({"url": USERS, "dest": "/tmp"}, "dest /tmp is a directory"),
    "mode": ({"url": USERS, "dest": "x", "mode": "rw"}, "mode is not an octal file mode"),
    "no_file": ({"url": USERS, "method": "POST", "src": "nowhere.bin"}, "src nowhere.bin"),
    "arm_with_graph": ({"url": "https://management.azure.com/subscriptions"}, "which gets no token"),
    "stranger": ({"url": "https://graph.microsoft.com.example/v1.0/users"}, "which gets no token"),
    "user_name": ({"url": "https://graph.microsoft.com@stranger.example/"}, "not a plain http or https URL"),
    "backslash": ({"url": "https://stranger.example\\@localhost/"}, "not a plain http or https URL"),
    "clear": ({"url": "http://graph.microsoft.com/v1.0/users"}, "which is not https"),
    "not_a_host": ({"url": USERS, "allowed_hosts": ["https://x/"]}, "is not the name of a host"),
    "no_base": ({"url": "/secrets", "scope": "key_vault"}, "has no base URL of its own"),
    "cut_off": ({"url": "/v1.0/users/ann_contoso.example#EXT#@fabrikam.example"}, "url holds a #"),
    "a_directory_to_send": ({"url": USERS, "method": "PUT", "src": "/tmp"}, "src /tmp"),
    "batch_headers": ({"requests": [{"url": "/users", "headers": "abc"}]}, "headers (from requests: 1) has to be"),
    "batch_url": ({"requests": [{"url": "https://stranger.example/"}]}, "has no url relative to the version"),
    "batch_member": ({"requests": [{"url": "/users", "uri": "x"}]}, "requests: 1 has 'uri'"),
    "batch_ids": ({"requests": [{"url": "/users", "id": "a"}, {"url": "/users", "id": "a"}]}, "two have the same id"),
    "batch_dependency": ({"requests": [{"url": "/users", "dependsOn": ["x"]}]}, "depends on x, which is not the id"),
    "batch_with_body": ({"requests": [{"url": "/users"}], "body": {}}, "body and requests exclude each other"),
}


@pytest.fixture(scope="module")
def calls(new_calls: Callable[[], ApiCalls]) -> ApiCalls:
    """One play with all bad input."""
    calls = new_calls()
    for name, (arguments, _said) in BAD.items():
        calls.add_task(name, {"entra.auth.api_request": arguments})
    calls.add_task("asynchronous", {"entra.auth.api_request": {"url": USERS}, "async": 10, "poll": 1})
    calls.run(env={"ENTRA_AUTH_API_BASE_URL": None})
    return calls


@pytest.mark.parametrize("name", BAD)
def test_bad_input_says_what_to_do(calls: ApiCalls, name: str) -> None:
    assert BAD[name][1] in calls.get_failure(name)


def test_bad_input_costs_no_request(calls: ApiCalls) -> None:
    assert calls.filter_log() == []


def test_async_is_refused_with_an_alternative(calls: ApiCalls) -> None:
    assert "With wait, the module awaits long-running operations" in str(calls.get_result("asynchronous"))


def test_nothing_secret_is_shown_or_left_behind(plays: Plays, emulator: Emulator) -> None:
    options = {"client_id": seed.OPERATOR, "client_secret": "{{ secret }}"}
    user = {"jobTitle": "Tester", "passwordProfile": {"password": "{{ body_secret }}"}}
    tasks: list[dict[str, t.Any]] = [
        {"url": USERS, "max_items": 2},
        {"url": "/v1.0/nothing"},
        {"url": USERS, "headers": {"ConsistencyLevel": "eventual"}, "dest": "users.jsonl"},
        {"url": "/v1.0/users/user0001@contoso.example", "method": "PATCH", "body": user},
        {"requests": [{"url": "/organization"}]},
        {"url": f"{emulator.urls.foreign}/v1.0/users"},
    ]
    emulator.fault("status", endpoint="/v1.0/nothing", status=401)
    listed = [{"entra.auth.api_request": task, "ignore_errors": True, "loop": [1]} for task in tasks]
    play = plays.run(
        [{"tasks": listed, "module_defaults": {"group/entra.auth.entra": options}}],
        "-vvvvv",
        "--diff",
        env={"ANSIBLE_DEBUG": "1", "ENTRA_AUTH_CLIENT_SECRET": None},
        secret=SECRET,
        body_secret=BODY_SECRET,
    )
    assert "user0001@contoso.example" in play.output, "nothing was shown at all"
    assert len(emulator.requests(path="/v1.0/nothing")) == 2
    tokens = {f"token {number}": token for number, token in enumerate(emulator.issued()["token"])}
    assert len(tokens) >= 2
    markers = Markers({"client secret": SECRET, "body": BODY_SECRET, **tokens}, but_lines=b"extra_vars|inventory")
    assert markers.in_text(play.output, "output") == []
    assert not list(plays.home.rglob("*.jsonl"))


def test_a_listing_outlives_its_token(plays: Plays, emulator: Emulator) -> None:
    emulator.configure(token_lifetime=6, latency=0.3, page_size=12)
    play = plays.run([{"tasks": [{"name": "List", "entra.auth.api_request": {"url": USERS}}]}], record=True)
    assert play.result("List")["count"] == 250
    asked = emulator.requests(listener="api")
    assert [entry["status"] for entry in asked] == [200] * 21
    assert len({entry["token"] for entry in asked}) >= 2


def test_a_refused_token_is_renewed_once_more_if_claims_are_asked_for_then(plays: Plays, emulator: Emulator) -> None:
    """A plain 401 brings a new token, which the API challenges: that is another reason, so another renewal."""
    emulator.revoke(emulator.client_id, challenge=True)
    emulator.fault("status", endpoint="graph", status=401)
    play = plays.run(
        [{"tasks": [{"name": "List", "entra.auth.api_request": {"url": USERS, "max_items": 1}}]}], record=True
    )
    assert play.result("List")["count"] == 1, play.output
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [401, 401, 200]
    claims = ["claims" in dict(entry["form"]) for entry in emulator.token_requests()]
    assert claims == [False, False, True]


def test_a_401_that_is_expected_is_a_success(plays: Plays, emulator: Emulator) -> None:
    emulator.fault("status", endpoint="graph", status=401, times=None)
    task = {"name": "Ask", "entra.auth.api_request": {"url": USERS, "status_code": [401]}}
    play = plays.run([{"tasks": [task]}], record=True)
    assert play.result("Ask")["status"] == 401, play.output
    assert len(emulator.requests(listener="api")) == 1
    assert len(emulator.token_requests()) == 1


def test_a_host_that_the_user_names_gets_the_token(plays: Plays, emulator: Emulator) -> None:
    host = emulator.urls.foreign.partition("://")[2]
    task = {"url": f"{emulator.urls.foreign}/v1.0/users", "allowed_hosts": [host]}
    play = plays.run([{"tasks": [{"name": "Ask", "entra.auth.api_request": task}]}], record=True)
    assert play.result("Ask")["count"] == 0
    (entry,) = emulator.tokens_at_strangers()
    assert entry["path"] == "/v1.0/users"
