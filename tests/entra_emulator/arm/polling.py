# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long-running operations in each shape ARM has (Learn "Track asynchronous Azure operations", ARM RPC async API).

The setting ``operation_style`` chooses the shape; ``operation_status`` replaces the first answer's status.
"""

from __future__ import annotations

import typing as t

from ..operations import Operation, retry_after
from ..world import world
from . import inventory
from .service import ArmError, arm, reachable

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Subscription
    from ..settings import OperationResult, OperationStyle
    from .service import Answer, Body

Kind = t.Literal["create", "replace", "change", "delete", "act"]
_WITHOUT_STATE: t.Final = ("delete", "act")
_DONE_AT_ONCE: t.Final[dict[Kind, int]] = {"create": 201, "replace": 200, "change": 200, "delete": 200, "act": 200}
_FIRST_STATUS: t.Final[dict[OperationStyle, dict[Kind, int]]] = {
    "azure_async": {"create": 201, "replace": 200},
    "both": {"create": 201, "replace": 200},
    "location": {},
    "provisioning_state": {"create": 201, "replace": 200, "change": 200},
    "none": _DONE_AT_ONCE,
}
_OPERATION: t.Final = "/subscriptions/<home>/providers/Microsoft.Compute/locations/westeurope"


def begin(
    home: Subscription,
    resource: Body,
    kind: Kind,
    on_end: Callable[[OperationResult], None],
    output: Body | None = None,
) -> Answer:
    """Start an operation on ``resource`` and give its first answer; ``output`` is what an action returns at the end."""
    style = world().settings.operation_style
    if style == "provisioning_state" and kind in _WITHOUT_STATE:
        style = "location"  # nothing in the resource would tell how far it is
    polls = 0 if style == "none" else None
    operation = world().begin(resource["id"], on_end, polls=polls, kind=kind, output=output)
    if style == "none" and operation.failed():
        raise ArmError(409, operation.error()["code"], operation.error()["message"])
    status = world().settings.operation_status or _FIRST_STATUS[style].get(kind, 202)
    return _result(home, operation) if status != 202 else "", status, _headers(home, style, operation)


def _headers(home: Subscription, style: OperationStyle, operation: Operation) -> dict[str, str]:
    headers = {} if style == "none" else retry_after(world().settings)
    if style in ("azure_async", "both"):
        headers["Azure-AsyncOperation"] = _address(home, "operations", operation)
    if style in ("location", "both"):
        headers["Location"] = _address(home, "operationResults", operation)
    return headers


def _address(home: Subscription, what: str, operation: Operation) -> str:
    path = _OPERATION.replace("<home>", home.id)
    return f"{world().urls['api']}{path}/{what}/{operation.id}?api-version=2024-07-01"


def _result(home: Subscription, operation: Operation) -> Body | str:
    """What the operation is about: the resource, what an action returned, or nothing."""
    if operation.kind in _WITHOUT_STATE:
        return operation.output or ""
    resource = inventory.find(operation.subject, home)
    return inventory.public(resource) if resource else ""


@arm.get(f"{_OPERATION}/operations/<id_>")
def status(home: str, id_: str) -> Answer:
    """The status document ``Azure-AsyncOperation`` names."""
    operation = _operation(home, id_)
    running = world().operations.poll(operation)
    body: Body = {
        "name": operation.id,
        "status": "InProgress" if running else operation.result,
        "startTime": operation.started,
        "percentComplete": 50.0 if running else 100.0,
    }
    if operation.failed():
        body["error"] = operation.error()
    elif not running:
        body["endTime"] = f"{world().clock.utc():%Y-%m-%dT%H:%M:%SZ}"
        body |= {"properties": {"output": operation.output}} if operation.output else {}
    return body, 200, retry_after(world().settings) if running else {}


@arm.get(f"{_OPERATION}/operationResults/<id_>")
def result(home: str, id_: str) -> Answer:
    """What ``Location`` names: 202 while it runs, then the result."""
    operation = _operation(home, id_)
    found = reachable(home, f"{inventory.MACHINES}/read")
    if world().operations.poll(operation):
        return "", 202, {"Location": _address(found, "operationResults", operation), **retry_after(world().settings)}
    if operation.failed():
        raise ArmError(409, operation.error()["code"], operation.error()["message"])
    return _result(found, operation), 204 if operation.kind == "delete" else 200, {}


def _operation(home: str, id_: str) -> Operation:
    found = reachable(home, "Microsoft.Compute/locations/operations/read")
    operation = world().operations.find(id_)
    if operation is None or not operation.subject.startswith(f"/subscriptions/{found.id}/"):
        raise ArmError(404, "NotFound", f"The operation '{id_}' was not found.")
    return operation
