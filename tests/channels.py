# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running a play with every channel open through which a secret could get out, and keeping what came out of each."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import socket
import stat
import sys
import threading
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from leaks import Leak, Markers

    from entra_emulator.client import Emulator
    from plays import Play, Plays

# The last task of a play: the cache is removed with the run, and without a fact there is no fact cache.
KEEP: t.Final = {
    "name": "Keep a copy of the cache, and a fact",
    "ansible.builtin.set_fact": {
        "cacheable": True,
        "kept": "{{ lookup('pipe', 'cp -a ~/.ansible/tmp/ansible-local-*/entra_auth ' ~ channel_cache) }}",
    },
}
_WATCH_SECONDS: t.Final = 0.02
_DATAGRAM_BYTES: t.Final = 1 << 20
# A module as Ansible sends it to a host: its arguments are in that file, whoever the module is of.
_MODULE: t.Final = b"_ansiballz_main"

# A mount namespace of its own in which /dev has a log, for one process: all else in it is the machine's.
_WITH_DEV_LOG: t.Final = """\
#!/bin/sh
exec unshare {user} -m sh -ec '
  mount -t tmpfs -o mode=755 tmpfs {dev}
  for name in null zero full random urandom tty; do
    : > {dev}/$name
    mount --bind /dev/$name {dev}/$name
  done
  for name in fd stdin stdout stderr; do ln -s "$(readlink /dev/$name)" {dev}/$name; done
  for name in shm pts; do mkdir {dev}/$name; mount --rbind /dev/$name {dev}/$name; done
  ln -s {socket} {dev}/log
  mount --rbind {dev} /dev
  exec "$@"
' sh {python} "$@"
"""


class Syslog:
    """What modules send to syslog when they are run by ``interpreter``, which gives them a /dev/log of their own."""

    def __init__(self, directory: Path, python: str = sys.executable) -> None:
        self.messages: list[bytes] = []
        self._address = str(directory / "log")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._address)
        self.interpreter = directory / "python-with-dev-log"
        dev = directory / "dev"
        dev.mkdir(exist_ok=True)
        script = _WITH_DEV_LOG.format(
            user="" if os.geteuid() == 0 else "--map-root-user",
            dev=shlex.quote(str(dev)),
            socket=self._address,
            python=shlex.quote(python),
        )
        self.interpreter.write_text(script)
        self.interpreter.chmod(0o755)
        self._reader = threading.Thread(target=self._read)

    def __enter__(self) -> t.Self:
        self._reader.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self._address)
        self._reader.join()
        self._socket.close()
        Path(self._address).unlink()

    def _read(self) -> None:
        while message := self._socket.recv(_DATAGRAM_BYTES):
            self.messages.append(message)


class _Watch:
    """What ``_watch`` does beside a play, until the play has ended."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self) -> t.Self:
        self._watcher.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        raise NotImplementedError


class ProcessWatch(_Watch):
    """Arguments and environment of each process that starts meanwhile below this one, or with that HOME.

    Those of the emulator are left out.
    """

    def __init__(self, home: Path, emulator_pid: int) -> None:
        super().__init__()
        self.arguments: set[bytes] = set()
        self.environments: set[bytes] = set()
        self._home = f"HOME={home}\0".encode()
        self._emulator_pid = emulator_pid

    def _watch(self) -> None:
        before = _processes()
        while not self._ended.wait(_WATCH_SECONDS):
            news = _processes() - before
            ours = _descendants(os.getpid(), news, but=self._emulator_pid)
            for pid in news:
                # They come and go while they are looked at.
                with contextlib.suppress(OSError):
                    environment = Path(f"/proc/{pid}/environ").read_bytes()
                    if pid in ours or self._home in environment:
                        self.environments.add(environment)
                        self.arguments.add(Path(f"/proc/{pid}/cmdline").read_bytes())


def _processes() -> set[int]:
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208 - names are all that is needed


def _descendants(root: int, among: t.Iterable[int], *, but: int) -> set[int]:
    parents = {}
    for pid in among:
        with contextlib.suppress(OSError, IndexError):
            # The second field, the name, may hold blanks and parentheses.
            parents[pid] = int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    found, news = set(), {root}
    while news:
        found |= news
        news = {pid for pid, parent in parents.items() if parent in news and pid not in (but, *found)}
    return found - {root}


class FileWatch(_Watch):
    """Name and content, each time they are others, of every file below ``roots`` while a play runs and at its end.

    Modules on their way are left out; the tests that have Ansible keep them say which ones there are.
    """

    def __init__(self, *roots: Path) -> None:
        super().__init__()
        self.files: set[bytes] = set()
        self._roots = roots
        self._known: set[tuple[object, ...]] = set()

    def _watch(self) -> None:
        while not self._ended.wait(_WATCH_SECONDS):
            self._look()
        self._look()

    def _look(self) -> None:
        for directory, _names, files in (found for root in self._roots for found in os.walk(root)):
            for path in (os.path.join(directory, name) for name in files):  # noqa: PTH118 - thousands of times a run
                # They come and go while they are looked at.
                with contextlib.suppress(OSError):
                    self._read(path, os.lstat(path))

    def _read(self, path: str, found: os.stat_result) -> None:
        state = path, found.st_ino, found.st_mtime_ns, found.st_size
        if state not in self._known and stat.S_ISREG(found.st_mode):
            content = Path(path).read_bytes()
            self._known.add(state)
            if _MODULE not in content:
                self.files.add(path.encode() + b"\n" + content)


@dataclasses.dataclass(frozen=True)
class Outlets:
    """What came out of a play: the play itself, and for each channel texts, or a directory of files."""

    play: Play
    texts: t.Mapping[str, t.Collection[bytes]]
    trees: t.Mapping[str, Path]

    def leaks(self, markers: Markers, *, but: t.Container[Path] = ()) -> dict[str, list[Leak]]:
        """The leaks of each channel that has any; files in ``but`` may hold what they like."""
        found = {
            name: [leak for text in texts for leak in markers.in_text(text, name)] for name, texts in self.texts.items()
        }
        found |= {name: markers.in_tree(path, but=but) for name, path in self.trees.items()}
        return {name: leaks for name, leaks in found.items() if leaks}

    def measured(self) -> dict[str, tuple[int, int]]:
        """How many artifacts each channel has, and how many bytes they are: those that leaks searches."""
        sizes = {name: [len(text) for text in texts] for name, texts in self.texts.items()}
        sizes |= {name: [one.lstat().st_size for one in path.rglob("*")] for name, path in self.trees.items()}
        return {name: (len(each), sum(each)) for name, each in sizes.items()}

    def assert_used(self, *but: str) -> None:
        """Every channel carried something: an empty one would prove nothing."""
        unused = [name for name, texts in self.texts.items() if not any(texts)]
        unused += [name for name, path in self.trees.items() if not any(path.rglob("*"))]
        assert set(unused) <= set(but), f"nothing came out of {unused}: {self.play.output[-2000:]}"


class Watching:
    """What is watched while a play runs."""

    def __init__(self, syslog: Syslog, processes: ProcessWatch, files: FileWatch) -> None:
        self.interpreter = str(syslog.interpreter)
        self._syslog = syslog
        self._processes = processes
        self._files = files

    def texts(self) -> dict[str, t.Collection[bytes]]:
        """What it said to syslog, the arguments and the environment of its processes, and its temporary files."""
        return {
            "syslog": self._syslog.messages,
            "arguments": self._processes.arguments,
            "environment": self._processes.environments,
            "temporary": self._files.files,
        }


class Channels:
    """Runs plays with all channels open. A play sees the directory for KEEP as ``channel_cache``.

    ``directory`` is one whose name is short, because there will be sockets in it.
    """

    def __init__(self, plays: Plays, emulator: Emulator, directory: Path) -> None:
        self._plays = plays
        self._emulator_pid = emulator.pid
        self._directory = directory
        self.trees = {name: directory / name for name in ("logs", "facts", "tree", "junit", "cache")}
        self._scratch = directory / "temporary"
        for path in (*self.trees.values(), self._scratch):
            path.mkdir(parents=True)

    def run(
        self,
        tasks: list[dict[str, t.Any]],
        *arguments: str,
        env: t.Mapping[str, str | None] | None = None,
        **more: t.Any,
    ) -> Outlets:
        """Run tasks; ``more`` as for Plays.run."""
        return self.run_playbook([{"tasks": tasks}], *arguments, env=env, **more)

    def run_playbook(
        self,
        playbook: list[dict[str, t.Any]],
        *arguments: str,
        env: t.Mapping[str, str | None] | None = None,
        **more: t.Any,
    ) -> Outlets:
        """Run a whole playbook; ``more`` as for Plays.run."""
        with self.watching() as watching:
            play = self._plays.run(
                playbook,
                *arguments,
                env={**self.environment(), **(env or {})},
                **self.variables(watching),
                **more,
            )
        return self.outlets(play, watching)

    @contextlib.contextmanager
    def watching(self) -> t.Iterator[Watching]:
        """Watch what is started inside."""
        home = self._plays.home
        files = FileWatch(self._scratch, home / ".ansible/tmp", home / ".ansible_async")
        with files, Syslog(self._directory) as syslog, ProcessWatch(home, self._emulator_pid) as processes:
            yield Watching(syslog, processes, files)

    def variables(self, watching: Watching) -> dict[str, str]:
        """What all hosts have to have, so that modules find the syslog and KEEP the directory."""
        return {"ansible_python_interpreter": watching.interpreter, "channel_cache": str(self.trees["cache"])}

    def outlets(self, play: Play, watching: Watching) -> Outlets:
        """All that came out of a play that was watched."""
        texts = {"stdout": [play.stdout.encode()], "stderr": [play.stderr.encode()], **watching.texts()}
        return Outlets(play, texts, {**self.trees, "directory": play.directory})

    def environment(self) -> dict[str, str]:
        """The variables that open the channels."""
        return {
            "ANSIBLE_LOG_PATH": str(self.trees["logs"] / "ansible.log"),
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.trees["facts"]),
            "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.tree,ansible.builtin.junit",
            "ANSIBLE_CALLBACK_TREE_DIR": str(self.trees["tree"]),
            "JUNIT_OUTPUT_DIR": str(self.trees["junit"]),
            "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true",
            "ANSIBLE_DISPLAY_TRACEBACK": "always",
            # The connection "local" takes the home from the machine's list of users.
            "ANSIBLE_REMOTE_TEMP": str(self._plays.home / ".ansible/tmp"),
            "ANSIBLE_ASYNC_DIR": str(self._plays.home / ".ansible_async"),
            "TMPDIR": str(self._scratch),
        }


def secrets(emulator: Emulator, **more: str) -> dict[str, str]:
    """The client secret, all access tokens that reached an API, all refresh tokens that were redeemed, and ``more``."""
    log = emulator.requests()
    bearers = [value for entry in log for name, value in entry["headers"] if name.lower() == "authorization"]
    redeemed = [value for entry in log for name, value in entry["form"] if name == "refresh_token"]
    return {
        "client secret": emulator.client_secret,
        **{f"access token {number}": value.partition(" ")[2] for number, value in enumerate(dict.fromkeys(bearers), 1)},
        **{f"refresh token {number}": value for number, value in enumerate(dict.fromkeys(redeemed), 1)},
        **more,
    }


__all__ = ("KEEP", "Channels", "FileWatch", "Outlets", "ProcessWatch", "Syslog", "Watching", "secrets")
