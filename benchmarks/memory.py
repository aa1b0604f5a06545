# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The memory of a process and all that it started, while it runs."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

_PROC = Path("/proc")
_PAUSE_SECONDS = 0.1


class Watch:
    """A context manager that looks at a tree of processes again and again; ``peak`` is its largest size in MiB.

    The proportional set size counts memory that processes share only once in all. It is None where the system does
    not tell.
    """

    def __init__(self, root: int) -> None:
        self.peak: float | None = None
        self._root = root
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(_PAUSE_SECONDS):
            size = sum(map(_proportional_kib, _tree(self._root))) / 1024
            self.peak = max(size, self.peak or 0) or None


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name before it may hold blanks and brackets.
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def _proportional_kib(process: int) -> int:
    with contextlib.suppress(OSError):
        for line in (_PROC / str(process) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
