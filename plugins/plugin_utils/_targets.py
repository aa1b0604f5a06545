# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a token is asked for: this machine, or with ``run_on: target`` the task's host, as far as a face can reach it.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    InputError,
    ServiceAnswer,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.module_utils._token import Token


class Target(t.Protocol):
    """The task's host, for tokens that are to be asked for from there."""

    name: str

    def request_token(self, options: t.Mapping[str, t.Any]) -> Token:
        """Ask from the host with complete options of app_token. Raises EntraAuthError."""


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
        result = self._result(arguments)
        if isinstance(result.get("token"), dict):
            return _by_our_clock(result["token"], asked_on)
        raise self._failure(result)

    def _result(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        try:
            return self._action.run_silently(arguments, self._task_vars)
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as exc:
            reason = " ".join(str(exc).split())
        failure = EntraAuthError(
            f"The token could not be asked for from {self.name}: {reason}",
            hint="run_on: target needs a host on which modules run as the task's user; try ansible.builtin.ping there.",
        )
        failure.passes_after = 0  # another task may go there by another way
        raise failure

    def _failure(self, result: dict[str, t.Any]) -> EntraAuthError:
        answer = result.get("answer")
        if isinstance(answer, dict):
            said = ServiceAnswer(**{**answer, "error_codes": tuple(answer.get("error_codes") or ())})
            kind = TokenRequestRefused if said.error else EntraAuthError
            failure = kind(f"On {self.name}: {result.get('msg')}", hint=result.get("hint"), answer=said)
            failure.passes_after = result.get("passes_after")
            return failure
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


def this_machine() -> str:
    """What tells the control node from other machines, as far as it knows itself."""
    # Names are given twice. An image of a container may have no id, or share one.
    with contextlib.suppress(OSError), open("/etc/machine-id", encoding="ascii") as file:
        return f"{os.uname().nodename} {file.read().strip()}"
    return os.uname().nodename


def _host(variables: t.Mapping[str, t.Any]) -> str:
    # Of a task with delegate_to it is the other host on which modules run.
    delegated: t.Mapping[str, t.Any] = variables.get("ansible_delegated_vars") or {}
    return str(next(iter(delegated), variables.get("inventory_hostname", "localhost")))


__all__ = ("ModuleOnTarget", "OutOfReach", "RunsModules", "Target", "this_machine")
