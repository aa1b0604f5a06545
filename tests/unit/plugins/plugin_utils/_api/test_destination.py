# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file is replaced by the whole content or not at all, and nothing else is left beside it."""

from __future__ import annotations

import errno
import gzip
import multiprocessing
import os
import resource
import signal
import stat
import threading
import typing as t

import pytest
from canned_server import CannedServer, answer, json_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api import destination as destination_module
from ansible_collections.entra.auth.plugins.plugin_utils._api.destination import (
    Destination,
    check_readable,
    open_source,
    parse_file_mode,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

if t.TYPE_CHECKING:
    import pathlib
    import socket

    from api_calls import ApiCaller

BINARY: t.Final = {"Content_Type": "application/octet-stream"}


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "files" / "kept.txt"
    path.parent.mkdir()
    path.write_text("as it was")
    return path


def assert_untouched(path: pathlib.Path) -> None:
    assert path.read_text() == "as it was"
    assert list(path.parent.iterdir()) == [path]


# --- what is written ----------------------------------------------------------------------------------------------


def test_the_content_replaces_the_file_with_its_mode(call: ApiCaller, path: pathlib.Path) -> None:
    path.chmod(0o644)
    with CannedServer(answer(200, b"\x00new", **BINARY)) as server:
        result = call(server, dest=str(path), mode="0640")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"\x00new", 0o640)
    assert (result["changed"], result["size"], result["dest"]) == (True, 4, str(path))
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_has_the_content_is_not_changed(call: ApiCaller, path: pathlib.Path) -> None:
    path.chmod(0o600)
    before = path.stat().st_ino
    with CannedServer(answer(200, b"as it was", **BINARY)) as server:
        assert call(server, dest=str(path))["changed"] is False
    assert path.stat().st_ino == before


def test_check_mode_writes_nothing(call: ApiCaller, path: pathlib.Path) -> None:
    with CannedServer(answer(200, b"new", **BINARY)) as server:
        assert call(server, check_mode=True, dest=str(path))["changed"] is True
    assert_untouched(path)


def test_a_symbolic_link_is_replaced_and_not_followed(call: ApiCaller, path: pathlib.Path) -> None:
    link = path.parent / "link"
    link.symlink_to(path)
    with CannedServer(answer(200, b"new", **BINARY)) as server:
        call(server, dest=str(link))
    assert (path.read_text(), link.is_symlink(), link.read_text()) == ("as it was", False, "new")


@pytest.mark.parametrize("has_nameless", [True, False])
def test_a_directory_that_becomes_a_link_leads_nowhere(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, has_nameless: bool
) -> None:
    """Another user who may rename the directory does it while the response is on its way."""
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / path.name).write_text("precious")
    if not has_nameless:
        monkeypatch.setattr(destination_module, "_link", lambda *_arguments: path.readlink())
    moved = path.parent.with_name("moved")
    with Destination(str(path), 0o600) as destination:
        destination.write(b"new")
        path.parent.rename(moved)
        path.parent.symlink_to(elsewhere)
        assert destination.commit(check_mode=False)["changed"] is True
    assert {file.name: file.read_text() for file in elsewhere.iterdir()} == {path.name: "precious"}
    assert {file.name: file.read_text() for file in moved.iterdir()} == {path.name: "new"}


@pytest.mark.parametrize("kind", ["pipe", "link to the same content", "endless"])
def test_what_another_user_put_there_is_not_read(path: pathlib.Path, kind: str) -> None:
    """A pipe would be waited for, and a file of 8 exabytes read."""
    path.unlink()
    target = path.parent / "target"
    target.write_text("new")
    target.chmod(0o600)
    if kind == "pipe":
        os.mkfifo(path, 0o600)
    elif kind == "endless":
        path.touch(0o600)
        os.truncate(path, 1 << 43)
    else:
        path.symlink_to(target)
    with Destination(str(path), 0o600) as destination:
        destination.write(b"new")
        assert destination.commit(check_mode=False)["changed"] is True
    assert (path.is_symlink(), path.read_text()) == (False, "new")


def test_a_listing_becomes_json_lines(call: ApiCaller, path: pathlib.Path) -> None:
    first = json_answer(200, {"value": ["\ud83d", "é"], "nextLink": "/p2"})
    with CannedServer(first, json_answer(200, {"value": [{"a": 1}]})) as server:
        assert call(server, dest=str(path))["count"] == 3
    assert path.read_bytes() == b'"\\ud83d"\n"\xc3\xa9"\n{"a":1}\n'


def test_json_that_is_not_a_listing_is_written_as_it_came(call: ApiCaller, path: pathlib.Path) -> None:
    with CannedServer(answer(200, '{"a":  1}', Content_Type="application/json")) as server:
        call(server, dest=str(path))
    assert path.read_text() == '{"a":  1}'


def test_only_the_last_of_several_responses_is_written(call: ApiCaller, path: pathlib.Path) -> None:
    cut = answer(200, b"the first half", **BINARY, Content_Length="99")
    with CannedServer(cut, answer(200, b"the whole", **BINARY)) as server:
        call(server, dest=str(path), retry_for=30)
    assert path.read_text() == "the whole"


# --- what is not written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (answer(304, ETag='"1"'), None),
        (json_answer(404, {"error": {"code": "NotFound"}}), {"error": {"code": "NotFound"}}),
        (answer(404, "gone", Content_Type="text/plain"), "gone"),
        (answer(404, "<h1>No</h1>", Content_Type="text/html"), None),
        (json_answer(404, {"value": [1]}), [1]),
        (answer(204), None),
        (json_answer(202, {"status": "Running"}), {"status": "Running"}),
        (answer(206, b"a part", Content_Type="text/plain"), "a part"),
    ],
)
def test_a_response_without_the_whole_content_is_returned_and_not_written(
    call: ApiCaller, path: pathlib.Path, response: bytes, result: t.Any
) -> None:
    statuses = [200, 202, 204, 206, 304, 404]
    with CannedServer(response) as server:
        returned = call(server, dest=str(path), status_code=statuses, headers={"If-None-Match": '"1"'})
    assert_untouched(path)
    assert (returned["changed"], returned["result"]) == (False, result)
    assert "dest" not in returned


@pytest.mark.parametrize("status", [202, 204, 205, 206])
def test_a_success_without_the_whole_content_is_a_failure_unless_it_is_named(
    call: ApiCaller, path: pathlib.Path, status: int
) -> None:
    response = answer(status, b"a part" if status == 206 else b"")
    with CannedServer(response) as server, pytest.raises(ApiError, match=f"responded with {status}") as failure:
        call(server, dest=str(path))
    assert f"add {status} to status_code" in failure.value.hint
    assert_untouched(path)


def test_a_page_that_breaks_off_leaves_the_file(call: ApiCaller, path: pathlib.Path) -> None:
    first = json_answer(200, {"value": [1], "nextLink": "/p2"})
    with CannedServer(first, json_answer(500, {})) as server, pytest.raises(ApiError, match="Page 2"):
        call(server, dest=str(path))
    assert_untouched(path)


def test_a_listing_too_large_for_a_page_is_told_how_to_get_to_its_file(call: ApiCaller, path: pathlib.Path) -> None:
    huge = answer(200, "{}", Content_Type="application/json", Content_Length=str(1 << 30))
    with CannedServer(huge) as server, pytest.raises(ApiError) as failure:
        call(server, dest=str(path))
    assert "paginate to false" in failure.value.hint
    assert_untouched(path)


def test_a_response_that_unpacks_to_far_more_than_was_sent_is_not_written(
    call: ApiCaller, path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destination_module, "_MAX_UNPACKED_BYTES", 1024 * 1024)
    bomb = answer(200, gzip.compress(bytes(4 * 1024 * 1024)), Content_Encoding="gzip", **BINARY)
    with CannedServer(bomb) as server, pytest.raises(EntraAuthError, match="unpacks to more than 100 times") as failure:
        call(server, dest=str(path))
    assert "Accept-Encoding" in failure.value.hint
    assert_untouched(path)


def test_a_response_that_is_packed_as_usual_is_unpacked(call: ApiCaller, path: pathlib.Path) -> None:
    content = os.urandom(1000) * 50
    with CannedServer(answer(200, gzip.compress(content), Content_Encoding="gzip", **BINARY)) as server:
        call(server, dest=str(path))
    assert path.read_bytes() == content


# --- disks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [("absent/x", "No such file or directory"), (".", "is a directory"), ("kept.txt/x", "Not a directory")],
)
def test_a_place_that_can_not_be_written_costs_no_request(
    call: ApiCaller, path: pathlib.Path, name: str, message: str
) -> None:
    with CannedServer(answer(200, b"x")) as server, pytest.raises(InputError, match=message):
        call(server, dest=str(path.parent / name))
    assert server.received == []


@pytest.mark.parametrize("kind", ["download", "listing", "json"])
def test_a_full_disk_is_named_and_leaves_nothing(call: ApiCaller, path: pathlib.Path, kind: str) -> None:
    content = "x" * 300_000
    response = {
        "download": answer(200, content, **BINARY),
        "listing": json_answer(200, {"value": [content]}),
        "json": json_answer(200, {"a": content}),
    }[kind]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with CannedServer(response) as server:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
            with pytest.raises(EntraAuthError, match=r"dest .*kept\.txt can't be written: File too large") as failure:
                call(server, dest=str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "Make room there" in failure.value.hint
    assert len(server.received) == 1
    assert_untouched(path)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_an_error_of_the_disk_names_dest(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with Destination(str(path), 0o600) as destination:
        destination.write(b"new")
        with pytest.raises(EntraAuthError, match=f"can't be written: {os.strerror(number)}"):
            destination.commit(check_mode=False)
    assert_untouched(path)


def test_a_file_system_without_nameless_files_is_written_too(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_any = os.open

    def refuse_nameless(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return open_any(name, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse_nameless)
    with Destination(str(path), 0o640) as destination:
        assert list(path.parent.iterdir()) == [path]
        destination.write(b"new")
        destination.commit(check_mode=False)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)
    assert list(path.parent.iterdir()) == [path]


def test_a_copy_that_fails_leaves_nothing(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: t.Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(destination_module, "_link", refuse)
    monkeypatch.setattr(destination_module.shutil, "copyfileobj", refuse)
    with Destination(str(path), 0o600) as destination:
        destination.write(b"new")
        with pytest.raises(EntraAuthError, match="No space left on device"):
            destination.commit(check_mode=False)
    assert_untouched(path)


# --- signals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_is_ended_leaves_nothing_beside_the_file(
    call: ApiCaller, path: pathlib.Path, number: signal.Signals
) -> None:
    is_read = threading.Event()
    may_end = threading.Event()

    def stop_halfway(connection: socket.socket) -> None:
        connection.sendall(answer(200, b"x" * 100_000, **BINARY, Content_Length="200000"))
        is_read.set()
        may_end.wait(60)

    with CannedServer(stop_halfway) as server:
        process = multiprocessing.get_context("fork").Process(target=call, args=(server,), kwargs={"dest": str(path)})
        process.start()
        assert is_read.wait(60)
        os.kill(t.cast("int", process.pid), number)
        process.join(60)
        may_end.set()
    assert process.exitcode
    assert_untouched(path)


# --- sources and modes --------------------------------------------------------------------------------------------


def test_a_file_to_send_is_checked_before_any_request(call: ApiCaller, tmp_path: pathlib.Path) -> None:
    with CannedServer(json_answer(200, {})) as server, pytest.raises(InputError, match="can't be read: Is a directory"):
        call(server, method="PUT", src=str(tmp_path))
    assert server.received == []


def test_a_file_that_is_gone_is_not_an_error_of_the_network(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match=r"src .*absent can't be read: No such file or directory"):
        open_source(str(tmp_path / "absent"))
    (tmp_path / "there").write_text("x")
    assert check_readable(str(tmp_path / "there")) == str(tmp_path / "there")


@pytest.mark.parametrize(("mode", "number"), [("0640", 0o640), ("600", 0o600), (0o755, 0o755)])
def test_a_mode_is_octal(mode: t.Any, number: int) -> None:
    assert parse_file_mode(mode) == number


@pytest.mark.parametrize("mode", ["u=rw", "0999", True, -1, 8**5, None, "6"])
def test_any_other_mode_is_refused(mode: t.Any) -> None:
    with pytest.raises(InputError, match="mode is not an octal file mode"):
        parse_file_mode(mode)
