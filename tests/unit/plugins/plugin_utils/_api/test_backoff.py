# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pauses double from one second to half a minute, unless a service asks for another one, and end with the time."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._api.backoff import Backoff


def test_a_service_may_ask_for_a_pause(clock: t.Any) -> None:
    backoff = Backoff(100)
    assert [backoff.choose_pause(requested) for requested in (None, 7.0, 0.0, None)] == [1, 7, 4, 8]


def test_there_is_no_pause_beyond_the_time(clock: t.Any) -> None:
    backoff = Backoff(5)
    assert backoff.choose_pause(5.5) is None
    time.sleep(4.5)
    assert backoff.choose_pause(0.4) == 0.4
    assert backoff.choose_pause(None) is None


def test_progress_begins_the_time_and_the_pauses_again(clock: t.Any) -> None:
    backoff = Backoff(5)
    assert [backoff.choose_pause(None) for _dummy in range(3)] == [1, 2, 4]
    time.sleep(4.5)
    backoff.restart()
    assert [backoff.choose_pause(None) for _dummy in range(3)] == [1, 2, 4]
