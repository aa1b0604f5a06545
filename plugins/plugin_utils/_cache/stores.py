# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stores for encrypted entries that the option ``cache`` names, and the secret of a run.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import typing as t

from ansible import constants as C

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.base import Store

# The main process creates it before it forks, so that every worker knows the same one.
_RUN_DIRECTORY: str = C.DEFAULT_LOCAL_TMP  # type: ignore[attr-defined]  # ansible.constants fills itself at run time
_RUN_ENTRY = "run"


class NoStore:
    """Stores nothing, so every call sends its own request."""

    def read(self, name: str) -> bytes | None:
        return None

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        pass

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        return contextlib.nullcontext(True)


class Stores(t.NamedTuple):
    """The store for ``tokens`` that the option ``cache`` names, and the store of the ``run`` for its failures."""

    tokens: Store
    run: Store


def open_stores(cache: str, *, warn: t.Callable[[str], None]) -> Stores:
    """Open the stores for the option ``cache``.

    If the named store is not usable, that of the run is used, and without a usable one none; a warning says why.

    Args:
        cache: The value of the option: ``run``, ``user``, ``none`` or a Redis URL.
        warn: Takes a sentence for the user.

    Raises:
        InputError: The Redis URL is not valid.
        MissingLibraryError: The Redis URL needs a library that is not installed.
    """
    if cache == "none":
        return Stores(NoStore(), NoStore())
    run: Store = NoStore()
    try:
        run = _open_run_store()
    except OSError as exc:
        consequence = "No cache is used for this run." if cache == "run" else "Failures are not shared in this run."
        warn(f"{consequence} {exc.strerror}")
    if cache == "run":
        return Stores(run, run)
    try:
        return Stores(_open_lasting_store(cache, run), run)
    except OSError as exc:
        warn(f"The cache for this run alone is used. {exc.strerror}")
    return Stores(run, run)


def _open_lasting_store(cache: str, run: Store) -> Store:
    if cache == "user":
        from ansible_collections.entra.auth.plugins.plugin_utils._cache.user_store import open_user_store

        return open_user_store()
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.lasting_stores import open_redis_store

    return open_redis_store(cache, run)


def get_run_secret() -> str:
    """Get the random secret of this run, the same in all of its processes, whatever the option ``cache`` says.

    It encrypts what belongs to the run and has no secret of its own. A process that can read the store of the run can
    read the secret too: it protects the copies that leave the store.

    Raises:
        InputError: The directory of the run is not usable.
    """
    try:
        run = _open_run_store()
    except OSError as exc:
        problem = exc
    else:
        return _load_run_secret(run)
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.store_errors import convert_store_error

    raise convert_store_error("The key of this run can't be stored.", problem)


def get_entry_secret(run: Store, *, warn: t.Callable[[str], None]) -> str:
    """Get the secret for the entries of a credential that has none: that of the run.

    If it can't be stored, each process has its own, so that nothing is shared; a warning says why.
    """
    try:
        if isinstance(run, DirectoryStore):
            return _load_run_secret(run)
    except InputError as exc:
        warn(f"The cache is not shared. {exc.message}")
    return secrets.token_hex(32)


def _load_run_secret(run: DirectoryStore) -> str:
    if known := run.read(_RUN_ENTRY):
        return known.decode()
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.run_secret import create_run_secret

    return create_run_secret(run.directory, _RUN_ENTRY)


def _open_run_store() -> DirectoryStore:
    """Open the store of this run, in the temporary directory that Ansible creates for a run and removes at its end."""
    return DirectoryStore(os.path.join(_RUN_DIRECTORY, "entra_auth"))


__all__ = ("NoStore", "Stores", "get_entry_secret", "get_run_secret", "open_stores")
