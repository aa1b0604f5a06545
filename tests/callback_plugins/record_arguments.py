# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stdout callback that prints the arguments of each task as they were evaluated, a line of JSON for each host."""

from __future__ import annotations

import json
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record_arguments
type: stdout
short_description: Print the evaluated arguments of each task as a line of JSON
description: For tests.
"""


class CallbackModule(CallbackBase):
    """Records what callbacks that show or store arguments, as those of ansible-runner do, could have shown."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "record_arguments"

    def v2_runner_on_ok(self, result: t.Any) -> None:
        fields = result.task_fields if hasattr(result, "task_fields") else result._task_fields  # renamed in 2.19
        print(json.dumps({"task": fields["name"], "arguments": fields["args"], "fields": fields}, default=str))

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self.v2_runner_on_ok(result)
