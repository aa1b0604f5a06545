# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens when the cache has no fresh token: one caller requests it, the others wait or use the old one.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.module_utils._token import Freshness
from ansible_collections.entra.auth.plugins.plugin_utils._cache.failures import SharedFailures

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import CacheKey, TokenCache

_USABLE = (Freshness.FRESH, Freshness.DUE)
# How long after a failed renewal the next one is tried, while the token is still valid.
_RENEWAL_PAUSE_SECONDS = 60


class Renewal:
    """One caller's way to a new token.

    Args:
        cache: The cache that has no fresh token.
        key: What the token is for.
        old: The token that was found in the cache, if any.
        force: Ignore everything that was stored before this call.
    """

    def __init__(self, cache: TokenCache, key: CacheKey, old: Token | None, *, force: bool) -> None:
        self._cache = cache
        self._failures = SharedFailures(cache.stores.run, cache.cipher)
        self._key = key
        self._old = old
        self._is_forced = force
        self._called_on = time.monotonic()

    def get(self, request: t.Callable[[], Token], replaces: CacheKey | None) -> tuple[Token, str]:
        """Get a token by ``request``, or that of another caller.

        Args:
            request: Requests a token.
            replaces: Another key that a new token is stored for as well.

        Returns:
            The token and where it is from: ``cache`` or ``network``.

        Raises:
            EntraAuthError: The request failed, for this caller or for another one of the run.
        """
        if not self._is_forced and (failure := self._failures.load(self._key.failure_key)):
            return self._use_old_token(self._old, failure)
        waits = self._is_forced or not self._old or self._cache.get_freshness(self._old) not in _USABLE
        with self._cache.lock(self._key, wait_seconds=self._cache.wait_seconds if waits else 0) as is_held:
            if self._old and not is_held and not waits:
                return self._old, "cache"
            return self._find_or_request(request, replaces)

    def _find_or_request(self, request: t.Callable[[], Token], replaces: CacheKey | None) -> tuple[Token, str]:
        found = self._cache.read(self._key)
        if found and self._is_wanted(found):
            return found, "cache"
        old = None if self._is_forced else found
        if failure := self._failures.load(self._key.failure_key, since=self._called_on if self._is_forced else 0):
            return self._use_old_token(old, failure)
        try:
            token = request()
        except EntraAuthError as exc:
            failure = exc
        else:
            self._keep(token, replaces)
            return token, "network"
        return self._handle_failure(old, failure)

    def _is_wanted(self, found: Token) -> bool:
        # With force the token of another caller is taken if that one replaced what was there before this call.
        is_old = self._is_forced and found == self._old
        return not is_old and self._cache.get_freshness(found) is Freshness.FRESH

    def _keep(self, token: Token, replaces: CacheKey | None) -> None:
        self._failures.remove(self._key.failure_key)
        self._store(self._key, token)
        if replaces:
            # Not for long: the call has its token, and what is not replaced is refused and renewed once more.
            with self._cache.lock(replaces, wait_seconds=self._cache.wait_seconds / 10) as is_held:
                if is_held:
                    self._store(replaces, token)

    def _handle_failure(self, old: Token | None, failure: EntraAuthError) -> tuple[Token, str]:
        is_valid = self._is_valid(old)
        seconds = _RENEWAL_PAUSE_SECONDS if is_valid else failure.retry_after
        self._failures.store(self._key.failure_key, failure, seconds=seconds)
        if old and is_valid:
            until = f"is used until it expires at {old.expires_at}"
            self._cache.warn(f"A token could not be renewed and {until}. {failure.message}")
        return self._use_old_token(old, failure)

    def _use_old_token(self, old: Token | None, failure: EntraAuthError) -> tuple[Token, str]:
        if old and self._is_valid(old):
            return old, "cache"
        raise failure

    def _is_valid(self, token: Token | None) -> bool:
        return token is not None and self._cache.get_freshness(token) is not Freshness.EXPIRED

    def _store(self, key: CacheKey, token: Token) -> None:
        try:
            self._cache.write(key, token)
        except OSError as exc:
            self._cache.warn(
                f"A token could not be stored in the cache: {exc.strerror}. The next caller requests its own."
            )


__all__ = ("Renewal",)
