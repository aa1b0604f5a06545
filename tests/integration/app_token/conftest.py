# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of the cache use."""

from __future__ import annotations

import typing as t

import pytest
from redis_server import RedisServer

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def redis_server(tmp_path: Path) -> t.Iterator[RedisServer]:
    """A Redis server of this test."""
    with RedisServer(tmp_path) as server:
        yield server
