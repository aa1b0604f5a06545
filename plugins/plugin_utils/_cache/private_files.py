# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories and files that only their owner can use.

A directory is held open by a descriptor and every file in it is reached through that descriptor, so that replacing the
directory's path redirects nothing.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import errno
import os
import stat

_MAX_BYTES = 1024 * 1024
_NO_DETOUR = os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_PRIVATE = "is not a directory that belongs to this user alone"


class Directory:
    """A directory that is held open by ``descriptor`` for as long as this object exists.

    Raises:
        OSError: The path is missing, a symbolic link or not a directory.
    """

    descriptor = -1

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NO_DETOUR)

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)

    def read(self, name: str) -> bytes | None:
        """Read at most 1 MiB of a regular file of this user; return None if it is missing.

        Raises:
            OSError: The file is a symbolic link, of another user, not a regular file or not readable.
        """
        try:
            # O_NONBLOCK: opening a pipe would wait for a writer.
            file = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _NO_DETOUR, dir_fd=self.descriptor)
        except FileNotFoundError:
            return None
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, "it is not a regular file of this user")
            return os.read(file, min(found.st_size, _MAX_BYTES))
        finally:
            os.close(file)


def open_private_directory(path: str, *, setting: str) -> Directory:
    """Open a directory of mode 0700 that no other user can replace, and create it if it is missing.

    Args:
        path: The directory.
        setting: What a user sets to have another directory used.

    Raises:
        OSError: The directory is not usable; ``strerror`` says why and what to do, in sentences.
    """
    shared_parent: str | None = None
    try:
        shared_parent = find_shared_parent(path)
        if shared_parent:
            reason = f"can be replaced by other users, because they can write to {shared_parent}"
        else:
            directory = _open_or_create(path)
            reason = _describe_problem(directory)
            if not reason:
                return directory
    except NotADirectoryError:
        reason = _NOT_PRIVATE
    except OSError as exc:
        reason = f"can't be used: {exc.strerror}"
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.store_errors import build_directory_error

    raise build_directory_error(path, setting, reason, shared_parent)


def _open_or_create(path: str) -> Directory:
    try:
        return Directory(path)
    except FileNotFoundError:
        _create(path)
        return Directory(path)


def _create(path: str) -> None:
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        _create(parent)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        # Another process was faster.
        return


def _describe_problem(directory: Directory) -> str:
    found = os.fstat(directory.descriptor)
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        return _NOT_PRIVATE
    # The mode counts for root as well, and a file system may be read-only.
    if found.st_mode & 0o700 != 0o700 or not os.access(".", os.W_OK, dir_fd=directory.descriptor):
        return "can't be written to"
    return ""


def find_shared_parent(path: str) -> str | None:
    """Find a directory above ``path`` in which another user can replace the next one on the way.

    The directories on the way are those of the path as it is written and those of the path without symbolic links.
    """
    user = os.geteuid()
    # In a user namespace root itself has another number there.
    trusted = (0, user, os.stat("/").st_uid)
    for parent in dict.fromkeys([*_get_parents(path), *_get_parents(os.path.realpath(path))]):
        try:
            found = os.lstat(parent)
        except FileNotFoundError:
            continue
        # Containers often run as root in a directory of the user who started them.
        if (found.st_uid not in trusted and user != 0) or _is_shared(found):
            return parent
    return None


def _get_parents(path: str) -> list[str]:
    parents = [os.path.dirname(path)]
    while parents[-1] != (parent := os.path.dirname(parents[-1])):
        parents.append(parent)
    return parents


def _is_shared(found: os.stat_result) -> bool:
    """Whether users other than the owner can rename what is in a directory."""
    if not stat.S_ISDIR(found.st_mode) or not found.st_mode & 0o022 or found.st_mode & stat.S_ISVTX:
        return False
    if found.st_mode & 0o002:
        return True
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.store_errors import is_private_group

    return not is_private_group(found.st_gid)


__all__ = ("Directory", "find_shared_parent", "open_private_directory")
