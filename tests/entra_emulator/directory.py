# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tenants, apps and refresh tokens: the state behind login, Graph and ARM, safe to use from many threads."""

from __future__ import annotations

import dataclasses
import secrets
import threading
import typing as t
from collections import deque

from . import resources
from .fields import InputError, only, take, take_number, take_strings
from .model import App, RefreshToken, Tenant

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .resources import Resource
    from .settings import Clock

REFRESH_TOKEN_SECONDS: t.Final = 90 * 86400  # Learn "Refresh tokens": 90 days without use
_REMEMBERED: t.Final = 10_000  # refresh tokens minted
DEFAULT_SCOPES: t.Final = (
    "openid",
    "profile",
    "offline_access",
    "https://graph.microsoft.com/User.Read",
    "https://graph.microsoft.com/User.Read.All",
    "https://management.azure.com/user_impersonation",
)


class Directory:
    """All mutable data; every method takes the lock, and what it returns is a value or only changed through here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._tenants: dict[str, Tenant] = {}
        self._apps: dict[tuple[str, str], App] = {}
        self._refresh_tokens: dict[str, RefreshToken] = {}
        self._minted: deque[str] = deque(maxlen=_REMEMBERED)

    def restart(self, tenants: Iterable[Tenant], apps: Iterable[App]) -> None:
        """Hold these and nothing else."""
        with self._lock:
            self._refresh_tokens.clear()
            self._minted.clear()
            self._tenants = {tenant.id: tenant for tenant in tenants}
            self._apps = {(app.tenant_id, app.client_id): app for app in apps}

    def add_tenant(self, tenant: Tenant) -> None:
        """Add or replace a tenant."""
        with self._lock:
            self._tenants[tenant.id] = tenant

    def tenants(self) -> list[Tenant]:
        """All tenants, oldest first."""
        with self._lock:
            return list(self._tenants.values())

    def find_tenant(self, id_or_domain: str) -> Tenant | None:
        """The tenant of that GUID or domain, in any letter case."""
        wanted = id_or_domain.lower()
        return next((tenant for tenant in self.tenants() if wanted in (tenant.id.lower(), tenant.domain.lower())), None)

    def add_app(self, app: App) -> None:
        """Add or replace an app."""
        with self._lock:
            self._apps[app.tenant_id, app.client_id.lower()] = app

    def apps(self, tenant_id: str) -> list[App]:
        """The apps of one tenant, oldest first; managed identities have none."""
        with self._lock:
            return [app for app in self._apps.values() if app.tenant_id == tenant_id and not app.resource_id]

    def find_app(self, tenant_id: str, client_id: str) -> App | None:
        """The app of that id in that tenant."""
        with self._lock:
            return self._apps.get((tenant_id, client_id.lower()))

    def identities(self) -> list[App]:
        """The managed identities of this machine, oldest first."""
        with self._lock:
            return [app for app in self._apps.values() if app.resource_id]

    def forget_identities(self) -> None:
        """Leave this machine without a managed identity."""
        with self._lock:
            self._apps = {key: app for key, app in self._apps.items() if not app.resource_id}

    def find_resource(self, tenant_id: str, identifier: str) -> Resource | None:
        """The API a scope names: one of Microsoft's, or an app of the tenant."""
        own = (app.as_resource() for app in self.apps(tenant_id))
        return resources.find(identifier) or next((api for api in own if identifier in api.audiences()), None)

    def mint_refresh_token(self, like: RefreshToken, seconds: float = REFRESH_TOKEN_SECONDS) -> RefreshToken:
        """A new refresh token with ``like``'s user, client and scopes."""
        value = f"1.{secrets.token_urlsafe(150)}"
        minted = dataclasses.replace(like, value=value, expires_on=self._clock.now() + seconds)
        with self._lock:
            self._refresh_tokens[value] = minted
            self._minted.append(value)
        return minted

    def minted_refresh_tokens(self) -> list[str]:
        """The newest refresh tokens, redeemed ones among them."""
        with self._lock:
            return list(self._minted)

    def find_refresh_token(self, value: str) -> RefreshToken | None:
        """The record behind a refresh token's value."""
        with self._lock:
            return self._refresh_tokens.get(value)

    def use_up(self, record: RefreshToken) -> bool:
        """Take ``record`` out of circulation; False if another request was first."""
        with self._lock:
            return self._refresh_tokens.pop(record.value, None) is not None

    def refresh_token_from_json(self, data: Mapping[str, object]) -> RefreshToken:
        """Mint what ``POST /refresh_tokens`` describes; :class:`InputError` if it names an unknown app or tenant."""
        only(data, ("tenant_id", "client_id", "user", "scopes", "expires_in", "refused_with"))
        client_id = take(data, "client_id", str, "")
        tenant = self.find_tenant(take(data, "tenant_id", str, self.tenants()[0].id))
        if tenant is None or self.find_app(tenant.id, client_id) is None:
            raise InputError("tenant_id and client_id must name an app of this emulator")
        seconds = take_number(data, "expires_in")
        like = RefreshToken(
            value="",
            tenant_id=tenant.id,
            client_id=client_id,
            user=take(data, "user", int, 1),
            scopes=take_strings(data, "scopes") or DEFAULT_SCOPES,
            expires_on=0,
            refused_with=take(data, "refused_with", int, 0) or None,
        )
        return self.mint_refresh_token(like, REFRESH_TOKEN_SECONDS if seconds is None else seconds)
