# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that only their owner may read: read with distrust, replaced atomically.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError

_MAX_BYTES = 1024 * 1024


def ensure_private_directory(path: str) -> None:
    """Make a directory of mode 0700, or check that the one that is there is ours alone. Raises InputError."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        found = os.lstat(path)
    except OSError as exc:
        problem = f"can't be used: {exc.strerror}"
    else:
        problem = _objection(path, found)
        if not problem:
            return
    raise InputError(f"The cache directory {path} {problem}.", hint=f"Remove it, or run: chmod 700 {path}")


def _objection(path: str, found: os.stat_result) -> str:
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        return "is not a directory that belongs to this user alone"
    # The mode counts for root as well, and a file system may be read-only.
    if found.st_mode & 0o700 != 0o700 or not os.access(path, os.W_OK):
        return "can't be written to"
    return ""


def read_private_file(path: str) -> bytes | None:
    """The content of a regular file of ours; None where there is none. OSError for anything else."""
    try:
        # Without waiting, should somebody have put a pipe there.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(descriptor)
        raise PermissionError(errno.EPERM, "it is not a regular file of this user")
    with open(descriptor, "rb") as file:
        return file.read(min(found.st_size, _MAX_BYTES))


class Replacement:
    """A file about to replace another: opened first, so that what can't be written is known before it is needed.

    Use as a context manager, under a lock; without a call of ``commit`` nothing changes. Mode 0600. OSError where the
    directory can't be written.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        # One name for all attempts: what a killed process left behind is swept up by the next.
        self._temporary = f"{path}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._temporary)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = open(os.open(self._temporary, flags, 0o600), "wb")  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Replacement:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._temporary)

    def commit(self, content: bytes, *, durable: bool = True) -> None:
        """Put the content in place; if ``durable``, on the disk before anything else happens."""
        self._file.write(content)
        self._file.flush()
        if durable:
            os.fsync(self._file.fileno())
        os.replace(self._temporary, self._path)


__all__ = ("Replacement", "ensure_private_directory", "read_private_file")
