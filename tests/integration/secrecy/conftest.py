# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the leak audit needs beside an emulator and a place to run plays."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

import pytest
from channels import Channels

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays


@pytest.fixture
def channels(plays: Plays, emulator: Emulator) -> t.Iterator[Channels]:
    """Runs plays with every channel open."""
    with tempfile.TemporaryDirectory(prefix="ch-") as directory:
        yield Channels(plays, emulator, Path(directory))
