# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The newest refresh token is never lost, never redeemed by two at once, and opens the cache for its holder alone."""

from __future__ import annotations

import os
import pathlib
import stat
import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import DirectoryStore, NoStore
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.refresh_tokens import (
    RefreshTokenFile,
    RefreshTokenStore,
    open_refresh_token_store,
)


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "refresh_token"


@pytest.fixture
def store(tmp_path: pathlib.Path) -> DirectoryStore:
    return DirectoryStore(str(tmp_path / "cache"))


def given(refresh_token: str, store: DirectoryStore, wait: float = 30) -> RefreshTokenStore:
    return open_refresh_token_store(AppTokenOptions(refresh_token=refresh_token), store, wait_seconds=wait)


def kept(path: pathlib.Path, seed: str | None = None, wait: float = 30) -> RefreshTokenStore:
    options = AppTokenOptions(refresh_token=seed, refresh_token_file=str(path))
    return open_refresh_token_store(options, t.cast("DirectoryStore", NoStore()), wait_seconds=wait)


def redeem(keeper: RefreshTokenStore, successor: str) -> str:
    """What was redeemed for the successor."""
    with keeper.exclusive_redemption() as sign_in:
        keeper.store_rotated(sign_in, successor)
        return sign_in.refresh_token


# --- given as an option -----------------------------------------------------------------------------------------


def test_a_given_token_is_the_newest_until_it_is_redeemed(store: DirectoryStore) -> None:
    assert given("r1", store).sign_in().refresh_token == "r1"
    assert redeem(given("r1", store), "r2") == "r1"


def test_whoever_presents_an_older_token_redeems_the_newest(store: DirectoryStore) -> None:
    given("r1", store).sign_in()
    assert [redeem(given("r1", store), f"r{number}") for number in (2, 3, 4)] == ["r1", "r2", "r3"]
    for holder in ("r1", "r2", "r3", "r4"):
        assert given(holder, store).sign_in().refresh_token == "r4"


def test_all_holders_of_a_sign_in_share_its_cache_and_nobody_else(store: DirectoryStore) -> None:
    secret = given("r1", store).sign_in().sealing_secret
    redeem(given("r1", store), "r2")
    redeem(given("r2", store), "r3")
    assert {given(holder, store).sign_in().sealing_secret for holder in ("r1", "r2", "r3")} == {secret}
    assert given("somebody else's", store).sign_in().sealing_secret != secret


def test_sign_ins_are_apart(store: DirectoryStore) -> None:
    redeem(given("a1", store), "a2")
    redeem(given("b1", store), "b2")
    assert given("a1", store).sign_in().refresh_token == "a2"
    assert given("b1", store).sign_in().refresh_token == "b2"


def test_holders_of_two_generations_do_not_redeem_at_once(store: DirectoryStore) -> None:
    given("r1", store).sign_in()
    redeem(given("r1", store), "r2")

    def work(channel: Channel) -> None:
        channel.hear()
        channel.say("begun")
        channel.say(redeem(given("r1", store), "r4"))

    keeper = given("r2", store)
    with Forked(work) as other:
        with keeper.exclusive_redemption() as sign_in:
            other.say("go")
            assert other.hear() == "begun"
            assert sign_in.refresh_token == "r2"
            assert other.is_silent()
            keeper.store_rotated(sign_in, "r3")
        assert other.hear() == "r3"
    assert given("r1", store).sign_in().refresh_token == "r4"


def test_nobody_waits_for_a_redemption_to_get_at_the_cache(store: DirectoryStore, path: pathlib.Path) -> None:
    path.write_text("r1")
    secrets = [keeper.sign_in().sealing_secret for keeper in (given("r1", store), kept(path))]
    with given("r1", store).exclusive_redemption(), kept(path).exclusive_redemption():
        now = [keeper.sign_in() for keeper in (given("r1", store, wait=0), kept(path, wait=0))]
    assert [sign_in.sealing_secret for sign_in in now] == secrets


def test_processes_that_begin_together_agree_on_one_sign_in(store: DirectoryStore) -> None:
    def work(channel: Channel) -> None:
        channel.hear()
        channel.say(given("r1", store).sign_in().sealing_secret)

    with Forked(work) as first, Forked(work) as second, Forked(work) as third:
        for process in (first, second, third):
            process.say("go")
        assert len({process.hear() for process in (first, second, third)}) == 1


def test_nothing_in_the_cache_tells_a_refresh_token(store: DirectoryStore, tmp_path: pathlib.Path) -> None:
    redeem(given("first-hunter2", store), "second-hunter2")
    for entry in (tmp_path / "cache").iterdir():
        assert b"hunter2" not in entry.read_bytes() + entry.name.encode()
    assert "hunter2" not in repr(given("second-hunter2", store).sign_in())


def test_a_cache_that_can_t_be_written_costs_no_token_that_was_bought(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_how: object) -> None:
        raise OSError(28, "No space left on device")

    keeper = given("r1", store)
    with keeper.exclusive_redemption() as sign_in:
        monkeypatch.setattr(store, "write", full)
        keeper.store_rotated(sign_in, "r2")
    assert sign_in.refresh_token == "r1"


def test_a_cache_that_can_t_be_written_costs_no_refresh_token(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_how: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write", full)
    with pytest.raises(OSError, match="No space left"), given("r1", store).exclusive_redemption():
        pytest.fail("it must not be redeemed, where its successor has no place to go")


def test_without_a_store_the_given_token_is_redeemed_each_time() -> None:
    keeper = given("r1", t.cast("DirectoryStore", NoStore()))
    assert redeem(keeper, "r2") == "r1"
    assert keeper.sign_in().refresh_token == "r1"


# --- kept in a file ---------------------------------------------------------------------------------------------


def test_the_first_token_is_the_given_one_and_from_then_on_the_file_s(path: pathlib.Path) -> None:
    assert redeem(kept(path, "seed"), "r2") == "seed"
    assert path.read_text() == "r2"
    assert redeem(kept(path, "seed"), "r3") == "r2"
    assert kept(path).sign_in().refresh_token == "r3"


def test_the_file_and_what_lies_beside_it_is_its_owner_s_alone(path: pathlib.Path) -> None:
    redeem(kept(path, "seed"), "r2")
    files = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    assert files == {"refresh_token": 0o600, "refresh_token.key": 0o600, "refresh_token.lock": 0o600}


def test_what_lies_beside_the_file_tells_no_refresh_token(path: pathlib.Path) -> None:
    redeem(kept(path, "seed-hunter2"), "r2-hunter2")
    assert b"hunter2" not in pathlib.Path(f"{path}.key").read_bytes()
    assert pathlib.Path(f"{path}.lock").read_bytes() == b""


def test_a_file_written_by_hand_is_read_without_its_blanks(path: pathlib.Path) -> None:
    path.write_text("  r1\n\n")
    assert kept(path).sign_in().refresh_token == "r1"


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_an_empty_file_counts_as_none(content: str | None, path: pathlib.Path) -> None:
    if content is not None:
        path.write_text(content)
    assert kept(path, "seed").sign_in().refresh_token == "seed"
    with pytest.raises(InputError, match="does not exist or is empty, and no refresh_token is given") as refused:
        kept(path).sign_in()
    assert str(path) in refused.value.message


def test_the_cache_stays_open_from_redemption_to_redemption(path: pathlib.Path) -> None:
    secret = kept(path, "seed").sign_in().sealing_secret
    redeem(kept(path, "seed"), "r2")
    redeem(kept(path), "r3")
    assert kept(path).sign_in().sealing_secret == secret


def test_another_token_put_into_the_file_does_not_open_the_old_cache(path: pathlib.Path) -> None:
    redeem(kept(path, "seed"), "r2")
    secret = kept(path).sign_in().sealing_secret
    path.write_text("of another sign-in")
    assert kept(path).sign_in().sealing_secret != secret
    assert kept(path).sign_in().refresh_token == "of another sign-in"


@pytest.mark.parametrize(
    "damage", [b"", b"junk", b"entra.auth cache 1\n" + b"\x00" * 60, b"entra.auth cache 2\n{}\n" + b"\x00" * 60]
)
def test_a_damaged_record_costs_the_cache_and_not_the_sign_in(damage: bytes, path: pathlib.Path) -> None:
    redeem(kept(path, "seed"), "r2")
    pathlib.Path(f"{path}.key").write_bytes(damage)
    assert redeem(kept(path), "r3") == "r2"
    assert path.read_text() == "r3"


def test_a_redemption_that_fails_leaves_everything_as_it_was(path: pathlib.Path) -> None:
    path.write_text("r1")
    keeper = kept(path)

    def fail() -> None:
        with keeper.exclusive_redemption():
            raise RuntimeError("refused")

    with pytest.raises(RuntimeError, match="refused"):
        fail()
    assert path.read_text() == "r1"
    assert not pathlib.Path(f"{path}.new").exists()
    assert redeem(kept(path, wait=0), "r2") == "r1"


def test_a_crash_before_the_file_is_replaced_leaves_the_old_token(path: pathlib.Path) -> None:
    path.write_text("r1")

    def work(channel: Channel) -> None:
        keeper = kept(path)
        with keeper.exclusive_redemption() as sign_in:
            keeper._remember("r2", sign_in.sealing_secret)  # the record is written before the file
            channel.say("half-way")
            channel.hear()

    with Forked(work) as crashing:
        assert crashing.hear() == "half-way"
        crashing.kill()
    assert redeem(kept(path, wait=0), "r3") == "r1"
    assert path.read_text() == "r3"


def test_two_redemptions_of_a_file_are_one_after_the_other(path: pathlib.Path) -> None:
    path.write_text("r1")

    def work(channel: Channel) -> None:
        channel.hear()
        channel.say("begun")
        channel.say(redeem(kept(path), "r3"))

    keeper = kept(path)
    with Forked(work) as other:
        with keeper.exclusive_redemption() as sign_in:
            other.say("go")
            assert other.hear() == "begun"
            assert other.is_silent()
            keeper.store_rotated(sign_in, "r2")
        assert other.hear() == "r2"
    assert path.read_text() == "r3"


def test_a_lock_held_for_too_long_fails_without_a_redemption(path: pathlib.Path, clock: t.Any) -> None:
    path.write_text("r1")
    with kept(path).exclusive_redemption(), pytest.raises(InputError, match="held it for too long") as failed:
        kept(path, wait=5).exclusive_redemption().__enter__()
    assert "No refresh token was redeemed" in failed.value.message
    assert sum(clock.slept) >= 4


@pytest.mark.parametrize("in_the_way", ["missing directory", ".lock", ".key", ".new"])
def test_a_place_that_can_t_be_written_fails_before_any_redemption(in_the_way: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / ("missing/token" if in_the_way == "missing directory" else "token")
    if in_the_way != "missing directory":
        blocked = pathlib.Path(f"{path}{'.key.new' if in_the_way == '.key' else in_the_way}")
        blocked.mkdir()
        (blocked / "full").touch()
    redeemed = []
    with (
        pytest.raises(InputError, match="can't be written") as refused,
        kept(path, "seed").exclusive_redemption() as sign_in,
    ):
        redeemed.append(sign_in)
    assert redeemed == []
    assert "No refresh token was redeemed" in refused.value.message
    assert "seed" not in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize("kind", ["symlink", "directory", "somebody else's"])
def test_a_file_that_is_no_file_of_ours_is_refused(
    kind: str, path: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "symlink":
        (tmp_path / "real").write_text("planted")
        path.symlink_to(tmp_path / "real")
    elif kind == "directory":
        path.mkdir()
    else:
        path.write_text("planted")
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(InputError, match="can't be read") as refused:
        kept(path, "seed").sign_in()
    assert str(path) in refused.value.message
    assert "regular file that belongs to the user" in str(refused.value.hint)


# --- a new sign-in ----------------------------------------------------------------------------------------------


def test_a_new_sign_in_is_kept_with_a_cache_of_its_own(path: pathlib.Path) -> None:
    path.write_text("old")
    before = kept(path).sign_in().sealing_secret
    keeper = RefreshTokenFile(str(path), None, wait_seconds=1)
    with keeper.replace_after_sign_in() as keep:
        keep("new")
    assert path.read_text() == "new"
    assert kept(path).sign_in().refresh_token == "new"
    assert kept(path).sign_in().sealing_secret != before


def test_a_sign_in_that_fails_leaves_everything_as_it_was(path: pathlib.Path) -> None:
    path.write_text("old")
    with RefreshTokenFile(str(path), None, wait_seconds=1).replace_after_sign_in():
        pass
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("content", "seed", "expected"), [(None, None, False), (" \n", None, False), ("r", None, True), (None, "s", True)]
)
def test_it_is_known_whether_there_is_anything_to_redeem(
    content: str | None, seed: str | None, expected: bool, path: pathlib.Path
) -> None:
    if content is not None:
        path.write_text(content)
    assert RefreshTokenFile(str(path), seed, wait_seconds=1).has_any() is expected
