# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another user of the machine moves directories while a token is requested, and looks for what a stopped run leaves."""

from __future__ import annotations

import os
import resource
import signal
import threading
import typing as t

import pytest
from attacks.attacker import issue_attackers_token
from canned_server import CannedServer, answer
from channels import secrets
from leaks import Markers

from plays import wait_until

if t.TYPE_CHECKING:
    import socket
    from pathlib import Path

    from attacks.attacker import Attack, Received

AUTH: t.Final = "entra.auth.app_token"
_LONG_AGO: t.Final = 10 * 86400
_PATIENCE_SECONDS: t.Final = 300
_HALF_BYTES: t.Final = 32 << 20
_DOWNLOAD: t.Final = "/v1.0/drives/me/items/zeros-5000000.bin/content"


def make_precious(directory: Path) -> dict[str, bytes]:
    """A directory of the victim's with files that are old enough to be swept."""
    directory.mkdir(mode=0o700)
    names = ("letter.txt", "a" * 64, "0123456789abcdef" * 4, ".hidden", "run", "entry.lock")
    for name in names:
        path = directory / name
        path.write_bytes(b"precious")
        long_ago = path.stat().st_mtime - _LONG_AGO
        os.utime(path, (long_ago, long_ago))
    return read_all(directory)


def read_all(directory: Path) -> dict[str, bytes]:
    """The files below a directory by their names; a directory as an empty file."""
    found = {str(path.relative_to(directory)): path for path in directory.rglob("*")}
    return {name: path.read_bytes() if path.is_file() else b"" for name, path in found.items()}


@pytest.mark.parametrize("open_to_all", ["the directory", "its parent"])
@pytest.mark.parametrize("cache", ["user", "run"])
def test_no_file_is_removed_or_written_where_a_symlink_leads(attack: Attack, cache: str, open_to_all: str) -> None:
    """The directory of the cache becomes a symlink while the token is on its way."""
    precious = attack.directory / "precious"
    before = make_precious(precious)
    parent = attack.directory / "shared"
    place = parent / "cache"
    place.mkdir(parents=True)
    parent.chmod(0o777 if open_to_all == "its parent" else 0o755)
    place.chmod(0o777 if open_to_all == "the directory" else 0o700)

    def move(request: Received) -> bytes:
        entries = list(place.iterdir()) if open_to_all == "the directory" else [place]
        # Of the run's directory it is the one within that holds the cache.
        entries += list(place.glob("ansible-local-*/*")) if cache == "run" else []
        for path in reversed([path for path in entries if path.is_dir() and not path.is_symlink()]):
            path.rename(path.with_name(f"{path.name}-moved"))
            path.symlink_to(precious)
        return issue_attackers_token(request)

    server = attack.serve(move)
    attack.add_host("victim")
    variable = "XDG_CACHE_HOME" if cache == "user" else "ANSIBLE_LOCAL_TEMP"
    tasks = [{"name": f"Get {number}", AUTH: {"cache": cache}, "ignore_errors": True} for number in (1, 2)]
    env = {variable: str(place), "ENTRA_AUTH_AUTHORITY": server.url}
    play = attack.run(
        [{"tasks": [*tasks, {"name": "Clear", "entra.auth.app_token_cache": {}, "ignore_errors": True}]}], env=env
    )
    assert server.received, play.output
    assert read_all(precious) == before


def test_a_directory_that_becomes_a_link_does_not_lead_a_response_elsewhere(attack: Attack) -> None:
    """It is in a directory that others can write to: they rename it while the response is on its way."""
    precious, place = attack.directory / "precious", attack.directory / "shared" / "reports"
    precious.mkdir()
    (precious / "report.json").write_text("precious")
    place.mkdir(parents=True)
    place.parent.chmod(0o777)

    def move(_request: Received) -> bytes:
        place.rename(place.with_name("moved"))
        place.symlink_to(precious)
        return answer(200, "{}", Content_Type="application/octet-stream")

    server = attack.serve(move)
    attack.add_host("victim")
    save = {"url": "/v1.0/x", "dest": str(place / "report.json"), "api_base_url": server.url}
    play = attack.run([{"tasks": [{"name": "Save", "entra.auth.api_request": save, "ignore_errors": True}]}])
    assert server.received, play.output
    assert read_all(precious) == {"report.json": b"precious"}


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_stopped_download_leaves_no_part_of_the_answer(attack: Attack, ended_by: signal.Signals) -> None:
    """Neither under the name of the file nor under another beside it."""
    place = attack.directory / "downloads"
    place.mkdir()
    begun, let_go = threading.Event(), threading.Event()

    def send_half(connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {2 * _HALF_BYTES}\r\nContent-Type: application/x\r\n\r\n"
        # More than the buffers on the way hold, so it is with the client when all of it is sent.
        connection.sendall(head.encode() + bytes(_HALF_BYTES))
        begun.set()
        let_go.wait(_PATIENCE_SECONDS)

    task = {"name": "Download", "entra.auth.api_request": {"url": "/v1.0/x", "dest": f"{place}/file", "retry_for": 0}}
    playbook = attack.plays.write([{"tasks": [task]}], "download.yml")
    with CannedServer(send_half) as api:
        env = {"ENTRA_AUTH_API_BASE_URL": api.url}
        with attack.plays.start(playbook, env=env) as running:
            wait_until(begun.is_set)
            os.killpg(running._process.pid, ended_by)
            running.finish()
            let_go.set()
            running.wait_for_orphans()
    assert list(place.iterdir()) == []


def test_a_full_disk_leaves_no_part_of_the_answer(attack: Attack) -> None:
    """A file that was there stays as it was."""
    place = attack.directory / "downloads"
    place.mkdir()
    (place / "file").write_text("before")
    task = {
        "name": "Download",
        "entra.auth.api_request": {"url": _DOWNLOAD, "dest": f"{place}/file"},
        "ignore_errors": True,
    }
    attack.add_host("victim")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A file that grows beyond the limit fails to be written, as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        play = attack.run([{"tasks": [task]}])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    message = play.result("Download", "victim")["msg"]
    assert "To fix it" in message
    assert read_all(place) == {"file": b"before"}
    assert not Markers(secrets(attack.emulator)).in_text(play.output, "output")
