# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work that the module ``preflight`` documents, on the control node."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.arguments import split_arguments
from ansible_collections.entra.auth.plugins.plugin_utils._options.preflight import (
    PREFLIGHT_OPTIONS,
    parse_preflight_options,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.role_variables import (
    read_role_variables,
    warn_of_misspelt_variables,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import read_variable
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert, is_blank
from ansible_collections.entra.auth.plugins.plugin_utils._preflight.check import build_failed_report, check
from ansible_collections.entra.auth.plugins.plugin_utils._token.controller_action import (
    IS_BEFORE_2_19,
    ControllerAction,
    Result,
    Variables,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

display = Display()

_PREFIX = "preflight_"
_FACT = "preflight_result"


class ActionModule(ControllerAction):
    """Check an app, its APIs and its credentials. In the role of the same name, its variables are the options."""

    def run(self, tmp: str | None = None, task_vars: Variables | None = None) -> Result:
        """Return the report. If there are problems and ``fail`` is on, it is a failure; the role fails by itself."""
        result = super().run(tmp, task_vars)
        report = build_failed_report(str(result["msg"])) if result.get("failed") else result
        variables = task_vars or {}
        message = _describe_problems(report["problems"]) if self._fails(variables) else ""
        if self.is_in_role():
            return self._build_role_result(report, message, variables)
        return {"changed": False, **report, **({"failed": True, "msg": message} if message else {})}

    def find_direct(self, variables: Variables) -> Result:
        """Return the options of ``app_token`` that the task gives."""
        return split_arguments(self._task.args, PREFLIGHT_OPTIONS)[1]

    def execute(self, options: AppTokenOptions, variables: Variables) -> Result:
        """Return the report. Raises InputError for options that can't be used."""
        own = split_arguments(self._task.args, PREFLIGHT_OPTIONS)[0]
        prefix = ""
        if self.is_in_role():
            prefix = _PREFIX
            warn_of_misspelt_variables(_PREFIX, (*PREFLIGHT_OPTIONS, "fact", "result"), variables)
            own = {**own, **read_role_variables(_PREFIX, PREFLIGHT_OPTIONS, variables, self._templar.template)}
        return check(parse_preflight_options(own, prefix), options, display, self.find_target(variables))

    def _fails(self, variables: Variables) -> bool:
        with contextlib.suppress(InputError):
            value = self._read_option("fail", variables)
            return is_blank(value) or bool(convert(PREFLIGHT_OPTIONS["fail"], value, "option fail"))
        return True

    def _read_option(self, name: str, variables: Variables) -> t.Any:
        if self.is_in_role():
            return read_variable(f"{_PREFIX}{name}", variables, self._templar.template)
        return self._task.args.get(name)

    def _build_role_result(self, report: Result, message: str, variables: Variables) -> Result:
        """Return the report with the name of its fact, the lines to show and the message to fail with."""
        fact = None
        with contextlib.suppress(InputError):
            fact = self._read_option("fact", variables)
        kept = {name: value for name, value in report.items() if name != "table"}
        # The message has the problems too, but before 2.19 Ansible shows it in one line.
        shown = [f"Problem: {problem}" for problem in report["problems"]] if IS_BEFORE_2_19 or not message else []
        return {
            "changed": False,
            "report": kept,
            "fact": _FACT if is_blank(fact) else str(fact),
            "table": [*report["table"], *shown],
            "message": message,
        }


def _describe_problems(problems: t.Sequence[str]) -> str:
    if not problems:
        return ""
    listed = "\n".join(f"{number}. {problem}" for number, problem in enumerate(problems, 1))
    return f"Preflight found {len(problems)} problem{'' if len(problems) == 1 else 's'}:\n{listed}"
