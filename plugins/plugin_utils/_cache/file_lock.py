# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locks between processes, as files.

The kernel frees a lock when the process that holds it ends, however it ends (flock(2)).

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

_POLL_SECONDS = (0.005, 0.05)


class FileLock:
    """A lock on a file, which is created if it does not exist.

    Raises:
        OSError: The file can't be opened or created.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = self._open()

    def acquire(self, *, wait_seconds: float) -> bool:
        """Acquire the lock, waiting at most ``wait_seconds``; return whether it is held now."""
        pause, longest = _POLL_SECONDS
        until = time.monotonic() + wait_seconds
        while not self._try_acquire():
            if time.monotonic() >= until:
                return False
            time.sleep(pause)
            pause = min(pause * 2, longest)
        return True

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def _try_acquire(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if self._is_in_place():
            # A sweep tells by this time that the lock is in use.
            os.utime(self._descriptor)
            return True
        # The directory was cleared: other processes lock the file that replaced this one.
        removed, self._descriptor = self._descriptor, self._open()
        os.close(removed)
        return False

    def _is_in_place(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self._descriptor), os.lstat(self._path))
        return False


@contextlib.contextmanager
def lock_file(path: str, *, wait_seconds: float) -> t.Iterator[bool]:
    """Hold the lock on a file for the length of a ``with`` block.

    Args:
        path: The file to lock.
        wait_seconds: How long to wait for another holder.

    Yields:
        Whether the lock is held.

    Raises:
        OSError: The file can't be opened or created.
    """
    lock = FileLock(path)
    try:
        yield lock.acquire(wait_seconds=wait_seconds)
    finally:
        lock.close()


__all__ = ("FileLock", "lock_file")
