# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory of files: private, replaced as a whole, and with locks of which no failure costs a token."""

from __future__ import annotations

import contextlib
import re
import stat
import time
import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.plugin_utils._cache import file_lock, replacement
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore

if t.TYPE_CHECKING:
    import pathlib


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "cache"


def open_store(directory: pathlib.Path) -> DirectoryStore:
    return DirectoryStore(str(directory))


def refuse(*_args: object, **_how: object) -> t.NoReturn:
    raise OSError(28, "No space left on device")


# --- entries ----------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_by_others_and_lasts_for_as_long_as_was_said(directory: pathlib.Path) -> None:
    open_store(directory).write("name", b"content", keep_seconds=3600)
    assert open_store(directory).read("name") == b"content"
    assert (directory / "name").stat().st_mtime == pytest.approx(time.time() + 3600, abs=30)
    assert stat.S_IMODE((directory / "name").stat().st_mode) == 0o600
    assert [path.name for path in directory.iterdir()] == ["name"]


def test_an_entry_is_replaced_as_a_whole(directory: pathlib.Path) -> None:
    store = open_store(directory)
    store.write("name", b"long content", keep_seconds=60)
    store.write("name", b"short", keep_seconds=60)
    assert store.read("name") == b"short"


@pytest.mark.parametrize("kind", ["missing", "directory", "symbolic link"])
def test_an_entry_that_can_t_be_read_is_none(kind: str, directory: pathlib.Path) -> None:
    store = open_store(directory)
    if kind == "directory":
        (directory / "name").mkdir()
    elif kind == "symbolic link":
        (directory / "name").symlink_to("/etc/hostname")
    assert store.read("name") is None


def test_callers_that_write_without_the_lock_do_not_disturb_each_other(
    directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller whose wait is over writes as well, in the middle of the write of another one."""
    store = open_store(directory)
    commit = replacement.Replacement.commit
    names: list[str] = []

    def commit_in_the_middle(self: replacement.Replacement, content: bytes, **how: t.Any) -> None:
        if content == b"first":
            names.extend(path.name for path in directory.iterdir())
            store.write("name", b"second", keep_seconds=60)
        commit(self, content, **how)

    monkeypatch.setattr(replacement.Replacement, "commit", commit_in_the_middle)
    store.write("name", b"first", keep_seconds=60)
    assert store.read("name") == b"first"
    assert re.fullmatch(r"name\.[0-9a-f]{8}\.new", names[0])
    assert [path.name for path in directory.iterdir()] == ["name"]


def test_a_directory_that_is_gone_has_no_entries_and_takes_none(directory: pathlib.Path) -> None:
    store = open_store(directory)
    directory.rmdir()
    assert store.read("name") is None
    with pytest.raises(FileNotFoundError):
        store.write("name", b"content", keep_seconds=60)


def test_a_directory_that_is_replaced_gets_nothing(directory: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Another user renames it and puts a link to a directory of his choice in its place."""
    store = open_store(directory)
    (tmp_path / "elsewhere").mkdir()
    directory.rename(tmp_path / "moved")
    directory.symlink_to("elsewhere")
    with store.lock("name", wait_seconds=0) as held:
        assert held
        store.write("name", b"content", keep_seconds=60)
    assert store.read("name") == b"content"
    assert list((tmp_path / "elsewhere").iterdir()) == []
    with pytest.raises(OSError, match="is not a directory that belongs to this user alone"):
        open_store(directory)


def test_a_refused_directory_says_which_setting_names_another_one(directory: pathlib.Path) -> None:
    directory.mkdir(0o755)
    with pytest.raises(OSError, match=re.escape("or set local_tmp in ansible.cfg (ANSIBLE_LOCAL_TEMP) to another")):
        open_store(directory)


# --- locks ------------------------------------------------------------------------------------------------------


def test_locks_of_different_names_are_apart(directory: pathlib.Path) -> None:
    store = open_store(directory)
    with contextlib.ExitStack() as stack:
        names = ("one", "two", "one")
        assert [stack.enter_context(store.lock(name, wait_seconds=0)) for name in names] == [True, True, False]


def test_the_lock_of_a_killed_process_makes_no_caller_wait(directory: pathlib.Path, clock: t.Any) -> None:
    store = open_store(directory)

    def hold(channel: Channel) -> None:
        with open_store(directory).lock("name", wait_seconds=0) as held:
            channel.say(held)
            channel.hear()

    with Forked(hold) as holder:
        assert holder.hear() is True
        holder.kill()
        with store.lock("name", wait_seconds=1000) as held:
            assert held
    assert clock.slept == []


@pytest.mark.parametrize("step", ["_open", "acquire"])
def test_a_lock_that_fails_makes_no_caller_wait_and_fails_no_call(
    step: str, directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch, clock: t.Any
) -> None:
    """The disk is full, or the file system has no locks."""
    store = open_store(directory)
    monkeypatch.setattr(file_lock.FileLock, step, refuse)
    with store.lock("name", wait_seconds=1000) as held:
        assert held
    assert clock.slept == []


def test_an_error_of_the_caller_is_not_taken_for_one_of_the_lock(directory: pathlib.Path) -> None:
    store = open_store(directory)

    def fail() -> None:
        with store.lock("name", wait_seconds=0):
            refuse()

    with pytest.raises(OSError, match="No space left"):
        fail()
    with store.lock("name", wait_seconds=0) as held:
        assert held
    assert [path.name for path in directory.iterdir()] == ["name.lock"]
