# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of AWX need beside an emulator."""

from __future__ import annotations

import typing as t

import pytest
from awx_jobs import Awx

if t.TYPE_CHECKING:
    from pathlib import Path

    from entra_emulator.client import Emulator


@pytest.fixture
def awx(tmp_path: Path, emulator: Emulator) -> Awx:
    """Runs jobs as AWX does."""
    return Awx(tmp_path, emulator)
