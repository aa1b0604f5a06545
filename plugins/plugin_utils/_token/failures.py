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
from ansible_collections.entra.auth.plugins.module_utils._secrets import mask_secrets
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import OptionSources
    from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import Messages
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
    from ansible_collections.entra.auth.plugins.plugin_utils._token.target import Target

Done = t.TypeVar("Done")

# Shorter ones would mask syllables of the message, and are no secrets of Entra.
_NO_FIELDS = EntraAuthError("").fields()


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


def get_token_or_failure(
    sources: OptionSources, messages: Messages, target: Target, shape: t.Callable[[AppToken], Done]
) -> Done | Failure:
    """The token that a call asks for, in the shape that its face hands out, or why there is none."""
    return run_guarded(sources, lambda options: shape(get_app_token(options, messages, target)))


def run_guarded(sources: OptionSources, work: t.Callable[[AppTokenOptions], Done]) -> Done | Failure:
    """What ``work`` makes of the options; whatever goes wrong becomes a Failure, but for an unreachable target."""
    options = None
    try:
        options = sources.resolve()
        return work(options)
    except EntraAuthError as exc:
        secrets = options.secrets() if options else []
        return Failure(mask_secrets(str(exc), secrets), _mask_fields(exc.fields(), secrets))
    except AnsibleConnectionFailure:
        raise
    except OSError as exc:
        reason = f"entra.auth can't use its files: {exc.strerror or type(exc).__name__}."
        return Failure(f"{reason} To fix it: look at the disk and the directory for temporary files.", _NO_FIELDS)
    except Exception as exc:  # noqa: BLE001 - its text may hold anything, so no face may get to print it
        return Failure(_describe_unexpected(exc), _NO_FIELDS)


def _mask_fields(fields: dict[str, t.Any], secrets: t.Sequence[str]) -> dict[str, t.Any]:
    return {name: mask_secrets(value, secrets) if isinstance(value, str) else value for name, value in fields.items()}


def _describe_unexpected(exc: Exception) -> str:
    trace = exc.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "an unknown place"
    return f"Unexpected error in entra.auth: {type(exc).__name__} at {place}. Please report this line."


__all__ = ("Failure", "get_token_or_failure", "run_guarded")
