# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the work of an entry point, and turn each failure into a value that may be shown.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.module_utils._secrets import mask_secrets, register_secrets

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

Done = t.TypeVar("Done")


class Failure(t.NamedTuple):
    """An error as it may be shown: ``msg``, and the result ``fields`` that go with it. Neither holds a secret.

    A value and not an exception, so that no entry point raises it inside an except clause: Ansible prints the causes
    and the contexts of an exception, and with them what they hold.
    """

    msg: str
    fields: dict[str, t.Any]

    @classmethod
    def from_error(cls, error: EntraAuthError, secrets: t.Sequence[str] = ()) -> Failure:
        """Return the failure that an error stands for, with ``secrets`` masked."""
        return cls(mask_secrets(str(error), secrets), _mask_fields(error.to_fields(), secrets))

    def as_result(self) -> dict[str, t.Any]:
        """Return the result of the task that failed."""
        return {"failed": True, "changed": False, "msg": self.msg, **self.fields}


def run_guarded(resolve: t.Callable[[], AppTokenOptions], work: t.Callable[[AppTokenOptions], Done]) -> Done | Failure:
    """Resolve the options and do the work with them.

    Args:
        resolve: Returns the options.
        work: Takes the options and returns the result.

    Returns:
        The result of ``work``, or a Failure without any secret of the options.

    Raises:
        AnsibleConnectionFailure: The task's host is unreachable, which Ansible reports in its own way.
    """
    secrets: list[str] = []
    try:
        options = resolve()
        secrets = options.list_secrets()
        register_secrets(*secrets)
        return work(options)
    except EntraAuthError as exc:
        return Failure.from_error(exc, secrets)
    except AnsibleConnectionFailure:
        raise
    except OSError as exc:
        error = EntraAuthError(
            f"entra.auth can't use its files: {exc.strerror or type(exc).__name__}.",
            hint="Check the disk's free space, and the permissions of the directory for temporary files.",
        )
    except Exception as exc:  # noqa: BLE001 - its text may hold a secret, so no entry point may print it
        error = _describe_unexpected(exc)
    return Failure.from_error(error)


def _mask_fields(fields: dict[str, t.Any], secrets: t.Sequence[str]) -> dict[str, t.Any]:
    return {name: mask_secrets(value, secrets) if isinstance(value, str) else value for name, value in fields.items()}


def _describe_unexpected(exc: Exception) -> EntraAuthError:
    trace = exc.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "an unknown place"
    return EntraAuthError(
        f"Unexpected error in entra.auth: {type(exc).__name__} at {place}.",
        hint="Report this line as a bug of the collection entra.auth.",
    )


__all__ = ("Failure", "run_guarded")
