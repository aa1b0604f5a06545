# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath over an answer, the expression checked before anything is asked for.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

try:
    import jmespath
except ImportError:
    HAS_JMESPATH = False
else:
    HAS_JMESPATH = True


def build_selector(expression: str | None) -> t.Callable[[t.Any], t.Any]:
    """What applies a JMESPath expression; without one, what gives back all.

    Raises InputError for what is no expression, MissingLibraryError where jmespath is not installed.
    """
    if expression is None:
        return lambda data: data
    if not HAS_JMESPATH:
        raise MissingLibraryError(missing_required_lib("jmespath"), hint="Install it where Ansible runs.")
    try:
        compiled = jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as exc:
        reason = str(exc).splitlines()[0]
    else:
        # Otherwise found out only when the function is reached, with the answer already there.
        unknown = [
            name for name in _functions(compiled.parsed) if name not in jmespath.functions.Functions.FUNCTION_TABLE
        ]
        if not unknown:
            return lambda data: _selected(compiled, data)
        reason = f"there is no function {unknown[0]}()"
    raise InputError(f"jmespath is no JMESPath expression: {reason}.", hint="See https://jmespath.org/ for its syntax.")


def _functions(node: t.Any) -> t.Iterator[str]:
    """The names of all functions that an expression calls."""
    if isinstance(node, dict):
        if node["type"] == "function_expression":
            yield str(node["value"])
        for child in node["children"]:
            yield from _functions(child)


def _selected(compiled: t.Any, data: t.Any) -> t.Any:
    """What the expression makes of an answer. Raises ApiError."""
    try:
        return compiled.search(data)
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError) as exc:
        reason = str(exc).splitlines()[0]
    raise ApiError(f"jmespath can't be applied to the answer: {reason}.", hint="Look at the answer, which is returned.")


__all__ = ("build_selector",)
