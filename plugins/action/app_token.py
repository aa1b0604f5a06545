# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's face of the module ``app_token``: nothing runs on the target."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.plugin_utils._faces import Failure, obtain
from ansible_collections.entra.auth.plugins.plugin_utils._option_sources import OptionSources

display = Display()


class ActionModule(ActionBase):
    """Gets a token and hands it to ``register`` alone."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The token as result, which callbacks don't see; a failure with all that may be shown, which they do."""
        super().run(tmp, task_vars)
        outcome = obtain(OptionSources(self._task.args, task_vars or {}, self._templar.template), display)
        if isinstance(outcome, Failure):
            return {"failed": True, "changed": False, "msg": outcome.msg, **outcome.fields}
        return {"changed": False, "_ansible_no_log": True, **outcome.as_dict()}
