# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secret of a run is created once, by whichever of its processes needs it first."""

from __future__ import annotations

import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import run_secret
from ansible_collections.entra.auth.plugins.plugin_utils._cache.file_lock import lock_file
from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import Directory
from ansible_collections.entra.auth.plugins.plugin_utils._cache.run_secret import create_run_secret

if t.TYPE_CHECKING:
    import pathlib


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> Directory:
    return Directory(str(tmp_path))


def test_a_secret_is_random_and_for_its_owner_alone(directory: Directory, tmp_path: pathlib.Path) -> None:
    one, two = create_run_secret(directory, "one"), create_run_secret(directory, "two")
    assert len({one, two}) == 2
    assert len(one) == len(two) == 64
    assert (tmp_path / "one").read_text() == one
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_first_one_counts(directory: Directory) -> None:
    assert create_run_secret(directory, "run") == create_run_secret(directory, "run")


def test_processes_that_begin_together_agree(directory: Directory) -> None:
    def ask(channel: Channel) -> None:
        channel.hear()
        channel.say(create_run_secret(directory, "run"))

    with Forked(ask) as first, Forked(ask) as second, Forked(ask) as third:
        processes = (first, second, third)
        for process in processes:
            process.say("now")
        assert len({t.cast("str", process.hear()) for process in processes}) == 1


def test_a_secret_that_can_t_be_stored_is_an_error_with_the_place_and_the_fix(
    directory: Directory, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_how: object) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_secret, "Replacement", refuse)
    with pytest.raises(InputError) as refused:
        create_run_secret(directory, "run")
    assert refused.value.message == f"The key of this run can't be stored in {tmp_path}: No space left on device."
    assert "ANSIBLE_LOCAL_TEMP" in refused.value.hint


def test_a_lock_that_is_never_released_is_an_error(directory: Directory, clock: t.Any) -> None:
    with lock_file(directory, "run.lock", wait_seconds=0), pytest.raises(InputError, match="locked it for too long"):
        create_run_secret(directory, "run")
    assert sum(clock.slept) == pytest.approx(30, abs=1)
