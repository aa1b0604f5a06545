# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token cache: one request for all callers, and a renewal before the token expires.

This file holds what a hit needs. Everything else is in ``renewal.py``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.module_utils._token import Freshness, Token

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Stores


# Longer than any token lives, and a time that every store can represent.
_LONGEST_SECONDS = 30 * 86400


# Tuples, because every worker process creates these classes again and a dataclass takes six times as long.
class Cached(t.NamedTuple):
    """A token and where this caller got it from: ``cache`` or ``network``."""

    token: Token
    source: str


class CacheKey(t.NamedTuple):
    """What a token is for.

    Args:
        key: Everything that distinguishes one token from another.
        public_metadata: What an entry shows without the secret. Empty to show nothing.
        failure_fingerprint: Everything else that a failure may depend on, so that a changed credential or proxy is
            tried again.
    """

    key: str
    public_metadata: t.Mapping[str, str] = {}
    failure_fingerprint: str = ""

    @property
    def failure_key(self) -> str:
        """Everything that distinguishes one failure from another."""
        return self.key + self.failure_fingerprint


class TokenCache:
    """The tokens of one credential, in stores that all callers share.

    Args:
        stores: Where tokens and failures are stored.
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
        self.stores = stores
        self.cipher = cipher
        self.wait_seconds = wait_seconds
        self.warn = warn
        self._min_validity = min_validity

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
        found = self.read(key)
        if found and not force and self.get_freshness(found) is Freshness.FRESH:
            return Cached(found, "cache")
        from ansible_collections.entra.auth.plugins.plugin_utils._cache.renewal import Renewal

        return Cached(*Renewal(self, key, found, force=force).get(request, replaces))

    def get_freshness(self, token: Token) -> Freshness:
        """Determine what may be done with a token now."""
        return token.judge_freshness(Moment.now(), min_validity=self._min_validity)

    def read(self, key: CacheKey) -> Token | None:
        """Read a token; return None if it is missing, damaged or encrypted with another secret."""
        name = self.cipher.derive_name(key.key)
        content = self.cipher.decrypt(self.stores.tokens.read(name), name)
        with contextlib.suppress(TypeError, ValueError, NetworkError):
            return Token.from_dict(json.loads(content or b""))
        return None

    def write(self, key: CacheKey, token: Token) -> None:
        """Store a token until it expires. Raises OSError."""
        name = self.cipher.derive_name(key.key)
        metadata = {**key.public_metadata, "expires_at": token.expires_at} if key.public_metadata else {}
        content = self.cipher.encrypt(json.dumps(dataclasses.asdict(token)).encode(), name, metadata)
        keep_seconds = min(token.expires_on - token.issued_on, _LONGEST_SECONDS)
        self.stores.tokens.write(name, content, keep_seconds=keep_seconds)

    def lock(self, key: CacheKey, *, wait_seconds: float) -> t.ContextManager[bool]:
        """Hold the right to request a token; yield False if another caller holds it for longer than that."""
        return self.stores.tokens.lock(self.cipher.derive_name(key.key), wait_seconds=wait_seconds)


__all__ = ("CacheKey", "Cached", "TokenCache")
