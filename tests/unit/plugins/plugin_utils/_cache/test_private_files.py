# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other users read no file of ours, no file of theirs is read, and no directory that they can replace is used."""

from __future__ import annotations

import grp
import os
import pathlib
import pwd
import stat
import threading
import types
import typing as t

import pytest
from processes import count_open_files

from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import (
    Directory,
    find_shared_parent,
    open_private_directory,
)

OTHER_UID = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@pytest.fixture(autouse=True)
def generous_umask() -> t.Iterator[None]:
    """Modes have to be right by themselves."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def as_other_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file belongs to another user than the process."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)


def get_mode(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_directory(path: pathlib.Path) -> Directory:
    return open_private_directory(str(path), setting="XDG_CACHE_HOME")


def get_refusal(path: pathlib.Path) -> str:
    with pytest.raises(OSError, match="The cache directory") as refused:
        open_directory(path)
    return str(refused.value.strerror)


# --- directories ------------------------------------------------------------------------------------------------


def test_a_missing_directory_is_created_for_its_owner_alone_and_so_are_those_above_it(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "above" / "cache"
    open_directory(path)
    assert get_mode(path) == 0o700
    assert get_mode(path.parent) == 0o700


def test_a_private_directory_is_kept_with_its_content(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "cache"
    path.mkdir(0o700)
    (path / "entry").write_text("kept")
    assert open_directory(path).read("entry") == b"kept"


def test_a_directory_that_another_process_creates_first_is_used(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cache"
    mkdir = os.mkdir

    def create_twice(name: str, mode: int) -> None:
        mkdir(name, mode)
        mkdir(name, mode)

    monkeypatch.setattr(os, "mkdir", create_twice)
    assert open_directory(path).path == str(path)


@pytest.mark.parametrize("bits", [0o750, 0o701, 0o777, 0o770, 0o704])
def test_a_directory_that_others_can_enter_is_refused(bits: int, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "cache"
    path.mkdir()
    path.chmod(bits)
    assert get_refusal(path) == (
        f"The cache directory {path} is not a directory that belongs to this user alone. "
        f"To fix it: Remove it, or run: chmod 700 {path}, or set XDG_CACHE_HOME to another directory."
    )


def test_a_symbolic_link_to_a_private_directory_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "cache").symlink_to(tmp_path / "real")
    assert "is not a directory that belongs to this user alone" in get_refusal(tmp_path / "cache")


@needs_root
def test_a_directory_of_another_user_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "cache").mkdir(0o700)
    os.chown(tmp_path / "cache", OTHER_UID, OTHER_UID)
    assert "is not a directory that belongs to this user alone" in get_refusal(tmp_path / "cache")


@pytest.mark.parametrize("inside", ["", "below"])
def test_a_file_in_the_way_is_refused(inside: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "cache").write_text("")
    assert "belongs to this user alone" in get_refusal(tmp_path / "cache" / inside)


def test_a_directory_that_can_t_be_created_is_described_in_the_words_of_the_system() -> None:
    assert "can't be used: No such file or directory" in get_refusal(pathlib.Path("/proc/self/cache"))


def test_a_directory_without_write_permission_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "cache").mkdir(0o500)
    assert "can't be written to" in get_refusal(tmp_path / "cache")


# --- directories above ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bits", "is_shared"),
    [(0o777, True), (0o757, True), (0o707, True), (0o1777, False), (0o755, False), (0o700, False), (0o3777, False)],
)
@pytest.mark.parametrize("below", ["cache", "one/two/cache"])
def test_a_directory_in_which_other_users_can_rename_is_found(
    bits: int, is_shared: bool, below: str, tmp_path: pathlib.Path
) -> None:
    shared = tmp_path / "shared"
    (shared / below).mkdir(parents=True, mode=0o700)
    for path in [*shared.rglob("*")]:
        path.chmod(0o700)
    shared.chmod(bits)
    assert find_shared_parent(str(shared / below)) == (str(shared) if is_shared else None)


def test_a_directory_below_one_that_is_not_there_yet_is_checked_too(tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o777)
    assert find_shared_parent(str(tmp_path / "missing" / "cache")) == str(tmp_path)
    refusal = get_refusal(tmp_path / "missing" / "cache")
    assert f"can be replaced by other users, because they can write to {tmp_path}." in refusal
    assert f"Run: chmod go-w {tmp_path} (or, if users share it, chmod +t {tmp_path})" in refusal
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("group", "members", "is_shared"),
    [("root", [], False), ("me", [], False), ("me", ["me"], False), ("me", ["me", "you"], True), ("users", [], True)],
)
def test_a_group_counts_unless_it_is_the_user_s_own(
    group: str, members: list[str], is_shared: bool, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o770)
    lstat = os.lstat
    gid = 0 if group == "root" else 4711

    def lstat_with_group(path: str) -> t.Any:
        found = lstat(path)
        mine = {"st_mode": found.st_mode, "st_uid": found.st_uid, "st_gid": gid}
        return types.SimpleNamespace(**mine) if path == str(tmp_path) else found

    monkeypatch.setattr(os, "lstat", lstat_with_group)
    monkeypatch.setattr(grp, "getgrgid", lambda gid: types.SimpleNamespace(gr_name=group, gr_mem=members))
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: types.SimpleNamespace(pw_name="me"))
    assert find_shared_parent(str(tmp_path / "cache")) == (str(tmp_path) if is_shared else None)


def test_a_directory_of_another_user_above_is_found(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lstat = os.lstat

    def lstat_as_foreign(path: str) -> t.Any:
        found = lstat(path)
        foreign = types.SimpleNamespace(st_mode=found.st_mode, st_uid=OTHER_UID, st_gid=0)
        return foreign if path == str(tmp_path) else found

    monkeypatch.setattr(os, "lstat", lstat_as_foreign)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert find_shared_parent(str(tmp_path / "cache")) == str(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: OTHER_UID)
    assert find_shared_parent(str(tmp_path / "cache")) is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_shared_parent(str(tmp_path / "cache")) is None, "containers run as root in directories of others"


@pytest.mark.parametrize("shared", ["of the link", "of its target"])
def test_both_ends_of_a_symbolic_link_are_checked(shared: str, tmp_path: pathlib.Path) -> None:
    link, target = tmp_path / "a" / "link", tmp_path / "b" / "target"
    target.mkdir(parents=True)
    link.parent.mkdir()
    link.symlink_to(target)
    for path in (link.parent, target.parent, target):
        path.chmod(0o700)
    assert find_shared_parent(str(link / "cache")) is None
    found = link.parent if shared == "of the link" else target.parent
    found.chmod(0o777)
    assert find_shared_parent(str(link / "cache")) == str(found)


# --- held by a descriptor ---------------------------------------------------------------------------------------


def test_a_directory_that_is_replaced_is_not_followed(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "cache"
    path.mkdir(0o700)
    (path / "entry").write_text("ours")
    directory = open_directory(path)
    path.rename(tmp_path / "moved")
    path.mkdir(0o700)
    (path / "entry").write_text("planted")
    assert directory.read("entry") == b"ours"


def test_a_directory_is_closed_with_the_last_that_uses_it(tmp_path: pathlib.Path) -> None:
    before = count_open_files()
    directory = open_directory(tmp_path / "cache")
    assert count_open_files() == before + 1
    assert not os.get_inheritable(directory.descriptor)
    del directory
    assert count_open_files() == before
    get_refusal(pathlib.Path("/proc/self/cache"))
    assert count_open_files() == before


# --- reading ----------------------------------------------------------------------------------------------------


def test_a_file_of_ours_is_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "entry").write_bytes(b"content\x00")
    assert Directory(str(tmp_path)).read("entry") == b"content\x00"


def test_a_missing_file_is_none(tmp_path: pathlib.Path) -> None:
    assert Directory(str(tmp_path)).read("entry") is None


def test_no_more_than_a_mebibyte_is_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "entry").write_bytes(b"x" * (1024 * 1024 + 1))
    assert len(Directory(str(tmp_path)).read("entry") or b"") == 1024 * 1024


def test_a_symbolic_link_is_not_followed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / "entry").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic links"):
        Directory(str(tmp_path)).read("entry")


def test_a_file_of_another_user_is_not_read(tmp_path: pathlib.Path, as_other_user: None) -> None:
    (tmp_path / "entry").write_text("planted")
    with pytest.raises(PermissionError, match="not a regular file of this user"):
        Directory(str(tmp_path)).read("entry")


def test_a_directory_is_not_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "entry").mkdir()
    with pytest.raises(PermissionError, match="not a regular file of this user"):
        Directory(str(tmp_path)).read("entry")


def test_a_pipe_makes_no_reader_wait(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "entry")
    seen: list[object] = []

    def read() -> None:
        try:
            seen.append(Directory(str(tmp_path)).read("entry"))
        except OSError as exc:
            seen.append(exc)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(30)
    if reader.is_alive():  # release it, before the test fails
        os.close(os.open(tmp_path / "entry", os.O_RDWR | os.O_NONBLOCK))
        pytest.fail("reading a pipe waits for a writer")
    assert isinstance(seen[0], PermissionError)


@pytest.mark.parametrize("kind", ["file", "directory", "none"])
def test_reading_leaves_no_file_open(kind: str, tmp_path: pathlib.Path) -> None:
    if kind == "file":
        (tmp_path / "entry").write_text("x")
    elif kind == "directory":
        (tmp_path / "entry").mkdir()
    directory = Directory(str(tmp_path))
    before = count_open_files()
    try:
        directory.read("entry")
    except OSError:
        assert kind == "directory"
    assert count_open_files() == before
