# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service that has a bad day, and failures that are shared."""

from __future__ import annotations

import socket
import typing as t

from cache_tasks import gaps, get, look_up
from canned_server import CannedServer, silence

from plays import role, show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

_BOUNDS: t.Final = {"timeout": 2, "retry_for": 5}
_ONCE: t.Final = "once for the whole run (force_refresh requests again)"
_OWN_TASKS: t.Final = ("Get token", "Look up", "Get forced")


def failures(play: Play, task: str) -> list[dict[str, t.Any]]:
    """The results of all hosts that failed in a task."""
    return [one["result"] for one in play.events() if (one["event"], one["task"]) == ("failed", task)]


_HTML: t.Final = {"status": 503, "body": "<html>busy</html>", "content_type": "text/html"}
_BAD_DAYS: t.Final = {
    "seconds": {"action": "status", "status": 429, "retry_after": 2},
    "date": {"action": "status", "status": 429, "retry_after": 2, "retry_after_as": "date"},
    "html": {"action": "status", **_HTML, "times": 2},
    "drop": {"action": "drop"},
    "reset": {"action": "drop", "reset": True},
    "reset_mid_body": {"action": "reset_mid_body"},
    "slow": {"action": "slow", "seconds": 60},
}


def test_busy_answers_and_lost_connections_are_repeated(plays: Plays, emulator: Emulator) -> None:
    """Each call ends well, with exactly the requests that takes, and no sooner than the service asked."""
    apps = {name: emulator.add_app(secret="made-up~secret")["client_id"] for name in _BAD_DAYS}
    for name, fault in _BAD_DAYS.items():
        emulator.fault(**fault, client_id=apps[name])
    bounds = {"slow": {"timeout": 3}}
    tasks = [
        get(name, client_id=apps[name], client_secret="made-up~secret", **bounds.get(name, {})) for name in _BAD_DAYS
    ]
    shown = show(**{name: f"{name}.correlation_id" for name in _BAD_DAYS})
    play = plays.run([{"tasks": [*tasks, shown]}], record=True)
    assert play.returncode == 0, play.output
    sent = {
        name: [entry for entry in emulator.token_requests() if ["client_id", client_id] in entry["form"]]
        for name, client_id in apps.items()
    }
    assert {name: [entry["fault"] for entry in entries] for name, entries in sent.items()} == {
        name: [*[fault["action"]] * fault.get("times", 1), None] for name, fault in _BAD_DAYS.items()
    }
    assert gaps(sent["seconds"])[0] >= 2
    assert gaps(sent["date"])[0] >= 1  # a date has whole seconds
    for name, entries in sent.items():
        assert [sorted(entry["form"]) for entry in entries] == [sorted(entries[0]["form"])] * len(entries)
        # A repetition is the same request for Entra's log.
        assert {dict(entry["headers"])["client-request-id"] for entry in entries} == {play.shown()[name]}


def test_all_hosts_wait_for_the_one_that_was_throttled(plays: Plays, emulator: Emulator) -> None:
    """Of 8 forks one asks, waits and asks again; the others trust its word, though that is longer than timeout."""
    emulator.fault("status", status=429, retry_after=6)
    tasks = [get(timeout=4), look_up(", timeout=4"), show(source="token.source")]
    play = plays.run([{"tasks": tasks}], hosts=8, forks=8, record=True)
    assert play.returncode == 0, play.output
    sources = [play.shown(f"h{number:03}")["source"] for number in range(1, 9)]
    assert sorted(sources) == ["cache"] * 7 + ["network"]
    assert [entry["status"] for entry in emulator.token_requests()] == [429, 200]
    assert gaps(emulator.token_requests())[0] >= 6


def test_a_wait_longer_than_retry_for_is_not_begun(plays: Plays, emulator: Emulator) -> None:
    """One request for all hosts, a message with the wait and the option; without any patience a 503 ends it as well."""
    emulator.fault("status", status=429, retry_after=300)
    emulator.fault("status", **_HTML, times=None)
    tasks = [
        {**get("throttled", retry_for=5), "ignore_errors": True},
        {**get("busy", retry_for=0), "ignore_errors": True},
    ]
    play = plays.run([{"tasks": tasks}], hosts=8, forks=8, record=True)
    assert play.returncode == 0, play.output
    throttled = failures(play, "Get throttled")
    assert len(throttled) == 8
    for result in throttled:
        assert "asks to wait 300 s" in result["msg"]
        assert "retry_for" in result["hint"]
    assert len([result for result in failures(play, "Get busy") if "503" in result["msg"]]) == 8
    assert "busy</html>" not in play.output
    assert [entry["status"] for entry in emulator.token_requests()] == [429, 503]


def test_a_request_to_ask_again_is_obeyed_until_retry_for_is_over(plays: Plays, emulator: Emulator) -> None:
    """At the interval that it names, not at the usual 5 seconds; then the last answer is the error."""
    emulator.fault("authorization_pending", interval=1, times=None)
    play = plays.run([{"tasks": [get(retry_for=3)]}], record=True)
    assert play.returncode == 2
    assert play.result("Get token")["error"] == "authorization_pending"
    waits = gaps(emulator.token_requests())
    assert 1 <= len(waits) <= 3
    assert min(waits) >= 1


# --- what one caller met, the others need not meet again ---------------------------------------------------------


def test_a_refused_secret_is_asked_once(plays: Plays, emulator: Emulator) -> None:
    """For 10 hosts, by each entry point; a corrected secret is sent again, and force_refresh sends one request."""
    wrong = {"app_token_client_secret": "made-up~but-wrong"}
    patient = {"ignore_errors": True}
    play = plays.run(
        [
            {"vars": wrong, "tasks": [{**get(), **patient}, {**look_up(), **patient}]},
            {
                "vars": wrong,
                "hosts": "h001,h002,h003",
                "tasks": [{"block": [role("app_token")], "rescue": [{"ansible.builtin.debug": {}}]}],
            },
            {"tasks": [get("right"), show(source="right.source")]},
            {"vars": wrong, "tasks": [{**get("forced", force_refresh=True), **patient, "run_once": True}]},
        ],
        hosts=10,
        forks=10,
        record=True,
    )
    assert play.returncode == 0, play.output
    by_module, by_lookup = failures(play, "Get token"), failures(play, "Look up")
    assert (len(by_module), len(by_lookup)) == (10, 10)
    by_role = [one["result"] for one in play.events() if one["event"] == "failed" and one["task"] not in _OWN_TASKS]
    assert len(by_role) == 3
    for result in (*by_module, *by_lookup, *by_role, *failures(play, "Get forced")):
        assert "AADSTS7000215" in result["msg"]
        assert "To fix it: Give the secret's Value as client_secret" in result["msg"]
    sources = [play.shown(f"h{number:03}")["source"] for number in range(1, 11)]
    assert sorted(sources) == ["cache"] * 9 + ["network"]
    assert [entry["status"] for entry in emulator.token_requests()] == [401, 200, 401]
    # Each message says whether it is the first one; 1 of the module, none of the others, and the forced one.
    assert [_ONCE in result["msg"] for result in by_module].count(False) == 1
    assert all(_ONCE in result["msg"] for result in (*by_lookup, *by_role))


def test_a_network_that_is_down_is_tried_by_one_host(plays: Plays) -> None:
    """A server that never answers sees the attempts of one host out of 10, and so does a door that is shut."""
    with CannedServer(silence) as silent, socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        door = f"http://127.0.0.1:{shut.getsockname()[1]}"
        tasks = [
            {**get("silent", authority=silent.url, **_BOUNDS), "ignore_errors": True},
            {**look_up(f", authority='{silent.url}', **bounds"), "ignore_errors": True},
            {**get("shut", authority=door, **_BOUNDS), "ignore_errors": True},
        ]
        # Few forks, because a caller that waits goes on without a host that is late by more than some seconds.
        play = plays.run([{"tasks": tasks}], hosts=10, forks=5, record=True, bounds=_BOUNDS)
    assert play.returncode == 0, play.output
    # One attempt at once, the next without a pause, and a third one would come after retry_for.
    assert len(silent.received) == 2
    for task, words in {"Get silent": "did not respond completely", "Get shut": "Connection refused"}.items():
        messages = [result["msg"] for result in failures(play, task)]
        assert len([message for message in messages if words in message]) == 10
        assert [_ONCE in message for message in messages].count(False) == 1
    assert all(_ONCE in result["msg"] for result in failures(play, "Look up"))
