# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The means of an attack as a fixture."""

from __future__ import annotations

import typing as t

import pytest
from attacks.attacker import Attack

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays


@pytest.fixture
def attack(plays: Plays, emulator: Emulator) -> t.Iterator[Attack]:
    """Give the means of an attack, and stop the attacker's servers at the end."""
    with Attack(plays, emulator) as attack:
        yield attack
