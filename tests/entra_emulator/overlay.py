# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Things computed from their number, and on top what clients created, changed and deleted.

So a listing of a hundred thousand costs no memory, and yet every single one can be written to.
"""

from __future__ import annotations

import threading
import typing as t

Body = dict[str, t.Any]


class Overlay:
    """One kind of things by their key, safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._created: dict[str, Body] = {}
        self._changed: dict[str, Body] = {}
        self._deleted: set[str] = set()
        self._journal: list[str] = []

    def find(self, key: str, computed: Body | None) -> Body | None:
        """The thing as it is now; ``computed`` is what it was at the start, None if it was not there."""
        if key in self._deleted:
            return None
        return self._created.get(key) or self._changed.get(key) or computed

    def create(self, key: str, body: Body) -> None:
        """Add a thing there was not."""
        with self._lock:
            self._deleted.discard(key)
            self._created[key] = body
            self._journal.append(key)

    def change(self, key: str, body: Body) -> None:
        """Replace a thing that is there by ``body``."""
        with self._lock:
            (self._created if key in self._created else self._changed)[key] = body
            self._journal.append(key)

    def delete(self, key: str) -> None:
        """Remove a thing."""
        with self._lock:
            self._journal.append(key)
            if self._created.pop(key, None) is None:
                self._deleted.add(key)
                self._changed.pop(key, None)

    def created(self) -> list[Body]:
        """What there was not at the start, oldest first."""
        with self._lock:
            return list(self._created.values())

    def deleted(self) -> frozenset[str]:
        """Keys of what there was at the start and is no more."""
        with self._lock:
            return frozenset(self._deleted)

    def touched_since(self, moment: int) -> list[str]:
        """The keys written to after :meth:`now` was ``moment``, each once."""
        with self._lock:
            return list(dict.fromkeys(self._journal[moment:]))

    def now(self) -> int:
        """How many writes there were."""
        return len(self._journal)

    def forget(self) -> None:
        """Back to what is computed."""
        with self._lock:
            self._created.clear()
            self._changed.clear()
            self._deleted.clear()
            self._journal.clear()
