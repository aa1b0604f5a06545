# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two clocks: the wall's, and one that nobody sets, where the system has one."""

from __future__ import annotations

import builtins
import io
import pathlib
import time
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils import _clock
from ansible_collections.entra.auth.plugins.module_utils._clock import Moment


def test_a_moment_is_told_by_both_clocks() -> None:
    before = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
    now = Moment.now()
    after = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
    assert now.uptime is not None
    assert before <= (now.epoch, now.uptime) <= after
    assert before[1] <= now.uptime <= after[1]
    assert now.boot_id == pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def test_setting_the_wall_s_clock_does_not_move_the_other(later: t.Any) -> None:
    before = Moment.now()
    later.wall = -5000
    now = Moment.now()
    assert now.epoch == pytest.approx(before.epoch - 5000, abs=60)
    assert now.uptime == pytest.approx(before.uptime, abs=60)
    assert now.boot_id == before.boot_id


def no_such_clock(_number: int) -> float:
    raise OSError(22, "Invalid argument")


def no_such_file(*_args: object, **_how: object) -> t.NoReturn:
    raise FileNotFoundError(2, "No such file or directory")


def opened(content: bytes) -> t.Callable[..., t.TextIO]:
    return lambda *_args, **how: io.TextIOWrapper(io.BytesIO(content), encoding=how["encoding"])


@pytest.mark.parametrize(
    ("owner", "name", "substitute"),
    [
        (time, "CLOCK_BOOTTIME", None),
        (time, "clock_gettime", None),
        (time, "clock_gettime", no_such_clock),
        (builtins, "open", no_such_file),
        (builtins, "open", opened(b"")),
        (builtins, "open", opened(b" \n")),
        (builtins, "open", opened(b"\xff")),
    ],
)
def test_without_one_of_its_parts_there_is_no_second_clock(
    owner: t.Any, name: str, substitute: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        if substitute is None:
            elsewhere.delattr(owner, name)
        else:
            elsewhere.setattr(owner, name, substitute)
        found = _clock._read_boot_id()
    assert found is None


def test_without_a_second_clock_a_moment_is_the_wall_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_clock, "_BOOT_ID", None)
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    now = Moment.now()
    assert (now.boot_id, now.uptime) == (None, None)
    assert now.epoch == pytest.approx(time.time(), abs=60)
