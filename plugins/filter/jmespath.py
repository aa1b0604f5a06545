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
    msg: "{{ {'value': [{'name': 'a', 'on': true}, {'name': 'b', 'on': false}]} | entra.auth.jmespath('value[?on].name') }}"
"""

RETURN = r"""
_value:
  description: What the expression selects; none where it selects nothing.
  type: raw
"""

import json
import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.text.converters import to_text
from ansible.parsing.ajson import AnsibleJSONEncoder

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
        # jmespath asks for the exact type of what it finds, which Ansible's own strings and lists don't have.
        return jmespath.search(to_text(expression), json.loads(json.dumps(data, cls=AnsibleJSONEncoder)))
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError) as exc:
        reason = str(exc)
    raise AnsibleFilterError(f"jmespath can't apply '{expression}': {reason}")


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"jmespath": select}
