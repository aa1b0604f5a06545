# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory of files: private, bounded in time, and with locks that outlast neither a crash nor a hung holder."""

from __future__ import annotations

import os
import time
import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore

if t.TYPE_CHECKING:
    import pathlib

DAY = 86400


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "cache"


def store_in(directory: pathlib.Path, **how: bool) -> DirectoryStore:
    return DirectoryStore(str(directory), **how)


# --- files ------------------------------------------------------------------------------------------------------


def test_a_file_says_when_it_is_of_no_more_use(directory: pathlib.Path) -> None:
    store_in(directory).write("name", b"content", keep_seconds=3600)
    assert (directory / "name").stat().st_mtime == pytest.approx(time.time() + 3600, abs=30)


@pytest.mark.parametrize("sweeps", [False, True])
def test_only_a_store_that_sweeps_removes_what_has_long_been_of_no_use(sweeps: bool, directory: pathlib.Path) -> None:
    store = store_in(directory, sweeps=sweeps)
    ages = {"long-ago": DAY + 60, "long-ago.lock": DAY + 60, "lately": DAY - 60, "in-use": -3600}
    for name, age in ages.items():
        (directory / name).write_bytes(b"x")
        os.utime(directory / name, (time.time() - age,) * 2)
    (directory.parent / "outside").touch()
    os.utime(directory.parent / "outside", (1, 1))
    (directory / "link").symlink_to("../outside")
    (directory / "below").mkdir()
    store.write("new", b"content", keep_seconds=60)
    swept = {"long-ago", "long-ago.lock"} if sweeps else set()
    assert {path.name for path in directory.iterdir()} == {*ages, "link", "below", "new"} - swept


def test_a_lock_in_use_is_not_swept_up(directory: pathlib.Path) -> None:
    store = store_in(directory, sweeps=True)
    with store.lock("name", wait_seconds=0):
        os.utime(directory / "name.lock", (1, 1))
    with store.lock("name", wait_seconds=0):
        store.write("other", b"content", keep_seconds=60)
        assert (directory / "name.lock").exists(), "its time is that of the last holder"


def test_all_of_it_can_be_listed_and_cleared(directory: pathlib.Path) -> None:
    store = store_in(directory)
    assert list(store.entries()) == []
    contents = {"one": b"1", "two": b"2", "three": b"3"}
    for name, content in contents.items():
        store.write(name, content, keep_seconds=60)
    (directory / "link").symlink_to("/etc/hostname")
    (directory / "below").mkdir()
    assert dict(store.entries()) == contents
    store.clear()
    assert [path.name for path in directory.iterdir()] == ["below"]
    assert list(store.entries()) == []


def test_a_store_that_is_gone_has_nothing(directory: pathlib.Path) -> None:
    store = store_in(directory)
    directory.rmdir()
    assert store.read("name") is None
    assert list(store.entries()) == []
    store.clear()
    with pytest.raises(FileNotFoundError):
        store.write("name", b"content", keep_seconds=60)


def test_what_can_t_be_listed_or_dated_is_no_failure(directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_how: object) -> None:
        raise PermissionError(13, "no")

    store = store_in(directory, sweeps=True)
    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(os, "scandir", refuse)
    store.write("name", b"content", keep_seconds=60)
    assert store.read("name") == b"content"
    assert list(store.entries()) == []


# --- locks ------------------------------------------------------------------------------------------------------


def hold(directory: pathlib.Path, *, wait: float = 0) -> t.Callable[[Channel], None]:
    """A process that says whether it got the lock, and keeps it until it hears something."""

    def work(channel: Channel) -> None:
        with store_in(directory).lock("name", wait_seconds=wait) as held:
            channel.say(held)
            channel.hear()

    return work


def test_a_killed_holder_makes_nobody_wait(directory: pathlib.Path, clock: t.Any) -> None:
    store = store_in(directory)
    with Forked(hold(directory)) as holder:
        assert holder.hear() is True
        holder.kill()
        with store.lock("name", wait_seconds=1000) as held:
            assert held
    assert clock.slept == []


def test_nobody_waits_who_does_not_want_to(directory: pathlib.Path, clock: t.Any) -> None:
    with store_in(directory).lock("name", wait_seconds=0), store_in(directory).lock("name", wait_seconds=0) as held:
        assert not held
    assert clock.slept == []


def test_clearing_makes_nobody_wait_for_ever(directory: pathlib.Path) -> None:
    store = store_in(directory)
    with Forked(hold(directory)) as holder:
        assert holder.hear() is True
        with Forked(hold(directory, wait=30)) as waiting:
            assert waiting.is_silent()
            store.clear()
            holder.say("let go")
            assert waiting.hear() is True
            waiting.say("let go")
    with store.lock("name", wait_seconds=0) as held:
        assert held
