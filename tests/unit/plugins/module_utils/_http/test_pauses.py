# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pauses double from one second to half a minute."""

from __future__ import annotations

from ansible_collections.entra.auth.plugins.module_utils._http.pauses import get_pause


def test_pauses_double_from_a_second_to_half_a_minute() -> None:
    assert [get_pause(count) for count in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
