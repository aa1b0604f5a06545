# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pauses between repetitions: those that a service asks for, or else pauses that double.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import time

from ansible_collections.entra.auth.plugins.module_utils._http.pauses import get_pause


class Backoff:
    """The pauses of repetitions that together take ``seconds`` at the most.

    ``until`` is when they end, by time.monotonic.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.restart()

    def restart(self) -> None:
        """Begin the time and the pauses again."""
        self.until = time.monotonic() + self._seconds
        self._count = 0

    def choose_pause(self, requested: float | None) -> float | None:
        """Return the seconds to wait, ``requested`` if a service asks for some; None if that is longer than is left."""
        pause = requested or get_pause(self._count)
        self._count += 1
        return None if time.monotonic() + pause > self.until else pause


__all__ = ("Backoff",)
