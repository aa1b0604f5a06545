# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of the module ``api_request``."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.call import TaskContext, execute
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import (
    parse_api_request_options,
    split_arguments,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import OptionSources
from ansible_collections.entra.auth.plugins.plugin_utils._token.controller_action import (
    ControllerAction,
    Result,
    Variables,
)
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import UnreachableHost

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

display = Display()


class ActionModule(ControllerAction):
    """Call an API with a token that no output shows."""

    async_advice = "With wait, the module awaits long-running operations."

    def find_sources(self, variables: Variables) -> OptionSources:
        """Return where the options of ``app_token`` come from."""
        _own, shared = split_arguments(self._task.args)
        return OptionSources(shared, variables, self._templar.template)

    def execute(self, options: AppTokenOptions, variables: Variables) -> Result:
        """Return the API's response as result."""
        own, _shared = split_arguments(self._task.args)
        run = TaskContext(
            display,
            UnreachableHost(variables),
            check_mode=bool(self._task.check_mode),
            diff_mode=bool(self._task.diff),
            find_file=self._find_file,
        )
        return execute(parse_api_request_options(own), options, run)

    def _find_file(self, path: str) -> str:
        with contextlib.suppress(AnsibleError):
            return str(self._find_needle("files", path))
        raise InputError(
            f"src {path} was not found.", hint="Put it beside the playbook, or into the directory files of the role."
        )
