# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that are killed, or that hang, while they have the cache in hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import typing as t
from pathlib import Path

from cache_tasks import LOOKUP, USERS, gaps, get, open_to_others
from leaks import Markers

from plays import show, uri, wait_until

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays


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
    assert Markers({"token": token, "secret": emulator.client_secret}).in_tree(plays.home) == []
    assert open_to_others(left[0].parent) == []
    for path in left:
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
