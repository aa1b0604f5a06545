# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stdout callback that prints each event as a line of JSON, with all that Ansible lets a callback see."""

from __future__ import annotations

import json
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: stdout
short_description: Print each event as a line of JSON
description: For tests.
"""


class CallbackModule(CallbackBase):
    """Records what any other callback could have shown or stored."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "record"

    def _record(self, event: str, outcome: t.Any) -> None:
        seen = outcome.result if hasattr(outcome, "result") else outcome._result  # renamed in ansible-core 2.19
        task = outcome.task if hasattr(outcome, "task") else outcome._task
        host = outcome.host if hasattr(outcome, "host") else outcome._host
        line = {"event": event, "task": task.get_name().rpartition(" : ")[2], "host": host.get_name(), "result": seen}
        print(json.dumps(line, default=str))

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._record("ok", result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._record("failed", result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._record("skipped", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._record("unreachable", result)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        self._record("item_ok", result)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        self._record("item_failed", result)

    def v2_runner_retry(self, result: t.Any) -> None:
        self._record("retry", result)
