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

try:
    import jmespath
except ImportError:
    HAS_JMESPATH = False
else:
    HAS_JMESPATH = True


def selector(expression: str | None) -> t.Callable[[t.Any], t.Any]:
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
        return lambda data: _selected(compiled, data)
    raise InputError(f"jmespath is no JMESPath expression: {reason}.", hint="See https://jmespath.org/ for its syntax.")


def _selected(compiled: t.Any, data: t.Any) -> t.Any:
    try:
        return compiled.search(data)
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError) as exc:
        reason = str(exc).splitlines()[0]
    raise InputError(f"jmespath can't be applied to the answer: {reason}.", hint="Look at the answer without jmespath.")


__all__ = ("selector",)
