# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the audit needs: an emulator and a Redis server, and a world made of them."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

import pytest
from audit.echoes import EchoServer
from audit.runs import Audit
from audit.world import World
from redis_server import RedisServer

if t.TYPE_CHECKING:
    from channels import Channels

    from entra_emulator.client import Emulator
    from plays import Plays


@pytest.fixture
def audit(plays: Plays, channels: Channels, emulator: Emulator, tmp_path: Path) -> t.Iterator[Audit]:
    """Plays the scenarios and searches for what came out."""
    directory = tmp_path / "redis"
    directory.mkdir()
    with RedisServer(directory) as redis, EchoServer() as echo, tempfile.TemporaryDirectory() as variables:
        yield Audit(plays, channels, World(tmp_path, emulator, redis, echo), redis, Path(variables))
