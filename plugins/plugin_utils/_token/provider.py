# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of a token: options → cache → credential → token endpoint → token. Every face comes in by ``app_token``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    InputError,
    TokenRequestRefused,
    printable,
)
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import get_entry_secret, open_stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import CacheKey, TokenCache
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.device_code import DeviceCode
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.managed_identity import (
    ManagedIdentity,
    get_resource,
)
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.refresh_token import RefreshToken
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import (
    CREDENTIALS,
    choose_kind,
    create_credential,
)
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS
from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import resolve_scope
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import CACHES_OF_A_RUN
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import (
    identify_machine,
    refuse_secret_on_target,
)
from ansible_collections.entra.auth.plugins.plugin_utils._token.validation import (
    parse_claims_challenge,
    refuse_missing,
    refuse_unusable,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import Credential, TokenRequest
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._token.refresh_tokens import RefreshTokenStore
    from ansible_collections.entra.auth.plugins.plugin_utils._token.target import Target


# As long as a device code lives (Learn, "device authorization response": expires_in).
_SIGN_IN_SECONDS = 900
_SHOWN_CHARACTERS = 1000
# With these a refresh token has had its time (Learn, "Error codes for token endpoint errors").
_SIGN_IN_AGAIN = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required"})


class Messages(t.Protocol):
    """Where words for the user go; Ansible's Display is one."""

    verbosity: int

    def display(self, msg: str, *, stderr: bool) -> None:
        """Shown always, as it is."""

    def warning(self, msg: str) -> None:
        """Shown always, as a warning."""

    def v(self, msg: str) -> None:
        """Shown with -v."""

    def vv(self, msg: str) -> None:
        """Shown with -vv."""


def get_app_token(options: AppTokenOptions, messages: Messages, target: Target) -> AppToken:
    """The token that the options ask for. Raises EntraAuthError."""
    kind, why = choose_kind(options)
    by = f"credential by {why}" if kind else "no credential"
    try:
        refuse_secret_on_target(options, str(kind))
        refuse_missing(options, kind)
        refuse_unusable(options)
        provided = _get_checked(options, str(kind), messages, target)
    except EntraAuthError:
        messages.v(format_message(by, _describe_origins(options, kind)))
        raise
    if messages.verbosity:
        asked = _describe_options(options, kind)
        messages.v(format_message(f"token from {provided.source}, valid until {provided.token.expires_at}", asked))
        show = messages.v if provided.source == "network" else messages.vv
        show(format_message(by, f"roles {_roles(provided)}", _describe_origins(options, kind)))
    return provided


def _get_checked(options: AppTokenOptions, kind: str, messages: Messages, target: Target) -> AppToken:
    try:
        provided = TokenProvider(options, kind, messages, target).get_token()
        _refuse_missing_roles(provided)
    except EntraAuthError as exc:
        exc.request_summary = _describe_options(options, kind)
        raise
    return provided


def format_message(*parts: str) -> str:
    return f"entra.auth: {'; '.join(filter(None, parts))}"


def _describe_options(options: AppTokenOptions, kind: str | None) -> str:
    return describe_request(options, str(kind), " ".join(options.scope))


def describe_request(options: AppTokenOptions, kind: str, scope: str) -> str:
    """Return what a token is requested with, in words; names only the tenant, client and authority that are used."""
    identity = create_credential(kind, options).get_identity()
    parts = [
        ("credential", kind),
        ("authority", identity.authority) if identity.authority else ("cloud", options.cloud),
        ("tenant", identity.tenant_id),
        ("client", identity.client_id),
        ("scope", scope),
    ]
    text = ", ".join(f"{name} {value}" for name, value in parts if value)
    return printable(text, _SHOWN_CHARACTERS)


def _roles(provided: AppToken) -> str:
    return ", ".join(provided.token.roles()) or "none to be seen in the token"


def _describe_origins(options: AppTokenOptions, kind: str | None) -> str:
    unused = create_credential(kind, options).list_unused() if kind else []
    parts = [
        f"{name} from {origin}{' (not used by this credential)' if name in unused else ''}"
        for name, origin in options.origins.items()
    ]
    return ", ".join(parts)


def _refuse_missing_roles(provided: AppToken) -> None:
    required = set(provided.options.required_roles)
    if required and (missing := sorted(required.difference(provided.token.roles()))):
        raise InputError(
            f"The token for {provided.scope} lacks the app roles {', '.join(missing)}. It has {_roles(provided)}.",
            hint="Grant them to the app as application permissions with admin consent; then ask once with "
            "force_refresh, because a token keeps the roles it was issued with.",
        )


class TokenProvider:
    """Provides the token for one set of options, which are complete."""

    def __init__(self, options: AppTokenOptions, kind: str, messages: Messages, target: Target) -> None:
        self._options = options
        self._kind = kind
        self._messages = messages
        self._target = target if options.run_on == "target" else None
        self._wait_seconds = options.timeout + (_SIGN_IN_SECONDS if kind == DeviceCode.kind else options.retry_for)
        cloud = CLOUDS[options.cloud]
        self._scope = resolve_scope(options.scope, cloud, delegated=CREDENTIALS[kind].delegated)
        # By stderr, because what goes to stdout is held back while that is a pipe or a file.
        tell = functools.partial(messages.display, stderr=True)
        self._credential = create_credential(kind, options, tell)
        claims = parse_claims_challenge(options.claims_challenge)
        self._request = self._credential.build_request(self._scope.value, claims)
        cache = self._usable_cache()
        self._is_shared = cache not in CACHES_OF_A_RUN
        self._stores = open_stores(cache, warn=messages.warning)

    def get_token(self) -> AppToken:
        """The token, from the cache where there is a good one."""
        if self._kind != RefreshToken.kind:
            return self._get_cached(self._sealing_secret(), self._sign_in if self._signs_in() else self._ask)
        if not self._options.refresh_token_file:
            return self._get_cached(self._sealing_secret(), self._redeem_given)
        store = self._open_refresh_token_store()
        provided = self._get_cached(store.sign_in().sealing_secret, functools.partial(self._redeem, store))
        newest = dataclasses.replace(provided.token, refresh_token=store.sign_in().refresh_token)
        return dataclasses.replace(provided, token=newest)

    def _get_cached(self, sealing_secret: str, ask: t.Callable[[], Token]) -> AppToken:
        cache = TokenCache(
            self._stores,
            EntryCipher(sealing_secret),
            min_validity=self._options.min_validity,
            wait_seconds=self._wait_seconds,
            warn=self._messages.warning,
        )
        # A token that satisfies a claims challenge stands in for the one that did not.
        replaces = self._subject(dataclasses.replace(self._request, claims=None)) if self._request.claims else None
        cached = cache.get(self._subject(self._request), ask, force=self._options.force_refresh, replaces=replaces)
        return AppToken(
            token=cached.token,
            options=self._options,
            credential=self._kind,
            identity=self._credential.get_identity(cached.token),
            scope=self._scope.value,
            api_url=self._options.api_base_url or self._scope.api_url,
            source=cached.source,
        )

    def _subject(self, request: TokenRequest) -> CacheKey:
        parts = [self._kind, request.build_key(), self._credential.get_proof_fingerprint()]
        # Each machine has a managed identity of its own, and a device code is entered by whoever sits at one. With any
        # other credential all are the same client.
        if self._kind == ManagedIdentity.kind:
            parts.append(f"host {self._target.name}" if self._target else f"controller {identify_machine()}")
        if self._kind == DeviceCode.kind:
            file = self._options.refresh_token_file
            parts += [identify_machine(), str(os.getuid()), os.path.abspath(file) if file else ""]
        label = {
            "credential": self._kind,
            "token_url": request.token_url,
            "client_id": request.client_id,
            "scope": request.scope,
        }
        return CacheKey("\n".join(parts), label if self._is_shared else {}, self._failing())

    def _failing(self) -> str:
        # What a failure may come from besides the request itself.
        options = self._options
        network = (options.timeout, options.retry_for, options.proxy, options.ca_path, options.validate_certs)
        return "\n".join(map(str, (*network, self._target and self._target.name)))

    def _usable_cache(self) -> str:
        cache = self._options.cache
        if cache in CACHES_OF_A_RUN or self._kind == RefreshToken.kind:
            return cache
        if self._kind == ManagedIdentity.kind and self._target:
            # Another inventory may have another machine by that name.
            reason = "What a host's managed identity was given is told apart by the host's name in this inventory."
        elif self._credential.get_sealing_secret() or self._options.cache_key:
            return cache
        else:
            reason = (
                f"A {self._kind} credential has no secret that could seal a shared one. To fix it: set cache_key to a "
                "long random secret, the same for all who share the cache."
            )
        self._messages.warning(f"The cache for this run alone is used. {reason}")
        return "run"

    def _sealing_secret(self) -> str:
        own = self._credential.get_sealing_secret() or self._options.cache_key
        return own or get_entry_secret(self._stores.run, warn=self._messages.warning)

    def _signs_in(self) -> bool:
        return self._kind == DeviceCode.kind and bool(self._options.refresh_token_file)

    def _ask(self, credential: Credential | None = None) -> Token:
        network = self._options.get_network_settings()
        if self._target:
            identity = t.cast("ManagedIdentity", self._credential)
            return self._target.request_token(get_resource(self._request), identity.get_selector(), network)
        return (credential or self._credential).request_token(self._request, network)

    def _redeem_given(self) -> Token:
        token = self._ask()
        # Without a successor the one that was redeemed is still the newest.
        return dataclasses.replace(token, refresh_token=token.refresh_token or self._options.refresh_token)

    def _redeem(self, store: RefreshTokenStore) -> Token:
        with store.exclusive_redemption() as sign_in:
            options = dataclasses.replace(self._options, refresh_token=sign_in.refresh_token)
            token = self._ask(create_credential(RefreshToken.kind, options))
            newest = token.refresh_token or sign_in.refresh_token
            store.store_rotated(sign_in, newest)
            return dataclasses.replace(token, refresh_token=newest)

    def _open_refresh_token_store(self) -> RefreshTokenStore:
        from ansible_collections.entra.auth.plugins.plugin_utils._token.refresh_tokens import RefreshTokenStore

        options = self._options
        return RefreshTokenStore(
            str(options.refresh_token_file), options.refresh_token, wait_seconds=self._wait_seconds
        )

    def _sign_in(self) -> Token:
        """By the refresh token of an earlier sign-in; by a new one where there is none or it has had its time."""
        store = self._open_refresh_token_store()
        if store.has_any():
            try:
                return self._redeem(store)
            except TokenRequestRefused as exc:
                refusal = exc
            if refusal.response.error not in _SIGN_IN_AGAIN:
                raise refusal
        with store.replace_after_sign_in() as keep:
            token = self._ask()
            if token.refresh_token:
                keep(token.refresh_token)
            return token
