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

_SWEPT_AFTER_SECONDS = 86400


class DirectoryStore:
    """A directory of mode 0700. The modification time of a file is when its content expires.

    With ``sweeps`` each write removes the files that expired more than a day ago.

    Raises:
        InputError: The directory is not private to this user.
    """

    def __init__(self, directory: str, *, sweeps: bool = False) -> None:
        ensure_private_directory(directory)
        self._directory = directory
        self._sweeps = sweeps

    def read(self, name: str) -> bytes | None:
        with contextlib.suppress(OSError):
            return read_private_file(self._path(name))
        return None

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        with Replacement(self._path(name)) as replacement:
            # A crash of the machine costs a token request, less than waiting for the disk each time.
            replacement.commit(content, durable=False)
        self._set_time(name, time.time() + keep_seconds)
        if self._sweeps:
            self._sweep()

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        return lock_file(self._path(f"{name}.lock"), wait_seconds=wait_seconds)

    def entries(self) -> t.Iterator[tuple[str, bytes]]:
        for file in self._files():
            content = self.read(file.name)
            if content is not None:
                yield file.name, content

    def clear(self) -> None:
        for file in self._files():
            _remove(file.path)

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)

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
            os.utime(self._path(name), (moment, moment), follow_symlinks=False)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


__all__ = ("DirectoryStore",)
