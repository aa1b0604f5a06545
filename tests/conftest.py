# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of every folder share: one emulator for each process, reset for each test, and plays against it."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

import pytest
from channels import Channels

from entra_emulator.client import Emulator

if t.TYPE_CHECKING:
    from plays import Plays


@pytest.fixture(scope="session")
def running_emulator() -> t.Iterator[Emulator]:
    """One emulator for all tests of this process."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: Emulator) -> t.Iterator[Emulator]:
    """The emulator as at its start; a test fails if it wrote an error."""
    running_emulator.reset()
    yield running_emulator
    assert running_emulator.stderr() == ""


@pytest.fixture
def plays(tmp_path: Path, emulator: Emulator) -> Plays:
    """Runs plays against the emulator."""
    # Not at the top: the sessions docs-pages and conformance have no ansible-core, and load this file too.
    from plays import Plays

    return Plays(tmp_path, emulator)


@pytest.fixture
def channels(plays: Plays, emulator: Emulator) -> t.Iterator[Channels]:
    """Runs plays with every channel open."""
    with tempfile.TemporaryDirectory(prefix="ch-") as directory:
        yield Channels(plays, emulator, Path(directory))
