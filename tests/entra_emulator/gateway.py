# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands before every listener but control: the log, the latency and the faults."""

from __future__ import annotations

import hashlib
import time
import typing as t
from urllib.parse import parse_qsl

from werkzeug.http import http_date
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from . import fault_actions
from .exchange import Exchange
from .faults import Facts
from .tokens import peek
from .wire import PLAIN

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from .log import Entry
    from .world import World

_LOGGED_BODY: t.Final = 65536  # characters
ENTRY: t.Final = "entra_emulator.entry"  # where the API finds the log entry to put the token's claims into


class Gateway:
    """WSGI middleware around one listener's application."""

    def __init__(self, world: World, listener: str, app: WSGIApplication) -> None:
        self._world = world
        self._listener = listener
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Log the request, then let a fault or the application answer it."""
        entry = self._log(environ)
        environ[ENTRY] = entry

        def started(status: str, headers: list[tuple[str, str]], *exc_info: t.Any) -> t.Any:
            entry.status = int(status[:3])
            if not any(name.lower() == "date" for name, _value in headers):
                headers = [*headers, ("Date", http_date(self._world.clock.now()))]
            return start_response(status, headers, *exc_info)

        if self._world.settings.latency:
            time.sleep(self._world.settings.latency)
        return ClosingIterator(self._answer(entry, environ, started), entry.end)

    def _answer(self, entry: Entry, environ: WSGIEnvironment, started: StartResponse) -> Iterable[bytes]:
        if entry.plain:
            return Response("The plain HTTP request was sent to an HTTPS port.", 400)(environ, started)
        fault = self._world.faults.strike(self._facts(entry)) if self._world.faults else None
        if fault is None:
            return self._app(environ, started)
        entry.fault = fault.action
        return fault_actions.carry_out(Exchange(self._world, self._listener, self._app, environ, started, fault))

    def _log(self, environ: WSGIEnvironment) -> Entry:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        text = body[:_LOGGED_BODY].decode("utf-8", "replace")
        is_form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
        return self._world.log.start(
            listener=self._listener,
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            query=environ["QUERY_STRING"],
            headers=list(environ["entra_emulator.headers"]),
            form=parse_qsl(text, keep_blank_values=True) if is_form else [],
            body="" if is_form else text,
            length=len(body),
            plain=environ[PLAIN],
            token=_digest(environ.get("HTTP_AUTHORIZATION", "")),
            connection=f"{environ['REMOTE_ADDR']}:{environ['REMOTE_PORT']}",
        )

    def _facts(self, entry: Entry) -> Facts:
        client_id = dict(parse_qsl(entry.query) + entry.form).get("client_id", "")
        if self._listener == "api":
            bearer = next((value for name, value in entry.headers if name.lower() == "authorization"), "")
            client_id = str(peek(bearer.partition(" ")[2]).get("appid", ""))
        return Facts(self._listener, entry.method, entry.path, entry.query, client_id)


def _digest(authorization: str) -> str:
    """What tells a bearer token from others without giving it away; empty without one."""
    token = authorization.partition(" ")[2].strip()
    return hashlib.sha256(token.encode()).hexdigest()[:16] if token else ""
