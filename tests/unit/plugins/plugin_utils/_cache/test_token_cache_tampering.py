# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever can write to a cache can have a token asked for anew, and nothing else: none is served that is not due."""

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
LABELLED = CacheKey(KEY.key, {"scope": "s", "client_id": "c"})
OTHER_TENANT = CacheKey(KEY.key.replace("/t\n", "/other\n"), LABELLED.public_metadata)


@pytest.fixture(params=["run", "user", "redis"])
def stores(
    request: pytest.FixtureRequest, run_directory: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Stores:
    """The stores of each kind of cache."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return opened(request.getfixturevalue("redis_server").url if request.param == "redis" else request.param)


def opened(cache: str) -> Stores:
    return open_stores(cache, warn=pytest.fail)


@pytest.fixture
def sealed(stores: Stores) -> bytes:
    """What lies there for the labelled subject, which is served as it is."""
    open_cache(stores).get(LABELLED, Service())
    content = stores.tokens.read(NAME)
    assert content
    assert is_served(stores)
    return content


def is_served(stores: Stores, subject: CacheKey = LABELLED, credential: str = "secret") -> bool:
    try:
        open_cache(stores, credential).get(subject, refuse_request)
    except Requested:
        return False
    return True


def lay(stores: Stores, content: bytes, name: str = NAME) -> None:
    stores.tokens.write(name, content, keep_seconds=3600)


def numbered(number: int) -> t.Callable[[], Token]:
    """A service that issues one token."""
    return lambda: issue_token(f"number-{number}")


# --- bytes ------------------------------------------------------------------------------------------------------


def parts(sealed: bytes) -> dict[str, range]:
    """Where the parts of an entry lie."""
    label = sealed.index(b"\n", len(FORMAT)) + 1
    ends = {"format": len(FORMAT), "label": label, "nonce": label + 12, "token": len(sealed) - 16, "tag": len(sealed)}
    starts = (0, *ends.values())
    return {name: range(start, end) for start, (name, end) in zip(starts, ends.items(), strict=False)}


@pytest.mark.parametrize("part", ["format", "label", "nonce", "token", "tag"])
def test_a_change_of_any_part_is_a_miss(part: str, stores: Stores, sealed: bytes) -> None:
    positions = parts(sealed)[part]
    assert len(positions) >= 12
    # All of them in memory by the tests of the seal; here some of each part, through the whole cache.
    for position in (positions[0], *positions[1:-1:7], positions[-1]):
        for change in (0x01, 0x80):
            tampered = bytearray(sealed)
            tampered[position] ^= change
            lay(stores, bytes(tampered))
            assert not is_served(stores), f"byte {position}"
    lay(stores, sealed)
    assert is_served(stores)


@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.5, 0.9, 1])
def test_a_truncated_entry_is_a_miss(share: float, stores: Stores, sealed: bytes) -> None:
    lay(stores, sealed[: min(int(len(sealed) * share), len(sealed) - 1)])
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
def test_another_format_or_label_is_a_miss(old: bytes, new: bytes, stores: Stores, sealed: bytes) -> None:
    assert old in sealed
    lay(stores, sealed.replace(old, new, 1))
    assert not is_served(stores)


# --- whose it is ------------------------------------------------------------------------------------------------


def test_a_wrong_secret_is_served_nothing(stores: Stores, sealed: bytes) -> None:
    assert not is_served(stores, credential="another secret")
    lay(stores, sealed, EntryCipher("another secret").derive_name(KEY.key))
    assert not is_served(stores, credential="another secret")


def test_another_tenant_is_served_nothing(stores: Stores, sealed: bytes) -> None:
    assert not is_served(stores, OTHER_TENANT)
    lay(stores, sealed, EntryCipher("secret").derive_name(OTHER_TENANT.key))
    assert not is_served(stores, OTHER_TENANT)


def test_swapped_entries_are_misses(stores: Stores, sealed: bytes) -> None:
    open_cache(stores).get(OTHER_TENANT, Service())
    other_name = EntryCipher("secret").derive_name(OTHER_TENANT.key)
    other = stores.tokens.read(other_name)
    assert other
    assert is_served(stores, OTHER_TENANT)
    lay(stores, other)
    lay(stores, sealed, other_name)
    assert not is_served(stores)
    assert not is_served(stores, OTHER_TENANT)


def test_a_failure_is_no_token(stores: Stores, sealed: bytes) -> None:
    lay(stores, EntryCipher("secret").encrypt(b'{"kind": "NetworkError"}', NAME))
    assert not is_served(stores)


# --- machines ---------------------------------------------------------------------------------------------------


@pytest.fixture
def machines(redis_server: RedisServer, tmp_path: pathlib.Path) -> list[Stores]:
    """The stores of two machines that share a Redis server."""
    runs = [DirectoryStore(str(tmp_path / name)) for name in ("here", "there")]
    return [Stores(RedisStore(redis_server.url), run) for run in runs]


def test_what_one_machine_renewed_serves_the_other(machines: list[Stores]) -> None:
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


# Nobody but root can give a file away.
@pytest.mark.parametrize(
    "tamper", [link, replace_by_directory, replace_by_pipe, *([give_away] if os.geteuid() == 0 else [])]
)
def test_what_is_no_file_of_the_user_is_a_miss(
    tamper: t.Callable[[pathlib.Path], None], run_directory: pathlib.Path
) -> None:
    stores = opened("run")
    open_cache(stores).get(LABELLED, Service())
    assert is_served(stores)
    tamper(run_directory / "entra_auth" / NAME)
    assert not is_served(stores)
