# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the action plugins, which do their work on the control node.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import abc
import contextlib
import importlib
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.compat.version import LooseVersion
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as core_version

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import CREDENTIALS, load_class
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import get_host_name, resolve_options
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure, run_guarded
from ansible_collections.entra.auth.plugins.plugin_utils._token.masking import hide_arguments
from ansible_collections.entra.auth.plugins.plugin_utils._token.task_host import TaskHost

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_COLLECTION = "entra.auth."
IS_BEFORE_2_19 = LooseVersion(core_version) < LooseVersion("2.19")

Variables = dict[str, t.Any]
Result = dict[str, t.Any]

# Ansible loads an action in the main process before it forks. What a cached token needs late is loaded here with it,
# once for all workers.
for _kind in CREDENTIALS:
    load_class(_kind)
for _name in ("_endpoint_url", "_http.body"):
    importlib.import_module(f"ansible_collections.entra.auth.plugins.module_utils.{_name}")


class ControllerAction(ActionBase):
    """An action whose work is ``execute``. It hides the task's secrets and returns each error as a result.

    ``find_direct`` says which options of ``app_token`` the task itself gives, if not all of its arguments.
    ``option_names`` are the options of ``app_token`` that the action uses. ``async_advice`` is a sentence about what to
    do instead of ``async``.
    """

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    option_names: t.ClassVar[t.Collection[str]] = OPTIONS
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
            lambda: resolve_options(self.find_direct(variables), variables, self._templar.template, self.option_names),
            lambda options: self.execute(options, variables),
        )
        return outcome.as_result() if isinstance(outcome, Failure) else outcome

    @abc.abstractmethod
    def execute(self, options: AppTokenOptions, variables: Variables) -> Result:
        """Do the work and return the fields of the result. Raises EntraAuthError."""

    def find_direct(self, variables: Variables) -> t.Mapping[str, t.Any]:
        """Return the options of ``app_token`` that the task itself gives. Raises InputError."""
        return self._task.args

    def find_target(self, variables: Variables) -> TaskHost:
        """Return the host on which modules of this task run.

        Taken from the task: the variable ansible_delegated_vars may be a fact, and so the word of another host. Raises
        InputError if the host returned its inventory name as a fact.
        """
        return TaskHost(str(self._task.delegate_to or get_host_name(variables)), self, variables)

    def find_file(self, path: str) -> str:
        """Return the path of a file that the task sends, on the control node. Raises InputError if there is none."""
        with contextlib.suppress(AnsibleError):
            return str(self._find_needle("files", path))
        raise InputError(
            f"src {path} was not found.", hint="Put it beside the playbook, or into the directory files of the role."
        )

    @property
    def module_name(self) -> str:
        """The name of the module, without that of the collection."""
        return str(self._task.action).rpartition(".")[2]

    def is_in_role(self) -> bool:
        """Return whether the task is part of this collection's role with the name of the module."""
        role = self._task._role  # a variable could be set by anyone, also outside of the role
        return bool(role) and role.get_name() == f"{_COLLECTION}{self.module_name}"

    def hide_result(self, result: Result) -> Result:
        """Return a result that ``register`` gets and no callback."""
        if IS_BEFORE_2_19 and self._task.loop is not None:
            # These cores hide the result of a whole loop if its task has no_log, not if the results of its items have.
            self._task.no_log = True
        return {**result, "_ansible_no_log": True}

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
        refused = InputError(
            f"{self.module_name} does not support async, because its work needs the control node.",
            hint=f"Remove async. {self.async_advice}".strip(),
        )
        return Failure.from_error(refused).as_result()


__all__ = ("IS_BEFORE_2_19", "ControllerAction", "Result", "Variables")
