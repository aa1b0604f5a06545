# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that returns facts with the names of options decides nothing about the tokens of the control node.

The host's interpreter is a script of the attacker's, which answers every module with the facts of its choice.
"""

from __future__ import annotations

import json
import typing as t

import pytest

from plays import role, show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

_PING: t.Final = {"name": "Ping", "ansible.builtin.ping": {}}
_GET: t.Final = {"name": "Get", "entra.auth.app_token": {"cache": "none"}}
_LOOKUP: t.Final = show(token="lookup('entra.auth.app_token', cache='none', output='token') | dict2items | items2dict")
# Nothing listens there: a request to it fails the play.
_ATTACKER: t.Final = "http://127.0.0.1:9/attacker"
_SHOWN_SCOPE: t.Final = show(scope="app_token.scope")
GRAPH: t.Final = "https://graph.microsoft.com/.default"
ARM: t.Final = "https://management.azure.com/.default"


def _run(plays: Plays, facts: dict[str, t.Any], *tasks: dict[str, t.Any], **how: t.Any) -> Play:
    """A play on a host that answers every module with these facts."""
    node = plays.directory / "hostile-python"
    answer = json.dumps({"changed": False, "ping": "pong", "ansible_facts": facts})
    node.write_text(f"#!/bin/sh\ncat > /dev/null\ncat <<'END'\n{answer}\nEND\n")
    node.chmod(0o755)
    play = how.pop("play", {})
    how.setdefault("record", True)
    arguments = how.pop("arguments", ())
    return plays.run(
        [{**play, "tasks": [_PING, *(tasks or (_GET,))]}], *arguments, ansible_python_interpreter=str(node), **how
    )


def _scopes(emulator: Emulator) -> list[str]:
    return [dict(request["form"])["scope"] for request in emulator.token_requests()]


@pytest.mark.parametrize("task", [_GET, _LOOKUP], ids=["module", "lookup"])
@pytest.mark.parametrize(
    "facts",
    [
        {"app_token_authority": _ATTACKER},
        {"app_token_proxy": _ATTACKER},
        {"app_token_api_base_url": _ATTACKER},
        {"app_token_authority": _ATTACKER, "ansible_app_token_authority": "https://login.microsoftonline.com"},
        {"ansible_app_token_authority": "https://login.microsoftonline.com", "app_token_authority": _ATTACKER},
        {"app_token_authority": _ATTACKER, "ansible_facts": {}, "hostvars": {}},
        {"app_token_timeout": float("nan"), "app_token_extra_headers": {"X-Evil": float("nan")}},
    ],
)
def test_a_fact_is_no_option(plays: Plays, emulator: Emulator, task: dict[str, t.Any], facts: dict[str, t.Any]) -> None:
    play = _run(plays, facts, task)
    assert play.returncode == 0, play.output
    assert _scopes(emulator) == [GRAPH]
    assert _ATTACKER not in play.output.replace(json.dumps(facts), "").split("Get")[-1]
    for name in facts:
        if name.startswith("app_token_"):
            assert play.output.count(f"The fact {name} of h001 is ignored") == 1, play.output
    if task is _LOOKUP:
        assert play.shown()["token"]["headers"].keys() == {"Authorization"}


@pytest.mark.parametrize("task", [_GET, _LOOKUP], ids=["module", "lookup"])
@pytest.mark.parametrize("fact", [{"scope": "{{ 'arm' }}"}, {"scope": "arm"}, {"scope": "graph"}, {"scope": None}])
@pytest.mark.parametrize(
    "place", ["inventory", "group_vars", "play", "role", "task", "extra", "set_fact", "include_vars", "loop"]
)
def test_a_fact_replaces_no_variable(
    plays: Plays, emulator: Emulator, task: dict[str, t.Any], fact: dict[str, t.Any], place: str
) -> None:
    """Wherever the play sets the scope, it counts, also if the host returns the same text."""
    facts = {f"app_token_{name}": value for name, value in fact.items()}
    given = {"app_token_scope": "{{ 'arm' }}"}
    how: dict[str, t.Any] = {}
    tasks = [task]
    if place == "inventory":
        how = given
    elif place in ("group_vars", "include_vars"):
        file = plays.directory / ("group_vars/all.yml" if place == "group_vars" else "given.yml")
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(given))
        tasks = [{"ansible.builtin.include_vars": str(file)}, task] if place == "include_vars" else tasks
    elif place == "play":
        how["play"] = {"vars": given}
    elif place == "role":
        (plays.directory / "roles/mine/vars").mkdir(parents=True)
        (plays.directory / "roles/mine/vars/main.yml").write_text(json.dumps(given))
        how["play"] = {"roles": ["mine"]}
    elif place == "task":
        tasks = [{**task, "vars": given}]
    elif place == "extra":
        how["arguments"] = ("-e", json.dumps(given))
    elif place == "set_fact":
        tasks = [{"ansible.builtin.set_fact": given}, task]
    else:
        tasks = [{**task, "loop": ["arm"], "loop_control": {"loop_var": "app_token_scope"}}]
    play = _run(plays, facts, *tasks, **how)
    assert play.returncode == 0, play.output
    assert _scopes(emulator) == [ARM]


def test_a_name_of_the_inventory_that_a_host_returns_is_refused(plays: Plays, emulator: Emulator) -> None:
    """It would have the variables of another host taken for its own."""
    play = _run(plays, {"inventory_hostname": "h002", "app_token_authority": _ATTACKER}, hosts=2)
    assert play.returncode == 2
    assert "fact inventory_hostname" in play.result("Get")["msg"]
    assert not emulator.token_requests()


def test_a_fact_from_the_fact_cache_is_no_option(plays: Plays, emulator: Emulator) -> None:
    cache = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(plays.directory / "facts")}
    first = _run(plays, {"app_token_authority": _ATTACKER}, env=cache)
    second = plays.run([{"tasks": [_GET]}], record=True, env=cache)
    assert (first.returncode, second.returncode) == (0, 0), second.output
    assert "The fact app_token_authority of h001 is ignored" in second.output
    assert _scopes(emulator) == [GRAPH, GRAPH]


def test_what_set_fact_keeps_in_the_fact_cache_counts_in_its_own_run_alone(plays: Plays, emulator: Emulator) -> None:
    cache = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(plays.directory / "facts")}
    keep = {"ansible.builtin.set_fact": {"app_token_scope": "arm", "cacheable": True}}
    first = plays.run([{"tasks": [keep, _GET]}], record=True, env=cache)
    second = plays.run([{"tasks": [_GET]}], record=True, env=cache)
    assert "is ignored" not in first.output
    assert "The fact app_token_scope of h001 is ignored" in second.output
    assert _scopes(emulator) == [ARM, GRAPH]


def test_facts_of_a_delegated_task_are_facts_all_the_same(plays: Plays, emulator: Emulator) -> None:
    ping = {**_PING, "delegate_to": "h002"}
    play = _run(plays, {"app_token_authority": _ATTACKER}, ping, {**_GET, "delegate_to": "h002"}, hosts=2)
    assert play.returncode == 0, play.output
    assert set(_scopes(emulator)) == {GRAPH}


def test_an_expression_of_the_play_may_refer_to_a_fact(plays: Plays, emulator: Emulator) -> None:
    play = _run(plays, {"wanted": "arm"}, app_token_scope="{{ wanted }}")
    assert play.returncode == 0, play.output
    assert _scopes(emulator) == [ARM]


def test_facts_that_ansible_does_not_inject_are_no_variables(plays: Plays, emulator: Emulator) -> None:
    facts = {"app_token_scope": "graph", "app_token_timeout": 7}
    env = {"ANSIBLE_INJECT_FACT_VARS": "false"}
    play = _run(plays, facts, env=env, play={"vars": {"app_token_scope": "arm", "app_token_timeout": 7}})
    assert play.returncode == 0, play.output
    assert "is ignored" not in play.output
    assert _scopes(emulator) == [ARM]


def test_a_mapping_that_ansible_merges_with_a_fact_is_refused(plays: Plays, emulator: Emulator) -> None:
    facts = {"app_token_extra_headers": {"X-Evil": "1"}}
    env = {"ANSIBLE_HASH_BEHAVIOUR": "merge"}
    play = _run(plays, facts, env=env, play={"vars": {"app_token_extra_headers": {"X-Own": "1"}}})
    assert play.returncode == 2
    assert "hash_behaviour = merge" in play.result("Get")["msg"]
    assert not emulator.token_requests()


def test_a_fact_is_not_a_variable_of_the_role(plays: Plays, emulator: Emulator) -> None:
    play = _run(plays, {"app_token_fact": "elsewhere", "app_token_scope": "arm"}, role("app_token"), _SHOWN_SCOPE)
    assert play.returncode == 0, play.output
    assert play.shown()["scope"] == GRAPH
    assert _scopes(emulator) == [GRAPH]


def test_a_misspelt_variable_of_the_role_is_named(plays: Plays) -> None:
    play = plays.run([{"tasks": [role("app_token", app_token_scpoe="arm")]}], record=True)
    assert play.returncode == 0, play.output
    assert play.output.count("The variable app_token_scpoe is not an option of the role") == 1
    assert "use app_token_scope." in " ".join(play.output.split())


@pytest.mark.parametrize("public", [True, False])
def test_a_fact_does_not_replace_what_the_role_provides(plays: Plays, emulator: Emulator, public: bool) -> None:
    """Arguments of a host's choice would have a task on the control node send a file of it, for example."""
    names = ("app_token_uri", "app_token_headers")
    facts: dict[str, t.Any] = {name: {"src": "/etc/passwd"} for name in names}
    shown = show(uri="app_token_uri", headers="app_token_headers")
    by_role: dict[str, t.Any] = {"roles": ["entra.auth.app_token"]} if not public else {}
    tasks = [role("app_token"), shown] if public else [shown]
    play = _run(plays, facts, *tasks, play={**by_role, "pre_tasks": [_PING]})
    assert play.returncode == 0, play.output
    assert "src" not in play.shown()["uri"]
    assert play.shown()["uri"]["headers"].keys() == play.shown()["headers"].keys() == {"Authorization"}
