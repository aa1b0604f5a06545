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
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.base import Store

KEY = CacheKey("https://login.test/t\nclient\nscope\n")
NAME = EntryCipher("secret").derive_name(KEY.key)
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
        return issue_token(f"token-{self.requests}", self.lifetime)


class Requested(Exception):
    """A token was requested."""


def refuse_request() -> t.NoReturn:
    """Stand for a service, and leave the cache as it is."""
    raise Requested


def issue_token(text: str, lifetime: float = HOUR) -> Token:
    """Issue a token now."""
    now = Moment.now()
    return Token(text, now.epoch, now.epoch + lifetime, boot_id=now.boot_id, issued_at_uptime=now.uptime)


def open_cache(store: Store | Stores, credential: str = "secret", *, wait: float = 30, **how: t.Any) -> TokenCache:
    """Open the cache in a store, which is the run's, too, or in several."""
    stores = store if isinstance(store, Stores) else Stores(store, store)
    settings = {"min_validity": 300, "warn": print, **how}
    return TokenCache(stores, EntryCipher(credential), wait_seconds=wait, **settings)


def write_token(store: Store, text: str) -> None:
    """Write what another process would write."""
    content = json.dumps(dataclasses.asdict(issue_token(text))).encode()
    store.write(NAME, EntryCipher("secret").encrypt(content, NAME), keep_seconds=HOUR)


def unpack(cached: Cached) -> tuple[str, str]:
    """Return the token's text and where it came from."""
    return cached.token.access_token, cached.source


__all__ = (
    "HOUR",
    "KEY",
    "NAME",
    "Requested",
    "Service",
    "issue_token",
    "open_cache",
    "refuse_request",
    "unpack",
    "write_token",
)
