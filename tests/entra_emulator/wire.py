# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP/1.1 over TLS on werkzeug's threaded server: kept-alive connections, and connections cut on purpose.

werkzeug's own dispatch closes each connection and waits 10 ms for stray bytes after every answer; a client that keeps
its session is part of what the tests measure, so the dispatch is replaced by one that reads the body first.
"""

from __future__ import annotations

import io
import os
import socket
import ssl
import struct
import sys
import traceback
import typing as t

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

_IDLE_SECONDS: t.Final = 600  # a kept-alive connection without a request, and a handshake nobody finishes
PLAIN: t.Final = "entra_emulator.plain"  # whether a request came in the clear where TLS is spoken
_TLS_RECORD: t.Final = b"\x16"  # the first byte of a handshake (RFC 8446 section 5.1)
_BODILESS: t.Final = (204, 304)


class DroppedError(ConnectionError):
    """The connection was cut on purpose; nothing more may be written to it."""


def hang_up(environ: WSGIEnvironment) -> DroppedError:
    """End the request's connection in order but without an answer; raise what is returned."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return DroppedError("hung up on purpose")


def reset(environ: WSGIEnvironment) -> DroppedError:
    """Reset the request's connection (RST); raise what is returned."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # close() would wait for the handler's file objects and end the connection in order.
    os.close(connection.detach())
    return DroppedError("reset on purpose")


class Server(ThreadedWSGIServer):
    """One listener; a thread per connection."""

    daemon_threads = True

    def __init__(self, port: int, app: WSGIApplication, tls: ssl.SSLContext | None = None) -> None:
        super().__init__("127.0.0.1", port, app, Handler)
        self.ssl_context = tls

    def get_request(self) -> tuple[socket.socket, t.Any]:
        """Accept; TLS is left to the connection's own thread, lest one slow client stop all others."""
        return self.socket.accept()

    def handle_error(self, _request: object, _client_address: object) -> None:
        """A failed connection is the client's affair (a test without the CA, say); anything else is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()


class Handler(WSGIRequestHandler):
    """One connection and the requests on it."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = 1 << 17  # so that head and body leave together

    def setup(self) -> None:
        """TLS with a client that begins it; what others send in the clear is read as well, for the log to show."""
        context: ssl.SSLContext | None = self.server.ssl_context
        self.request.settimeout(_IDLE_SECONDS)
        if context is not None and self.request.recv(1, socket.MSG_PEEK) == _TLS_RECORD:
            self.request = context.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
        super().setup()

    def finish(self) -> None:
        """End the connection: the server knows only the socket that TLS has taken over."""
        super().finish()
        self.server.shutdown_request(self.request)

    def handle(self) -> None:
        """Shake hands, then serve requests until one side ends the connection."""
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()
        super().handle()

    def make_environ(self) -> WSGIEnvironment:
        """werkzeug's environment with the body read to its end, so that the next request starts where it should."""
        environ = super().make_environ()
        source = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH", "0")
        if environ.get("wsgi.input_terminated"):
            body = source.read()
        elif length.isdecimal():
            body = source.read(int(length))
        else:
            body = b""
            self.close_connection = True  # nobody knows where the next request starts
        environ.update({"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True})
        environ["entra_emulator.headers"] = self.headers.items()
        over_tls = isinstance(self.connection, ssl.SSLSocket)
        environ["wsgi.url_scheme"] = "https" if over_tls else "http"
        environ[PLAIN] = self.server.ssl_context is not None and not over_tls
        return environ

    def run_wsgi(self) -> None:
        """Answer one request."""
        self.environ = environ = self.make_environ()
        answer = _Answer(self)
        try:
            chunks = self.server.app(environ, answer.start_response)
            try:
                for chunk in chunks:
                    answer.write(chunk)
                answer.finish()
            finally:
                getattr(chunks, "close", lambda: None)()
        except OSError:
            self.close_connection = True

    def log(self, _type: str, _message: str, *_args: object) -> None:
        """Say nothing: the request log is at the control endpoint."""


class _Answer:
    """The WSGI side of one answer (PEP 3333), chunked when its length is not announced (RFC 9112 section 7.1)."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._chunked = False
        self._begun = False

    def start_response(
        self, status: str, headers: list[tuple[str, str]], _exc_info: object = None
    ) -> Callable[[bytes], object]:
        """Keep status and headers until the first piece of the body."""
        self._status = int(status[:3])
        self._headers = headers
        return self.write

    def write(self, data: bytes) -> None:
        """Send one piece of the body."""
        self._begin()
        if not data or self._handler.command == "HEAD":
            return
        framed = b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data
        self._handler.wfile.write(framed)
        self._handler.wfile.flush()

    def finish(self) -> None:
        """Send what is left: the head of an empty answer, the last chunk."""
        self._begin()
        if self._chunked:
            self._handler.wfile.write(b"0\r\n\r\n")
        self._handler.wfile.flush()

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        names = {name.lower() for name, _value in self._headers}
        self._handler.send_response_only(self._status)
        for name, value in self._headers:
            self._handler.send_header(name, value)
        if "date" not in names:
            self._handler.send_header("Date", self._handler.date_time_string())
        self._frame(announced="content-length" in names)
        self._handler.end_headers()

    def _frame(self, *, announced: bool) -> None:
        bodiless = self._status in _BODILESS or self._handler.command == "HEAD"
        if announced or bodiless:
            return
        if self._handler.request_version >= "HTTP/1.1":
            self._chunked = True
            self._handler.send_header("Transfer-Encoding", "chunked")
        else:
            self._handler.send_header("Connection", "close")
