# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes that several modules share.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations


class ModuleDocFragment:
    """``ACTIONGROUP_ENTRA`` is for each module of the action group in ``meta/runtime.yml``."""

    ACTIONGROUP_ENTRA = r"""
attributes:
  action_group:
    description: Use C(group/entra.auth.entra) in C(module_defaults) to set defaults for all modules of the group.
    support: full
    membership: [entra.auth.entra]
"""
