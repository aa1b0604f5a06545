# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where sealed cache entries lie.

A store knows names and bytes, nothing of tokens. Another kind of store is another class with these three methods and a
branch in ``open_store``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import typing as t

from ansible import constants as C

from ansible_collections.entra.auth.plugins.plugin_utils._private_files import (
    Replacement,
    ensure_private_directory,
    lock_file,
    read_private,
)

# Made by the main process before it forks, so every worker knows the same one.
_RUN_DIRECTORY: str = C.DEFAULT_LOCAL_TMP  # type: ignore[attr-defined]  # ansible.constants fills itself at run time
_RUN_ENTRY = "run"


class Store(t.Protocol):
    """Names to bytes, shared by every process that may use the same tokens."""

    def read(self, name: str) -> bytes | None:
        """What lies under a name, if anything readable does."""

    def write(self, name: str, content: bytes) -> None:
        """Put content under a name, atomically; called by who holds its lock."""

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        """An exclusive lock on a name, freed when its holder ends; False where not free within ``wait_seconds``."""


class DirectoryStore:
    """A directory of mode 0700 with a file per entry."""

    def __init__(self, directory: str) -> None:
        ensure_private_directory(directory)
        self._directory = directory

    def read(self, name: str) -> bytes | None:
        with contextlib.suppress(OSError):
            return read_private(self._path(name))
        return None

    def write(self, name: str, content: bytes) -> None:
        with Replacement(self._path(name)) as replacement:
            replacement.commit(content)

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        return lock_file(self._path(f"{name}.lock"), wait_seconds=wait_seconds)

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)


class NoStore:
    """Keeps nothing, so every call asks."""

    def read(self, name: str) -> bytes | None:
        return None

    def write(self, name: str, content: bytes) -> None:
        pass

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        return contextlib.nullcontext(True)


def open_store(cache: str) -> Store:
    """The store that the option ``cache`` names.

    ``run`` lies in the temporary directory that Ansible makes for each run, keeps to its user and removes at the end.
    """
    if cache == "none":
        return NoStore()
    return DirectoryStore(os.path.join(_RUN_DIRECTORY, "entra_auth"))


def secret_of_run(store: Store, wait_seconds: float) -> str:
    """A random secret that lives as long as the store does, to seal what a credential without a secret bought.

    It can't keep out who may read the store, but it keeps tokens from lying about in the clear.
    """
    known = store.read(_RUN_ENTRY)
    if known is None:
        with store.lock(_RUN_ENTRY, wait_seconds=wait_seconds):
            known = store.read(_RUN_ENTRY) or secrets.token_hex(32).encode()
            store.write(_RUN_ENTRY, known)
    return known.decode()


__all__ = ("DirectoryStore", "NoStore", "Store", "open_store", "secret_of_run")
