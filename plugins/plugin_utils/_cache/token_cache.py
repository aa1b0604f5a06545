# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token cache: one request for everybody, fresh ahead of time.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, NetworkError
from ansible_collections.entra.auth.plugins.module_utils._token import Freshness, Token
from ansible_collections.entra.auth.plugins.plugin_utils._cache.failures import SharedFailures

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Stores

_USABLE = (Freshness.FRESH, Freshness.DUE)
# How long after a failed renewal the next one is tried, while the token still serves.
_RENEWAL_PAUSE_SECONDS = 60
_MARK_SECONDS = 30 * 86400


@dataclasses.dataclass(frozen=True)
class Cached:
    """A token and where this caller got it: ``cache`` or ``network``.

    ``files`` of this machine hold what the cache gave, each by its path with its content: while they stay as they are,
    nobody has replaced the token.
    """

    token: Token
    source: str
    files: t.Mapping[str, bytes] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class CacheKey:
    """What a token is for: ``key`` tells one from another, ``label`` is what everybody may read of it.

    ``evidence`` is all else that a failure may come from, so that a changed credential or proxy is tried anew.
    """

    key: str
    label: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    failure_fingerprint: str = ""

    @property
    def failing_key(self) -> str:
        """What tells one failure from another."""
        return self.key + self.failure_fingerprint


class TokenCache:
    """The tokens one credential bought, in stores that other callers share.

    ``min_validity`` in seconds: no token with less left is handed out. ``wait_seconds`` bounds how long a caller waits
    for another one's request before it makes its own. ``warn`` takes a sentence for the user.
    """

    def __init__(
        self,
        stores: Stores,
        seal: EntryCipher,
        *,
        min_validity: float,
        wait_seconds: float,
        warn: t.Callable[[str], None],
    ) -> None:
        self._entries = _Entries(stores, seal)
        self._lock = stores.tokens.lock
        self._failures = SharedFailures(stores.run, seal)
        self._name = seal.name
        self._min_validity = min_validity
        self._wait_seconds = wait_seconds
        self._warn = warn

    def get(
        self,
        subject: CacheKey,
        request: t.Callable[[], Token],
        *,
        force: bool = False,
        replaces: CacheKey | None = None,
    ) -> Cached:
        """The token for ``subject``, from the cache or by ``request``, which only one caller at a time makes.

        While a token that is due for renewal still serves, nobody waits for the renewal, and a renewal that fails is
        a warning. A failure is that of all other callers too. ``force`` passes over what was known before this call.
        A new token is kept for the subject that it ``replaces`` as well.
        """
        called_on = time.monotonic()
        name = self._name(subject.key)
        before = self._entries.read(name)
        if not force:
            if before and self._freshness(before.token) is Freshness.FRESH:
                return before.as_cached()
            if known := self._failures.recall(subject.failing_key):
                return self._without_renewal(before, known)
        waits = force or not before or self._freshness(before.token) not in _USABLE
        with self._lock(name, wait_seconds=self._wait_seconds if waits else 0) as is_held:
            if before and not is_held and not waits:
                return before.as_cached()
            found = self._entries.read(name)
            if found and self._satisfies(found, before if force else None):
                return found.as_cached()
            if known := self._failures.recall(subject.failing_key, since=called_on if force else 0):
                return self._without_renewal(None if force else found, known)
            return self._renew(subject, None if force else found, request, replaces)

    def _renew(
        self, subject: CacheKey, old: Entry | None, request: t.Callable[[], Token], replaces: CacheKey | None
    ) -> Cached:
        try:
            token = request()
        except EntraAuthError as exc:
            failure = exc
        else:
            self._failures.forget(subject.failing_key)
            self._keep(subject, token)
            if replaces:
                self._keep_in_place_of(replaces, token)
            return Cached(token, "network")
        serves = old is not None and self._freshness(old.token) is not Freshness.EXPIRED
        seconds = _RENEWAL_PAUSE_SECONDS if serves else failure.retry_after
        self._failures.remember(subject.failing_key, failure, seconds=seconds)
        if old and serves:
            until = old.token.expires_at
            self._warn(f"A token could not be renewed and is used until it ends at {until}. {failure.message}")
        return self._without_renewal(old, failure)

    def _without_renewal(self, old: Entry | None, failure: EntraAuthError) -> Cached:
        if old is None or self._freshness(old.token) is Freshness.EXPIRED:
            raise failure
        return old.as_cached()

    def _keep(self, subject: CacheKey, token: Token) -> None:
        try:
            self._entries.write(self._name(subject.key), token, subject.label)
        except OSError as exc:
            self._warn(f"A token could not be kept in the cache: {exc.strerror}. The next caller asks for its own.")

    def _keep_in_place_of(self, subject: CacheKey, token: Token) -> None:
        with self._lock(self._name(subject.key), wait_seconds=self._wait_seconds) as is_held:
            if is_held:
                self._keep(subject, token)

    def _satisfies(self, found: Entry, older: Entry | None) -> bool:
        if older and found.serial <= older.serial:
            return False
        return self._freshness(found.token) is Freshness.FRESH

    def _freshness(self, token: Token) -> Freshness:
        return token.freshness(Moment.now(), min_validity=self._min_validity)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A token in the cache; each one that replaces another has a higher ``serial``. ``files`` as those of Cached."""

    token: Token
    serial: int
    files: t.Mapping[str, bytes]

    def as_cached(self) -> Cached:
        """For a caller."""
        return Cached(self.token, "cache", self.files)


class _Entries:
    """Sealed tokens in a store, of which none comes back that another one has replaced.

    The *mark* of an entry is the highest serial that was seen: whoever can write to the store, and nothing else, could
    otherwise put back an older entry, with a token from before a change of the app's roles.
    """

    def __init__(self, stores: Stores, seal: EntryCipher) -> None:
        self._tokens = stores.tokens
        self._marks = stores.marks
        self._seal = seal

    def read(self, name: str) -> Entry | None:
        sealed = self._tokens.read(name)
        content = self._seal.open(sealed, name)
        with contextlib.suppress(TypeError, ValueError, KeyError, NetworkError):
            known = json.loads(content or b"")
            serial = int(known["serial"])
            entry = Entry(Token.from_dict(known["token"]), serial, self._files(name, sealed or b"", serial))
            return entry if serial >= self._mark(name, serial) else None
        return None

    def _files(self, name: str, sealed: bytes, serial: int) -> dict[str, bytes]:
        path, mark_path = self._tokens.path(name), self._marks.path(_mark_name(name))
        return {path: sealed, mark_path: b"%d" % serial} if path and mark_path else {}

    def write(self, name: str, token: Token, label: t.Mapping[str, str]) -> None:
        """Keep a token; called by who holds the lock. OSError where it can't be kept."""
        entry = self.read(name)
        serial = max(self._mark(name, 0), entry.serial if entry else 0) + 1
        content = json.dumps({"serial": serial, "token": dataclasses.asdict(token)}).encode()
        readable = {**label, "expires_at": token.expires_at} if label else {}
        sealed = self._seal.seal(content, name, readable)
        self._tokens.write(name, sealed, keep_seconds=token.expires_on - token.issued_on)
        self._mark(name, serial)

    def _mark(self, name: str, serial: int) -> int:
        """The highest serial that was seen, this one included."""
        known = 0
        with contextlib.suppress(ValueError):
            known = int(self._marks.read(_mark_name(name)) or 0)
        if serial > known:
            # Another caller may be at it with the same serial.
            with contextlib.suppress(OSError):
                self._marks.write(_mark_name(name), b"%d" % serial, keep_seconds=_MARK_SECONDS)
        return max(known, serial)


def _mark_name(name: str) -> str:
    return f"{name}.mark"


__all__ = ("CacheKey", "Cached", "TokenCache")
