# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where sealed cache entries lie: the stores that the option ``cache`` names.

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
_REDIS_LOST_SECONDS = 30


class Store(t.Protocol):
    """Names to bytes, shared by every process that may use the same tokens."""

    def read(self, name: str) -> bytes | None:
        """What lies under a name, if anything readable does."""

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        """Put content under a name, atomically, for so long; called by who holds its lock. OSError where it can't."""

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        """An exclusive lock on a name, freed when its holder ends; False where not to be had within ``wait_seconds``.

        A holder that gives no sign of life for longer than it promised is waited for no longer.
        """

    def promise(self, seconds: float) -> None:
        """To those who wait for the locks held here: a sign of life, and that the next follows within ``seconds``."""

    def path(self, name: str) -> str | None:
        """The file that holds what lies under a name, where it is one of this machine."""


class LastingStore(Store, t.Protocol):
    """One that outlives the run, so that somebody may look after it."""

    def entries(self) -> t.Iterator[tuple[str, bytes]]:
        """Every name with its content."""

    def clear(self) -> None:
        """Remove everything."""


class NoStore:
    """Keeps nothing, so every call asks."""

    def read(self, name: str) -> bytes | None:
        return None

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        pass

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        return contextlib.nullcontext(True)

    def promise(self, seconds: float) -> None:
        pass

    def path(self, name: str) -> None:
        pass


@dataclasses.dataclass(frozen=True)
class Stores:
    """``tokens`` lie where the option ``cache`` says, ``marks`` of the newest ones on this machine in any case.

    ``run`` is for what concerns the run alone.
    """

    tokens: Store
    marks: Store
    run: Store


def open_stores(cache: str, *, answer_within: float = 30, warn: t.Callable[[str], None]) -> Stores:
    """The stores for the option ``cache``; those of the run, with a warning, where the one it names is not usable.

    ``run`` lies in the temporary directory that Ansible makes for each run, keeps to its user and removes at the end.
    ``answer_within`` are the seconds in which whoever holds a lock gives a sign of life.
    """
    if cache == "none":
        return Stores(NoStore(), NoStore(), NoStore())
    run = DirectoryStore(os.path.join(_RUN_DIRECTORY, "entra_auth"), answer_within=answer_within)
    if cache == "run":
        return Stores(run, run, run)
    try:
        if cache == "user":
            user = _user_store(answer_within)
            return Stores(user, user, run)
        return Stores(_redis_store(cache, run, answer_within), run, run)
    except OSError as exc:
        reason = exc.strerror
    warn(f"The cache for this run alone is used. {reason}")
    return Stores(run, run, run)


def open_store(cache: str) -> LastingStore:
    """The store of ``user`` or of a Redis URL, to look after it. InputError where it is not usable."""
    try:
        return _user_store() if cache == "user" else _connect(cache)
    except OSError as exc:
        reason = str(exc.strerror)
    raise InputError(f"The cache can't be looked at. {reason}")


def _user_store(answer_within: float = 30) -> LastingStore:
    directory = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(directory):
        directory = os.path.join(os.path.expanduser("~"), ".cache")
    try:
        return DirectoryStore(os.path.join(directory, "entra_auth"), answer_within=answer_within, sweeps=True)
    except InputError as exc:
        reason = f"{exc.message} To fix it: {exc.hint}"
    raise OSError(0, reason)


def _redis_store(url: str, run: Store, answer_within: float) -> Store:
    lost = _lost_name(url)
    lost_until, _blank, reason = (run.read(lost) or b"").decode(errors="replace").partition(" ")
    with contextlib.suppress(ValueError):
        if float(lost_until) > time.monotonic():
            # In the same words, so that the user is warned once.
            raise OSError(0, reason)
    try:
        return _connect(url, answer_within)
    except OSError as exc:
        until = time.monotonic() + _REDIS_LOST_SECONDS
        with run.lock(lost, wait_seconds=0) as held:
            if held:
                run.write(lost, f"{until} {exc.strerror}".encode(), keep_seconds=_REDIS_LOST_SECONDS)
        raise


def _lost_name(url: str) -> str:
    # Of this server and password alone, and too short to try passwords by.
    return f"redis lost {hashlib.sha256(url.encode()).hexdigest()[:4]}"


def _connect(url: str, answer_within: float = 30) -> LastingStore:
    # Here, not at the top: redis takes long to load, and is not needed for the other caches.
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.redis_store import RedisStore

    return RedisStore(url, answer_within=answer_within)


def get_run_secret(run: Store, wait_seconds: float) -> str:
    """A random secret that lives as long as the run does, to seal what a credential without a secret bought.

    It can't keep out who may read the store, but it keeps tokens from lying about in the clear.
    """
    known = run.read(_RUN_ENTRY)
    if known is None:
        with run.lock(_RUN_ENTRY, wait_seconds=wait_seconds):
            known = run.read(_RUN_ENTRY) or secrets.token_hex(32).encode()
            run.write(_RUN_ENTRY, known, keep_seconds=_RUN_SECONDS)
    return known.decode()


__all__ = ("LastingStore", "NoStore", "Store", "Stores", "get_run_secret", "open_store", "open_stores")
