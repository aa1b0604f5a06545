# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the callbacks of the tests share: each event as one value, with all that Ansible lets a callback see."""

from __future__ import annotations

import typing as t

from ansible.plugins.callback import CallbackBase


def get_field(outcome: t.Any, name: str) -> t.Any:
    """Return a field of a task's result, by the name that ansible-core 2.19 and newer have or by the older one."""
    return getattr(outcome, name) if hasattr(outcome, name) else getattr(outcome, f"_{name}")


class EventCallback(CallbackBase):
    """Calls ``record`` for each result of a task, an item or an attempt."""

    CALLBACK_VERSION = 2.0

    def record(self, event: dict[str, t.Any]) -> None:
        """Show or store an event: its name, the task, the host and the result."""
        raise AssertionError("a callback says what it does with an event")

    def _record(self, name: str, outcome: t.Any) -> None:
        task, host = get_field(outcome, "task"), get_field(outcome, "host")
        self.record(
            {
                "event": name,
                "task": task.get_name().rpartition(" : ")[2],
                "host": host.get_name(),
                "result": get_field(outcome, "result"),
            }
        )

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
