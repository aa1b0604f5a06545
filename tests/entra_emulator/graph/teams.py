# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A long-running operation of Graph's own: making a team (Learn "Create team", "teamsAsyncOperation")."""

from __future__ import annotations

import typing as t

from ..operations import retry_after
from ..text import new_guid
from ..world import world
from .service import entity, given, graph, needs, not_found

if t.TYPE_CHECKING:
    from .service import Answer

_STATUS: t.Final = {"Succeeded": "succeeded", "Failed": "failed", "Canceled": "failed"}


@graph.post("/teams")
@needs("Team.Create", "Group.ReadWrite.All")
def create_team() -> Answer:
    """202 with the relative address of the status document."""
    given()
    team = new_guid()
    operation = world().begin(team, lambda _result: None)
    headers = {"Content-Location": f"/teams('{team}')", **retry_after(world().settings)}
    return "", 202, {"Location": f"/teams('{team}')/operations('{operation.id}')", **headers}


@graph.get("/teams('<team>')/operations('<id_>')")
@needs("Team.ReadBasic.All", "Group.ReadWrite.All")
def team_operation(team: str, id_: str) -> Answer:
    """How far it is."""
    operation = world().operations.find(id_)
    if operation is None or operation.subject != team:
        raise not_found(id_)
    running = world().operations.poll(operation)
    status = {
        "id": operation.id,
        "operationType": "createTeam",
        "createdDateTime": operation.started,
        "status": "inProgress" if running else _STATUS[operation.result],
        "targetResourceId": team,
        "targetResourceLocation": f"/teams('{team}')",
        "error": operation.error() if operation.failed() else None,
    }
    body = entity(f"teams('{team}')/operations", status)
    return body, 200, retry_after(world().settings) if running else {}
