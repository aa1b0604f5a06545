# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No exchange outlives its timeout, whatever stage it is in and however slowly its peer goes on."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import ssl
import threading
import time
import typing as t

import pytest
from canned_server import CannedServer, answer, drip, drip_after, hang_up, json_answer, silence, sip, stall_after

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http.body import iterate_body
from ansible_collections.entra.auth.plugins.module_utils._http.deadline import Exchange
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request, Response, Transport

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import trustme
    from canned_server import Canned

TIMEOUT = 0.2
# Of an exchange that has to get further than a connection, or to its end: a busy machine takes its time for TLS.
LONGER_TIMEOUT = 0.5
# Of a machine that does other things too. Without a deadline each of these exchanges takes for ever.
LATEST = 3.0
MEBIBYTE = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# The beginning of a record of a TLS handshake, of which all but some bytes are missing (RFC 8446 section 5.1).
TLS_RECORD = b"\x16\x03\x03\x3f\xff"
TUNNEL = b"HTTP/1.1 200 Connection established\r\n"

RESPONSES: dict[str, Canned] = {
    "no response": silence,
    "a status line that stalls": stall_after(b"HTTP/1.1 2"),
    "a status line that drips": drip_after(b"HTTP/1.1 200 ", b"O"),
    "header lines that stall": stall_after(OK + b"Content-Type: te"),
    "a header line that drips": drip_after(OK, b"X"),
    "header lines that drip": drip_after(OK, b"X-Canned: yes\r\n"),
    "100 Continue without end": drip_after(b"", CONTINUE),
    "100 Continue in a flood": drip_after(b"", CONTINUE * 500, 0.0001),
    "a body of known length that stalls": stall_after(OK + b"Content-Length: 9\r\n\r\nx"),
    "a body of known length that drips": drip_after(OK + b"Content-Length: 99999\r\n\r\n", b"x"),
    "a body without length that drips": drip_after(OK + b"\r\n", b"x"),
    "a packed body that drips": drip_after(OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08....xx", b"x"),
    "chunks that drip": drip_after(CHUNKED, b"1\r\nx\r\n"),
    "the length of a chunk that drips": drip_after(CHUNKED, b"0"),
    "an extension of a chunk that drips": drip_after(CHUNKED + b"1;", b"x"),
    "trailers that drip": drip_after(CHUNKED + b"0\r\n", b"X-Canned: yes\r\n"),
    "trailers that stall": stall_after(CHUNKED + b"1\r\nx\r\n0\r\n"),
    "a busy response that drips": drip_after(b"HTTP/1.1 503 Busy\r\n\r\n", b"x"),
}


def send(url: str, body: bytes = b"a=b", **settings: t.Any) -> Response:
    network = NetworkSettings(**{"timeout": TIMEOUT, "retry_for": 0, **settings})
    return Transport(network).send(Request(url, "POST", body=body), until=time.monotonic() + network.retry_for)


def assert_times_out(url: str, body: bytes = b"a=b", words: str = "0.2 s", **settings: t.Any) -> NetworkError:
    began = time.monotonic()
    with pytest.raises(NetworkError) as failed:
        send(url, body, **settings)
    assert time.monotonic() - began < LATEST
    assert words in failed.value.message
    return failed.value


@pytest.fixture(scope="module")
def tls(tls_ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls_ca.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def ca_path(tls_ca: trustme.CA, tmp_path: t.Any) -> str:
    path = tmp_path / "ca.pem"
    tls_ca.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def unreachable_port() -> Iterator[int]:
    """A port at which connecting takes for ever: nobody accepts, and the queue of the waiting is full."""
    with contextlib.ExitStack() as sockets:
        server = sockets.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _dummy in range(4):
            client = sockets.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES.keys())
def test_a_response_that_does_not_end_in_time_is_given_up(response: Canned) -> None:
    with CannedServer(response) as server:
        assert_times_out(server.url, words="did not respond completely within 0.2 s")


@pytest.mark.parametrize("name", ["no response", "a header line that drips", "a body of known length that drips"])
def test_a_response_over_tls_that_does_not_end_in_time_is_given_up(
    name: str, tls: ssl.SSLContext, ca_path: str
) -> None:
    with CannedServer(RESPONSES[name], tls=tls) as server:
        words = "did not respond completely within 0.5 s"
        assert_times_out(server.url, ca_path=ca_path, words=words, timeout=LONGER_TIMEOUT)


@pytest.mark.parametrize(
    "response", [silence, stall_after(TLS_RECORD), drip_after(TLS_RECORD, b"\0"), drip_after(b"", b"")]
)
def test_a_tls_handshake_that_does_not_end_in_time_is_given_up(response: Canned) -> None:
    with CannedServer(response, reads=False) as server:
        error = assert_times_out(f"https://127.0.0.1:{server.port}")
    assert error.message == f"No connection to 127.0.0.1:{server.port} was established within 0.2 s."


@pytest.mark.parametrize(
    "response",
    [
        silence,
        drip_after(TUNNEL, b"X"),
        drip_after(TUNNEL, b"X-Canned: yes\r\n"),
        stall_after(TUNNEL + b"\r\n"),
        drip_after(TUNNEL + b"\r\n" + TLS_RECORD, b"\0"),
    ],
)
def test_a_proxy_that_does_not_let_the_request_through_in_time_is_given_up(response: Canned) -> None:
    with CannedServer(response) as proxy:
        assert_times_out("https://login.test/token", proxy=proxy.url, words="")
    assert [request.method for request in proxy.received] == ["CONNECT"]


def test_the_time_that_a_proxy_takes_counts_for_the_tls_handshake_too() -> None:
    """The handshake does not get the whole timeout again."""

    def answer_late(connection: socket.socket) -> None:
        threading.Event().wait(1.5)
        stall_after(TUNNEL + b"\r\n")(connection)

    with CannedServer(answer_late) as proxy:
        began = time.monotonic()
        with pytest.raises(NetworkError):
            send("https://login.test/token", proxy=proxy.url, timeout=2)
    assert time.monotonic() - began < 3.3


def test_tls_in_the_tunnel_of_a_proxy_that_speaks_tls_has_a_bound_too(tls: ssl.SSLContext, ca_path: str) -> None:
    """One operation inside takes many outside, of which each would get the whole time again."""

    def drip_handshake(connection: socket.socket) -> None:
        connection.sendall(TUNNEL + b"\r\n")
        # The tunnel is read before the handshake begins.
        connection.recv(65536)
        drip_after(TLS_RECORD, b"\0")(connection)

    with CannedServer(drip_handshake, tls=tls) as proxy:
        assert_times_out("https://login.test/token", proxy=proxy.url, ca_path=ca_path, words="", timeout=LONGER_TIMEOUT)


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize("response", [sip, drip_after(b"", CONTINUE)])
def test_a_request_that_is_not_read_in_time_is_given_up(
    response: Canned, over_tls: bool, tls: ssl.SSLContext, ca_path: str
) -> None:
    with CannedServer(response, tls=tls if over_tls else None, reads=False) as server:
        assert_times_out(server.url, b"x" * 32 * 1024 * 1024, ca_path=ca_path)


def test_a_host_that_does_not_accept_is_given_up(unreachable_port: int) -> None:
    error = assert_times_out(f"http://127.0.0.1:{unreachable_port}")
    assert error.message == f"No connection to 127.0.0.1:{unreachable_port} was established within 0.2 s."


def test_the_addresses_of_a_host_share_its_time(unreachable_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Firewalls drop what goes to any of the many addresses of a login host."""
    found = socket.getaddrinfo("127.0.0.1", unreachable_port, socket.AF_INET, socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found * 8)
    assert_times_out(f"http://login.test:{unreachable_port}")


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    unreachable_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(json_answer(200, {})) as server:
        dead, alive = (
            socket.getaddrinfo("127.0.0.1", port, socket.AF_INET, socket.SOCK_STREAM)
            for port in (unreachable_port, server.port)
        )
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: dead + alive)
        assert send("http://login.test", timeout=4).status == 200


def test_connecting_may_have_a_bound_of_its_own(unreachable_port: int) -> None:
    error = assert_times_out(f"http://127.0.0.1:{unreachable_port}", timeout=60, connect_timeout=0.25, words="0.25 s")
    assert "No connection" in error.message


@pytest.mark.parametrize("response", [silence, RESPONSES["header lines that drip"], hang_up])
def test_repetitions_end_with_the_budget_for_them(response: Canned) -> None:
    began = time.monotonic()
    with CannedServer(response) as server, pytest.raises(NetworkError):
        send(server.url, retry_for=1)
    assert time.monotonic() - began < 1 + TIMEOUT + LATEST
    assert 1 <= len(server.received) <= 4


def test_each_exchange_of_a_connection_has_the_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the connection is kept alive, and the exchange before took long."""
    kept = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def answer_two(connection: socket.socket) -> None:
        for _dummy in range(2):
            threading.Event().wait(0.6)
            connection.sendall(kept)
            connection.recv(65536)

    with CannedServer(answer_two) as server:
        transport = Transport(NetworkSettings(timeout=1, retry_for=0))
        for _dummy in range(2):
            assert transport.send(Request(server.url), until=time.monotonic()).body == b"{}"
    assert len(server.received) == 1


def test_a_forked_worker_has_a_deadline_too() -> None:
    """Ansible forks its workers from a process that may have made requests."""
    with CannedServer(json_answer(200, {}), RESPONSES["a header line that drips"]) as server:
        send(server.url, timeout=30)
        child = os.fork()
        if not child:
            began = time.monotonic()
            with contextlib.suppress(NetworkError):
                send(server.url)
            os._exit(0 if time.monotonic() - began < LATEST else 1)
        _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


# --- cut responses ----------------------------------------------------------------------------------------------

WHOLE = {
    "Content-Length": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "chunked": CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: yes\r\n\r\n",
    "interim": CONTINUE + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
}
# Neither the last line of a chunked response nor its trailers hold anything of the body.
COMPLETE_BODY = WHOLE["chunked"].index(b"0\r\nX-Trailer") + 3


@pytest.mark.parametrize("name", WHOLE)
def test_a_response_is_complete(name: str) -> None:
    with CannedServer(WHOLE[name]) as server:
        assert send(server.url, timeout=30).body == b"{}"


@pytest.mark.parametrize("name", WHOLE)
def test_a_response_that_is_cut_anywhere_is_a_lost_connection(name: str) -> None:
    for size in range(len(WHOLE[name])):
        if name == "chunked" and size >= COMPLETE_BODY:
            continue
        with CannedServer(WHOLE[name][:size]) as server, pytest.raises(NetworkError) as failed:
            send(server.url, timeout=30, lost_connection_retries=0)
        assert "ended before the response was complete" in failed.value.message, WHOLE[name][:size]


@pytest.mark.parametrize(
    "cut", [b"", b"HTT", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"]
)
def test_a_cut_response_is_requested_again_if_that_is_safe(cut: bytes) -> None:
    for repeatable, requests in ((True, 2), (False, 1)):
        with CannedServer(cut, json_answer(200, {})) as server, contextlib.suppress(NetworkError):
            Transport(NetworkSettings(30, 30)).send(
                Request(server.url, "POST", repeatable=repeatable), until=time.monotonic() + 30
            )
        assert len(server.received) == requests


@pytest.mark.parametrize(
    "whole",
    [
        answer(200),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive, Close\r\n\r\n",
        CHUNKED + b"0\r\n\r\n",
    ],
)
def test_a_response_may_have_an_empty_body(whole: bytes) -> None:
    with CannedServer(whole) as server:
        assert send(server.url, timeout=30).body == b""


def test_a_response_to_head_has_no_body() -> None:
    with CannedServer(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n") as server:
        response = Transport(NetworkSettings(30, 0)).send(Request(server.url, "HEAD"), until=time.monotonic())
    assert (response.status, response.body) == (200, b"")


# --- the clock --------------------------------------------------------------------------------------------------


def test_no_time_remains_after_the_deadline() -> None:
    exchange = Exchange()
    exchange.begin(1000, 10)
    assert 900 < exchange.measure_remaining() <= 1000
    assert 9 < exchange.measure_connecting() <= 10
    exchange.begin(-1)
    with pytest.raises(TimeoutError):
        exchange.measure_remaining()


def has_time(exchange: Exchange) -> bool:
    with contextlib.suppress(TimeoutError):
        return exchange.measure_remaining() > 0
    return False


@pytest.mark.parametrize("carries_file", [False, True])
def test_only_a_mebibyte_of_a_file_begins_the_time_again(carries_file: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange()
    exchange.begin(1000, carries_file=carries_file)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1001)
    exchange.count(MEBIBYTE - 1)
    assert not has_time(exchange)
    exchange.count(1)
    assert has_time(exchange) is carries_file


# --- files ------------------------------------------------------------------------------------------------------


def send_slowly(connection: socket.socket) -> None:
    """A file of four mebibytes that takes twice the time of an exchange."""
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {4 * MEBIBYTE}\r\n\r\n".encode())
    for _dummy in range(4):
        threading.Event().wait(LONGER_TIMEOUT / 2)
        connection.sendall(bytes(MEBIBYTE))


def transfer(url: str, **request: t.Any) -> Response:
    transport = Transport(NetworkSettings(timeout=LONGER_TIMEOUT, retry_for=0))
    return transport.send(Request(url, carries_file=True, **request), until=time.monotonic())


def count_body(response: t.Any) -> bytes:
    return str(sum(map(len, iterate_body(response)))).encode()


def test_a_file_may_take_the_time_for_each_mebibyte() -> None:
    with CannedServer(send_slowly) as server:
        assert transfer(server.url, read=count_body).body == str(4 * MEBIBYTE).encode()


def test_a_file_that_drips_is_given_up() -> None:
    with CannedServer(drip) as server, pytest.raises(NetworkError, match=r"within 0\.5 s"):
        transfer(server.url, read=count_body)


@pytest.mark.parametrize("is_file", [False, True])
def test_a_file_is_sent_in_pieces_that_count(tmp_path: Path, is_file: bool) -> None:
    (tmp_path / "sent.bin").write_bytes(bytes(3 * MEBIBYTE))
    body: t.Any = functools.partial(open, tmp_path / "sent.bin", "rb") if is_file else bytes(3 * MEBIBYTE)
    with CannedServer(answer(200)) as server:
        assert transfer(server.url, method="PUT", body=body, repeatable=False).status == 200
    assert len(server.received[0].body) == 3 * MEBIBYTE
