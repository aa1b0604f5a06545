# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lookup that writes its terms to stderr, which few callbacks do from ansible-core 2.19 on."""

from __future__ import annotations

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

DOCUMENTATION = """
name: blurt
short_description: Write each term to stderr
description: For tests.
options: {}
"""


class LookupModule(LookupBase):
    """Plants a leak."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[str]:
        """The terms as they are."""
        for term in terms:
            Display().display(term, stderr=True)
        return terms
