# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lookup that warns, and says in nothing else what it warns of."""

from __future__ import annotations

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

DOCUMENTATION = """
name: warn
short_description: Show each term as a warning
description: For tests.
options: {}
"""


class LookupModule(LookupBase):
    """Plants a leak."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[int]:
        """Return the length of each term."""
        for term in terms:
            Display().warning(term)
        return [len(term) for term in terms]
