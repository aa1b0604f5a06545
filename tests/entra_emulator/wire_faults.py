# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults below HTTP: responses that are cut, stall or drip at any place, and what is no response at all."""

from __future__ import annotations

import time
import typing as t

from . import wire
from .fields import take

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from .exchange import Exchange, Options

_CONTINUE: t.Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_HEAD: t.Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
# What has been sent, and what is sent again and again: one place of a response each.
DRIPS: t.Final = {
    "status_line": (b"HTTP/1.1 200 ", b"O"),
    "header_line": (_HEAD, b"X"),
    "header_lines": (_HEAD, b"X-Drip: 1\r\n"),
    "continue": (b"", _CONTINUE),
    "body": (_HEAD + b"\r\n", b" "),
    "chunk_size": (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "trailers": (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-Drip: 1\r\n"),
}
_LONGEST_SECONDS: t.Final = 3600.0


def drip_wire(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """``part`` of a response (a key of DRIPS) that never ends: a piece per ``interval``, at most for ``seconds``."""
    begun, piece = DRIPS[take(options, "part", str, "header_lines")]
    interval = take(options, "interval", float, 0.5)
    ends = time.monotonic() + take(options, "seconds", float, _LONGEST_SECONDS)
    connection = exchange.environ["werkzeug.socket"]
    connection.sendall(begun)
    while time.monotonic() < ends:
        connection.sendall(piece)
        exchange.pause(interval)
    raise wire.hang_up(exchange.environ)


def cut(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """The first ``bytes`` of the healthy response, status line and header lines among them, and then the end."""
    exchange.environ["werkzeug.socket"].sendall(_serialize(exchange)[: take(options, "bytes", int, 0)])
    raise wire.hang_up(exchange.environ)


def stall(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """The first ``bytes`` of the healthy response, and then nothing for ``seconds``."""
    exchange.environ["werkzeug.socket"].sendall(_serialize(exchange)[: take(options, "bytes", int, 0)])
    exchange.pause(take(options, "seconds", float, _LONGEST_SECONDS))
    raise wire.hang_up(exchange.environ)


def no_status_line(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """A text in place of a response; by default the body of the request, sent back."""
    text = take(options, "body", str, exchange.environ["wsgi.input"].read().decode())
    exchange.environ["werkzeug.socket"].sendall(f"{text}\r\n\r\n".encode())
    raise wire.hang_up(exchange.environ)


def _serialize(exchange: Exchange) -> bytes:
    healthy = exchange.healthy()
    body = healthy.get_data()
    healthy.headers["Content-Length"] = str(len(body))
    lines = [f"HTTP/1.1 {healthy.status}", *(f"{name}: {value}" for name, value in healthy.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
