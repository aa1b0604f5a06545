# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath over any result."""

from __future__ import annotations

DOCUMENTATION = r"""
name: jmespath
short_description: Select from data with a JMESPath expression
version_added: 0.1.0
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
  - jmespath (on the controller)
"""

EXAMPLES = r"""
- name: Show the names of the users whose account is enabled
  ansible.builtin.debug:
    msg: "{{ answer | entra.auth.jmespath('value[?accountEnabled].displayName') }}"
  vars:
    answer:
      value:
        - displayName: Ann
          accountEnabled: true
        - displayName: Bob
          accountEnabled: false
"""

RETURN = r"""
_value:
  description: What the expression selects; none where it selects nothing.
  type: raw
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.basic import missing_required_lib

try:
    import jmespath
except ImportError:
    HAS_JMESPATH = False
else:
    HAS_JMESPATH = True


def select(data: t.Any, expression: str) -> t.Any:
    """What ``expression`` selects from ``data``. Raises AnsibleFilterError where it is not JMESPath."""
    if not HAS_JMESPATH:
        raise AnsibleFilterError(missing_required_lib("jmespath"))
    try:
        return jmespath.search(_plain(str(expression)), _plain(data))
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError) as exc:
        reason = str(exc)
    raise AnsibleFilterError(f"jmespath can't apply '{expression}': {reason}")


def _plain(data: t.Any) -> t.Any:
    # jmespath asks for the exact type of what it finds, which Ansible's own texts, numbers, lists and mappings lack.
    if isinstance(data, t.Mapping):
        return {_plain(str(name)): _plain(value) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(item) for item in data]
    # str() of an unsafe string of ansible-core 2.18 and older is that string itself.
    if isinstance(data, str):
        return str.__str__(data)
    if isinstance(data, int) and not isinstance(data, bool):
        return int.__int__(data)
    return float.__float__(data) if isinstance(data, float) else data


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"jmespath": select}
