# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playing the scenarios with every channel open: by ansible-playbook, or as a job of ansible-runner."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
import typing as t
from pathlib import Path

from audit.scenarios import playbook
from channels import KEEP
from leaks import Markers

from plays import COLLECTIONS, PACKAGED, ROOT, Play

if t.TYPE_CHECKING:
    from audit.world import World
    from channels import Channels, Outlets, Watching
    from leaks import Leak
    from redis_server import RedisServer

    from plays import Plays

_HERE: t.Final = Path(__file__).parent
_RUN_SECONDS: t.Final = 1800
_FORKS: t.Final = 8
# Besides the one that prints: what else writes down results, and the audit's own.
_CALLBACKS: t.Final = ("ansible.builtin.tree", "ansible.builtin.junit", "witness", "crash")
# ansible.posix has the callback json.
_COLLECTIONS: t.Final = (COLLECTIONS, PACKAGED)

# Variables in which a token is by design, and no other secret than the newest refresh token.
TOKEN_VARIABLES: t.Final = "variables with tokens"
_HAVE_TOKENS: t.Final = re.compile(
    "token|tried|graph|graph_copy|app_token|app_token_headers|app_token_uri|__app_token_result"
)
_TOKENS: t.Final = re.compile(r"(token|refresh_token) \d+$")
# Those that a user set, with the secrets of the vault.
_OWN_VARIABLES: t.Final = re.compile("given|places|apps|options|app_token_(?!headers|uri).*")


@dataclasses.dataclass(frozen=True)
class Audited:
    """What came out of a run of all scenarios, and the markers of what is not to be in it."""

    outlets: Outlets
    events: list[dict[str, t.Any]]
    markers: dict[str, str]
    given_in_environment: dict[str, str]
    inputs: tuple[Path, ...]

    def leaks(self, markers: Markers | None = None, *, but: t.Collection[Path] = ()) -> dict[str, list[Leak]]:
        """The leaks in each channel; a secret that was in the environment from the start may be there alone."""
        inputs = [*self.inputs, *but]
        found = self.outlets.leaks(markers or Markers(self.markers), but=inputs)
        if secrets := [leak for leak in found.pop(TOKEN_VARIABLES, []) if not _TOKENS.match(leak.marker)]:
            found[TOKEN_VARIABLES] = secrets
        for channel, leaks in self.outlets.leaks(Markers(self.given_in_environment), but=inputs).items():
            if channel != "environment":
                found[channel] = found.get(channel, []) + leaks
        return found

    def ends(self) -> dict[tuple[str, str], str]:
        """The last event of each task on each host."""
        return {
            (event["task"], event["host"]): event["event"]
            for event in self.events
            if event["event"] in ("ok", "failed", "unreachable")
        }

    def messages(self, task: str) -> str:
        """All that callbacks were told of a task, as text."""
        return "\n".join(json.dumps(event["result"]) for event in self.events if event["task"] == task)


class Audit:
    """Plays all scenarios, or others, in a world of their own."""

    def __init__(self, plays: Plays, channels: Channels, world: World, redis: RedisServer, variables: Path) -> None:
        self.plays = plays
        self.world = world
        self._channels = channels
        self._redis = redis
        self._variables = variables
        self._witness = plays.directory / "witness.jsonl"

    def play(self, callback: str, *arguments: str, plays: list[dict[str, t.Any]] | None = None, **env: str) -> Audited:
        """By ansible-playbook with that callback for stdout; other plays than the scenarios, if any are given."""
        with self._channels.watching() as watching:
            play = self.plays.run(
                plays or playbook(KEEP),
                *self.world.arguments,
                *arguments,
                forks=_FORKS,
                env=self.environment(callback, **env),
                **self._channels.variables(watching),
            )
        return self.audited(play, watching)

    def job(self, *arguments: str, plays: list[dict[str, t.Any]] | None = None) -> Audited:
        """As a job of ansible-runner, which is what AWX runs."""
        directory = self.plays.directory / "job"
        for name in ("inventory", "env", "project", "cp"):
            (directory / name).mkdir(parents=True)
        directory.chmod(0o700)
        with self._channels.watching() as watching:
            self._lay_out(directory, watching, plays or playbook(KEEP))
            done = subprocess.run(
                [
                    *(Path(sys.executable).parent / "ansible-runner", "run", directory, "-p", "play.json", "-i", "1"),
                    *("--cmdline", " ".join((*self.world.vault_arguments, *arguments, f"--forks={_FORKS}"))),
                ],
                env={name: self.plays.environment()[name] for name in ("PATH", "HOME", "LC_ALL")},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_RUN_SECONDS,
                check=False,
            )
        play = Play(done.returncode, done.stdout, done.stderr, self.plays.directory, self.plays.home)
        return self.audited(play, watching)

    def environment(self, callback: str | None = None, **more: str) -> dict[str, str | None]:
        """The variables for a run with all channels open."""
        printed = {"ANSIBLE_STDOUT_CALLBACK": callback} if callback else {}
        return {
            **self.world.environment,
            **self._channels.environment(),
            **printed,
            "ANSIBLE_CALLBACKS_ENABLED": ",".join(_CALLBACKS),
            "ANSIBLE_CALLBACK_PLUGINS": str(_HERE / "callback_plugins"),
            "ANSIBLE_LOOKUP_PLUGINS": str(_HERE / "lookup_plugins"),
            "ANSIBLE_COLLECTIONS_PATH": ":".join(map(str, _COLLECTIONS)),
            "ANSIBLE_SSH_RETRIES": "0",
            "AUDIT_VARIABLES": str(self._variables),
            "AUDIT_WITNESS": str(self._witness),
            "PYTHONPATH": str(ROOT / "tests"),
            **more,
        }

    def audited(self, play: Play, watching: Watching) -> Audited:
        """What is to be searched after a play."""
        outlets = self._channels.outlets(play, watching)
        at_rest = [f"{name} ".encode() + content for name, content in self._redis.contents().items()]
        texts = {**outlets.texts, "Redis": at_rest, **self._read_variables()}
        outlets = dataclasses.replace(outlets, texts=texts)
        events = [json.loads(line) for line in self._witness.read_text().splitlines()] if self._witness.exists() else []
        return Audited(outlets, events, self.world.markers(), self.world.given_in_environment, self._inputs())

    def _read_variables(self) -> dict[str, list[bytes]]:
        """Return what keep_variables stored, without the users' own; those that have a token are apart."""
        texts: dict[str, list[bytes]] = {"variables": [], TOKEN_VARIABLES: []}
        for path in self._variables.iterdir():
            kept = json.loads(path.read_text())
            for host, variables in kept["variables"].items():
                for name, value in variables.items():
                    if not _OWN_VARIABLES.fullmatch(name):
                        channel = TOKEN_VARIABLES if _HAVE_TOKENS.fullmatch(name) else "variables"
                        texts[channel].append(f"{kept['after']} {host} {name} {value}".encode())
        return texts

    def _inputs(self) -> tuple[Path, ...]:
        # What ansible-runner was given, and its own note of it, for its user alone.
        job = self.plays.directory / "job"
        return self.world.refresh_token_file, self.world.vault, job / "env/envvars", job / "artifacts/1/command"

    def _lay_out(self, directory: Path, watching: Watching, plays: list[dict[str, t.Any]]) -> None:
        inventory = json.loads(self.world.inventory.read_text())
        inventory["all"]["vars"] = self._channels.variables(watching)
        env = {**self.plays.environment(), **self.environment()}
        # Set by ansible-runner itself, as AWX has it.
        for name in ("ANSIBLE_CACHE_PLUGIN", "ANSIBLE_CACHE_PLUGIN_CONNECTION", "ANSIBLE_NOCOLOR"):
            env.pop(name, None)
        self._write(directory / "inventory/hosts.json", inventory)
        self._write(directory / "project/play.json", plays)
        self._write(directory / "env/settings", {"fact_cache_type": "jsonfile", "fact_cache": "fact_cache"})
        self._write(directory / "env/envvars", {name: value for name, value in env.items() if value is not None})

    @staticmethod
    def _write(path: Path, content: object) -> None:
        path.write_text(json.dumps(content))
        path.chmod(0o600)


__all__ = ("Audit", "Audited")
