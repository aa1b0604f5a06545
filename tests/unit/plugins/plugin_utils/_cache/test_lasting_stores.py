# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stores that outlive a run: opened, told apart, and a server that is down costs the run one attempt."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import lasting_stores, redis_store
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.lasting_stores import open_redis_store, open_store
from ansible_collections.entra.auth.plugins.plugin_utils._cache.redis_store import RedisStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.user_store import UserStore

if t.TYPE_CHECKING:
    import pathlib

    from redis_server import RedisServer

    from ansible_collections.entra.auth.plugins.plugin_utils._cache.base import LastingStore

UNREACHABLE = "redis://:hunter2@127.0.0.1:1/0"
REASON = "Redis can't be used: it could not be reached. To fix it: Check the URL in cache, and the server."


@pytest.fixture
def run(tmp_path: pathlib.Path) -> DirectoryStore:
    return DirectoryStore(str(tmp_path / "run"))


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every URL that was connected to."""
    urls: list[str] = []
    connect = lasting_stores._connect

    def record(url: str) -> LastingStore:
        urls.append(url)
        return connect(url)

    monkeypatch.setattr(lasting_stores, "_connect", record)
    return urls


def get_reason(cache: str, run: DirectoryStore) -> str:
    with pytest.raises(OSError, match=r"\. To fix it: ") as lost:
        open_redis_store(cache, run)
    return str(lost.value.strerror)


def test_the_option_names_the_store(
    run: DirectoryStore, redis_server: RedisServer, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert isinstance(open_store("user"), UserStore)
    assert isinstance(open_store(redis_server.url), RedisStore)
    assert isinstance(open_redis_store(redis_server.url, run), RedisStore)


# --- a server that is down --------------------------------------------------------------------------------------


def test_it_is_connected_to_once_in_half_a_minute_and_described_in_the_same_words(
    run: DirectoryStore, connected: list[str], later: t.Any, tmp_path: pathlib.Path
) -> None:
    assert {get_reason(UNREACHABLE, run) for _dummy in range(3)} == {REASON}
    later.seconds = 29
    assert get_reason(UNREACHABLE, run) == REASON
    assert connected == [UNREACHABLE]
    later.seconds = 31
    assert get_reason(UNREACHABLE, run) == REASON
    assert connected == [UNREACHABLE, UNREACHABLE]
    for path in (tmp_path / "run").iterdir():
        assert b"hunter2" not in path.read_bytes()


def test_another_server_is_not_taken_for_it(redis_server: RedisServer, run: DirectoryStore) -> None:
    get_reason(UNREACHABLE, run)
    assert isinstance(open_redis_store(redis_server.url, run), RedisStore)


@pytest.mark.parametrize("note", [b"", b"junk", b"\xff\xfe", b"soon for a reason", b"1"])
def test_a_damaged_note_keeps_no_caller_from_the_server(
    note: bytes, redis_server: RedisServer, run: DirectoryStore
) -> None:
    run.write(lasting_stores._derive_note_name(redis_server.url), note, keep_seconds=60)
    assert isinstance(open_redis_store(redis_server.url, run), RedisStore)


def test_a_note_that_can_t_be_written_changes_nothing(
    run: DirectoryStore, connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_how: object) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "write", refuse)
    assert {get_reason(UNREACHABLE, run) for _dummy in range(2)} == {REASON}
    assert len(connected) == 2


# --- mistakes ---------------------------------------------------------------------------------------------------


def test_a_url_that_is_not_valid_is_an_error_for_each_caller(run: DirectoryStore, connected: list[str]) -> None:
    for _dummy in range(2):
        with pytest.raises(InputError, match="not a URL that redis-py understands"):
            open_redis_store("redis://host:port", run)
    assert len(connected) == 2


def test_a_missing_library_is_an_error(run: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "HAS_REDIS", False)
    with pytest.raises(MissingLibraryError, match="redis"):
        open_redis_store(UNREACHABLE, run)


def test_a_store_that_is_to_be_shown_has_to_be_usable(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError) as refused:
        open_store(UNREACHABLE)
    assert refused.value.message == "The cache can't be used. Redis can't be used: it could not be reached."
    assert refused.value.hint == "Check the URL in cache, and the server."
    (tmp_path / "entra_auth").mkdir(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(InputError, match="is not a directory that belongs to this user alone") as refused:
        open_store("user")
    assert f"chmod 700 {tmp_path}/entra_auth" in refused.value.hint
