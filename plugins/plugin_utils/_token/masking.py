# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hide the arguments of a task from everything that Ansible does with them.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import difflib
import typing as t

from ansible.errors import AnsibleError

from ansible_collections.entra.auth.plugins.module_utils._secrets import MASK, register_secrets
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS, find_passwords

_SECRETS = tuple(spec.name for spec in OPTIONS.values() if spec.secret)
_SECRET_WORDS = ("secret", "password", "token", "key", "authorization")


class MaskedWhenPickled(str):
    """Text that becomes a mask when it leaves this process. Copies within the process stay whole."""

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (MASK,)

    def __copy__(self) -> MaskedWhenPickled:
        return self

    def __deepcopy__(self, memo: dict[int, t.Any]) -> MaskedWhenPickled:
        return self


def hide_arguments(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a task's arguments with secrets that only this process can read.

    Ansible sends the evaluated arguments to its main process together with the result. With display_args_to_stdout
    some callbacks show them, and ansible-runner stores them in job events. A misspelt option is hidden too if its name
    tells that it holds a secret, and so is a secret in the body or the headers of a request.
    """
    return {name: _hide_option(str(name), value) for name, value in arguments.items()}


def _hide_option(name: str, value: t.Any) -> t.Any:
    if name in OPTIONS and OPTIONS[name].secret:
        return _hide_text_of(value)
    return _hide(value, is_secret=name not in OPTIONS and _is_secret_name(name))


def _is_secret_name(name: str) -> bool:
    lower = name.lower()
    return any(word in lower for word in _SECRET_WORDS) or bool(difflib.get_close_matches(lower, _SECRETS, cutoff=0.8))


def _hide_text_of(value: t.Any) -> t.Any:
    """Hide the value of an option that takes text only: a number and a vaulted value are hidden as their text."""
    if value is None or isinstance(value, (bool, t.Mapping, list, tuple)):
        return _hide(value, is_secret=True)
    with contextlib.suppress(AnsibleError):  # a value that can't be decrypted is unknown to this process
        text = str(value)
        register_secrets(text)
        return MaskedWhenPickled(text)
    return value


def _hide(value: t.Any, *, is_secret: bool) -> t.Any:
    if isinstance(value, t.Mapping):
        return {name: _hide(item, is_secret=is_secret or _is_secret_name(str(name))) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hide(item, is_secret=is_secret) for item in value]
    if isinstance(value, str) and (is_secret or find_passwords(value)):
        return MaskedWhenPickled(value)
    return value


__all__ = ("MaskedWhenPickled", "hide_arguments")
