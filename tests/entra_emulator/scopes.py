# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ``scope`` asks for: Learn "Scopes and permissions in the Microsoft identity platform"."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .errors import EntraError
from .resources import GRAPH

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from .asked import TokenRequest
    from .model import Tenant
    from .resources import Resource
    from .world import World

SUFFIX: t.Final = "/.default"
OIDC: t.Final = frozenset({"openid", "profile", "email", "offline_access"})
_CONSENTED: t.Final = {"graph": ("User.Read", "User.Read.All")}


@dataclass(frozen=True)
class Target:
    """The API a token is for; ``audience`` is its identifier exactly as the client spelled it."""

    resource: Resource
    audience: str
    scopes: tuple[str, ...] = ()  # short names, of a user's token


def for_app(world: World, asked: TokenRequest, tenant: Tenant) -> Target:
    """The target of a client credentials request: one ``<resource>/.default``, the rest taken literally."""
    if asked.legacy:
        return _known(world, tenant, asked.form.require("resource"))
    scope = asked.form.require("scope")
    named = scope.split()
    if not named or not all(one.endswith(SUFFIX) and one != SUFFIX for one in named):
        raise EntraError(1002012, scope=scope)
    audiences = {one.removesuffix(SUFFIX) for one in named}
    if len(audiences) > 1:
        raise EntraError(700022, scope=scope)
    _refuse_resource(asked)
    return _known(world, tenant, audiences.pop())


def for_user(world: World, asked: TokenRequest, tenant: Tenant, client_id: str, consented: tuple[str, ...]) -> Target:
    """The target of a refresh token: what was asked, or all that was consented; the first resource named wins."""
    _refuse_resource(asked)
    wanted = _wanted(asked) or [scope for scope in consented if scope not in OIDC]
    audience = _split(wanted[0])[0] if wanted else GRAPH.uris[0]
    target = _known(world, tenant, audience)
    names = [name for where, name in map(_split, wanted) if where == audience]
    allowed = _allowed(world, tenant, target.resource, consented)
    if ".default" in names and len(names) > 1:
        raise EntraError(70011, scope=" ".join(wanted))
    if not allowed or not set(names) - {".default"} <= set(allowed):
        raise EntraError(65001, client_id=client_id, extra={"suberror": "consent_required"})
    return Target(target.resource, audience, tuple(allowed if ".default" in names else names))


def consent(world: World, tenant_id: str, scope: str) -> tuple[str, ...]:
    """What a user who agrees to ``scope`` has consented to: of ``.default`` the permissions of the seed's users."""
    granted: list[str] = []
    for one in scope.split():
        audience, name = _split(one)
        resource = None if one in OIDC else world.directory.find_resource(tenant_id, audience)
        if one not in OIDC and resource is None:
            raise EntraError(500011, resource=audience, tenant=tenant_id)
        known = _CONSENTED.get(resource.name if resource else "", ("user_impersonation",))
        granted += [f"{audience}/{short}" for short in known] if name == ".default" else [one]
    return tuple(dict.fromkeys(granted))


def _wanted(asked: TokenRequest) -> list[str]:
    if asked.legacy:
        resource = asked.form.get("resource")
        return [resource + SUFFIX] if resource else []
    return [scope for scope in (asked.form.get("scope") or "").split() if scope not in OIDC]


def _refuse_resource(asked: TokenRequest) -> None:
    if asked.form.get("resource") and not asked.legacy:
        raise EntraError(901002)


def _known(world: World, tenant: Tenant, audience: str) -> Target:
    resource = world.directory.find_resource(tenant.id, audience)
    if resource is None:
        raise EntraError(500011, resource=audience, tenant=tenant.name)
    return Target(resource, audience)


def _split(scope: str) -> tuple[str, str]:
    """Audience and permission of a delegated scope; one without a resource means Microsoft Graph."""
    audience, slash, name = scope.rpartition("/")
    return (audience, name) if slash else (GRAPH.uris[0], name)


def _allowed(world: World, tenant: Tenant, resource: Resource, consented: Iterable[str]) -> list[str]:
    """The permissions consented to for ``resource``, however its audience was spelled."""
    pairs = [_split(scope) for scope in consented if scope not in OIDC]
    return [name for audience, name in pairs if world.directory.find_resource(tenant.id, audience) == resource]
