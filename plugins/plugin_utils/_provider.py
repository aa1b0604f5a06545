# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of a token: options → cache → credential → token endpoint → token. Every face comes in by ``app_token``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._authority import token_url
from ansible_collections.entra.auth.plugins.module_utils._clouds import CLOUDS
from ansible_collections.entra.auth.plugins.module_utils._credentials import (
    CREDENTIALS,
    TokenRequest,
    choose_kind,
    create_credential,
)
from ansible_collections.entra.auth.plugins.module_utils._credentials._refresh_token import RefreshToken
from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.module_utils._scopes import resolve_scope
from ansible_collections.entra.auth.plugins.plugin_utils._app_token import AppToken
from ansible_collections.entra.auth.plugins.plugin_utils._cache import TokenCache
from ansible_collections.entra.auth.plugins.plugin_utils._refresh_tokens import keeper_for
from ansible_collections.entra.auth.plugins.plugin_utils._seal import Seal
from ansible_collections.entra.auth.plugins.plugin_utils._stores import open_store
from ansible_collections.entra.auth.plugins.plugin_utils._validation import (
    claims_request,
    refuse_missing,
    refuse_unusable,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._options import AppTokenOptions
    from ansible_collections.entra.auth.plugins.module_utils._scopes import Scope
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._refresh_tokens import RefreshTokenKeeper


class Messages(t.Protocol):
    """Where words for the user go; Ansible's Display is one."""

    def warning(self, msg: str) -> None:
        """Shown always."""

    def v(self, msg: str) -> None:
        """Shown with -v."""

    def vv(self, msg: str) -> None:
        """Shown with -vv."""


def app_token(options: AppTokenOptions, messages: Messages) -> AppToken:
    """The token that the options ask for. Raises EntraAuthError."""
    kind, why = choose_kind(options)
    refuse_missing(options, kind)
    refuse_unusable(options)
    asked = f"credential {kind}, {_asked(options)}"
    try:
        provided = TokenProvider(options, str(kind), messages).provide()
        _refuse_missing_roles(provided)
    except EntraAuthError as exc:
        failure = exc
    else:
        messages.v(f"entra.auth: token from {provided.source}, valid until {provided.token.expires_at}; {asked}")
        show = messages.v if provided.source == "network" else messages.vv
        show(f"entra.auth: credential by {why}; roles {_roles(provided)}; {_origins(options)}")
        return provided
    failure.asked = asked
    raise failure


def _asked(options: AppTokenOptions) -> str:
    place = f"authority {options.authority}" if options.authority else f"cloud {options.cloud}"
    return f"{place}, tenant {options.tenant_id}, client {options.client_id}, scope {' '.join(options.scope)}"


def _roles(provided: AppToken) -> str:
    return ", ".join(provided.token.roles()) or "not to be read in the token"


def _origins(options: AppTokenOptions) -> str:
    return ", ".join(f"{name} from {origin}" for name, origin in options.origins.items())


def _refuse_missing_roles(provided: AppToken) -> None:
    missing = sorted(set(provided.options.required_roles) - set(provided.token.roles()))
    if missing:
        raise InputError(
            f"The token for {provided.scope} lacks the app roles {', '.join(missing)}.",
            hint="Grant them to the app as application permissions with admin consent; then ask once with "
            "force_refresh, because a token keeps the roles it was issued with.",
        )


class TokenProvider:
    """Provides the token for one set of options, which are complete."""

    def __init__(self, options: AppTokenOptions, kind: str, messages: Messages) -> None:
        self._options = options
        self._kind = kind
        self._messages = messages
        self._wait_seconds = options.timeout + options.retry_for

    def provide(self) -> AppToken:
        """The token, from the cache where there is a good one."""
        store = open_store(self._options.cache)
        if self._kind == RefreshToken.kind:
            keeper = keeper_for(self._options, store, wait_seconds=self._wait_seconds)
            sealing_secret = keeper.sign_in().sealing_secret
            ask = functools.partial(self._redeem, keeper)
        else:
            sealing_secret = create_credential(self._kind, self._options).sealing_secret()
            ask = functools.partial(self._ask, self._options)
        cache = TokenCache(
            store,
            Seal(sealing_secret),
            min_validity=self._options.min_validity,
            wait_seconds=self._wait_seconds,
            warn=self._messages.warning,
        )
        cached = cache.get(self._request.identity(), ask, force=self._options.force_refresh)
        return AppToken(
            token=cached.token,
            options=self._options,
            credential=self._kind,
            scope=self._scope.value,
            api_url=self._options.api_base_url or self._scope.api_url,
            source=cached.source,
        )

    def _ask(self, options: AppTokenOptions) -> Token:
        return create_credential(self._kind, options).request_token(self._request, self._network)

    def _redeem(self, keeper: RefreshTokenKeeper) -> Token:
        with keeper.redeeming() as sign_in:
            token = self._ask(dataclasses.replace(self._options, refresh_token=sign_in.refresh_token))
            if token.refresh_token:
                keeper.succeed(sign_in, token.refresh_token)
            else:
                # Without a successor the one that was redeemed goes on to be the newest.
                token = dataclasses.replace(token, refresh_token=sign_in.refresh_token)
            return token

    @functools.cached_property
    def _scope(self) -> Scope:
        cloud = CLOUDS[self._options.cloud]
        return resolve_scope(self._options.scope, cloud, delegated=CREDENTIALS[self._kind].delegated)

    @functools.cached_property
    def _request(self) -> TokenRequest:
        options = self._options
        authority = options.authority or CLOUDS[options.cloud].login_url
        return TokenRequest(
            token_url=token_url(authority, str(options.tenant_id)),
            client_id=str(options.client_id),
            scope=self._scope.value,
            claims=claims_request(options.claims_challenge),
        )

    @property
    def _network(self) -> NetworkSettings:
        from ansible_collections.entra.auth.plugins.module_utils._http import NetworkSettings

        options = self._options
        return NetworkSettings(
            timeout=options.timeout,
            retry_for=options.retry_for,
            proxy=options.proxy,
            ca_path=options.ca_path,
            validate_certs=options.validate_certs,
        )
