# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ``app_token``: its result, its request, and the play keywords around it."""

from __future__ import annotations

import base64
import json
import time
import typing as t
import uuid
from datetime import datetime, timezone

import pytest
from cache_tasks import get

from plays import show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

GRAPH: t.Final = "https://graph.microsoft.com/.default"
ARM: t.Final = "https://management.azure.com/.default"
# Everything a task registers: the contract's keys, and what Ansible itself adds.
REGISTERED: t.Final = {
    "access_token": str,
    "token_type": str,
    "authorization": str,
    "headers": dict,
    "expires_in": int,
    "expires_on": int,
    "expires_at": str,
    "scope": str,
    "api_url": str,
    "cloud": str,
    "tenant_id": str,
    "client_id": str,
    "credential": str,
    "source": str,
    "claims": dict,
    "correlation_id": str,
    "changed": bool,
    "failed": bool,
}


def _claims_of(access_token: str) -> dict[str, t.Any]:
    payload = access_token.split(".")[1]
    return t.cast("dict[str, t.Any]", json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


@pytest.mark.entry_point
def test_the_result_is_what_the_documentation_says(plays: Plays, emulator: Emulator) -> None:
    """Every field, its type and its value; the second task gets the same token from the cache."""
    before = int(time.time())
    play = plays.run(
        [{"tasks": [get(), get("again"), show(token="token", again="again")]}],
        record=True,
    )
    assert play.returncode == 0, play.output
    token, again = play.shown()["token"], play.shown()["again"]
    assert {name: type(value) for name, value in token.items()} == REGISTERED
    assert token["token_type"] == "Bearer"
    assert token["authorization"] == f"Bearer {token['access_token']}"
    assert token["headers"] == {"Authorization": token["authorization"]}
    assert 3500 < token["expires_in"] <= 3599
    assert before + 3599 <= token["expires_on"] <= time.time() + 3599
    assert token["expires_at"] == datetime.fromtimestamp(token["expires_on"], timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    assert token["scope"] == GRAPH
    assert token["api_url"] == emulator.urls.api
    assert token["cloud"] == "public"
    assert (token["tenant_id"], token["client_id"]) == (emulator.tenant_id, emulator.client_id)
    assert token["credential"] == "client_secret"
    assert token["claims"] == _claims_of(token["access_token"])
    assert token["claims"]["appid"] == emulator.client_id
    assert not token["changed"]
    assert (token["source"], again["source"]) == ("network", "cache")
    unchanged = REGISTERED.keys() - {"source", "expires_in"}
    assert {name: again[name] for name in unchanged} == {name: token[name] for name in unchanged}
    assert again["expires_in"] <= token["expires_in"]


def test_one_post_with_exactly_the_fields_of_the_grant(plays: Plays, emulator: Emulator) -> None:
    """No discovery, no field twice or empty, and the headers a client of Entra sends."""
    play = plays.run([{"tasks": [get(), show(token="token")]}], record=True)
    assert play.returncode == 0, play.output
    (sent,) = emulator.requests()
    assert (sent["listener"], sent["method"], sent["query"]) == ("login", "POST", "")
    assert sent["path"] == f"/{emulator.tenant_id}/oauth2/v2.0/token"
    assert sorted(map(tuple, sent["form"])) == [
        ("client_id", emulator.client_id),
        ("client_secret", emulator.client_secret),
        ("grant_type", "client_credentials"),
        ("scope", GRAPH),
    ]
    headers = {name.lower(): value for name, value in sent["headers"]}
    assert len(headers) == len(sent["headers"]), "a header came twice"
    assert headers["accept"] == "application/json"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["user-agent"].startswith("ansible-collection-entra.auth")
    assert str(uuid.UUID(headers["client-request-id"])) == headers["client-request-id"]
    assert headers["client-request-id"] == play.shown()["token"]["correlation_id"]
    assert headers["return-client-request-id"] == "true"
    assert not {"authorization", "cookie"} & headers.keys()


_FURTHER_ANSWERS: t.Final[tuple[dict[str, t.Any], ...]] = (
    {"expires_in": "string"},
    {"expires_in": "float"},
    {"clock_offset": 7200},
)


@pytest.mark.parametrize(
    "settings",
    [{"opaque_tokens": True}, *(pytest.param(row, marks=pytest.mark.thorough) for row in _FURTHER_ANSWERS)],
    ids=lambda settings: "-".join(map(str, *settings.items())),
)
def test_the_types_hold_for_every_answer(plays: Plays, emulator: Emulator, settings: dict[str, t.Any]) -> None:
    """Lifetimes as text or fraction, a service whose clock is ahead, a token nobody can read."""
    emulator.configure(**settings)
    play = plays.run([{"tasks": [get(), show(token="token")]}], record=True)
    assert play.returncode == 0, play.output
    token = play.shown()["token"]
    assert {name: type(value) for name, value in token.items()} == REGISTERED
    assert 3500 < token["expires_in"] <= 3599
    assert time.time() + 3500 < token["expires_on"] <= time.time() + 3599
    assert bool(token["claims"]) != bool(settings.get("opaque_tokens"))


def test_check_mode_gets_the_token_and_diff_shows_nothing(plays: Plays, emulator: Emulator) -> None:
    """A token request changes nothing, so it is made; there is nothing to compare."""
    play = plays.run([{"tasks": [get(), show(token="token")]}], "--check", "--diff", record=True)
    assert play.returncode == 0, play.output
    token = play.shown()["token"]
    assert (token["source"], token["changed"]) == ("network", False)
    assert len(emulator.token_requests()) == 1
    assert "diff" not in play.result("Get token")
    assert token["access_token"] not in str(play.result("Get token"))


SECRET: t.Final = "made-up~secret-of-the-arguments"
ACTIONS: t.Final = ("app_token", "app_token_cache", "api_request", "authorized_uri", "preflight")


@pytest.mark.parametrize("strategy", [pytest.param("linear", marks=pytest.mark.thorough), "free"])
def test_async_is_refused_before_any_request(plays: Plays, emulator: Emulator, strategy: str) -> None:
    """With what to do instead, and with the secrets of the arguments hidden."""
    tasks = [
        {
            "name": f"{name} {poll}",
            f"entra.auth.{name}": {"client_secret": "{{ secret }}"},
            "async": 10,
            "poll": poll,
            "ignore_errors": True,
        }
        for name in ACTIONS
        for poll in (0, 1)
    ]
    env = {"ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true"}
    play = plays.run([{"tasks": tasks, "strategy": strategy, "vars": {"secret": SECRET}}], "-vvv", env=env)
    assert play.returncode == 0, play.output
    for name in ACTIONS:
        for poll in (0, 1):
            shown = " ".join(play.output.partition(f"TASK [{name} {poll}")[2].partition("\nTASK [")[0].split())
            assert f"{name} does not support async, because its work needs the control node." in shown, poll
            assert "To fix it: Remove async." in shown, (name, poll)
    assert SECRET not in play.output
    assert emulator.requests() == []


WRONG: t.Final[tuple[dict[str, t.Any], ...]] = (
    {},
    {"client_secrte": "{{ secret }}"},
    {"timeout": "soon"},
    {"scope": "no-such-api"},
    {"refresh_tkoen": "{{ secret }}"},
    {"client_secret": {"a": ["{{ secret }}"]}},
)


@pytest.mark.parametrize(
    "some", [pytest.param(WRONG[:2], marks=pytest.mark.entry_point, id="each-kind"), pytest.param(WRONG[2:], id="more")]
)
def test_the_arguments_of_a_failed_task_are_hidden(plays: Plays, some: tuple[dict[str, t.Any], ...]) -> None:
    """As callbacks see them that show or store arguments, whichever of the arguments is wrong."""
    cases = [(name, wrong) for name in ACTIONS for wrong in some]
    tasks: list[dict[str, t.Any]] = []
    for name, wrong in cases:
        arguments = {"client_secret": "{{ secret }}", "client_id": "no-such-app", **wrong}
        task = {"name": f"{name} {[*wrong]}", f"entra.auth.{name}": arguments, "ignore_errors": True}
        looped = {**task, "name": f"Loop {task['name']}", "loop": [1]}
        tasks += [task, {**looped, "vars": {"app_token_proxy": "{{ undefined_variable }}"}}]
    env = {"ANSIBLE_STDOUT_CALLBACK": "record_arguments"}
    play = plays.run([{"tasks": tasks, "vars": {"secret": SECRET}, "strategy": "free"}], env=env)
    assert play.returncode == 0, play.output
    for task in tasks:
        assert f'"task": "{task["name"]}"' in play.output
    assert [line for line in play.output.splitlines() if SECRET in line] == []


def test_play_keywords_change_nothing_about_it(plays: Plays, emulator: Emulator) -> None:
    """become, delegate_to, run_once and loop: every host has its token, and all have the same."""
    looped = {**get("looped", scope="{{ item }}"), "loop": ["graph", "arm"], "no_log": True}
    play = plays.run(
        [
            {
                "tasks": [
                    {**get("became"), "become": True, "become_user": "nobody"},
                    {**get("delegated"), "delegate_to": "nowhere.invalid"},
                    {**get("once"), "run_once": True},
                    looped,
                    show(
                        became="became.access_token",
                        delegated="delegated.access_token",
                        once="once.access_token",
                        looped="looped.results | map(attribute='scope') | list",
                        graph="looped.results[0].access_token",
                    ),
                ]
            }
        ],
        hosts=2,
        record=True,
    )
    assert play.returncode == 0, play.output
    seen = [play.shown(host) for host in ("h001", "h002")]
    assert len({values[name] for values in seen for name in ("became", "delegated", "once", "graph")}) == 1
    assert [values["looped"] for values in seen] == [[GRAPH, ARM]] * 2
    assert len(emulator.token_requests()) == 2


def test_hosts_nobody_can_reach_get_their_token(plays: Plays, emulator: Emulator) -> None:
    """Windows, and a machine that is not there: nothing runs on the target."""
    play = plays.run(
        [
            {
                "vars": {
                    "ansible_host": "192.0.2.1",
                    "ansible_connection": "{{ {'h001': 'winrm', 'h002': 'ssh', 'h003': 'psrp'}[inventory_hostname] }}",
                    "ansible_shell_type": "{{ 'sh' if inventory_hostname == 'h002' else 'powershell' }}",
                },
                "tasks": [get(), show(scope="token.scope")],
            }
        ],
        hosts=3,
        record=True,
    )
    assert play.returncode == 0, play.output
    assert [play.shown(host)["scope"] for host in ("h001", "h002", "h003")] == [GRAPH] * 3
    assert len(emulator.token_requests()) == 1


def test_module_defaults_reach_it_by_its_group(plays: Plays) -> None:
    """``group/entra.auth.entra`` for a whole play; the task's own options are stronger."""
    play = plays.run(
        [
            {
                "module_defaults": {"group/entra.auth.entra": {"scope": "arm", "extra_headers": {"X-Team": "blue"}}},
                "tasks": [get(), get("own", scope="graph"), show(token="token", own="own")],
            }
        ],
        record=True,
    )
    assert play.returncode == 0, play.output
    token, own = play.shown()["token"], play.shown()["own"]
    assert (token["scope"], own["scope"]) == (ARM, GRAPH)
    assert token["headers"]["X-Team"] == own["headers"]["X-Team"] == "blue"


def test_an_unknown_option_is_refused_with_the_one_that_was_meant(plays: Plays, emulator: Emulator) -> None:
    """No request is made with half of what was asked for."""
    play = plays.run([{"tasks": [get(tennant_id="contoso.example")]}], record=True)
    assert play.returncode == 2
    failure = play.result("Get token")
    assert "'tennant_id'" in failure["msg"]
    assert failure["hint"] == "Write tenant_id instead of tennant_id."
    assert emulator.requests() == []


def test_extra_headers_go_beside_authorization(plays: Plays, emulator: Emulator) -> None:
    """They reach the API, are no part of the token, and can't replace Authorization."""
    tasks = [
        get(extra_headers={"ConsistencyLevel": "eventual", "X-Count": 3}),
        {
            "name": "Call",
            "ansible.builtin.uri": {"url": "{{ token.api_url }}/v1.0/organization", "headers": "{{ token.headers }}"},
        },
        get("plain"),
        {**get("forged", extra_headers={"authorization": "Basic made-up"}), "ignore_errors": True},
        show(token="token", plain="plain"),
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    token, plain = play.shown()["token"], play.shown()["plain"]
    assert token["headers"] == {
        "ConsistencyLevel": "eventual",
        "X-Count": "3",
        "Authorization": token["authorization"],
    }
    assert (plain["source"], plain["headers"]) == ("cache", {"Authorization": token["authorization"]})
    (called,) = emulator.requests(listener="api")
    assert {"ConsistencyLevel": "eventual", "X-Count": "3"}.items() <= _titled(called["headers"]).items()
    assert "can't replace Authorization" in play.result("Get forged")["msg"]


def _titled(pairs: list[list[str]]) -> dict[str, str]:
    spelled = {"consistencylevel": "ConsistencyLevel", "x-count": "X-Count"}
    return {spelled.get(name.lower(), name): value for name, value in pairs}


def test_required_roles_are_checked_by_name(plays: Plays, emulator: Emulator) -> None:
    """A token that has them passes; the message about one that lacks some names those, and how to grant them."""
    tasks = [
        get(required_roles=["User.Read.All", "Group.Read.All"]),
        {**get("lacking", required_roles=["User.Read.All", "Mail.Send"]), "ignore_errors": True},
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    failure = play.result("Get lacking")
    assert "lacks the app roles Mail.Send." in failure["msg"]
    assert "admin consent" in failure["hint"]
    assert len(emulator.token_requests()) == 1


@pytest.mark.entry_point
def test_a_refusal_is_readable_and_has_its_fields(plays: Plays, emulator: Emulator) -> None:
    """What was asked, what Entra said, what to do; the ids are those of the request that was refused."""
    play = plays.run([{"tasks": [get(client_secret="made-up~but-wrong")]}], record=True)
    assert play.returncode == 2
    failure = play.result("Get token")
    (sent,) = emulator.token_requests()
    assert failure["error"] == "invalid_client"
    assert failure["error_codes"] == [7000215]
    assert failure["correlation_id"] == dict(sent["headers"])["client-request-id"]
    assert uuid.UUID(failure["trace_id"])
    assert failure["hint"] in failure["msg"]
    for part in (
        "AADSTS7000215",
        emulator.tenant_id,
        emulator.client_id,
        "client_secret",
        "graph",
        failure["trace_id"],
    ):
        assert part in failure["msg"]
    assert "made-up~but-wrong" not in play.output
    assert not failure["changed"]
