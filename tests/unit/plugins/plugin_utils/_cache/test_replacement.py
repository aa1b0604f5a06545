# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file is replaced as a whole or not at all, and a disk that is full says so before the content exists."""

from __future__ import annotations

import errno
import os
import stat
import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import Directory
from ansible_collections.entra.auth.plugins.plugin_utils._cache.replacement import Replacement

if t.TYPE_CHECKING:
    import pathlib


@pytest.fixture(autouse=True)
def generous_umask() -> t.Iterator[None]:
    """Modes have to be right by themselves."""
    before = os.umask(0)
    yield
    os.umask(before)


def list_names(directory: pathlib.Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("durably", [False, True])
def test_a_file_is_replaced_by_one_for_its_owner_alone(exists: bool, durably: bool, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "entry"
    if exists:
        path.write_text("longer than the new one")
        path.chmod(0o644)
    directory = Directory(str(tmp_path))
    with Replacement(directory, "entry", "entry.new") as replacement:
        assert stat.S_IMODE((tmp_path / "entry.new").stat().st_mode) == 0o600
        (replacement.commit_durably if durably else replacement.commit)(b"new")
        assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list_names(tmp_path) == ["entry"]


def test_the_modification_time_is_set_with_the_content(tmp_path: pathlib.Path) -> None:
    directory = Directory(str(tmp_path))
    with Replacement(directory, "entry", "entry.new") as replacement:
        replacement.commit(b"new", modified_on=4_000_000_000.5)
    assert (tmp_path / "entry").stat().st_mtime == 4_000_000_000.5


@pytest.mark.parametrize("ending", ["no commit", "failure"])
def test_nothing_changes_without_a_commit(ending: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "entry").write_text("old")
    directory = Directory(str(tmp_path))

    def replace() -> None:
        with Replacement(directory, "entry", "entry.new"):
            if ending == "failure":
                raise RuntimeError("inside")

    if ending == "failure":
        with pytest.raises(RuntimeError, match="inside"):
            replace()
    else:
        replace()
    assert (tmp_path / "entry").read_text() == "old"
    assert list_names(tmp_path) == ["entry"]


def test_what_a_killed_process_left_is_replaced(tmp_path: pathlib.Path) -> None:
    (tmp_path / "entry.new").write_text("half-writ")
    directory = Directory(str(tmp_path))
    with Replacement(directory, "entry", "entry.new") as replacement:
        replacement.commit(b"whole")
    assert (tmp_path / "entry").read_bytes() == b"whole"
    assert list_names(tmp_path) == ["entry"]


def test_a_symbolic_link_in_the_way_is_not_written_through(tmp_path: pathlib.Path) -> None:
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "entry.new").symlink_to(tmp_path / "victim")
    (tmp_path / "entry").symlink_to(tmp_path / "victim")
    directory = Directory(str(tmp_path))
    with Replacement(directory, "entry", "entry.new") as replacement:
        replacement.commit(b"new")
    assert (tmp_path / "victim").read_text() == "untouched"
    assert not (tmp_path / "entry").is_symlink()
    assert (tmp_path / "entry").read_bytes() == b"new"


def test_a_directory_that_is_replaced_does_not_get_the_file(tmp_path: pathlib.Path) -> None:
    """Another user renames it and puts a link to a directory of his choice in its place."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "elsewhere").mkdir()
    directory = Directory(str(tmp_path / "cache"))
    with Replacement(directory, "entry", "entry.new") as replacement:
        (tmp_path / "cache").rename(tmp_path / "moved")
        (tmp_path / "cache").symlink_to("elsewhere")
        replacement.commit_durably(b"ours")
    assert list_names(tmp_path / "elsewhere") == []
    assert (tmp_path / "moved" / "entry").read_bytes() == b"ours"


def test_a_directory_that_is_gone_is_known_at_once(tmp_path: pathlib.Path) -> None:
    (tmp_path / "cache").mkdir()
    directory = Directory(str(tmp_path / "cache"))
    (tmp_path / "cache").rmdir()
    with pytest.raises(OSError, match="No such file or directory"):
        Replacement(directory, "entry", "entry.new")


def test_a_reader_sees_the_old_or_the_new_content_and_nothing_else(tmp_path: pathlib.Path) -> None:
    contents = [bytes([letter]) * 100_000 for letter in b"abcdef"]
    directory = Directory(str(tmp_path))
    with Replacement(directory, "entry", "entry.new") as first:
        first.commit(contents[0])

    def write(channel: Channel) -> None:
        for content in contents * 5:
            with Replacement(directory, "entry", "entry.new") as replacement:
                replacement.commit(content)
        channel.say("done")

    seen = set()
    with Forked(write) as writer:
        while writer.is_silent():
            seen.add(directory.read("entry"))
        writer.hear()
    assert seen <= set(contents)


# --- room on the disk -------------------------------------------------------------------------------------------


def test_room_is_taken_before_the_content_exists_and_given_back_with_it(tmp_path: pathlib.Path) -> None:
    directory = Directory(str(tmp_path))
    with Replacement(directory, "entry", "entry.new", reserve_bytes=65536) as replacement:
        assert (tmp_path / "entry.new").stat().st_blocks * 512 >= 65536
        replacement.commit_durably(b"short")
    assert (tmp_path / "entry").read_bytes() == b"short"


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_known_at_once_and_nothing_is_left(
    reason: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(reason, os.strerror(reason))

    (tmp_path / "entry").write_text("old")
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    directory = Directory(str(tmp_path))
    with pytest.raises(OSError, match=os.strerror(reason)):
        Replacement(directory, "entry", "entry.new", reserve_bytes=10)
    assert list_names(tmp_path) == ["entry"]
    assert (tmp_path / "entry").read_text() == "old"


@pytest.mark.parametrize("system", ["file system without it", "no such function"])
def test_room_is_taken_by_writing_where_it_can_t_be_allocated(
    system: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    if system == "no such function":
        monkeypatch.delattr(os, "posix_fallocate")
    else:
        monkeypatch.setattr(os, "posix_fallocate", refuse)
    directory = Directory(str(tmp_path))
    with Replacement(directory, "entry", "entry.new", reserve_bytes=5000) as replacement:
        assert (tmp_path / "entry.new").stat().st_size == 5000
        replacement.commit(b"content")
    assert (tmp_path / "entry").read_bytes() == b"content"


def test_a_content_that_is_written_in_pieces_is_whole(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, content, offset: pwrite(file, content[:3], offset))
    directory = Directory(str(tmp_path))
    with Replacement(directory, "entry", "entry.new") as replacement:
        replacement.commit(b"0123456789")
    assert (tmp_path / "entry").read_bytes() == b"0123456789"


def test_a_durable_commit_has_the_content_on_the_disk_before_its_name(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash of the machine must not leave a name without its content, nor the old name after the return."""
    steps: list[str] = []
    directory = Directory(str(tmp_path))
    fsync, replace = os.fsync, os.replace

    def record_fsync(file: int) -> None:
        steps.append("directory" if file == directory.descriptor else "content")
        fsync(file)

    def record_replace(*names: str, **how: int) -> None:
        steps.append("name")
        replace(*names, **how)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    with Replacement(directory, "entry", "entry.new") as replacement:
        replacement.commit_durably(b"content")
    assert steps == ["content", "name", "directory"]
