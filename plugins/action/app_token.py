# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's face of the module ``app_token``: nothing runs on the target."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible import constants
from ansible.module_utils.compat.version import LooseVersion
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible.release import __version__ as core_version
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import OptionSources
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import (
    Failure,
    get_token_or_failure,
    run_guarded,
)
from ansible_collections.entra.auth.plugins.plugin_utils._token.masking import hide_arguments
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import TaskHost

# Loaded here, in the main process, once for all that it forks: a play that gets a token often uses it by lookup.
lookup_loader.get("entra.auth.app_token", class_only=True)

display = Display()

# There it is not by the results of its items that the result of a loop as a whole is hidden, but by their tasks.
_LOOPS_NEED_NO_LOG = LooseVersion(core_version) < LooseVersion("2.19")

# The role's own variable: in its expressions a filter would be needed to tell the token from what Ansible adds to a
# result, and for the first filter in a worker Ansible loads all there are, which takes longer than all else here.
_IS_FOR_ROLE = "__app_token_is_for_role"


class ActionModule(ActionBase):
    """Gets a token and hands it to ``register`` alone."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The token as result, which callbacks don't see; a failure with all that may be shown, which they do."""
        super().run(tmp, task_vars)
        self._task.args = hide_arguments(self._task.args)
        variables = task_vars or {}
        sources = OptionSources(self._task.args, variables, self._templar.template)
        for_whom = self._for_role if _IS_FOR_ROLE in variables else self._outcome
        outcome = for_whom(sources, variables)
        if isinstance(outcome, Failure):
            return outcome.as_result()
        if _LOOPS_NEED_NO_LOG and self._task.loop is not None:
            self._task.no_log = True
        return {"changed": False, "_ansible_no_log": True, **outcome}

    def _outcome(self, sources: OptionSources, variables: dict[str, t.Any]) -> dict[str, t.Any] | Failure:
        return get_token_or_failure(sources, display, self._host(variables), AppToken.as_dict)

    def _for_role(self, sources: OptionSources, variables: dict[str, t.Any]) -> dict[str, t.Any] | Failure:
        """The token and what the role was called with, which is the call itself for the variables it leaves behind."""
        given = run_guarded(sources, lambda _options: sources.given_by_variables())
        if isinstance(given, Failure):
            return given
        token = self._outcome(dataclasses.replace(sources, direct={**sources.direct, **given}), variables)
        return token if isinstance(token, Failure) else {"token": token, "given": given}

    def _host(self, variables: dict[str, t.Any]) -> TaskHost:
        # From the task: a variable ansible_delegated_vars may be what a host returned as a fact.
        return TaskHost(str(self._task.delegate_to or variables["inventory_hostname"]), self, variables)

    def run_silently(self, module: str, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run a module on the host so that neither it nor the connection, at any verbosity, logs its result."""
        with self._silence():
            result: dict[str, t.Any] = self._execute_module(module, module_args=arguments, task_vars=task_vars)
            return result

    @contextlib.contextmanager
    def _silence(self) -> t.Iterator[None]:
        contexts = [self._task, self._play_context, getattr(self._connection, "_play_context", self._play_context)]
        before = [context.no_log for context in contexts]
        debug = vars(constants)["DEFAULT_DEBUG"]
        for context in contexts:
            context.no_log = True
        # With ANSIBLE_DEBUG, Ansible prints every module's arguments and answer, no_log or not.
        vars(constants)["DEFAULT_DEBUG"] = False
        try:
            yield
        finally:
            vars(constants)["DEFAULT_DEBUG"] = debug
            for context, no_log in zip(contexts, before, strict=True):
                context.no_log = no_log
