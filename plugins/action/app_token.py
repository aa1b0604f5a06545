# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of the module ``app_token``."""

from __future__ import annotations

import importlib
import typing as t

from ansible.plugins.loader import lookup_loader
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS
from ansible_collections.entra.auth.plugins.plugin_utils._options.role_variables import (
    read_role_variables,
    warn_of_misspelt_variables,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import read_variable
from ansible_collections.entra.auth.plugins.plugin_utils._token.controller_action import (
    ControllerAction,
    Result,
    Variables,
)
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.role_call import encrypt_call

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

# Loaded here, once in the main process for all workers: a play that gets a token often uses the lookup as well.
lookup_loader.get("entra.auth.app_token", class_only=True)
importlib.import_module("ansible_collections.entra.auth.plugins.plugin_utils._token.lookups")

display = Display()

_PREFIX = "app_token_"
# Variables of the role that are not options.
_OF_ROLE = ("fact", "headers", "uri")


class ActionModule(ControllerAction):
    """Get a token and hand it to ``register`` alone."""

    def find_direct(self, variables: Variables) -> t.Mapping[str, t.Any]:
        """Return the options that the task gives; in the role ``app_token`` its variables are what the call gives."""
        if not self.is_in_role():
            return self._task.args
        warn_of_misspelt_variables(_PREFIX, (*OPTIONS, *_OF_ROLE), variables)
        given = read_role_variables(_PREFIX, OPTIONS, variables, self._templar.template)
        return {**self._task.args, **given}

    def execute(self, options: AppTokenOptions, variables: Variables) -> Result:
        """Return the token, which callbacks don't see."""
        token = get_app_token(options, display, self.find_target(variables)).as_dict()
        result = self._build_role_result(token, options, variables) if self.is_in_role() else token
        return self.hide_result({"changed": False, **result})

    def _build_role_result(self, token: Result, options: AppTokenOptions, variables: Variables) -> Result:
        """Return the token, the name of its fact, and the call for the variables that the role leaves behind."""
        fact = read_variable("app_token_fact", variables, self._templar.template) or "app_token"
        return {"token": token, "fact": str(fact), "call": encrypt_call(options)}
