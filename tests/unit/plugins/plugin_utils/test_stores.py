# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store keeps names and bytes for every process of a run, or nothing at all."""

from __future__ import annotations

import contextlib
import stat
import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._stores import NoStore, open_stores, secret_of_run

if t.TYPE_CHECKING:
    import pathlib

    from ansible_collections.entra.auth.plugins.plugin_utils._stores import Store


def store_of(cache: str) -> Store:
    return open_stores(cache, answer_within=30, warn=print).tokens


def test_the_store_of_a_run_lies_in_the_run_s_own_directory(run_directory: pathlib.Path) -> None:
    store = store_of("run")
    with store.lock("name", wait_seconds=0) as held:
        assert held
        store.write("name", b"content", keep_seconds=60)
    directory = run_directory / "entra_auth"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {entry.name for entry in directory.iterdir()} == {"name", "name.lock"}
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in directory.iterdir()} == {0o600}
    assert store_of("run").read("name") == b"content"


def test_a_store_others_can_read_is_refused(run_directory: pathlib.Path) -> None:
    (run_directory / "entra_auth").mkdir()
    (run_directory / "entra_auth").chmod(0o755)
    with pytest.raises(InputError, match="belongs to this user alone"):
        store_of("run")


def test_an_entry_that_is_not_there_is_none(tmp_path: pathlib.Path) -> None:
    assert DirectoryStore(str(tmp_path / "d")).read("name") is None


@pytest.mark.parametrize("kind", ["directory", "symlink"])
def test_an_entry_that_can_t_be_read_is_none(kind: str, tmp_path: pathlib.Path) -> None:
    store = DirectoryStore(str(tmp_path / "d"))
    if kind == "directory":
        (tmp_path / "d" / "name").mkdir()
    else:
        (tmp_path / "d" / "name").symlink_to("/etc/hostname")
    assert store.read("name") is None


def test_an_entry_is_replaced_as_a_whole(tmp_path: pathlib.Path) -> None:
    store = DirectoryStore(str(tmp_path / "d"))
    store.write("name", b"long content", keep_seconds=60)
    store.write("name", b"short", keep_seconds=60)
    assert store.read("name") == b"short"


def test_locks_of_different_names_are_apart(tmp_path: pathlib.Path) -> None:
    store = DirectoryStore(str(tmp_path / "d"))
    names = ("one", "two", "one")
    with contextlib.ExitStack() as stack:
        assert [stack.enter_context(store.lock(name, wait_seconds=0)) for name in names] == [True, True, False]


def test_no_store_keeps_nothing_and_makes_nobody_wait() -> None:
    store = store_of("none")
    assert isinstance(store, NoStore)
    with store.lock("name", wait_seconds=0) as one, store.lock("name", wait_seconds=0) as two:
        assert (one, two) == (True, True)
        store.write("name", b"content", keep_seconds=60)
    assert store.read("name") is None


def test_the_secret_of_a_run_is_one_for_all_of_it(tmp_path: pathlib.Path) -> None:
    directory = str(tmp_path / "d")
    secret = secret_of_run(DirectoryStore(directory), 0)
    assert secret == secret_of_run(DirectoryStore(directory), 0)
    assert len(secret) >= 32
    assert secret != secret_of_run(DirectoryStore(str(tmp_path / "other")), 0)


def test_the_secret_of_a_run_is_one_for_processes_that_begin_together(tmp_path: pathlib.Path) -> None:
    directory = str(tmp_path / "d")
    DirectoryStore(directory)

    def ask(channel: Channel) -> None:
        channel.hear()
        channel.say(secret_of_run(DirectoryStore(directory), 30))

    with Forked(ask) as first, Forked(ask) as second, Forked(ask) as third:
        asking = (first, second, third)
        for process in asking:
            process.say("now")
        assert len({t.cast("str", process.hear()) for process in asking}) == 1


def test_without_a_store_each_secret_is_new() -> None:
    assert secret_of_run(NoStore(), 0) != secret_of_run(NoStore(), 0)
