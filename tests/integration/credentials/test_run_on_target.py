# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``run_on: target``: the request leaves from the task's host, only what it needs travels, and nothing is shown."""

from __future__ import annotations

import ast
import json
import shlex
import sys
import tempfile
import typing as t
import urllib.parse
from pathlib import Path

import pytest
from canned_server import CannedServer, json_answer, token_answer
from certificates import Issued, issue
from channels import Channels
from leaks import Markers

from plays import role, show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

GRAPH: t.Final = "https://graph.microsoft.com/.default"
PASSWORD: t.Final = "made-up~password"
UNRELATED: t.Final = "made-up~unrelated"
LOOKUP: t.Final = "lookup('entra.auth.app_token', run_on='target', output='token')"


@pytest.fixture(scope="module")
def leaf() -> Issued:
    """An app's certificate."""
    return issue("app")


def _get(task: str = "Get", /, **options: t.Any) -> dict[str, t.Any]:
    return {"name": task, "entra.auth.app_token": {"run_on": "target", **options}, "register": "token"}


def _host(plays: Plays, name: str, *switches: str, **environment: str) -> dict[str, str]:
    """Variables of a host whose Python has an environment, or switches, of its own."""
    assigned = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
    path = plays.directory / f"python-on-{name}"
    path.write_text(f'#!/bin/sh\nexec env {assigned} {shlex.join([sys.executable, *switches])} "$@"\n')
    path.chmod(0o755)
    variables = plays.directory / "host_vars"
    variables.mkdir(exist_ok=True)
    settings = {"ansible_python_interpreter": str(path)}
    (variables / f"{name}.yml").write_text(json.dumps(settings))
    return settings


def _only_hosts_can(plays: Plays, emulator: Emulator, *names: str) -> dict[str, str | None]:
    """An environment in which the emulator is trusted by the hosts, and not by the controller."""
    for name in names:
        _host(plays, name, REQUESTS_CA_BUNDLE=emulator.ca)
    return {"REQUESTS_CA_BUNDLE": None, "SSL_CERT_FILE": None, "CURL_CA_BUNDLE": None}


def test_the_request_leaves_from_the_host(plays: Plays, emulator: Emulator) -> None:
    """With its trust and its network; for a secret all hosts are the same client, so one asks for all."""
    env = _only_hosts_can(plays, emulator, "h001", "h002", "h003")
    here = {**_get("Here", run_on="controller", cache="none", retry_for=0), "ignore_errors": True}
    tasks = [_get(), show(token="token"), here]
    play = plays.run([{"tasks": tasks}], hosts=3, record=True, env=env)
    assert play.returncode == 0, play.output
    assert "certificate of" in play.result("Here")["msg"]
    (sent,) = emulator.token_requests()
    assert sorted(map(tuple, sent["form"])) == [
        ("client_id", emulator.client_id),
        ("client_secret", emulator.client_secret),
        ("grant_type", "client_credentials"),
        ("scope", GRAPH),
    ]
    token = play.shown()["token"]
    assert (token["credential"], token["scope"], token["changed"]) == ("client_secret", GRAPH, False)
    assert {play.shown(name)["token"]["access_token"] for name in ("h001", "h002", "h003")} == {token["access_token"]}
    assert 3500 < token["expires_in"] <= 3599


def test_lookup_and_role_find_what_a_task_has_asked_for(plays: Plays, emulator: Emulator) -> None:
    """They can't ask from the host themselves, and say so."""
    env = _only_hosts_can(plays, emulator, "h001")
    look_up = {
        "name": "Look up",
        "ansible.builtin.debug": {"msg": "{{ " + LOOKUP + ".source }}"},
        "ignore_errors": True,
    }
    lazy = {"name": "Lazy", "ansible.builtin.debug": {"msg": "{{ app_token_headers | length }}"}}
    tasks = [look_up, role("app_token", app_token_run_on="target"), {**look_up, "name": "Look up again"}, lazy]
    play = plays.run([{"tasks": tasks}], record=True, env=env)
    assert play.returncode == 0, play.output
    message = play.result("Look up")["msg"]
    assert "With run_on: target a lookup finds only what a task has asked for" in message
    assert "Run the module or the role entra.auth.app_token for this host first" in message
    assert play.result("Look up again")["msg"] == "cache"
    assert play.result("Lazy")["msg"] in (1, "1")
    assert len(emulator.token_requests()) == 1


def test_authorized_uri_asks_from_the_host_and_renews_there(plays: Plays, emulator: Emulator) -> None:
    """So that it works with a host's own identity; the call leaves from the host as well."""
    env = _only_hosts_can(plays, emulator, "h001")
    _host(plays, "h001", REQUESTS_CA_BUNDLE=emulator.ca, SSL_CERT_FILE=emulator.ca)
    emulator.fault("status", endpoint="graph", status=401)
    call = role("authorized_uri", authorized_uri_url="/v1.0/organization", app_token_run_on="target")
    play = plays.run([{"tasks": [call, show(status="authorized_uri_result.status")]}], "-vvv", record=True, env=env)
    assert play.returncode == 0, play.output
    assert play.shown() == {"status": 200}
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [401, 200]
    assert len(emulator.token_requests()) == 2
    assert emulator.client_secret not in play.output


def test_each_host_has_a_managed_identity_of_its_own(plays: Plays, emulator: Emulator) -> None:
    """Asked for there, told apart in the cache, and nothing but the identity's id is sent along."""
    answer = {"token_type": "Bearer", "access_token": "canned-token", "expires_in": "86399", "resource": "made-up"}
    refused = json_answer(400, {"error": "bad_request_102"})
    with CannedServer(refused, json_answer(200, answer)) as other:
        _host(plays, "h001", AZURE_POD_IDENTITY_AUTHORITY_HOST=emulator.urls.platform)
        _host(plays, "h002", AZURE_POD_IDENTITY_AUTHORITY_HOST=other.url)
        identity = "aaaaaaaa-0000-4000-8000-000000000102"
        get = _get(credential="managed_identity", managed_identity_client_id=identity)
        found = LOOKUP.replace(
            "run_on", f"credential='managed_identity', managed_identity_client_id='{identity}', run_on"
        )
        tasks = [get, get, show(token="token.access_token", source="token.source", found=f"{found}.access_token")]
        # Nobody listens there: the controller is on no Azure machine.
        env = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:9", "ANSIBLE_KEEP_REMOTE_FILES": "1"}
        play = plays.run(
            [{"tasks": tasks}],
            hosts=2,
            record=True,
            env={**env, "ANSIBLE_REMOTE_TEMP": str(plays.directory / "remote")},
        )
    assert play.returncode == 0, play.output
    first, second = (play.shown(name) for name in ("h001", "h002"))
    assert second["token"] == second["found"] == "canned-token"
    assert first["token"] == first["found"] != "canned-token"
    assert first["source"] == second["source"] == "cache"
    # Each was first asked whether it is what it should be.
    assert [entry["status"] for entry in emulator.requests()] == [400, 200]
    assert len(other.received) == 2
    for arguments in _travelled(plays.directory / "remote"):
        assert arguments["credential"] == "managed_identity"
        assert arguments["managed_identity_client_id"] == identity
        assert not {name for name in arguments if "secret" in name or "certificate" in name or "token" in name}


def test_a_task_that_is_delegated_gets_the_identity_of_the_host_where_it_runs(plays: Plays, emulator: Emulator) -> None:
    """And never hands it to the host that it was delegated from; nor does a lasting cache to a namesake."""
    answer = {"token_type": "Bearer", "access_token": "canned-token", "expires_in": "86399", "resource": "made-up"}
    with CannedServer(json_answer(400, {"error": "bad_request_102"}), json_answer(200, answer)) as other:
        _host(plays, "h001", AZURE_POD_IDENTITY_AUTHORITY_HOST=emulator.urls.platform)
        _host(plays, "h002", AZURE_POD_IDENTITY_AUTHORITY_HOST=other.url)
        get = _get(credential="managed_identity")
        found = LOOKUP.replace("run_on", "credential='managed_identity', run_on") + ".access_token"
        away = {**show(token="token.access_token", found=found), "delegate_to": "h002"}
        own = {"name": "Own", "ansible.builtin.debug": {"msg": "{{ token.access_token }}"}}
        tasks = [{**get, "delegate_to": "h002"}, away, get, own]
        env = {"ENTRA_AUTH_CACHE": "user", "ENTRA_AUTH_CACHE_KEY": "made-up~key", "XDG_CACHE_HOME": str(plays.home)}
        only_one = {"tasks": tasks, "hosts": "h001"}
        play = plays.run([only_one], hosts=2, record=True, env=env)
    assert play.returncode == 0, play.output
    assert play.shown() == {"token": "canned-token", "found": "canned-token"}
    assert play.result("Own")["msg"] != "canned-token"
    assert "told apart by the host's name in this inventory" in play.output
    assert not (plays.home / "entra_auth").exists()


def test_what_passes_on_the_host_passes_here(plays: Plays, emulator: Emulator) -> None:
    """A throttled request there is no failure of the whole run."""
    env = _only_hosts_can(plays, emulator, "h001")
    emulator.fault("status", status=429, retry_after=1)
    first = {**_get("First", retry_for=0), "ignore_errors": True}
    wait = {"name": "Work", "ansible.builtin.wait_for": {"timeout": 2}}
    play = plays.run([{"tasks": [first, wait, _get("Again", retry_for=0)]}], record=True, env=env)
    assert play.returncode == 0, play.output
    assert "429" in play.result("First")["msg"]
    assert [entry["status"] for entry in emulator.token_requests()] == [429, 200]


def _travelled(remote: Path) -> list[dict[str, t.Any]]:
    """The arguments of every module that was left on the host, without those of Ansible itself."""
    found = []
    for path in remote.rglob("AnsiballZ_app_token.py"):
        constants = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
        (text,) = [
            one
            for one in constants
            if isinstance(one, (str, bytes)) and len(one) < 20000 and "ANSIBLE_MODULE_ARGS" in str(one)
        ]
        arguments = json.loads(text)["ANSIBLE_MODULE_ARGS"]
        found.append({name: value for name, value in arguments.items() if not name.startswith("_ansible_")})
    assert found, "no module was left"
    return found


def _given(emulator: Emulator, leaf: Issued) -> dict[str, dict[str, t.Any]]:
    """For each credential what a task gives."""
    minted = emulator.mint_assertion("https://ci.example", "job", "api://AzureADTokenExchange")
    federated = [{"issuer": "https://ci.example", "subject": "job", "audience": "api://AzureADTokenExchange"}]
    app = emulator.add_app(secret="made-up~s3cret", certificates=[leaf.certificate_pem], federated=federated)
    shared = {"client_id": app["client_id"]}
    refresh_token = emulator.add_refresh_token(app["client_id"])
    certificate = {"client_certificate": leaf.pem(PASSWORD), "client_certificate_password": PASSWORD}
    return {
        "client_secret": {**shared, "client_secret": "made-up~s3cret"},
        "client_certificate": {**shared, **certificate},
        "federated": {**shared, "federated_token": minted},
        "refresh_token": {**shared, "refresh_token": refresh_token, "client_secret": "made-up~s3cret"},
        "refresh_token_with_certificate": {**shared, "refresh_token": refresh_token, **certificate},
    }


@pytest.mark.parametrize(
    "kind", ["client_secret", "client_certificate", "federated", "refresh_token", "refresh_token_with_certificate"]
)
def test_only_what_the_request_needs_travels(plays: Plays, emulator: Emulator, leaf: Issued, kind: str) -> None:
    """An assertion in place of a private key; no password, no certificate, and none of the environment's secrets."""
    given = _given(emulator, leaf)[kind]
    remote = plays.directory / "remote"
    env = {
        "ENTRA_AUTH_CLIENT_SECRET": UNRELATED,
        "AZURE_FEDERATED_TOKEN": f"{UNRELATED}-assertion",
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_REMOTE_TEMP": str(remote),
    }
    get = _get(credential=kind.removesuffix("_with_certificate"), extra_headers={"X-Kept": UNRELATED}, **given)
    play = plays.run([{"tasks": [get]}], record=True, env=env)
    assert play.returncode == 0, play.output
    (arguments,) = _travelled(remote)
    (sent,) = emulator.token_requests()
    form = dict(sent["form"])
    assertion = {"federated_token_source": "given", "federated_token": form.get("client_assertion")}
    secret = {"client_secret": "made-up~s3cret"}
    redeemed = {"credential": "refresh_token", "refresh_token": given.get("refresh_token")}
    expected = {
        "client_secret": {"credential": "client_secret", **secret},
        "client_certificate": {"credential": "federated", **assertion},
        "federated": {"credential": "federated", **assertion},
        "refresh_token": {**redeemed, **secret},
        "refresh_token_with_certificate": {**redeemed, **assertion},
    }[kind]
    settings = {"tenant_id", "client_id", "cloud", "authority", "timeout", "retry_for", "validate_certs", "scope"}
    assert set(arguments) == {*expected, *settings}
    assert {name: arguments[name] for name in expected} == expected
    assert arguments["scope"] == [GRAPH]
    markers = Markers(
        {
            "private key": leaf.key_pem().splitlines()[10],
            "encrypted key": leaf.key_pem(PASSWORD).splitlines()[10],
            "certificate": leaf.certificate_pem.splitlines()[5],
            "password": PASSWORD,
            "unrelated": UNRELATED,
        }
    )
    assert markers.in_tree(remote) == []
    assert Markers({"secret": "made-up~s3cret"}).in_text(play.output, "output") == []


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


@pytest.mark.parametrize(
    ("kind", "connection"), [("client_secret", "local"), ("client_secret", "ssh"), ("client_certificate", "local")]
)
def test_nothing_is_shown_on_the_way(
    plays: Plays, emulator: Emulator, leaf: Issued, kind: str, connection: str
) -> None:
    """Not in syslog, not with -vvvvv, not with ANSIBLE_DEBUG, whether it succeeds or is refused."""
    over = _over_ssh(plays) if connection == "ssh" else {}
    given = {f"app_token_{name}": value for name, value in _given(emulator, leaf)[kind].items()}
    tasks = [
        _get(cache="none"),
        {**_get("Refused", cache="none"), "ignore_errors": True},
        {"name": "Witness", "ansible.builtin.ping": {"data": "made-up~witness"}},
    ]
    token = "made-up~access-token.of-the-host"
    refused = json_answer(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Made up."})
    with (
        tempfile.TemporaryDirectory(prefix="ch-") as directory,
        CannedServer(token_answer(access_token=token), refused) as server,
    ):
        channels = Channels(plays, emulator, Path(directory))
        env = {"ANSIBLE_DEBUG": "1", "ENTRA_AUTH_CLIENT_SECRET": None}
        outlets = channels.run(tasks, "-vvvvv", env=env, **given, **over, app_token_authority=server.url)
        assert outlets.play.returncode == 0, outlets.play.output[-3000:]
        forms = [dict(urllib.parse.parse_qsl(received.body)) for received in server.received]
        assert len(forms) == 2
        proof = "client_secret" if kind == "client_secret" else "client_assertion"
        hidden = {f"{proof} {number}": form[proof] for number, form in enumerate(forms)}
        key = leaf.key_pem(PASSWORD).splitlines()[10]
        markers = Markers({**hidden, "token": token, "password": PASSWORD, "key": key})
        outlets.assert_used("stderr", "facts", "cache", "temporary")
        assert b"made-up~witness" in b"".join(outlets.texts["syslog"])
        assert "made-up~witness" in outlets.play.output
        assert "On h001: Entra refused the token request: AADSTS7000215" in outlets.play.output
        # The inventory that holds the credential is the user's own file.
        assert outlets.leaks(markers, but=[outlets.play.directory / "inventory.yml"]) == {}


def test_a_refusal_is_as_readable_as_from_the_controller(plays: Plays, emulator: Emulator) -> None:
    """Host, code, cause, fix and ids, and the fields."""
    get = _get(client_secret="made-up~wrong")
    play = plays.run([{"tasks": [get]}], "-vvv", record=True)
    assert play.returncode == 2
    result = play.result("Get")
    assert result["msg"].startswith("On h001: Entra refused the token request: AADSTS7000215")
    assert "Asked with credential client_secret" in result["msg"]
    assert (result["error"], result["error_codes"]) == ("invalid_client", [7000215])
    assert result["hint"] in result["msg"]
    assert result["correlation_id"] in result["msg"]
    assert result["trace_id"] in result["msg"]
    assert "made-up~wrong" not in play.output


@pytest.mark.parametrize("what", ["no requests", "no Python"])
def test_a_host_that_can_t_ask_says_what_it_lacks(plays: Plays, emulator: Emulator, what: str) -> None:
    """In words, and without the arguments that were on the way."""
    _host(plays, "h001", "-S")
    if what == "no Python":
        (plays.directory / "python-on-h001").write_text("#!/bin/sh\necho made-up trouble >&2\nexit 3\n")
    play = plays.run([{"tasks": [_get()]}], "-vvv", record=True)
    assert play.returncode == 2
    message = play.result("Get")["msg"]
    if what == "no requests":
        assert message.startswith("On h001: ")
        assert "requests" in message
        assert "Python" in message
    else:
        assert "could not be asked for from h001" in message
        assert "Python 3.8 or newer with requests" in message
    assert "Traceback" not in message
    assert emulator.requests() == []
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
    assert Markers({"secret": emulator.client_secret}).in_text(play.output, "output") == []


def test_the_target_s_clock_does_not_count(plays: Plays, emulator: Emulator) -> None:
    """In check mode and with become as well, it is one request, and nothing is changed."""
    play = plays.run(
        [{"tasks": [_get(cache="none"), show(token="token.expires_in", changed="token.changed")]}],
        "--check",
        *("--diff", "-v"),
        record=True,
    )
    assert play.returncode == 0, play.output
    assert play.shown()["changed"] is False
    assert 3500 < play.shown()["token"] <= 3599
    assert len(emulator.token_requests()) == 1
