# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of the module ``managed_identity_token``: it runs the module on the host, but never with ``async``."""

from __future__ import annotations

import typing as t

from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure


class ActionModule(NormalAction):
    """Run the module as Ansible does, except where its result would be stored on the host."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the module's result, or the refusal of ``async``: a job keeps its result in a file on the host."""
        if self._task.async_val:
            refused = InputError(
                "managed_identity_token does not support async, because the job's file on the host would hold the "
                "token in clear.",
                hint="Remove async, or use entra.auth.app_token with run_on: target.",
            )
            return Failure.from_error(refused).as_result()
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result
