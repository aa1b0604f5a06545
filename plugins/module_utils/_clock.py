# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time by two clocks: the one that people and NTP set, and the one that counts since this machine booted.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time

_BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"


@dataclasses.dataclass(frozen=True)
class Moment:
    """A point in time.

    The uptime can't be set, and it counts while the machine sleeps (clock_gettime(2), CLOCK_BOOTTIME).

    Attributes:
        epoch: Seconds since the epoch.
        boot_id: The boot of this machine; None if the system has no such clock.
        uptime: Seconds since that boot; None if the system has no such clock.
    """

    epoch: float
    boot_id: str | None = None
    uptime: float | None = None

    @classmethod
    def now(cls) -> Moment:
        """Return the present moment."""
        if _BOOT_ID is None:
            return cls(time.time())
        return cls(time.time(), _BOOT_ID, time.clock_gettime(time.CLOCK_BOOTTIME))


def _read_boot_id() -> str | None:
    with contextlib.suppress(OSError, AttributeError, ValueError):
        time.clock_gettime(time.CLOCK_BOOTTIME)
        with open(_BOOT_ID_FILE, encoding="utf-8") as file:
            return file.read().strip() or None
    return None


_BOOT_ID = _read_boot_id()


__all__ = ("Moment",)
