# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``run_on: target``: the managed identity of the task's host, whose token is for that host, and nothing is shown."""

from __future__ import annotations

import ast
import json
import shlex
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import pytest
from canned_server import CannedServer, json_answer
from channels import Channels
from hostile_hosts import add_hostile_host
from leaks import Markers

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import CREDENTIALS
from plays import role, show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

IDENTITY: t.Final = "aaaaaaaa-0000-4000-8000-000000000102"
NO_IDENTITY: t.Final = json_answer(400, {"error": "bad_request_102"})
# The virtual machine's service at which nothing listens: the control node is on no Azure machine.
NOWHERE: t.Final = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:9"}
LOOKUP: t.Final = "lookup('entra.auth.app_token', run_on='target', output='token')"


def _get(task: str = "Get", /, **options: t.Any) -> dict[str, t.Any]:
    return {"name": task, "entra.auth.app_token": {"run_on": "target", **options}, "register": "token"}


def _host(plays: Plays, name: str, *switches: str, **environment: str) -> None:
    """Give a host a Python with an environment, or switches, of its own."""
    assigned = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
    path = plays.directory / f"python-on-{name}"
    path.write_text(f'#!/bin/sh\nexec env {assigned} {shlex.join([sys.executable, *switches])} "$@"\n')
    path.chmod(0o755)
    variables = plays.directory / "host_vars"
    variables.mkdir(exist_ok=True)
    (variables / f"{name}.yml").write_text(json.dumps({"ansible_python_interpreter": str(path)}))


def _on_azure(plays: Plays, url: str, *names: str) -> None:
    """Let hosts be virtual machines of Azure, with a metadata service at that URL."""
    for name in names:
        _host(plays, name, AZURE_POD_IDENTITY_AUTHORITY_HOST=url)


def _token_answer(text: str = "canned-token") -> bytes:
    content = {"token_type": "Bearer", "access_token": text, "expires_in": "86399", "resource": "made-up"}
    return json_answer(200, content)


def test_each_host_has_a_managed_identity_of_its_own(plays: Plays, emulator: Emulator) -> None:
    """Asked there, told apart in the cache, and only the selector of the identity is sent along."""
    remote = plays.directory / "remote"
    with CannedServer(NO_IDENTITY, _token_answer()) as other:
        _on_azure(plays, emulator.urls.platform, "h001")
        _on_azure(plays, other.url, "h002")
        get = _get(managed_identity_client_id=IDENTITY)
        found = LOOKUP.replace("run_on", f"managed_identity_client_id='{IDENTITY}', run_on") + ".access_token"
        tasks = [get, get, show(token="token", found=found)]
        env = {**NOWHERE, "ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TEMP": str(remote)}
        play = plays.run([{"tasks": tasks}], hosts=2, record=True, env=env)
    assert play.returncode == 0, play.output
    first, second = (play.shown(name) for name in ("h001", "h002"))
    assert second["token"]["access_token"] == second["found"] == "canned-token"
    assert first["token"]["access_token"] == first["found"] != "canned-token"
    assert first["token"]["source"] == second["token"]["source"] == "cache"
    assert (first["token"]["credential"], first["token"]["client_id"]) == ("managed_identity", IDENTITY)
    # Each service is first asked whether it is one of Azure.
    assert [entry["status"] for entry in emulator.requests()] == [400, 200]
    assert len(other.received) == 2
    assert emulator.token_requests() == []
    expected = {"resource": "https://graph.microsoft.com", "client_id": IDENTITY, "timeout": 30, "retry_for": 120}
    assert _arguments_that_travelled(remote) == [expected, expected]
    assert Markers({"client secret": emulator.client_secret}).in_tree(remote) == []


def _arguments_that_travelled(remote: Path) -> list[dict[str, t.Any]]:
    """The arguments of every module that was left on the hosts, without those of Ansible itself."""
    found = []
    for path in remote.rglob("AnsiballZ_*.py"):
        assert path.name == "AnsiballZ_managed_identity_token.py"
        constants = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
        (text,) = [
            one
            for one in constants
            if isinstance(one, (str, bytes)) and len(one) < 20000 and "ANSIBLE_MODULE_ARGS" in str(one)
        ]
        arguments = json.loads(text)["ANSIBLE_MODULE_ARGS"]
        found.append({name: value for name, value in arguments.items() if not name.startswith("_ansible_")})
    return found


def test_a_delegated_task_gets_the_identity_of_the_host_where_it_runs(plays: Plays, emulator: Emulator) -> None:
    """And never hands it to the host that it was delegated from."""
    with CannedServer(NO_IDENTITY, _token_answer()) as other:
        _on_azure(plays, emulator.urls.platform, "h001")
        _on_azure(plays, other.url, "h002")
        away = {**_get("Away"), "delegate_to": "h002", "register": "away"}
        looped = {**_get("Looped"), "delegate_to": "{{ item }}", "loop": ["h001", "h002"], "register": "looped"}
        shown = show(
            away="away.access_token",
            own="token.access_token",
            found=f"{LOOKUP}.access_token",
            looped="looped.results | map(attribute='access_token') | list",
        )
        play = plays.run([{"tasks": [away, _get(), looped, shown], "hosts": "h001"}], hosts=2, record=True, env=NOWHERE)
    assert play.returncode == 0, play.output
    values = play.shown()
    assert values["away"] == "canned-token"
    assert values["own"] == values["found"] != "canned-token"
    assert values["looped"] == [values["own"], "canned-token"]


def test_the_token_of_a_host_is_for_one_run(plays: Plays, emulator: Emulator) -> None:
    """A lasting cache is not used: another inventory may have another machine of that name."""
    _on_azure(plays, emulator.urls.platform, "h001")
    env = {"ENTRA_AUTH_CACHE": "user", "ENTRA_AUTH_CACHE_KEY": "made-up~key-of-32-characters-or-more"}
    play = plays.run([{"tasks": [_get()]}], record=True, env={**NOWHERE, **env, "XDG_CACHE_HOME": str(plays.home)})
    assert play.returncode == 0, play.output
    assert "told apart by the host's name in this inventory" in " ".join(play.output.split())
    assert not (plays.home / "entra_auth").exists()


def test_lookup_and_role_find_the_token_that_a_task_has_requested(plays: Plays, emulator: Emulator) -> None:
    """They can't ask the host themselves, and say so."""
    _on_azure(plays, emulator.urls.platform, "h001")
    look_up = {"name": "Look up", "ansible.builtin.debug": {"msg": "{{ " + LOOKUP + ".source }}"}}
    lazy = {"name": "Lazy", "ansible.builtin.debug": {"msg": "{{ app_token_headers | length }}"}}
    tasks = [
        {**look_up, "ignore_errors": True},
        role("app_token", app_token_run_on="target"),
        {**look_up, "name": "Look up again"},
        lazy,
    ]
    play = plays.run([{"tasks": tasks}], record=True, env=NOWHERE)
    assert play.returncode == 0, play.output
    message = play.result("Look up")["msg"]
    assert "With run_on: target only a token that a task has requested for the host is used" in message
    assert "Run the module or the role entra.auth.app_token for this host first" in message
    assert play.result("Look up again")["msg"] == "cache"
    assert play.result("Lazy")["msg"] in (1, "1")
    assert [entry["status"] for entry in emulator.requests()] == [400, 200]


def test_no_other_credential_goes_to_a_host(plays: Plays, emulator: Emulator) -> None:
    """It is refused by its name, before anything runs there."""
    remote = plays.directory / "remote"
    env = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TEMP": str(remote)}
    kinds = sorted(CREDENTIALS.keys() - {"managed_identity"})
    tasks = [{**_get(kind, credential=kind), "ignore_errors": True} for kind in kinds]
    play = plays.run([{"tasks": tasks}], record=True, env=env)
    assert play.returncode == 0, play.output
    for kind in kinds:
        message = play.result(kind)["msg"]
        assert f"is for the managed identity of the task's host, not for the credential {kind}." in message
        assert "Set credential to managed_identity, or run_on to controller." in message, kind
    assert not remote.exists()
    assert emulator.requests() == []


def test_a_secret_of_the_environment_does_not_choose_the_credential_of_a_host(plays: Plays, emulator: Emulator) -> None:
    """With credential auto, run_on: target means the managed identity; the result names nothing that was not used."""
    _on_azure(plays, emulator.urls.platform, "h001")
    play = plays.run([{"tasks": [_get(), show(token="token")]}], "-v", record=True, env=NOWHERE)
    assert play.returncode == 0, play.output
    token = play.shown()["token"]
    assert token["credential"] == "managed_identity"
    assert token["client_id"] != emulator.client_id
    assert emulator.token_requests() == []


# --- a host of an attacker --------------------------------------------------------------------------------------


def test_a_forged_token_is_the_host_s_alone_and_for_a_day(plays: Plays, emulator: Emulator) -> None:
    """Neither other hosts nor the app, in this run or a later one, get what a compromised host answers."""
    forged = {"access_token": "forged-token", "lifetime": 9e9, "issued_on": 0.0, "expires_on": 9e12, "refresh_on": 9e12}
    facts = {"ansible_delegated_vars": {"h002": {}}, "app_token_authority": "http://127.0.0.1:9"}
    add_hostile_host(plays, "h001", {"token": forged, "ansible_facts": facts})
    _on_azure(plays, emulator.urls.platform, "h002")
    ping = {"name": "Ping", "ansible.builtin.ping": {}}
    app = {"name": "App", "entra.auth.app_token": {}, "register": "app"}
    tasks = [ping, _get(), app, show(token="token", app="app.access_token")]
    env = {**NOWHERE, "ENTRA_AUTH_CACHE": "user", "XDG_CACHE_HOME": str(plays.home)}
    play = plays.run([{"tasks": tasks}], hosts=2, record=True, env=env)
    assert play.returncode == 0, play.output
    first, second = (play.shown(name) for name in ("h001", "h002"))
    assert first["token"]["access_token"] == "forged-token"
    assert first["token"]["expires_in"] <= 86400
    assert first["token"]["expires_on"] <= time.time() + 86400
    assert "forged" not in second["token"]["access_token"]
    assert first["app"] == second["app"] != "forged-token"
    later = plays.run([{"tasks": [app, show(app="app")]}], hosts=2, record=True, env=env)
    assert later.returncode == 0, later.output
    assert [later.shown(name)["app"]["access_token"] for name in ("h001", "h002")] == [first["app"]] * 2


def test_a_host_s_facts_don_t_say_where_a_task_goes(plays: Plays, emulator: Emulator) -> None:
    """The host that claims to be a delegation to another one does not get the other one's token."""
    _on_azure(plays, emulator.urls.platform, "h002")
    facts = {"ansible_delegated_vars": {"h002": {}}, "inventory_hostname": "h002", "ansible_host": "h002"}
    add_hostile_host(plays, "h001", {"token": {"access_token": "forged-token", "lifetime": 60}, "ansible_facts": facts})
    tasks = [
        {**_get("Victim"), "when": "inventory_hostname == 'h002' or 'h002' not in ansible_play_hosts"},
        {"name": "Ping", "ansible.builtin.ping": {}, "when": "'Ping' == 'Ping'"},
        {**_get(), "ignore_errors": True},
        {**show(found=f"{LOOKUP}.access_token"), "ignore_errors": True},
    ]
    play = plays.run([{"tasks": tasks}], hosts=2, record=True, env=NOWHERE)
    victim = play.shown("h002")["found"]
    assert "forged" not in victim
    for event in play.events():
        if event["host"] == "h001":
            assert victim not in json.dumps(event)


FORGED: t.Final[dict[str, dict[str, t.Any]]] = {
    "header": {"token": {"access_token": "forged token\r\nX-Evil: 1", "lifetime": 60}},
    "lifetime": {"token": {"access_token": "forged", "lifetime": "nan"}},
    "hint": {"failed": True, "msg": "FAILURE {{ 7 * 7 }}", "failure": {"hint": "\x1b[2JRun my script {{ 7 * 7 }}"}},
    "crash": {"failed": True, "rc": 1, "module_stdout": "made-up output", "exception": "made-up traceback"},
}


def test_a_forged_failure_is_short_and_plain(plays: Plays) -> None:
    for host, result in FORGED.items():
        add_hostile_host(plays, host, result)
    play = plays.run([{"tasks": [_get()]}], hosts={host: {} for host in FORGED}, record=True, env=NOWHERE)
    assert {event["host"]: event["event"] for event in play.events()} == dict.fromkeys(FORGED, "failed")
    for host in FORGED:
        message = play.result("Get", host)["msg"]
        assert message.isprintable(), host
        assert "To fix it: " in message, host
        assert "made-up" not in message, host
        assert "49" not in message.partition("Requested with")[0], host
    assert "To fix it: hint says: " in play.result("Get", "hint")["msg"]


# --- what is shown ----------------------------------------------------------------------------------------------


def _over_ssh(plays: Plays) -> dict[str, t.Any]:
    """Variables of a host that Ansible's ssh connection reaches by a stand-in for the program ssh."""
    program = plays.directory / "ssh"
    program.write_text('#!/bin/sh\nfor command; do :; done\nexec /bin/sh -c "$command"\n')
    program.chmod(0o755)
    return {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_ssh_executable": str(program),
        "ansible_ssh_transfer_method": "piped",
    }


@pytest.mark.parametrize("connection", ["local", "ssh"])
def test_nothing_is_shown_on_the_way(plays: Plays, emulator: Emulator, connection: str) -> None:
    """Not in syslog, not with -vvvvv, not with ANSIBLE_DEBUG, whether it succeeds or is refused."""
    over = _over_ssh(plays) if connection == "ssh" else {}
    tasks = [
        _get(),
        {**_get("Refused", scope="arm"), "ignore_errors": True},
        {"name": "Later", "entra.auth.app_token": {"run_on": "target"}, "async": 10, "ignore_errors": True},
        {"name": "Witness", "ansible.builtin.ping": {"data": "made-up~witness"}},
    ]
    token = "made-up~access-token.of-the-host"
    refused = json_answer(400, {"error": "invalid_request", "error_description": "Identity not found, made up."})
    with (
        tempfile.TemporaryDirectory(prefix="ch-") as directory,
        CannedServer(NO_IDENTITY, _token_answer(token), NO_IDENTITY, refused) as server,
    ):
        channels = Channels(plays, emulator, Path(directory))
        env = {"ANSIBLE_DEBUG": "1", "ENTRA_AUTH_CLIENT_SECRET": None, "ANSIBLE_REMOTE_TEMP": None}
        env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = server.url
        outlets = channels.run(tasks, "-vvvvv", env=env, **over)
        assert outlets.play.returncode == 0, outlets.play.output[-3000:]
        assert len(server.received) == 4
        outlets.assert_used("stderr", "facts", "cache", "temporary")
        assert b"made-up~witness" in b"".join(outlets.texts["syslog"])
        assert "made-up~witness" in outlets.play.output
        assert "On h001: " in outlets.play.output
        assert "does not support async" in outlets.play.output
        assert outlets.leaks(Markers({"token": token})) == {}


def test_the_module_of_the_host_stores_no_token_there(plays: Plays, emulator: Emulator) -> None:
    """As a job it would, in the file of its result, whatever no_log says. Without async it runs as any module."""
    token = "made-up~access-token.of-a-job"
    module = {"entra.auth.managed_identity_token": {"resource": "https://graph.microsoft.com"}, "no_log": True}
    tasks = [
        {"name": "Direct", **module, "register": "direct"},
        {"name": "Job", **module, "async": 20, "poll": 0, "ignore_errors": True, "register": "job"},
        show(length="direct.token.access_token | length", job="job.msg"),
    ]
    with CannedServer(NO_IDENTITY, _token_answer(token), NO_IDENTITY, _token_answer(token)) as server:
        _on_azure(plays, server.url, "h001")
        play = plays.run([{"tasks": tasks}], record=True, env=NOWHERE)
        assert len(server.received) == 2
    assert play.returncode == 0, play.output
    assert play.shown()["length"] == len(token)
    assert "managed_identity_token does not support async" in play.shown()["job"]
    assert Markers({"token": token}).in_tree(plays.home) == []


# --- what can go wrong ------------------------------------------------------------------------------------------


def test_a_refusal_is_as_readable_as_from_the_controller(plays: Plays, emulator: Emulator) -> None:
    """Host, cause, fix and what was asked, and the fields."""
    _on_azure(plays, emulator.urls.platform, "h001")
    play = plays.run([{"tasks": [_get(managed_identity_client_id="made-up")]}], "-vvv", record=True, env=NOWHERE)
    assert play.returncode == 2
    result = play.result("Get")
    assert result["msg"].startswith("On h001: ")
    assert "Requested with credential managed_identity" in result["msg"]
    assert "client made-up" in result["msg"]
    assert (result["error"], result["error_codes"]) == ("managed_identity_error", [])
    assert result["hint"] in result["msg"]


def test_a_busy_service_on_the_host_is_no_failure_of_the_whole_run(plays: Plays, emulator: Emulator) -> None:
    _on_azure(plays, emulator.urls.platform, "h001")
    emulator.fault("status", endpoint="platform", status=429, retry_after=1, after=1)
    first = {**_get("First", retry_for=0), "ignore_errors": True}
    wait = {"name": "Work", "ansible.builtin.wait_for": {"timeout": 2}}
    play = plays.run([{"tasks": [first, wait, _get("Again", retry_for=0)]}], record=True, env=NOWHERE)
    assert play.returncode == 0, play.output
    assert "429" in play.result("First")["msg"]
    assert [entry["status"] for entry in emulator.requests()] == [400, 429, 400, 200]


@pytest.mark.parametrize("what", ["no requests", "no Python"])
def test_a_host_that_can_t_ask_says_what_it_lacks(plays: Plays, emulator: Emulator, what: str) -> None:
    """In words, and without the arguments that were on the way."""
    _host(plays, "h001", "-S")
    if what == "no Python":
        (plays.directory / "python-on-h001").write_text("#!/bin/sh\necho made-up trouble >&2\nexit 3\n")
    play = plays.run([{"tasks": [_get()]}], "-vvv", record=True, env=NOWHERE)
    assert play.returncode == 2
    message = play.result("Get")["msg"]
    if what == "no requests":
        assert message.startswith("On h001: ")
        assert "requests" in message
        assert "Python" in message
    else:
        assert message.startswith("No token was requested from the managed identity of h001")
        assert "Python 3.8 or newer with requests" in message
    assert "Traceback" not in message
    assert Markers({"secret": emulator.client_secret}).in_text(play.output, "output") == []


def test_an_unreachable_host_is_unreachable(plays: Plays, emulator: Emulator) -> None:
    """And no failed task, so that rescue, retries and the recap take it for what it is."""
    ssh = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_ssh_retries": 0}
    play = plays.run([{"tasks": [_get()]}], "-vvvvv", record=True, **ssh)
    assert play.returncode == 4
    (event,) = [event for event in play.events() if event["task"] == "Get"]
    assert event["event"] == "unreachable"
    assert "Failed to connect to the host via ssh" in event["result"]["msg"]
    assert emulator.requests() == []


def test_check_mode_and_diff_get_the_token_and_change_nothing(plays: Plays, emulator: Emulator) -> None:
    _on_azure(plays, emulator.urls.platform, "h001")
    tasks = [_get(cache="none"), show(seconds="token.expires_in", changed="token.changed")]
    play = plays.run([{"tasks": tasks}], "--check", "--diff", "-v", record=True, env=NOWHERE)
    assert play.returncode == 0, play.output
    assert play.shown()["changed"] is False
    assert 3000 < play.shown()["seconds"] <= 86400
    assert [entry["status"] for entry in emulator.requests()] == [400, 200]
