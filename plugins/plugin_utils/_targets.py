# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task's host, for ``run_on: target``: what the action, and what the lookup, can do there.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    InputError,
    ServiceAnswer,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.module_utils._token import Token


class RunsModules(t.Protocol):
    """An action plugin that runs the collection's module on the task's host."""

    def run_silently(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """The module's result."""


class ModuleOnTarget:
    """Asks from the host by running the module there."""

    def __init__(self, action: RunsModules, task_vars: dict[str, t.Any]) -> None:
        self.name = _host(task_vars)
        self._action = action
        self._task_vars = task_vars

    def request_token(self, options: t.Mapping[str, t.Any]) -> Token:
        arguments = {name: value for name, value in options.items() if value is not None}
        asked_on = Moment.now()
        result = self._action.run_silently(arguments, self._task_vars)
        if isinstance(result.get("token"), dict):
            return _by_our_clock(result["token"], asked_on)
        raise self._failure(result)

    def _failure(self, result: dict[str, t.Any]) -> EntraAuthError:
        answer = result.get("answer")
        if isinstance(answer, dict):
            said = ServiceAnswer(**{**answer, "error_codes": tuple(answer.get("error_codes") or ())})
            kind = TokenRequestRefused if said.error else EntraAuthError
            return kind(f"On {self.name}: {result.get('msg')}", hint=result.get("hint"), answer=said)
        # The module did not get as far as to answer; what Python had to say about that may quote its arguments.
        return EntraAuthError(
            f"The token could not be asked for from {self.name}: the module did not run there.",
            hint="run_on: target needs Python 3.8 or newer with requests on the host; try ansible.builtin.ping there.",
        )


class OutOfReach:
    """A lookup can't ask from the host, only find what a task has asked for."""

    def __init__(self, variables: t.Mapping[str, t.Any]) -> None:
        self.name = _host(variables)

    def request_token(self, options: t.Mapping[str, t.Any]) -> Token:
        raise InputError(
            "With run_on: target a lookup finds only what a task has asked for, and there is no valid token.",
            hint="Run the module or the role entra.auth.app_token for this host first, or leave run_on at controller.",
        )


def _by_our_clock(token: t.Mapping[str, t.Any], asked_on: Moment) -> Token:
    # The host's clock may differ; how long the token lives does not.
    shift = asked_on.epoch - token["issued_on"]
    moments = {name: token[name] + shift for name in ("issued_on", "expires_on", "refresh_on") if token[name]}
    return Token(**{**token, **moments, "boot_id": asked_on.boot_id, "issued_at_uptime": asked_on.uptime})


def _host(variables: t.Mapping[str, t.Any]) -> str:
    return str(variables.get("inventory_hostname", "localhost"))


__all__ = ("ModuleOnTarget", "OutOfReach", "RunsModules")
