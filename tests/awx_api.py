# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server with the paths, pages and status codes of AWX's API v2, as far as the modules of awx.awx need them."""

from __future__ import annotations

import http.server
import json
import threading
import typing as t
import urllib.parse

from loopback_server import LoopbackServer

TOKEN: t.Final = "made-up-oauth-token-of-awx"
VERSION: t.Final = "24.6.1"

Item = dict[str, t.Any]


class Change(t.NamedTuple):
    """A request that changed something; ``kind`` is the path below /api/v2."""

    method: str
    kind: str
    body: Item


class AwxApi(LoopbackServer):
    """Keeps objects by their kind, such as credential_types, and the requests that changed them; a context manager."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._items: dict[str, list[Item]] = {}
        self._lock = threading.Lock()
        awx = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                awx.respond(self)

            def do_POST(self) -> None:
                awx.respond(self)

            def do_PATCH(self) -> None:
                awx.respond(self)

            def log_message(self, *_arguments: object) -> None:
                pass

        super().__init__(Handler)

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.port}"

    def add(self, kind: str, /, **fields: t.Any) -> int:
        """Have an object from the beginning, and return its ID."""
        items = self._items.setdefault(kind, [])
        number = sum(map(len, self._items.values())) + 1
        items.append({**fields, "id": number, "type": kind.rstrip("s"), "url": f"/api/v2/{kind}/{number}/"})
        return number

    def find(self, kind: str) -> list[Item]:
        """Return the objects of a kind as they are now."""
        return [dict(item) for item in self._items.get(kind, [])]

    def respond(self, request: http.server.BaseHTTPRequestHandler) -> None:
        """Send the response to one request."""
        body = json.loads(request.rfile.read(int(request.headers.get("Content-Length") or 0)) or "{}")
        status, content = 401, {"detail": "Authentication credentials were not provided."}
        if request.headers.get("Authorization") == f"Bearer {TOKEN}":
            with self._lock:
                status, content = self._handle(request.command, urllib.parse.urlsplit(request.path), body)
        request.send_response(status)
        request.send_header("X-API-Product-Name", "AWX")
        request.send_header("X-API-Product-Version", VERSION)
        request.end_headers()
        if status != 204:
            request.wfile.write(json.dumps(content).encode())

    def _handle(self, method: str, url: urllib.parse.SplitResult, body: Item) -> tuple[int, Item]:
        kind, *rest = url.path.removeprefix("/api/v2/").strip("/").split("/")
        if method != "GET":
            self.changes.append(Change(method, "/".join((kind, *rest)), body))
        if not rest:
            return (201, self._create(kind, body)) if method == "POST" else (200, self._list(kind, url.query))
        item = next(item for item in self._items[kind] if str(item["id"]) == rest[0])
        if len(rest) > 1:
            return self._associate(item, rest[1], body)
        item.update(body)
        return 200, item

    def _create(self, kind: str, body: Item) -> Item:
        self.add(kind, **body)
        return self._items[kind][-1]

    def _list(self, kind: str, query: str) -> Item:
        wanted = urllib.parse.parse_qsl(query)
        results = [
            item for item in self._items.get(kind, []) if all(str(item.get(name)) == value for name, value in wanted)
        ]
        return {"count": len(results), "next": None, "previous": None, "results": results}

    def _associate(self, item: Item, kind: str, body: Item) -> tuple[int, Item]:
        """Show the objects that belong to one, or add the object of the body to them."""
        numbers = item.setdefault(kind, [])
        if body:
            numbers.append(body["id"])
            return 204, {}
        results = [other for other in self._items.get(kind, []) if other["id"] in numbers]
        return 200, {"count": len(results), "next": None, "previous": None, "results": results}
