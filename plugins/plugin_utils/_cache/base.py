# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every store of encrypted entries can do.

A store knows names and bytes, not tokens. Another kind of store is another class with these methods, opened in
``stores.py`` or ``lasting_stores.py``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t


class Store(t.Protocol):
    """Names to bytes, shared by every process that may use the same tokens."""

    def read(self, name: str) -> bytes | None:
        """Read the content of a name; return None if it is missing or unreadable."""

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        """Replace the content of a name atomically and keep it for ``keep_seconds``. Raises OSError."""

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        """Hold the exclusive lock on a name; yield False if it is not acquired within ``wait_seconds``.

        The lock of a process that ended is free: of a file at once, of a server after a short time. A store that has
        no working lock yields True, because waiting would not help.
        """


class LastingStore(Store, t.Protocol):
    """A store that outlives the run, so that it can be listed and cleared."""

    def list_entries(self) -> t.Iterator[tuple[str, bytes]]:
        """Yield the name and the content of each entry."""

    def clear(self) -> None:
        """Remove all entries."""


__all__ = ("LastingStore", "Store")
