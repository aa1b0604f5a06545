# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running contenders in turn: laps of one play, whole plays, and programs."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from benchmarks.figures import Measured
from benchmarks.memory import Watch

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator

Tasks = list[dict[str, t.Any]]

# As the README has it.
SECRET_IN_VAULT: t.Final = "{{ vault_app_secret }}"  # noqa: S105 - the name of a variable

ROOT: t.Final = Path(__file__).resolve().parents[1]
_COLLECTIONS: t.Final = os.environ.get("ENTRA_COLLECTIONS_PATH") or str(ROOT / ".build")
_HERE: t.Final = Path(__file__).resolve().parent
_BIN: t.Final = Path(sys.executable).parent
_LAP: t.Final = "lap "
# Roles that each play has: one does nothing, one calls an API with a static header and keeps the response.
FLOOR_ROLE: t.Final = "floor"
OWN_ROLE: t.Final = "own"
STATIC_CALL: t.Final = {"headers": {"Authorization": "{{ static_authorization }}"}, "use_netrc": False}
_OWN_CALL: t.Final[Tasks] = [
    {"ansible.builtin.uri": {"url": "{{ authorized_uri_url }}", **STATIC_CALL}, "register": "own_response"},
    {"ansible.builtin.set_fact": {"own_result": "{{ own_response }}"}},
]
_PLAY_SECONDS: t.Final = 3600


class Lap(t.NamedTuple):
    """One turn: seconds, and seconds of processor time of all processes of the play."""

    seconds: float
    spent: float


@dataclasses.dataclass(frozen=True)
class Play:
    """A finished play: for each contender its laps, and its failures on hosts. ``peak`` is its size in MiB."""

    seconds: float
    laps: t.Mapping[str, list[Lap]]
    failed: t.Mapping[str, int]
    peak: float | None


class Bench:
    """Runs what is to be compared, against one emulator, in a directory of its own.

    ``full`` asks for all hosts and rounds; without it everything is done on a smaller scale.
    """

    def __init__(self, emulator: Emulator, directory: Path, *, full: bool) -> None:
        self.emulator = emulator
        self.full = full
        self._directory = directory
        # A rival has an app of its own, by which its requests are told apart.
        self.rival = emulator.add_app(secret="made-up~secret-of-a-rival", roles={"graph": ["User.Read.All"]})  # noqa: S106
        self.rival["secret"] = "made-up~secret-of-a-rival"  # noqa: S105

    def size(self, full: int, quick: int) -> int:
        """The one that is asked for."""
        return full if self.full else quick

    def play(
        self,
        tasks: Tasks,
        *,
        hosts: int,
        forks: int,
        batch: int | None = None,
        may_fail: bool = False,
        watch: bool = False,
        vault: bool = False,
    ) -> Play:
        """Run tasks on local hosts. Those whose names tell a lap are timed; what goes wrong ends the benchmark.

        With ``batch`` all tasks are run on so many hosts at a time, with laps of their own.
        With ``vault`` the app is named by the inventory, and its secret is in a file that ansible-vault encrypted.
        Without, all of it comes from the environment.
        """
        self.emulator.forget_requests()
        running = self.start(tasks, hosts=hosts, forks=forks, batch=batch, vault=vault)
        if watch:
            with Watch(running.process.pid) as watched:
                running.finish()
            peak = watched.peak
        else:
            running.finish()
            peak = None
        play = Play(running.seconds, *read_laps(running.laps), peak)
        if not may_fail and (running.process.returncode or any(play.failed.values())):
            raise SystemExit(f"a play failed; see {running.log}:\n{running.log.read_text()[-2000:]}\n{play.failed}")
        return play

    def together(self, tasks: Tasks, count: int) -> float:
        """The seconds until ``count`` plays of one host, started at the same time, have ended."""
        self.emulator.forget_requests()
        began = time.perf_counter()
        plays = [self.start(tasks, number=number) for number in range(count)]
        for play in plays:
            if play.finish():
                raise SystemExit(f"a play failed:\n{play.log.read_text()[-2000:]}")
        return time.perf_counter() - began

    def forget_tokens(self) -> None:
        """Empty the user's cache."""
        shutil.rmtree(self._directory / "cache", ignore_errors=True)

    def start(
        self,
        tasks: Tasks,
        *,
        hosts: int = 1,
        forks: int = 5,
        batch: int | None = None,
        number: int = 0,
        vault: bool = False,
    ) -> Running:
        """Begin to run tasks; ``number`` tells plays that run at the same time from each other."""
        place = self._directory / f"play-{number}"
        shutil.rmtree(place, ignore_errors=True)
        (place / "home").mkdir(parents=True)
        play = {"hosts": "all", "gather_facts": False, "serial": batch or hosts, "tasks": tasks}
        (place / "play.json").write_text(json.dumps([play]))
        _write_role(place / "roles" / FLOOR_ROLE, [{"bench.floor.nothing": {}}] * 2, spec_of="app_token")
        _write_role(place / "roles" / OWN_ROLE, _OWN_CALL, spec_of="authorized_uri")
        own = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        names: dict[str, t.Any] = {f"h{number:04}": {} for number in range(1, hosts + 1)}
        (place / "inventory.json").write_text(json.dumps({"all": {"hosts": names, "vars": own}}))
        command = [str(_BIN / "ansible-playbook"), "-i", "inventory.json", f"--forks={forks}", "play.json"]
        environment = self.environment(place)
        if vault:
            self._into_vault(place, environment)
            command.append("--vault-password-file=password")
        return Running(command, place, environment)

    def _into_vault(self, place: Path, environment: dict[str, str]) -> None:
        for name in [name for name in environment if name.endswith(("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))]:
            del environment[name]
        group = place / "group_vars/all"
        group.mkdir(parents=True)
        ids = {"app_token_tenant_id": self.emulator.tenant_id, "app_token_client_id": self.emulator.client_id}
        app = {**ids, "app_token_client_secret": SECRET_IN_VAULT}
        group.joinpath("entra.json").write_text(json.dumps(app))
        group.joinpath("vault.json").write_text(json.dumps({"vault_app_secret": self.emulator.client_secret}))
        (place / "password").write_text("made-up password of a vault\n")
        encrypt = ["encrypt", "--vault-password-file=password", "group_vars/all/vault.json"]
        subprocess.run([_BIN / "ansible-vault", *encrypt], cwd=place, env=environment, check=True, capture_output=True)

    def environment(self, place: Path) -> dict[str, str]:
        """What a contender sees: the emulator's variables, and nothing of this machine's settings.

        The user's cache is shared, as it would be.
        """
        return {
            "PATH": f"{_BIN}:/usr/bin:/bin",
            "HOME": str(place / "home"),
            "XDG_CACHE_HOME": str(self._directory / "cache"),
            "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
            "ANSIBLE_COLLECTIONS_PATH": f"{_COLLECTIONS}:{_HERE / 'collections'}",
            "ANSIBLE_CALLBACK_PLUGINS": str(_HERE / "callback_plugins"),
            "ANSIBLE_STDOUT_CALLBACK": "stopwatch",
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            "BENCHMARK_LAPS": str(place / "laps.jsonl"),
            **self.emulator.environment(),
        }

    def program(self, name: str, *arguments: str) -> float:
        """The seconds that a program of ``programs/`` took for its one task, as it says itself."""
        command = [sys.executable, str(_HERE / "programs" / f"{name}.py"), *arguments]
        done = subprocess.run(
            command, env=self.environment(self._directory), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
        return float(done.stdout)

    def requests(self) -> collections.Counter[str]:
        """How many requests of each client's are in the emulator's log of token requests."""
        return collections.Counter(_client(entry) for entry in self.emulator.token_requests())


class Running:
    """A play under way; what it prints goes into ``log``."""

    def __init__(self, command: list[str], place: Path, environment: dict[str, str]) -> None:
        self.log = place / "log"
        self.laps = place / "laps.jsonl"
        self.seconds = 0.0
        self._began = time.perf_counter()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def finish(self) -> int:
        """Its exit status."""
        status = self.process.wait(_PLAY_SECONDS)
        self.seconds = time.perf_counter() - self._began
        return status


def _write_role(place: Path, tasks: Tasks, *, spec_of: str) -> None:
    """Write a role with tasks and the argument spec of a role of the collection."""
    for part in ("meta", "tasks"):
        (place / part).mkdir(parents=True)
    shutil.copy(ROOT / "roles" / spec_of / "meta/argument_specs.yml", place / "meta")
    (place / "tasks/main.yml").write_text(json.dumps(tasks))


def lap(contender: str, tasks: Tasks) -> Tasks:
    """One turn of a contender: it lasts until the next lap begins."""
    first, *others = tasks
    return [{**first, "name": _LAP + contender}, *others]


def in_turn(contenders: t.Mapping[str, Tasks], rounds: int) -> Tasks:
    """Laps of all contenders, round by round.

    Each second round runs backwards: what grows in the course of a play then weighs on all of them alike. The first
    lap of each is a warm-up that does not count.
    """
    warm_up = [task for name, tasks in contenders.items() for task in lap(f"warm-up of {name}", tasks)]
    order = list(contenders.items())
    return warm_up + [
        task
        for number in range(rounds)
        for name, tasks in (order if number % 2 == 0 else reversed(order))
        for task in lap(name, tasks)
    ]


def measured(play: Play, hosts: int, names: t.Iterable[str]) -> dict[str, Measured]:
    """Milliseconds for each host of a lap."""

    def per_host(seconds: t.Iterable[float]) -> tuple[float, ...]:
        return tuple(1000 * value / hosts for value in seconds)

    found = {}
    for name in names:
        laps = play.laps[name]
        seconds, spent = per_host(lap.seconds for lap in laps), per_host(lap.spent for lap in laps)
        found[name] = Measured(seconds, failed=play.failed[name], spent=spent)
    return found


def read_laps(path: Path) -> tuple[dict[str, list[Lap]], collections.Counter[str]]:
    """Each contender's laps, and how many hosts failed in them, as the stopwatch wrote them down."""
    laps: dict[str, list[Lap]] = collections.defaultdict(list)
    failed: collections.Counter[str] = collections.Counter()
    name, began, spent = "", 0.0, 0.0
    for line in map(json.loads, path.read_text().splitlines()):
        if "failed" in line:
            failed[name] += 1
        elif line["task"].startswith(_LAP) or not line["task"]:
            laps[name].append(Lap(line["at"] - began, sum(line["times"]) - spent))
            name, began, spent = line["task"].removeprefix(_LAP), line["at"], sum(line["times"])
    return laps, failed


def _client(entry: t.Mapping[str, t.Any]) -> str:
    return dict(entry["form"]).get("client_id", "")
