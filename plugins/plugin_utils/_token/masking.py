# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of a task, hidden from everything that Ansible does with them.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.module_utils._secrets import MASK
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS, find_passwords

_SECRET_WORDS = ("secret", "password", "token", "key")


class MaskedWhenPickled(str):
    """Text that is a mask once it has left this process."""

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (MASK,)


def hide_arguments(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a task's arguments with secrets that only this process can read.

    Ansible sends the evaluated arguments back to its main process with the result. With display_args_to_stdout some
    callbacks show them, ansible-runner's in job events.
    """
    return {name: _hide(value) if _has_secret(name, value) else value for name, value in arguments.items()}


def _has_secret(name: str, value: t.Any) -> bool:
    # A misspelt name is refused later on, but the value may be a secret all the same.
    named = OPTIONS[name].secret if name in OPTIONS else any(word in name for word in _SECRET_WORDS)
    return named or (isinstance(value, str) and bool(find_passwords(value)))


def _hide(value: t.Any) -> t.Any:
    if isinstance(value, t.Mapping):
        return {name: _hide(content) for name, content in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hide(content) for content in value]
    return MaskedWhenPickled(value) if isinstance(value, str) else value


__all__ = ("MaskedWhenPickled", "hide_arguments")
