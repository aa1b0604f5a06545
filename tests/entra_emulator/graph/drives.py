# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files and reports: their content comes from and goes to addresses at the storage listener that need no token."""

from __future__ import annotations

import typing as t

from flask import redirect, request

from .. import storage
from ..operations import retry_after
from ..text import new_guid
from ..world import world
from .service import NO_CONTENT, entity, given, graph, needs, not_found

if t.TYPE_CHECKING:
    from .service import Answer, Body

_READ: t.Final = "Files.Read.All"
_WRITE: t.Final = "Files.ReadWrite.All"


@graph.get("/drives/<drive>/items/<name>")
@needs(_READ)
def one_item(drive: str, name: str) -> Answer:
    """A file and the address of its content."""
    return entity(f"drives('{drive}')/items", _item(name))


@graph.delete("/drives/<drive>/items/<name>")
@needs(_WRITE)
def delete_item(drive: str, name: str) -> Answer:
    """No such file any more."""
    world().files.delete(_item(name)["name"])
    return NO_CONTENT


@graph.get("/drives/<drive>/items/<name>/content")
@needs(_READ)
def content(drive: str, name: str) -> Answer:
    """The way to the content."""
    return t.cast("Answer", redirect(_item(name)["@microsoft.graph.downloadUrl"]))


@graph.put("/drives/<drive>/items/<name>/content")
@needs(_WRITE)
def upload(drive: str, name: str) -> Answer:
    """A small file in one piece."""
    is_new = world().files.write(name, request.get_data())
    return entity(f"drives('{drive}')/items", _item(name)), 201 if is_new else 200


@graph.post("/drives/<drive>/items/<name>/createUploadSession")
@needs(_WRITE)
def create_upload_session(drive: str, name: str) -> Answer:
    """Where to put a large file piece by piece."""
    session = world().files.begin(name)
    expires = f"{world().clock.utc():%Y-%m-%dT%H:%M:%SZ}"
    address = storage.address(f"/upload/{session.id}")
    return {"uploadUrl": address, "expirationDateTime": expires, "nextExpectedRanges": ["0-"]}


@graph.post("/drives/<drive>/items/<name>/copy")
@needs(_WRITE)
def copy(drive: str, name: str) -> Answer:
    """A long-running copy; its monitor needs no token (Learn "driveItem: copy")."""
    source, target = _item(name)["name"], str(given().get("name", f"copy of {name}"))
    operation = world().begin(new_guid(), lambda result: _copy(source, target, result), output={"resourceId": target})
    headers = {"Location": storage.address(f"/monitor/{operation.id}"), **retry_after(world().settings)}
    return "", 202, headers


@graph.get("/reports/<name>")
@needs("Reports.Read.All")
def report(name: str) -> Answer:
    """The way to a report in CSV."""
    return t.cast("Answer", redirect(storage.address("/download/report.csv")))


def _copy(source: str, target: str, result: str) -> None:
    if result == "Succeeded":
        world().files.write(target, b"".join(world().files.read(source)))


def _item(name: str) -> Body:
    size = world().files.size(name)
    if size is None:
        raise not_found(name)
    address = storage.address(f"/download/{name}")
    return {"id": name, "name": name, "size": size, "file": {}, "@microsoft.graph.downloadUrl": address}
