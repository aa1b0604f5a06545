# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token cache: one request for everybody, fresh ahead of time.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, NetworkError
from ansible_collections.entra.auth.plugins.module_utils._token import Freshness, Token

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._seal import Seal
    from ansible_collections.entra.auth.plugins.plugin_utils._stores import Store

_USABLE = (Freshness.FRESH, Freshness.DUE)


@dataclasses.dataclass(frozen=True)
class Cached:
    """A token and where this caller got it: ``cache`` or ``network``."""

    token: Token
    source: str


class TokenCache:
    """The tokens one credential bought, in a store that other callers share.

    ``min_validity`` in seconds: no token with less left is handed out. ``wait_seconds`` bounds how long a caller waits
    for another one's request before it makes its own. ``warn`` takes a sentence for the user.
    """

    def __init__(
        self,
        store: Store,
        seal: Seal,
        *,
        min_validity: float,
        wait_seconds: float,
        warn: t.Callable[[str], None],
    ) -> None:
        self._store = store
        self._seal = seal
        self._min_validity = min_validity
        self._wait_seconds = wait_seconds
        self._warn = warn

    def get(
        self, subject: str, request: t.Callable[[], Token], *, force: bool = False, replaces: str | None = None
    ) -> Cached:
        """The token for ``subject``, from the cache or by ``request``, which only one caller at a time makes.

        While a token that is due for renewal still serves, nobody waits for the renewal, and a renewal that fails is
        a warning. ``force`` passes over what was cached before this call. A new token is kept for the subject that it
        ``replaces`` as well.
        """
        name = self._seal.name(subject)
        names = [name, self._seal.name(replaces)] if replaces else [name]
        called_on = time.time()
        found = self._read(name)
        if found and not force and self._freshness(found) is Freshness.FRESH:
            return Cached(found, "cache")
        waits = force or not found or self._freshness(found) not in _USABLE
        with self._store.lock(name, wait_seconds=self._wait_seconds if waits else 0) as held:
            if found and not held and not waits:
                return Cached(found, "cache")
            if held:
                found = self._read(name)
            if found and self._satisfies(found, called_on if force else None):
                return Cached(found, "cache")
            return self._renew(names, None if force else found, request)

    def _renew(self, names: t.Sequence[str], old: Token | None, request: t.Callable[[], Token]) -> Cached:
        try:
            token = request()
        except EntraAuthError as exc:
            if old is None or self._freshness(old) is Freshness.EXPIRED:
                raise
            self._warn(f"A token could not be renewed and is used until it ends at {old.expires_at}. {exc.message}")
            return Cached(old, "cache")
        try:
            for name in names:
                self._store.write(name, self._seal.seal(token.to_json().encode(), name))
        except OSError as exc:
            self._warn(f"A token could not be kept in the cache: {exc.strerror}. The next caller asks for its own.")
        return Cached(token, "network")

    def _read(self, name: str) -> Token | None:
        content = self._seal.open(self._store.read(name), name)
        try:
            return Token.from_json(content) if content else None
        except (TypeError, ValueError, NetworkError):
            return None

    def _satisfies(self, found: Token, newer_than: float | None) -> bool:
        if newer_than is not None and found.issued_on < newer_than:
            return False
        return self._freshness(found) is Freshness.FRESH

    def _freshness(self, token: Token) -> Freshness:
        return token.freshness(time.time(), min_validity=self._min_validity)


__all__ = ("Cached", "TokenCache")
