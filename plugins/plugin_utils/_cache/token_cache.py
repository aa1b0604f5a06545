# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token cache: one request for all callers, and a renewal before the token expires.

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
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Store, Stores

_USABLE = (Freshness.FRESH, Freshness.DUE)
# How long after a failed renewal the next one is tried, while the token is still valid.
_RENEWAL_PAUSE_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Cached:
    """A token and where this caller got it from: ``cache`` or ``network``."""

    token: Token
    source: str


@dataclasses.dataclass(frozen=True)
class CacheKey:
    """What a token is for.

    Args:
        key: Everything that distinguishes one token from another.
        public_metadata: What an entry shows without the secret. Empty to show nothing.
        failure_fingerprint: Everything else that a failure may depend on, so that a changed credential or proxy is
            tried again.
    """

    key: str
    public_metadata: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    failure_fingerprint: str = ""

    @property
    def failure_key(self) -> str:
        """Everything that distinguishes one failure from another."""
        return self.key + self.failure_fingerprint


class TokenCache:
    """The tokens of one credential, in stores that all callers share.

    Args:
        stores: Where tokens and failures are kept.
        cipher: Encrypts both with the secret of the credential.
        min_validity: Seconds; no token with less left is handed out.
        wait_seconds: How long a caller waits for the request of another one before it sends its own.
        warn: Takes a sentence for the user.
    """

    def __init__(
        self,
        stores: Stores,
        cipher: EntryCipher,
        *,
        min_validity: float,
        wait_seconds: float,
        warn: t.Callable[[str], None],
    ) -> None:
        self._entries = _Entries(stores.tokens, cipher)
        self._lock = stores.tokens.lock
        self._failures = SharedFailures(stores.run, cipher)
        self._derive_name = cipher.derive_name
        self._min_validity = min_validity
        self._wait_seconds = wait_seconds
        self._warn = warn

    def get(
        self,
        key: CacheKey,
        request: t.Callable[[], Token],
        *,
        force: bool = False,
        replaces: CacheKey | None = None,
    ) -> Cached:
        """Get the token for ``key`` from the cache or by ``request``, which one caller at a time sends.

        No caller waits for a renewal while the old token is valid, and a failed renewal is a warning until then.

        Args:
            key: What the token is for.
            request: Requests a token. Its failures are shared with all callers of the run.
            force: Ignore everything that was stored before this call.
            replaces: Another key that a new token is stored for as well.

        Raises:
            EntraAuthError: The request failed, for this caller or for another one of the run.
        """
        called_on = time.monotonic()
        name = self._derive_name(key.key)
        before = self._entries.read(name)
        if not force:
            if before and self._get_freshness(before) is Freshness.FRESH:
                return Cached(before, "cache")
            if failure := self._failures.load(key.failure_key):
                return self._fall_back(before, failure)
        waits = force or not before or self._get_freshness(before) not in _USABLE
        with self._lock(name, wait_seconds=self._wait_seconds if waits else 0) as is_held:
            if before and not is_held and not waits:
                return Cached(before, "cache")
            found = self._entries.read(name)
            # With force the token of another caller is taken if it was requested after this call.
            if found and not (force and found == before) and self._get_freshness(found) is Freshness.FRESH:
                return Cached(found, "cache")
            if failure := self._failures.load(key.failure_key, since=called_on if force else 0):
                return self._fall_back(None if force else found, failure)
            return self._renew(key, None if force else found, request, replaces)

    def _renew(
        self, key: CacheKey, old: Token | None, request: t.Callable[[], Token], replaces: CacheKey | None
    ) -> Cached:
        try:
            token = request()
        except EntraAuthError as exc:
            failure = exc
        else:
            self._failures.remove(key.failure_key)
            self._store(key, token)
            if replaces:
                self._store_instead_of(replaces, token)
            return Cached(token, "network")
        is_valid = old is not None and self._get_freshness(old) is not Freshness.EXPIRED
        seconds = _RENEWAL_PAUSE_SECONDS if is_valid else failure.retry_after
        self._failures.store(key.failure_key, failure, seconds=seconds)
        if old and is_valid:
            until = f"is used until it expires at {old.expires_at}"
            self._warn(f"A token could not be renewed and {until}. {failure.message}")
        return self._fall_back(old, failure)

    def _fall_back(self, old: Token | None, failure: EntraAuthError) -> Cached:
        if old is None or self._get_freshness(old) is Freshness.EXPIRED:
            raise failure
        return Cached(old, "cache")

    def _store(self, key: CacheKey, token: Token) -> None:
        try:
            self._entries.write(self._derive_name(key.key), token, key.public_metadata)
        except OSError as exc:
            self._warn(f"A token could not be stored in the cache: {exc.strerror}. The next caller requests its own.")

    def _store_instead_of(self, key: CacheKey, token: Token) -> None:
        with self._lock(self._derive_name(key.key), wait_seconds=self._wait_seconds) as is_held:
            if is_held:
                self._store(key, token)

    def _get_freshness(self, token: Token) -> Freshness:
        return token.freshness(Moment.now(), min_validity=self._min_validity)


class _Entries:
    """Encrypted tokens in a store."""

    def __init__(self, store: Store, cipher: EntryCipher) -> None:
        self._store = store
        self._cipher = cipher

    def read(self, name: str) -> Token | None:
        """Read a token; return None if it is missing, damaged or encrypted with another secret."""
        content = self._cipher.decrypt(self._store.read(name), name)
        with contextlib.suppress(TypeError, ValueError, NetworkError):
            return Token.from_dict(json.loads(content or b""))
        return None

    def write(self, name: str, token: Token, public_metadata: t.Mapping[str, str]) -> None:
        """Store a token. Raises OSError."""
        metadata = {**public_metadata, "expires_at": token.expires_at} if public_metadata else {}
        content = self._cipher.encrypt(json.dumps(dataclasses.asdict(token)).encode(), name, metadata)
        self._store.write(name, content, keep_seconds=token.expires_on - token.issued_on)


__all__ = ("CacheKey", "Cached", "TokenCache")
