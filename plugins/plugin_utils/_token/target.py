# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task's host, whose managed identity is asked with ``run_on: target``.

A host's response is taken for that host's own token and for nothing else: it is bounded, its clock does not count, and
its words are shown as its words.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    ErrorResponse,
    InputError,
    TokenRequestRefused,
    printable,
)
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._entra.aadsts import find_hint
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import get_host_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._managed_identity import Selector

_MODULE = "entra.auth.managed_identity_token"
# Learn, "Managed identities for Azure resources": their tokens live for 24 hours at most.
_MAX_LIFETIME_SECONDS = 86400
_SHOWN_CHARACTERS = 300
_CHECK_IDENTITY = "Check that the host has the managed identity that was requested."


class Target(t.Protocol):
    """The task's host by its inventory name."""

    @property
    def name(self) -> str:
        """The inventory name."""

    def request_token(self, resource: str, selector: Selector, network: NetworkSettings) -> Token:
        """Get the token of the host's managed identity for a resource. Raises EntraAuthError."""


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
        token = _token_of(result.get("token"), requested_on)
        if token:
            return token
        raise self._failure(result)

    def _run(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        try:
            return self._action.run_silently(_MODULE, arguments, self._task_vars)
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as exc:
            reason = " ".join(str(exc).split())
        failure = EntraAuthError(
            f"The managed identity of {self.name} could not be asked: {reason}",
            hint="run_on: target needs a host on which modules run as the task's user; try ansible.builtin.ping there.",
        )
        failure.retry_after = 0  # another task may reach the host in another way
        raise failure

    def _failure(self, result: dict[str, t.Any]) -> EntraAuthError:
        failure = result.get("failure")
        if not isinstance(failure, dict):
            # The module did not start; what Python says about that may quote its arguments.
            return EntraAuthError(
                f"The managed identity of {self.name} could not be asked: the module did not run there.",
                hint="run_on: target needs Python 3.8 or newer with requests on the host, and no Windows host; try "
                "ansible.builtin.ping there.",
            )
        listed = failure.get("error_codes")
        codes = tuple(code for code in listed if isinstance(code, int)) if isinstance(listed, list) else ()
        hint = find_hint(codes, None)
        refused = TokenRequestRefused(
            f"On {self.name}: {printable(result.get('msg'), _SHOWN_CHARACTERS)}",
            hint=hint.fix if hint else printable(failure.get("hint"), _SHOWN_CHARACTERS) or _CHECK_IDENTITY,
            response=ErrorResponse("managed_identity_error", None, codes),
        )
        retry = failure.get("passes_after")
        refused.retry_after = float(retry) if isinstance(retry, (int, float)) else None
        return refused


class UnreachableHost:
    """The host of a lookup, which runs no module: only a token that a task has requested can be found."""

    def __init__(self, variables: t.Mapping[str, t.Any]) -> None:
        self._variables = variables

    @property
    def name(self) -> str:
        """The host's inventory name. Raises InputError if the host returned that name as a fact."""
        return get_host_name(self._variables)

    def request_token(self, resource: str, selector: Selector, network: NetworkSettings) -> Token:
        """Raise InputError."""
        raise InputError(
            "With run_on: target a lookup finds only the token that a task has requested, and there is no valid one.",
            hint="Run the module or the role entra.auth.app_token for this host first, or leave run_on at controller.",
        )


def _token_of(content: t.Any, requested_on: Moment) -> Token | None:
    """The token in a host's result; None for anything else. The host's clock does not count."""
    if not isinstance(content, dict):
        return None
    access_token, lifetime = content.get("access_token"), content.get("lifetime")
    if not isinstance(access_token, str) or not isinstance(lifetime, (int, float)) or lifetime <= 0:
        return None
    return Token(
        access_token=access_token,
        issued_on=requested_on.epoch,
        expires_on=requested_on.epoch + min(float(lifetime), _MAX_LIFETIME_SECONDS),
        boot_id=requested_on.boot_id,
        issued_at_uptime=requested_on.uptime,
    )


def identify_machine() -> str:
    """Return what tells the control node from other machines."""
    # Names are given twice. An image of a container may have no id, or share one.
    with contextlib.suppress(OSError), open("/etc/machine-id", encoding="ascii") as file:
        return f"{os.uname().nodename} {file.read().strip()}"
    return os.uname().nodename


__all__ = ("RunsModules", "Target", "TaskHost", "UnreachableHost", "identify_machine")
