# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Token caches for a test, with a service that issues numbered tokens, or fails."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, NetworkError
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import Cached, CacheKey, TokenCache

if t.TYPE_CHECKING:
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Store

KEY = "https://login.test/t\nclient\nscope\n"
SUBJECT = CacheKey(KEY)
NAME = EntryCipher("secret").derive_name(KEY)
HOUR = 3600.0


class Service:
    """Issues numbered tokens of a given life, or fails."""

    def __init__(self, lifetime: float = HOUR, *, failure: EntraAuthError | None = None, fails: bool = False) -> None:
        self.lifetime = lifetime
        self.failure = failure or (NetworkError("The service is away.", hint="Wait.") if fails else None)
        self.requests = 0

    def __call__(self) -> Token:
        self.requests += 1
        if self.failure:
            raise self.failure
        return token(f"token-{self.requests}", self.lifetime)


class Asked(Exception):
    """Somebody asked for a token, where none may come from the cache."""


def only_ask() -> t.NoReturn:
    """A service that leaves the cache as it is."""
    raise Asked


def token(text: str, lifetime: float = HOUR) -> Token:
    """One that is issued now."""
    now = Moment.now()
    return Token(text, now.epoch, now.epoch + lifetime, boot_id=now.boot_id, issued_at_uptime=now.uptime)


def on(store: Store | Stores, credential: str = "secret", *, wait: float = 30, **how: t.Any) -> TokenCache:
    """The cache in a store, which is the run's, too, or in several."""
    stores = store if isinstance(store, Stores) else Stores(store, store)
    settings = {"min_validity": 300, "warn": print, **how}
    return TokenCache(stores, EntryCipher(credential), wait_seconds=wait, **settings)


def put(store: Store, text: str) -> None:
    """Write what another process would write."""
    content = json.dumps(dataclasses.asdict(token(text))).encode()
    store.write(NAME, EntryCipher("secret").encrypt(content, NAME), keep_seconds=HOUR)


def got(cached: Cached) -> tuple[str, str]:
    """The token's text and where it came from."""
    return cached.token.access_token, cached.source


__all__ = ("HOUR", "KEY", "NAME", "SUBJECT", "Asked", "Service", "got", "on", "only_ask", "put", "token")
