# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failed exchange is told with the host, what happened, and what to check; and in no word of the peer's."""

from __future__ import annotations

import datetime
import socket
import ssl
import time
import typing as t

import pytest
import requests
import urllib3
from canned_server import CannedServer, answer, hang_up
from urllib3.exceptions import LocationParseError, MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http.deadline import Exchange
from ansible_collections.entra.auth.plugins.module_utils._http.errors import Reason, describe_failure, find_reason
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings, Service
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request, Transport

if t.TYPE_CHECKING:
    import trustme
    from canned_server import Canned

URL = "https://login.test:8443/contoso.com/oauth2/v2.0/token?hunter2"
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.timezone.utc)
POOL = urllib3.HTTPSConnectionPool("login.test")
# Whatever a peer or a proxy sends holds this.
SAID = "hunter2-said-by-the-peer"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def fail(url: str, **settings: t.Any) -> NetworkError:
    network = NetworkSettings(**{"timeout": 10.0, "retry_for": 0, **settings})
    with pytest.raises(NetworkError) as failed:
        Transport(network).send(Request(url, "POST", form={"a": "b"}), until=time.monotonic())
    error = failed.value
    assert "hunter2" not in str(error)
    assert str(error).isprintable()
    assert error.message.endswith(".")
    assert not error.message.endswith("..")
    assert error.__context__ is None
    return error


def assert_fails(response: Canned, reason: Reason, **settings: t.Any) -> None:
    with CannedServer(response) as server:
        error = fail(server.url, **settings)
    assert error.message == f"{reason.value.format(host=f'127.0.0.1:{server.port}', timeout=10)}."


# --- what the peer sent -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (SAID.encode(), Reason.LOST),
        (f"{SAID}\r\n\r\n".encode(), Reason.NOT_HTTP),
        (f"\x1b[31m{SAID}\x07\r\n\r\n".encode(), Reason.NOT_HTTP),
        (b"\x00\x01\x02\r\n\r\n", Reason.NOT_HTTP),
        (f"HTTP/1.1 {SAID}\r\n\r\n".encode(), Reason.NOT_HTTP),
        (f"HTTP/2.{SAID} 200 OK\r\n\r\n".encode(), Reason.NOT_HTTP),
        (f"HTTP/1.1 2 {SAID}\r\n\r\n".encode(), Reason.NOT_HTTP),
        (OK + f"{SAID}: ".encode() + b"x" * 70_000 + b"\r\n\r\n", Reason.NOT_HTTP),
        (OK + f"{SAID}: x\r\n".encode() * 200 + b"\r\n", Reason.BROKEN),
        (OK + f"{SAID}: x\r\n".encode(), Reason.LOST),
        (OK + f"Content-Length: {SAID}\r\n\r\nx".encode(), Reason.BROKEN),
        (OK + b"Content-Length: -5\r\n\r\nx", Reason.BROKEN),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nx", Reason.BROKEN),
        (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", Reason.BROKEN),
        (OK + b"Content-Length: " + b"9" * 30 + f"\r\n\r\n{SAID}".encode(), Reason.LOST),
        (CHUNKED + f"{SAID}\r\nx\r\n".encode(), Reason.BROKEN),
        (CHUNKED + f"-5\r\n{SAID}\r\n".encode(), Reason.BROKEN),
        (CHUNKED + f"-1\r\n{SAID}\r\n".encode(), Reason.BROKEN),
        (CHUNKED + f"ff\r\n{SAID}".encode(), Reason.LOST),
        (CHUNKED + b"0" * 70_000, Reason.BROKEN),
        (answer(200, SAID, Content_Encoding="gzip"), Reason.BROKEN),
        (answer(200, SAID * 50_000), Reason.TOO_LARGE),
        (hang_up, Reason.LOST),
    ],
)
def test_nothing_that_a_peer_sent_is_quoted(response: Canned, reason: Reason) -> None:
    if reason is Reason.BROKEN and response == CHUNKED + b"0" * 70_000:
        with CannedServer(response) as server:
            # Some releases of urllib3 say that a line is too long, others that it is not valid.
            assert fail(server.url).message.partition(" of ")[0] == "The response"
        return
    assert_fails(response, reason)


@pytest.mark.parametrize("status", ["407 {}", "403 {}", "503 {}", "502"])
def test_the_words_of_a_proxy_are_not_quoted(status: str) -> None:
    with CannedServer(f"HTTP/1.1 {status.format(SAID)}\r\nA: {SAID}\r\n\r\n{SAID}".encode()) as proxy:
        error = fail("https://login.test/token", proxy=f"http://me:hunter2@127.0.0.1:{proxy.port}")
    assert error.message == (
        f"The proxy on the way to login.test did not let the request through: it responded with {status[:3]}."
    )
    assert "HTTPS_PROXY" in error.hint


def test_a_proxy_that_does_not_speak_http_is_not_quoted() -> None:
    with CannedServer(f"{SAID}\r\n".encode()) as proxy:
        fail("https://login.test/token", proxy=proxy.url)


def test_a_proxy_that_is_not_there_is_named_as_the_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = fail("https://login.test/token", proxy=f"http://me:hunter2@127.0.0.1:{port}")
    assert error.message == "The proxy on the way to login.test did not let the request through: Connection refused."


# --- certificates -----------------------------------------------------------------------------------------------


@pytest.fixture
def ca_path(tls_ca: trustme.CA, tmp_path: t.Any) -> str:
    path = tmp_path / "ca.pem"
    tls_ca.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.mark.parametrize(
    ("name", "issued", "trusts", "message", "hint"),
    [
        ("127.0.0.1", {"not_after": NOW - DAY}, True, "has expired", "renew the certificate"),
        ("127.0.0.1", {"not_before": NOW + DAY}, True, "is not valid yet", "the clock"),
        (f"{SAID}.test", {}, True, "is for another host name", "issued for that name"),
        (
            "127.0.0.1",
            {"common_name": SAID},
            False,
            "is not trusted here: unable to get local issuer certificate",
            "with the CA that signed it",
        ),
    ],
)
def test_a_certificate_is_refused_with_the_reason_and_its_own_fix(
    name: str, issued: dict[str, t.Any], trusts: bool, message: str, hint: str, tls_ca: trustme.CA, ca_path: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    valid = {"not_before": NOW - 9 * DAY, "not_after": NOW + 9 * DAY, **issued}
    tls_ca.issue_cert(name, **valid).configure_cert(context)
    with CannedServer(answer(200), tls=context) as server:
        error = fail(server.url, ca_path=ca_path if trusts else None)
    assert error.message == f"The certificate of 127.0.0.1:{server.port} {message}."
    assert hint in error.hint
    assert ("ca_path" in error.hint) is not trusts
    assert server.received == []


def test_each_reason_has_a_fix_of_its_own() -> None:
    network = NetworkSettings(timeout=1, retry_for=0)
    hints = [describe_failure(URL, reason, OSError(), network).hint for reason in Reason]
    assert len(set(hints)) == len(Reason)


def test_a_server_without_tls_is_told_as_one() -> None:
    with CannedServer(f"{SAID}\r\n".encode(), reads=False) as server:
        error = fail(f"https://127.0.0.1:{server.port}")
    assert error.message.startswith(f"No TLS connection to 127.0.0.1:{server.port} was established")
    assert "https" in error.hint


def test_a_ca_file_of_the_environment_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")
    error = fail("https://127.0.0.1:1")
    assert error.message == (
        "The request to 127.0.0.1:1 was not sent, because the file of CA certificates can't be read."
    )
    assert "REQUESTS_CA_BUNDLE" in error.hint


# --- who was asked ----------------------------------------------------------------------------------------------

ADVICE = {
    Service.LOGIN: ("cloud and authority", ["IDENTITY_ENDPOINT", "api_base_url", "CI system"]),
    Service.API: ("url and api_base_url", ["authority", "IDENTITY_ENDPOINT", "CI system"]),
    Service.PLATFORM: ("IDENTITY_ENDPOINT", ["authority", "api_base_url", "proxy", "firewall", "CI system"]),
    Service.CI_ISSUER: ("CI system", ["authority", "api_base_url", "IDENTITY_ENDPOINT"]),
}


@pytest.mark.parametrize("service", Service)
def test_the_advice_fits_the_service_that_was_asked(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = fail(f"http://127.0.0.1:{port}", service=service)
    assert error.message == f"No connection to 127.0.0.1:{port} was established: Connection refused."
    named, foreign = ADVICE[service]
    assert named in error.hint
    assert not [word for word in foreign if word in error.hint]


@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("reason", Reason)
def test_no_advice_is_of_another_service(reason: Reason, service: Service) -> None:
    network = NetworkSettings(timeout=1, retry_for=0, service=service)
    error = describe_failure(URL, reason, OSError(111, "Connection refused"), network)
    assert "{" not in str(error)
    if reason not in (Reason.WRONG_FINGERPRINT, Reason.PROXY, Reason.SOCKS):
        assert not [word for word in ADVICE[service][1] if word in error.hint and word not in ("proxy", "firewall")]


def test_an_unknown_host_is_named() -> None:
    error = fail("https://no-such-host.invalid/token")
    assert error.message.startswith("The name of the host no-such-host.invalid can't be resolved: ")
    assert "name servers" in error.hint


# --- exceptions of the libraries --------------------------------------------------------------------------------


def exchange(*, is_sent: bool = False, has_ended: bool = False) -> Exchange:
    made = Exchange()
    made.is_sent, made.has_ended = is_sent, has_ended
    return made


def wrap(inner: Exception) -> requests.RequestException:
    """What requests raises when urllib3 has given up."""
    return requests.ConnectionError(MaxRetryError(POOL, "/token", inner))


@pytest.mark.parametrize(
    ("error", "is_sent", "reason"),
    [
        (wrap(NewConnectionError(POOL, "refused")), False, Reason.UNREACHABLE),  # type: ignore[arg-type]  # a pool will do
        (wrap(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))), True, Reason.LOST),
        (wrap(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))), False, Reason.LOST),
        (wrap(ReadTimeoutError(POOL, "/token", "Read timed out.")), True, Reason.TIMEOUT),
        (wrap(ReadTimeoutError(POOL, "/token", "Read timed out.")), False, Reason.CONNECT_TIMEOUT),
        (requests.ReadTimeout("timed out"), True, Reason.TIMEOUT),
        (requests.ConnectTimeout("timed out"), False, Reason.CONNECT_TIMEOUT),
        (requests.exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), False, Reason.TLS),
        (requests.exceptions.ProxyError(MaxRetryError(POOL, "/", LocationParseError("me:hunter2"))), False, Reason.URL),
        (wrap(LocationParseError("me:hunter2")), False, Reason.URL),
        (requests.exceptions.InvalidProxyURL("http://me:hunter2@"), False, Reason.URL),
        (ValueError("'hunter2' does not appear to be an IPv4 or IPv6 address"), False, Reason.URL),
        (UnicodeEncodeError("latin-1", "hunter2\u20ac", 7, 8, "ordinal not in range(256)"), False, Reason.URL),
        (ValueError("invalid literal for int() with base 16: hunter2"), True, Reason.BROKEN),
        (OverflowError("hunter2"), True, Reason.BROKEN),
        (OSError(101, "Network is unreachable"), False, Reason.UNREACHABLE),
    ],
)
def test_an_exception_stands_for_a_reason(error: Exception, is_sent: bool, reason: Reason) -> None:
    assert find_reason(error, exchange(is_sent=is_sent)) is reason
    described = describe_failure(URL, reason, error, NetworkSettings(timeout=1, retry_for=0))
    assert "hunter2" not in str(described)
    assert "object at 0x" not in str(described)
    assert "login.test:8443" in described.message


def test_what_is_incomplete_because_the_connection_ended_is_lost() -> None:
    error = ValueError("invalid literal for int() with base 16: b''")
    assert find_reason(error, exchange(is_sent=True, has_ended=True)) is Reason.LOST


@pytest.mark.parametrize(
    "url", ["https://me:hunter2@login.test/", "http://[", "", "http://\x1b[31m/", "https://login.test:hunter2/"]
)
def test_a_url_is_told_by_its_host_alone(url: str) -> None:
    error = describe_failure(url, Reason.URL, ValueError(), NetworkSettings(timeout=1, retry_for=0))
    assert "me:" not in error.message
    assert error.message.isprintable()
