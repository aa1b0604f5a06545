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

from ansible_collections.entra.auth.plugins.module_utils._clouds import CLOUDS
from ansible_collections.entra.auth.plugins.module_utils._credentials._device_code import DeviceCode
from ansible_collections.entra.auth.plugins.module_utils._credentials._managed_identity import ManagedIdentity
from ansible_collections.entra.auth.plugins.module_utils._credentials._refresh_token import RefreshToken
from ansible_collections.entra.auth.plugins.module_utils._credentials._registry import (
    CREDENTIALS,
    choose_kind,
    create_credential,
)
from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError, TokenRequestRefused
from ansible_collections.entra.auth.plugins.module_utils._options import CACHES_OF_A_RUN
from ansible_collections.entra.auth.plugins.module_utils._scopes import resolve_scope
from ansible_collections.entra.auth.plugins.plugin_utils._app_token import AppToken
from ansible_collections.entra.auth.plugins.plugin_utils._cache import Subject, TokenCache
from ansible_collections.entra.auth.plugins.plugin_utils._refresh_tokens import RefreshTokenFile, keeper_for
from ansible_collections.entra.auth.plugins.plugin_utils._seal import Seal
from ansible_collections.entra.auth.plugins.plugin_utils._stores import open_stores, secret_of_run
from ansible_collections.entra.auth.plugins.plugin_utils._targets import this_machine
from ansible_collections.entra.auth.plugins.plugin_utils._validation import (
    claims_request,
    refuse_missing,
    refuse_unusable,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._credentials._registry import Credential, TokenRequest
    from ansible_collections.entra.auth.plugins.module_utils._options import AppTokenOptions
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._refresh_tokens import RefreshTokenKeeper
    from ansible_collections.entra.auth.plugins.plugin_utils._targets import Target


# As long as a device code lives (Learn, "device authorization response": expires_in).
_SIGN_IN_SECONDS = 900
# With these a refresh token has had its time (Learn, "Error codes for token endpoint errors").
_SIGN_IN_AGAIN = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required"})
# What a holder of the cache's lock may take longer than it said, before the others go on without it.
_GRACE_SECONDS = 2
_SETTINGS_FOR_TARGET = (
    "tenant_id",
    "client_id",
    "cloud",
    "authority",
    "timeout",
    "retry_for",
    "proxy",
    "ca_path",
    "validate_certs",
)


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


def app_token(options: AppTokenOptions, messages: Messages, target: Target) -> AppToken:
    """The token that the options ask for. Raises EntraAuthError."""
    kind, why = choose_kind(options)
    by = f"credential by {why}" if kind else "no credential"
    try:
        refuse_missing(options, kind)
        refuse_unusable(options)
        provided = _provided(options, str(kind), messages, target)
    except EntraAuthError:
        messages.v(_told(by, _origins(options)))
        raise
    if messages.verbosity:
        asked = _asked(options, kind)
        messages.v(_told(f"token from {provided.source}, valid until {provided.token.expires_at}", asked))
        show = messages.v if provided.source == "network" else messages.vv
        show(_told(by, f"roles {_roles(provided)}", _origins(options)))
    return provided


def _provided(options: AppTokenOptions, kind: str, messages: Messages, target: Target) -> AppToken:
    try:
        provided = TokenProvider(options, kind, messages, target).provide()
        _refuse_missing_roles(provided)
    except EntraAuthError as exc:
        exc.asked = _asked(options, kind)
        raise
    return provided


def _told(*parts: str) -> str:
    return f"entra.auth: {'; '.join(filter(None, parts))}"


def _asked(options: AppTokenOptions, kind: str | None) -> str:
    return asked_with(options, str(kind), " ".join(options.scope))


def asked_with(options: AppTokenOptions, kind: str, scope: str) -> str:
    """What a token is asked for with, in words."""
    place = ("authority", options.authority) if options.authority else ("cloud", options.cloud)
    parts = [
        ("credential", kind),
        place,
        ("tenant", options.tenant_id),
        ("client", options.client_id),
        ("scope", scope),
    ]
    text = ", ".join(f"{name} {value}" for name, value in parts if value)
    # A control character would speak to the reader's terminal.
    return "".join(character if character.isprintable() else "?" for character in text)


def _roles(provided: AppToken) -> str:
    return ", ".join(provided.token.roles()) or "none to be seen in the token"


def _origins(options: AppTokenOptions) -> str:
    return ", ".join(f"{name} from {origin}" for name, origin in options.origins.items())


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
        self._request = self._credential.request(self._scope.value, claims_request(options.claims_challenge))
        cache = self._usable_cache()
        self._is_shared = cache not in CACHES_OF_A_RUN
        self._stores = open_stores(cache, answer_within=self._answer_within(), warn=messages.warning)

    def provide(self) -> AppToken:
        """The token, from the cache where there is a good one."""
        if self._kind != RefreshToken.kind:
            return self._provide(self._sealing_secret(), self._sign_in if self._signs_in() else self._ask)
        keeper = keeper_for(self._options, self._stores.tokens, wait_seconds=self._wait_seconds)
        provided = self._provide(keeper.sign_in().sealing_secret, functools.partial(self._redeem, keeper))
        newest = dataclasses.replace(provided.token, refresh_token=keeper.sign_in().refresh_token)
        return dataclasses.replace(provided, token=newest)

    def _provide(self, sealing_secret: str, ask: t.Callable[[], Token]) -> AppToken:
        cache = TokenCache(
            self._stores,
            Seal(sealing_secret),
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
            scope=self._scope.value,
            api_url=self._options.api_base_url or self._scope.api_url,
            source=cached.source,
            files=cached.files,
        )

    def _subject(self, request: TokenRequest) -> Subject:
        parts = [self._kind, request.identity()]
        # Each machine has a managed identity of its own, and a device code is entered by whoever sits at one. With any
        # other credential all are the same client.
        if self._kind == ManagedIdentity.kind:
            parts.append(self._target.name if self._target else f"controller {this_machine()}")
        if self._kind == DeviceCode.kind:
            file = self._options.refresh_token_file
            parts += [this_machine(), str(os.getuid()), os.path.abspath(file) if file else ""]
        label = {
            "credential": self._kind,
            "token_url": request.token_url,
            "client_id": request.client_id,
            "scope": request.scope,
        }
        return Subject("\n".join(parts), label if self._is_shared else {}, self._failing())

    def _failing(self) -> str:
        # What a failure may come from besides the request itself.
        options = self._options
        network = (options.timeout, options.retry_for, options.proxy, options.ca_path, options.validate_certs)
        return "\n".join(map(str, (*network, self._target and self._target.name, self._credential.evidence())))

    def _usable_cache(self) -> str:
        cache = self._options.cache
        if cache in CACHES_OF_A_RUN or self._kind == RefreshToken.kind:
            return cache
        if self._kind == ManagedIdentity.kind and self._target:
            # Another inventory may have another machine by that name.
            reason = "What a host's managed identity was given is told apart by the host's name in this inventory."
        elif self._credential.sealing_secret() or self._options.cache_key:
            return cache
        else:
            reason = (
                f"A {self._kind} credential has no secret that could seal a shared one. To fix it: set cache_key to a "
                "long random secret, the same for all who share the cache."
            )
        self._messages.warning(f"The cache for this run alone is used. {reason}")
        return "run"

    def _sealing_secret(self) -> str:
        own = self._credential.sealing_secret() or self._options.cache_key
        return own or secret_of_run(self._stores.run, self._wait_seconds)

    def _answer_within(self) -> float:
        return self._options.timeout + _GRACE_SECONDS

    def _on_pause(self, seconds: float) -> None:
        self._stores.tokens.promise(seconds + self._answer_within())

    def _signs_in(self) -> bool:
        return self._kind == DeviceCode.kind and bool(self._options.refresh_token_file)

    def _ask(self, credential: Credential | None = None) -> Token:
        from ansible_collections.entra.auth.plugins.module_utils._http import NetworkSettings

        credential = credential or self._credential
        network = NetworkSettings.of(self._options, self._on_pause)
        if self._target is None:
            return credential.request_token(self._request, network)
        settings = {name: getattr(self._options, name) for name in _SETTINGS_FOR_TARGET}
        asked = {"scope": [self._request.scope], "claims_challenge": self._request.claims}
        # Whatever happens there gives no sign until it is over.
        self._stores.tokens.promise(self._wait_seconds)
        return self._target.request_token(
            {**settings, **asked, **credential.options_for_target(self._request, network)}
        )

    def _redeem(self, keeper: RefreshTokenKeeper) -> Token:
        with keeper.redeeming() as sign_in:
            options = dataclasses.replace(self._options, refresh_token=sign_in.refresh_token)
            token = self._ask(create_credential(RefreshToken.kind, options))
            # Without a successor the one that was redeemed goes on to be the newest.
            newest = token.refresh_token or sign_in.refresh_token
            keeper.succeed(sign_in, newest)
            return dataclasses.replace(token, refresh_token=newest)

    def _sign_in(self) -> Token:
        """By the refresh token of an earlier sign-in; by a new one where there is none or it has had its time."""
        options = self._options
        keeper = RefreshTokenFile(
            str(options.refresh_token_file), options.refresh_token, wait_seconds=self._wait_seconds
        )
        if keeper.has_any():
            try:
                return self._redeem(keeper)
            except TokenRequestRefused as exc:
                refusal = exc
            if refusal.answer.error not in _SIGN_IN_AGAIN:
                raise refusal
        with keeper.beginning() as keep:
            token = self._ask()
            if token.refresh_token:
                keep(token.refresh_token)
            return token
