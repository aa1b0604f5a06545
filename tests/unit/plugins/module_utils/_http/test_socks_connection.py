# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request by a SOCKS proxy arrives, and no negotiation with the proxy outlives the exchange."""

from __future__ import annotations

import socket
import ssl
import time
import typing as t

import pytest
import trustme
from canned_server import CannedServer, answer, drip_after, hang_up, silence, stall_after

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request, Response, Transport

if t.TYPE_CHECKING:
    from pathlib import Path

    from canned_server import Canned

TIMEOUT: t.Final = 0.5
# Of a machine that does other things too. Without a deadline each of these negotiations takes for ever.
LATEST: t.Final = 3.0
# RFC 1928: version 5, no authentication; then the reply to CONNECT, with an address that has no meaning here.
# Plain http uses no proxy.
CA: t.Final = trustme.CA()
CHOSEN: t.Final = b"\x05\x00"
CONNECTED: t.Final = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
REFUSED: t.Final = b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"


def negotiate(reply: bytes, then: Canned) -> t.Callable[[socket.socket], None]:
    """A proxy that replies to CONNECT, and then is the server itself."""

    def serve(connection: socket.socket) -> None:
        connection.recv(16)
        connection.sendall(CHOSEN)
        connection.recv(512)
        connection.sendall(reply)
        if isinstance(then, bytes):
            connection.recv(65536)
            connection.sendall(then)
        else:
            then(connection)

    return serve


def encrypt(then: t.Callable[[socket.socket], None]) -> t.Callable[[socket.socket], None]:
    """A server that speaks TLS, and reads the request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("api.test").configure_cert(context)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(65536)
            then(encrypted)

    return serve


SERVER: t.Final = encrypt(lambda connection: connection.sendall(answer(200, "whole")))


@pytest.fixture
def ca_path(tmp_path: Path) -> str:
    path = str(tmp_path / "ca.pem")
    CA.cert_pem.write_to_path(path)
    return path


def send(proxy: CannedServer, timeout: float = TIMEOUT, **settings: t.Any) -> Response:
    network = NetworkSettings(timeout, 0, proxy=f"socks5h://127.0.0.1:{proxy.port}", **settings)
    return Transport(network).send(Request("https://api.test/x"), until=time.monotonic())


def test_a_request_arrives_by_the_proxy(ca_path: str) -> None:
    with CannedServer(negotiate(CONNECTED, SERVER), reads=False) as proxy:
        assert send(proxy, timeout=30, ca_path=ca_path).body == b"whole"


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(silence, id="silent"),
        pytest.param(stall_after(CHOSEN), id="stalls after the method"),
        pytest.param(drip_after(CHOSEN + b"\x05\x00\x00\x03\xff", b"x"), id="drips the address"),
        pytest.param(negotiate(CONNECTED, silence), id="a server behind it that is silent"),
        pytest.param(
            negotiate(CONNECTED, encrypt(drip_after(b"HTTP/1.1 200 ", b"O"))), id="a server behind it that drips"
        ),
    ],
)
def test_a_negotiation_that_does_not_end_in_time_is_given_up(response: Canned, ca_path: str) -> None:
    began = time.monotonic()
    with CannedServer(response, reads=False) as proxy, pytest.raises(NetworkError, match=r"0\.5 s"):
        send(proxy, ca_path=ca_path)
    assert time.monotonic() - began < LATEST


def test_connecting_may_have_a_bound_of_its_own() -> None:
    began = time.monotonic()
    with CannedServer(silence, reads=False) as proxy, pytest.raises(NetworkError):
        send(proxy, timeout=60, connect_timeout=0.1)
    assert time.monotonic() - began < LATEST


@pytest.mark.parametrize("response", [negotiate(REFUSED, hang_up), hang_up])
def test_a_proxy_that_does_not_let_the_request_through_is_named(response: Canned) -> None:
    with CannedServer(response, reads=False) as proxy, pytest.raises(NetworkError) as failed:
        send(proxy)
    assert "api.test" in failed.value.message


def test_each_address_of_the_proxy_is_tried(ca_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = socket.getaddrinfo

    def find_two(*args: t.Any) -> t.Any:
        (found,) = find(*args)
        return [(socket.AF_INET6, *found[1:]), found]

    with CannedServer(negotiate(CONNECTED, SERVER), reads=False) as proxy:
        monkeypatch.setattr(socket, "getaddrinfo", find_two)
        assert send(proxy, timeout=30, ca_path=ca_path).body == b"whole"
