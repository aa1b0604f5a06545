# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nobody else reads our files, nobody else's files are read, and what is replaced is never seen half-written."""

from __future__ import annotations

import gc
import os
import pathlib
import stat
import threading
import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import (
    Replacement,
    ensure_private_directory,
    read_private_file,
)


@pytest.fixture(autouse=True)
def generous_umask() -> t.Iterator[None]:
    """Modes have to be right by themselves."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies about belongs to another user."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)


def open_files() -> int:
    # What earlier tests have left must not be closed between two counts.
    gc.collect()
    return len(list(pathlib.Path("/proc/self/fd").iterdir()))


def mode(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# --- directories ------------------------------------------------------------------------------------------------


def test_a_directory_is_made_for_its_owner_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "cache"
    ensure_private_directory(str(path))
    assert path.is_dir()
    assert mode(path) == 0o700


def test_a_directory_that_is_private_is_kept_with_what_is_in_it(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "cache"
    path.mkdir(0o700)
    (path / "entry").write_text("kept")
    ensure_private_directory(str(path))
    assert (path / "entry").read_text() == "kept"


@pytest.mark.parametrize("bits", [0o750, 0o701, 0o777, 0o770, 0o704])
def test_a_directory_others_can_get_into_is_refused(bits: int, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "cache"
    path.mkdir()
    path.chmod(bits)
    with pytest.raises(InputError, match="is not a directory that belongs to this user alone") as refused:
        ensure_private_directory(str(path))
    assert f"chmod 700 {path}" in str(refused.value.hint)


def test_a_symlink_to_a_private_directory_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "cache").symlink_to(tmp_path / "real")
    with pytest.raises(InputError, match="belongs to this user alone"):
        ensure_private_directory(str(tmp_path / "cache"))


def test_somebody_else_s_directory_is_refused(tmp_path: pathlib.Path, somebody_else: None) -> None:
    (tmp_path / "cache").mkdir(0o700)
    with pytest.raises(InputError, match="belongs to this user alone"):
        ensure_private_directory(str(tmp_path / "cache"))


@pytest.mark.parametrize("inside", ["", "/below"])
def test_a_file_in_the_way_is_refused(inside: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(InputError, match="can't be used: "):
        ensure_private_directory(f"{tmp_path}/cache{inside}")


# --- reading ----------------------------------------------------------------------------------------------------


def test_a_file_of_ours_is_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "entry").write_bytes(b"content\x00")
    assert read_private_file(str(tmp_path / "entry")) == b"content\x00"


def test_a_file_that_is_not_there_is_none(tmp_path: pathlib.Path) -> None:
    assert read_private_file(str(tmp_path / "entry")) is None


def test_a_symlink_is_not_followed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / "entry").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic links"):
        read_private_file(str(tmp_path / "entry"))


def test_somebody_else_s_file_is_not_read(tmp_path: pathlib.Path, somebody_else: None) -> None:
    (tmp_path / "entry").write_text("planted")
    with pytest.raises(PermissionError, match="not a regular file of this user"):
        read_private_file(str(tmp_path / "entry"))


def test_a_directory_is_not_read(tmp_path: pathlib.Path) -> None:
    with pytest.raises(PermissionError, match="not a regular file of this user"):
        read_private_file(str(tmp_path))


def test_a_pipe_does_not_make_anybody_wait(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "entry")
    seen: list[object] = []

    def read() -> None:
        try:
            seen.append(read_private_file(str(tmp_path / "entry")))
        except OSError as exc:
            seen.append(exc)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(30)
    if reader.is_alive():  # let it go, before the test fails
        os.close(os.open(tmp_path / "entry", os.O_RDWR | os.O_NONBLOCK))
        pytest.fail("reading a pipe waits for somebody to write to it")
    assert isinstance(seen[0], PermissionError)


@pytest.mark.parametrize("kind", ["file", "directory", "none"])
def test_reading_leaves_no_file_open(kind: str, tmp_path: pathlib.Path) -> None:
    if kind == "file":
        (tmp_path / "entry").write_text("x")
    elif kind == "directory":
        (tmp_path / "entry").mkdir()
    before = open_files()
    try:
        read_private_file(str(tmp_path / "entry"))
    except OSError:
        assert kind == "directory"
    assert open_files() == before


# --- replacing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there_before", [False, True])
def test_a_file_is_replaced_by_one_for_its_owner_alone(there_before: bool, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "entry"
    if there_before:
        path.write_text("old")
        path.chmod(0o644)
    with Replacement(str(path)) as replacement:
        assert mode(tmp_path / "entry.new") == 0o600
        replacement.commit(b"new")
        assert path.read_bytes() == b"new"
    assert mode(path) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["entry"]


def test_nothing_changes_without_a_commit(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "entry"
    path.write_text("old")
    with Replacement(str(path)):
        assert path.read_text() == "old"
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["entry"]


def test_nothing_changes_when_something_fails_meanwhile(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "entry"
    path.write_text("old")

    def fail() -> None:
        with Replacement(str(path)):
            raise RuntimeError("meanwhile")

    with pytest.raises(RuntimeError, match="meanwhile"):
        fail()
    assert [entry.name for entry in tmp_path.iterdir()] == ["entry"]


def test_what_a_killed_process_left_behind_is_swept_up(tmp_path: pathlib.Path) -> None:
    (tmp_path / "entry.new").write_text("half-writ")
    with Replacement(str(tmp_path / "entry")) as replacement:
        replacement.commit(b"whole")
    assert (tmp_path / "entry").read_bytes() == b"whole"
    assert [entry.name for entry in tmp_path.iterdir()] == ["entry"]


def test_a_symlink_left_in_the_way_is_not_written_through(tmp_path: pathlib.Path) -> None:
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "entry.new").symlink_to(tmp_path / "victim")
    (tmp_path / "entry").symlink_to(tmp_path / "victim")
    with Replacement(str(tmp_path / "entry")) as replacement:
        replacement.commit(b"new")
    assert (tmp_path / "victim").read_text() == "untouched"
    assert not (tmp_path / "entry").is_symlink()
    assert (tmp_path / "entry").read_bytes() == b"new"


def test_a_place_that_can_t_be_written_is_known_before_it_is_needed(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OSError, match="No such file or directory"):
        Replacement(str(tmp_path / "missing" / "entry"))


def test_a_reader_sees_the_old_or_the_new_content_and_nothing_else(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "entry")
    contents = [bytes([letter]) * 100_000 for letter in b"abcdef"]
    with Replacement(path) as first:
        first.commit(contents[0])

    def write(channel: Channel) -> None:
        for content in contents * 5:
            with Replacement(path) as replacement:
                replacement.commit(content)
        channel.say("done")

    seen = set()
    with Forked(write) as writer:
        while writer.is_silent():
            seen.add(read_private_file(path))
        writer.hear()
    assert seen <= set(contents)
