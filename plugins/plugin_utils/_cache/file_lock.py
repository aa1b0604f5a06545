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

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import Directory

_POLL_SECONDS = (0.005, 0.05)


class FileLock:
    """A lock on a file of a directory. The file is created if it is missing.

    Raises:
        OSError: The file can't be opened or created.
    """

    def __init__(self, directory: Directory, name: str) -> None:
        self._directory = directory
        self._name = name
        self._file = self._open()

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
        os.close(self._file)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        return os.open(self._name, flags, 0o600, dir_fd=self._directory.descriptor)

    def _try_acquire(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if self._is_in_place():
            # The time of the last use: what has not been used for long is swept.
            os.utime(self._file)
            return True
        # The directory was cleared: other processes lock the file that replaced this one.
        removed, self._file = self._file, self._open()
        os.close(removed)
        return False

    def _is_in_place(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(self._name, dir_fd=self._directory.descriptor, follow_symlinks=False)
            return os.path.samestat(os.fstat(self._file), found)
        return False


@contextlib.contextmanager
def lock_file(directory: Directory, name: str, *, wait_seconds: float) -> t.Iterator[bool]:
    """Hold the lock on a file for the length of a ``with`` block.

    Args:
        directory: Where the file is.
        name: The file to lock.
        wait_seconds: How long to wait for another holder.

    Yields:
        Whether the lock is held.

    Raises:
        OSError: The file can't be opened or created, or the file system has no locks.
    """
    lock = FileLock(directory, name)
    try:
        yield lock.acquire(wait_seconds=wait_seconds)
    finally:
        lock.close()


__all__ = ("FileLock", "lock_file")
