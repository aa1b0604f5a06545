# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option names a store; if that can't be used, the next one is, with a warning, and no task fails for it."""

from __future__ import annotations

import errno
import os
import stat
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import run_secret
from ansible_collections.entra.auth.plugins.plugin_utils._cache import stores as stores_module
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import (
    NoStore,
    get_entry_secret,
    get_run_secret,
    open_stores,
)

if t.TYPE_CHECKING:
    import pathlib

    from redis_server import RedisServer

UNREACHABLE = "redis://:hunter2@127.0.0.1:1/0"
NAME = "a" * 40


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, run_directory: pathlib.Path) -> pathlib.Path:
    """The home of a user without a cache so far."""
    path = tmp_path / "home"
    path.mkdir(0o700)
    monkeypatch.setenv("HOME", str(path))
    return path


def list_names(directory: pathlib.Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


# --- usable stores ----------------------------------------------------------------------------------------------


def test_the_store_of_a_run_is_in_the_directory_of_the_run(run_directory: pathlib.Path) -> None:
    stores = open_stores("run", warn=pytest.fail)
    assert stores.tokens is stores.run
    with stores.tokens.lock(NAME, wait_seconds=0) as held:
        assert held
        stores.tokens.write(NAME, b"content", keep_seconds=60)
    directory = run_directory / "entra_auth"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert list_names(directory) == {NAME, f"{NAME}.lock"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert open_stores("run", warn=pytest.fail).tokens.read(NAME) == b"content"


def test_without_a_cache_nothing_is_stored_and_no_caller_waits(run_directory: pathlib.Path) -> None:
    stores = open_stores("none", warn=pytest.fail)
    for store in (stores.tokens, stores.run):
        with store.lock(NAME, wait_seconds=0) as one, store.lock(NAME, wait_seconds=0) as two:
            assert (one, two) == (True, True)
            store.write(NAME, b"content", keep_seconds=60)
        assert store.read(NAME) is None
    assert list_names(run_directory) == set()


def test_the_store_of_a_user_has_tokens_and_that_of_the_run_the_failures(
    home: pathlib.Path, run_directory: pathlib.Path
) -> None:
    stores = open_stores("user", warn=pytest.fail)
    stores.tokens.write(NAME, b"content", keep_seconds=60)
    stores.run.write("failure", b"note", keep_seconds=60)
    assert list_names(home / ".cache" / "entra_auth") == {NAME}
    assert list_names(run_directory / "entra_auth") == {"failure"}


def test_redis_has_tokens_and_the_store_of_the_run_the_failures(
    redis_server: RedisServer, run_directory: pathlib.Path
) -> None:
    stores = open_stores(redis_server.url, warn=pytest.fail)
    stores.tokens.write(NAME, b"content", keep_seconds=60)
    stores.run.write("failure", b"note", keep_seconds=60)
    assert redis_server.contents() == {f"entra.auth:{NAME}": b"content"}
    assert list_names(run_directory / "entra_auth") == {"failure"}


# --- unusable stores --------------------------------------------------------------------------------------------


def spoil(directory: pathlib.Path, how: str) -> None:
    """Make a directory unusable as a cache."""
    directory.parent.mkdir(0o700, exist_ok=True)
    if how == "parent is a file":
        directory.parent.rmdir()
        directory.parent.write_text("")
    elif how == "file":
        directory.write_text("")
    elif how == "symbolic link":
        (directory.parent / "real").mkdir(0o700)
        directory.symlink_to("real")
    elif how == "shared parent":
        directory.parent.chmod(0o777)
    else:
        directory.mkdir({"readable": 0o755, "not writable": 0o500}.get(how, 0o700))
        if how == "foreign":
            os.chown(directory, 65534, 65534)


# Only root can give a directory away.
SPOILT = ["file", "symbolic link", "shared parent", "readable", "not writable"]
SPOILT += ["foreign"] if os.geteuid() == 0 else []


@pytest.mark.parametrize("how", [*SPOILT, "parent is a file"])
def test_an_unusable_user_directory_is_replaced_by_the_run_s_with_a_warning(
    how: str, home: pathlib.Path, run_directory: pathlib.Path
) -> None:
    directory = home / ".cache" / "entra_auth"
    spoil(directory, how)
    warnings: list[str] = []
    stores = open_stores("user", warn=warnings.append)
    (warning,) = warnings
    assert warning.startswith(f"The cache for this run alone is used. The cache directory {directory} ")
    assert "To fix it: " in warning
    assert stores.tokens is stores.run
    stores.tokens.write(NAME, b"content", keep_seconds=60)
    assert (run_directory / "entra_auth" / NAME).exists()
    assert not (directory / NAME).exists()


def test_a_server_that_is_down_is_replaced_by_the_run_s_store_with_a_warning(run_directory: pathlib.Path) -> None:
    warnings: list[str] = []
    stores = open_stores(UNREACHABLE, warn=warnings.append)
    assert isinstance(stores.tokens, DirectoryStore)
    assert stores.tokens is stores.run
    assert warnings == [
        "The cache for this run alone is used. Redis can't be used: it could not be reached. "
        "To fix it: Check the URL in cache, and the server."
    ]


@pytest.mark.parametrize("how", SPOILT)
def test_an_unusable_run_directory_is_a_warning_and_nothing_is_stored(how: str, run_directory: pathlib.Path) -> None:
    directory = run_directory / "entra_auth"
    spoil(directory, how)
    before = {path.name for path in run_directory.rglob("*")}
    warnings: list[str] = []
    stores = open_stores("run", warn=warnings.append)
    assert isinstance(stores.tokens, NoStore)
    assert isinstance(stores.run, NoStore)
    (warning,) = warnings
    assert warning.startswith(f"No cache is used for this run. The cache directory {directory} ")
    assert "ANSIBLE_LOCAL_TEMP" in warning
    assert {path.name for path in run_directory.rglob("*")} == before


def test_a_full_disk_is_a_warning(run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_how: object) -> t.NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "mkdir", refuse)
    warnings: list[str] = []
    assert isinstance(open_stores("run", warn=warnings.append).tokens, NoStore)
    assert "can't be used: No space left on device" in warnings[0]


def test_a_user_directory_is_used_without_one_of_the_run(
    home: pathlib.Path, run_directory: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    spoil(run_directory / "entra_auth", "readable")
    warnings: list[str] = []
    stores = open_stores("user", warn=warnings.append)
    stores.tokens.write(NAME, b"content", keep_seconds=60)
    assert isinstance(stores.run, NoStore)
    assert (home / ".cache" / "entra_auth" / NAME).exists()
    assert len(warnings) == 1
    assert warnings[0].startswith("Failures are not shared in this run. ")


def test_a_mistake_in_the_url_is_an_error(run_directory: pathlib.Path) -> None:
    with pytest.raises(InputError, match="not a URL that redis-py understands"):
        open_stores("redis://host:port", warn=pytest.fail)


# --- the secret of a run ----------------------------------------------------------------------------------------


def test_the_secret_of_a_run_is_one_for_all_of_it_and_needs_no_cache(
    run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = get_run_secret()
    assert len(secret) == 64
    assert get_run_secret() == secret
    for cache in ("none", "run"):
        run = open_stores(cache, warn=pytest.fail).run
        assert (get_entry_secret(run, warn=pytest.fail) == secret) is (cache == "run")
    other = run_directory / "other"
    other.mkdir(0o700)
    monkeypatch.setattr(stores_module, "_RUN_DIRECTORY", str(other))
    assert get_run_secret() != secret


def test_a_secret_that_was_created_is_only_read(run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = get_run_secret()
    monkeypatch.setattr(run_secret, "create_run_secret", lambda *_args: pytest.fail("created again"))
    assert get_run_secret() == secret


def test_without_a_store_each_secret_is_new() -> None:
    assert get_entry_secret(NoStore(), warn=pytest.fail) != get_entry_secret(NoStore(), warn=pytest.fail)


@pytest.mark.parametrize("how", SPOILT)
def test_a_secret_without_a_place_is_an_error(how: str, run_directory: pathlib.Path) -> None:
    spoil(run_directory / "entra_auth", how)
    with pytest.raises(InputError, match=r"The key of this run can't be stored\. The cache directory ") as refused:
        get_run_secret()
    assert "ANSIBLE_LOCAL_TEMP" in refused.value.hint


def test_entries_without_a_secret_are_a_warning(run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_how: object) -> t.NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    run = open_stores("run", warn=pytest.fail).run
    monkeypatch.setattr(run_secret, "Replacement", refuse)
    warnings: list[str] = []
    secrets = {get_entry_secret(run, warn=warnings.append) for _dummy in range(2)}
    assert len(secrets) == 2
    assert set(warnings) == {
        "The cache is not shared. The key of this run can't be stored in "
        f"{run_directory / 'entra_auth'}: No space left on device."
    }
