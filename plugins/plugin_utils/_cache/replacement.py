# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are replaced atomically: a reader sees the old content or the new content.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import errno
import os
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import Directory

# File systems that can't allocate blocks ahead say so by one of these.
_NO_ALLOCATION = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)


class Replacement:
    """A new file of mode 0600 that replaces another one when it is committed; a context manager.

    The file is created at once, so that a directory that can't be written is known before the content exists.

    Args:
        directory: Where the file is.
        name: The file that is replaced.
        temporary: The name until then. Processes that may write at the same time need different ones.
        reserve_bytes: How much room the disk must have for the content.

    Raises:
        OSError: The directory can't be written to, or the disk has no room.
    """

    def __init__(self, directory: Directory, name: str, temporary: str, *, reserve_bytes: int = 0) -> None:
        self._directory = directory.descriptor
        self._name = name
        self._temporary = temporary
        # An earlier process may have been killed before it removed the file.
        self._remove()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(temporary, flags, 0o600, dir_fd=self._directory)
        try:
            self._reserve(reserve_bytes)
        except OSError:
            self.__exit__()
            raise

    def __enter__(self) -> Replacement:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        os.close(self._file)
        self._remove()

    def commit(self, content: bytes, *, modified_on: float | None = None) -> None:
        """Write the content and put the file in place of the old one.

        Args:
            content: The whole content.
            modified_on: The modification time to set, in epoch seconds.

        Raises:
            OSError: The disk is full or failed.
        """
        self._write(content)
        if modified_on is not None:
            os.utime(self._file, (modified_on, modified_on))
        os.replace(self._temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)

    def commit_durably(self, content: bytes) -> None:
        """Commit the content and return when it is on the disk."""
        self._write(content)
        os.fsync(self._file)
        os.replace(self._temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        os.fsync(self._directory)

    def _write(self, content: bytes) -> None:
        written = 0
        while written < len(content):
            written += os.pwrite(self._file, content[written:], written)
        os.ftruncate(self._file, len(content))

    def _reserve(self, size: int) -> None:
        if not size:
            return
        try:
            os.posix_fallocate(self._file, 0, size)
        except (AttributeError, OSError) as exc:
            if isinstance(exc, OSError) and exc.errno not in _NO_ALLOCATION:
                raise
            self._write(bytes(size))
            os.fsync(self._file)

    def _remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._temporary, dir_fd=self._directory)


__all__ = ("Replacement",)
