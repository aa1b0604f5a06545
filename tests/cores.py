# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ansible-core that runs the tests, and in what its output differs from that of others."""

from __future__ import annotations

import typing as t

from ansible.release import __version__ as _version

CORE: t.Final = tuple(map(int, _version.split(".")[:2]))
# ansible-core 2.22 and newer mask each secret that is registered with them in all that they show.
CORE_MASKS: t.Final = CORE >= (2, 22)
# The mask of ansible-core in a result, for a secret that uri was given as its password.
CORE_MASK: t.Final = "$REDACTED$" if CORE_MASKS else "********"

__all__ = ("CORE", "CORE_MASK", "CORE_MASKS")
