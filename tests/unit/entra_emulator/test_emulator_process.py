# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process: ready line, clean stop, the ``exec`` wrapper, and the helper class."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import pytest

from entra_emulator import seed
from entra_emulator.client import Emulator, EmulatorError

_TESTS = Path(__file__).resolve().parents[2]
_COMMAND = [sys.executable, "-m", "entra_emulator"]
_SIGNALS_WITH_A_NAME = 2**31 - 1
# Nothing is timed by it: it ends a test that hangs.
_PATIENCE_SECONDS = 120


def environment(**more: str) -> dict[str, str]:
    """What a shell user has, with ``tests`` on the path."""
    return {**os.environ, "PYTHONPATH": str(_TESTS), **more}


def start(*arguments: str, **options: t.Any) -> subprocess.Popen[str]:
    """The command line with its output as text."""
    return subprocess.Popen([*_COMMAND, *arguments], env=environment(), stdout=subprocess.PIPE, text=True, **options)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command line run to its end."""
    command, env = [*_COMMAND, *arguments], environment(**variables)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_ready_line_and_a_clean_stop(number: signal.Signals) -> None:
    process = start()
    assert process.stdout
    ready = json.loads(process.stdout.readline())
    assert set(ready) == {
        *("login", "api", "foreign", "foreign_http", "storage", "control", "platform", "service_fabric"),
        *("service_fabric_thumbprint", "ca", "tenant_id", "client_id", "client_secret"),
    }
    ca = Path(ready["ca"])
    assert ca.read_text().startswith("-----BEGIN CERTIFICATE-----")
    process.send_signal(number)
    rest, _dummy = process.communicate(timeout=_PATIENCE_SECONDS)
    assert (process.returncode, rest) == (0, "")
    assert not ca.parent.exists()


def test_exports_can_be_pasted_into_a_shell() -> None:
    process = start("--exports")
    assert process.stdout
    lines = [process.stdout.readline()]
    while not lines[-1].startswith("export no_proxy="):
        lines.append(process.stdout.readline())
    script = "".join(lines) + 'printf "%s %s" "$ENTRA_AUTH_CLIENT_ID" "$ENTRA_AUTH_CLIENT_SECRET"'
    pasted = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True)
    process.terminate()
    process.communicate(timeout=_PATIENCE_SECONDS)
    assert pasted.stdout == f"{seed.READER} {seed.AWKWARD_SECRET}"


def test_a_given_directory_stays(tmp_path: Path) -> None:
    with Emulator(workdir=tmp_path / "new") as emulator:
        assert emulator.ca == str(tmp_path / "new" / "ca.pem")
    assert emulator.stop() == 0
    assert (tmp_path / "new" / "ca.pem").exists()


def test_ends_with_the_process_that_started_it() -> None:
    process = start("--exit-with-stdin", stdin=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    process.stdout.readline()
    process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == 0


def test_exec_sets_the_environment_and_returns_the_status() -> None:
    names = [
        "ENTRA_AUTH_TENANT_ID",
        "ENTRA_AUTH_CLIENT_ID",
        "ENTRA_AUTH_CLIENT_SECRET",
        "ENTRA_AUTH_AUTHORITY",
        "ENTRA_AUTH_API_BASE_URL",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "ENTRA_EMULATOR_CONTROL",
        "ENTRA_EMULATOR_FOREIGN",
        "ENTRA_EMULATOR_PLATFORM",
        "NO_PROXY",
    ]
    script = f"import json, os, sys; print(json.dumps([os.environ[n] for n in {names}])); sys.exit(7)"
    done = run("exec", "--", sys.executable, "-c", script, NO_PROXY="a.example")
    found = dict(zip(names, json.loads(done.stdout), strict=True))
    assert (done.returncode, done.stderr) == (7, "")
    assert found["ENTRA_AUTH_TENANT_ID"] == seed.CONTOSO.id
    assert found["ENTRA_AUTH_CLIENT_SECRET"] == seed.AWKWARD_SECRET
    assert found["REQUESTS_CA_BUNDLE"] == found["SSL_CERT_FILE"]
    assert not Path(found["SSL_CERT_FILE"]).exists()
    assert found["NO_PROXY"] == "a.example,localhost,127.0.0.1"


def test_exec_forwards_signals_and_reports_death_by_signal() -> None:
    process = start("exec", "--", "sh", "-c", "echo up; exec sleep 60")
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    process.terminate()
    process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("kind", ["Blk", "Ign"])
def test_exec_blocks_or_ignores_no_more_signals_for_its_command_than_it_was_started_with(kind: str) -> None:
    command = ["grep", f"^Sig{kind}", "/proc/self/status"]
    plain = subprocess.run(command, capture_output=True, text=True, check=True)
    masks = [int(done.stdout.split()[1], 16) & _SIGNALS_WITH_A_NAME for done in (plain, run("exec", "--", *command))]
    assert masks[0] == masks[1]


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["exec", "--", "/no/such/command"], 127, "/no/such/command: No such file"),
        (["--set", "users=many"], 2, "setting users does not take 'many'"),
        (["--set", "nothing=1"], 2, "unknown field(s) nothing"),
    ],
)
def test_wrong_command_lines(arguments: list[str], status: int, text: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_from_the_start_survive_a_reset() -> None:
    with Emulator(users=3, token_lifetime=4.5) as emulator:
        emulator.configure(users=5)
        emulator.reset()
        settings = emulator.control("GET", "/settings")
    assert (settings["users"], settings["token_lifetime"]) == (3, 4.5)


def test_helper_says_why_it_did_not_start() -> None:
    with pytest.raises(EmulatorError, match=r"unknown field.* nonsense"):
        Emulator(nonsense=1)
    with tempfile.TemporaryDirectory() as directory:
        lazy = Path(directory) / "python"
        lazy.write_text("#!/bin/sh\nexec sleep 600\n")
        lazy.chmod(0o755)
        before = time.monotonic()
        with pytest.raises(EmulatorError, match=r"not ready after 0.2 s"):
            Emulator(python=str(lazy), start_seconds=0.2)
        assert time.monotonic() - before < 300
