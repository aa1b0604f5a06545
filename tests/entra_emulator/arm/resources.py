# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any resource by its id: read, created, changed, deleted; and what virtual machines can be told to do."""

from __future__ import annotations

import hashlib
import typing as t

from flask import request

from ..text import dump
from ..world import world
from . import inventory
from .polling import begin
from .service import ArmError, anything_else, arm, listing, reachable

if t.TYPE_CHECKING:
    from ..model import Subscription
    from .service import Answer, Body

_RESOURCE: t.Final = "/subscriptions/<home>/<resource_groups>/<group>/providers/<namespace>/<kind>/<name>"
_POWER_AFTER: t.Final = {
    "start": inventory.RUNNING,
    "restart": inventory.RUNNING,
    "poweroff": inventory.STOPPED,
    "deallocate": inventory.DEALLOCATED,
}


@arm.get("/subscriptions/<home>/providers/Microsoft.Compute/virtualMachines")
@arm.get("/subscriptions/<home>/<resource_groups>/<group>/providers/Microsoft.Compute/virtualMachines")
def machines(home: str, resource_groups: str = "", group: str = "") -> Answer:
    """The virtual machines of a subscription or of one of its groups."""
    found = reachable(home, f"{inventory.MACHINES}/read")
    return listing(inventory.machines(found, group), inventory.public)


@arm.get(_RESOURCE)
def read(**_segments: str) -> Answer:
    """A resource; a look at it is a poll while its own state is all that tells how far an operation is."""
    home = _home("read")
    resource = _existing(home)
    operation = world().operations.latest_on(request.path)
    if operation and world().settings.operation_style == "provisioning_state":
        world().operations.poll(operation)
    shown = resource if request.args.get("$expand") == "instanceView" else inventory.public(resource)
    return shown, 200, {"ETag": _etag(resource)}


@arm.put(_RESOURCE)
def put(namespace: str, kind: str, name: str, **_segments: str) -> Answer:
    """Create or replace a resource."""
    home = _home("write")
    before = inventory.find(request.path, home)
    _check_etag(before)
    properties = {**_given().get("properties", {}), "provisioningState": "Updating" if before else "Creating"}
    named = {"id": before["id"] if before else request.path, "name": name, "type": f"{namespace}/{kind}"}
    resource = {"location": "westeurope", "tags": {}, **_given(), **named, "properties": properties}
    _keep(resource, is_new=before is None)
    return begin(
        home, resource, "replace" if before else "create", lambda result: _settle(home, resource["id"], result)
    )


@arm.patch(_RESOURCE)
def patch(**_segments: str) -> Answer:
    """Change what the body names; tags and properties one by one."""
    home = _home("write")
    before, given = _existing(home), _given()
    _check_etag(before)
    properties = {**before["properties"], **given.get("properties", {}), "provisioningState": "Updating"}
    tags = {**before.get("tags", {}), **given.get("tags", {})}
    resource = {**before, **given, "id": before["id"], "tags": tags, "properties": properties}
    _keep(resource, is_new=False)
    return begin(home, resource, "change", lambda result: _settle(home, resource["id"], result))


@arm.delete(_RESOURCE)
def delete(**_segments: str) -> Answer:
    """Remove a resource; 204 if there is none."""
    home = _home("delete")
    resource = inventory.find(request.path, home)
    if resource is None:
        return "", 204, {}
    _check_etag(resource)
    _keep({**resource, "properties": {**resource["properties"], "provisioningState": "Deleting"}}, is_new=False)
    return begin(home, resource, "delete", lambda result: _remove(home, resource["id"], result))


@arm.get(f"{_RESOURCE}/instanceView")
def instance_view(**_segments: str) -> Answer:
    """A machine's power state."""
    home = _home("read")
    return t.cast("Body", _existing(home, request.path.rpartition("/")[0])["properties"].get("instanceView", {}))


@arm.post(f"{_RESOURCE}/<action>")
def act(action: str, **_segments: str) -> Answer:
    """Tell a machine something; ``runCommand`` has an answer at the end."""
    home = _home(f"{action}/action")
    resource = _existing(home, request.path.rpartition("/")[0])
    output = None
    if action.lower() == "runcommand":
        message = "Enable succeeded: \n[stdout]\nmade up\n[stderr]\n"
        output = {"value": [{"code": "ComponentStatus/StdOut/succeeded", "level": "Info", "message": message}]}
    elif action.lower() not in _POWER_AFTER:
        return anything_else(action)
    return begin(home, resource, "act", lambda result: _switch(resource, action.lower(), result), output)


def _home(action: str) -> Subscription:
    """The subscription in the path, if the caller may do that there."""
    segments = request.path.split("/")
    if segments[3].lower() != "resourcegroups":
        raise ArmError(404, "NotFound", f"The resource '{request.path}' was not found.")
    home = reachable(segments[2], f"{segments[6]}/{segments[7]}/{action}")
    if segments[4].lower() not in home.resource_groups:
        raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{segments[4]}' could not be found.")
    return home


def _etag(resource: Body) -> str:
    return f'W/"{hashlib.sha256(dump(resource).encode()).hexdigest()[:16]}"'


def _check_etag(resource: Body | None) -> None:
    """Refuse a write that was meant for another state of the resource (ARM RPC "ETags for resources")."""
    same, none = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    stale = same and (resource is None or same not in ("*", _etag(resource)))
    if stale or (none == "*" and resource is not None):
        raise ArmError(412, "PreconditionFailed", "The condition 'If-Match' or 'If-None-Match' was not met.")


def _existing(home: Subscription, id_: str = "") -> Body:
    resource = inventory.find(id_ or request.path, home)
    if resource is None:
        message = f"The Resource '{id_ or request.path}' was not found."
        raise ArmError(404, "ResourceNotFound", message)
    return resource


def _given() -> Body:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ArmError(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
    return body


def _keep(resource: Body, *, is_new: bool) -> None:
    keep = world().resources.create if is_new else world().resources.change
    keep(resource["id"].lower(), resource)


def _settle(home: Subscription, id_: str, state: str) -> None:
    """Let a resource tell how the operation on it ended."""
    resource = _existing(home, id_)
    _keep({**resource, "properties": {**resource["properties"], "provisioningState": state}}, is_new=False)


def _remove(home: Subscription, id_: str, result: str) -> None:
    if result == "Succeeded":
        world().resources.delete(id_.lower())
    else:
        _settle(home, id_, result)


def _switch(machine: Body, action: str, result: str) -> None:
    if result == "Succeeded" and action in _POWER_AFTER:
        view = inventory.instance_view(_POWER_AFTER[action])
        _keep({**machine, "properties": {**machine["properties"], "instanceView": view}}, is_new=False)
