# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor of a lookup: what Ansible spends on one that does nothing, documented as Ansible's sanity tests demand."""

from __future__ import annotations

import typing as t

from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: nothing
author: entra.auth contributors (@entra-auth)
version_added: 1.0.0
short_description: Do nothing
description:
  - A floor to compare lookups with.
options:
  _terms:
    description: Not looked at.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Show what there is without a lookup
  ansible.builtin.debug:
    msg: "{{ lookup('bench.floor.nothing') }}"
"""

RETURN = r"""
_raw:
  description: A text.
  type: list
  elements: str
"""


class LookupModule(LookupBase):
    """Does nothing."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[t.Any]:
        """A text as an item."""
        return ["Bearer nothing"]
