# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations that take their time: what Graph and ARM answer 202 for and clients then poll."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass, field

from .text import new_guid

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import OperationResult, Settings

Body = dict[str, t.Any]
FAILURES: t.Final = {
    "Failed": ("AllocationFailed", "Allocation failed. There is not enough capacity for the size asked for."),
    "Canceled": ("OperationPreempted", "The operation was preempted by a more recent one."),
}


@dataclass
class Operation:
    """One operation; it ends with the poll after ``polls`` that found it running."""

    subject: str  # what it is about: the id of a resource, say
    started: str
    polls: int
    result: OperationResult
    on_end: Callable[[OperationResult], None]
    kind: str = ""
    output: Body | None = None  # what a successful action returns
    id: str = field(default_factory=new_guid)

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.polls > 0

    def failed(self) -> bool:
        """Whether it ended without success."""
        return not self.running() and self.result != "Succeeded"

    def error(self) -> Body:
        """The ``error`` member of one that failed."""
        code, message = FAILURES[self.result]
        return {"code": code, "message": message}


class Operations:
    """All operations started, by their id; the latest on each subject."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Operation] = {}
        self._latest: dict[str, Operation] = {}

    def start(self, operation: Operation) -> Operation:
        """Keep ``operation``; one that needs no poll is done at once."""
        with self._lock:
            self._known[operation.id] = self._latest[operation.subject.lower()] = operation
        self._end(operation)
        return operation

    def find(self, id_: str) -> Operation | None:
        """The operation of that id, its polls not counted."""
        return self._known.get(id_)

    def latest_on(self, subject: str) -> Operation | None:
        """The last operation started on ``subject``."""
        return self._latest.get(subject.lower())

    def poll(self, operation: Operation) -> bool:
        """One look at it: whether it is still running."""
        with self._lock:
            was_running = operation.running()
            operation.polls -= was_running
        if was_running and not operation.running():
            self._end(operation)
        return was_running

    @staticmethod
    def _end(operation: Operation) -> None:
        if not operation.running():
            operation.on_end(operation.result)

    def forget(self) -> None:
        """Forget all operations."""
        with self._lock:
            self._known.clear()
            self._latest.clear()


def retry_after(settings: Settings) -> dict[str, str]:
    """The header that says how long to wait before the next poll, if there is one."""
    seconds = settings.operation_retry_after
    return {} if seconds is None else {"Retry-After": f"{seconds:g}"}
