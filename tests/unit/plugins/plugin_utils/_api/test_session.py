# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests of the control node: what comes back is masked, and a redirect takes the token nowhere else."""

from __future__ import annotations

import json
import typing as t

import pytest
from canned_server import CannedServer, answer, json_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, NetworkError
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

if t.TYPE_CHECKING:
    import pathlib
    import socket

    from api_calls import ApiCaller

    from ...conftest import Clock

OK: t.Final = json_answer(200, {"fine": True})


def echoed(server: CannedServer, status: int, **headers: str) -> t.Callable[[socket.socket], None]:
    """An answer whose headers and body repeat the token, in place of TOKEN."""

    def send(connection: socket.socket) -> None:
        token = server.received[-1].headers["authorization"].removeprefix("Bearer ")
        repeated = {name: value.replace("TOKEN", token) for name, value in headers.items()}
        body = {"error": {"message": token}} if status >= 400 else {"said": token}
        connection.sendall(json_answer(status, body, **repeated))

    return send


def test_a_token_that_is_sent_back_is_shown_nowhere(call: ApiCaller) -> None:
    with CannedServer(OK) as server:
        server._answers = [echoed(server, 200, X_Echo="Bearer TOKEN", request_id="TOKEN")]
        result = call(server)
        token = server.received[0].headers["authorization"].removeprefix("Bearer ")
        assert result["headers"]["x-echo"] == "Bearer ********"
        assert token not in json.dumps(result)
        server._answers = [echoed(server, 400, client_request_id="TOKEN", request_id="TOKEN", Date="TOKEN")]
        with pytest.raises(ApiError, match=r"\*{8}") as failed:
            call(server)
    assert token not in str(failed.value)
    assert token not in json.dumps(failed.value.to_fields())


def test_a_token_in_what_is_no_answer_is_not_quoted(call: ApiCaller) -> None:
    with CannedServer(OK) as server:

        def garbled(connection: socket.socket) -> None:
            connection.sendall(server.received[-1].headers["authorization"].encode() + b"\r\n\r\n")

        server._answers = [garbled]
        with pytest.raises(NetworkError) as failed:
            call(server)
        assert server.received[0].headers["authorization"].removeprefix("Bearer ")[:20] not in str(failed.value)


def test_a_write_is_not_taken_elsewhere(call: ApiCaller, tmp_path: pathlib.Path) -> None:
    with CannedServer(OK) as other, CannedServer(answer(307, Location=f"{other.url}/x")) as server:
        with pytest.raises(InputError, match=r"The redirect of POST .* gets no token"):
            call(server, method="POST", body={"a": 1}, dest=str(tmp_path / "x"))
        assert other.received == []
        assert call(server, dest=str(tmp_path / "x"))["changed"] is True
    (followed,) = other.received
    assert "authorization" not in followed.headers


def test_a_download_does_not_go_on_in_the_clear(call: ApiCaller, tmp_path: pathlib.Path) -> None:
    clear = answer(302, Location="http://files.example.com/x")
    with (
        CannedServer(clear) as other,
        CannedServer(answer(302, Location=f"{other.url}/x")) as server,
        pytest.raises(ApiError, match=r"leads to http://files\.example\.com, which is not https"),
    ):
        call(server, dest=str(tmp_path / "x"))
    assert len(other.received) == 1


def test_redirects_share_the_time_of_one_request(call: ApiCaller, clock: Clock) -> None:
    def redirect_late(connection: socket.socket) -> None:
        clock.sleep(9)
        connection.sendall(answer(302, Location="/again"))

    with CannedServer(redirect_late) as server, pytest.raises(NetworkError, match=r"within 1 s|no time left") as late:
        call(server, timeout=10)
    assert len(server.received) == 2
    assert late.value.hint


@pytest.mark.parametrize(
    "location", ["/" + "x" * 60_000, f"https://{'x' * 60_000}.test/", f"https://x.test/{'y' * 60_000}"]
)
def test_a_long_address_makes_no_long_message(call: ApiCaller, location: str) -> None:
    responses = answer(302, Location=location), answer(404)
    with CannedServer(*responses) as server, pytest.raises((ApiError, InputError)) as failed:
        call(server)
    assert len(str(failed.value)) < 2_000
