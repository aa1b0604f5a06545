# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback that writes down every event, with all that any other callback could have shown or stored of it."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: witness
type: notification
short_description: Write each event as a line of JSON to the file AUDIT_WITNESS
description: For tests.
"""


class CallbackModule(CallbackBase):
    """Beside the callbacks under test: what happened to which task on which host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "witness"
    CALLBACK_NEEDS_ENABLED = True

    def _record(self, event: str, outcome: t.Any) -> None:
        seen = outcome.result if hasattr(outcome, "result") else outcome._result  # renamed in ansible-core 2.19
        task = outcome.task if hasattr(outcome, "task") else outcome._task
        host = outcome.host if hasattr(outcome, "host") else outcome._host
        name = task.get_name().rpartition(" : ")[2]
        line = {"event": event, "task": name, "host": host.get_name(), "result": seen}
        with open(os.environ["AUDIT_WITNESS"], "a") as file:  # noqa: PTH123 - one line at a time
            file.write(json.dumps(line, default=str) + "\n")

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
