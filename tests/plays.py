# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running real plays against the emulator, as a user would: ansible-playbook with an environment of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from cores import CORE, CORE_MASKS
from value_files import is_written, name_directory, read_values

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from entra_emulator.client import Emulator

ROOT: t.Final = Path(__file__).resolve().parents[1]
COLLECTIONS: t.Final = Path(os.environ.get("ENTRA_COLLECTIONS_PATH") or ROOT / ".build")
# Collections from Ansible's package, for the sessions that fetched them.
PACKAGED: t.Final = ROOT / ".build/packaged"
_BIN: t.Final = Path(sys.executable).parent
# What hangs fails the test in the end; nothing is timed by them.
_PLAY_SECONDS: t.Final = 1800
_WAIT_SECONDS: t.Final = 300
_POLL_SECONDS: t.Final = 0.05

# The variables of each host, by its name. Ansible takes a second to start: many cases are hosts of one play.
Hosts = t.Mapping[str, t.Mapping[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Play:
    """A finished run of ansible-playbook.

    Attributes:
        home: Its HOME.
        directory: The directory of the playbook.
        values: The directory into which the tasks of :func:`show` wrote their values.
    """

    returncode: int
    stdout: str
    stderr: str
    directory: Path
    home: Path
    values: Path | None = None

    @property
    def output(self) -> str:
        """All that was printed; where ansible-core masks the values of :func:`show`, these values, too."""
        files = sorted(self.values.iterdir()) if CORE_MASKS and self.values else []
        return "".join([self.stdout, self.stderr, *(file.read_text(encoding="utf-8") for file in files)])

    def events(self) -> list[dict[str, t.Any]]:
        """Every event as callbacks saw it, after a run with ``record=True``: event, task, host and result."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith('{"event"')]

    def result(self, task: str, host: str = "h001") -> dict[str, t.Any]:
        """What callbacks saw of a task on a host, after a run with ``record=True``; the last one of several."""
        seen = [event["result"] for event in self.events() if (event["task"], event["host"]) == (task, host)]
        assert seen, f"no task {task!r} on {host} in:\n{self.output}"
        return t.cast("dict[str, t.Any]", seen[-1])

    def warnings(self) -> list[str]:
        """Return the warnings of all tasks but those of :func:`show`, squeezed, after ``record=True``.

        Before 2.19 ansible-core does not put them into results.
        """
        if CORE < (2, 19):
            return [squeeze(text) for text in re.findall(r"^\[WARNING\]: ([^[]+)", self.stderr, re.MULTILINE)]
        results = [event["result"] for event in self.events() if event["task"] != "Show"]
        return [squeeze(warning) for result in results for warning in result.get("warnings", ())]

    def shown(self, host: str = "h001") -> dict[str, t.Any]:
        """Return the values of the last task of :func:`show` on a host, in their types, after ``record=True``."""
        seen = self.all_shown(host)
        assert seen, f"no task of show() on {host} in:\n{self.output}"
        return seen[-1]

    def all_shown(self, host: str = "h001") -> list[dict[str, t.Any]]:
        """Return the values of each task of :func:`show` on a host, in the order of the tasks."""
        assert self.values is not None
        # By the event, because a host can return any name of its own as a fact.
        shown = [event["result"].get("msg") for event in self.events() if event["host"] == host]
        return [read_values(self.values, text) for text in shown if is_written(text)]


def squeeze(text: str) -> str:
    """A text without white space, for output in which ansible-core breaks lines, also within words."""
    return "".join(text.split())


class Running:
    """A run of ansible-playbook under way, in a process group of its own; a context manager that leaves nothing."""

    def __init__(
        self, command: list[str], environment: dict[str, str], directory: Path, home: Path, values: Path
    ) -> None:
        self._directory = directory
        self._home = home
        self._values = values
        # Not in HOME, which tests search for what a run leaves behind; a file, because orphans keep a pipe open.
        self._log = directory / f"run-{len(list(directory.glob('run-*.log')))}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        if self._process.poll() is None:
            self.kill()

    def kill(self, then: Callable[[], object] = lambda: None) -> Play:
        """SIGKILL for the whole group; the run as far as it came, once its last orphaned worker has ended, too.

        ``then`` lets go on what such a worker waits for.
        """
        os.killpg(self._process.pid, signal.SIGKILL)
        then()
        play = self.finish()
        self.wait_for_orphans()
        return play

    def finish(self) -> Play:
        """The run when it has ended."""
        status = self._process.wait(_PLAY_SECONDS)
        return Play(status, self._log.read_text(), "", self._directory, self._home, self._values)

    def wait_for_orphans(self) -> None:
        """Return once its last worker has ended, too."""
        wait_until(lambda: not self._alive())

    def _alive(self) -> list[Path]:
        return [path for path in Path("/proc").glob("[0-9]*/cwd") if _target(path) == self._directory]


def _target(link: Path) -> Path | None:
    try:
        return link.readlink()
    except OSError:  # ended meanwhile, or not ours
        return None


def wait_until(condition: Callable[[], object], seconds: float = _WAIT_SECONDS) -> None:
    """Return as soon as ``condition`` holds; fail where it never does."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"not within {seconds} s"
        time.sleep(_POLL_SECONDS)


class Plays:
    """Runs playbooks in a directory of their own; nothing of this machine's settings reaches them."""

    def __init__(self, directory: Path, emulator: Emulator) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.home.mkdir()
        self._emulator = emulator

    def environment(self, **extra: str | None) -> dict[str, str]:
        """What a play sees: the emulator's variables and ``extra``; None takes one away."""
        settings: dict[str, str | None] = {
            "PATH": f"{_BIN}:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/callback_plugins"),
            "ANSIBLE_FILTER_PLUGINS": str(ROOT / "tests/filter_plugins"),
            # What the plugins of the tests share.
            "PYTHONPATH": str(ROOT / "tests"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            **{name: value for name, value in os.environ.items() if name.startswith(("COV_CORE", "COVERAGE_"))},
            **self._emulator.environment(),
            **extra,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def write(self, playbook: str | list[dict[str, t.Any]], name: str = "play.yml") -> Path:
        """A playbook from its text, or from plays as data; ``hosts: all`` and no facts unless said otherwise."""
        path = self.directory / name
        if isinstance(playbook, list):
            playbook = json.dumps([{"hosts": "all", "gather_facts": False, **play} for play in playbook], indent=1)
        path.write_text(playbook)
        return path

    def run(
        self,
        playbook: str | list[dict[str, t.Any]] | Path,
        *arguments: str,
        hosts: int | Hosts = 1,
        forks: int = 5,
        record: bool = False,
        env: t.Mapping[str, str | None] | None = None,
        **variables: t.Any,
    ) -> Play:
        """Run a playbook (text, data or path) on local hosts: a number of them, h001, h002, …, or names and variables.

        ``variables`` go to all hosts. They are inventory variables, so a string in them is a template, as in any
        inventory.
        """
        chosen = {"ANSIBLE_STDOUT_CALLBACK": "record"} if record else {}
        values = self._make_values_directory()
        done = subprocess.run(
            self._command(playbook, arguments, hosts, forks, variables),
            env=self.environment(**{**chosen, **name_directory(values), **(env or {})}),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PLAY_SECONDS,
            check=False,
        )
        return Play(done.returncode, done.stdout, done.stderr, self.directory, self.home, values)

    def start(
        self,
        playbook: str | list[dict[str, t.Any]] | Path,
        *arguments: str,
        hosts: int | Hosts = 1,
        forks: int = 5,
        env: t.Mapping[str, str | None] | None = None,
        **variables: t.Any,
    ) -> Running:
        """Begin what :meth:`run` does, with ``record=True``, and don't wait for its end."""
        command = self._command(playbook, arguments, hosts, forks, variables)
        values = self._make_values_directory()
        environment = self.environment(
            **{"ANSIBLE_STDOUT_CALLBACK": "record", **name_directory(values), **(env or {})},
        )
        return Running(command, environment, self.directory, self.home, values)

    def _make_values_directory(self) -> Path:
        path = self.directory / f"values-{len(list(self.directory.glob('values-*')))}"
        path.mkdir()
        return path

    def _command(
        self,
        playbook: str | list[dict[str, t.Any]] | Path,
        arguments: t.Sequence[str],
        hosts: int | Hosts,
        forks: int,
        variables: dict[str, t.Any],
    ) -> list[str]:
        path = playbook if isinstance(playbook, Path) else self.write(playbook)
        inventory = self._inventory(hosts, variables)
        return [str(_BIN / "ansible-playbook"), "-i", str(inventory), f"--forks={forks}", *arguments, str(path)]

    def _inventory(self, hosts: int | Hosts, variables: dict[str, t.Any]) -> Path:
        path = self.directory / "inventory.yml"
        names = {f"h{number:03}": {} for number in range(1, hosts + 1)} if isinstance(hosts, int) else dict(hosts)
        own = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **variables}
        path.write_text(json.dumps({"all": {"hosts": names, "vars": own}}))
        return path


def role(name: str, **variables: t.Any) -> dict[str, t.Any]:
    """A task that includes a role of the collection with variables."""
    return {
        "name": f"Role {name}",
        "ansible.builtin.include_role": {"name": f"entra.auth.{name}", "public": True},
        "vars": variables,
    }


def uri(url: str, defaults: str, **more: t.Any) -> dict[str, t.Any]:
    """A stock uri task whose ``module_defaults`` are an expression."""
    return {
        "name": "Call",
        "ansible.builtin.uri": {"url": url, **more},
        "module_defaults": {"ansible.builtin.uri": "{{ " + defaults + " }}"},
    }


def show(**expressions: str) -> dict[str, t.Any]:
    """Return a task that hands the values of expressions to :meth:`Play.shown`, and shows them.

    From 2.22 ansible-core masks secrets in what it shows, so the values are also written to a file.
    """
    pairs = ", ".join(f"'{name}': ({expression})" for name, expression in expressions.items())
    return {"name": "Show", "ansible.builtin.debug": {"msg": "{{ {" + pairs + "} | to_json | write_values }}"}}
