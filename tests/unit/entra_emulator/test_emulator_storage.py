# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses that need no token: downloads, uploads and monitors; and Graph's own long-running operation."""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from conftest import Client

_ITEMS = "/v1.0/drives/d/items"


def place(client: Client, path: str, token: str) -> str:
    """Where Graph sends a client that asks for ``path``."""
    answer = client.send("GET", path, token)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def test_a_download_leads_to_another_host(client: Client) -> None:
    token = client.operator_token()
    address = place(client, f"{_ITEMS}/readme.txt/content", token)
    assert address.startswith(client.emulator.urls.storage)
    assert client.get(address).text == "Nothing in here is real.\n"
    whole = client.get(f"{_ITEMS}/readme.txt", token).json()
    assert whole["@microsoft.graph.downloadUrl"] == address
    assert whole["size"] == 25
    assert client.get(f"{_ITEMS}/nothing", token).status_code == 404
    assert client.emulator.tokens_at_strangers() == []


def test_a_token_is_refused_there_and_noticed(client: Client) -> None:
    token = client.operator_token()
    address = place(client, "/v1.0/reports/getUsers", token)
    assert client.get(address, token).status_code == 401
    assert [entry["listener"] for entry in client.emulator.tokens_at_strangers()] == ["storage"]
    assert client.get(address).text.startswith("Report Date,")
    assert client.get(f"{address[:-1]}x").status_code == 403
    assert client.get(address.replace("report.csv", "readme.txt")).status_code == 403


def test_any_size_and_any_part_of_it(client: Client) -> None:
    token = client.operator_token()
    huge = place(client, f"{_ITEMS}/zeros-3000000000.bin/content", token)
    with client.session.get(huge, stream=True, timeout=60) as answer:
        assert answer.headers["Content-Length"] == "3000000000"
    small = place(client, f"{_ITEMS}/zeros-100000.bin/content", token)
    part = client.get(small, headers={"Range": "bytes=99990-"})
    assert (part.status_code, part.content) == (206, bytes(10))
    assert part.headers["Content-Range"] == "bytes 99990-99999/100000"


def test_uploads_in_one_piece(client: Client) -> None:
    token = client.operator_token()
    for status, content in ((201, b"one"), (200, b"another")):
        answer = client.send("PUT", f"{_ITEMS}/new.bin/content", token, data=content)
        assert (answer.status_code, answer.json()["size"]) == (status, len(content))
    assert client.get(f"{_ITEMS}/new.bin/content", token).content == b"another"
    assert client.send("DELETE", f"{_ITEMS}/new.bin", token).status_code == 204
    assert client.get(f"{_ITEMS}/new.bin", token).status_code == 404
    assert client.emulator.requests(path=f"{_ITEMS}/new.bin/content", method="PUT")[0]["length"] == 3


def test_uploads_piece_by_piece(client: Client) -> None:
    token = client.operator_token()
    address = client.send("POST", f"{_ITEMS}/big.bin/createUploadSession", token).json()["uploadUrl"]

    def put(piece: bytes, where: str, token: str | None = None) -> tuple[int, t.Any]:
        answer = client.send("PUT", address, token, {"Content-Range": f"bytes {where}"}, data=piece)
        return answer.status_code, answer.json().get("nextExpectedRanges")

    assert put(b"abc", "0-2/5", token)[0] == 401
    assert put(b"abc", "0-2/5") == (202, ["3-"])
    assert put(b"abc", "0-2/5")[0] == 416
    assert put(b"abc", "3-4/5")[0] == 400
    assert client.get(address).json()["nextExpectedRanges"] == ["3-"]
    assert put(b"de", "3-4/5")[0] == 201
    assert client.get(address).status_code == 404
    assert client.get(f"{_ITEMS}/big.bin/content", token).content == b"abcde"
    address = client.send("POST", f"{_ITEMS}/big.bin/createUploadSession", token).json()["uploadUrl"]
    assert [client.send("DELETE", address).status_code for _dummy in "ab"] == [204, 404]


@pytest.mark.parametrize(("result", "status"), [("Succeeded", "completed"), ("Failed", "failed")])
def test_a_copy_is_watched_without_a_token(client: Client, result: str, status: str) -> None:
    client.emulator.configure(operation_polls=1, operation_retry_after=4, operation_result=result)
    token = client.operator_token()
    begun = client.send("POST", f"{_ITEMS}/readme.txt/copy", token, json={"name": "copy.txt"})
    monitor = begun.headers["Location"]
    assert (begun.status_code, begun.headers["Retry-After"]) == (202, "4")
    assert client.get(monitor, token).status_code == 401
    running, done = client.get(monitor), client.get(monitor)
    assert (running.status_code, running.json()["status"], running.headers["Retry-After"]) == (202, "inProgress", "4")
    assert (done.status_code, done.json()["status"], "Retry-After" in done.headers) == (200, status, False)
    there = client.get(f"{_ITEMS}/copy.txt", token).status_code
    assert there == (200 if result == "Succeeded" else 404)
    assert client.get(monitor.replace("/monitor/", "/monitor/x")).status_code == 403


@pytest.mark.parametrize(("result", "status"), [("Succeeded", "succeeded"), ("Failed", "failed")])
def test_a_team_takes_its_time(client: Client, result: str, status: str) -> None:
    client.emulator.configure(operation_polls=1, operation_result=result)
    token = client.operator_token()
    begun = client.send("POST", "/v1.0/teams", token, json={"displayName": "Team"})
    assert (begun.status_code, begun.headers["Location"][:8]) == (202, "/teams('")
    polls = [client.get(f"/v1.0{begun.headers['Location']}", token) for _dummy in range(2)]
    assert [poll.json()["status"] for poll in polls] == ["inProgress", status]
    assert [poll.headers.get("Retry-After") for poll in polls] == ["0", None]
    error = polls[1].json()["error"]
    assert (error and error["code"]) == (None if result == "Succeeded" else "AllocationFailed")
    assert client.get("/v1.0/teams('x')/operations('y')", token).status_code == 404
