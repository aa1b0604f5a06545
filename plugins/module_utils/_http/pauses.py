# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pauses between the attempts of a request, if the service does not ask for some.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

# From one second to the interval at which the Azure SDKs poll; the last one is repeated.
_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


def get_pause(count: int) -> float:
    """Return the pause, in seconds, before the next attempt after ``count`` pauses."""
    return _PAUSES_SECONDS[min(count, len(_PAUSES_SECONDS) - 1)]


__all__ = ("get_pause",)
