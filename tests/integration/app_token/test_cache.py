# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cache of a run: one request for everybody, fresh ahead of time, sealed; and a service that has a bad day."""

from __future__ import annotations

import base64
import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import typing as t
import urllib.parse
from pathlib import Path

import pytest

from plays import role, show, uri, wait_until

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

LOOKUP: t.Final = "lookup('entra.auth.app_token'"
USERS: t.Final = "{{ lookup('env', 'ENTRA_AUTH_API_BASE_URL') }}/v1.0/users?$top=1"
_HOSTS: t.Final = ("h001", "h002", "h003")


def get(register: str = "token", /, **options: t.Any) -> dict[str, t.Any]:
    """A task that gets a token and registers it."""
    return {"name": f"Get {register}", "entra.auth.app_token": options, "register": register}


def work(seconds: int) -> dict[str, t.Any]:
    """A task that takes as long as a longer play would."""
    return {"name": "Work", "ansible.builtin.wait_for": {"timeout": seconds}, "run_once": True}


def gaps(entries: list[dict[str, t.Any]]) -> list[float]:
    """Seconds between the arrivals of requests."""
    times = [entry["time"] for entry in entries]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


# --- one request for everybody ----------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_a_hundred_hosts_make_one_request_per_scope(plays: Plays, emulator: Emulator, strategy: str) -> None:
    """By module, lookup and role, on 20 forks, though the first answer takes its time."""
    emulator.fault("slow", seconds=2, times=2)
    # A target module costs CPU for each host: one strategy calls the API, the other looks up a second scope as well.
    by_lookup = {
        "linear": [uri(USERS, f"{LOOKUP}, output='uri')")],
        "free": [
            {"ansible.builtin.assert": {"that": f"{LOOKUP}, '{scope}', output='token').source in ['cache', 'network']"}}
            for scope in ("arm", "graph")
        ],
    }
    play = plays.run(
        [{"strategy": strategy, "tasks": [get(), *by_lookup[strategy], role("app_token")]}], hosts=100, forks=20
    )
    assert play.returncode == 0, play.output
    scopes = [dict(entry["form"])["scope"].split("/")[2] for entry in emulator.token_requests()]
    assert sorted(scopes) == ["graph.microsoft.com", "management.azure.com"][: 1 if strategy == "linear" else 2]
    called = emulator.requests(listener="api")
    assert [entry["status"] for entry in called] == [200] * (100 if strategy == "linear" else 0)
    assert play.stdout.count("failed=0") == 100


def test_each_identity_has_its_own_token(plays: Plays, emulator: Emulator) -> None:
    """Another client, tenant, secret or scope is another request; the same one is not, for any host."""
    app = emulator.add_app(secret=["made-up~first-secret", "made-up~second-secret"])
    abroad = emulator.add_tenant(domain="abroad.example")
    emulator.add_app(tenant_id=abroad["id"], client_id=app["client_id"], secret="made-up~first-secret")
    first = {"client_id": app["client_id"], "client_secret": "made-up~first-secret"}
    identities = {
        "own": {},
        "client": first,
        "secret": {**first, "client_secret": "made-up~second-secret"},
        "tenant": {**first, "tenant_id": abroad["id"]},
        "scope": {**first, "scope": "arm"},
    }
    tasks = [get(name, **options) for name, options in identities.items()]
    again = [get(f"{name}_again", **options) for name, options in identities.items()]
    names = [f"{name}{more}" for name in identities for more in ("", "_again")]
    play = plays.run(
        [{"tasks": [*tasks, *again, show(**{name: f"[{name}.access_token, {name}.source]" for name in names})]}],
        hosts=2,
        record=True,
    )
    assert play.returncode == 0, play.output
    one, two = play.shown("h001"), play.shown("h002")
    assert len({one[name][0] for name in identities}) == len(identities)
    for name in identities:
        assert one[name][0] == two[name][0] == one[f"{name}_again"][0] == two[f"{name}_again"][0]
        assert sorted([one[name][1], two[name][1]]) == ["cache", "network"]
        assert one[f"{name}_again"][1] == two[f"{name}_again"][1] == "cache"
    assert len(emulator.token_requests()) == len(identities)


def test_a_wrong_secret_is_not_served_from_the_cache(plays: Plays, emulator: Emulator) -> None:
    """Whoever lacks the secret gets Entra's refusal, and the token stays for who has it."""
    wrong = {**get("wrong", client_secret="made-up~but-wrong"), "ignore_errors": True}
    play = plays.run([{"tasks": [get(), wrong, get("right"), show(source="right.source")]}], record=True)
    assert play.returncode == 0, play.output
    assert play.result("Get wrong")["error_codes"] == [7000215]
    assert play.shown()["source"] == "cache"
    assert len(emulator.token_requests()) == 2


def test_without_a_cache_every_call_asks(plays: Plays, emulator: Emulator) -> None:
    """Nothing is kept, and nothing that is kept is used."""
    tasks = [get(), *[get(f"t{number}", cache="none") for number in range(3)], show(tokens="[token, t0, t1, t2]")]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    tokens = play.shown()["tokens"]
    assert [token["source"] for token in tokens] == ["network"] * 4
    assert len({token["access_token"] for token in tokens}) == 4
    assert len(emulator.token_requests()) == 4


def test_a_forced_refresh_replaces_what_was_kept(plays: Plays, emulator: Emulator) -> None:
    """Once: the next call finds the new token."""
    tasks = [get("old"), get("forced", force_refresh=True), get("new"), show(tokens="[old, forced, new]")]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    old, forced, new = play.shown()["tokens"]
    assert [token["source"] for token in (old, forced, new)] == ["network", "network", "cache"]
    assert old["access_token"] != forced["access_token"] == new["access_token"]
    assert len(emulator.token_requests()) == 2


# --- fresh ahead of time ----------------------------------------------------------------------------------------


def test_one_caller_renews_while_the_others_go_on_with_the_old_token(plays: Plays, emulator: Emulator) -> None:
    """When the service wishes so; nobody waits for the slow renewal, and all have the new token afterwards."""
    emulator.configure(refresh_in=1)
    emulator.fault("slow", seconds=6, after=1)
    play = plays.run(
        [
            {"tasks": [get("old"), work(2)]},
            {"strategy": "free", "tasks": [get("meanwhile"), uri(USERS, f"{LOOKUP}, output='uri')")]},
            {"tasks": [get("new"), show(tokens="[old, meanwhile, new]")]},
        ],
        hosts=3,
        record=True,
        env={"ENTRA_AUTH_TIMEOUT": "20"},
    )
    assert play.returncode == 0, play.output
    old, meanwhile, new = zip(*(play.shown(host)["tokens"] for host in _HOSTS), strict=True)
    first, renewed = emulator.token_requests()[:2]
    assert sorted(token["source"] for token in meanwhile) == ["cache", "cache", "network"]
    assert [token["access_token"] for token in meanwhile if token["source"] == "cache"] == [old[0]["access_token"]] * 2
    assert {token["access_token"] for token in new}.isdisjoint({token["access_token"] for token in old})
    called = sorted(entry["time"] for entry in emulator.requests(listener="api"))
    assert called[1] < renewed["time"] + 6 <= called[2], "somebody waited for the renewal"
    assert gaps([first, renewed])[0] >= 1


@pytest.mark.parametrize("faults", [{"action": "error", "code": 7000215}, {"action": "status", "status": 503}], ids=str)
def test_a_failed_renewal_is_a_warning_while_the_old_token_is_valid(
    plays: Plays, emulator: Emulator, faults: dict[str, t.Any]
) -> None:
    """The play goes on with the old token, and says why."""
    emulator.configure(refresh_in=1)
    emulator.fault(**faults, after=1, times=None)
    tasks = [get("old"), work(2), get("kept", retry_for=0), uri(USERS, f"{LOOKUP}, output='uri', retry_for=0)")]
    play = plays.run([{"tasks": [*tasks, show(tokens="[old, kept]")]}], record=True)
    assert play.returncode == 0, play.output
    old, kept = play.shown()["tokens"]
    assert (kept["source"], kept["access_token"]) == ("cache", old["access_token"])
    warning = " ".join(play.output.split())
    assert f"A token could not be renewed and is used until it ends at {old['expires_at']}" in warning
    assert str(faults.get("code", "503")) in warning
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [200]


def test_a_token_with_less_than_min_validity_left_is_renewed_first(plays: Plays, emulator: Emulator) -> None:
    """Where none could live that long, half its life counts; where the renewal fails, the old one still serves."""
    emulator.fault("error", code=7000215, after=2)
    tasks = [
        get("first"),
        work(2),
        get("longer", min_validity=4000),
        get("stale", min_validity=3598),
        work(2),
        get("kept", min_validity=3598),
        show(tokens="[first, longer, stale, kept]"),
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    first, longer, stale, kept = play.shown()["tokens"]
    assert [token["source"] for token in (first, longer, stale, kept)] == ["network", "cache", "network", "cache"]
    assert first["access_token"] == longer["access_token"] != stale["access_token"] == kept["access_token"]
    assert "could not be renewed" in play.output
    assert len(emulator.token_requests()) == 3


def test_short_lived_tokens_are_always_valid_at_the_api(plays: Plays, emulator: Emulator) -> None:
    """Over two renewals and more, with no more requests than their half life needs."""
    lifetime = 10
    emulator.configure(token_lifetime=lifetime)
    calls = {**uri(USERS, "app_token_uri"), "loop": list(range(10)), "loop_control": {"pause": 1}}
    play = plays.run([{"tasks": [role("app_token"), calls]}])
    called = emulator.requests(listener="api")
    assert [entry["status"] for entry in called] == [200] * 10
    assert play.returncode == 0, play.output
    lasted = called[-1]["time"] - emulator.token_requests()[0]["time"]
    assert 3 <= len(emulator.token_requests()) <= lasted / (0.35 * lifetime) + 1


# --- a run that is killed ---------------------------------------------------------------------------------------


def forms(secret: str) -> set[bytes]:
    """What a secret may look like in a file: as it is, in JSON, in a form, and in base64 at any offset."""
    encoded = {base64.b64encode(b" " * offset + secret.encode())[4 * bool(offset) : -4] for offset in range(3)}
    return {secret.encode(), json.dumps(secret)[1:-1].encode(), urllib.parse.quote_plus(secret).encode(), *encoded}


def holders(directory: Path, *secrets: str) -> list[Path]:
    """The files below a directory that hold a secret in any form."""
    files = [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]
    wanted = {form for secret in secrets for form in forms(secret)}
    return [path for path in files if any(form in path.read_bytes() for form in wanted)]


def test_a_killed_run_leaves_nothing_readable(plays: Plays, emulator: Emulator) -> None:
    """SIGKILL while a token is cached and another one asked for; the next run works."""
    emulator.fault("slow", seconds=3, after=1)
    tasks = [get(), show(token="token.access_token"), get("arm", scope="arm")]
    with plays.start([{"tasks": tasks}], env={"ENTRA_AUTH_TIMEOUT": "10"}) as running:
        wait_until(lambda: len(emulator.token_requests()) == 2)
        killed = running.kill()
    token = killed.shown()["token"]
    left = [path for path in plays.home.rglob("entra_auth/*") if path.suffix != ".lock" and path.is_file()]
    assert left, "nothing was left to search"
    assert holders(plays.home, token, emulator.client_secret) == []
    for path in left:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert not {emulator.tenant_id, emulator.client_id, "graph"} & set(path.name.split("-"))
        assert not any(name in path.name for name in (emulator.tenant_id, emulator.client_id, "graph", "contoso"))
    play = plays.run([{"tasks": [*tasks[:2], uri(USERS, f"{LOOKUP}, output='uri')")]}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown()["token"] != token
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [200]


# Workers as Ansible forks them, each with one lookup: the first at once, the others when a line is read.
_WORKERS: t.Final = """
    import os
    import sys

    from ansible import constants  # makes the temporary directory of the run
    from ansible.plugins.loader import init_plugin_loader, lookup_loader

    init_plugin_loader()

    def worker():
        pid = os.fork()
        if not pid:
            token = lookup_loader.get("entra.auth.app_token").run([], {}, output="token")[0]
            print(token["source"], flush=True)
            os._exit(0)
        return pid

    print(worker(), flush=True)
    sys.stdin.readline()
    others = [worker() for number in range(3)]
    print(*others, flush=True)
    for pid in others:
        os.waitpid(pid, 0)
"""


def test_the_others_go_on_when_the_one_that_asks_is_killed(plays: Plays, emulator: Emulator) -> None:
    """Its lock is free at once: one of them asks in its place, the rest read."""
    emulator.fault("slow", seconds=30)
    command = [sys.executable, "-c", textwrap.dedent(_WORKERS)]
    with subprocess.Popen(
        command, env=plays.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdin
        assert run.stdout
        holder = int(run.stdout.readline())
        wait_until(emulator.token_requests)
        run.stdin.write("go on\n")
        run.stdin.flush()
        others = [int(pid) for pid in run.stdout.readline().split()]
        wait_until(lambda: all(_has_open(pid, ".lock") for pid in others))
        assert len(emulator.token_requests()) == 1
        os.kill(holder, signal.SIGKILL)
        sources = run.stdout.read().split()
    assert sorted(sources) == ["cache", "cache", "network"]
    assert len(emulator.token_requests()) == 2
    assert gaps(emulator.token_requests())[0] < 30


def _has_open(pid: int, ending: str) -> bool:
    return any(os.path.realpath(link).endswith(ending) for link in Path(f"/proc/{pid}/fd").iterdir())


# --- sealed -----------------------------------------------------------------------------------------------------

# Does to the one entry of the run's cache what its argument says.
_TAMPER: t.Final = """
    import os, sys
    from pathlib import Path

    def flip(path, content):
        path.write_bytes(bytes([*content[:-20], content[-20] ^ 1, *content[-19:]]))

    def flip_nonce(path, content):
        at = content.index(b"{}\\n") + 4
        path.write_bytes(bytes([*content[:at], content[at] ^ 128, *content[at + 1:]]))

    def flip_label(path, content):
        path.write_bytes(content.replace(b"{}", b"[]", 1))

    def older_format(path, content):
        path.write_bytes(content.replace(b"cache 2", b"cache 1", 1))

    def truncate(path, content):
        path.write_bytes(content[:len(content) // 2])

    def empty(path, content):
        path.write_bytes(b"")

    def link(path, content):
        elsewhere = Path("elsewhere")
        elsewhere.write_bytes(content)
        path.unlink()
        path.symlink_to(elsewhere.resolve())

    def give_away(path, content):
        os.chown(path, 65534, 65534)

    def directory(path, content):
        path.unlink()
        path.mkdir()

    entries = [path for path in Path.home().rglob("entra_auth/*") if not path.suffix]
    assert len(entries) == 1, entries
    globals()[sys.argv[1]](entries[0], entries[0].read_bytes())
"""
_DAMAGES: t.Final = (
    *("flip", "flip_nonce", "flip_label", "older_format", "truncate", "empty", "link"),
    *(("give_away",) if os.geteuid() == 0 else ()),
)


def _tamper(plays: Plays, damage: str) -> dict[str, t.Any]:
    script = plays.directory / "tamper.py"
    script.write_text(textwrap.dedent(_TAMPER))
    return {"ansible.builtin.command": {"argv": [sys.executable, str(script), damage]}}


def test_a_tampered_entry_is_never_served(plays: Plays, emulator: Emulator) -> None:
    """Damaged, cut, replaced by a link or by another user's file, it is a miss, and is replaced."""
    tasks = [get("first")]
    for damage in _DAMAGES:
        tasks += [_tamper(plays, damage), get(damage), get(f"{damage}_again")]
    names = [f"{damage}{more}" for damage in _DAMAGES for more in ("", "_again")]
    shown = show(first="first.source", **{name: f"{name}.source" for name in names})
    play = plays.run([{"tasks": [*tasks, shown]}], record=True)
    assert play.returncode == 0, play.output
    values = play.shown()
    assert {name: values[name] for name in names} == {
        name: "cache" if name.endswith("_again") else "network" for name in names
    }
    assert len(emulator.token_requests()) == 1 + len(_DAMAGES)


def test_an_entry_that_can_not_be_replaced_is_a_warning(plays: Plays, emulator: Emulator) -> None:
    """The token is handed out all the same."""
    tasks = [get("first"), _tamper(plays, "directory"), get("second")]
    play = plays.run([{"tasks": [*tasks, show(source="second.source")]}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown()["source"] == "network"
    assert "could not be kept in the cache" in play.output
    assert len(emulator.token_requests()) == 2


# --- a service that has a bad day -------------------------------------------------------------------------------


_HTML: t.Final = {"status": 503, "body": "<html>busy</html>", "content_type": "text/html"}
_BAD_DAYS: t.Final = {
    "seconds": {"action": "status", "status": 429, "retry_after": 2},
    "date": {"action": "status", "status": 429, "retry_after": 2, "retry_after_as": "date"},
    "html": {"action": "status", **_HTML, "times": 2},
    "drop": {"action": "drop"},
    "reset": {"action": "drop", "reset": True},
    "reset_mid_body": {"action": "reset_mid_body"},
    "slow": {"action": "slow", "seconds": 3},
}


def test_busy_answers_and_lost_connections_are_repeated(plays: Plays, emulator: Emulator) -> None:
    """Each call ends well, with exactly the requests that takes, and no sooner than the service asked."""
    apps = {name: emulator.add_app(secret="made-up~secret")["client_id"] for name in _BAD_DAYS}
    for name, fault in _BAD_DAYS.items():
        emulator.fault(**fault, client_id=apps[name])
    tasks = [get(name, client_id=apps[name], client_secret="made-up~secret", timeout=2) for name in _BAD_DAYS]
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
    """Two requests in all: the throttled one, and its repetition when the time has come."""
    emulator.fault("status", status=429, retry_after=2)
    play = plays.run([{"tasks": [get(), show(source="token.source")]}], hosts=3, record=True)
    assert play.returncode == 0, play.output
    assert sorted(play.shown(host)["source"] for host in _HOSTS) == ["cache", "cache", "network"]
    assert gaps(emulator.token_requests())[0] >= 2
    assert len(emulator.token_requests()) == 2


def test_a_wait_longer_than_retry_for_is_not_begun(plays: Plays, emulator: Emulator) -> None:
    """One request, a message with the wait and the option; without any patience a 503 ends it at once as well."""
    emulator.fault("status", status=429, retry_after=30)
    emulator.fault("status", **_HTML, times=None)
    tasks = [
        {**get("throttled", retry_for=5), "ignore_errors": True},
        {**get("busy", retry_for=0), "ignore_errors": True},
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert "asks to wait 30 s" in play.result("Get throttled")["msg"]
    assert "retry_for" in play.result("Get throttled")["hint"]
    assert "503" in play.result("Get busy")["msg"]
    assert "busy</html>" not in play.output
    assert len(emulator.token_requests()) == 2


def test_a_request_to_ask_again_is_obeyed_with_its_interval(plays: Plays, emulator: Emulator) -> None:
    """authorization_pending at the interval named, slow_down five seconds slower: never a hot loop."""
    emulator.fault("authorization_pending", interval=1, times=2)
    emulator.fault("slow_down", interval=1)
    play = plays.run([{"tasks": [get()]}], record=True)
    assert play.returncode == 0, play.output
    pending, still_pending, slower = gaps(emulator.token_requests())
    assert 1 <= pending < 4
    assert 1 <= still_pending < 4
    assert slower >= 6


def test_a_request_to_ask_again_has_a_limit(plays: Plays, emulator: Emulator) -> None:
    """When retry_for is over, the last answer is the error."""
    emulator.fault("authorization_pending", interval=1, times=None)
    play = plays.run([{"tasks": [get(retry_for=3)]}], record=True)
    assert play.returncode == 2
    assert play.result("Get token")["error"] == "authorization_pending"
    assert 2 <= len(emulator.token_requests()) <= 4
