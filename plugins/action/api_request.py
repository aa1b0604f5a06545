# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ``api_request`` documents, done on the controller."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.call import Run, execute
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import (
    api_request_options,
    split_arguments,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import OptionSources
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure, run_guarded
from ansible_collections.entra.auth.plugins.plugin_utils._token.masking import hide_arguments
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import UnreachableHost

display = Display()


class ActionModule(ActionBase):
    """Calls an API with a token that nobody gets to see."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The API's answer as result, or a failure with all that may be shown."""
        if self._task.async_val:
            raise AnsibleActionFail(
                "api_request runs on the controller and can't be left running with async. To fix it: remove async; "
                "with wait it awaits operations that take their time."
            )
        super().run(tmp, task_vars)
        self._task.args = hide_arguments(self._task.args)
        outcome = self._outcome(task_vars or {})
        if isinstance(outcome, Failure):
            return outcome.as_result()
        return outcome

    def _find_file(self, path: str) -> str:
        with contextlib.suppress(AnsibleError):
            return str(self._find_needle("files", path))
        raise InputError(
            f"src {path} was not found.", hint="Put it beside the playbook, or into the directory files of the role."
        )

    def _outcome(self, variables: dict[str, t.Any]) -> dict[str, t.Any] | Failure:
        run = Run(
            display,
            UnreachableHost(variables),
            check_mode=bool(self._task.check_mode),
            diff_mode=bool(self._task.diff),
            find_file=self._find_file,
        )
        own, shared = split_arguments(self._task.args)
        sources = OptionSources(shared, variables, self._templar.template)
        return run_guarded(sources, lambda options: execute(api_request_options(own), options, run))
