# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cache directory of a user, which all runs on a machine share.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore

# An entry, its lock, and the file that is about to replace it.
_OWN_FILE = re.compile(r"[0-9a-f]{40}(\.lock|\.[0-9a-f]{8}\.new)?")
_ENTRY = re.compile(r"[0-9a-f]{40}")
_SWEPT_AFTER_SECONDS = 86400


class UserStore(DirectoryStore):
    """A directory from which each write removes the files of this collection that expired more than a day ago."""

    setting = "XDG_CACHE_HOME"

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        super().write(name, content, keep_seconds=keep_seconds)
        self._sweep()

    def list_entries(self) -> t.Iterator[tuple[str, bytes]]:
        for name in self._list_files(_ENTRY):
            content = self.read(name)
            if content is not None:
                yield name, content

    def clear(self) -> None:
        for name in self._list_files(_OWN_FILE):
            self._remove(name)

    def _sweep(self) -> None:
        oldest = time.time() - _SWEPT_AFTER_SECONDS
        for name in self._list_files(_OWN_FILE):
            with contextlib.suppress(OSError):
                if os.stat(name, dir_fd=self.directory.descriptor, follow_symlinks=False).st_mtime < oldest:
                    self._remove(name)

    def _list_files(self, form: re.Pattern[str]) -> list[str]:
        with contextlib.suppress(OSError):
            return [name for name in os.listdir(self.directory.descriptor) if form.fullmatch(name)]
        return []

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self.directory.descriptor)


def open_user_store() -> UserStore:
    """Open the directory ``entra_auth`` in the user's directory for caches (XDG Base Directory Specification).

    Raises:
        OSError: The directory is not usable; ``strerror`` says why and what to do, in sentences.
    """
    caches = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(caches):
        caches = os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(caches):
        from ansible_collections.entra.auth.plugins.plugin_utils._cache.store_errors import build_store_error

        raise build_store_error("This user has no home directory.", "Set HOME or XDG_CACHE_HOME to a directory.")
    return UserStore(os.path.join(caches, "entra_auth"))


__all__ = ("UserStore", "open_user_store")
