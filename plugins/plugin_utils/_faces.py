# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the action and the lookup have in common: from a call of theirs to a token, or to a text that may be shown.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.module_utils._options import OPTIONS, passwords_in
from ansible_collections.entra.auth.plugins.plugin_utils._provider import app_token

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._options import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._app_token import AppToken
    from ansible_collections.entra.auth.plugins.plugin_utils._option_sources import OptionSources
    from ansible_collections.entra.auth.plugins.plugin_utils._provider import Messages
    from ansible_collections.entra.auth.plugins.plugin_utils._targets import Target

Done = t.TypeVar("Done")

_MASK = "********"
# Shorter ones would mask syllables of the message, and are no secrets of Entra.
_SHORTEST_MASKED = 6
_SECRET_WORDS = ("secret", "password", "token", "key")
_NO_FIELDS = EntraAuthError("").fields()


class _Hidden(str):
    """Text that is a mask once it has left this process."""

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (_MASK,)


def hidden_arguments(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A task's arguments, whose secrets only this process can read.

    Ansible sends the evaluated arguments back to its main process with the result. With display_args_to_stdout some
    callbacks show them, ansible-runner's in job events.
    """
    return {name: _hidden(value) if _has_secret(name, value) else value for name, value in arguments.items()}


def _has_secret(name: str, value: t.Any) -> bool:
    # A name that is misspelt is refused later on, but what was meant may well be a secret.
    named = OPTIONS[name].secret if name in OPTIONS else any(word in name for word in _SECRET_WORDS)
    return named or (isinstance(value, str) and bool(passwords_in(value)))


def _hidden(value: t.Any) -> t.Any:
    if isinstance(value, t.Mapping):
        return {name: _hidden(content) for name, content in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden(content) for content in value]
    return _Hidden(value) if isinstance(value, str) else value


class Failure(t.NamedTuple):
    """What went wrong, fit to be shown: ``msg`` and the result ``fields`` that go with it, free of secrets.

    A value and not an exception, so that no face can raise it inside of an except clause: Ansible prints the causes
    and contexts of what is raised, and with them what they hold.
    """

    msg: str
    fields: dict[str, t.Any]

    def as_result(self) -> dict[str, t.Any]:
        """The result of a task that failed so."""
        return {"failed": True, "changed": False, "msg": self.msg, **self.fields}


def obtain(
    sources: OptionSources, messages: Messages, target: Target, shape: t.Callable[[AppToken], Done]
) -> Done | Failure:
    """The token that a call asks for, in the shape that its face hands out, or why there is none."""
    return guarded(sources, lambda options: shape(app_token(options, messages, target)))


def guarded(sources: OptionSources, work: t.Callable[[AppTokenOptions], Done]) -> Done | Failure:
    """What ``work`` makes of the options; whatever goes wrong becomes a Failure, but for an unreachable target."""
    options = None
    try:
        options = sources.resolve()
        return work(options)
    except EntraAuthError as exc:
        secrets = options.secrets() if options else []
        return Failure(_masked(str(exc), secrets), _masked_fields(exc.fields(), secrets))
    except AnsibleConnectionFailure:
        raise
    except OSError as exc:
        reason = f"entra.auth can't use its files: {exc.strerror or type(exc).__name__}."
        return Failure(f"{reason} To fix it: look at the disk and the directory for temporary files.", _NO_FIELDS)
    except Exception as exc:  # noqa: BLE001 - its text may hold anything, so no face may get to print it
        return Failure(_internal_error(exc), _NO_FIELDS)


def _masked(text: str, secrets: t.Iterable[str]) -> str:
    # The longest first: one may be the beginning of another.
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_MASKED:
            text = text.replace(secret, _MASK)
    return text


def _masked_fields(fields: dict[str, t.Any], secrets: t.Sequence[str]) -> dict[str, t.Any]:
    return {name: _masked(value, secrets) if isinstance(value, str) else value for name, value in fields.items()}


def _internal_error(exc: Exception) -> str:
    trace = exc.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "an unknown place"
    return f"entra.auth failed in a way nobody foresaw: {type(exc).__name__} at {place}. Please report this line."


__all__ = ("Failure", "guarded", "hidden_arguments", "obtain")
