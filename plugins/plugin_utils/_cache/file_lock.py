# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locks between processes, as files.

The kernel frees a lock when its holder ends, however it ends. A holder that hangs is another matter: so each one
promises, in the file, when the next sign of life follows, and who waits goes on without it once that has passed.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

_POLL_SECONDS = (0.005, 0.05)
_SIGN_BYTES = 40


class FileLock:
    """A lock on a file, which is made where there is none. OSError where it can't be."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = self._open()

    def promise(self, seconds: float) -> None:
        """As its holder: a sign of life, and that the next one follows within so many seconds."""
        sign = f"{time.monotonic_ns():020d} {seconds:018.3f}\n"
        os.pwrite(self._descriptor, sign.encode(), 0)

    def acquire(self, *, wait_seconds: float, silence_seconds: float) -> bool:
        """Whether it is held now: after at most ``wait_seconds``, and after no longer a silence than was promised.

        Of a holder that has promised nothing yet, ``silence_seconds`` are borne.
        """
        pause, longest = _POLL_SECONDS
        until = time.monotonic() + wait_seconds
        watch = _Watch(silence_seconds)
        while not self._try():
            if time.monotonic() >= min(until, watch.until(self._sign())):
                return False
            time.sleep(pause)
            pause = min(pause * 2, longest)
        return True

    def close(self) -> None:
        """Free it."""
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if self._is_in_place():
            return True
        # Somebody has cleared the directory; the others will lock the file that comes after this one.
        removed, self._descriptor = self._descriptor, self._open()
        os.close(removed)
        return False

    def _is_in_place(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self._descriptor), os.lstat(self._path))
        return False

    def _sign(self) -> bytes:
        return os.pread(self._descriptor, _SIGN_BYTES, 0)


class _Watch:
    """Until when to wait for a holder, by its signs of life. By our own clock, as its may be another machine's."""

    def __init__(self, silence_seconds: float) -> None:
        self._seen: bytes | None = None
        self._until = 0.0
        self._silence_seconds = silence_seconds

    def until(self, sign: bytes) -> float:
        """The end of the wait, by time.monotonic, if no other sign comes before."""
        if sign != self._seen:
            self._seen = sign
            self._until = time.monotonic() + self._promised(sign)
        return self._until

    def _promised(self, sign: bytes) -> float:
        try:
            return float(sign.split()[1])
        except (IndexError, ValueError):
            return self._silence_seconds


@contextlib.contextmanager
def lock_file(path: str, *, wait_seconds: float, silence_seconds: float | None = None) -> t.Iterator[FileLock | None]:
    """Hold the lock on a file; None where it can't be had (see FileLock.acquire). OSError where there is no file."""
    lock = FileLock(path)
    try:
        silence = wait_seconds if silence_seconds is None else silence_seconds
        yield lock if lock.acquire(wait_seconds=wait_seconds, silence_seconds=silence) else None
    finally:
        lock.close()


__all__ = ("FileLock", "lock_file")
