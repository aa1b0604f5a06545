# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups and who is in them (Learn "Add members": one by reference, or at most 20 by ``members@odata.bind``)."""

from __future__ import annotations

import typing as t

from flask import request

from ..text import new_guid
from ..world import world
from . import people
from .listing import listing, selected, shown
from .service import NO_CONTENT, GraphError, base, entity, given, graph, needs, not_found, tenant

if t.TYPE_CHECKING:
    from .service import Answer, Body

_BIND: t.Final = "members@odata.bind"
_MOST_BOUND: t.Final = 20
_REQUIRED: t.Final = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")
_CHANGEABLE: t.Final = frozenset({*_REQUIRED, "description", "groupTypes", _BIND})


@graph.get("/groups")
@needs("Group.Read.All")
def list_groups() -> Answer:
    """Groups by number, then those created."""
    return listing(_all(), "groups", lambda group: group)


@graph.post("/groups")
@needs("Group.ReadWrite.All", "Group.Create")
def create_group() -> Answer:
    """A new group, with members from the start if ``members@odata.bind`` names them."""
    body = given()
    missing = next((name for name in _REQUIRED if name not in body), None)
    if missing:
        message = f"A value is required for property '{missing}' of resource 'Group'."
        raise GraphError(400, "Request_BadRequest", message)
    _check(body)
    created = {"id": new_guid(), "description": None, "groupTypes": [], **body}
    bound = created.pop(_BIND, [])
    world().groups(tenant().id).create(created["id"], created)
    _add(created["id"], bound)
    return entity("groups", created), 201, {"Location": f"{base()}/groups/{created['id']}"}


@graph.get("/groups/<id_>")
@needs("Group.Read.All")
def one_group(id_: str) -> Answer:
    """A group."""
    return entity("groups", shown(_existing(id_), selected()))


@graph.patch("/groups/<id_>")
@needs("Group.ReadWrite.All", "GroupMember.ReadWrite.All")
def change_group(id_: str) -> Answer:
    """Some properties of a group, and members to add: all of them or, if one is refused, none."""
    group, body = _existing(id_), given()
    _check(body)
    _add(id_, body.pop(_BIND, []))
    if body:
        world().groups(tenant().id).change(id_, {**group, **body})
    return NO_CONTENT


@graph.delete("/groups/<id_>")
@needs("Group.ReadWrite.All")
def delete_group(id_: str) -> Answer:
    """No such group any more."""
    world().groups(tenant().id).delete(_existing(id_)["id"])
    world().members.pop(id_, None)
    return NO_CONTENT


@graph.get("/groups/<id_>/members")
@needs("Group.Read.All", "GroupMember.Read.All")
def list_members(id_: str) -> Answer:
    """The users in a group, in the order they were added."""
    return listing(_members(_existing(id_)["id"]), "directoryObjects", _member)


@graph.post("/groups/<id_>/members/$ref")
@needs("Group.ReadWrite.All", "GroupMember.ReadWrite.All")
def add_member(id_: str) -> Answer:
    """One more."""
    _add(_existing(id_)["id"], [given().get("@odata.id")])
    return NO_CONTENT


@graph.delete("/groups/<id_>/members/<member>/$ref")
@needs("Group.ReadWrite.All", "GroupMember.ReadWrite.All")
def remove_member(id_: str, member: str) -> Answer:
    """One less."""
    members = _members(_existing(id_)["id"])
    if member not in members:
        raise not_found(member)
    members.remove(member)
    return NO_CONTENT


@graph.get("/users/<key>/memberOf")
@needs("User.Read.All", "GroupMember.Read.All")
def groups_of(key: str) -> Answer:
    """The groups a user is in."""
    user = people.find(key)
    if user is None:
        raise not_found(key)
    mine = [group for group in _all() if user["id"] in _members(group["id"])]
    return listing(mine, "directoryObjects", lambda group: {"@odata.type": "#microsoft.graph.group", **group})


def _all() -> list[Body]:
    overlay, home = world().groups(tenant().id), tenant().id
    computed = [_computed(home, number) for number in range(1, world().settings.groups + 1)]
    kept = [overlay.find(group["id"], group) for group in computed]
    return [group for group in kept if group] + overlay.created()


def _computed(home: str, number: int) -> Body:
    return {
        "id": f"{home[:8]}-0000-4000-8002-{number:012d}",
        "displayName": f"Group {number:02d}",
        "description": None,
        "groupTypes": [],
        "mailEnabled": False,
        "mailNickname": f"group{number:02d}",
        "securityEnabled": True,
    }


def _existing(id_: str) -> Body:
    found = next((group for group in _all() if group["id"] == id_), None)
    if found is None:
        raise not_found(id_)
    return found


def _members(group: str) -> list[str]:
    return world().members.setdefault(group, [])


def _member(id_: str) -> Body:
    user = people.find(id_) or {}
    wanted = ("id", "displayName", "userPrincipalName", "mail")
    return {"@odata.type": "#microsoft.graph.user", **{name: user.get(name) for name in wanted}}


def _check(body: Body) -> None:
    unknown = next((name for name in body if name not in _CHANGEABLE), None)
    if unknown:
        raise GraphError(400, "Request_BadRequest", f"Invalid property '{unknown}'.")
    if len(body.get(_BIND, [])) > _MOST_BOUND:
        message = f"The limit of {_MOST_BOUND} objects to bind in one request was exceeded."
        raise GraphError(400, "Request_BadRequest", message)


def _add(group: str, references: list[object]) -> None:
    """Add all whom ``references`` (addresses of directory objects) name, or raise and add nobody."""
    added = [_referenced(reference) for reference in references]
    members = _members(group)
    if len({*members, *added}) < len(members) + len(added):
        message = "One or more added object references already exist for the following modified properties: 'members'."
        raise GraphError(400, "Request_BadRequest", message)
    members.extend(added)


def _referenced(reference: object) -> str:
    path, _dummy, key = str(reference).rpartition("/")
    if not path.startswith("https://") or path.rpartition("/")[2] not in ("users", "directoryObjects"):
        raise GraphError(400, "Request_BadRequest", f"Invalid entity reference '{reference}' at {request.path}.")
    user = people.find(key)
    if user is None:
        raise not_found(key)
    return str(user["id"])
