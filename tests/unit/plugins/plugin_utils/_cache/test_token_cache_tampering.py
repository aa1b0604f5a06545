# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user who can write to a cache can cause a token request, and no token is served to another credential."""

from __future__ import annotations

import os
import typing as t

import pytest
from token_caches import KEY, NAME, Requested, Service, issue_token, open_cache, refuse_request, unpack

from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.redis_store import RedisStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Stores, open_stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import CacheKey

if t.TYPE_CHECKING:
    import pathlib

    from redis_server import RedisServer

    from ansible_collections.entra.auth.plugins.module_utils._token import Token

FORMAT = b"entra.auth cache 2\n"
WITH_METADATA = CacheKey(KEY.key, {"scope": "s", "client_id": "c"})
OTHER_TENANT = CacheKey(KEY.key.replace("/t\n", "/other\n"), WITH_METADATA.public_metadata)


@pytest.fixture(params=["run", "user", "redis"])
def stores(
    request: pytest.FixtureRequest, run_directory: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Stores:
    """The stores of each kind of cache."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return open_without_warning(
        request.getfixturevalue("redis_server").url if request.param == "redis" else request.param
    )


def open_without_warning(cache: str) -> Stores:
    return open_stores(cache, warn=pytest.fail)


@pytest.fixture
def entry(stores: Stores) -> bytes:
    """The entry for the key with metadata, which is served as it is."""
    open_cache(stores).get(WITH_METADATA, Service())
    content = stores.tokens.read(NAME)
    assert content
    assert is_served(stores)
    return content


def is_served(stores: Stores, key: CacheKey = WITH_METADATA, credential: str = "secret") -> bool:
    try:
        open_cache(stores, credential).get(key, refuse_request)
    except Requested:
        return False
    return True


def write(stores: Stores, content: bytes, name: str = NAME) -> None:
    stores.tokens.write(name, content, keep_seconds=3600)


def numbered(number: int) -> t.Callable[[], Token]:
    """A service that issues one token."""
    return lambda: issue_token(f"number-{number}")


# --- bytes ------------------------------------------------------------------------------------------------------


def parts(entry: bytes) -> dict[str, range]:
    """Where the parts of an entry lie."""
    metadata = entry.index(b"\n", len(FORMAT)) + 1
    ends = {
        "format": len(FORMAT),
        "metadata": metadata,
        "nonce": metadata + 12,
        "token": len(entry) - 16,
        "tag": len(entry),
    }
    starts = (0, *ends.values())
    return {name: range(start, end) for start, (name, end) in zip(starts, ends.items(), strict=False)}


@pytest.mark.parametrize("part", ["format", "metadata", "nonce", "token", "tag"])
def test_a_change_of_any_part_is_a_miss(part: str, stores: Stores, entry: bytes) -> None:
    positions = parts(entry)[part]
    assert len(positions) >= 12
    # All of them in memory by the tests of the seal; here some of each part, through the whole cache.
    for position in (positions[0], *positions[1:-1:7], positions[-1]):
        for change in (0x01, 0x80):
            tampered = bytearray(entry)
            tampered[position] ^= change
            write(stores, bytes(tampered))
            assert not is_served(stores), f"byte {position}"
    write(stores, entry)
    assert is_served(stores)


@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.5, 0.9, 1])
def test_a_truncated_entry_is_a_miss(share: float, stores: Stores, entry: bytes) -> None:
    write(stores, entry[: min(int(len(entry) * share), len(entry) - 1)])
    assert not is_served(stores)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (FORMAT, b"entra.auth cache 1\n"),
        (FORMAT, b"entra.auth cache 3\n"),
        (FORMAT, b""),
        (b'"scope": "s"', b'"scope": "other"'),
        (b'"scope": "s", ', b""),
        (b'"expires_at": "2', b'"expires_at": "9'),
        (b"{", b" {"),
    ],
)
def test_another_format_or_metadata_is_a_miss(old: bytes, new: bytes, stores: Stores, entry: bytes) -> None:
    assert old in entry
    write(stores, entry.replace(old, new, 1))
    assert not is_served(stores)


# --- whose it is ------------------------------------------------------------------------------------------------


def test_another_secret_is_served_nothing(stores: Stores, entry: bytes) -> None:
    assert not is_served(stores, credential="another secret")
    write(stores, entry, EntryCipher("another secret").derive_name(KEY.key))
    assert not is_served(stores, credential="another secret")


def test_another_tenant_is_served_nothing(stores: Stores, entry: bytes) -> None:
    assert not is_served(stores, OTHER_TENANT)
    write(stores, entry, EntryCipher("secret").derive_name(OTHER_TENANT.key))
    assert not is_served(stores, OTHER_TENANT)


def test_swapped_entries_are_misses(stores: Stores, entry: bytes) -> None:
    open_cache(stores).get(OTHER_TENANT, Service())
    other_name = EntryCipher("secret").derive_name(OTHER_TENANT.key)
    other = stores.tokens.read(other_name)
    assert other
    assert is_served(stores, OTHER_TENANT)
    write(stores, other)
    write(stores, entry, other_name)
    assert not is_served(stores)
    assert not is_served(stores, OTHER_TENANT)


def test_a_failure_is_not_taken_for_a_token(stores: Stores, entry: bytes) -> None:
    write(stores, EntryCipher("secret").encrypt(b'{"kind": "NetworkError"}', NAME))
    assert not is_served(stores)


# --- machines ---------------------------------------------------------------------------------------------------


@pytest.fixture
def machines(redis_server: RedisServer, tmp_path: pathlib.Path) -> list[Stores]:
    """The stores of two machines that share a Redis server."""
    runs = [DirectoryStore(str(tmp_path / name)) for name in ("here", "there")]
    return [Stores(RedisStore(redis_server.url), run) for run in runs]


def test_a_token_of_one_machine_is_found_by_the_other(machines: list[Stores]) -> None:
    here, there = machines
    for number in range(1, 5):
        assert unpack(open_cache(here).get(KEY, numbered(number), force=True)) == (f"number-{number}", "network")
        assert unpack(open_cache(there).get(KEY, refuse_request)) == (f"number-{number}", "cache")
        here, there = there, here


# --- files ------------------------------------------------------------------------------------------------------


def link(path: pathlib.Path) -> None:
    path.rename(f"{path}.moved")
    path.symlink_to(f"{path}.moved")


def replace_by_directory(path: pathlib.Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_pipe(path: pathlib.Path) -> None:
    path.unlink()
    os.mkfifo(path)


def give_away(path: pathlib.Path) -> None:
    os.chown(path, 65534, 65534)


# Only root can give a file away.
@pytest.mark.parametrize(
    "tamper", [link, replace_by_directory, replace_by_pipe, *([give_away] if os.geteuid() == 0 else [])]
)
def test_a_file_of_another_kind_or_user_is_a_miss(
    tamper: t.Callable[[pathlib.Path], None], run_directory: pathlib.Path
) -> None:
    stores = open_without_warning("run")
    open_cache(stores).get(WITH_METADATA, Service())
    assert is_served(stores)
    tamper(run_directory / "entra_auth" / NAME)
    assert not is_served(stores)
