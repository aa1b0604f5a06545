# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store keeps names and bytes for a run, a user, or many machines; where that can't be, for the run."""

from __future__ import annotations

import contextlib
import os
import stat
import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import redis_store
from ansible_collections.entra.auth.plugins.plugin_utils._cache import stores as stores_module
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import (
    NoStore,
    get_run_secret,
    open_store,
    open_stores,
)

if t.TYPE_CHECKING:
    import pathlib

    from redis_server import RedisServer

    from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Store, Stores


def store_of(cache: str) -> Store:
    return open_stores(cache, warn=print).tokens


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


def test_the_secret_of_a_run_is_one_for_all_of_it(run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = get_run_secret()
    assert secret == get_run_secret()
    assert len(secret) >= 32
    (run_directory / "other").mkdir(0o700)
    monkeypatch.setattr(stores_module, "_RUN_DIRECTORY", str(run_directory / "other"))
    assert secret != get_run_secret()


def test_the_secret_of_a_run_is_one_for_processes_that_begin_together(run_directory: pathlib.Path) -> None:
    def ask(channel: Channel) -> None:
        channel.hear()
        channel.say(get_run_secret())

    with Forked(ask) as first, Forked(ask) as second, Forked(ask) as third:
        asking = (first, second, third)
        for process in asking:
            process.say("now")
        assert len({t.cast("str", process.hear()) for process in asking}) == 1


# --- a user's ---------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, run_directory: pathlib.Path) -> pathlib.Path:
    """The home of a user without a cache so far."""
    path = tmp_path / "home"
    path.mkdir(0o700)
    monkeypatch.setenv("HOME", str(path))
    return path


def put(cache: str) -> Stores:
    """The stores, with something in that of the tokens; nobody is warned."""
    stores = open_stores(cache, warn=pytest.fail)
    stores.tokens.write("name", b"content", keep_seconds=60)
    return stores


def test_the_store_of_a_user_outlives_the_run(home: pathlib.Path, run_directory: pathlib.Path) -> None:
    stores = put("user")
    directory = home / ".cache" / "entra_auth"
    assert (directory / "name").read_bytes() == b"content"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "name").stat().st_mode) == 0o600
    stores.run.write("failure", b"note", keep_seconds=60)
    assert [path.name for path in (run_directory / "entra_auth").iterdir()] == ["failure"]
    assert store_of("user").read("name") == b"content"


def test_the_store_of_a_user_lies_where_the_user_says(
    home: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches" / "below"))
    put("user")
    assert (tmp_path / "caches" / "below" / "entra_auth" / "name").exists()
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("place", ["", "caches", "./caches", "~/caches"])
def test_a_place_that_depends_on_where_one_is_does_not_count(
    place: str, home: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", place)
    monkeypatch.chdir(tmp_path)
    put("user")
    assert (home / ".cache" / "entra_auth" / "name").exists()


def test_the_store_of_a_user_is_swept(home: pathlib.Path) -> None:
    put("user")
    path = home / ".cache" / "entra_auth" / "name"
    os.utime(path, (1, 1))
    store_of("user").write("new", b"content", keep_seconds=60)
    assert [entry.name for entry in path.parent.iterdir()] == ["new"]


def spoil(directory: pathlib.Path, how: str) -> None:
    """Have something in the way of the user's cache."""
    directory.parent.mkdir(0o700)
    if how == "parent":
        directory.parent.rmdir()
        directory.parent.write_text("")
    elif how == "file":
        directory.write_text("")
    elif how == "symlink":
        (directory.parent / "real").mkdir(0o700)
        directory.symlink_to("real")
    else:
        directory.mkdir({"readable": 0o755, "unwritable": 0o500}.get(how, 0o700))
        if how == "foreign":
            os.chown(directory, 65534, 65534)


# Nobody but root can give a directory away.
SPOILT = ["parent", "file", "symlink", "readable", "unwritable", *(["foreign"] if os.geteuid() == 0 else [])]


@pytest.mark.parametrize("how", SPOILT)
def test_where_a_user_s_directory_is_not_private_the_run_s_is_used_with_a_warning(
    how: str, home: pathlib.Path, run_directory: pathlib.Path
) -> None:
    directory = home / ".cache" / "entra_auth"
    spoil(directory, how)
    warnings: list[str] = []
    stores = open_stores("user", warn=warnings.append)
    (warning,) = warnings
    assert warning.startswith(f"The cache for this run alone is used. The cache directory {directory} ")
    assert f"chmod 700 {directory}" in warning
    assert stores.tokens is stores.run
    stores.tokens.write("name", b"content", keep_seconds=60)
    assert (run_directory / "entra_auth" / "name").exists()
    assert not (directory / "name").exists()
    with pytest.raises(InputError, match=f"The cache can't be looked at. The cache directory {directory}"):
        open_store("user")


def test_a_home_that_can_t_be_written_is_told_in_the_words_of_the_system(
    run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/proc/self")
    warnings: list[str] = []
    assert open_stores("user", warn=warnings.append).tokens
    assert "can't be used: No such file or directory" in warnings[0]


# --- Redis ------------------------------------------------------------------------------------------------------


def test_tokens_are_shared_by_redis_and_failures_stay_with_the_run(
    redis_server: RedisServer, run_directory: pathlib.Path
) -> None:
    stores = put(redis_server.url)
    assert redis_server.contents() == {"entra.auth:name": b"content"}
    stores.run.write("failure", b"note", keep_seconds=60)
    assert [path.name for path in (run_directory / "entra_auth").iterdir()] == ["failure"]
    assert dict(open_store(redis_server.url).entries()) == {"name": b"content"}


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every URL that was connected to."""
    urls: list[str] = []
    connect = stores_module._connect

    def record(url: str, *settings: t.Any) -> Store:
        urls.append(url)
        return connect(url, *settings)

    monkeypatch.setattr(stores_module, "_connect", record)
    return urls


NOBODY = "redis://:hunter2@127.0.0.1:1/0"


def test_a_server_that_is_down_is_asked_once_for_all_and_told_in_the_same_words(
    run_directory: pathlib.Path, connected: list[str], later: t.Any
) -> None:
    warnings: list[str] = []
    for _dummy in range(3):
        stores = open_stores(NOBODY, warn=warnings.append)
        assert stores.tokens is stores.run
    assert connected == [NOBODY]
    assert len(warnings) == 3
    assert set(warnings) == {
        "The cache for this run alone is used. Redis can't be used: it could not be reached. "
        "To fix it: look at the URL in cache, and at the server."
    }
    later.seconds = 29
    open_stores(NOBODY, warn=warnings.append)
    assert connected == [NOBODY]
    later.seconds = 31
    open_stores(NOBODY, warn=warnings.append)
    assert connected == [NOBODY, NOBODY]
    for path in (run_directory / "entra_auth").iterdir():
        assert b"hunter2" not in path.read_bytes()


def test_another_server_is_not_taken_for_the_one_that_is_down(
    redis_server: RedisServer, run_directory: pathlib.Path
) -> None:
    open_stores(NOBODY, warn=lambda msg: None)
    put(redis_server.url)
    assert redis_server.contents() == {"entra.auth:name": b"content"}


@pytest.mark.parametrize("note", [b"", b"junk", b"\xff\xfe", b"soon for a reason", b"1"])
def test_a_damaged_note_of_a_lost_server_keeps_nobody_from_it(
    note: bytes, redis_server: RedisServer, run_directory: pathlib.Path
) -> None:
    store_of("run").write(stores_module._lost_name(redis_server.url), note, keep_seconds=60)
    put(redis_server.url)
    assert redis_server.contents() == {"entra.auth:name": b"content"}


def test_many_who_lose_it_at_once_do_not_get_into_each_other_s_way(run_directory: pathlib.Path) -> None:
    with store_of("run").lock(stores_module._lost_name(NOBODY), wait_seconds=0) as held:
        assert held
        stores = open_stores(NOBODY, warn=lambda msg: None)
    assert stores.run.read(stores_module._lost_name(NOBODY)) is None


def test_what_is_no_url_is_a_mistake_and_no_reason_to_fall_back(
    run_directory: pathlib.Path, connected: list[str]
) -> None:
    for _dummy in range(2):
        with pytest.raises(InputError, match="not a URL that redis-py understands"):
            open_stores("redis://host:port", warn=pytest.fail)
    assert len(connected) == 2


def test_a_missing_library_is_no_reason_to_fall_back(
    run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "HAS_REDIS", False)
    with pytest.raises(MissingLibraryError, match="redis"):
        open_stores(NOBODY, warn=pytest.fail)


def test_a_server_that_is_down_can_t_be_looked_at() -> None:
    with pytest.raises(InputError, match=r"The cache can't be looked at\. Redis can't be used: it could"):
        open_store(NOBODY)
