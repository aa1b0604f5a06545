# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The least a lookup of a collection can cost: there is not even documentation that Ansible would parse."""

from __future__ import annotations

import typing as t

from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """Does nothing."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[t.Any]:
        """A text as an item."""
        return ["Bearer nothing"]
