# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath over data: the expression is checked first, so that a wrong one costs no request.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

try:
    import jmespath
except ImportError:
    HAS_JMESPATH = False
else:
    HAS_JMESPATH = True

Selector = t.Callable[[t.Any], t.Any]


def build_selector(expression: str | None) -> Selector:
    """Build the function that applies an expression to JSON data; without one it returns the data.

    Raises:
        InputError: The text is not an expression, or calls a function that JMESPath does not have.
        MissingLibraryError: jmespath is not installed.
    """
    if expression is None:
        return lambda data: data
    if not HAS_JMESPATH:
        raise MissingLibraryError.on_control_node("jmespath")
    compiled, reason = _compile(expression)
    if compiled is None:
        raise InputError(
            f"'{expression}' is not a JMESPath expression: {reason}.",
            hint="Correct the expression; its syntax is at https://jmespath.org/.",
        )
    return lambda data: _apply(compiled, expression, data)


def select(data: t.Any, expression: str) -> t.Any:
    """Apply an expression to any data of a play. Raises EntraAuthError."""
    return build_selector(_to_native(str(expression)))(_to_native(data))


def _compile(expression: str) -> tuple[t.Any, str]:
    """Return the compiled expression, or None and the reason why there is none."""
    try:
        compiled = jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as exc:
        return None, str(exc).splitlines()[0].rstrip(".")
    # jmespath itself would find this out only when it reaches the function, with the response already there.
    known = jmespath.functions.Functions.FUNCTION_TABLE
    unknown = [name for name in _list_functions(compiled.parsed) if name not in known]
    return (None, f"there is no function {unknown[0]}()") if unknown else (compiled, "")


def _list_functions(node: t.Any) -> t.Iterator[str]:
    """Iterate over the names of all functions that an expression calls."""
    if isinstance(node, dict):
        if node["type"] == "function_expression":
            yield str(node["value"])
        for child in node["children"]:
            yield from _list_functions(child)


def _apply(compiled: t.Any, expression: str, data: t.Any) -> t.Any:
    try:
        return compiled.search(data)
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError) as exc:
        reason = str(exc).splitlines()[0].rstrip(".")
    raise ApiError(
        f"The JMESPath expression '{expression}' can't be applied to the data: {reason}.",
        hint="Compare the expression with the data, such as the response that a failed task returns.",
    )


def _to_native(data: t.Any) -> t.Any:
    """Return data in Python's own types; jmespath compares exact types, which Ansible's texts and numbers lack."""
    if isinstance(data, t.Mapping):
        return {_to_native(str(name)): _to_native(value) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_to_native(item) for item in data]
    # str() of an unsafe string of ansible-core 2.18 and older is that string itself.
    if isinstance(data, str):
        return str.__str__(data)
    if isinstance(data, int) and not isinstance(data, bool):
        return int.__int__(data)
    return float.__float__(data) if isinstance(data, float) else data


__all__ = ("build_selector", "select")
