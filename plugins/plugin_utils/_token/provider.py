# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get the token for options, from the cache or by a request. All entry points call ``get_app_token``.

A worker process of Ansible compiles every file that a call needs, so this file imports only what a cached token needs.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    InputError,
    MissingLibraryError,
)
from ansible_collections.entra.auth.plugins.module_utils._secrets import register_secrets
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import get_entry_secret, open_stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import CacheKey, TokenCache
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import choose_kind, create_credential
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS
from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import resolve_scope
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import CACHES_OF_A_RUN
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken, CacheEntry
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import refuse_secret_on_target
from ansible_collections.entra.auth.plugins.plugin_utils._token.validation import (
    parse_claims_challenge,
    refuse_missing,
    refuse_unusable,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.managed_identity import ManagedIdentity
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import Credential, TokenRequest
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._token.target import Target

_REFRESH_TOKEN, _DEVICE_CODE, _MANAGED_IDENTITY = "refresh_token", "device_code", "managed_identity"


class Messages(t.Protocol):
    """Shows texts to the user; Ansible's Display is one."""

    verbosity: int

    def display(self, msg: str, *, stderr: bool) -> None:
        """Show a text always, as it is."""

    def warning(self, msg: str) -> None:
        """Show a text always, as a warning."""

    def v(self, msg: str) -> None:
        """Show a text with -v."""

    def vv(self, msg: str) -> None:
        """Show a text with -vv."""


def get_app_token(options: AppTokenOptions, messages: Messages, target: Target) -> AppToken:
    """Get the token for options.

    Args:
        options: All options of the call.
        messages: Shows texts to the user.
        target: The task's host, for ``run_on: target``.

    Raises:
        EntraAuthError: There is no token. ``request_summary`` is set if one was requested.
    """
    kind = choose_kind(options)
    try:
        app_token = _get_checked(options, kind, messages, target)
    except EntraAuthError:
        from ansible_collections.entra.auth.plugins.plugin_utils._token.descriptions import log_failure

        log_failure(messages, options, kind)
        raise
    register_secrets(app_token.token.access_token, app_token.token.refresh_token)
    if messages.verbosity:
        from ansible_collections.entra.auth.plugins.plugin_utils._token.descriptions import log_token

        log_token(messages, app_token)
    return app_token


def _get_checked(options: AppTokenOptions, kind: str | None, messages: Messages, target: Target) -> AppToken:
    refuse_secret_on_target(options, str(kind))
    refuse_missing(options, kind, messages.v)
    refuse_unusable(options)
    provider = TokenProvider(options, str(kind), messages, target)
    try:
        app_token = provider.get_token()
    except (InputError, MissingLibraryError):
        raise
    except EntraAuthError as exc:
        from ansible_collections.entra.auth.plugins.plugin_utils._token.descriptions import describe_request

        exc.request_summary = describe_request(options, str(kind), provider.scope)
        raise
    if options.required_roles:
        _refuse_missing_roles(app_token)
    return app_token


def _refuse_missing_roles(app_token: AppToken) -> None:
    missing = sorted(set(app_token.options.required_roles).difference(app_token.token.list_roles()))
    if not missing:
        return
    from ansible_collections.entra.auth.plugins.plugin_utils._token.descriptions import build_missing_roles_error

    raise build_missing_roles_error(app_token, missing)


class TokenProvider:
    """Gets the token for one set of options, which are complete.

    Args:
        options: The options of the call.
        kind: The kind of credential.
        messages: Shows texts to the user.
        target: The task's host, for ``run_on: target``.

    Raises:
        InputError: The scope, the authority or the claims challenge is not valid.
    """

    def __init__(self, options: AppTokenOptions, kind: str, messages: Messages, target: Target) -> None:
        self._called_on = time.monotonic()
        self._options = options
        self._kind = kind
        self._messages = messages
        self._target = target if options.run_on == "target" else None
        # On stderr, because stdout is buffered if it is a pipe or a file.
        self._credential = create_credential(kind, options, functools.partial(messages.display, stderr=True))
        self._wait_seconds = options.timeout + (self._credential.sign_in_seconds or options.retry_for)
        self._scope = resolve_scope(options.scope, CLOUDS[options.cloud], delegated=self._credential.delegated)
        claims = parse_claims_challenge(options.claims_challenge)
        self._request = self._credential.build_request(self._scope.value, claims)
        cache = self._choose_cache()
        self._is_shared = cache not in CACHES_OF_A_RUN
        self._stores = open_stores(cache, warn=messages.warning)

    @property
    def scope(self) -> str:
        """The scope as it is sent."""
        return self._scope.value

    def get_token(self) -> AppToken:
        """Get the token, from the cache if it has a valid one. Raises EntraAuthError."""
        if self._kind in (_REFRESH_TOKEN, _DEVICE_CODE) and self._options.refresh_token_file:
            return self._get_of_stored_sign_in()
        if self._kind == _REFRESH_TOKEN:
            return self._get_cached(self._get_entry_secret(), self._redeem_given)
        return self._get_cached(self._get_entry_secret(), self._send_request)

    def _get_of_stored_sign_in(self) -> AppToken:
        from ansible_collections.entra.auth.plugins.plugin_utils._token.sign_in import StoredSignIn

        sign_in = StoredSignIn(self._options, self._send_request, wait_seconds=self._wait_seconds)
        if self._kind == _DEVICE_CODE:
            request = functools.partial(sign_in.redeem_or_sign_in, self._credential)
            app_token = self._get_cached(self._get_entry_secret(), request)
            newest = sign_in.find_successor(app_token.token.refresh_token)
        else:
            app_token = self._get_cached(sign_in.get_entry_secret(), sign_in.redeem)
            newest = sign_in.get_newest()
        # The refresh token of a cached token may have been redeemed since, for another API.
        return dataclasses.replace(app_token, token=dataclasses.replace(app_token.token, refresh_token=newest))

    def _redeem_given(self) -> Token:
        token = self._send_request()
        # Without a successor, the refresh token that was redeemed is still the newest.
        return dataclasses.replace(token, refresh_token=token.refresh_token or self._options.refresh_token)

    def _send_request(self, credential: Credential | None = None) -> Token:
        network = self._options.get_network_settings().deduct(time.monotonic() - self._called_on)
        if self._target is None:
            return (credential or self._credential).request_token(self._request, network)
        from ansible_collections.entra.auth.plugins.plugin_utils._credentials.managed_identity import get_resource

        identity = t.cast("ManagedIdentity", self._credential)
        return self._target.request_token(get_resource(self._request), identity.get_selector(), network)

    def _get_cached(self, entry_secret: str, request: t.Callable[[], Token]) -> AppToken:
        cache = TokenCache(
            self._stores,
            EntryCipher(entry_secret),
            min_validity=self._options.min_validity,
            wait_seconds=self._wait_seconds,
            warn=self._messages.warning,
        )
        # A token that satisfies a claims challenge replaces the one that did not.
        unchallenged = self._credential.build_request(self._scope.value, None)
        replaces = self._build_key(unchallenged) if unchallenged != self._request else None
        key = self._build_key(self._request)
        cached = cache.get(key, request, force=self._options.force_refresh, replaces=replaces)
        return AppToken(
            token=cached.token,
            options=self._options,
            credential=self._kind,
            identity=self._credential.get_identity(cached.token),
            scope=self._scope.value,
            api_url=self._options.api_base_url or self._scope.api_url,
            source=cached.source,
            entry=self._locate_entry(entry_secret, cache.cipher.derive_name(key.key)),
        )

    def _locate_entry(self, entry_secret: str, name: str) -> CacheEntry | None:
        directory = getattr(self._stores.tokens, "directory", None)
        if directory is None or self._target:
            return None
        return CacheEntry(os.path.join(directory.path, name), entry_secret)

    def _build_key(self, request: TokenRequest) -> CacheKey:
        parts = [self._kind, request.build_key(), self._credential.get_proof_fingerprint(), *self._list_owners()]
        metadata = {
            "credential": self._kind,
            "token_url": request.token_url,
            "client_id": request.client_id,
            "scope": request.scope,
        }
        return CacheKey("\n".join(parts), metadata if self._is_shared else {}, self._build_failure_fingerprint())

    def _list_owners(self) -> t.Iterator[str]:
        """Yield what distinguishes the owner of the token: a machine has its own managed identity, a person signs in.

        With any other credential, all callers are the same client.
        """
        if not self._options.validate_certs:
            # Anyone on the way may have issued such a token, so no call that verifies gets it.
            yield "not verified"
        if self._target:
            yield f"host {self._target.name}"
        elif self._kind in (_MANAGED_IDENTITY, _DEVICE_CODE):
            yield f"controller {identify_machine()}"
        if self._kind == _DEVICE_CODE:
            file = self._options.refresh_token_file
            yield str(os.getuid())
            yield os.path.abspath(file) if file else ""

    def _build_failure_fingerprint(self) -> str:
        """Return everything else that a failure may depend on."""
        options = self._options
        network = (options.timeout, options.retry_for, options.proxy, options.ca_path, options.validate_certs)
        return "\n".join(map(str, (*network, self._target and self._target.name)))

    def _choose_cache(self) -> str:
        cache = self._options.cache
        if cache in CACHES_OF_A_RUN or self._kind == _REFRESH_TOKEN:
            return cache
        if not self._credential.outlives_run:
            reason = f"The tokens of {self._kind} are those of a sign-in that may change between two runs."
        elif self._target:
            # Another inventory may have another machine of that name.
            reason = "The token of a host's managed identity is told apart by the host's name in this inventory."
        elif self._credential.get_entry_secret() or self._options.cache_key:
            return cache
        else:
            reason = (
                f"A {self._kind} credential has no secret that could encrypt a shared one. To fix it: Set cache_key to "
                "a long random secret, the same for all who share the cache."
            )
        self._messages.warning(f"The cache for this run alone is used. {reason}")
        return "run"

    def _get_entry_secret(self) -> str:
        own = self._credential.get_entry_secret() or self._options.cache_key
        return own or get_entry_secret(self._stores.run, warn=self._messages.warning)


def identify_machine() -> str:
    """Return a text that distinguishes the control node from other machines that share the cache."""
    # Both, because machines may have the same name, and the image of a container may have no id or share one.
    with contextlib.suppress(OSError), open("/etc/machine-id", encoding="ascii") as file:
        return f"{os.uname().nodename} {file.read().strip()}"
    return os.uname().nodename


__all__ = ("Messages", "TokenProvider", "get_app_token", "identify_machine")
