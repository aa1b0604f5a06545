# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The newest refresh token is never lost, never redeemed by two at once, and opens the cache for its holder alone."""

from __future__ import annotations

import os
import pathlib
import resource
import stat
import typing as t

import pytest
from processes import Channel, Forked

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import replacement
from ansible_collections.entra.auth.plugins.plugin_utils._token.refresh_tokens import RefreshTokenStore


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "refresh_token"


def open_store(path: pathlib.Path, seed: str | None = None, wait: float = 30) -> RefreshTokenStore:
    return RefreshTokenStore(str(path), seed, wait_seconds=wait)


def redeem(store: RefreshTokenStore, successor: str) -> str:
    """Redeem the newest refresh token for its successor, and return the redeemed one."""
    with store.exclusive_redemption() as sign_in:
        store.store_rotated(sign_in, successor)
        return sign_in.refresh_token


def list_names(directory: pathlib.Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


# --- the file ---------------------------------------------------------------------------------------------------


def test_the_seed_is_redeemed_first_and_then_the_file_s(path: pathlib.Path) -> None:
    assert redeem(open_store(path, "seed"), "r2") == "seed"
    assert path.read_text() == "r2"
    assert redeem(open_store(path, "seed"), "r3") == "r2"
    assert open_store(path).load_sign_in().refresh_token == "r3"


def test_all_files_are_for_their_owner_alone(path: pathlib.Path) -> None:
    redeem(open_store(path, "seed"), "r2")
    files = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    assert files == {"refresh_token": 0o600, "refresh_token.key": 0o600, "refresh_token.lock": 0o600}


def test_the_files_beside_it_reveal_no_refresh_token(path: pathlib.Path) -> None:
    redeem(open_store(path, "seed-hunter2"), "r2-hunter2")
    assert b"hunter2" not in pathlib.Path(f"{path}.key").read_bytes()
    assert pathlib.Path(f"{path}.lock").read_bytes() == b""
    assert "hunter2" not in repr(open_store(path).load_sign_in())


def test_a_file_written_by_hand_is_read_without_its_blanks(path: pathlib.Path) -> None:
    path.write_text("  r1\n\n")
    assert open_store(path).load_sign_in().refresh_token == "r1"


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_an_empty_file_counts_as_missing(content: str | None, path: pathlib.Path) -> None:
    if content is not None:
        path.write_text(content)
    assert open_store(path, "seed").load_sign_in().refresh_token == "seed"
    with pytest.raises(InputError, match="does not exist or is empty, and no refresh_token is given") as refused:
        open_store(path).load_sign_in()
    assert str(path) in refused.value.message


@pytest.mark.parametrize(
    ("content", "seed", "expected"), [(None, None, False), (" \n", None, False), ("r", None, True), (None, "s", True)]
)
def test_it_is_known_whether_there_is_anything_to_redeem(
    content: str | None, seed: str | None, expected: bool, path: pathlib.Path
) -> None:
    if content is not None:
        path.write_text(content)
    assert open_store(path, seed).has_any() is expected


def test_a_relative_path_and_one_by_a_link_lead_to_the_same_file(
    path: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    redeem(open_store(pathlib.Path("refresh_token"), "seed"), "r2")
    assert redeem(open_store(tmp_path / "link" / "refresh_token"), "r3") == "r2"
    assert path.read_text() == "r3"


@pytest.mark.parametrize("kind", ["symbolic link", "directory", "foreign"])
def test_a_file_of_another_kind_is_refused(
    kind: str, path: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "symbolic link":
        (tmp_path / "real").write_text("planted")
        path.symlink_to(tmp_path / "real")
    elif kind == "directory":
        path.mkdir()
    else:
        path.write_text("planted")
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(InputError, match="can't be read") as refused:
        open_store(path, "seed").load_sign_in()
    assert str(path) in refused.value.message
    assert "regular file that belongs to the user" in refused.value.hint


# --- the cache --------------------------------------------------------------------------------------------------


def test_the_cache_stays_open_from_redemption_to_redemption(path: pathlib.Path) -> None:
    secret = open_store(path, "seed").load_sign_in().entry_secret
    redeem(open_store(path, "seed"), "r2")
    redeem(open_store(path), "r3")
    assert open_store(path).load_sign_in().entry_secret == secret


def test_another_refresh_token_in_the_file_does_not_open_the_old_cache(path: pathlib.Path) -> None:
    redeem(open_store(path, "seed"), "r2")
    secret = open_store(path).load_sign_in().entry_secret
    path.write_text("of-another-sign-in")
    assert open_store(path).load_sign_in().entry_secret != secret
    assert open_store(path).load_sign_in().refresh_token == "of-another-sign-in"


@pytest.mark.parametrize(
    "damage", [b"", b"junk", b"entra.auth cache 1\n" + b"\x00" * 60, b"entra.auth cache 2\n{}\n" + b"\x00" * 60]
)
def test_a_damaged_record_costs_the_cache_and_not_the_sign_in(damage: bytes, path: pathlib.Path) -> None:
    redeem(open_store(path, "seed"), "r2")
    pathlib.Path(f"{path}.key").write_bytes(damage)
    assert redeem(open_store(path), "r3") == "r2"
    assert path.read_text() == "r3"


def test_a_known_sign_in_waits_for_no_redemption(path: pathlib.Path) -> None:
    path.write_text("r1")
    secret = open_store(path).load_sign_in().entry_secret
    with open_store(path).exclusive_redemption():
        assert open_store(path, wait=0).load_sign_in().entry_secret == secret


def test_processes_that_begin_together_agree_on_one_sign_in(path: pathlib.Path) -> None:
    path.write_text("r1")

    def work(channel: Channel) -> None:
        channel.hear()
        channel.say(open_store(path).load_sign_in().entry_secret)

    with Forked(work) as first, Forked(work) as second, Forked(work) as third:
        for process in (first, second, third):
            process.say("go")
        assert len({process.hear() for process in (first, second, third)}) == 1


# --- one redemption at a time -----------------------------------------------------------------------------------


def test_two_redemptions_of_a_file_are_one_after_the_other(path: pathlib.Path) -> None:
    path.write_text("r1")

    def work(channel: Channel) -> None:
        channel.hear()
        channel.say("begun")
        channel.say(redeem(open_store(path), "r3"))

    store = open_store(path)
    with Forked(work) as other:
        with store.exclusive_redemption() as sign_in:
            other.say("go")
            assert other.hear() == "begun"
            assert other.is_silent()
            store.store_rotated(sign_in, "r2")
        assert other.hear() == "r2"
    assert path.read_text() == "r3"


def test_a_lock_held_for_too_long_fails_without_a_redemption(path: pathlib.Path, clock: t.Any) -> None:
    path.write_text("r1")
    with (
        open_store(path).exclusive_redemption(),
        pytest.raises(InputError, match=r"has held refresh_token\.lock for too long") as failed,
    ):
        open_store(path, wait=5).exclusive_redemption().__enter__()
    assert "No refresh token was redeemed" in failed.value.message
    assert sum(clock.slept) >= 4


# --- nothing is lost --------------------------------------------------------------------------------------------


def test_a_redemption_that_fails_leaves_everything_as_it_was(path: pathlib.Path) -> None:
    path.write_text("r1")
    store = open_store(path)

    def fail() -> None:
        with store.exclusive_redemption():
            raise RuntimeError("refused")

    with pytest.raises(RuntimeError, match="refused"):
        fail()
    assert path.read_text() == "r1"
    assert list_names(path.parent) == {"refresh_token", "refresh_token.key", "refresh_token.lock"}
    assert redeem(open_store(path, wait=0), "r2") == "r1"


def test_a_crash_between_the_two_files_leaves_the_old_token(path: pathlib.Path) -> None:
    path.write_text("r1")

    def work(channel: Channel) -> None:
        commit = replacement.Replacement.commit_durably

        def commit_once(self: replacement.Replacement, content: bytes) -> None:
            commit(self, content)
            channel.say("half-way")
            channel.hear()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(replacement.Replacement, "commit_durably", commit_once)
            redeem(open_store(path), "r2")

    with Forked(work) as crashing:
        assert crashing.hear() == "half-way"
        crashing.kill()
    assert redeem(open_store(path, wait=0), "r3") == "r1"
    assert path.read_text() == "r3"
    assert list_names(path.parent) == {"refresh_token", "refresh_token.key", "refresh_token.lock"}


@pytest.mark.parametrize("in_the_way", ["missing directory", ".lock", ".key.new", ".new"])
def test_a_place_that_can_t_be_written_fails_before_any_redemption(in_the_way: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / ("missing/token" if in_the_way == "missing directory" else "token")
    if in_the_way != "missing directory":
        blocked = pathlib.Path(f"{path}{in_the_way}")
        blocked.mkdir()
        (blocked / "full").touch()
    redeemed = []
    with (
        pytest.raises(InputError, match="can't be written") as refused,
        open_store(path, "seed").exclusive_redemption() as sign_in,
    ):
        redeemed.append(sign_in)
    assert redeemed == []
    assert "No refresh token was redeemed" in refused.value.message
    assert "seed" not in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize("begin", [RefreshTokenStore.exclusive_redemption, RefreshTokenStore.replace_after_sign_in])
def test_a_full_disk_fails_before_any_redemption(
    begin: t.Callable[[RefreshTokenStore], t.ContextManager[object]],
    path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    path.write_text("r1")
    open_store(path).load_sign_in()
    before = list_names(path.parent)
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(InputError, match="No space left on device") as refused, begin(open_store(path)):
        pytest.fail("it was redeemed")
    assert refused.value.message == (
        f"refresh_token_file: {path} can't be written: No space left on device. No refresh token was redeemed."
    )
    assert "with room" in refused.value.hint
    assert path.read_text() == "r1"
    assert list_names(path.parent) == before


def test_a_disk_without_room_for_the_successor_fails_before_any_redemption(path: pathlib.Path) -> None:
    """The kernel refuses it, here by a limit for this process."""
    path.write_text("r1")
    open_store(path).load_sign_in()

    def work(channel: Channel) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            redeem(open_store(path), "r2")
        except InputError as exc:
            channel.say(exc.message)

    with Forked(work) as limited:
        assert limited.hear() == (
            f"refresh_token_file: {path} can't be written: File too large. No refresh token was redeemed."
        )
    assert path.read_text() == "r1"
    assert list_names(path.parent) == {"refresh_token", "refresh_token.key", "refresh_token.lock"}


def test_a_disk_that_fills_up_during_a_redemption_costs_nothing(path: pathlib.Path) -> None:
    """Both files have their room before the request: neither is longer than what was reserved."""
    path.write_text("r1")
    store = open_store(path)
    with store.exclusive_redemption() as sign_in:
        sizes = {name: (path.parent / name).stat().st_size for name in list_names(path.parent) if name.endswith("new")}
        store.store_rotated(sign_in, "x" * 8000)
    assert set(sizes) == {"refresh_token.new", "refresh_token.key.new"}
    assert min(sizes.values()) >= 4 * 8000


def test_a_disk_that_fails_during_a_redemption_is_named_with_what_to_do(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(5, "Input/output error")

    path.write_text("r1")
    store = open_store(path)
    store.load_sign_in()
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(EntraAuthError) as failed, store.exclusive_redemption() as sign_in:
        store.store_rotated(sign_in, "r2-hunter2")
    assert failed.value.message == (
        f"refresh_token_file: the new refresh token can't be written to {path}: Input/output error."
    )
    assert "Entra still redeems the refresh token that the file has" in failed.value.hint
    assert "hunter2" not in str(failed.value)
    assert path.read_text() == "r1"


def test_a_directory_that_is_replaced_does_not_get_the_new_refresh_token(
    path: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Another user renames it during the request and puts a link to a directory of his choice in its place."""
    state, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    state.mkdir()
    elsewhere.mkdir()
    store = open_store(state / "token", "seed")
    with store.exclusive_redemption() as sign_in:
        state.rename(tmp_path / "moved")
        state.symlink_to("elsewhere")
        store.store_rotated(sign_in, "r2")
    assert list_names(elsewhere) == set()
    assert (tmp_path / "moved" / "token").read_text() == "r2"


# --- a new sign-in ----------------------------------------------------------------------------------------------


def test_a_new_sign_in_is_stored_with_a_cache_of_its_own(path: pathlib.Path) -> None:
    path.write_text("old")
    before = open_store(path).load_sign_in().entry_secret
    with open_store(path).replace_after_sign_in() as store_it:
        store_it("new")
    assert path.read_text() == "new"
    assert open_store(path).load_sign_in().refresh_token == "new"
    assert open_store(path).load_sign_in().entry_secret != before


def test_a_sign_in_that_fails_leaves_everything_as_it_was(path: pathlib.Path) -> None:
    path.write_text("old")
    with open_store(path).replace_after_sign_in():
        pass
    assert path.read_text() == "old"
    assert list_names(path.parent) == {"refresh_token", "refresh_token.lock"}
