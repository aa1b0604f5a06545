# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect by a SOCKS proxy (RFC 1928) within the deadline of an exchange.

PySocks bounds each operation of the negotiation, so a proxy that sends a byte now and then is never late.

Imported only for such a proxy, because PySocks may be missing.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import math
import socket
import time
import typing as t

try:
    import socks
    import urllib3
except ImportError:
    # Without it urllib3 opens no such connection.
    _SocksSocket: t.Any = socket.socket
else:
    _SocksSocket = socks.socksocket

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.deadline import Exchange


class SocksConnection:
    """Opens the connection; mixed into a connection of urllib3, whose names its attributes have."""

    exchange: Exchange
    host: str
    port: int
    socket_options: t.Iterable[t.Any] | None
    _socks_options: t.Mapping[str, t.Any]

    def _new_conn(self) -> socket.socket:
        try:
            return self._connect_to_any()
        except OSError as exc:
            cause = getattr(exc, "socket_err", None) or exc
            if isinstance(cause, socket.timeout):
                raise urllib3.exceptions.ConnectTimeoutError(self, "timed out") from exc
            raise urllib3.exceptions.NewConnectionError(self, "failed") from exc  # type: ignore[arg-type]  # it is one

    def _connect_to_any(self) -> socket.socket:
        """Try each address of the proxy. Raises OSError, which the errors of PySocks are."""
        proxy = self._socks_options["proxy_host"].strip("[]"), self._socks_options["proxy_port"]
        failure: OSError = socket.gaierror(socket.EAI_NONAME, "The name has no address")
        for family, kind, protocol, _name, _address in socket.getaddrinfo(*proxy, 0, socket.SOCK_STREAM):
            try:
                return self._connect_by(proxy, _LimitedSocket(family, kind, protocol))
            except OSError as exc:
                failure = exc
        raise failure

    def _connect_by(self, proxy: tuple[str, int], sock: t.Any) -> socket.socket:
        options = self._socks_options
        with contextlib.ExitStack() as opened:
            opened.callback(sock.close)
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            sock.set_proxy(options["socks_version"], *proxy, options["rdns"], options["username"], options["password"])
            sock.negotiate((self.host.strip("[]"), self.port), self.exchange.measure_connecting())
            opened.pop_all()
        return t.cast("socket.socket", sock)


class _LimitedSocket(_SocksSocket):  # type: ignore[misc]  # PySocks has no annotations
    """A socket of PySocks whose negotiation has a deadline."""

    _deadline = math.inf

    def negotiate(self, address: tuple[str, int], seconds: float) -> None:
        """Connect to an address by the proxy within some seconds. Raises OSError."""
        self.settimeout(seconds)
        self._deadline = time.monotonic() + seconds
        self.connect(address)
        # From now on the exchange sets the time for each operation.
        self._deadline = math.inf

    def recv_into(self, *args: t.Any) -> int:
        """Receive once. Raises socket.timeout."""
        if self._deadline < math.inf:
            # PySocks keeps what its own method sets until the negotiation is over.
            socket.socket.settimeout(self, max(self._deadline - time.monotonic(), 0.001))
        count: int = super().recv_into(*args)
        return count


__all__ = ("SocksConnection",)
