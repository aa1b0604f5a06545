# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One holder at a time, who hangs nobody: neither when it ends, however it ends, nor when it never answers."""

from __future__ import annotations

import stat
import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.plugin_utils._locks import lock_file

if t.TYPE_CHECKING:
    import pathlib


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
    assert 10 <= sum(clock.slept) <= 10.1
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
