# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stores that outlive a run: a user's and Redis.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._cache.store_errors import convert_store_error
from ansible_collections.entra.auth.plugins.plugin_utils._cache.user_store import open_user_store

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.base import LastingStore, Store

_LOST_SECONDS = 30


def open_store(cache: str) -> LastingStore:
    """Open the store of ``user`` or of a Redis URL, to list or clear it.

    Raises:
        InputError: The store is not usable, or the URL is not valid.
        MissingLibraryError: redis-py is not installed.
    """
    try:
        return open_user_store() if cache == "user" else _connect(cache)
    except OSError as exc:
        problem = exc
    raise convert_store_error("The cache can't be used.", problem)


def open_redis_store(url: str, run: Store) -> LastingStore:
    """Open the store of a Redis URL, unless this run knows already that the server is down.

    Args:
        url: The URL.
        run: The store of the run, for a note to all of its processes that the server is down.

    Raises:
        OSError: The store is not usable; ``strerror`` says why and what to do, in sentences.
        InputError: The URL is not valid.
        MissingLibraryError: redis-py is not installed.
    """
    note = _derive_note_name(url)
    _raise_if_lost(run.read(note) or b"")
    try:
        return _connect(url)
    except OSError as exc:
        until = time.monotonic() + _LOST_SECONDS
        # The note saves others the time of a connection; without it they try it for themselves.
        with contextlib.suppress(OSError):
            run.write(note, f"{until} {exc.strerror}".encode(), keep_seconds=_LOST_SECONDS)
        raise


def _raise_if_lost(note: bytes) -> None:
    lost_until, _blank, reason = note.decode(errors="replace").partition(" ")
    with contextlib.suppress(ValueError):
        if float(lost_until) > time.monotonic():
            # In the same words, so that the user is warned once.
            raise OSError(0, reason)


def _derive_note_name(url: str) -> str:
    # It distinguishes servers and passwords, and is too short to try passwords by.
    return f"redis lost {hashlib.sha256(url.encode()).hexdigest()[:4]}"


def _connect(url: str) -> LastingStore:
    # redis takes long to load.
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.redis_store import RedisStore

    return RedisStore(url)


__all__ = ("open_redis_store", "open_store")
