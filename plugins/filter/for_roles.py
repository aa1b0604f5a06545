# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection's own roles need of its code."""

from __future__ import annotations

DOCUMENTATION = r"""
name: for_roles
short_description: What the roles of this collection need of its code
version_added: 0.1.0
author:
  - entra.auth contributors (@entra-auth)
description:
  - For the roles of this collection alone. It may change with any version.
positional: work
options:
  _input:
    description: What to work on.
    type: raw
    required: true
  work:
    description: What to do with it; the arguments that follow depend on it.
    type: str
    required: true
    choices: [challenge, objection, pause, preflight_plan, preflight_report, preflight_table, refusal]
"""

EXAMPLES = r"""
- name: Show the claims that an answer asks for
  ansible.builtin.debug:
    msg: "{{ answer | entra.auth.for_roles('challenge') }}"
  vars:
    answer:
      status: 200
"""

RETURN = r"""
_value:
  description: What comes of it.
  type: raw
"""

import importlib
import typing as t

_UTILS = "ansible_collections.entra.auth.plugins.plugin_utils"
# By the module that does it. Loaded where it is used: in a worker, Ansible compiles each module of a collection anew.
_WORK: t.Mapping[str, tuple[str, str]] = {
    "challenge": ("_api.uri_calls", "challenge"),
    "objection": ("_api.uri_calls", "objection"),
    "pause": ("_api.uri_calls", "pause"),
    "refusal": ("_api.uri_calls", "refusal"),
    "preflight_plan": ("_preflight", "plan"),
    "preflight_report": ("_preflight", "report"),
    "preflight_table": ("_preflight", "table"),
}


def do_work(value: t.Any, work: str, *arguments: t.Any, **named: t.Any) -> t.Any:
    """Apply the work of a name to a value."""
    module, function = _WORK[work]
    return getattr(importlib.import_module(f"{_UTILS}.{module}"), function)(value, *arguments, **named)


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"for_roles": do_work}
