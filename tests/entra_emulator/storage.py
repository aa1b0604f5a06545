# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host of the addresses Graph hands out: downloads, upload sessions, monitors (Learn "Upload large files").

Their signature is all they need.  A request with a token is refused, as SharePoint does, and the log shows it came.
"""

from __future__ import annotations

import hmac
import re
import typing as t
from urllib.parse import quote

from flask import Blueprint, Response, abort, request

from .files import RangeError
from .operations import retry_after
from .text import dump
from .world import world

if t.TYPE_CHECKING:
    from .files import Upload

storage = Blueprint("storage", __name__)

Answer = Response | tuple[dict[str, t.Any], int, dict[str, str]]
_SIGNATURE: t.Final = "tempauth"
_RANGE: t.Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def address(path: str) -> str:
    """The signed address of ``path`` on this host."""
    return f"{world().urls['storage']}{quote(path)}?{_SIGNATURE}={world().files.sign(path)}"


@storage.before_request
def _check() -> Answer | None:
    if "Authorization" in request.headers:
        return _refused(401, "unauthenticated", "A pre-authenticated address takes no Authorization header.")
    if not hmac.compare_digest(request.args.get(_SIGNATURE, ""), world().files.sign(request.path)):
        return _refused(403, "accessDenied", "The signature is missing or wrong.")
    return None


@storage.get("/download/<name>")
def download(name: str) -> Answer:
    """A file's content, or the range of it that was asked for (RFC 9110 section 14.2)."""
    size = world().files.size(name)
    if size is None:
        return _refused(404, "itemNotFound", "The file does not exist.")
    response = Response(world().files.read(name), content_type="application/octet-stream")
    response.content_length = size
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.set_etag(f"{name}-{size}")
    return t.cast("Response", response.make_conditional(request, accept_ranges=True, complete_length=size))


@storage.put("/upload/<id_>")
def put_piece(id_: str) -> Answer:
    """The next piece of an upload session."""
    session = _session(id_)
    asked = _RANGE.fullmatch(request.headers.get("Content-Range", ""))
    piece = request.get_data()
    if not asked or int(asked[2]) - int(asked[1]) + 1 != len(piece):
        return _refused(400, "invalidRequest", "Content-Range is missing or does not fit the body.")
    try:
        complete = world().files.append(session, int(asked[1]), int(asked[3]), piece)
    except RangeError:
        return _refused(416, "invalidRange", "The uploaded fragment overlaps with data that has already been received.")
    if not complete:
        return {"nextExpectedRanges": [f"{len(session.received)}-"]}, 202, {}
    return {"id": session.name, "name": session.name, "size": session.total, "file": {}}, 201, {}


@storage.get("/upload/<id_>")
def upload_status(id_: str) -> Answer:
    """Which bytes are still missing."""
    return {"nextExpectedRanges": [f"{len(_session(id_).received)}-"]}, 200, {}


@storage.delete("/upload/<id_>")
def cancel_upload(id_: str) -> Answer:
    """End an upload session."""
    world().files.cancel(_session(id_).id)
    return Response(status=204)


@storage.get("/monitor/<id_>")
def monitor(id_: str) -> Answer:
    """How far a copy is (Learn "Monitor long-running actions")."""
    operation = world().operations.find(id_)
    if operation is None:
        return _refused(404, "itemNotFound", "The operation does not exist.")
    if world().operations.poll(operation):
        body = {"operation": "itemCopy", "percentageComplete": 50.0, "status": "inProgress"}
        return body, 202, retry_after(world().settings)
    if operation.failed():
        return {"operation": "itemCopy", "status": "failed", "error": operation.error()}, 200, {}
    done = {"operation": "itemCopy", "percentageComplete": 100.0, "status": "completed"}
    return {**done, **(operation.output or {})}, 200, {}


def _session(id_: str) -> Upload:
    session = world().files.upload(id_)
    if session is None:
        abort(_refused(404, "itemNotFound", "The upload session was not found."))
    return session


def _refused(status: int, code: str, message: str) -> Response:
    body = {"error": {"code": code, "message": message}}
    return Response(dump(body), status, content_type="application/json")
