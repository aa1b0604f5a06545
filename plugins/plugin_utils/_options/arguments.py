# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of a task whose module has options in addition to those of ``app_token``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTION_NAMES
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert, is_blank

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OptionSpec

Arguments = t.Mapping[str, t.Any]


def split_arguments(arguments: Arguments, own: t.Container[str] = ()) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Split the arguments of a task into those of its module, with every unknown one, and those of ``app_token``.

    Args:
        arguments: All arguments of the task.
        own: Options of the module; one that ``app_token`` has too is the module's.
    """
    shared = {name: value for name, value in arguments.items() if name in OPTION_NAMES and name not in own}
    return {name: value for name, value in arguments.items() if name not in shared}, shared


def convert_arguments(
    specs: t.Mapping[str, OptionSpec], arguments: Arguments, origin: str = "option "
) -> dict[str, t.Any]:
    """Return the arguments that are not blank in the types of their options.

    Args:
        specs: The options. Arguments that are none of them are left out.
        arguments: The arguments as they were given.
        origin: What comes before the name of an option, for messages.

    Raises:
        InputError: A value has another type.
    """
    return {
        # Methods are written in any letter case, as those of ansible.builtin.uri.
        name: convert(specs[name], str(value).upper() if name == "method" else value, f"{origin}{name}")
        for name, value in arguments.items()
        if name in specs and not is_blank(value)
    }


def refuse_unknown_arguments(plugin: str, arguments: t.Iterable[t.Any], known: t.Collection[str]) -> None:
    """Raise InputError that names all arguments that are not known options, with what is probably meant."""
    unknown = [str(name) for name in arguments if name not in known]
    if not unknown:
        return
    close = {name: difflib.get_close_matches(name.lower(), known, n=1) for name in unknown}
    names = " and ".join(f"'{name}'" for name in close)
    fixes = [f"{found[0]} instead of {name}" for name, found in close.items() if found]
    raise InputError(
        f"{names} {'is not an option' if len(close) == 1 else 'are not options'} of {plugin}.",
        hint=f"Write {' and '.join(fixes)}." if fixes else f"The options are {', '.join(sorted(known))}.",
    )


__all__ = ("convert_arguments", "refuse_unknown_arguments", "split_arguments")
