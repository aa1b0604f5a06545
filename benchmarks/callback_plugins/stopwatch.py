# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback that prints nothing and writes down when each lap began: for benchmarks."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: stopwatch
type: stdout
short_description: Write down when each lap began
description: A lap is a task, or several in a row, of the same name before the first colon.
"""


class CallbackModule(CallbackBase):
    """Lines of JSON in the file that ``BENCHMARK_LAPS`` names: a lap's beginning, a failure, the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "stopwatch"

    def __init__(self, *args: t.Any, **more: t.Any) -> None:
        super().__init__(*args, **more)
        self._laps = open(os.environ["BENCHMARK_LAPS"], "w", buffering=1, encoding="utf-8")  # noqa: PTH123, SIM115

    def _write(self, **line: t.Any) -> None:
        times = os.times()[:4]
        self._laps.write(json.dumps({"at": time.perf_counter(), "times": times, **line}, default=str) + "\n")

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """A task begins, on all hosts together."""
        self._write(task=task.get_name().rpartition(" : ")[2])

    def v2_playbook_on_handler_task_start(self, task: t.Any) -> None:
        """As any other task."""
        self._write(task=task.get_name())

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """A host failed; the first words of why."""
        seen = result.result if hasattr(result, "result") else result._result
        self._write(failed=str(seen.get("msg"))[:500], ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """The same."""
        self._write(failed="unreachable", ignored=False)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """The end."""
        self._write(task="")
