# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One holder at a time, who hangs nobody: neither when it ends, however it ends, nor when it never answers."""

from __future__ import annotations

import gc
import pathlib
import shutil
import stat
import time
import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.plugin_utils._cache.file_lock import FileLock, lock_file


def open_files() -> int:
    # What earlier tests have left must not be closed between two counts.
    gc.collect()
    return len(list(pathlib.Path("/proc/self/fd").iterdir()))


def test_a_lock_is_for_one_and_free_afterwards(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")
    with lock_file(path, wait_seconds=0) as first:
        with lock_file(path, wait_seconds=0) as second:
            assert first
            assert not second
        with lock_file(path, wait_seconds=0) as third:
            assert not third, "who did not get it has not freed it either"
    with lock_file(path, wait_seconds=0) as fourth:
        assert fourth
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


def test_who_waits_gives_up_in_time(tmp_path: pathlib.Path, clock: t.Any) -> None:
    path = str(tmp_path / "lock")
    with lock_file(path, wait_seconds=0), lock_file(path, wait_seconds=10) as held:
        assert not held
    assert 9 <= sum(clock.slept) <= 10.1
    assert max(clock.slept) <= 0.05


def test_a_lock_is_freed_by_an_exception(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")

    def fail() -> None:
        with lock_file(path, wait_seconds=0):
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    with lock_file(path, wait_seconds=0) as held:
        assert held


def hold(path: str) -> t.Callable[[Channel], None]:
    def work(channel: Channel) -> None:
        with lock_file(path, wait_seconds=0) as held:
            channel.say(bool(held))
            channel.hear()
        channel.say("freed")

    return work


def test_a_lock_holds_across_processes(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")
    with Forked(hold(path)) as holder:
        assert holder.hear() is True
        with lock_file(path, wait_seconds=0) as held:
            assert not held
        holder.say("let go")
        with lock_file(path, wait_seconds=30) as held:
            assert held
        assert holder.hear() == "freed"


def test_a_killed_holder_frees_its_lock(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")
    with Forked(hold(path)) as holder:
        assert holder.hear() is True
        holder.kill()
        with lock_file(path, wait_seconds=0) as held:
            assert held


def test_a_symlink_is_no_lock(tmp_path: pathlib.Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"), lock_file(str(tmp_path / "lock"), wait_seconds=0):
        pass
    assert not (tmp_path / "victim").exists()


# --- waiting ----------------------------------------------------------------------------------------------


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


def waited(clock: t.Any) -> t.Any:
    """What was waited, in seconds; the machine itself may take its time, too."""
    return pytest.approx(sum(clock.slept), abs=1.5)


def test_nobody_waits_who_does_not_want_to(tmp_path: pathlib.Path, clock: t.Any) -> None:
    path = str(tmp_path / "lock")
    with lock_file(path, wait_seconds=0), lock_file(path, wait_seconds=0) as held:
        assert not held
    assert clock.slept == []


# --- a directory that somebody clears ---------------------------------------------------------------------------


def test_who_waits_for_a_removed_lock_gets_the_one_that_takes_its_place(tmp_path: pathlib.Path, during: During) -> None:
    path = tmp_path / "lock"
    holder = FileLock(str(path))
    assert holder.acquire(wait_seconds=0)
    during.at(1, path.unlink)
    during.at(2, holder.close)
    before = open_files()
    with lock_file(str(path), wait_seconds=50) as held:
        assert held
        assert path.exists(), "the file that is locked is the one that others see"
        with lock_file(str(path), wait_seconds=0) as other:
            assert not other
    assert open_files() == before - 1, "the holder's"


def test_who_waited_for_a_removed_lock_does_not_share_its_successor(
    tmp_path: pathlib.Path, clock: t.Any, during: During
) -> None:
    path = tmp_path / "lock"
    first, second = FileLock(str(path)), None
    assert first.acquire(wait_seconds=0)

    def clear_and_lock_anew() -> None:
        nonlocal second
        path.unlink()
        second = FileLock(str(path))
        assert second.acquire(wait_seconds=0)
        first.close()

    during.at(1, clear_and_lock_anew)
    with lock_file(str(path), wait_seconds=10) as third:
        assert not third
    assert waited(clock) == 10
    assert second
    second.close()


def test_a_directory_that_goes_away_under_who_waits_is_told(tmp_path: pathlib.Path, during: During) -> None:
    directory = tmp_path / "cache"
    directory.mkdir()
    holder = FileLock(str(directory / "lock"))
    assert holder.acquire(wait_seconds=0)
    during.at(1, lambda: shutil.rmtree(directory))
    during.at(2, holder.close)
    before = open_files()
    with pytest.raises(FileNotFoundError), lock_file(str(directory / "lock"), wait_seconds=50):
        pass
    assert open_files() == before - 1, "the holder's"
