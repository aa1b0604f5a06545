# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lookup that stores all variables that a task can read: its ``vars``, and the ``hostvars`` of all hosts."""

from __future__ import annotations

import json
import os
import typing as t
import uuid
from pathlib import Path

from ansible.plugins.lookup import LookupBase

DOCUMENTATION = """
name: keep_variables
short_description: Write all variables as JSON to a file in the directory AUDIT_VARIABLES
description: For tests.
options: {}
"""
# Variables that hold all the others.
_CONTAINERS: t.Final = ("hostvars", "vars")


class LookupModule(LookupBase):
    """Reads as a later task of another host could."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[int]:
        """Return how many variables were written; ``terms`` says after what."""
        assert variables is not None
        kept = {"vars": self._read_all(variables)}
        hostvars = variables["hostvars"]
        kept |= {host: self._read_all(hostvars[host]) for host in hostvars}
        path = Path(os.environ["AUDIT_VARIABLES"], f"{uuid.uuid4()}.json")
        path.write_text(json.dumps({"after": terms, "variables": kept}))
        return [sum(map(len, kept.values()))]

    def _read_all(self, variables: t.Mapping[str, t.Any]) -> dict[str, str]:
        return {name: self._read(variables, name) for name in variables if name not in _CONTAINERS}

    def _read(self, variables: t.Mapping[str, t.Any], name: str) -> str:
        try:
            values = variables[name], self._templar.template(variables[name])
            return "\n".join(value if isinstance(value, str) else json.dumps(value, default=repr) for value in values)
        except Exception as exc:  # noqa: BLE001 - of a host that has no token, or of a template that is not for here
            return repr(exc)
