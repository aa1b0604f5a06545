# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a role, read and converted as the options of a module are.

Ansible validates the variables of a role and does not convert them, so the action of the role's module does.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import difflib
import typing as t

from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import read_variable
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert, is_blank

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OptionSpec
    from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import Template, Variables

# Names that differ by a letter or two. A name that is less alike is one of the play's own.
_ALIKE = 0.8

display = Display()


def read_role_variables(
    prefix: str, specs: t.Mapping[str, OptionSpec], variables: Variables, template: Template
) -> dict[str, t.Any]:
    """Return the value of each option that a role's variable gives, in the option's type.

    Args:
        prefix: What the role's variables begin with, such as ``authorized_uri_``.
        specs: The role's options by name, without the prefix.
        variables: The variables of the task's host, not evaluated.
        template: Evaluates a variable.

    Raises:
        InputError: A variable can't be evaluated, or its value is of another type.
    """
    values = {}
    for spec in specs.values():
        name = prefix + spec.name
        value = read_variable(name, variables, template, secret=spec.may_hold_secret)
        if not is_blank(value):
            values[spec.name] = convert(spec, value, f"variable {name}")
    return values


def warn_of_misspelt_variables(prefix: str, options: t.Iterable[str], variables: Variables) -> None:
    """Show a warning for each variable whose name is almost that of an option of the role.

    Args:
        prefix: What the role's variables begin with.
        options: Every name, without the prefix, that the role reads or sets.
        variables: The variables of the task's host. Facts are passed over.
    """
    for name, meant in find_misspelt_variables(prefix, options, variables).items():
        display.warning(
            f"The variable {prefix}{name} is not an option of the role. If it is misspelt, use {prefix}{meant}."
        )


def find_misspelt_variables(prefix: str, options: t.Iterable[str], variables: Variables) -> dict[str, str]:
    """Return the misspelt names, without the prefix, with the option that each may mean; see above."""
    known = tuple(options)
    facts = variables.get("ansible_facts", ())
    names = sorted(name[len(prefix) :] for name in variables if name.startswith(prefix) and name not in facts)
    similar = {name: _find_similar(name, known) for name in names}
    return {name: meant for name, meant in similar.items() if meant}


def _find_similar(name: str, known: t.Sequence[str]) -> str | None:
    if name in known:
        return None
    swapped = [option for option in known if sorted(option) == sorted(name)]
    close = swapped or difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE)
    return close[0] if close else None


__all__ = ("find_misspelt_variables", "read_role_variables", "warn_of_misspelt_variables")
