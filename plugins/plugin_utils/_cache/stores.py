# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stores for encrypted entries that the option ``cache`` names.

A store knows names and bytes, nothing of tokens. Another kind of store is another class with these methods and a branch
in ``open_stores``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import secrets
import time
import typing as t

from ansible import constants as C

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore

# Made by the main process before it forks, so every worker knows the same one.
_RUN_DIRECTORY: str = C.DEFAULT_LOCAL_TMP  # type: ignore[attr-defined]  # ansible.constants fills itself at run time
_RUN_ENTRY = "run"
_RUN_SECONDS = 7 * 86400
_SECRET_WAIT_SECONDS = 30
_REDIS_LOST_SECONDS = 30


class Store(t.Protocol):
    """Names to bytes, shared by every process that may use the same tokens."""

    def read(self, name: str) -> bytes | None:
        """Read the content of a name; return None if it is missing or unreadable."""

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        """Replace the content of a name atomically and keep it for ``keep_seconds``. Raises OSError."""

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        """Hold the exclusive lock on a name; yield False if it is not acquired within ``wait_seconds``.

        The lock of a process that ended is free: of a file at once, of a server after a short time.
        """


class LastingStore(Store, t.Protocol):
    """A store that outlives the run, so that it can be listed and cleared."""

    def entries(self) -> t.Iterator[tuple[str, bytes]]:
        """Yield every name with its content."""

    def clear(self) -> None:
        """Remove everything."""


class NoStore:
    """Stores nothing, so every call sends its own request."""

    def read(self, name: str) -> bytes | None:
        return None

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        pass

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        return contextlib.nullcontext(True)


@dataclasses.dataclass(frozen=True)
class Stores:
    """The store for ``tokens`` that the option ``cache`` names, and the store of the ``run`` for its failures."""

    tokens: Store
    run: Store


def open_stores(cache: str, *, warn: t.Callable[[str], None]) -> Stores:
    """Open the stores for the option ``cache``, or with a warning those of the run if the named one is not usable.

    Args:
        cache: The value of the option: ``run``, ``user``, ``none`` or a Redis URL.
        warn: Takes a sentence for the user.

    Raises:
        InputError: The store of the run is not usable, or the Redis URL is not valid.
    """
    if cache == "none":
        return Stores(NoStore(), NoStore())
    run = open_run_store()
    if cache == "run":
        return Stores(run, run)
    try:
        return Stores(_open_user_store() if cache == "user" else _open_redis_store(cache, run), run)
    except OSError as exc:
        reason = exc.strerror
    warn(f"The cache for this run alone is used. {reason}")
    return Stores(run, run)


def open_run_store() -> DirectoryStore:
    """Open the store of this run, in the temporary directory that Ansible creates for a run and removes at its end.

    Raises:
        InputError: The directory is not usable.
    """
    return DirectoryStore(os.path.join(_RUN_DIRECTORY, "entra_auth"))


def open_store(cache: str) -> LastingStore:
    """Open the store of ``user`` or of a Redis URL, to list or clear it. Raises InputError."""
    try:
        return _open_user_store() if cache == "user" else _connect(cache)
    except OSError as exc:
        reason = str(exc.strerror)
    raise InputError(
        f"The cache can't be looked at. {reason}", hint="Correct what the sentence names, or set another cache."
    )


def _open_user_store() -> LastingStore:
    directory = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(directory):
        directory = os.path.join(os.path.expanduser("~"), ".cache")
    try:
        return DirectoryStore(os.path.join(directory, "entra_auth"), sweeps=True)
    except InputError as exc:
        reason = f"{exc.message} To fix it: {exc.hint}"
    raise OSError(0, reason)


def _open_redis_store(url: str, run: Store) -> Store:
    lost = _lost_name(url)
    lost_until, _blank, reason = (run.read(lost) or b"").decode(errors="replace").partition(" ")
    with contextlib.suppress(ValueError):
        if float(lost_until) > time.monotonic():
            # In the same words, so that the user is warned once.
            raise OSError(0, reason)
    try:
        return _connect(url)
    except OSError as exc:
        until = time.monotonic() + _REDIS_LOST_SECONDS
        with run.lock(lost, wait_seconds=0) as held:
            if held:
                run.write(lost, f"{until} {exc.strerror}".encode(), keep_seconds=_REDIS_LOST_SECONDS)
        raise


def _lost_name(url: str) -> str:
    # Of this server and password alone, and too short to try passwords by.
    return f"redis lost {hashlib.sha256(url.encode()).hexdigest()[:4]}"


def _connect(url: str) -> LastingStore:
    # Here, not at the top: redis takes long to load, and is not needed for the other caches.
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.redis_store import RedisStore

    return RedisStore(url)


def get_run_secret() -> str:
    """Get the random secret of this run, the same in all of its processes, whatever the option ``cache`` says.

    It encrypts what belongs to the run and has no secret of its own. A process that can read the store of the run can
    read the secret, so it protects copies that leave the store.

    Raises:
        InputError: The store of the run is not usable.
    """
    run = open_run_store()
    known = run.read(_RUN_ENTRY)
    if known is None:
        with run.lock(_RUN_ENTRY, wait_seconds=_SECRET_WAIT_SECONDS):
            known = run.read(_RUN_ENTRY) or secrets.token_hex(32).encode()
            run.write(_RUN_ENTRY, known, keep_seconds=_RUN_SECONDS)
    return known.decode()


__all__ = (
    "LastingStore",
    "NoStore",
    "Store",
    "Stores",
    "get_run_secret",
    "open_run_store",
    "open_store",
    "open_stores",
)
