# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the action plugins, which do their work on the control node.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import abc
import contextlib
import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import OptionSources, get_host_name
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure, run_guarded
from ansible_collections.entra.auth.plugins.plugin_utils._token.masking import hide_arguments
from ansible_collections.entra.auth.plugins.plugin_utils._token.task_host import TaskHost

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_COLLECTION = "entra.auth."

Variables = dict[str, t.Any]
Result = dict[str, t.Any]


class ControllerAction(ActionBase):
    """An action whose work is ``execute``. It hides the task's secrets and returns each error as a result.

    ``find_sources`` says where the options of ``app_token`` come from, if not from all arguments of the task.
    ``async_advice`` is a sentence about what to do instead of ``async``.
    """

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    async_advice: t.ClassVar[str] = ""

    def run(self, tmp: str | None = None, task_vars: Variables | None = None) -> Result:
        """Return the result of the task. An error is a failed result, except that an unreachable host is raised."""
        # First, because whatever follows may fail, and Ansible sends the arguments along with any result.
        self._task.args = hide_arguments(self._task.args)
        if self._task.async_val:
            return self._refuse_async()
        super().run(tmp, task_vars)
        variables = task_vars or {}
        outcome = run_guarded(
            lambda: self.find_sources(variables).resolve(), lambda options: self.execute(options, variables)
        )
        return outcome.as_result() if isinstance(outcome, Failure) else outcome

    @abc.abstractmethod
    def execute(self, options: AppTokenOptions, variables: Variables) -> Result:
        """Do the work and return the fields of the result. Raises EntraAuthError."""

    def find_sources(self, variables: Variables) -> OptionSources:
        """Return where the options of ``app_token`` come from. Raises InputError."""
        return OptionSources(self._task.args, variables, self._templar.template)

    def find_target(self, variables: Variables) -> TaskHost:
        """Return the host on which modules of this task run.

        Taken from the task: the variable ansible_delegated_vars may be a fact, and so the word of another host. Raises
        InputError if the host returned its inventory name as a fact.
        """
        return TaskHost(str(self._task.delegate_to or get_host_name(variables)), self, variables)

    def find_role(self) -> str | None:
        """Return the name of this collection's role that the task is part of, without the collection's name."""
        role = self._task._role  # a variable could be set by anyone, also outside of the role
        name = role.get_name() if role else ""
        return name.removeprefix(_COLLECTION) if name.startswith(_COLLECTION) else None

    def run_silently(self, module: str, arguments: dict[str, t.Any], task_vars: Variables) -> Result:
        """Run a module on the host so that neither it nor the connection logs its result, at any verbosity."""
        with self._silence():
            result: Result = self._execute_module(module, module_args=arguments, task_vars=task_vars)
            return result

    @contextlib.contextmanager
    def _silence(self) -> t.Iterator[None]:
        contexts = [self._task, self._play_context, getattr(self._connection, "_play_context", self._play_context)]
        before = [context.no_log for context in contexts]
        debug = vars(constants)["DEFAULT_DEBUG"]
        for context in contexts:
            context.no_log = True
        # With ANSIBLE_DEBUG, Ansible prints the arguments and the result of each module, even with no_log.
        vars(constants)["DEFAULT_DEBUG"] = False
        try:
            yield
        finally:
            vars(constants)["DEFAULT_DEBUG"] = debug
            for context, no_log in zip(contexts, before, strict=True):
                context.no_log = no_log

    def _refuse_async(self) -> Result:
        name = str(self._task.action).rpartition(".")[2]
        refused = InputError(
            f"{name} does not support async, because its work needs the control node.",
            hint=f"Remove async. {self.async_advice}".strip(),
        )
        return Failure.from_error(refused).as_result()


__all__ = ("ControllerAction", "Result", "Variables")
