# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role ``app_token``: its fact, and the variables that stay valid after it."""

from __future__ import annotations

import json
import typing as t

import pytest
from app_hosts import AppHosts
from hostile_hosts import add_hostile_host
from leaks import Markers

from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS
from plays import role, show, uri

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

GRAPH: t.Final = "https://graph.microsoft.com/.default"
ARM: t.Final = "https://management.azure.com/.default"
USERS: t.Final = "{{ lookup('env', 'ENTRA_AUTH_API_BASE_URL') }}/v1.0/users?$top=1"
SUBSCRIPTIONS: t.Final = "{{ lookup('env', 'ENTRA_AUTH_API_BASE_URL') }}/subscriptions?api-version=2022-12-01"
# The environment without a credential: what is not frozen is not there.
NO_CREDENTIAL: t.Final = {"ENTRA_AUTH_CLIENT_ID": None, "ENTRA_AUTH_CLIENT_SECRET": None}

_SAME: t.Final = "app_token_headers.Authorization == app_token.authorization"


def _audiences(emulator: Emulator) -> list[str]:
    return [entry["claims"]["aud"] for entry in emulator.requests(listener="api")]


def _statuses(emulator: Emulator) -> list[int]:
    return [entry["status"] for entry in emulator.requests(listener="api")]


def _token(emulator: Emulator) -> str:
    """The token of the last call of an API."""
    headers = {name.lower(): value for name, value in emulator.requests(listener="api")[-1]["headers"]}
    return t.cast("str", headers["authorization"]).removeprefix("Bearer ")


@pytest.mark.entry_point
def test_facts_live_side_by_side(plays: Plays, emulator: Emulator) -> None:
    """One under the usual name, one renamed; each is what the module returns, and no more."""
    play = plays.run(
        [
            {
                "tasks": [
                    role("app_token"),
                    role("app_token", app_token_fact="arm_token", app_token_scope="arm"),
                    {"entra.auth.app_token": {}, "register": "module"},
                    show(app_token="app_token", arm_token="arm_token", module="module"),
                ]
            }
        ],
        record=True,
    )
    assert play.returncode == 0, play.output
    graph, arm, module = (play.shown()[name] for name in ("app_token", "arm_token", "module"))
    assert (graph["scope"], arm["scope"]) == (GRAPH, ARM)
    assert graph["claims"]["roles"][0] == "User.Read.All"
    assert graph.keys() == arm.keys() == module.keys() - {"changed", "failed"}
    assert {name: type(value) for name, value in graph.items()} == {name: type(module[name]) for name in graph}
    assert graph["access_token"] == module["access_token"] != arm["access_token"]
    assert len(emulator.token_requests()) == 2


_AFTER: t.Final = [
    uri(SUBSCRIPTIONS, "app_token_uri"),
    show(headers="app_token_headers", fact="app_token.authorization"),
]
_ROLE: t.Final = {"name": "entra.auth.app_token"}
_ARM: t.Final = {"app_token_scope": "arm"}


_WAYS: t.Final[dict[str, dict[str, t.Any]]] = {
    "roles": {"roles": [{"role": "entra.auth.app_token", **_ARM}], "tasks": _AFTER},
    "import_role": {"tasks": [{"import_role": _ROLE, "vars": _ARM}, *_AFTER]},
    "include_role": {"tasks": [{"include_role": {**_ROLE, "public": True}, "vars": _ARM}, *_AFTER]},
    "dependency": {"roles": ["consumer"], "tasks": _AFTER},
}


def test_the_variables_work_after_the_role(plays: Plays, emulator: Emulator) -> None:
    """In each way to call a role, they keep the scope it was called with."""
    hosts = AppHosts(emulator)
    consumer = plays.directory / "roles/consumer"
    for part, content in {
        "meta": {"dependencies": [{"role": "entra.auth.app_token", **_ARM}]},
        "tasks": [uri(SUBSCRIPTIONS, "app_token_uri")],
    }.items():
        consumer.joinpath(part).mkdir(parents=True)
        consumer.joinpath(part, "main.yml").write_text(json.dumps(content))
    for way in _WAYS:
        hosts.add(way)
    play = plays.run(
        [{"hosts": way, **keywords} for way, keywords in _WAYS.items()], hosts=hosts.variables, record=True
    )
    assert play.returncode == 0, play.output
    for way in _WAYS:
        assert play.shown(way)["headers"] == {"Authorization": play.shown(way)["fact"]}, way
    assert set(_statuses(emulator)) == {200}
    assert _audiences(emulator) == ["https://management.azure.com"] * (len(_WAYS) + 1)
    assert hosts.list_scopes() == {way: [ARM] for way in _WAYS}


@pytest.mark.entry_point
def test_what_the_role_was_called_with_stays(plays: Plays, emulator: Emulator) -> None:
    """Tenant, client, secret, scope and headers were its parameters, and nothing else knows them."""
    app = emulator.add_app(secret="made-up~secret-of-the-role", subscriptions=["c0000000-0000-4000-8000-000000000003"])
    parameters = {
        "app_token_tenant_id": "contoso.example",
        "app_token_client_id": app["client_id"],
        "app_token_client_secret": "made-up~secret-of-the-role",
        "app_token_scope": ["arm"],
        "app_token_extra_headers": {"X-Team": "blue"},
        "app_token_cache": "none",
    }
    play = plays.run(
        [
            {
                "tasks": [
                    role("app_token", **parameters),
                    uri(SUBSCRIPTIONS, "app_token_uri"),
                    show(headers="app_token_headers"),
                ]
            }
        ],
        record=True,
        env={**NO_CREDENTIAL, "ENTRA_AUTH_TENANT_ID": None},
    )
    assert play.returncode == 0, play.output
    sent = emulator.token_requests()
    assert {entry["path"] for entry in sent} == {"/contoso.example/oauth2/v2.0/token"}
    assert {json.dumps(sorted(entry["form"])) for entry in sent} == {json.dumps(sorted(sent[0]["form"]))}
    assert dict(sent[0]["form"])["client_secret"] == "made-up~secret-of-the-role"
    assert dict(sent[0]["form"])["scope"] == ARM
    assert len(sent) == 3, "the role did not keep app_token_cache"
    assert play.result("Call")["json"]["value"][0]["displayName"] == "contoso-locked"
    assert play.shown()["headers"]["X-Team"] == "blue"


def test_a_variable_that_is_empty_or_misspelt_counts_as_not_set(plays: Plays, emulator: Emulator) -> None:
    """For every type of option: AWX makes an empty variable of a survey's field that is left empty.

    A misspelt one is warned of, because it would otherwise be a token for another API; other variables of that prefix
    are none of the role's business.
    """
    empty = {f"app_token_{name}": "" for name in OPTIONS}
    misspelt = {"app_token_scpoe": "arm", "app_token_of_my_own": 1, "app_token_fact": "mine"}
    shown = show(credential="app_token.credential", headers="app_token_headers | length")
    playbook = [
        {"hosts": "empty", "tasks": [role("app_token", **empty), shown]},
        {"hosts": "misspelt", "tasks": [role("app_token", **misspelt), show(scope="mine.scope")]},
    ]
    play = plays.run(playbook, hosts={"empty": {}, "misspelt": {}}, record=True)
    assert play.returncode == 0, play.output
    assert play.shown("empty")["credential"] == "client_secret"
    assert play.shown("misspelt") == {"scope": GRAPH}
    message = "The variable app_token_scpoe is not an option of the role. If it is misspelt, use app_token_scope."
    assert message in " ".join(play.output.split())
    assert play.output.count("is not an option of the role") == 1
    assert len(emulator.token_requests()) == 1


def test_force_refresh_is_for_the_role_s_own_call(plays: Plays, emulator: Emulator) -> None:
    """The variables after it are evaluated at each use, and take what is in the cache."""
    use = {"ansible.builtin.debug": {"msg": "{{ app_token_headers | length }} {{ app_token_uri | length }}"}}
    tasks = [role("app_token", app_token_force_refresh=True), {**use, "loop": [1, 2, 3]}]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert len(emulator.token_requests()) == 1


def test_the_variables_choose_the_credential_that_the_role_chose(plays: Plays, emulator: Emulator) -> None:
    """A role's variables are the call itself, so a credential of the environment never counts."""
    env = {
        **dict.fromkeys(NO_CREDENTIAL),
        "AZURE_CLIENT_CERTIFICATE_PATH": str(plays.directory / "not-there.pem"),
    }
    own = {"app_token_client_id": emulator.client_id, "app_token_client_secret": emulator.client_secret}
    tasks = [role("app_token", **own), show(credential="app_token.credential", same=_SAME)]
    play = plays.run([{"tasks": tasks}], record=True, env=env)
    assert play.returncode == 0, play.output
    assert play.shown() == {"credential": "client_secret", "same": True}
    assert len(emulator.token_requests()) == 1


def test_the_variables_stay_fresh_in_a_play_longer_than_a_token_lives(plays: Plays, emulator: Emulator) -> None:
    """The fact ends with its token; the variables do not, neither in a later task nor in a later loop item."""
    emulator.configure(token_lifetime=8)
    looped = {**uri(USERS, "app_token_uri"), "loop": [1, 2], "loop_control": {"pause": 9}}
    ended = {
        "name": "Late",
        "ansible.builtin.uri": {"url": USERS, "headers": "{{ app_token.headers }}", "status_code": 401},
    }
    play = plays.run([{"tasks": [role("app_token"), looped, ended]}], record=True)
    assert play.returncode == 0, play.output
    assert _statuses(emulator) == [200, 200, 401]
    assert len(emulator.token_requests()) >= 2


def test_each_host_has_its_own(plays: Plays, emulator: Emulator) -> None:
    """Facts and variables of two hosts with apps of their own; the unreachable kind of host works as well."""
    other = emulator.add_app(secret="made-up~secret-of-h002")
    mine = {
        "h001": [emulator.client_id, emulator.client_secret],
        "h002": [other["client_id"], "made-up~secret-of-h002"],
    }
    play = plays.run(
        [
            {
                "vars": {
                    "mine": mine,
                    "ansible_connection": "{{ 'ssh' if inventory_hostname == 'h001' else 'winrm' }}",
                    "ansible_host": "192.0.2.1",
                },
                "tasks": [
                    role(
                        "app_token",
                        app_token_client_id="{{ mine[inventory_hostname][0] }}",
                        app_token_client_secret="{{ mine[inventory_hostname][1] }}",
                    ),
                    show(client="app_token.client_id", headers="app_token_headers", fact="app_token.headers"),
                ],
            }
        ],
        hosts=2,
        record=True,
    )
    assert play.returncode == 0, play.output
    one, two = play.shown("h001"), play.shown("h002")
    assert (one["client"], two["client"]) == (emulator.client_id, other["client_id"])
    assert one["headers"] == one["fact"] != two["fact"] == two["headers"]


def test_a_later_play_has_the_fact_and_may_call_the_role_again(plays: Plays, emulator: Emulator) -> None:
    """What an earlier call was given does not leak into the next one, whose token comes from the cache."""
    play = plays.run(
        [
            {"tasks": [role("app_token"), role("app_token", app_token_scope="arm", app_token_fact="arm_token")]},
            {"tasks": [show(facts="[app_token.scope, arm_token.scope]")]},
            {"tasks": [role("app_token", app_token_fact="third"), show(third="third", headers="app_token_headers")]},
        ],
        record=True,
    )
    assert play.returncode == 0, play.output
    assert play.all_shown()[0] == {"facts": [GRAPH, ARM]}
    third = play.shown()["third"]
    assert (third["scope"], third["source"]) == (GRAPH, "cache")
    assert play.shown()["headers"] == third["headers"]
    assert len(emulator.token_requests()) == 2


def test_no_token_and_no_secret_in_a_fact_cache_or_an_event(plays: Plays, emulator: Emulator) -> None:
    """With facts kept in files, at -vvv; a fact that is meant for the cache is there."""
    cache = plays.directory / "facts"
    tasks = [
        {"ansible.builtin.set_fact": {"marker": "made-up-marker", "cacheable": True}},
        role("app_token", app_token_client_secret="{{ lookup('env', 'MADE_UP') }}"),
        {
            "name": "Get it",
            "entra.auth.app_token": {"client_secret": "{{ lookup('env', 'MADE_UP') }}"},
            "register": "token",
        },
        uri(USERS, "app_token_uri"),
        role(
            "authorized_uri",
            authorized_uri_url="/v1.0/organization",
            app_token_client_secret="{{ lookup('env', 'MADE_UP') }}",
        ),
    ]
    play = plays.run(
        [{"tasks": tasks}],
        "-vvv",
        record=True,
        env={
            "ENTRA_AUTH_CLIENT_SECRET": None,
            "MADE_UP": emulator.client_secret,
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(cache),
        },
    )
    assert play.returncode == 0, play.output
    kept = "".join(path.read_text() for path in cache.rglob("*") if path.is_file())
    assert "made-up-marker" in kept
    for secret in (_token(emulator), emulator.client_secret, json.dumps(emulator.client_secret)[1:-1]):
        assert secret not in kept
        assert secret not in play.output
    assert len(emulator.token_requests()) == 1


def test_why_there_is_no_token_is_readable(plays: Plays, emulator: Emulator) -> None:
    """The failure is not censored, and holds no secret; a value of the wrong type never gets to a request."""
    hosts = {
        "wrong_secret": {"app_token_client_secret": "made-up~but-wrong"},
        "wrong_type": {"app_token_client_secret": emulator.client_secret, "app_token_min_validity": "made-up"},
    }
    env = NO_CREDENTIAL | {"ENTRA_AUTH_CLIENT_ID": emulator.client_id}
    play = plays.run([{"tasks": [role("app_token")]}], hosts=hosts, record=True, env=env)
    assert play.returncode == 2
    assert "AADSTS7000215" in play.result("Get the token", "wrong_secret")["msg"]
    assert "app_token_min_validity" in play.result("Get the token", "wrong_type")["msg"]
    assert "made-up~but-wrong" not in play.output
    assert len(emulator.token_requests()) == 1


# --- what the role keeps for its variables ----------------------------------------------------------------------

_CALL: t.Final = "made-up~secret-of-the-call"
_HAVE_NO_TOKEN: t.Final = (
    "The variables app_token_headers and app_token_uri have no token, because the role entra.auth.app_token has not "
    "run for this host. To fix it: Run the role for this host before the task that uses them"
)
_USE: t.Final = {"name": "Use", "ansible.builtin.debug": {"msg": "{{ app_token_headers | length }}"}}


def test_no_variable_of_any_host_holds_a_secret_of_the_credential(plays: Plays, emulator: Emulator) -> None:
    """All that another host can see of the one that called the role, and all that its own tasks can see."""
    app = emulator.add_app(secret=_CALL)
    call = role("app_token", app_token_client_id=app["client_id"], app_token_client_secret=_CALL)
    variables = {name: f"{{{{ {name} | to_json }}}}" for name in ("hostvars", "__app_token_call", "__app_token_result")}
    dump = {"ansible.builtin.copy": {"content": "{{ item }}", "dest": str(plays.directory / "dump") + "-{{ index }}"}}
    dump |= {"loop": list(variables.values()), "loop_control": {"index_var": "index"}, "when": "not is_other"}
    other = "{{ inventory_hostname == 'h002' }}"
    look = {**show(seen="hostvars['h001'] | to_json"), "name": "Other", "when": "is_other"}
    tasks = [{**call, "when": "not is_other"}, dump, look, {**_USE, "when": "not is_other"}]
    play = plays.run([{"tasks": tasks, "vars": {"is_other": other}}], hosts=2, record=True)
    assert play.returncode == 0, play.output
    markers = Markers({"client secret": _CALL})
    seen = play.shown("h002")["seen"]
    assert "__app_token_call" in seen
    assert markers.in_text(play.output + seen, "output") == []
    for path in sorted(plays.directory.glob("dump-*")):
        assert app["client_id"] in path.read_text() or "entra.auth.app_token:" in path.read_text()
        assert markers.in_text(path.read_text(), str(path)) == []
    assert len(emulator.token_requests()) == 1


def test_the_variables_survive_clear_facts_without_a_cache(plays: Plays, emulator: Emulator) -> None:
    """What the role keeps is no fact of the host, and its key is not in the cache of tokens.

    A secret that looks like a template survives as well, from the role's parameter to the wire.
    """
    secret = "made-up~{{ 7 * 7 }}{% raw %}{# \\n"
    app = emulator.add_app(secret=secret, roles={"graph": ["User.Read.All"]})
    playbook = f"""
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: entra.auth.app_token
        public: true
      vars:
        app_token_client_id: {app["client_id"]}
        app_token_client_secret: !unsafe '{secret}'
        app_token_cache: none
    - ansible.builtin.meta: clear_facts
    - ansible.builtin.uri:
        url: "{USERS}"
      module_defaults:
        ansible.builtin.uri: "{{{{ app_token_uri }}}}"
      loop: [1, 2]
"""
    play = plays.run(playbook, env=NO_CREDENTIAL)
    assert play.returncode == 0, play.output
    assert _statuses(emulator) == [200, 200]
    sent = [dict(entry["form"]) for entry in emulator.token_requests()]
    assert [(form["client_id"], form["client_secret"]) for form in sent] == [(app["client_id"], secret)] * 3
    assert secret not in play.output


_SKIPPED: t.Final = {"app_token_client_id": "made-up~other-app", "app_token_client_secret": "made-up~other-secret"}


def test_a_role_that_was_skipped_leaves_no_token(plays: Plays, emulator: Emulator) -> None:
    """The environment's app is not the one that the role would have been called with, nor is that of another host."""
    ran = {"import_role": _ROLE, "when": "inventory_hostname == 'ran'"}
    skipped: dict[str, dict[str, t.Any]] = {
        "roles": {"roles": [{"role": "entra.auth.app_token", "when": False, **_SKIPPED}]},
        "import_role": {"pre_tasks": [{"import_role": _ROLE, "vars": _SKIPPED, "when": False}]},
        "other": {"hosts": "ran,other", "pre_tasks": [ran]},
    }
    use = {**_USE, "ignore_errors": True}
    playbook = [{"hosts": way, **keywords, "tasks": [use]} for way, keywords in skipped.items()]
    play = plays.run(playbook, hosts={host: {} for host in ("ran", *skipped)}, record=True)
    for way in skipped:
        assert _HAVE_NO_TOKEN in play.result("Use", way)["msg"], way
    assert play.result("Use", "ran")["msg"] in (1, "1")
    assert len(emulator.token_requests()) == 1


def test_a_later_play_that_skips_the_role_uses_the_call_that_was_made(plays: Plays, emulator: Emulator) -> None:
    """As it should where the role is for hosts that have no token yet."""
    app = emulator.add_app(secret=_CALL)
    own = {"app_token_client_id": app["client_id"], "app_token_client_secret": _CALL}
    call = {"role": "entra.auth.app_token", "when": "app_token is not defined", **own}
    tasks = [show(same=_SAME, client="app_token.client_id")]
    play = plays.run([{"roles": [call]}, {"roles": [call], "tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown() == {"same": True, "client": app["client_id"]}
    assert len(emulator.token_requests()) == 1


def test_one_call_for_all_hosts(plays: Plays, emulator: Emulator) -> None:
    """With run_once, which sets facts for all hosts."""
    call = {"import_role": _ROLE, "run_once": True}
    play = plays.run([{"tasks": [call, show(same=_SAME)]}], hosts=3, record=True)
    assert play.returncode == 0, play.output
    assert [play.shown(name)["same"] for name in ("h001", "h002", "h003")] == [True] * 3
    assert len(emulator.token_requests()) == 1


def test_a_host_can_t_say_what_the_role_was_called_with(plays: Plays, emulator: Emulator) -> None:
    """A fact of the attacker's is not read; with the weight of a parameter, it can't be decrypted."""
    hosts = AppHosts(emulator)
    calls = {"sealed": "entra.auth.app_token:QUJD", "text": "made-up", "template": "{{ 7 * 7 }}"}
    for host, call in calls.items():
        facts = {"__app_token_call": call, "app_token_fact": "ansible_become_user", "__app_token_result": {"fact": "x"}}
        add_hostile_host(plays, host, {"ansible_facts": facts})
        hosts.add(host, call=call)
    tasks = [
        {"import_role": _ROLE, "when": False},
        {"name": "Ping", "ansible.builtin.ping": {}},
        {**_USE, "ignore_errors": True},
        {**_USE, "name": "Forged", "vars": {"__app_token_call": "{{ call }}"}, "ignore_errors": True},
        role("app_token"),
        show(same=_SAME),
    ]
    play = plays.run([{"tasks": tasks}], hosts=hosts.variables, record=True)
    assert play.returncode == 0, play.output
    forged = "__app_token_call was not set by the role entra.auth.app_token in this run"
    for host in calls:
        assert _HAVE_NO_TOKEN in play.result("Use", host)["msg"], host
        assert forged in play.result("Forged", host)["msg"], host
        assert play.shown(host) == {"same": True}, host
    assert hosts.list_scopes() == {host: [GRAPH] for host in calls}
