# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store that is a directory of this user: a file per entry.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._cache.file_lock import lock_file
from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import (
    Replacement,
    ensure_private_directory,
    read_private_file,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.file_lock import FileLock

# The second is for those who wait while the holder of the first one hangs: so one of them goes on, and not all.
_LOCKS = (".lock", ".lock2")
_SWEPT_AFTER_SECONDS = 86400


class DirectoryStore:
    """A directory of mode 0700. A file's time of modification is when its content is of no more use.

    ``answer_within`` are the seconds in which whoever holds a lock gives a sign of life. With ``sweeps`` each write
    removes what has been of no use for a day. Raises InputError where the directory is not this user's alone.
    """

    def __init__(self, directory: str, *, answer_within: float = 30, sweeps: bool = False) -> None:
        ensure_private_directory(directory)
        self._directory = directory
        self._answer_within = answer_within
        self._sweeps = sweeps
        self._held: list[FileLock] = []

    def read(self, name: str) -> bytes | None:
        with contextlib.suppress(OSError):
            return read_private_file(self.path(name))
        return None

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        with Replacement(self.path(name)) as replacement:
            # A crash of the machine costs a token request, less than waiting for the disk each time.
            replacement.commit(content, durable=False)
        self._set_time(name, time.time() + keep_seconds)
        if self._sweeps:
            self._sweep()

    @contextlib.contextmanager
    def lock(self, name: str, *, wait_seconds: float) -> t.Iterator[bool]:
        with contextlib.ExitStack() as stack:
            for suffix in _LOCKS if wait_seconds else _LOCKS[:1]:
                path = self.path(name + suffix)
                lock = stack.enter_context(
                    lock_file(path, wait_seconds=wait_seconds, silence_seconds=self._answer_within)
                )
                if lock:
                    lock.promise(self._answer_within)
                    stack.enter_context(self._holding(lock))
                    break
            yield bool(lock)

    def promise(self, seconds: float) -> None:
        for lock in self._held:
            lock.promise(seconds)

    def path(self, name: str) -> str:
        return os.path.join(self._directory, name)

    def entries(self) -> t.Iterator[tuple[str, bytes]]:
        for file in self._files():
            content = self.read(file.name)
            if content is not None:
                yield file.name, content

    def clear(self) -> None:
        for file in self._files():
            _remove(file.path)

    @contextlib.contextmanager
    def _holding(self, lock: FileLock) -> t.Iterator[None]:
        self._held.append(lock)
        try:
            yield
        finally:
            self._held.remove(lock)

    def _sweep(self) -> None:
        for file in self._files():
            with contextlib.suppress(OSError):
                if file.stat(follow_symlinks=False).st_mtime < time.time() - _SWEPT_AFTER_SECONDS:
                    _remove(file.path)

    def _files(self) -> list[os.DirEntry[str]]:
        with contextlib.suppress(OSError), os.scandir(self._directory) as files:
            return list(files)
        return []

    def _set_time(self, name: str, moment: float) -> None:
        with contextlib.suppress(OSError):
            os.utime(self.path(name), (moment, moment), follow_symlinks=False)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


__all__ = ("DirectoryStore",)
