# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the audit needs: an emulator and a Redis server, a world made of them, and open channels."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

import pytest
from audit.runs import Audit
from audit.world import World
from channels import Channels
from redis_server import RedisServer

from entra_emulator.client import Emulator
from plays import Plays


@pytest.fixture(scope="session")
def running_emulator() -> t.Iterator[Emulator]:
    """One emulator for all tests of this process."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: Emulator) -> t.Iterator[Emulator]:
    """The emulator as at its start."""
    running_emulator.reset()
    yield running_emulator
    assert running_emulator.stderr() == ""


@pytest.fixture
def plays(tmp_path: Path, emulator: Emulator) -> Plays:
    """Runs plays against the emulator."""
    return Plays(tmp_path, emulator)


@pytest.fixture
def channels(plays: Plays, emulator: Emulator) -> t.Iterator[Channels]:
    """Runs plays with every channel open."""
    with tempfile.TemporaryDirectory(prefix="ch-") as directory:
        yield Channels(plays, emulator, Path(directory))


@pytest.fixture
def audit(plays: Plays, channels: Channels, emulator: Emulator, tmp_path: Path) -> t.Iterator[Audit]:
    """Plays the scenarios and searches for what came out."""
    directory = tmp_path / "redis"
    directory.mkdir()
    with RedisServer(directory) as redis:
        yield Audit(plays, channels, World(tmp_path, emulator, redis), redis)
