# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action lists the public metadata of a cache that outlives the run, and clears it."""

from __future__ import annotations

import typing as t

import pytest
from action_plugins import build_action

from ansible_collections.entra.auth.plugins.plugin_utils._options import sources

if t.TYPE_CHECKING:
    import pathlib

Options = dict[str, t.Any]
VARIABLES = {"inventory_hostname": "h001"}


@pytest.fixture
def filled(reader: Options, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Options:
    """What the user's cache holds: the tokens of two scopes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir(0o700)
    for scope in ("graph", "arm"):
        assert "access_token" in get_token(reader, scope)
    return reader


def get_token(reader: Options, scope: str) -> Options:
    arguments = {**reader, "scope": scope, "cache": "user"}
    return t.cast("Options", build_action("entra.auth.app_token", arguments).run(task_vars=VARIABLES))


def look_after(check_mode: bool = False, **arguments: t.Any) -> Options:
    plugin = build_action("entra.auth.app_token_cache", arguments, check_mode=check_mode)
    return t.cast("Options", plugin.run(task_vars=VARIABLES))


def test_entries_are_listed_by_what_identifies_them(filled: Options) -> None:
    result = look_after()
    assert result["changed"] is False
    assert [entry["scope"] for entry in result["entries"]] == [
        "https://graph.microsoft.com/.default",
        "https://management.azure.com/.default",
    ]
    for entry in result["entries"]:
        assert set(entry) == {"credential", "token_url", "client_id", "scope", "expires_at"}
        assert (entry["credential"], entry["client_id"]) == ("client_secret", filled["client_id"])
    assert filled["client_secret"] not in str(result)


@pytest.mark.parametrize(
    ("check_mode", "clear", "changed", "left"),
    [(False, False, False, 2), (False, "no", False, 2), (True, True, True, 2), (False, True, True, 0)],
)
def test_it_is_cleared_on_request_alone(
    filled: Options, check_mode: bool, clear: t.Any, changed: bool, left: int
) -> None:
    result = look_after(check_mode, clear=clear)
    assert (result["changed"], len(result["entries"])) == (changed, 2)
    assert len(look_after()["entries"]) == left


@pytest.mark.usefixtures("filled")
def test_an_empty_cache_is_not_changed() -> None:
    look_after(clear=True)
    assert look_after(clear=True) == {"changed": False, "entries": []}


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ({"caches": "user"}, "'caches' is not an option of app_token_cache.", "Write cache instead of caches."),
        ({"clear": "perhaps"}, "clear (from option clear) has to be true or false, not 'perhaps'.", "Correct option"),
        ({"cache": "users"}, "cache is not one of run, user, none", "Use one of them"),
        ({"cache": {"a": "hunter2"}}, "cache (from option cache) has to be text", "Correct option cache"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_cleared(
    filled: Options, arguments: Options, message: str, hint: str
) -> None:
    result = look_after(**{"clear": True, **arguments})
    assert result["failed"] is True
    assert message in result["msg"]
    assert hint in result["hint"]
    assert "hunter2" not in str(result)
    assert len(look_after()["entries"]) == 2


@pytest.mark.usefixtures("filled")
def test_an_option_of_the_token_that_is_not_usable_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTRA_AUTH_TIMEOUT", "soon")
    assert len(look_after()["entries"]) == 2


def test_a_password_in_the_configuration_file_is_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "ansible.cfg"
    config.write_text("[entra_auth]\ncache = redis://me:hunter2@127.0.0.1:9/0\n")
    monkeypatch.setattr(sources, "_CONFIG_FILE", str(config))
    result = look_after()
    assert "cache in ansible.cfg contains a password" in result["msg"]
    assert "hunter2" not in str(result)
