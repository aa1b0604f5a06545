# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A person's sign-in: its refresh token is redeemed and its successor stored, and without one a person signs in."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from canned_server import CannedServer, json_answer, token_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials import device_code_flow
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token import provider
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly
from entra_emulator import seed

if t.TYPE_CHECKING:
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
    from entra_emulator.client import Emulator

Options = dict[str, t.Any]


class Shown(t.Protocol):
    """The recorder of conftest.py."""

    shown: list[tuple[str, str]]

    def on(self, channel: str) -> list[str]:
        """What was shown there."""


def get(messages: t.Any, options: Options, **more: t.Any) -> AppToken:
    return get_app_token(AppTokenOptions(**{**options, **more}), messages, CachedTokensOnly({}))


def failure(messages: t.Any, options: Options, **more: t.Any) -> EntraAuthError:
    with pytest.raises(EntraAuthError) as failed:
        get(messages, options, **more)
    assert "hunter2" not in str(failed.value)
    return failed.value


# --- refresh tokens ---------------------------------------------------------------------------------------------


@pytest.fixture
def user(emulator: Emulator, reader: Options) -> Options:
    """Options with which a user's refresh token of a public app is redeemed."""
    refresh_token = emulator.add_refresh_token(seed.PUBLIC)
    return {**reader, "client_id": seed.PUBLIC, "client_secret": None, "refresh_token": refresh_token}


def redeemed(emulator: Emulator) -> list[str]:
    return [dict(request["form"])["refresh_token"] for request in emulator.token_requests()]


def test_a_refresh_token_is_redeemed_and_its_successor_handed_out(
    emulator: Emulator, user: Options, messages: Shown
) -> None:
    first = get(messages, user)
    assert first.credential == "refresh_token"
    assert first.token.refresh_token not in (None, user["refresh_token"])
    assert get(messages, user).source == "cache"
    assert len(emulator.token_requests()) == 1


def test_the_given_token_is_redeemed_and_its_successor_is_in_the_result(
    emulator: Emulator, user: Options, messages: Shown
) -> None:
    emulator.configure(refresh_token_rotation="keep_old")
    first = get(messages, user)
    second = get(messages, user, scope=["arm"])
    third = get(messages, user, refresh_token=first.token.refresh_token)
    assert redeemed(emulator) == [user["refresh_token"], user["refresh_token"], first.token.refresh_token]
    given = {user["refresh_token"], *(one.token.refresh_token for one in (first, second, third))}
    assert len(given) == 4
    assert get(messages, user).token == first.token, "from the cache, with the successor"


def test_the_file_holds_the_successor_when_the_token_is_handed_out(
    emulator: Emulator, user: Options, messages: Shown, tmp_path: pathlib.Path
) -> None:
    emulator.configure(refresh_token_rotation="strict")
    path = tmp_path / "refresh_token"
    first = get(messages, user, refresh_token_file=str(path))
    assert path.read_text() == first.token.refresh_token
    second = get(messages, user, refresh_token=None, refresh_token_file=str(path), force_refresh=True)
    assert path.read_text() == second.token.refresh_token != first.token.refresh_token


def test_a_token_without_a_successor_stays_the_newest(emulator: Emulator, user: Options, messages: Shown) -> None:
    emulator.configure(refresh_token_rotation="none")
    assert get(messages, user).token.refresh_token == user["refresh_token"]


def test_a_refused_refresh_token_leaves_the_file_as_it_was(
    emulator: Emulator, user: Options, messages: Shown, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "refresh_token"
    path.write_text("not-a-refresh-token")
    error = failure(messages, user, refresh_token=None, refresh_token_file=str(path))
    assert error.response.error == "invalid_grant"
    assert path.read_text() == "not-a-refresh-token"


def test_a_file_that_can_t_be_written_costs_no_refresh_token(
    emulator: Emulator, user: Options, messages: Shown, tmp_path: pathlib.Path
) -> None:
    error = failure(messages, user, refresh_token_file=str(tmp_path / "missing" / "token"))
    assert "can't be written" in error.message
    assert emulator.requests() == []


# --- device codes -----------------------------------------------------------------------------------------------


@pytest.fixture
def person(emulator: Emulator, reader: Options, tmp_path: pathlib.Path) -> Options:
    """Return the options of someone who signs in at once, with a file for the refresh token."""
    emulator.configure(device_code_approve_after=0)
    app = {"client_id": seed.PUBLIC, "client_secret": None, "credential": "device_code"}
    return {**reader, **app, "refresh_token_file": str(tmp_path / "refresh_token"), "retry_for": 60}


def read_refresh_token(options: Options) -> str:
    return pathlib.Path(options["refresh_token_file"]).read_text()


def test_a_person_signs_in_once_and_later_runs_are_unattended(person: Options, messages: Shown, clock: t.Any) -> None:
    first = get(messages, person)
    assert first.credential == "device_code"
    assert any("enter the code" in msg for msg in messages.on("display"))
    assert read_refresh_token(person) == first.token.refresh_token
    messages.shown.clear()
    second = get(messages, person, force_refresh=True)
    assert second.source == "network"
    assert messages.on("display") == []
    assert read_refresh_token(person) == second.token.refresh_token


def test_the_token_of_a_device_code_comes_with_the_newest_refresh_token(
    person: Options, messages: Shown, clock: t.Any
) -> None:
    """A cached token was issued with one that a request for another API has redeemed since."""
    first = get(messages, person)
    get(messages, person, scope=["arm"])
    again = get(messages, person)
    assert again.source == "cache"
    assert again.token.access_token == first.token.access_token
    assert again.token.refresh_token == read_refresh_token(person) != first.token.refresh_token


@pytest.mark.parametrize("content", ["", "two words", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"])
def test_a_cached_token_of_a_device_code_needs_no_file(
    person: Options, messages: Shown, clock: t.Any, content: str
) -> None:
    first = get(messages, person)
    pathlib.Path(person["refresh_token_file"]).write_text(content)
    again = get(messages, person)
    assert (again.source, again.token.refresh_token) == ("cache", first.token.refresh_token)


def test_others_wait_as_long_as_the_longest_lived_code(
    reader: Options, messages: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def observe(*_arguments: t.Any, wait_seconds: float, **_more: t.Any) -> t.NoReturn:
        waits.append(wait_seconds)
        raise InputError("Observed.", hint="None.")

    monkeypatch.setattr(provider, "TokenCache", observe)
    failure(messages, {**reader, "client_secret": None, "credential": "device_code"}, timeout=30.0)
    assert waits == [30 + device_code_flow._parse_seconds(1e9, 900)]


def test_a_refresh_token_that_had_its_time_makes_a_person_sign_in_again(
    emulator: Emulator, reader: Options, messages: Shown, tmp_path: pathlib.Path, clock: t.Any
) -> None:
    emulator.configure(device_code_approve_after=0)
    path = tmp_path / "refresh_token"
    path.write_text("had-its-time")
    options = {**reader, "client_id": seed.PUBLIC, "client_secret": None, "credential": "device_code"}
    signed_in = get(messages, options, refresh_token_file=str(path), retry_for=60)
    assert any("enter the code" in msg for msg in messages.on("display"))
    assert path.read_text() == signed_in.token.refresh_token


def test_a_refusal_that_no_sign_in_would_change_is_shown(
    reader: Options, messages: Shown, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "refresh_token"
    path.write_text("kept")
    with CannedServer(json_answer(401, {"error": "invalid_client", "error_codes": [7000218]})) as server:
        options = {**reader, "authority": server.url, "client_secret": None, "credential": "device_code"}
        error = failure(messages, options, refresh_token_file=str(path))
    assert error.response.error == "invalid_client"
    assert len(server.received) == 1
    assert messages.on("display") == []
    assert path.read_text() == "kept"


def test_a_sign_in_without_a_refresh_token_leaves_no_file(
    reader: Options, messages: Shown, tmp_path: pathlib.Path, clock: t.Any
) -> None:
    started = {"device_code": "d", "user_code": "u", "verification_uri": "https://x.test", "interval": 1}
    path = tmp_path / "refresh_token"
    with CannedServer(json_answer(200, started), token_answer()) as server:
        options = {**reader, "authority": server.url, "client_secret": None, "credential": "device_code"}
        assert get(messages, options, refresh_token_file=str(path)).source == "network"
    assert not path.exists()


def test_without_a_file_a_person_signs_in_for_the_run(
    emulator: Emulator, reader: Options, messages: Shown, clock: t.Any
) -> None:
    emulator.configure(device_code_approve_after=0)
    options = {**reader, "client_id": seed.PUBLIC, "client_secret": None, "credential": "device_code", "retry_for": 60}
    assert get(messages, options).source == "network"
    assert get(messages, options).source == "cache"
    assert len(messages.on("display")) == 1
