# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of the module ``app_token``."""

from __future__ import annotations

import typing as t

from ansible.module_utils.compat.version import LooseVersion
from ansible.plugins.loader import lookup_loader
from ansible.release import __version__ as core_version
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.plugin_utils._token.controller_action import (
    ControllerAction,
    Result,
    Variables,
)
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

# Loaded here, once in the main process for all workers: a play that gets a token often uses the lookup as well.
lookup_loader.get("entra.auth.app_token", class_only=True)

display = Display()

# Older cores hide the result of a whole loop only if its task has no_log, not if the results of its items have.
_LOOPS_NEED_NO_LOG = LooseVersion(core_version) < LooseVersion("2.19")


class ActionModule(ControllerAction):
    """Get a token and hand it to ``register`` alone."""

    def execute(self, options: AppTokenOptions, variables: Variables) -> Result:
        """Return the token, which callbacks don't see."""
        app_token = get_app_token(options, display, self.find_target(variables))
        if _LOOPS_NEED_NO_LOG and self._task.loop is not None:
            self._task.no_log = True
        return {"changed": False, "_ansible_no_log": True, **app_token.as_dict()}
