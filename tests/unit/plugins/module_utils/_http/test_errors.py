# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection that failed is told with the host, what happened in words, and what to look at."""

from __future__ import annotations

import http.client

import pytest
import requests
import urllib3
from urllib3.exceptions import LocationParseError, MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http.errors import describe_network_error

URL = "https://login.test:8443/contoso.com/oauth2/v2.0/token?hunter2"
POOL = urllib3.HTTPSConnectionPool("login.test")
UNTRUSTED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate"
OBJECT = "<urllib3.connection.HTTPSConnection object at 0x7f00>: Failed to establish a new connection: "


def wrapped(inner: Exception) -> requests.RequestException:
    """As requests hands over what urllib3 gave up on."""
    return requests.ConnectionError(MaxRetryError(POOL, "/token", inner))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            wrapped(NewConnectionError(POOL, f"{OBJECT}[Errno 111] Connection refused")),  # type: ignore[arg-type]  # a pool does for its text
            "The request to login.test:8443 failed: [Errno 111] Connection refused.",
        ),
        (
            wrapped(ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))),
            "The request to login.test:8443 failed: [Errno 104] Connection reset by peer.",
        ),
        (
            wrapped(ReadTimeoutError(POOL, "/token", "Read timed out. (read timeout=5)")),
            "login.test:8443 did not answer in time: ",
        ),
        (requests.ReadTimeout("timed out"), "login.test:8443 did not answer in time: timed out."),
        (requests.ConnectTimeout("timed out."), "login.test:8443 did not answer in time: timed out."),
        (
            requests.exceptions.SSLError(MaxRetryError(POOL, "/token", urllib3.exceptions.SSLError(UNTRUSTED))),
            f"The certificate of login.test:8443 is not trusted here: {UNTRUSTED}.",
        ),
        (
            requests.exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER] wrong version number"),
            "No TLS connection to login.test:8443 came about: [SSL: WRONG_VERSION_NUMBER] wrong version number.",
        ),
        (
            requests.exceptions.ProxyError(
                MaxRetryError(
                    POOL,
                    "/token",
                    urllib3.exceptions.ProxyError("Cannot connect to proxy.", OSError("Tunnel connection failed: 407")),
                )
            ),
            "The proxy on the way to login.test:8443 did not let the request through: Tunnel connection failed: 407.",
        ),
        (OSError(101, "Network is unreachable"), "The request to login.test:8443 failed: [Errno 101] Network is"),
        (requests.RequestException("the answer is too large"), "The request to login.test:8443 failed: the answer is"),
    ],
)
def test_a_failure_is_told_in_one_sentence(error: Exception, message: str) -> None:
    told = describe_network_error(URL, error)
    assert isinstance(told, NetworkError)
    assert told.message.startswith(message)
    assert told.message.endswith(".")
    assert not told.message.endswith("..")
    assert told.hint
    assert "object at 0x" not in told.message
    assert "hunter2" not in str(told)


@pytest.mark.parametrize(
    "error",
    [
        wrapped(LocationParseError("me:hunter2")),
        requests.exceptions.InvalidProxyURL("http://me:hunter2@"),
        requests.exceptions.InvalidURL("Failed to parse: http://me:hunter2#@proxy.test"),
        requests.exceptions.ProxyError(MaxRetryError(POOL, "/token", LocationParseError("'me:hunter2' is no host"))),
        wrapped(ProtocolError("Connection aborted.", http.client.InvalidURL("nonnumeric port: 'hunter2'"))),
        ValueError("'hunter2' does not appear to be an IPv4 or IPv6 address"),
        UnicodeEncodeError("latin-1", "hunter2\u20ac", 7, 8, "ordinal not in range(256)"),
    ],
)
def test_a_url_that_can_t_be_read_is_not_quoted(error: Exception) -> None:
    told = describe_network_error(URL, error)
    assert (
        told.message == "The request to login.test:8443 was not sent, because its URL or that of a proxy can't be read."
    )
    assert "HTTPS_PROXY" in str(told.hint)
    assert "hunter2" not in str(told)


def test_nothing_a_terminal_would_obey_comes_in_by_a_broken_answer() -> None:
    assert describe_network_error(URL, ProtocolError("a\x1b[31m", OSError("b\r\nc\x1b[31m"))).message.isprintable()
