# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory of a user outlives the run, and only files of this collection are ever removed from it."""

from __future__ import annotations

import os
import pwd
import stat
import time
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._cache.user_store import UserStore, open_user_store

if t.TYPE_CHECKING:
    import pathlib

DAY = 86400
ONE, TWO, THREE = (letter * 40 for letter in "abc")


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The home of a user without a cache so far."""
    path = tmp_path / "home"
    path.mkdir(0o700)
    monkeypatch.setenv("HOME", str(path))
    return path


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "cache"


def list_names(directory: pathlib.Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


# --- where it is ------------------------------------------------------------------------------------------------


def test_it_is_in_the_home_directory(home: pathlib.Path) -> None:
    open_user_store().write(ONE, b"content", keep_seconds=60)
    directory = home / ".cache" / "entra_auth"
    assert (directory / ONE).read_bytes() == b"content"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / ONE).stat().st_mode) == 0o600
    assert open_user_store().read(ONE) == b"content"


def test_it_is_where_the_user_says(home: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches" / "below"))
    open_user_store().write(ONE, b"content", keep_seconds=60)
    assert (tmp_path / "caches" / "below" / "entra_auth" / ONE).exists()
    assert list_names(home) == set()


@pytest.mark.parametrize("caches", ["", "caches", "./caches", "~/caches"])
def test_a_relative_directory_is_ignored(
    caches: str, home: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", caches)
    monkeypatch.chdir(tmp_path)
    open_user_store().write(ONE, b"content", keep_seconds=60)
    assert (home / ".cache" / "entra_auth" / ONE).exists()


def test_a_user_without_home_and_entry_has_none(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container with a user ID that no file knows."""

    def raise_key_error(_uid: int) -> None:
        raise KeyError

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", raise_key_error)
    with pytest.raises(OSError, match=r"no home directory\. To fix it: Set HOME or XDG_CACHE_HOME to a directory\."):
        open_user_store()
    assert list_names(tmp_path) == set()


def test_a_directory_above_that_others_can_write_to_is_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared))
    with pytest.raises(OSError, match=f"they can write to {shared}.*or set XDG_CACHE_HOME to another directory"):
        open_user_store()
    assert list_names(shared) == set()
    shared.chmod(0o1777)
    open_user_store()
    assert list_names(shared) == {"entra_auth"}


# --- sweeping ---------------------------------------------------------------------------------------------------


def test_a_write_removes_what_expired_more_than_a_day_ago(directory: pathlib.Path) -> None:
    store = UserStore(str(directory))
    ages = {
        ONE: DAY + 60,
        f"{ONE}.lock": DAY + 60,
        f"{ONE}.0123abcd.new": DAY + 60,
        TWO: DAY - 60,
        f"{TWO}.lock": -3600,
    }
    for name, age in ages.items():
        (directory / name).write_bytes(b"x")
        os.utime(directory / name, (time.time() - age,) * 2)
    store.write(THREE, b"content", keep_seconds=60)
    assert list_names(directory) == {TWO, f"{TWO}.lock", THREE}


FOREIGN = ["notes", f"{ONE}.txt", f"{ONE[:-1]}", f"{ONE}0", ONE.upper(), f"{ONE}.new", f".{ONE}", "run", "id_rsa"]


def test_files_of_other_names_are_neither_removed_nor_listed(directory: pathlib.Path) -> None:
    store = UserStore(str(directory))
    for name in FOREIGN:
        (directory / name).write_bytes(b"theirs")
        os.utime(directory / name, (1, 1))
    store.write(ONE, b"content", keep_seconds=60)
    assert dict(store.list_entries()) == {ONE: b"content"}
    store.clear()
    assert list_names(directory) == set(FOREIGN)


def test_links_and_directories_are_not_followed(directory: pathlib.Path, tmp_path: pathlib.Path) -> None:
    store = UserStore(str(directory))
    (tmp_path / "outside").touch()
    os.utime(tmp_path / "outside", (1, 1))
    (directory / ONE).symlink_to("../outside")
    (directory / TWO).mkdir()
    os.utime(directory / TWO, (1, 1))
    store.write(THREE, b"content", keep_seconds=60)
    assert list_names(directory) == {ONE, TWO, THREE}
    assert dict(store.list_entries()) == {THREE: b"content"}
    store.clear()
    assert list_names(directory) == {TWO}
    assert (tmp_path / "outside").exists()


def test_a_directory_that_is_replaced_is_not_swept(directory: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Another user renames it during a request and puts a link to a directory of the victim in its place."""
    store = UserStore(str(directory))
    victim = tmp_path / "victim"
    victim.mkdir()
    for name in (ONE, f"{TWO}.lock", "notes"):
        (victim / name).touch()
        os.utime(victim / name, (1, 1))
    directory.rename(tmp_path / "moved")
    directory.symlink_to("victim")
    store.write(THREE, b"content", keep_seconds=60)
    store.clear()
    assert list_names(victim) == {ONE, f"{TWO}.lock", "notes"}
    assert list_names(tmp_path / "moved") == set()


def test_a_lock_in_use_is_not_swept(directory: pathlib.Path) -> None:
    store = UserStore(str(directory))
    with store.lock(ONE, wait_seconds=0):
        os.utime(directory / f"{ONE}.lock", (1, 1))
    with store.lock(ONE, wait_seconds=0):
        store.write(TWO, b"content", keep_seconds=60)
        assert (directory / f"{ONE}.lock").exists(), "its time is that of the last holder"


def test_a_directory_that_can_t_be_listed_fails_no_write(
    directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_how: object) -> t.NoReturn:
        raise PermissionError(13, "no")

    store = UserStore(str(directory))
    monkeypatch.setattr(os, "listdir", refuse)
    store.write(ONE, b"content", keep_seconds=60)
    assert store.read(ONE) == b"content"
    assert list(store.list_entries()) == []
    store.clear()


# --- looking after it -------------------------------------------------------------------------------------------


def test_all_entries_can_be_listed_and_cleared(directory: pathlib.Path) -> None:
    store = UserStore(str(directory))
    assert list(store.list_entries()) == []
    contents = {ONE: b"1", TWO: b"2", THREE: b"3"}
    for name, content in contents.items():
        with store.lock(name, wait_seconds=0):
            store.write(name, content, keep_seconds=60)
    assert dict(store.list_entries()) == contents
    store.clear()
    assert list(store.list_entries()) == []
    assert list_names(directory) == set()
