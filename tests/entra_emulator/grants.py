# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The grants of the token endpoint; a later one is one more function in ``GRANTS``.

Learn "OAuth 2.0 client credentials flow" and "OAuth 2.0 authorization code flow: Refresh the access token".
"""

from __future__ import annotations

import dataclasses
import typing as t

from . import scopes, users
from .client_auth import NO_PROOF
from .errors import EntraError
from .resources import TOKEN_EXCHANGE

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from .asked import TokenRequest
    from .client_auth import Caller
    from .model import App, RefreshToken
    from .scopes import Target
    from .tokens import Claims
    from .world import World


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a grant allows: the access token's claims, and the members only user flows have."""

    target: Target
    claims: Claims
    extra: dict[str, object] = dataclasses.field(default_factory=dict)


def client_credentials(world: World, asked: TokenRequest, caller: Caller) -> Outcome:
    """A token for the app itself with every app role it was granted; no refresh token ever."""
    if caller.proof == NO_PROOF:
        raise EntraError(7000218)
    target = scopes.for_app(world, asked, caller.tenant)
    _check_policy(world, caller, target, caller.app.roles.get(target.resource.name, ()))
    return Outcome(target, app_claims(world, caller, target))


def refresh_token(world: World, asked: TokenRequest, caller: Caller) -> Outcome:
    """A user's token, and by the rotation in force a new refresh token (Learn "Refresh tokens")."""
    record = _find_refresh_token(world, asked.form.require("refresh_token"), caller)
    target = scopes.for_user(world, asked, caller.tenant, caller.app.client_id, record.scopes)
    _check_policy(world, caller, target, ("delegated",))
    return _users_tokens(world, asked, caller, target, record, _rotate(world, record))


def device_code(world: World, asked: TokenRequest, caller: Caller) -> Outcome:
    """What the person allowed who signed in on another device, if there was one by now."""
    record = world.device_codes.redeem(world.settings, asked.form.require("device_code"), caller.app)
    target = scopes.for_user(world, asked, caller.tenant, caller.app.client_id, record.scopes)
    _check_policy(world, caller, target, ("delegated",))
    fresh = world.directory.mint_refresh_token(record).value if "offline_access" in record.scopes else None
    return _users_tokens(world, asked, caller, target, record, fresh)


GRANTS: t.Final[dict[str, Callable[[World, TokenRequest, Caller], Outcome]]] = {
    "client_credentials": client_credentials,
    "refresh_token": refresh_token,
    "urn:ietf:params:oauth:grant-type:device_code": device_code,
}


def app_claims(world: World, caller: Caller, target: Target) -> Claims:
    """Claims of a token for the app itself, or for a managed identity."""
    roles = caller.app.roles.get(target.resource.name, ())
    claims = _claims(world, caller, target) | {
        "idtyp": "app",
        "oid": caller.app.object_id,
        "sub": caller.app.object_id,
    }
    if roles:
        claims["roles"] = list(roles)
    if caller.app.resource_id:
        claims["xms_mirid"] = caller.app.resource_id
    return claims


def user_claims(world: World, caller: Caller, target: Target, number: int) -> Claims:
    """Claims of a token for a user who signed in to the app."""
    return _claims(world, caller, target) | {
        "idtyp": "user",
        "oid": users.object_id(caller.tenant, number),
        "sub": f"sub-of-user-{number}",
        "upn": users.principal_name(caller.tenant, number),
        "scp": " ".join(target.scopes),
    }


def _users_tokens(
    world: World, asked: TokenRequest, caller: Caller, target: Target, record: RefreshToken, successor: str | None
) -> Outcome:
    extra: dict[str, object] = {"scope": " ".join(f"{target.audience}/{name}" for name in target.scopes)}
    if successor:
        extra["refresh_token"] = successor
    if "openid" in record.scopes:
        extra["id_token"] = world.issuer.sign(_id_claims(world, asked, caller, record.user))
    return Outcome(target, user_claims(world, caller, target, record.user), extra)


def _claims(world: World, caller: Caller, target: Target) -> Claims:
    """Claims of app and user tokens alike: v1 form, as Graph and ARM get (Learn "Access token claims reference").

    A token to be exchanged for another names the v2 issuer, which is what apps are told to trust.
    """
    return {
        "aud": target.audience,
        "iss": world.issuer_url(caller.tenant.id, "2.0" if target.resource == TOKEN_EXCHANGE else "1.0"),
        "tid": caller.tenant.id,
        "appid": caller.app.client_id,
        "app_displayname": caller.app.name,
        "appidacr": caller.proof,
        "ver": "1.0",
    }


def _id_claims(world: World, asked: TokenRequest, caller: Caller, number: int) -> Claims:
    """The id token (Learn "ID token claims reference")."""
    now = int(world.clock.now())
    return {
        "aud": caller.app.client_id,
        "iss": f"{asked.login_url}/{caller.tenant.id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "oid": users.object_id(caller.tenant, number),
        "preferred_username": users.principal_name(caller.tenant, number),
        "sub": f"sub-of-user-{number}",
        "tid": caller.tenant.id,
        "ver": "2.0",
    }


def _check_policy(world: World, caller: Caller, target: Target, roles: tuple[str, ...]) -> None:
    if caller.app.blocked:
        raise EntraError(53003)
    api: App | None = world.directory.find_app(caller.tenant.id, target.resource.name)
    if api and api.assignment_required and not roles:
        raise EntraError(501051, client_id=caller.app.client_id, resource=api.client_id)


def _find_refresh_token(world: World, value: str, caller: Caller) -> RefreshToken:
    """The live refresh token of that value, if it is the caller's."""
    record = world.directory.find_refresh_token(value)
    if record is None:
        raise EntraError(70000, extra={"suberror": "bad_token"})
    if record.client_id.lower() != caller.app.client_id.lower():
        raise EntraError(7000110, client_ids=f"'{record.client_id}', '{caller.app.client_id}'")
    if record.tenant_id != caller.tenant.id:
        raise EntraError(90072, tenant=caller.tenant.name, client_id=caller.app.client_id)
    if record.refused_with:
        raise EntraError(record.refused_with)
    if record.expires_on <= world.clock.now():
        raise EntraError(70008, extra={"suberror": "token_expired"})
    return record


def _rotate(world: World, record: RefreshToken) -> str | None:
    """The successor's value.  Entra keeps the old one alive; a strict service ends it with its first use."""
    rotation = world.settings.refresh_token_rotation
    if rotation == "strict" and not world.directory.use_up(record):
        raise EntraError(70000, extra={"suberror": "bad_token"})
    if rotation == "none" or "offline_access" not in record.scopes:
        return None
    return world.directory.mint_refresh_token(record).value
