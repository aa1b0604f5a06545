# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work that the module ``api_request`` documents, on the control node."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.module_utils._secrets import register_secrets
from ansible_collections.entra.auth.plugins.plugin_utils._api.call import TaskContext, execute
from ansible_collections.entra.auth.plugins.plugin_utils._api.retry_policy import NO_RESPONSE
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import (
    API_OPTIONS,
    parse_api_request_options,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.arguments import split_arguments
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert
from ansible_collections.entra.auth.plugins.plugin_utils._token.controller_action import (
    IS_BEFORE_2_19,
    ControllerAction,
    Result,
    Variables,
)
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

display = Display()

# Result fields that hold what an API sent, or what is sent to it.
_CONTENT = frozenset({"json", "value", "result", "responses", "headers", "body", "diff"})


class ActionModule(ControllerAction):
    """Call an API with a token that no output shows."""

    async_advice = "With wait, the module awaits long-running operations."

    def run(self, tmp: str | None = None, task_vars: Variables | None = None) -> Result:
        """Return the API's response, or a failure, which has a status as well."""
        result = super().run(tmp, task_vars)
        if result.get("failed"):
            result.setdefault("status", NO_RESPONSE)
        return self._hide(result) if self._hides_result() and _CONTENT & set(result) else result

    def find_direct(self, variables: Variables) -> Result:
        """Return the options of ``app_token`` that the task gives."""
        return split_arguments(self._task.args)[1]

    def execute(self, options: AppTokenOptions, variables: Variables) -> Result:
        """Return the API's response as result."""
        call = parse_api_request_options(split_arguments(self._task.args)[0])
        register_secrets(call.access_token)
        context = TaskContext(
            display,
            CachedTokensOnly(variables),
            check_mode=bool(self._task.check_mode),
            diff_mode=bool(self._task.diff),
            find_file=self.find_file,
        )
        return execute(call, options, context)

    def _hides_result(self) -> bool:
        with contextlib.suppress(InputError):
            value = self._task.args.get("hide_result") or False
            return bool(convert(API_OPTIONS["hide_result"], value, "option hide_result"))
        return True

    def _hide(self, result: Result) -> Result:
        """Return a result that only register gets. The message of a failure is shown."""
        if IS_BEFORE_2_19 and result.get("failed"):
            # In these cores a hidden failure has no message.
            display.warning(str(result["msg"]))
        return self.hide_result(result)
