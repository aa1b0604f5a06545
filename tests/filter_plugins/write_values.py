# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A filter that writes values to a file, because ansible-core 2.22 and newer mask secrets in all that they show."""

from __future__ import annotations

import typing as t

from value_files import write_values


class FilterModule:
    """The filter ``write_values``."""

    def filters(self) -> dict[str, t.Callable[..., object]]:
        """Return the filter by its name."""
        return {"write_values": write_values}
