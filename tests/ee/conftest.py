# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the execution environment need: an emulator, and jobs in containers of the image."""

from __future__ import annotations

import os
import typing as t

import pytest
from awx_jobs import Awx

if t.TYPE_CHECKING:
    from pathlib import Path

    from entra_emulator.client import Emulator


@pytest.fixture(scope="session")
def image() -> str:
    """The image that was built."""
    name = os.environ.get("ENTRA_EE_IMAGE", "")
    assert name, "these tests need the image: make ee"
    return name


@pytest.fixture
def awx(tmp_path: Path, emulator: Emulator, image: str) -> Awx:
    """Runs jobs as AWX does on an execution node."""
    return Awx(tmp_path, emulator, image=image)
