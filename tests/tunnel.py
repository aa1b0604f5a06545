# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy on loopback that connects every request for a host to one server; standard library only."""

from __future__ import annotations

import selectors
import socket
import typing as t
import urllib.parse

from canned_server import CannedServer

_CONNECT_SECONDS: t.Final = 60


class Tunnel(CannedServer):
    """Answers CONNECT for any host and carries the bytes to ``url``; a context manager.

    ``hosts`` are the names and ports that were asked for, in order.
    """

    def __init__(self, url: str) -> None:
        super().__init__(self._connect, reads=False)
        self.hosts: list[str] = []
        parts = urllib.parse.urlsplit(url)
        self._server_address = (str(parts.hostname), int(parts.port or 443))

    def _connect(self, client: socket.socket) -> None:
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
