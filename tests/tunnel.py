# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy on loopback that connects every request for a host to one server; standard library only."""

from __future__ import annotations

import selectors
import socket
import socketserver
import threading
import typing as t
import urllib.parse

if t.TYPE_CHECKING:
    from types import TracebackType

_JOIN_SECONDS: t.Final = 10
_CONNECT_SECONDS: t.Final = 60


class Tunnel:
    """Answers CONNECT for any host and carries the bytes to ``url``; a context manager.

    ``hosts`` are the names and ports that were asked for, in order.
    """

    def __init__(self, url: str) -> None:
        self.hosts: list[str] = []
        parts = urllib.parse.urlsplit(url)
        self._server_address = (str(parts.hostname), int(parts.port or 443))
        tunnel = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                tunnel.handle(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Tunnel:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.socket.close()
        self._thread.join(_JOIN_SECONDS)

    @property
    def url(self) -> str:
        """The URL of this proxy."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def handle(self, client: socket.socket) -> None:
        """Serve one connection."""
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(65536)
            if not piece:
                return
            head += piece
        method, host, _version = head.split(b"\r\n")[0].decode("latin-1").split(" ")
        self.hosts.append(host)
        if method != "CONNECT":
            client.sendall(b"HTTP/1.1 405 Only CONNECT\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(self._server_address, _CONNECT_SECONDS) as server:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            _carry(client, server)


def _carry(one: socket.socket, other: socket.socket) -> None:
    """Copy bytes in both directions until either side closes its connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _events in selector.select():
                content = t.cast("socket.socket", key.fileobj).recv(65536)
                if not content:
                    return
                key.data.sendall(content)
