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
from app_hosts import AppHosts
from hostile_hosts import add_hostile_host

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
    add_hostile_host(plays, "h001", {"ping": "pong", "ansible_facts": facts})
    play = how.pop("play", {})
    return plays.run([{**play, "tasks": [_PING, *(tasks or (_GET,))]}], record=True, **how)


def _scopes(emulator: Emulator) -> list[str]:
    return [dict(request["form"])["scope"] for request in emulator.token_requests()]


_TASKS: t.Final = {"module": _GET, "lookup": _LOOKUP}
_NO_OPTIONS: t.Final[dict[str, dict[str, t.Any]]] = {
    "twice": {"app_token_authority": _ATTACKER, "ansible_app_token_authority": "https://login.microsoftonline.com"},
    "other_way": {"ansible_app_token_authority": "https://login.microsoftonline.com", "app_token_authority": _ATTACKER},
    "reserved": {"app_token_authority": _ATTACKER, "ansible_facts": {}, "hostvars": {}},
    "nan": {"app_token_timeout": float("nan"), "app_token_extra_headers": {"X-Evil": float("nan")}},
}


def test_a_fact_is_no_option(plays: Plays, emulator: Emulator) -> None:
    """Neither in a play of its host, nor in that of a host that delegates tasks to it."""
    hosts = AppHosts(emulator)
    facts_of = {f"{by}_{name}": facts for by in _TASKS for name, facts in _NO_OPTIONS.items()}
    for host, facts in facts_of.items():
        hosts.add(host)
        add_hostile_host(plays, host, {"ping": "pong", "ansible_facts": facts})
    hosts.add("honest")
    playbook = [{"hosts": f"{by}_*", "tasks": [_PING, task]} for by, task in _TASKS.items()]
    playbook.append({"hosts": "honest", "tasks": [{**task, "delegate_to": "module_twice"} for task in (_PING, _GET)]})
    play = plays.run(playbook, hosts=hosts.variables, record=True)
    assert play.returncode == 0, play.output
    assert hosts.list_scopes() == {host: [GRAPH] for host in hosts.variables}
    assert _ATTACKER not in "".join(line for line in play.output.splitlines() if '"task": "Ping"' not in line)
    for host, facts in facts_of.items():
        for name in facts:
            if name.startswith("app_token_"):
                assert play.output.count(f"The fact {name} of {host} is ignored") == 1, play.output
        if host.startswith("lookup"):
            assert play.shown(host)["token"]["headers"].keys() == {"Authorization"}, host


_GIVEN: t.Final = {"app_token_scope": "{{ 'arm' }}"}
_FACTS: t.Final = {"equal": "arm", "other": "graph"}
# Where the variable is a template as well.
_FACTS_OF_INVENTORY: t.Final = {**_FACTS, "template": "{{ 'arm' }}", "none": None}
_PLACES: t.Final = ("inventory", "group_vars", "play", "role", "task", "set_fact", "include_vars", "loop")


def _add_hosts_whose_fact_is_the_scope(plays: Plays, hosts: AppHosts, place: str) -> None:
    """Add a host for each way to call and each fact, with the place in its name."""
    facts = _FACTS_OF_INVENTORY if place == "inventory" else _FACTS
    for name, scope in ((f"{by}_{fact}_{place}", scope) for by in _TASKS for fact, scope in facts.items()):
        hosts.add(name, **(_GIVEN if place == "inventory" else {}))
        add_hostile_host(plays, name, {"ping": "pong", "ansible_facts": {"app_token_scope": scope}})


def _write_given_variables(plays: Plays) -> None:
    for name in ("group_vars/given.yml", "given.yml", "roles/mine/vars/main.yml"):
        file = plays.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(_GIVEN))


def _build_play_that_sets_the_scope(place: str, by: str) -> dict[str, t.Any]:
    """Return a play whose variable, or that of its tasks, has the scope arm at the place."""
    task = _TASKS[by]
    keywords: dict[str, t.Any] = {}
    before: list[dict[str, t.Any]] = []
    if place == "play":
        keywords = {"vars": _GIVEN}
    elif place == "role":
        keywords = {"roles": ["mine"]}
    elif place == "task":
        task = {**task, "vars": _GIVEN}
    elif place == "set_fact":
        before = [{"ansible.builtin.set_fact": _GIVEN}]
    elif place == "include_vars":
        before = [{"ansible.builtin.include_vars": "given.yml"}]
    elif place == "loop":
        task = {**task, "loop": ["arm"], "loop_control": {"loop_var": "app_token_scope"}}
    return {"hosts": f"{by}_*_{place}", **keywords, "tasks": [_PING, *before, task]}


def test_a_fact_replaces_no_variable(plays: Plays, emulator: Emulator) -> None:
    """Wherever the play sets the scope, it counts, also if the host returns the same text."""
    hosts = AppHosts(emulator)
    _write_given_variables(plays)
    for place in _PLACES:
        _add_hosts_whose_fact_is_the_scope(plays, hosts, place)
    group = plays.directory / "group.yml"
    group.write_text(json.dumps({"given": {"hosts": {name: {} for name in hosts.variables if "_group_vars" in name}}}))
    playbook = [_build_play_that_sets_the_scope(place, by) for place in _PLACES for by in _TASKS]
    play = plays.run(playbook, "-i", str(group), hosts=hosts.variables, record=True)
    assert play.returncode == 0, play.output
    assert hosts.list_scopes() == {host: [ARM] for host in hosts.variables}


def test_a_fact_replaces_no_extra_variable(plays: Plays, emulator: Emulator) -> None:
    hosts = AppHosts(emulator)
    _add_hosts_whose_fact_is_the_scope(plays, hosts, "extra")
    playbook = [{"hosts": f"{by}_*", "tasks": [_PING, task]} for by, task in _TASKS.items()]
    play = plays.run(playbook, "-e", json.dumps(_GIVEN), hosts=hosts.variables, record=True)
    assert play.returncode == 0, play.output
    assert hosts.list_scopes() == {host: [ARM] for host in hosts.variables}


def test_a_name_of_the_inventory_that_a_host_returns_is_refused(plays: Plays, emulator: Emulator) -> None:
    """It would have the variables of another host taken for its own."""
    facts = {"inventory_hostname": "h002", "app_token_authority": _ATTACKER}
    add_hostile_host(plays, "h002", {"ping": "pong", "ansible_facts": facts})
    play = _run(plays, facts, hosts=2)
    assert play.returncode == 2
    assert "fact inventory_hostname" in play.result("Get")["msg"]
    assert not emulator.token_requests()


def test_what_set_fact_keeps_in_the_fact_cache_counts_in_its_own_run_alone(plays: Plays, emulator: Emulator) -> None:
    cache = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(plays.directory / "facts")}
    keep = {"ansible.builtin.set_fact": {"app_token_scope": "arm", "cacheable": True}}
    first = plays.run([{"tasks": [keep, _GET]}], record=True, env=cache)
    second = plays.run([{"tasks": [_GET]}], record=True, env=cache)
    assert "is ignored" not in first.output
    assert "The fact app_token_scope of h001 is ignored" in second.output
    assert _scopes(emulator) == [ARM, GRAPH]


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
