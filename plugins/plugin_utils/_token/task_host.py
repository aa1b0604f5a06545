# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the managed identity of the task's host, for ``run_on: target``.

A compromised host can return any result. Its token is used for that host alone and for a day at most, by the clock of
the control node, and its texts are shown as its own.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    ErrorResponse,
    TokenRequestRefused,
    printable,
)
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._entra.hints import find_code_hint

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._managed_identity import Selector

_MODULE = "entra.auth.managed_identity_token"
# Learn, "Managed identities for Azure resources": their tokens live for 24 hours at most.
_MAX_SECONDS = 86400
_MAX_TOKEN_CHARACTERS = 100_000
_MAX_CODES = 10
_MAX_CODE = 10**9
_SHOWN_CHARACTERS = 300
_CHECK_IDENTITY = "Check that the host has the managed identity that was requested."


class RunsModules(t.Protocol):
    """An action plugin that runs a module on the task's host."""

    def run_silently(self, module: str, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the module's result."""


class TaskHost:
    """The host on which the modules of a task run."""

    def __init__(self, name: str, action: RunsModules, task_vars: dict[str, t.Any]) -> None:
        self.name = name
        self._action = action
        self._task_vars = task_vars

    def request_token(self, resource: str, selector: Selector, network: NetworkSettings) -> Token:
        """Run the module on the host. Raises EntraAuthError, and AnsibleConnectionFailure if it is unreachable."""
        requested_on = Moment.now()
        result = self._run(
            {
                "resource": resource,
                **{name: value for name, value in dataclasses.asdict(selector).items() if value},
                "timeout": network.timeout,
                "retry_for": network.retry_for,
            }
        )
        token = _read_token(result.get("token"), requested_on)
        if token:
            return token
        raise self._read_failure(result)

    def _run(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        try:
            return self._action.run_silently(_MODULE, arguments, self._task_vars)
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as exc:
            reason = printable(str(exc), _SHOWN_CHARACTERS)
        raise EntraAuthError(
            f"No token was requested from the managed identity of {self.name}: {reason}",
            hint="run_on: target needs a host on which modules run as the task's user; try ansible.builtin.ping there.",
        )

    def _read_failure(self, result: dict[str, t.Any]) -> EntraAuthError:
        failure = result.get("failure")
        if not isinstance(failure, dict):
            # The module did not start. What Python says about that may quote the module's arguments.
            return EntraAuthError(
                f"No token was requested from the managed identity of {self.name}: the module did not run there.",
                hint="run_on: target needs Python 3.8 or newer with requests on the host, and no Windows host; try "
                "ansible.builtin.ping there.",
            )
        codes = _read_codes(failure.get("error_codes"))
        hint = find_code_hint(codes)
        refused = TokenRequestRefused(
            f"On {self.name}: {printable(result.get('msg'), _SHOWN_CHARACTERS)}",
            hint=hint.fix if hint else self._quote_hint(failure.get("hint")),
            response=ErrorResponse("managed_identity_error", None, codes),
        )
        refused.retry_after = _read_seconds(failure.get("retry_after"))
        return refused

    def _quote_hint(self, hint: t.Any) -> str:
        text = printable(hint, _SHOWN_CHARACTERS)
        return f"{self.name} says: {text}" if text else _CHECK_IDENTITY


def _read_token(content: t.Any, requested_on: Moment) -> Token | None:
    """Return the token in a host's result; None if there is none. The host's clock does not count."""
    if not isinstance(content, dict):
        return None
    access_token, lifetime = content.get("access_token"), _read_seconds(content.get("lifetime"))
    if not isinstance(access_token, str) or len(access_token) > _MAX_TOKEN_CHARACTERS or not lifetime:
        return None
    return Token(
        access_token=access_token,
        issued_on=requested_on.epoch,
        expires_on=requested_on.epoch + lifetime,
        boot_id=requested_on.boot_id,
        issued_at_uptime=requested_on.uptime,
    )


def _read_seconds(value: t.Any) -> float | None:
    """Return a number of seconds in a host's result, a day at most; None for anything else, such as NaN."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # A float only then, because JSON may hold a number that is too large for one.
    return float(min(value, _MAX_SECONDS)) if is_number and value >= 0 else None


def _read_codes(value: t.Any) -> tuple[int, ...]:
    codes = value[:_MAX_CODES] if isinstance(value, list) else []
    numbers = [code for code in codes if isinstance(code, int) and not isinstance(code, bool)]
    return tuple(code for code in numbers if 0 < code < _MAX_CODE)


__all__ = ("RunsModules", "TaskHost")
