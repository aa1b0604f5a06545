# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failure of one caller is known to the others of the run, to no one else, and for no longer than it holds."""

from __future__ import annotations

import json
import time
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    ErrorResponse,
    InputError,
    MissingLibraryError,
    NetworkError,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.failures import SharedFailures

if t.TYPE_CHECKING:
    import pathlib

ANSWER = ErrorResponse("invalid_client", "suberror", (7000215, 50000), "correlation", "trace", "2026-11-24 00:00:00Z")
REFUSED = TokenRequestRefused("Entra refused.", hint="Do.", response=ANSWER)


@pytest.fixture
def run(tmp_path: pathlib.Path) -> DirectoryStore:
    return DirectoryStore(str(tmp_path / "run"))


def failures(run: DirectoryStore, credential: str = "secret") -> SharedFailures:
    return SharedFailures(run, EntryCipher(credential))


def test_a_stored_failure_has_all_of_its_parts(run: DirectoryStore) -> None:
    failures(run).store("key", REFUSED, seconds=None)
    known = failures(run).load("key")
    assert known.__class__ is TokenRequestRefused
    assert (known.message, known.hint, known.response) == ("Entra refused.", "Do.", ANSWER)
    assert known.to_fields() == REFUSED.to_fields()
    assert known.from_cache
    assert not REFUSED.from_cache
    known.request_summary = "x"
    assert "Requested with x, once for the whole run (force_refresh requests again)." in str(known)


def test_a_stored_failure_has_its_type(run: DirectoryStore) -> None:
    failures(run).store("key", NetworkError("Away.", hint="Wait."), seconds=9)
    known = failures(run).load("key")
    assert known.__class__ is NetworkError
    assert known.response == ErrorResponse()


def test_failures_are_apart_by_key_and_by_secret(run: DirectoryStore) -> None:
    failures(run).store("key", REFUSED, seconds=None)
    assert failures(run).load("key2") is None
    assert failures(run, "other secret").load("key") is None


@pytest.mark.parametrize(
    "failure",
    [
        InputError("Bad.", hint="Correct it."),
        MissingLibraryError("No library.", hint="Install it."),
        EntraAuthError("On h001: something.", hint="Do."),
    ],
)
def test_a_failure_without_a_request_or_of_one_caller_is_not_shared(
    failure: EntraAuthError, run: DirectoryStore
) -> None:
    failures(run).store("key", failure, seconds=None)
    assert failures(run).load("key") is None


@pytest.mark.parametrize(("seconds", "holds", "passed"), [(30, 20, 30), (20.5, 0, 21), (None, 86400, 8 * 86400)])
def test_a_failure_holds_for_the_given_time(
    seconds: float | None, holds: float, passed: float, run: DirectoryStore, later: t.Any
) -> None:
    failures(run).store("key", REFUSED, seconds=seconds)
    later.seconds = holds
    assert failures(run).load("key")
    later.seconds = passed
    assert failures(run).load("key") is None


@pytest.mark.parametrize("wall", [-1e6, 1e6])
def test_a_changed_clock_changes_nothing(wall: float, run: DirectoryStore, later: t.Any) -> None:
    failures(run).store("key", REFUSED, seconds=30)
    later.wall = wall
    assert failures(run).load("key")
    later.seconds = 30
    assert failures(run).load("key") is None


def test_failures_before_a_moment_can_be_ignored(run: DirectoryStore) -> None:
    before = time.monotonic()
    failures(run).store("key", REFUSED, seconds=None)
    assert failures(run).load("key", since=before)
    assert failures(run).load("key", since=time.monotonic()) is None


def test_a_failure_from_before_a_boot_is_ignored(run: DirectoryStore, later: t.Any) -> None:
    later.seconds = 1e6
    failures(run).store("key", REFUSED, seconds=None)
    later.seconds = 0
    assert failures(run).load("key") is None


def test_a_later_failure_replaces_an_earlier_one(run: DirectoryStore) -> None:
    failures(run).store("key", REFUSED, seconds=None)
    failures(run).store("key", NetworkError("Away.", hint="Wait."), seconds=30)
    known = failures(run).load("key")
    assert known
    assert known.message == "Away."


def test_a_stored_failure_reveals_nothing_without_the_secret(run: DirectoryStore, tmp_path: pathlib.Path) -> None:
    failures(run).store("key of client", REFUSED, seconds=None)
    (path,) = (tmp_path / "run").iterdir()
    for word in (b"refused", b"invalid_client", b"correlation", b"client"):
        assert word not in path.read_bytes() + path.name.encode()


def encode_failure(**changes: t.Any) -> bytes:
    whole = {
        "kind": "TokenRequestRefused",
        "message": "m",
        "hint": None,
        "response": {"error": "e", "error_codes": []},
        "met_on": 0,
        "until": 1e12,
    }
    return json.dumps({name: value for name, value in {**whole, **changes}.items() if value != "left out"}).encode()


DAMAGES = [
    b"",
    b"junk",
    b"[]",
    b"null",
    b"{}",
    b"\xff",
    encode_failure(kind="SystemExit"),
    encode_failure(kind=["TokenRequestRefused"]),
    encode_failure(kind="left out"),
    encode_failure(response=None),
    encode_failure(response={"error_codes": None}),
    encode_failure(response={"error_codes": [], "of_a_later_version": 1}),
    encode_failure(met_on="now"),
    encode_failure(until=None),
    encode_failure(until="left out"),
]


@pytest.mark.parametrize("content", DAMAGES, ids=lambda content: content[:40].decode(errors="replace"))
def test_a_damaged_failure_is_ignored(content: bytes, run: DirectoryStore) -> None:
    known = failures(run)
    name = known._derive_name("key")
    run.write(name, EntryCipher("secret").encrypt(encode_failure(), name), keep_seconds=60)
    assert known.load("key"), "or the test could not fail"
    run.write(name, EntryCipher("secret").encrypt(content, name), keep_seconds=60)
    assert known.load("key") is None
    run.write(name, content, keep_seconds=60)
    assert known.load("key") is None


def test_a_failure_under_another_name_is_ignored(run: DirectoryStore, tmp_path: pathlib.Path) -> None:
    known = failures(run)
    known.store("key", REFUSED, seconds=None)
    (tmp_path / "run" / known._derive_name("key")).rename(tmp_path / "run" / known._derive_name("other"))
    assert known.load("other") is None


def test_a_failure_that_can_t_be_stored_raises_no_other_one(run: DirectoryStore, tmp_path: pathlib.Path) -> None:
    (tmp_path / "run").rmdir()
    failures(run).store("key", REFUSED, seconds=None)
    assert failures(run).load("key") is None


def test_a_removed_failure_is_not_loaded(run: DirectoryStore, tmp_path: pathlib.Path) -> None:
    failures(run).remove("key")
    assert list((tmp_path / "run").iterdir()) == []
    failures(run).store("key", REFUSED, seconds=None)
    failures(run).store("other", REFUSED, seconds=None)
    failures(run).remove("key")
    assert failures(run).load("key") is None
    assert failures(run).load("other")
    failures(run).store("key", REFUSED, seconds=None)
    assert failures(run).load("key")


def test_a_failure_that_can_t_be_removed_raises_no_other_one(
    run: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_how: object) -> None:
        raise OSError(28, "No space left on device")

    failures(run).store("key", REFUSED, seconds=None)
    monkeypatch.setattr(run, "write", full)
    failures(run).remove("key")
