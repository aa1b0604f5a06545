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

from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import open_private_directory


class DirectoryStore:
    """A directory of mode 0700. The modification time of a file is when its content expires.

    Raises:
        OSError: The directory is not usable; ``strerror`` says why and what to do, in sentences.
    """

    # What a user sets to have another directory used.
    setting = "local_tmp in ansible.cfg (ANSIBLE_LOCAL_TEMP)"

    def __init__(self, path: str) -> None:
        self.directory = open_private_directory(path, setting=self.setting)

    def read(self, name: str) -> bytes | None:
        with contextlib.suppress(OSError):
            return self.directory.read(name)
        return None

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        from ansible_collections.entra.auth.plugins.plugin_utils._cache.replacement import Replacement

        # A caller whose wait for the lock is over writes as well. The file is not synchronized: a crash of the machine
        # costs a token request, less than waiting for the disk each time.
        with Replacement(self.directory, name, f"{name}.{os.urandom(4).hex()}.new") as replacement:
            replacement.commit(content, modified_on=time.time() + keep_seconds)

    @contextlib.contextmanager
    def lock(self, name: str, *, wait_seconds: float) -> t.Iterator[bool]:
        from ansible_collections.entra.auth.plugins.plugin_utils._cache.file_lock import lock_file

        with contextlib.ExitStack() as stack:
            try:
                is_held = stack.enter_context(lock_file(self.directory, f"{name}.lock", wait_seconds=wait_seconds))
            except OSError:
                # Nothing to wait for. If the disk is full, writing the entry says so.
                is_held = True
            yield is_held


__all__ = ("DirectoryStore",)
