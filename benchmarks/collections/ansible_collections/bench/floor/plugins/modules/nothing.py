# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation's place of an action that does nothing."""

from __future__ import annotations

DOCUMENTATION = """
module: nothing
short_description: Do nothing
description: The floor that benchmarks compare with.
author: entra.auth contributors
options:
  value:
    description: Anything, so that there is an expression to evaluate.
    type: raw
"""

EXAMPLES = """
- name: Do nothing
  bench.floor.nothing:
"""
