# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server on loopback that sends canned bytes, for what no well-behaved server does; standard library only."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import typing as t

from loopback_server import LoopbackServer

if t.TYPE_CHECKING:
    import ssl

_ENDLESS: t.Final = b"HTTP/1.1 200 Canned\r\nContent-Type: application/json\r\n\r\n"
_DRIP_SECONDS: t.Final = 0.05

Canned = bytes | t.Callable[[socket.socket], None]


class Received(t.NamedTuple):
    """A request as it arrived; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: str


def answer(status: int, body: str | bytes = b"", **headers: str) -> bytes:
    """A whole HTTP response; an underscore in a header's name stands for a hyphen."""
    content = body.encode() if isinstance(body, str) else body
    fields = {"Content-Length": str(len(content)), "Connection": "close"}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = [f"HTTP/1.1 {status} Canned", *(f"{name}: {value}" for name, value in fields.items() if value), "", ""]
    return "\r\n".join(lines).encode("latin-1") + content


def json_answer(status: int, body: object, **headers: str) -> bytes:
    """A response whose body is JSON."""
    return answer(status, json.dumps(body), Content_Type="application/json", **headers)


def token_answer(**fields: object) -> bytes:
    """The response of a token endpoint that issues a token; None leaves a field out."""
    body = {"token_type": "Bearer", "access_token": "canned-token", "expires_in": 3600, **fields}
    return json_answer(200, {name: value for name, value in body.items() if value is not None})


def hang_up(connection: socket.socket) -> None:
    """No response at all."""


def silence(connection: socket.socket) -> None:
    """A response that never begins: the connection stays open until the client goes."""
    while connection.recv(65536):
        pass


def stall_after(content: bytes) -> t.Callable[[socket.socket], None]:
    """A response that stops after some bytes; the connection stays open until the client goes."""

    def stall(connection: socket.socket) -> None:
        connection.sendall(content)
        silence(connection)

    return stall


def drip_after(content: bytes, piece: bytes, seconds: float = _DRIP_SECONDS) -> t.Callable[[socket.socket], None]:
    """A response that begins with some bytes and then repeats a piece now and then, until the client goes."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(content)
        pause = threading.Event()
        while not pause.wait(seconds):
            connection.sendall(piece)

    return drip


def sip(connection: socket.socket) -> None:
    """The request is read at a few bytes now and then, and never answered."""
    pause = threading.Event()
    while connection.recv(1024) and not pause.wait(_DRIP_SECONDS):
        pass


drip = drip_after(_ENDLESS, b" ", 0.01)


def flood(connection: socket.socket) -> None:
    """A response that never ends: as fast as it can, until the client goes."""
    connection.sendall(_ENDLESS)
    while True:
        connection.sendall(b" " * 65536)


class CannedServer(LoopbackServer):
    """Gives each connection the next of ``answers``, and the last one to all that come later; a context manager.

    An answer is what to send, or a function that is given the connection. ``received`` are the requests so far.
    With ``reads`` turned off, no request is read before the answer.
    """

    def __init__(self, *answers: Canned, tls: ssl.SSLContext | None = None, reads: bool = True) -> None:
        self.received: list[Received] = []
        self._answers = list(answers)
        self._reads = reads
        self._lock = threading.Lock()
        canned = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                canned.handle(self.request)

        super().__init__(Handler)
        self._tls = tls

    @property
    def url(self) -> str:
        """Its origin."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def handle(self, connection: socket.socket) -> None:
        """One connection, one request, one answer."""
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                request = _read_request(connection) if self._reads else None
                if self._reads and request is None:
                    return
                canned = self._take(request)
                if isinstance(canned, bytes):
                    connection.sendall(canned)
                else:
                    canned(connection)
        except OSError:
            return  # the client has gone, which is for the test to judge

    def _take(self, request: Received | None) -> Canned:
        with self._lock:
            if request:
                self.received.append(request)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def _read_request(connection: socket.socket) -> Received | None:
    content = b""
    while b"\r\n\r\n" not in content:
        piece = connection.recv(65536)
        if not piece:
            return None
        content += piece
    head, _dummy, body = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _dummy, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, target, _version = first.split(" ", 2)
    return Received(method, target, headers, body.decode())
