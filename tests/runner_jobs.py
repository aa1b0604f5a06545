# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs by ansible-runner as AWX has them: with the built-in credential, fact storage on, and every event kept."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import typing as t
from pathlib import Path

from leaks import Markers

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

_JOB_SECONDS: t.Final = 1800


@dataclasses.dataclass(frozen=True)
class Job:
    """A job that ran: its private data directory, and what ansible-runner left in it."""

    directory: Path
    printed: str

    @property
    def artifacts(self) -> Path:
        """What AWX stores or streams of a job."""
        return self.directory / "artifacts/1"

    @property
    def command(self) -> Path:
        """ansible-runner's note of how it started Ansible, the whole environment included."""
        return self.artifacts / "command"

    @property
    def status(self) -> str:
        """``successful`` or ``failed``."""
        return (self.artifacts / "status").read_text()

    def events(self, task: str) -> list[dict[str, t.Any]]:
        """The events of a task that have a result."""
        events = [json.loads(path.read_text()) for path in (self.artifacts / "job_events").glob("*.json")]
        data = [event.get("event_data", {}) for event in events]
        return [event for event in data if event.get("task") == task and "res" in event]

    def leaks(self, values: dict[str, str]) -> list[str]:
        """Where a value is that should not be: anywhere but in the job's input, and in ``command``.

        AWX writes the credential into the environment of a job (``env/``), and ansible-runner notes the environment in
        ``command``, for its user alone. Both are theirs, and removed with the private data directory.
        """
        input_files = [path for path in (self.directory / "env").rglob("*") if path.is_file()]
        markers = Markers(values)
        found = markers.in_tree(self.directory, but=[*input_files, self.command])
        return [str(leak) for leak in (*found, *markers.in_text(self.printed, "output"))]


class Runner:
    """Runs jobs in private data directories laid out as AWX lays them out."""

    def __init__(self, plays: Plays, emulator: Emulator) -> None:
        self._plays = plays
        self._emulator = emulator

    def run(
        self,
        tasks: list[dict[str, t.Any]],
        *arguments: str,
        env: t.Mapping[str, str] | None = None,
        strategy: str = "linear",
        **variables: str,
    ) -> Job:
        """Run tasks on one host; ``arguments`` for ansible-runner, ``env`` and ``variables`` for Ansible."""
        directory = self._plays.directory / "awx_1_job"
        for name in ("inventory", "env", "project", "cp"):
            (directory / name).mkdir(parents=True)
        directory.chmod(0o700)
        host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **variables}
        self._write(directory / "inventory/hosts.json", {"all": {"hosts": {"h001": host}}})
        # On this very machine ansible-core would gather the environment with the credential as the fact ansible_env.
        gathered = {"gather_facts": True, "gather_subset": ["!all", "!env"]}
        play = {"hosts": "all", "strategy": strategy, **gathered, "tasks": tasks}
        self._write(directory / "project/play.json", [play])
        self._write(directory / "env/settings", {"fact_cache_type": "jsonfile", "fact_cache": "fact_cache"})
        self._write(directory / "env/envvars", {**self._environment(directory), **(env or {})})
        program = Path(sys.executable).parent / "ansible-runner"
        done = subprocess.run(
            [program, "run", directory, "-p", "play.json", "-i", "1", *arguments],
            # Of all this, AWX's own process has nothing but a path and a home.
            env={name: self._plays.environment()[name] for name in ("PATH", "HOME", "LC_ALL")},
            capture_output=True,
            text=True,
            timeout=_JOB_SECONDS,
            check=False,
        )
        return Job(directory, done.stdout + done.stderr)

    def _environment(self, directory: Path) -> dict[str, str]:
        """AWX's own variables, and its credential "Microsoft Azure Resource Manager" with the optional ones empty."""
        emulated = self._plays.environment()
        ours = ("ENTRA_AUTH_AUTHORITY", "ENTRA_AUTH_API_BASE_URL", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
        return {
            **{name: emulated[name] for name in (*ours, "ANSIBLE_COLLECTIONS_PATH", "NO_PROXY", "no_proxy", "HOME")},
            "AZURE_CLIENT_ID": self._emulator.client_id,
            "AZURE_TENANT": self._emulator.tenant_id,
            "AZURE_SECRET": self._emulator.client_secret,
            "AZURE_SUBSCRIPTION_ID": "",
            "AZURE_AD_USER": "",
            "AZURE_PASSWORD": "",
            "AZURE_CLOUD_ENVIRONMENT": "",
            "ENTRA_AUTH_TENANT_ID": "",
            "ENTRA_AUTH_CLIENT_SECRET": "",
            "JOB_ID": "1",
            "AWX_PRIVATE_DATA_DIR": str(directory),
            "AWX_ISOLATED_DATA_DIR": str(directory / "artifacts/1"),
            "ANSIBLE_REMOTE_TEMP": str(directory / "tmp"),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
        }

    @staticmethod
    def _write(path: Path, content: object) -> None:
        path.write_text(json.dumps(content))
        path.chmod(0o600)


__all__ = ("Job", "Runner")
