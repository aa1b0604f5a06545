# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One exchange: bounded in time and size, repeated within its budget, sent to nobody else, readable when it fails."""

from __future__ import annotations

import datetime
import email.utils
import errno
import gzip
import hashlib
import os
import socket
import ssl
import sys
import time
import typing as t
import urllib.parse

import pytest
import requests
import trustme
import urllib3
from canned_server import CannedServer, answer, flood, hang_up, json_answer
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import MissingLibraryError, NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http import transport
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request, Response, Transport

if t.TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

SECRET = "hunter2 %&+=#é"
FORM = {"client_secret": SECRET, "grant_type": "client_credentials"}
OK = json_answer(200, {"fine": True})


class Waits(t.Protocol):
    """The clock of conftest.py."""

    slept: list[float]

    def time(self) -> float:
        """Seconds."""


def send(url: str, *, retry_for: float = 60, headers: dict[str, str] | None = None, **settings: t.Any) -> Response:
    """A form, posted with settings that leave a test no time to hang."""
    network = NetworkSettings(**{"timeout": 30.0, "retry_for": retry_for, **settings})
    request = Request(url, "POST", headers or {}, form=FORM)
    return Transport(network).send(request, until=time.monotonic() + retry_for)


def failure(url: str, **settings: t.Any) -> NetworkError:
    with pytest.raises(NetworkError) as failed:
        send(url, **settings)
    assert "hunter2" not in str(failed.value)
    assert failed.value.hint
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None
    return failed.value


@pytest.fixture
def tls(tls_ca: trustme.CA) -> Iterator[CannedServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls_ca.issue_cert("127.0.0.1").configure_cert(context)
    with CannedServer(OK, tls=context) as server:
        yield server


@pytest.fixture
def ca_path(tls_ca: trustme.CA, tmp_path: pathlib.Path) -> str:
    path = tmp_path / "ca.pem"
    tls_ca.cert_pem.write_to_path(str(path))
    return str(path)


# --- what goes out ----------------------------------------------------------------------------------------------


def test_a_form_arrives_encoded_once() -> None:
    with CannedServer(OK) as server:
        answered = send(server.url, headers={"Accept": "application/json"})
    assert (answered.status, answered.body) == (200, b'{"fine": true}')
    (request,) = server.received
    assert request.method == "POST"
    assert urllib.parse.parse_qs(request.body, strict_parsing=True) == {name: [text] for name, text in FORM.items()}
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"] == "ansible-collection-entra.auth"
    assert "authorization" not in request.headers
    assert "cookie" not in request.headers


def test_a_request_without_a_form_has_no_body() -> None:
    with CannedServer(OK) as server:
        Transport(NetworkSettings(30, 30)).send(Request(server.url + "/a?b=c"), until=time.monotonic() + 30)
    (request,) = server.received
    assert (request.method, request.target, request.body) == ("GET", "/a?b=c", "")


@pytest.mark.parametrize(("headers", "sent"), [({}, None), ({"Authorization": "Bearer made-up"}, "Bearer made-up")])
@pytest.mark.parametrize("user", ["", "me:hunter2@"], ids=["netrc alone", "netrc and url"])
def test_no_user_of_a_netrc_or_url_is_sent(
    headers: dict[str, str], sent: str | None, user: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """requests would send it as Basic, in place of the header Authorization."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with CannedServer(OK) as server:
        send(f"http://{user}127.0.0.1:{server.port}", headers=headers)
    (request,) = server.received
    assert request.headers.get("authorization") == sent


def test_a_header_of_the_request_goes_through_unchanged() -> None:
    with CannedServer(OK) as server:
        send(server.url, headers={"Authorization": "Bearer abc", "Metadata": "true"})
    assert server.received[0].headers["authorization"] == "Bearer abc"
    assert server.received[0].headers["metadata"] == "true"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with CannedServer(OK) as elsewhere, CannedServer(answer(status, Location=elsewhere.url)) as server:
        assert send(server.url).status == status
    assert len(server.received) == 1
    assert elsewhere.received == []


@pytest.mark.parametrize(
    "location", ["http://[", "https://host:abc/", "https://host:99999/", "/\xff\xfe", "http://a..b"]
)
def test_where_a_redirect_leads_is_not_looked_at(location: str) -> None:
    with CannedServer(answer(302, "portal", Location=location)) as server:
        answered = send(server.url)
    assert (answered.status, answered.body, answered.headers["Location"]) == (302, b"portal", location)


def test_the_body_of_a_redirect_is_as_bounded_as_any(clock: Waits) -> None:
    with CannedServer(answer(302, b" " * 2 * 1024 * 1024, Location="https://elsewhere.test")) as server:
        assert "is larger than any that was expected" in failure(server.url).message


def test_a_cookie_is_not_kept_for_the_next_attempt(clock: Waits) -> None:
    with CannedServer(answer(503, Set_Cookie="stick=here"), OK) as server:
        send(server.url)
    assert len(server.received) == 2
    assert "cookie" not in server.received[1].headers


# --- proxies ----------------------------------------------------------------------------------------------------


def get_by_proxy(**settings: t.Any) -> None:
    """Send a request for a host that only a proxy reaches, which refuses it."""
    assert failure("https://login.test/path", retry_for=0, **settings).message.startswith("The proxy on the way")


def test_the_option_proxy_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(answer(403)) as chosen, CannedServer(answer(500)) as other:
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, other.url)
        get_by_proxy(proxy=chosen.url)
    assert [(request.method, request.target) for request in chosen.received] == [("CONNECT", "login.test:443")]
    assert other.received == []


def test_no_proxy_does_not_overrule_the_option_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "login.test")
    monkeypatch.setenv("no_proxy", "login.test")
    with CannedServer(answer(403)) as chosen:
        get_by_proxy(proxy=chosen.url)
    assert len(chosen.received) == 1


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(answer(403)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        get_by_proxy()
    assert [(request.method, request.target) for request in proxy.received] == [("CONNECT", "login.test:443")]


def test_a_proxy_of_the_environment_is_not_used_where_no_proxy_says_so(
    tls: CannedServer, ca_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(answer(500)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        send(tls.url, ca_path=ca_path)
    assert proxy.received == []
    assert len(tls.received) == 1


def test_a_request_to_the_platform_itself_never_sees_a_proxy(
    tls: CannedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Service Fabric has an https endpoint on the node."""
    with CannedServer(answer(500)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        send(tls.url, use_environment=False, validate_certs=False)
    assert proxy.received == []
    assert len(tls.received) == 1


@pytest.mark.parametrize("source", ["option", "environment"])
def test_no_proxy_sees_a_secret_that_is_sent_to_this_machine_in_clear(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(OK) as server, CannedServer(answer(500)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        send(server.url.replace("http", "HTTP"), proxy=proxy.url if source == "option" else None)
    assert proxy.received == []
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:s3cr#etpw@127.0.0.1:1",
        "http://me:s3cr/etpw@127.0.0.1:1",
        "http://me:s3cr?etpw@127.0.0.1:1",
        "http://me:s3cr[etpw@127.0.0.1:1",
        "http://me:s3cr\\etpw@127.0.0.1:1",
        "http://me:s3cr\u20acetpw@127.0.0.1:1",
        "http://me:s3cretpw@127.0.0.1:port",
        "http://me:s3cretpw@127.0.0.1:99999",
        "http://me:s3cretpw",
        "http://[s3cretpw]:1",
        "me:s3cretpw@127.0.0.1:1",
    ],
)
def test_a_proxy_of_the_environment_that_is_no_url_is_not_quoted(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    error = failure("https://login.test/token", retry_for=0)
    assert error.message == "The request to login.test was not sent, because its URL or that of a proxy can't be read."
    assert "HTTPS_PROXY" in str(error.hint)
    assert not any(part in str(error) for part in ("s3cr", "etpw", "\u20ac"))


# --- certificates -----------------------------------------------------------------------------------------------


def test_a_certificate_of_an_unknown_ca_is_refused_without_a_retry(tls: CannedServer, clock: Waits) -> None:
    error = failure(tls.url)
    assert error.message.startswith(f"The certificate of 127.0.0.1:{tls.port} is not trusted here")
    assert "ca_path" in str(error.hint)
    assert tls.received == []
    assert clock.slept == []


def test_a_ca_that_is_named_is_trusted(tls: CannedServer, ca_path: str) -> None:
    assert send(tls.url, ca_path=ca_path).status == 200


def test_a_ca_of_the_environment_is_trusted(tls: CannedServer, ca_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    assert send(tls.url).status == 200


@pytest.mark.parametrize(
    "names", [["CURL_CA_BUNDLE"], ["REQUESTS_CA_BUNDLE"], ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"]]
)
def test_an_empty_name_of_a_ca_does_not_turn_the_check_off(
    tls: CannedServer, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in names:
        monkeypatch.setenv(name, "")
    assert "is not trusted here" in failure(tls.url).message
    assert tls.received == []


def test_ca_path_beats_the_environment(
    tls: CannedServer, ca_path: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    assert "is not trusted here" in failure(tls.url, ca_path=str(other)).message


def test_a_certificate_for_another_host_is_refused(tls_ca: trustme.CA, ca_path: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls_ca.issue_cert("login.test").configure_cert(context)
    with CannedServer(OK, tls=context) as server:
        assert "is for another host name" in failure(server.url, ca_path=ca_path).message
    assert server.received == []


def test_the_check_can_be_turned_off_whatever_the_environment_says(
    tls: CannedServer, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    assert send(tls.url, validate_certs=False).status == 200
    assert not recwarn.list


def test_a_pinned_certificate_is_taken_without_a_ca_and_no_other_is(tls_ca: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf = tls_ca.issue_cert("127.0.0.1")
    leaf.configure_cert(context)
    pem = leaf.cert_chain_pems[0].bytes().decode()

    thumbprint = hashlib.sha1(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()  # noqa: S324 - what the platform hands out
    with CannedServer(OK, tls=context) as server:
        assert send(server.url, fingerprint=thumbprint.upper()).status == 200
        failure(server.url, fingerprint="0" * 40, retry_for=0)
        failure(f"{server.url}?without=path", fingerprint="0" * 40, retry_for=0)
    assert len(server.received) == 1


# --- repetitions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_answer_is_repeated(status: int, clock: Waits) -> None:
    with CannedServer(answer(status), answer(status), OK) as server:
        assert send(server.url).status == 200
    assert len(server.received) == 3
    assert len({request.body for request in server.received}) == 1
    assert all(wait <= 4 for wait in clock.slept)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 501])
def test_any_other_answer_is_final(status: int, clock: Waits) -> None:
    with CannedServer(answer(status, "said", Retry_After="1")) as server:
        answered = send(server.url)
    assert (answered.status, answered.body) == (status, b"said")
    assert len(server.received) == 1
    assert clock.slept == []


@pytest.mark.parametrize("path", ["", "/", "?a=b", "/x y", "/\u00e9", "?q={}", "/a/../b"])
def test_a_busy_answer_is_repeated_whatever_the_url_looks_like(path: str, clock: Waits) -> None:
    with CannedServer(answer(503), OK) as server:
        assert send(server.url + path).status == 200
    assert len(server.received) == 2


def test_which_answers_are_repeated_is_the_request_s_choice(clock: Waits) -> None:
    with CannedServer(answer(404), answer(500)) as server:
        request = Request(server.url, retried_statuses=(404,))
        assert Transport(NetworkSettings(30, 60)).send(request, until=time.monotonic() + 60).status == 500
    assert len(server.received) == 2


@pytest.mark.parametrize("retry_for", [0, 1, 10, 60, 300])
def test_waits_double_up_to_half_a_minute_within_the_budget(retry_for: int, clock: Waits) -> None:
    with CannedServer(answer(503, "busy")) as server:
        answered = send(server.url, retry_for=retry_for)
    assert (answered.status, answered.body) == (503, b"busy")
    assert sum(clock.slept) <= retry_for
    assert clock.slept == [min(2**number, 30) for number in range(len(clock.slept))]
    assert sum(clock.slept) + min(2 ** len(clock.slept), 30) >= retry_for
    assert len(server.received) == len(clock.slept) + 1


@pytest.mark.parametrize(
    ("wait", "status"), [("7", 200), ("60", 200), ("66", 429), ("99999999", 429), ("9" * 23, 429), ("9" * 5000, 429)]
)
def test_retry_after_in_seconds_is_obeyed_within_the_budget(wait: str, status: int, clock: Waits) -> None:
    with CannedServer(answer(429, Retry_After=wait), OK) as server:
        assert send(server.url, retry_for=65).status == status
    assert clock.slept == ([float(wait)] if status == 200 else [])
    assert len(server.received) == (2 if status == 200 else 1)


@pytest.mark.parametrize(("seconds", "status"), [(30, 200), (3600, 429)])
def test_retry_after_as_a_date_is_obeyed_within_the_budget(seconds: int, status: int, clock: Waits) -> None:
    date = email.utils.format_datetime(
        datetime.datetime.fromtimestamp(int(clock.time()) + seconds, datetime.timezone.utc), usegmt=True
    )
    with CannedServer(answer(429, Retry_After=date), OK) as server:
        assert send(server.url, retry_for=60).status == status
    assert clock.slept == ([pytest.approx(seconds, abs=20)] if status == 200 else [])


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "-5",
        "1.5",
        "",
        "0",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "5 seconds",
        "\xb2",
        "NaN",
        "Mon, 1 Jan 99999 0:0:0 GMT",
    ],
)
def test_a_retry_after_that_says_nothing_useful_falls_back_to_the_usual_wait(value: str, clock: Waits) -> None:
    with CannedServer(answer(503, Retry_After=value), answer(503, Retry_After=value), OK) as server:
        assert send(server.url, retry_for=60).status == 200
    assert len(server.received) == 3
    assert sum(clock.slept) <= 4


def test_an_answer_tells_how_long_to_wait_and_a_date_as_seconds_from_now(clock: Waits) -> None:
    def answered(moment: float) -> float | None:
        return Response(429, {"Retry-After": email.utils.formatdate(moment, usegmt=True)}, b"", Moment(0)).retry_after

    assert answered(clock.time() + 100) == pytest.approx(100, abs=20)
    assert answered(clock.time() - 100) == 0.0
    assert Response(429, {"Retry-After": "7"}, b"", Moment(0)).retry_after == 7.0
    assert Response(429, {}, b"", Moment(0)).retry_after is None


@pytest.mark.parametrize("wrong", [-600, 600])
@pytest.mark.parametrize("seconds", [0, 5, 3600])
def test_a_date_counts_by_the_clock_of_who_sent_it(seconds: int, wrong: int, clock: Waits) -> None:
    there = clock.time() - wrong
    dates = {"Retry_After": email.utils.formatdate(there + seconds), "Date": email.utils.formatdate(there)}
    with CannedServer(answer(503, **dates), OK) as server:
        assert send(server.url, retry_for=60).status == (503 if seconds > 60 else 200)
    # Where the server names no time, the usual pause counts.
    assert sum(clock.slept) == (0 if seconds > 60 else seconds or 1)
    answered = Response(503, {name.replace("_", "-"): value for name, value in dates.items()}, b"", Moment(0))
    assert answered.retry_after == seconds


@pytest.mark.parametrize("date", ["", "today", "Mon, 99 Xyz 99999 99:99:99 +9999"])
def test_a_date_beside_no_date_that_can_be_read_counts_by_the_clock_of_this_machine(date: str, clock: Waits) -> None:
    headers = {"Retry-After": email.utils.formatdate(clock.time() + 100), "Date": date}
    assert Response(503, headers, b"", Moment(0)).retry_after == pytest.approx(100, abs=20)


@given(st.text(st.characters(max_codepoint=255)))
@example("\xb2")
@example("0\x1f")
@example("9" * 5000)
@example("Mon, 99 Xyz 99999 99:99:99 +9999")
def test_no_retry_after_at_all_makes_an_answer_unreadable(value: str) -> None:
    for headers in ({"Retry-After": value}, {"Retry-After": "Thu, 01 Jan 2026 00:00:00 GMT", "Date": value}):
        seconds = Response(429, headers, b"", Moment(0)).retry_after
        assert seconds is None or seconds >= 0


def test_a_lost_connection_is_repeated_three_times(clock: Waits) -> None:
    with CannedServer(hang_up, hang_up, hang_up, OK) as server:
        assert send(server.url).status == 200
    assert len(server.received) == 4
    assert sum(clock.slept) <= 60


def test_only_a_first_lost_connection_is_repeated_at_once(clock: Waits) -> None:
    with CannedServer(hang_up, hang_up, answer(429), OK) as server:
        assert send(server.url).status == 200
    assert clock.slept == [1, 2]
    assert len(server.received) == 4


def test_a_connection_lost_four_times_is_given_up(clock: Waits) -> None:
    with CannedServer(hang_up) as server:
        error = failure(server.url)
    assert error.message == f"The connection to 127.0.0.1:{server.port} ended before the response was complete."
    assert len(server.received) == 4


def test_a_lost_connection_is_not_repeated_beyond_the_budget(clock: Waits) -> None:
    with CannedServer(hang_up) as server:
        failure(server.url, retry_for=1)
    assert sum(clock.slept) <= 1
    assert len(server.received) <= 2


def test_a_refused_connection_is_told_within_the_budget(clock: Waits) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}", retry_for=10)
    assert f"127.0.0.1:{port}" in error.message
    assert "refused" in error.message.lower()
    assert "object at 0x" not in error.message
    assert sum(clock.slept) <= 10


def test_an_unknown_host_is_named(clock: Waits) -> None:
    error = failure("https://no-such-host.invalid/token")
    assert "no-such-host.invalid" in error.message
    assert "object at 0x" not in error.message
    assert "authority" in str(error.hint)


@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
def test_a_body_that_breaks_off_is_asked_for_again(framing: str, clock: Waits) -> None:
    broken = (
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"fine":'
        if framing == "Content-Length"
        else b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"fine":'
    )
    with CannedServer(broken, OK) as server:
        assert send(server.url).body == b'{"fine": true}'
    assert len(server.received) == 2


def test_a_body_that_always_breaks_off_is_given_up(clock: Waits) -> None:
    with CannedServer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{") as server:
        failure(server.url)
    assert len(server.received) == 4


def test_the_time_of_an_answer_is_that_of_its_own_attempt(clock: Waits) -> None:
    before = clock.time()
    with CannedServer(answer(429, Retry_After="50"), OK) as server:
        answered = send(server.url)
    assert answered.requested_on.epoch == pytest.approx(before + 50, abs=20)


# --- bounds -----------------------------------------------------------------------------------------------------


def test_an_answer_without_an_end_is_cut_off_at_its_size() -> None:
    with CannedServer(flood) as server:
        error = failure(server.url, timeout=20)
    assert "is larger than any that was expected" in error.message
    assert len(server.received) == 1


def test_a_small_answer_that_unpacks_to_a_huge_one_is_cut_off() -> None:
    packed = gzip.compress(b" " * 2_000_000)
    with CannedServer(answer(200, packed, Content_Encoding="gzip")) as server:
        assert "is larger than any that was expected" in failure(server.url, timeout=20).message


def test_an_answer_as_large_as_allowed_is_read() -> None:
    with CannedServer(answer(200, b" " * 1024 * 1024)) as server:
        assert len(send(server.url, timeout=60).body) == 1024 * 1024


@pytest.mark.parametrize("content", [b"", b"f", b"fine", bytes(range(256)) * 400])
@pytest.mark.parametrize("framing", ["Content-Length", "chunked", "close"])
def test_a_packed_answer_is_unpacked(content: bytes, framing: str) -> None:
    packed = gzip.compress(content)
    heads = {
        "Content-Length": b"Content-Length: %d\r\n\r\n%s" % (len(packed), packed),
        "chunked": b"Transfer-Encoding: chunked\r\n\r\n5\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n"
        % (packed[:5], len(packed) - 5, packed[5:]),
        "close": b"\r\n" + packed,
    }
    with CannedServer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + heads[framing]) as server:
        assert send(server.url).body == content


def test_an_answer_packed_badly_is_a_readable_failure(clock: Waits) -> None:
    with CannedServer(answer(200, b"not gzip", Content_Encoding="gzip")) as server:
        assert f"127.0.0.1:{server.port}" in failure(server.url).message


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_a_readable_failure(garbage: bytes, clock: Waits) -> None:
    with CannedServer(garbage) as server:
        failure(server.url)


def test_the_words_of_what_is_no_http_hold_nothing_a_terminal_would_obey(clock: Waits) -> None:
    with CannedServer(b"\x1b[31mSSH\x07-2.0\r\n") as server:
        assert failure(server.url).message.isprintable()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_file_that_can_t_be_written_is_no_failure_of_the_network(number: int, clock: Waits) -> None:
    """And it is not tried again: the response has come."""

    def write(response: t.Any) -> bytes:
        raise OSError(number, os.strerror(number))

    with CannedServer(OK) as server:
        request = Request(server.url, read=write)
        with pytest.raises(OSError, match=os.strerror(number)):
            Transport(NetworkSettings(30, 30)).send(request, until=time.monotonic() + 30)
    assert len(server.received) == 1


def test_a_file_that_can_t_be_sent_is_no_failure_of_the_network(tmp_path: pathlib.Path) -> None:
    missing = Request("http://127.0.0.1:1", "PUT", body=lambda: (tmp_path / "missing").open("rb"))
    with pytest.raises(FileNotFoundError):
        Transport(NetworkSettings(30, 30)).send(missing, until=time.monotonic() + 30)


LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 503 Busy",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.0 204 No",
        b"HTTP/1.1 999 ",
        b"HTTP/2 200",
        b"Content-Length: 2",
        b"Content-Length: -2",
        b"Content-Length: x",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Content-Encoding: gzip",
        b"Content-Encoding: made-up",
        b"Retry-After: x",
        b"Location: http://[",
        b": x",
        b"x",
        b" y",
        b"Set-Cookie: a=b",
        b"2",
        b"{}",
        b"-1",
        b"0",
        b"",
    ]
)


@given(st.lists(LINES | st.binary(max_size=20), max_size=10), st.booleans())
def test_any_bytes_are_a_response_or_an_error(lines: list[bytes], begins_well: bool) -> None:
    sent = b"\r\n".join([b"HTTP/1.1 200 OK", *lines] if begins_well else lines)
    with CannedServer(sent) as server:
        try:
            answered = send(server.url, retry_for=0, timeout=5)
        except NetworkError as exc:
            assert str(exc).isprintable()  # noqa: PT017 - either outcome is right
        else:
            assert 100 <= answered.status <= 999


def test_an_answer_keeps_its_body_out_of_what_is_printed() -> None:
    with CannedServer(answer(200, "body-hunter2")) as server:
        assert "hunter2" not in repr(send(server.url))
    assert "hunter2" not in repr(Request("http://login.test", "POST", form=FORM))


def test_a_missing_requests_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HAS_REQUESTS", False)
    with pytest.raises(MissingLibraryError, match="the Python package requests on the control node") as missing:
        Transport(NetworkSettings(1, 1))
    assert missing.value.hint == f"On the control node, run: {sys.executable} -m pip install requests"


@pytest.mark.parametrize("version", ["1.25.11", "1.9", "0.26"])
def test_a_urllib3_that_is_too_old_says_what_to_upgrade(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib3, "__version__", version)
    with pytest.raises(MissingLibraryError, match=r"is too old; entra\.auth needs urllib3 1\.26 or newer") as missing:
        Transport(NetworkSettings(1, 1))
    assert f"urllib3 {version} on the control node" in missing.value.message
    assert missing.value.hint.endswith("-m pip install --upgrade requests urllib3")


@pytest.mark.parametrize("version", ["1.26.5", "2.0", "2.8.0.dev1", "10.0"])
def test_a_urllib3_that_is_new_enough_is_used(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib3, "__version__", version)
    with CannedServer(OK) as server:
        assert send(server.url).status == 200


# --- one bound for several requests -----------------------------------------------------------------------------


def test_requests_with_the_same_end_share_one_bound(clock: Waits) -> None:
    """Each may take its timeout, but not longer than the timeout after the end of the budget for repetitions."""
    transport = Transport(NetworkSettings(30, 10))
    until = time.monotonic() + 10

    def answer_late(connection: socket.socket) -> None:
        clock.sleep(25)
        connection.sendall(answer(200, "x" * 200_000))

    with CannedServer(answer_late) as server:
        assert transport.send(Request(server.url), until=until).status == 200
        with pytest.raises(NetworkError, match=r"did not respond completely within 1[45](\.\d)? s"):
            transport.send(Request(server.url), until=until)
        with pytest.raises(NetworkError, match="There was no time left to send a request to ") as late:
            transport.send(Request(server.url), until=until)
    assert len(server.received) == 2
    assert "retry_for or timeout" in late.value.hint


def test_a_socks_proxy_without_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_settings: object) -> None:
        raise requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")

    monkeypatch.setattr("requests.adapters.SOCKSProxyManager", refuse)
    transport = Transport(NetworkSettings(5, 0, proxy="socks5h://127.0.0.1:9"))
    with pytest.raises(NetworkError, match="its proxy needs the Python package PySocks") as missing:
        transport.send(Request("https://api.test"), until=time.monotonic())
    assert "-m pip install PySocks" in missing.value.hint
