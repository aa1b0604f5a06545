# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deadline for a whole HTTP exchange.

A socket's timeout bounds one operation, so a peer that sends a byte now and then is never late. Here the timeout of
each operation is the time that remains for the exchange: for connecting, the proxy's response, the TLS handshake (which
OpenSSL bounds as one operation), each piece that is sent and each piece that is received, be it of a status line,
header lines, interim responses, a body or trailers.

Without threads and signals, so that it works in forked workers. Resolving a host's name is left to the system's
resolver, which has timeouts of its own.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import math
import socket
import time
import typing as t

# Without it no exchange begins.
with contextlib.suppress(ImportError):
    import urllib3
    import urllib3.connection

# How much is sent at once: the largest record of TLS (RFC 8446 section 5.1).
_PIECE_BYTES = 16384
# How much of a file may take as long as an exchange without one.
_RENEWING_BYTES = 1024 * 1024
# As http.client bounds a header line.
_LONGEST_LINE_BYTES = 65536


class Exchange:
    """The exchange in progress: its deadline, and how far it has come.

    Attributes:
        is_sent: Whether any byte of the request may have arrived.
        has_ended: Whether the peer has ended the connection.
    """

    def __init__(self) -> None:
        self.begin(math.inf)

    def begin(self, seconds: float, connect_seconds: float | None = None, *, carries_file: bool = False) -> None:
        """Begin an exchange.

        Args:
            seconds: How long it may take, connecting among them.
            connect_seconds: How long connecting may take; None for as long as the exchange.
            carries_file: Whether a file is sent or received, of which each MiB may take that long.
        """
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._carries_file = carries_file
        self._carried = 0
        self._connect_seconds = seconds if connect_seconds is None else connect_seconds
        self.is_sent = False
        self.has_ended = False

    def measure_remaining(self) -> float:
        """Return the seconds that remain. Raises socket.timeout if there are none."""
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise socket.timeout("the exchange took too long")  # noqa: UP041 - no TimeoutError before Python 3.10
        return remaining

    def count(self, size: int) -> None:
        """Count bytes that were sent or received; each MiB of a file begins the time again."""
        self._carried += size
        if self._carries_file and self._carried >= _RENEWING_BYTES:
            self._carried = 0
            self._deadline = time.monotonic() + self._seconds

    def measure_connecting(self) -> float:
        """Return the seconds that connecting may take. Raises socket.timeout if there are none."""
        return min(self._connect_seconds, self.measure_remaining())

    def limit(self, sock: t.Any) -> None:
        """Let the next operation of a socket last no longer than the exchange may. Raises socket.timeout."""
        sock.settimeout(self.measure_remaining())


class CutResponseError(ConnectionError):
    """The connection ended inside the header lines of a response."""


def limit_connections(manager: t.Any, exchange: Exchange) -> None:
    """Have all connections that a pool manager of urllib3 opens from now on keep to the deadline of an exchange."""
    manager.pool_classes_by_scheme = {
        scheme: functools.partial(_open_pool, pool_class, exchange)
        for scheme, pool_class in manager.pool_classes_by_scheme.items()
    }


def _open_pool(pool_class: t.Any, exchange: Exchange, *args: t.Any, **settings: t.Any) -> t.Any:
    pool = pool_class(*args, **settings)
    base = pool.ConnectionCls
    bases = (_LimitedConnection, _choose_way(base), base)
    pool.ConnectionCls = type("LimitedConnection", bases, {"exchange": exchange})
    return pool


def _choose_way(connection_class: t.Any) -> type:
    """Return the class that opens the connections of a class of urllib3."""
    if connection_class._new_conn is urllib3.connection.HTTPConnection._new_conn:
        return _DirectConnection
    from ansible_collections.entra.auth.plugins.module_utils._http.socks_connection import SocksConnection

    return SocksConnection


class _LimitedConnection:
    """What the deadline adds to a connection of urllib3, whose names its methods have."""

    exchange: Exchange
    sock: t.Any
    auto_open: int
    connect: t.Callable[[], None]

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]  # of the class this one is mixed into
        # For the TLS handshake.
        self.exchange.limit(sock)
        return sock

    def _tunnel(self) -> None:
        try:
            super()._tunnel()  # type: ignore[misc]  # of the class this one is mixed into
        finally:
            # Only the proxy has received anything so far.
            self.exchange.is_sent = False
        self.exchange.limit(self.sock)

    def _connect_tls_proxy(self, *args: t.Any) -> t.Any:
        return _LimitedSocket(super()._connect_tls_proxy(*args), self.exchange)  # type: ignore[misc]  # of that class

    def send(self, data: t.Any) -> None:
        """Send a part of the request, piece by piece."""
        if self.sock is None and self.auto_open:
            self.connect()
        for piece in _cut(data):
            if self.sock is not None:
                self.exchange.limit(self.sock)
            self.exchange.is_sent = True
            super().send(piece)  # type: ignore[misc]  # of the class this one is mixed into
            self.exchange.count(len(piece))

    def response_class(self, sock: t.Any, *args: t.Any, **options: t.Any) -> _LimitedResponse:
        """Return the response to read from a socket."""
        return _LimitedResponse(self.exchange, sock, *args, **options)


class _LimitedSocket:
    """The TLS connection to a proxy, inside of which another one may be: each of its operations takes several here."""

    def __init__(self, sock: t.Any, exchange: Exchange) -> None:
        self._sock = sock
        self._exchange = exchange

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._sock, name)

    def recv(self, *args: t.Any) -> bytes:
        """Receive once. Raises socket.timeout."""
        self._exchange.limit(self._sock)
        received: bytes = self._sock.recv(*args)
        return received

    def sendall(self, *args: t.Any) -> None:
        """Send a piece. Raises socket.timeout."""
        self._exchange.limit(self._sock)
        self._sock.sendall(*args)


def _cut(data: t.Any) -> t.Iterator[t.Any]:
    """Yield pieces of at most one TLS record, because a TLS socket begins its timeout again with each record."""
    if hasattr(data, "read"):
        yield from iter(lambda: data.read(_PIECE_BYTES), b"")
        return
    if not isinstance(data, (bytes, bytearray, memoryview)):
        yield from data
        return
    view = memoryview(data)
    for start in range(0, len(view), _PIECE_BYTES):
        yield view[start : start + _PIECE_BYTES]


class _DirectConnection:
    """Connects to one of a host's addresses."""

    exchange: Exchange
    _dns_host: str
    port: int
    source_address: tuple[str, int] | None
    socket_options: t.Iterable[t.Any] | None

    def _new_conn(self) -> socket.socket:
        try:
            return self._connect_to_any()
        except UnicodeError as exc:
            raise urllib3.exceptions.LocationParseError(self._dns_host) from exc
        except socket.timeout as exc:  # noqa: UP041 - no TimeoutError before Python 3.10
            raise urllib3.exceptions.ConnectTimeoutError(self, "timed out") from exc
        except OSError as exc:
            raise urllib3.exceptions.NewConnectionError(self, "failed") from exc  # type: ignore[arg-type]  # it is one

    def _connect_to_any(self) -> socket.socket:
        """Try each address of the host for an equal share of the time that remains. Raises OSError."""
        family = urllib3.util.connection.allowed_gai_family()
        found = socket.getaddrinfo(self._dns_host.strip("[]"), self.port, family, socket.SOCK_STREAM)
        failure: OSError = socket.gaierror(socket.EAI_NONAME, "The name has no address")
        for number, (*kind, _name, address) in enumerate(found):
            try:
                share = self.exchange.measure_connecting() / (len(found) - number)
                return self._connect_to(address, share, *kind)
            except OSError as exc:
                failure = exc
        raise failure

    def _connect_to(self, address: t.Any, seconds: float, *kind: t.Any) -> socket.socket:
        sock = socket.socket(*kind)
        try:
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            if self.source_address:
                sock.bind(self.source_address)
            sock.settimeout(seconds)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock


class _LimitedResponse(http.client.HTTPResponse):
    """A response whose every read is bounded in time, and whose lines are bounded in length."""

    def __init__(self, exchange: Exchange, sock: t.Any, *args: t.Any, **options: t.Any) -> None:
        super().__init__(sock, *args, **options)
        self._exchange = exchange
        unlimited: t.Any = self.fp
        self.fp = _LimitedBuffer(_LimitedReader(unlimited.detach(), sock, exchange))

    def begin(self) -> None:
        """Read the status line and the header lines.

        Raises:
            CutResponseError: The connection ended inside them, which http.client takes for their end.
            http.client.HTTPException: They are not those of HTTP.
        """
        try:
            super().begin()
        except http.client.HTTPException:
            if not self._exchange.has_ended:
                raise
        if self._exchange.has_ended or self._is_empty_without_reason():
            raise CutResponseError("the connection ended inside the header lines")
        lengths = set(self.headers.get_all("Content-Length", ()))
        # RFC 9112 section 6.3: http.client would read on until the connection ends.
        if not self.chunked and (len(lengths) > 1 or (lengths and self.length is None)):
            raise http.client.HTTPException("the length of the body can't be read")

    def _is_empty_without_reason(self) -> bool:
        """Return whether nothing follows where a body was promised: no length, not chunked, no word of closing."""
        response: t.Any = self
        if self.version < 11 or self.length is not None or self.chunked or response._check_close():
            return False
        return not response.fp.peek(1)


class _LimitedReader(io.RawIOBase):
    """Receives from a socket for as long as the exchange may last."""

    def __init__(self, raw: io.RawIOBase, sock: t.Any, exchange: Exchange) -> None:
        self._raw = raw
        self._sock = sock
        self._exchange = exchange

    def readable(self) -> bool:
        """Return that this is a stream to read from."""
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        """Receive once. Raises socket.timeout."""
        self._exchange.limit(self._sock)
        count = self._raw.readinto(buffer)
        self._exchange.has_ended = count == 0
        self._exchange.count(count or 0)
        return count

    def close(self) -> None:
        """Give the socket back."""
        super().close()
        self._raw.close()


class _LimitedBuffer(io.BufferedReader):
    """Refuses to read without a limit, which some ways of framing a body make urllib3 do."""

    def read(self, size: int | None = -1) -> bytes:
        """Read up to ``size`` bytes. Raises ValueError without a size."""
        if size is None or size < 0:
            raise ValueError("a body is read in pieces")
        return super().read(size)

    def readline(self, size: int | None = -1) -> bytes:
        """Read a line of up to ``size`` bytes; without a size, as old releases of urllib3 do, of what HTTP allows.

        Raises:
            http.client.LineTooLong: The line is longer than HTTP allows.
            http.client.IncompleteRead: The connection ended inside the line.
        """
        limit = _LONGEST_LINE_BYTES if size is None or size < 0 else size
        line = super().readline(limit)
        if line and not line.endswith(b"\n"):
            if len(line) < limit:
                raise http.client.IncompleteRead(line)
            if limit == _LONGEST_LINE_BYTES:
                raise http.client.LineTooLong("line")
        return line


__all__ = ("CutResponseError", "Exchange", "limit_connections")
