# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With -v it is shown what was requested, why, and where each option was found; never a secret."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import UnreachableHost

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
    return get_app_token(AppTokenOptions(**{**options, **more}), messages, UnreachableHost({}))


def failure(messages: t.Any, options: Options, **more: t.Any) -> EntraAuthError:
    with pytest.raises(EntraAuthError) as failed:
        get(messages, options, **more)
    assert "hunter2" not in str(failed.value)
    return failed.value


def test_what_was_done_and_why_is_shown_with_v(emulator: Emulator, reader: Options, messages: Shown) -> None:
    origins = {"client_secret": "environment ENTRA_AUTH_CLIENT_SECRET", "tenant_id": "option tenant_id"}
    get(messages, reader, origins=origins)
    first, second = messages.on("v")
    assert first.startswith("entra.auth: token from network, valid until 2")
    for words in ("credential client_secret", f"tenant {emulator.tenant_id}", f"client {emulator.client_id}", "graph"):
        assert words in first
    assert "credential by environment ENTRA_AUTH_CLIENT_SECRET" in second
    assert "User.Read.All" in second
    assert "tenant_id from option tenant_id" in second
    assert messages.on("warning") == messages.on("vv") == messages.on("display") == []


def test_a_token_from_the_cache_is_shown_in_one_line(reader: Options, messages: Shown) -> None:
    get(messages, reader)
    messages.shown.clear()
    get(messages, reader)
    assert len(messages.on("v")) == 1
    assert messages.on("v")[0].startswith("entra.auth: token from cache")
    assert len(messages.on("vv")) == 1


@pytest.mark.parametrize(
    ("wrong", "by"),
    [
        ({"client_secret": "hunter2-is-wrong"}, "credential by environment ENTRA_AUTH_CLIENT_SECRET"),
        ({"required_roles": ["Mail.Send"]}, "credential by environment ENTRA_AUTH_CLIENT_SECRET"),
        ({"client_id": "has a space"}, "credential by environment ENTRA_AUTH_CLIENT_SECRET"),
        ({"client_secret": None}, "no credential"),
    ],
)
def test_where_everything_was_found_is_shown_of_a_failure_too(
    reader: Options, messages: Shown, wrong: Options, by: str
) -> None:
    origins = {"client_secret": "environment ENTRA_AUTH_CLIENT_SECRET", "tenant_id": "option tenant_id"}
    failure(messages, {**reader, **wrong}, origins=origins)
    found = ", ".join(f"{name} from {origin}" for name, origin in origins.items())
    assert messages.on("v")[-1] == f"entra.auth: {by}; {found}"


def test_no_text_is_a_secret_or_a_token(reader: Options, messages: Shown) -> None:
    token = get(messages, reader).token.access_token
    words = " ".join(msg for _dummy, msg in messages.shown)
    assert token not in words
    assert token.split(".")[2] not in words
    assert reader["client_secret"] not in words


def test_roles_that_can_t_be_read_are_shown_as_such(emulator: Emulator, reader: Options, messages: Shown) -> None:
    emulator.configure(opaque_tokens=True)
    get(messages, reader)
    assert "roles none that can be read in the token" in messages.on("v")[1]
