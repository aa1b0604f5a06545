# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One holder at a time; no lock outlives its process, and no caller waits longer than it wants."""

from __future__ import annotations

import os
import pathlib
import shutil
import stat
import time
import typing as t

import pytest
from processes import Channel, Forked, count_open_files

from ansible_collections.entra.auth.plugins.plugin_utils._cache.file_lock import FileLock, lock_file
from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import Directory


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> Directory:
    path = tmp_path / "cache"
    path.mkdir()
    return Directory(str(path))


def lock(directory: Directory, wait_seconds: float = 0) -> t.ContextManager[bool]:
    return lock_file(directory, "name.lock", wait_seconds=wait_seconds)


def path_of(directory: Directory) -> pathlib.Path:
    return pathlib.Path(directory.path) / "name.lock"


def test_a_lock_has_one_holder_and_is_free_afterwards(directory: Directory) -> None:
    with lock(directory) as first:
        with lock(directory) as second:
            assert first
            assert not second
        with lock(directory) as third:
            assert not third, "the second one, which did not get it, has released it"
    with lock(directory) as fourth:
        assert fourth
    assert stat.S_IMODE(path_of(directory).stat().st_mode) == 0o600


def test_a_lock_is_released_by_an_exception(directory: Directory) -> None:
    def fail() -> None:
        with lock(directory):
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    with lock(directory) as held:
        assert held


def test_the_time_of_the_file_is_that_of_its_last_holder(directory: Directory) -> None:
    path_of(directory).touch()
    os.utime(path_of(directory), (1, 1))
    with lock(directory):
        assert path_of(directory).stat().st_mtime == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("kind", ["symbolic link", "pipe"])
def test_a_file_of_another_kind_is_not_opened(kind: str, directory: Directory, tmp_path: pathlib.Path) -> None:
    if kind == "pipe":
        os.mkfifo(path_of(directory))
        with lock(directory) as held:
            assert held, "it makes no caller wait for a reader"
    else:
        path_of(directory).symlink_to(tmp_path / "victim")
        with pytest.raises(OSError, match="symbolic links"), lock(directory):
            pass
    assert not (tmp_path / "victim").exists()


def test_a_directory_that_is_replaced_gets_no_lock(directory: Directory, tmp_path: pathlib.Path) -> None:
    (tmp_path / "cache").rename(tmp_path / "moved")
    (tmp_path / "cache").mkdir()
    with lock(directory) as held:
        assert held
    assert list((tmp_path / "cache").iterdir()) == []
    assert (tmp_path / "moved" / "name.lock").exists()


# --- other processes --------------------------------------------------------------------------------------------


def hold(directory: Directory) -> t.Callable[[Channel], None]:
    def work(channel: Channel) -> None:
        with lock(directory) as held:
            channel.say(held)
            channel.hear()
        channel.say("released")

    return work


def test_a_lock_holds_across_processes(directory: Directory) -> None:
    with Forked(hold(directory)) as holder:
        assert holder.hear() is True
        with lock(directory) as held:
            assert not held
        holder.say("let go")
        with lock(directory, 30) as held:
            assert held
        assert holder.hear() == "released"


def test_the_lock_of_a_killed_process_is_free_at_once(directory: Directory, clock: t.Any) -> None:
    with Forked(hold(directory)) as holder:
        assert holder.hear() is True
        holder.kill()
        with lock(directory, 1000) as held:
            assert held
    assert clock.slept == []


def test_a_process_that_hangs_is_waited_for_as_long_as_the_caller_wants(directory: Directory, clock: t.Any) -> None:
    with Forked(hold(directory)) as holder:
        assert holder.hear() is True
        holder.freeze()
        with lock(directory, 10) as held:
            assert not held
        assert 9 <= sum(clock.slept) <= 10.1
        assert max(clock.slept) <= 0.05
        clock.slept.clear()
        with lock(directory) as held:
            assert not held
        assert clock.slept == []
        holder.thaw()
        holder.say("let go")


# --- a directory that is cleared --------------------------------------------------------------------------------


class During:
    """``time.sleep`` that does something once, when so many seconds were slept; sleeping takes no time."""

    def __init__(self, clock: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self._clock = clock
        self._due: list[tuple[float, t.Callable[[], object]]] = []
        monkeypatch.setattr(time, "sleep", self._sleep)

    def at(self, seconds: float, event: t.Callable[[], object]) -> None:
        """Have something happen."""
        self._due.append((seconds, event))

    def _sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        while self._due and sum(self._clock.slept) >= self._due[0][0]:
            self._due.pop(0)[1]()


@pytest.fixture
def during(clock: t.Any, monkeypatch: pytest.MonkeyPatch) -> During:
    return During(clock, monkeypatch)


def test_a_caller_that_waits_for_a_removed_lock_gets_its_successor(directory: Directory, during: During) -> None:
    holder = FileLock(directory, "name.lock")
    assert holder.acquire(wait_seconds=0)
    during.at(1, path_of(directory).unlink)
    during.at(2, holder.close)
    before = count_open_files()
    with lock(directory, 50) as held:
        assert held
        assert path_of(directory).exists(), "the file that is locked is the one that others see"
        with lock(directory) as other:
            assert not other
    assert count_open_files() == before - 1, "the holder's"


def test_a_caller_that_waited_for_a_removed_lock_does_not_share_its_successor(
    directory: Directory, clock: t.Any, during: During
) -> None:
    first, second = FileLock(directory, "name.lock"), None
    assert first.acquire(wait_seconds=0)

    def clear_and_lock_again() -> None:
        nonlocal second
        path_of(directory).unlink()
        second = FileLock(directory, "name.lock")
        assert second.acquire(wait_seconds=0)
        first.close()

    during.at(1, clear_and_lock_again)
    with lock(directory, 10) as third:
        assert not third
    assert sum(clock.slept) == pytest.approx(10, abs=1.5)
    assert second
    second.close()


def test_a_directory_that_is_removed_while_a_caller_waits_is_an_error(directory: Directory, during: During) -> None:
    holder = FileLock(directory, "name.lock")
    assert holder.acquire(wait_seconds=0)
    during.at(1, lambda: shutil.rmtree(directory.path))
    during.at(2, holder.close)
    before = count_open_files()
    with pytest.raises(FileNotFoundError), lock(directory, 50):
        pass
    assert count_open_files() == before - 1, "the holder's"
