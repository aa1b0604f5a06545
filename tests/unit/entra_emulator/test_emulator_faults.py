# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault as a client meets it, and which requests faults choose."""

from __future__ import annotations

import contextlib
import email.utils
import socket
import ssl
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from entra_emulator import seed, wire_faults
from entra_emulator.client import EmulatorError
from plays import wait_until

if t.TYPE_CHECKING:
    from conftest import Client


def test_throttling_with_seconds_a_date_or_nothing(client: Client) -> None:
    client.emulator.fault("status", status=429, retry_after=70)
    client.emulator.fault("status", status=429, retry_after=70, retry_after_as="date")
    client.emulator.fault(
        "status", status=503, body="<html>busy</html>", content_type="text/html", headers={"X-A": "b"}
    )
    seconds, date, page, healthy = (client.ask() for _dummy in range(4))
    assert (seconds.status_code, seconds.text, seconds.headers["Retry-After"]) == (429, "Too Many Requests", "70")
    moment = email.utils.parsedate_to_datetime(date.headers["Retry-After"]).timestamp()
    assert 60 < moment - time.time() <= 71
    assert (page.status_code, page.text, page.headers["X-A"]) == (503, "<html>busy</html>", "b")
    assert "Retry-After" not in page.headers
    assert healthy.status_code == 200


def test_throttling_of_the_apis_is_json(client: Client) -> None:
    client.emulator.fault("status", endpoint="graph", status=429, retry_after=1)
    assert client.get("/v1.0/users", client.token()).json()["error"]["code"] == "TooManyRequests"
    client.emulator.fault("status", endpoint="arm", status=404, body={"own": 1})
    assert client.get("/subscriptions").json() == {"own": 1}


def test_choice_of_requests(client: Client) -> None:
    client.emulator.fault("status", endpoint="graph", client_id=seed.NO_ROLES, times=None)
    client.emulator.fault("status", endpoint="/v1.0/users", match=r"skiptoken", after=1, times=2)
    token, page = client.token(), "/v1.0/users?$skiptoken=x"
    assert client.get("/v1.0/users", token).status_code == 200
    assert client.get("/subscriptions", token).status_code == 401
    assert [client.get(page, token).status_code for _dummy in range(4)] == [400, 503, 503, 400]
    other = client.token(client_id=seed.NO_ROLES, client_secret="made-up~secret-of-no-roles")
    assert [client.get("/v1.0/users", other).status_code for _dummy in range(3)] == [503, 503, 503]
    hits = [fault["hits"] for fault in client.emulator.control("GET", "/faults")]
    assert hits == [3, 2]
    client.emulator.forget_faults()
    assert client.get("/v1.0/users", other).status_code == 403


def test_an_error_by_its_code(client: Client) -> None:
    client.emulator.fault("error", code=50196)
    body = client.ask().json()
    assert (body["error"], body["error_codes"]) == ("invalid_grant", [50196])
    client.emulator.fault("error", code=53003, status=401, error="access_denied", claims='{"a":1}', suberror="b")
    answer = client.ask()
    assert (answer.status_code, answer.json()["error"], answer.json()["claims"]) == (401, "access_denied", '{"a":1}')
    client.emulator.fault("error", code=123456)
    assert client.ask().json()["error_description"].startswith("AADSTS123456: ")


@pytest.mark.parametrize(
    "name", ["authorization_pending", "slow_down", "authorization_declined", "bad_verification_code", "expired_token"]
)
def test_device_flow_errors(client: Client, name: str) -> None:
    client.emulator.fault(name, interval=2)
    answer = client.ask()
    assert (answer.status_code, answer.json()["error"]) == (400, name)
    assert '"interval":2}' in answer.text


@pytest.mark.parametrize("reset", [False, True])
def test_drop(client: Client, reset: bool) -> None:
    client.emulator.fault("drop", reset=reset)
    with pytest.raises(requests.ConnectionError):
        client.ask()
    entry = client.emulator.token_requests()[-1]
    assert (entry["status"], entry["fault"]) == (None, "drop")
    assert client.ask().status_code == 200


def test_drop_with_a_reset_is_one_on_the_wire(client: Client) -> None:
    client.emulator.fault("drop", endpoint="foreign", reset=True)
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=client.emulator.ca)
    tls = context.wrap_bio(received, to_send, server_hostname="localhost")
    port = urlsplit(client.emulator.urls.foreign).port or 0
    # Python's TLS sockets report a reset as an orderly end, so the TCP socket itself has to be asked.
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.do_handshake()
                break
            plain.sendall(to_send.read())
            received.write(plain.recv(65536))
        tls.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.sendall(to_send.read())
        with pytest.raises(ConnectionResetError):
            list(iter(lambda: plain.recv(65536), b""))


def test_reset_in_the_middle_of_the_body(client: Client) -> None:
    client.emulator.fault("reset_mid_body", endpoint="graph")
    token = client.token()
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get("/v1.0/users", token)
    assert client.get("/v1.0/users", token).status_code == 200


def test_half_a_document(client: Client) -> None:
    client.emulator.fault("truncated_json", endpoint="graph")
    answer = client.get("/v1.0/users", client.token())
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_slow(client: Client) -> None:
    client.emulator.fault("slow", seconds=600)
    client.emulator.fault("slow", seconds=0.3)
    with pytest.raises(requests.ReadTimeout):
        client.ask(timeout=1.5)
    before = time.monotonic()
    assert client.ask().status_code == 200
    assert time.monotonic() - before >= 0.3


@pytest.mark.parametrize("forget", ["forget_faults", "reset"])
def test_slow_ends_when_it_is_forgotten(client: Client, forget: str) -> None:
    client.emulator.fault("slow", seconds=600)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.ask)
        wait_until(client.emulator.token_requests)
        client.emulator.fault("status")
        assert not asked.done(), "another fault changes nothing"
        getattr(client.emulator, forget)()
        assert asked.result().status_code == 200


def test_drip_and_endless_defeat_a_timeout_per_read(client: Client) -> None:
    client.emulator.fault("drip", interval=0.05, seconds=1)
    before = time.monotonic()
    assert set(client.ask(timeout=0.8).text) == {" "}
    assert time.monotonic() - before >= 1
    client.emulator.fault("endless", bytes=10_000_000)
    assert len(client.ask().content) == 10_000_000


@pytest.mark.parametrize("part", wire_faults.DRIPS)
def test_any_part_of_a_response_can_drip(client: Client, part: str) -> None:
    client.emulator.fault("drip_wire", part=part, interval=0.05, seconds=1)
    before = time.monotonic()
    with contextlib.suppress(requests.RequestException):
        client.ask(timeout=0.8)
    assert time.monotonic() - before >= 0.9
    assert client.ask().status_code == 200


@pytest.mark.parametrize("size", [0, 10, 30, 120, -1])
def test_a_response_can_be_cut_anywhere(client: Client, size: int) -> None:
    client.emulator.fault("cut", bytes=size)
    answered = b"".join(raw_token_response(client))
    assert len(answered) == size if size >= 0 else answered.startswith(b"HTTP/1.1 ")
    assert client.ask().status_code == 200


def test_a_response_can_stall_anywhere(client: Client) -> None:
    client.emulator.fault("stall", bytes=30, seconds=600)
    with pytest.raises(requests.ReadTimeout):
        client.ask(timeout=1)
    client.emulator.forget_faults()
    assert client.ask().status_code == 200


def test_an_answer_without_a_status_line_is_what_was_sent(client: Client) -> None:
    client.emulator.fault("no_status_line")
    client.emulator.fault("no_status_line", body="made up")
    assert b"".join(raw_token_response(client)) == b"client_id=c&client_secret=s%2B\r\n\r\n"
    assert b"".join(raw_token_response(client)) == b"made up\r\n\r\n"


def test_a_refusal_can_repeat_what_was_sent(client: Client) -> None:
    client.emulator.fault("echo", status=401)
    answer = client.ask(client_secret="a+b&c")
    assert answer.status_code == 401
    for text in ("a+b&c", "a%2Bb%26c"):
        assert text in answer.json()["error_description"]
        assert text in answer.json()["suberror"]
    assert "a%252Bb%2526c" in answer.headers["client-request-id"]


def raw_token_response(client: Client) -> t.Iterator[bytes]:
    """The bytes of a response, as they are on the wire."""
    body = b"client_id=c&client_secret=s%2B"
    form = b"Content-Type: application/x-www-form-urlencoded"
    head = b"POST /t/oauth2/v2.0/token HTTP/1.1\r\nHost: localhost\r\n%b\r\nContent-Length: %d\r\n\r\n" % (
        form,
        len(body),
    )
    context = ssl.create_default_context(cafile=client.emulator.ca)
    port = urlsplit(client.emulator.urls.login).port or 0
    with (
        socket.create_connection(("localhost", port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(head + body)
        yield from iter(lambda: tls.recv(65536), b"")


def test_huge_announces_its_length(client: Client) -> None:
    client.emulator.fault("huge")
    url = f"{client.emulator.urls.login}/contoso.example/oauth2/v2.0/token"
    with client.session.post(url, data={}, stream=True, timeout=60) as answer:
        assert answer.headers["Content-Length"] == str(2 * 1024**3)


def test_answers_that_are_no_token(client: Client) -> None:
    client.emulator.fault("non_json_200")
    client.emulator.fault("json_array_200")
    client.emulator.fault("token_with_control_chars")
    client.emulator.fault("token_with_control_chars", access_token="a\nb")
    page, array, control, own = (client.ask() for _dummy in range(4))
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert (array.status_code, array.json()) == (200, [])
    assert {"\n", "\u0001"} <= set(control.json()["access_token"])
    assert own.json()["access_token"] == "a\nb"


def test_redirect_to_the_stranger(client: Client) -> None:
    client.emulator.fault("redirect", endpoint="arm", status=307)
    token = client.token(scope=client.ARM)
    answer = client.get("/subscriptions", token)
    assert answer.json()["foreign"] is True
    seen = client.emulator.requests(listener="foreign")
    assert [entry["path"] for entry in seen] == ["/"]
    # requests drops the header itself when the host's port changes: nothing of the token arrived.
    assert "authorization" not in {name.lower() for name, _value in seen[0]["headers"]}


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "no such"},
        {"action": "drop", "seconds": 1},
        {"action": "drop", "endpoint": "tokens"},
        {"action": "drop", "match": "("},
        {"action": "drop", "times": "3"},
        {"action": "status", "status": "503"},
    ],
)
def test_slips_are_refused(client: Client, fault: dict[str, t.Any]) -> None:
    with pytest.raises(EmulatorError, match=r"POST /faults: .*error"):
        client.emulator.control("POST", "/faults", fault)


def test_a_silent_client_does_not_stop_others(client: Client) -> None:
    port = urlsplit(client.emulator.urls.login).port or 0
    with socket.create_connection(("127.0.0.1", port)):  # no handshake
        assert client.ask(timeout=20).status_code == 200


def test_a_client_without_the_ca_is_refused_by_itself(client: Client) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(client.emulator.urls.login, timeout=60, verify=True)
    context = ssl.create_default_context(cafile=client.emulator.ca)
    port = urlsplit(client.emulator.urls.login).port or 0
    for host in ("localhost", "127.0.0.1", "::1"):
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname=host) as tls,
        ):
            assert tls.version()


def test_connections_are_kept_alive(client: Client) -> None:
    token = client.token()
    for _dummy in range(50):
        client.get("/v1.0/organization", token)
    entries = client.emulator.requests(listener="api")
    assert len({entry["connection"] for entry in entries}) == 1


def raw(client: Client, request: bytes) -> bytes:
    """What the stranger's host answers to ``request`` until it ends the connection."""
    context = ssl.create_default_context(cafile=client.emulator.ca)
    port = urlsplit(client.emulator.urls.foreign).port or 0
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(request)
        return b"".join(iter(lambda: tls.recv(65536), b""))


def test_old_and_broken_requests_end_the_connection(client: Client) -> None:
    client.emulator.fault("endless", endpoint="foreign", bytes=10)
    head, _dummy, body = raw(client, b"GET / HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
    assert (b"Connection: close" in head, b"chunked" in head, body) == (True, False, b"x" * 10)
    assert raw(client, b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert client.emulator.requests(listener="foreign")[-1]["body"] == ""


def test_head_has_no_body(client: Client) -> None:
    url = f"{client.emulator.urls.foreign}/"
    answers = [client.session.head(url, timeout=60) for _dummy in range(2)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 2
    assert int(answers[0].headers["Content-Length"]) > 0
