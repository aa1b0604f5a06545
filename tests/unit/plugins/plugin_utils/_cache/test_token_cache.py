# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token is requested once, found by every caller with the same credential, and by no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import typing as t

import pytest
from token_caches import HOUR, KEY, NAME, Service, open_cache, unpack

from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher, read_metadata
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import NoStore, open_stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import CacheKey

if t.TYPE_CHECKING:
    import pathlib

OTHER_KEY = CacheKey(KEY.key + "other")


@pytest.fixture
def store(tmp_path: pathlib.Path) -> DirectoryStore:
    return DirectoryStore(str(tmp_path / "cache"))


def test_a_token_is_requested_once_and_stored(store: DirectoryStore) -> None:
    service = Service()
    assert unpack(open_cache(store).get(KEY, service)) == ("token-1", "network")
    assert unpack(open_cache(store).get(KEY, service)) == ("token-1", "cache")
    assert service.requests == 1


def test_keys_and_secrets_are_apart(store: DirectoryStore) -> None:
    service = Service()
    tokens = [
        open_cache(store).get(KEY, service),
        open_cache(store).get(OTHER_KEY, service),
        open_cache(store, "other secret").get(KEY, service),
    ]
    assert [unpack(token) for token in tokens] == [(f"token-{number}", "network") for number in (1, 2, 3)]


def test_without_a_store_every_caller_requests_a_token() -> None:
    service = Service()
    tokens = [unpack(open_cache(NoStore()).get(KEY, service)) for _dummy in range(2)]
    assert tokens == [("token-1", "network"), ("token-2", "network")]


def test_nothing_in_the_store_reveals_a_token_a_key_or_a_secret(store: DirectoryStore, tmp_path: pathlib.Path) -> None:
    open_cache(store).get(KEY, Service())
    for path in (tmp_path / "cache").iterdir():
        content = path.read_bytes() + path.name.encode()
        assert not any(word in content for word in (b"token", b"login.test", b"secret", b"client"))


def test_public_metadata_can_be_read_with_the_expiry_and_only_if_it_is_wanted(store: DirectoryStore) -> None:
    service = Service()
    cached = open_cache(store).get(CacheKey(KEY.key, {"scope": "s", "client_id": "c"}), service)
    public = {"scope": "s", "client_id": "c", "expires_at": cached.token.expires_at}
    assert read_metadata(store.read(NAME) or b"") == public
    open_cache(store).get(KEY, service, force=True)
    assert read_metadata(store.read(NAME) or b"") == {}


@pytest.mark.parametrize(("lifetime", "kept"), [(1000, 1000), (1e12, 30 * 86400)])
def test_an_entry_lasts_as_long_as_its_token_and_a_month_at_most(
    lifetime: float, kept: float, store: DirectoryStore, tmp_path: pathlib.Path
) -> None:
    open_cache(store).get(KEY, Service(lifetime=lifetime))
    assert (tmp_path / "cache" / NAME).stat().st_mtime == pytest.approx(time.time() + kept, abs=30)


# --- damaged entries --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["empty", "junk", "flipped", "truncated", "symbolic link", "directory"])
def test_a_damaged_entry_is_a_miss(damage: str, store: DirectoryStore, tmp_path: pathlib.Path) -> None:
    open_cache(store).get(KEY, Service())
    path = tmp_path / "cache" / NAME
    content = path.read_bytes()
    if damage == "symbolic link":
        path.rename(f"{path}.moved")
        path.symlink_to(f"{path}.moved")
    elif damage == "directory":
        path.unlink()
        path.mkdir()
    else:
        flipped = bytes([content[-1] ^ 1])
        damaged = {"empty": b"", "junk": b"junk", "flipped": content[:-1] + flipped, "truncated": content[:-9]}
        path.write_bytes(damaged[damage])
    cached = open_cache(store, warn=lambda msg: None).get(KEY, Service())
    assert cached.source == "network"


# Fresh for a long time, so that only what is wrong with an entry can make it a miss.
WHOLE: dict[str, t.Any] = {"access_token": "a", "issued_on": 1e9, "expires_on": 9e9}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"[]",
        b"null",
        b"{}",
        json.dumps({"access_token": "a"}).encode(),
        json.dumps({"token": WHOLE}).encode(),
        json.dumps(WHOLE)[:-1].encode(),
        json.dumps({**WHOLE, "of_a_later_version": 1}).encode(),
        json.dumps({**WHOLE, "issued_on": "now"}).encode(),
        json.dumps({**WHOLE, "access_token": "not a token"}).encode(),
        json.dumps({**WHOLE, "access_token": None}).encode(),
    ],
    ids=lambda content: content[:60].decode(),
)
def test_an_entry_of_another_version_is_a_miss(content: bytes, store: DirectoryStore) -> None:
    cipher = EntryCipher("secret")
    for stored, source in ((json.dumps(WHOLE).encode(), "cache"), (content, "network")):
        store.write(NAME, cipher.encrypt(stored, NAME), keep_seconds=HOUR)
        assert open_cache(store).get(KEY, Service()).source == source


# --- warm path --------------------------------------------------------------------------------------------------

HIT = """
import json, sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
from ansible_collections.entra.auth.plugins.plugin_utils._cache import stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import CacheKey, TokenCache
stores._RUN_DIRECTORY, key = sys.argv[1:]
cache = TokenCache(
    stores.open_stores("run", warn=print), EntryCipher("secret"), min_validity=300, wait_seconds=0, warn=print
)
print(cache.get(CacheKey(key), None).source)
print(json.dumps([name for name in sys.modules if ".plugin_utils._cache." in name]))
"""


def test_a_hit_loads_only_what_reading_an_entry_needs(run_directory: pathlib.Path) -> None:
    """Each worker process of Ansible compiles every file again."""
    open_cache(open_stores("run", warn=pytest.fail)).get(KEY, Service())
    done = subprocess.run(
        [sys.executable, "-c", HIT, str(run_directory), KEY.key],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": "/usr/bin:/bin", "HOME": str(run_directory)},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    source, loaded = done.stdout.splitlines()[-2:]
    assert source == "cache"
    names = {name.rpartition(".")[2] for name in json.loads(loaded)}
    assert names == {"directory_store", "encryption", "private_files", "stores", "token_cache"}
