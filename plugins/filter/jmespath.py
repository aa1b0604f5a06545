# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath over any result."""

from __future__ import annotations

DOCUMENTATION = r"""
name: jmespath
short_description: Select from data with a JMESPath expression
version_added: 1.0.0
author:
  - entra.auth contributors (@entra-auth)
description:
  - Applies a JMESPath expression to the result of a request or to any other data.
positional: expression
options:
  _input:
    description: The data to select from.
    type: raw
    required: true
  expression:
    description: The JMESPath expression; see U(https://jmespath.org/).
    type: str
    required: true
requirements:
  - jmespath on the control node
"""

EXAMPLES = r"""
- name: Show the names of the users whose account is enabled
  ansible.builtin.debug:
    msg: "{{ users | entra.auth.jmespath('value[?accountEnabled].displayName') }}"
  vars:
    users:
      value:
        - displayName: User 0001
          accountEnabled: true
        - displayName: User 0002
          accountEnabled: false
"""

RETURN = r"""
_value:
  description: What the expression selects; null if it selects nothing.
  type: raw
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._api.selection import select


def apply_jmespath(data: t.Any, expression: str) -> t.Any:
    """Return what ``expression`` selects from ``data``. Raises AnsibleFilterError if it can't be applied."""
    try:
        return select(data, expression)
    except EntraAuthError as exc:
        reason = str(exc)
    raise AnsibleFilterError(reason)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"jmespath": apply_jmespath}
