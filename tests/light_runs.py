# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of Ansible without plays, cheap enough for hundreds: forked workers that call the lookup with real stores.

A run is a process with a temporary directory of its own, as ansible-playbook is. Executed, this file is what they are
forked from, with all that they import loaded once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from plays import Plays

# Nothing is timed by it: it ends a test that hangs.
_PATIENCE_SECONDS: t.Final = 300
_POLL_SECONDS: t.Final = 0.01


class LightRuns:
    """Starts runs; a context manager that leaves none. ``plays`` says where, in whose home and environment."""

    def __init__(self, plays: Plays, **env: str) -> None:
        self._directory = plays.directory / "light"
        self._directory.mkdir()
        self._begun: list[LightRun] = []
        self._errors = (self._directory / "stderr").open("wb")
        self._origin = subprocess.Popen(
            [sys.executable, __file__],
            env={**plays.environment(**env), "PYTHONPATH": str(Path(__file__).parent)},
            cwd=self._directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        for run in self._begun:
            run.kill()
        assert self._origin.stdin
        assert self._origin.stdout
        self._origin.stdin.close()
        self._origin.wait(_PATIENCE_SECONDS)
        self._origin.stdout.close()
        self._errors.close()

    def start(self, *calls: dict[str, t.Any], workers: int = 1, clock: float = 0, boot: str = "") -> LightRun:
        """Begin a run of so many workers, each of which makes all ``calls`` (options of the lookup) in turn.

        A call with ``until`` is made once there is a file of that name.
        ``clock`` is by how many seconds its wall clock is ahead, ``boot`` names another boot of the machine.
        """
        place = self._directory / f"run-{len(self._begun)}"
        place.mkdir()
        order = {"calls": calls, "workers": workers, "clock": clock, "boot": boot, "place": str(place)}
        assert self._origin.stdin
        assert self._origin.stdout
        self._origin.stdin.write(json.dumps(order) + "\n")
        self._origin.stdin.flush()
        pid, workers = json.loads(self._origin.stdout.readline())
        run = LightRun(place, pid, workers, _began_on(pid))
        self._begun.append(run)
        return run

    def get(self, *calls: dict[str, t.Any], **more: t.Any) -> list[dict[str, t.Any]]:
        """What a whole run of one worker got from its calls: ``source`` and ``access_token``, or ``error``."""
        (got,) = self.start(*calls, **more).finish()
        return got

    def stderr(self) -> str:
        """What all of them have complained about."""
        return (self._directory / "stderr").read_text()


@dataclasses.dataclass(frozen=True)
class LightRun:
    """A run: the process ids of it and of its workers."""

    _place: Path
    pid: int
    workers: list[int]
    _since: str

    def kill(self) -> None:
        """SIGKILL for all of it at once, unless it has ended."""
        # By then its number may be that of another process, which is none of ours.
        if self._since and _began_on(self.pid) == self._since:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def finish(self) -> list[list[dict[str, t.Any]]]:
        """What each worker got until it ended, by itself or not. Fails where one never does."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while not all(map(is_ended, (self.pid, *self.workers))):
            assert time.monotonic() < ends, "a worker hangs"
            time.sleep(_POLL_SECONDS)
        files = [self._place / str(number) for number in range(len(self.workers))]
        return [
            [json.loads(line) for line in file.read_text().splitlines(keepends=True) if "\n" in line] for file in files
        ]


def is_ended(pid: int) -> bool:
    """Whether a process has ended, even if its exit status was not read."""
    return not _began_on(pid)


def _began_on(pid: int) -> str:
    """When a process began, by a clock of the kernel's; empty for one that has ended."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if state in "ZX" else fields[18]


def open_files(pid: int) -> list[str]:
    """The names of what a process has open, sockets as ``socket:[inode]``; none of one that has ended."""
    names = []
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                names.append(str(link.readlink()))
    return names


# --- in the process that all runs are forked from ---------------------------------------------------------------


def _serve() -> None:
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader()
    import redis  # noqa: F401

    from ansible_collections.entra.auth.plugins.module_utils._http import transport  # noqa: F401
    from ansible_collections.entra.auth.plugins.plugin_utils._token import provider  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if not os.fork():
            os.setsid()
            _run(**json.loads(line))
            os._exit(0)


def _run(calls: list[dict[str, t.Any]], workers: int, clock: float, boot: str, place: str) -> None:
    from ansible_collections.entra.auth.plugins.module_utils import _clock
    from ansible_collections.entra.auth.plugins.plugin_utils._cache import stores

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    temporary = tempfile.mkdtemp(prefix="ansible-local-", dir=place)
    vars(stores)["_RUN_DIRECTORY"] = temporary
    now = time.time
    vars(time)["time"] = lambda: now() + clock
    vars(_clock)["_BOOT_ID"] = boot or vars(_clock)["_BOOT_ID"]
    pids = [_fork_worker(calls, Path(place) / str(number)) for number in range(workers)]
    os.write(1, (json.dumps([os.getpid(), pids]) + "\n").encode())
    for pid in pids:
        os.waitpid(pid, 0)
    shutil.rmtree(temporary)


def _fork_worker(calls: list[dict[str, t.Any]], results: Path) -> int:
    results.touch()
    pid = os.fork()
    if not pid:
        with results.open("a", buffering=1) as file:
            for call in calls:
                file.write(json.dumps(_look_up(call)) + "\n")
        os._exit(0)
    return pid


def _look_up(call: dict[str, t.Any]) -> dict[str, t.Any]:
    from ansible.errors import AnsibleError
    from ansible.plugins.loader import lookup_loader

    until = Path(call.pop("until", "/"))
    while not until.exists():
        time.sleep(_POLL_SECONDS)
    try:
        token = lookup_loader.get("entra.auth.app_token").run([], {}, output="token", **call)[0]
    except AnsibleError as exc:
        return {"error": str(exc)}
    return {"source": token["source"], "access_token": token["access_token"]}


__all__ = ("LightRun", "LightRuns", "is_ended", "open_files")

if __name__ == "__main__":
    _serve()
