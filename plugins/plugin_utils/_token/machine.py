# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identify the control node among the machines that share a cache.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import os


def identify_machine() -> str:
    """Return a text that distinguishes the control node from other machines."""
    # Both, because machines may have the same name, and the image of a container may have no id or share one.
    with contextlib.suppress(OSError), open("/etc/machine-id", encoding="ascii") as file:
        return f"{os.uname().nodename} {file.read().strip()}"
    return os.uname().nodename


__all__ = ("identify_machine",)
