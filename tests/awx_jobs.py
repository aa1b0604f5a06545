# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: credentials rendered by AWX's own injector, a private data directory laid out as AWX does,
and ansible-runner's transmit, worker and process one after the other.

What AWX does is in its ``awx/main/tasks/jobs.py`` and ``receptor.py``; names and values here are those there.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import ansible_runner
import yaml
from leaks import Markers

from plays import COLLECTIONS, ROOT

if t.TYPE_CHECKING:
    from leaks import Leak

    from entra_emulator.client import Emulator

CREDENTIAL_TYPES: t.Final = ROOT / "extensions/awx/credential_types"
_INJECTOR_PYTHON: t.Final = ROOT / ".build/nox/awx/bin/python"
_BIN: t.Final = Path(sys.executable).parent
_JOB_SECONDS: t.Final = 1800
_IN_CONTAINER: t.Final = "/runner"
# How jobs find the emulator. In AWX the setting "Extra Environment Variables" has such things.
_OF_EMULATOR: t.Final = (
    "ENTRA_AUTH_AUTHORITY",
    "ENTRA_AUTH_API_BASE_URL",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "NO_PROXY",
    "no_proxy",
)


@dataclasses.dataclass(frozen=True)
class Credential:
    """A credential of a type in extensions/awx/credential_types, by its file's stem, or of a built-in type.

    ``lookups`` are inputs that an external lookup fills: its plugin and the arguments of the call.
    """

    type: str
    inputs: dict[str, t.Any]
    lookups: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    def describe(self, private_data_dir: Path, container_root: str) -> dict[str, t.Any]:
        """Return what the injector has to know about it."""
        custom = CREDENTIAL_TYPES / f"{self.type}.yml"
        return {
            "type": yaml.safe_load(custom.read_text()) if custom.exists() else self.type,
            "inputs": self.inputs,
            "lookups": self.lookups,
            "private_data_dir": str(private_data_dir),
            "container_root": container_root,
        }


def inject(credentials: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return what AWX makes of each: ``env``, ``safe_env`` (what it stores and shows) and ``args``; write its files.

    All in one process, because AWX's code takes long to load.
    """
    assert _INJECTOR_PYTHON.exists(), "AWX's injector is not installed: .build/tools/bin/nox -s awx"
    done = subprocess.run(
        [_INJECTOR_PYTHON, ROOT / "tests/awx_inject.py"],
        input=json.dumps(credentials),
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return t.cast("list[dict[str, t.Any]]", json.loads(done.stdout))


@dataclasses.dataclass(frozen=True)
class Job:
    """A job that ran. ``directory`` is its private data directory, ``events`` are as AWX stores them."""

    directory: Path
    home: Path
    status: str
    events: list[dict[str, t.Any]]
    stream: bytes
    safe_env: dict[str, str]
    artifacts: Path

    @property
    def output(self) -> str:
        """What AWX shows of the job."""
        return "\n".join(event["stdout"] for event in self.events if event.get("stdout"))

    def result(self, task: str, host: str = "h001") -> dict[str, t.Any]:
        """The result in the last event of a task on a host."""
        data = [event.get("event_data", {}) for event in self.events]
        seen = [one["res"] for one in data if (one.get("task"), one.get("host")) == (task, host) and "res" in one]
        assert seen, f"no result of {task!r} on {host} in:\n{self.output}"
        return t.cast("dict[str, t.Any]", seen[-1])

    def leaks(self, *, secrets: t.Mapping[str, str], tokens: t.Mapping[str, str]) -> list[str]:
        """Where a token is at all, and where a secret is but in what AWX and ansible-runner themselves keep it.

        They have it in the files of file injectors (``env/``), and in ansible-runner's notes of how it starts the job
        (``command``, ``env.list``, the status "starting"): all for their user alone, and removed with the job.
        """
        markers = Markers(tokens)
        found = [leak for tree in (self.directory, self.home) for leak in markers.in_tree(tree)]
        found += markers.in_text(self.stream, "stream")
        return [str(leak) for leak in (*found, *self._secrets(Markers(secrets)))]

    def _secrets(self, markers: Markers) -> list[Leak]:
        theirs = [path for path in (self.directory / "env").rglob("*") if path.is_file()]
        theirs += [self.artifacts / "command", self.artifacts / "env.list"]
        found = markers.in_tree(self.directory, but=theirs) + markers.in_tree(self.home)
        lines = [line for line in self.stream.splitlines() if not line.startswith(b'{"status": "starting"')]
        return [*found, *markers.in_text(b"\n".join(lines), "stream")]


class Running:
    """A job under way; a context manager that leaves nothing."""

    def __init__(self, worker: subprocess.Popen[bytes], kwargs: dict[str, t.Any], job: dict[str, t.Any]) -> None:
        self._worker = worker
        self._kwargs = kwargs
        self._job = job

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        if self._worker.poll() is None:
            self._worker.kill()
            self._worker.wait()

    def finish(self) -> Job:
        """The job when it has ended, processed as AWX does."""
        self._worker.wait(_JOB_SECONDS)
        stream = Path(self._job["directory"]).with_suffix(".stream").read_bytes()
        events: list[dict[str, t.Any]] = []
        ended = ansible_runner.interface.run(
            streamer="process",
            quiet=True,
            _input=io.BytesIO(stream),
            # What it returns says whether to write a file; AWX has a database.
            event_handler=events.append,
            **self._kwargs,
        )
        artifacts = Path(self._job["directory"]) / "artifacts" / str(self._kwargs["ident"])
        return Job(status=ended.status, events=events, stream=stream, artifacts=artifacts, **self._job)


class Awx:
    """Runs jobs below ``directory`` against the emulator; in containers of ``image`` where one is given."""

    def __init__(self, directory: Path, emulator: Emulator, *, image: str = "") -> None:
        self._directory = directory
        self._emulator = emulator
        self._image = image
        self._count = 0

    def run(self, tasks: list[dict[str, t.Any]], *credentials: Credential, **more: t.Any) -> Job:
        """A job to its end; ``more`` as for :meth:`launch`."""
        with self.launch(tasks, *credentials, **more) as running:
            return running.finish()

    def launch(
        self, tasks: list[dict[str, t.Any]], *credentials: Credential, hosts: t.Sequence[str] = ("h001",), **more: t.Any
    ) -> Running:
        """Begin a job; ``more`` as for :meth:`launch_slices`."""
        (running,) = self.launch_slices(tasks, *credentials, slices=[hosts], **more)
        return running

    def launch_slices(
        self,
        tasks: list[dict[str, t.Any]],
        *credentials: Credential,
        slices: t.Sequence[t.Sequence[str]],
        verbosity: int = 0,
        extra_vars: t.Mapping[str, t.Any] | None = None,
        env: t.Mapping[str, str] | None = None,
    ) -> list[Running]:
        """Begin a job for each slice: a play of these tasks on its hosts.

        The job template has fact storage and variables.
        """
        first = self._count + 1
        self._count += len(slices)
        numbers = range(first, first + len(slices))
        variables = extra_vars or {}
        directories = [
            self._private_data_dir(number, tasks, hosts, variables)
            for number, hosts in zip(numbers, slices, strict=True)
        ]
        arguments = ["-u", "root", *(["-" + "v" * verbosity] if verbosity else [])]
        injected = self._inject(credentials, directories)
        return [
            self._start(number, directory, arguments, given, env or {})
            for number, directory, given in zip(numbers, directories, injected, strict=True)
        ]

    def _inject(
        self, credentials: t.Sequence[Credential], directories: t.Sequence[Path]
    ) -> list[list[dict[str, t.Any]]]:
        """Return what the job in each directory gets from all credentials."""
        described = [
            credential.describe(directory, _IN_CONTAINER if self._image else str(directory))
            for directory in directories
            for credential in credentials
        ]
        injected = iter(inject(described) if described else [])
        return [[next(injected) for _credential in credentials] for _directory in directories]

    def _start(
        self,
        number: int,
        directory: Path,
        arguments: list[str],
        injected: list[dict[str, t.Any]],
        env: t.Mapping[str, str],
    ) -> Running:
        environment = {**self._environment(number, directory), **env}
        safe_env: dict[str, str] = {}
        for given in injected:
            environment |= given["env"]
            safe_env |= given["safe_env"]
            arguments = [*arguments, *given["args"]]
        self._write(directory / "env/cmdline", " ".join(arguments))
        kwargs = self._kwargs(number, directory, environment)
        transmitted = io.BytesIO()
        ansible_runner.interface.run(streamer="transmit", _output=transmitted, only_transmit_kwargs=True, **kwargs)
        home = directory.with_suffix(".home")
        home.mkdir()
        worker = self._work(directory, home, transmitted.getvalue())
        return Running(worker, kwargs, {"directory": directory, "home": home, "safe_env": safe_env})

    def _private_data_dir(
        self, number: int, tasks: list[dict[str, t.Any]], hosts: t.Sequence[str], extra_vars: t.Mapping[str, t.Any]
    ) -> Path:
        directory = self._directory / f"awx_{number}_made_up"
        for name in ("inventory", "env", "project", "cp"):
            (directory / name).mkdir(parents=True)
        directory.chmod(0o700)
        # On this very machine ansible-core would gather the environment with the credential as the fact ansible_env.
        play = {"hosts": "all", "gather_facts": True, "gather_subset": ["!all", "!env"], "tasks": tasks}
        self._write(directory / "project/play.yml", json.dumps([play]))
        self._write(directory / "inventory/hosts", self._inventory(hosts), 0o700)
        meta = f"awx_job_id: {number}\nawx_user_name: !unsafe 'made-up'\n"
        self._write(directory / "env/extravars", meta + yaml.safe_dump(dict(extra_vars)) if extra_vars else meta)
        settings = {"job_timeout": 0, "suppress_ansible_output": True, "suppress_output_file": True}
        self._write(directory / "env/settings", json.dumps(settings))
        return directory

    def _inventory(self, hosts: t.Sequence[str]) -> str:
        python = "/usr/bin/python3" if self._image else sys.executable
        own = {"ansible_connection": "local", "ansible_python_interpreter": python}
        listed = {"all": {"hosts": list(hosts), "vars": own}, "_meta": {"hostvars": {host: {} for host in hosts}}}
        return f"#! {python}\n# -*- coding: utf-8 -*-\nprint({json.dumps(listed)!r})\n"

    def _environment(self, number: int, directory: Path) -> dict[str, str]:
        root = _IN_CONTAINER if self._image else str(directory)
        own = "~/.ansible/collections:/usr/share/ansible/collections" if self._image else str(COLLECTIONS)
        emulated = self._emulator.environment()
        return {
            **{name: emulated[name] for name in _OF_EMULATOR},
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_COLLECTIONS_PATH": f"{root}/requirements_collections:{own}",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{root}/cp",
            "AWX_HOST": "https://awx.example",
            "AWX_PRIVATE_DATA_DIR": str(directory),
            "INVENTORY_ID": "1",
            "JOB_ID": str(number),
            "MAX_EVENT_RES": "700000",
            "PROJECT_REVISION": "0123456789abcdef0123456789abcdef01234567",
        }

    def _kwargs(self, number: int, directory: Path, environment: dict[str, str]) -> dict[str, t.Any]:
        kwargs = {
            "ident": number,
            "private_data_dir": str(directory),
            "playbook": "play.yml",
            "inventory": str(directory / "inventory/hosts"),
            "suppress_env_files": True,
            "envvars": environment,
            "fact_cache_type": "jsonfile",
        }
        if not self._image:
            return kwargs
        return {
            **kwargs,
            "container_image": self._image,
            "process_isolation": True,
            "process_isolation_executable": "podman",
            # The emulator is on this machine's loopback.
            "container_options": ["--user=root", "--network=host", "--pull=never"],
            "container_volume_mounts": [f"{self._emulator.ca}:{self._emulator.ca}:ro"],
        }

    def _work(self, directory: Path, home: Path, transmitted: bytes) -> subprocess.Popen[bytes]:
        # Of all that this process has, a node's worker has nothing but a path and a home.
        environment = {"PATH": f"{_BIN}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8"}
        environment |= {name: value for name, value in os.environ.items() if name.startswith("CONTAINERS_")}
        (asked := directory.with_suffix(".asked")).write_bytes(transmitted)
        with asked.open("rb") as stdin, directory.with_suffix(".stream").open("wb") as stdout:
            return subprocess.Popen(
                [_BIN / "ansible-runner", "worker", "--private-data-dir", directory],
                env=environment,
                stdin=stdin,
                stdout=stdout,
            )

    @staticmethod
    def _write(path: Path, content: str, mode: int = 0o600) -> None:
        path.write_text(content)
        path.chmod(mode)


__all__ = ("CREDENTIAL_TYPES", "Awx", "Credential", "Job")
