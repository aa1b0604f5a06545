# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users, their groups, and the organization."""

from __future__ import annotations

import typing as t

from flask import Response, g, request

from .. import users
from ..paging import DELTA
from ..text import new_guid
from ..world import world
from .listing import listing, selected, shown
from .service import NO_CONTENT, GraphError, base, entity, eventual, given, graph, needs, not_found, tenant

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .service import Answer, Body

_REQUIRED: t.Final = ("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName")
_WRITE_ONLY: t.Final = ("passwordProfile", "mailNickname")


@graph.get("/users")
@needs("User.Read.All")
def list_users() -> Answer:
    """Users by number, then those created."""
    return listing(_all(), "users", _reader(), default=users.SELECTED_BY_DEFAULT)


@graph.get("/users/delta")
@needs("User.Read.All")
def delta() -> Answer:
    """All users, then what became of them since (Learn "Use delta query to track changes in Microsoft Graph data")."""
    overlay = world().users(tenant().id)
    asked = request.args.get(DELTA)
    now = overlay.now()
    if asked is None:
        body = listing(_all(), "users", _reader(), default=users.SELECTED_BY_DEFAULT)
    elif asked == "latest":
        body = listing([], "users", _state)
    elif asked.isdecimal() and int(asked) <= now:
        body = listing(overlay.touched_since(int(asked)), "users", _state)
    else:
        raise GraphError(410, "syncStateNotFound", "The delta token is too old.", {"Location": request.base_url})
    return body if "@odata.nextLink" in body else {**body, "@odata.deltaLink": f"{request.base_url}?{DELTA}={now}"}


@graph.get("/users/$count")
@needs("User.Read.All")
def count_users() -> Answer:
    """The number of users as text; needs ``ConsistencyLevel: eventual``."""
    if not eventual():
        raise GraphError(400, "Request_BadRequest", "$count is not currently supported.")
    return Response(str(len(_all())), content_type="text/plain")


@graph.post("/users")
@needs("User.ReadWrite.All")
def create_user() -> Answer:
    """A new user."""
    body = given()
    missing = next((name for name in _REQUIRED if name not in body), None)
    if missing:
        message = f"A value is required for property '{missing}' of resource 'User'."
        raise GraphError(400, "Request_BadRequest", message)
    if find(str(body["userPrincipalName"])):
        message = "Another object with the same value for property userPrincipalName already exists."
        raise GraphError(400, "Request_BadRequest", message)
    created = {**users.BLANK, **_known(body), "id": new_guid()}
    world().users(tenant().id).create(created["id"], created)
    answer = shown(created, users.SELECTED_BY_DEFAULT.split(","))
    return entity("users", answer), 201, {"Location": f"{base()}/users/{created['id']}"}


@graph.get("/users/<key>")
@needs("User.Read.All")
def one_user(key: str) -> Answer:
    """A user by object id or principal name."""
    return entity("users", shown(_existing(key), selected(users.SELECTED_BY_DEFAULT)))


@graph.patch("/users/<key>")
@needs("User.ReadWrite.All")
def change_user(key: str) -> Answer:
    """Some properties of a user."""
    user = _existing(key)
    world().users(tenant().id).change(user["id"], {**user, **_known(given())})
    return NO_CONTENT


@graph.delete("/users/<key>")
@needs("User.ReadWrite.All")
def delete_user(key: str) -> Answer:
    """No such user any more, nor as a member of groups."""
    id_ = _existing(key)["id"]
    world().users(tenant().id).delete(id_)
    for members in list(world().members.values()):
        if id_ in members:
            members.remove(id_)
    return NO_CONTENT


@graph.get("/me")
def me() -> Answer:
    """The signed-in user; an app is not one."""
    if "scp" not in g.claims:
        raise GraphError(400, "Request_BadRequest", "/me request is only valid with delegated authentication flow.")
    return entity("users", shown(_existing(str(g.claims["oid"])), selected(users.SELECTED_BY_DEFAULT)))


@graph.get("/organization")
@needs("Organization.Read.All")
def organization() -> Answer:
    """The one organization a tenant has."""
    home = tenant()
    domain = {"name": home.domain, "isDefault": True, "isInitial": True, "type": "Managed"}
    body = {"id": home.id, "displayName": home.name, "tenantType": "AAD", "verifiedDomains": [domain]}
    return listing([body], "organization", lambda item: item)


def find(key: str) -> Body | None:
    """The user of that object id or principal name."""
    home = tenant()
    overlay = world().users(home.id)
    number = users.number_of(home, key)
    if number is not None and 1 <= number <= world().settings.users:
        return overlay.find(users.object_id(home, number), users.user(home, number))
    names = (one for one in overlay.created() if key.lower() in (one["id"], str(one["userPrincipalName"]).lower()))
    return next(names, None)


def _existing(key: str) -> Body:
    user = find(key)
    if user is None:
        raise not_found(key)
    return user


def _all() -> Sequence[int | Body]:
    home = tenant()
    overlay = world().users(home.id)
    gone = {users.number_of(home, key) for key in overlay.deleted()}
    numbers: Sequence[int] = range(1, world().settings.users + 1)
    if gone:
        numbers = [number for number in numbers if number not in gone]
    created = overlay.created()
    return [*numbers, *created] if created else numbers


def _reader() -> Callable[[int | Body], Body]:
    """What makes a user of an item of :func:`_all`; it looks up only once whose users they are."""
    home = tenant()
    overlay = world().users(home.id)

    def body_of(item: int | Body) -> Body:
        if not isinstance(item, int):
            return item
        computed = users.user(home, item)
        return overlay.find(computed["id"], computed) or computed

    return body_of


def _state(id_: str) -> Body:
    """A user as it is now, or that it is no more."""
    return find(id_) or {"id": id_, "@removed": {"reason": "changed"}}


def _known(body: Body) -> Body:
    """The properties a user has; any other is refused."""
    unknown = next((name for name in body if name not in users.BLANK and name not in _WRITE_ONLY), None)
    if unknown:
        raise GraphError(400, "Request_BadRequest", f"Invalid property '{unknown}'.")
    return {name: value for name, value in body.items() if name not in _WRITE_ONLY}
