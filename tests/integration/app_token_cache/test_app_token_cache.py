# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cache that outlives a run is shown and cleared; no output has a token or a password."""

from __future__ import annotations

import json
import typing as t

import pytest

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

USER: t.Final = {"ENTRA_AUTH_CACHE": "user"}
GET: t.Final = [{"name": f"Get {scope}", "entra.auth.app_token": {"scope": scope}} for scope in ("graph", "arm")]
PLAYBOOK: t.Final = "- import_playbook: entra.auth.cache\n"


def call_module(name: str, /, **options: t.Any) -> dict[str, t.Any]:
    """Return a task that shows or clears the cache."""
    return {"name": name, "entra.auth.app_token_cache": options, "register": "cache"}


@pytest.mark.entry_point
def test_the_cache_of_a_user_is_shown_and_cleared(plays: Plays, emulator: Emulator) -> None:
    tasks = [
        *GET,
        call_module("List"),
        {**call_module("Try", clear=True), "check_mode": True},
        call_module("Clear", clear=True),
        call_module("Clear what is empty", clear=True),
        {**GET[0], "name": "Get again"},
    ]
    play = plays.run([{"tasks": tasks}], record=True, env=USER)
    assert play.returncode == 0, play.output
    entry = {
        "credential": "client_secret",
        "client_id": emulator.client_id,
        "token_url": f"{emulator.urls.login}/{emulator.tenant_id}/oauth2/v2.0/token",
    }
    found = play.result("List")["entries"]
    assert [{name: one[name] for name in entry} for one in found] == [entry, entry]
    assert [one["scope"] for one in found] == [
        "https://graph.microsoft.com/.default",
        "https://management.azure.com/.default",
    ]
    assert set(found[0]) == {*entry, "scope", "expires_at"}
    seen = {name: play.result(name) for name in ("List", "Try", "Clear", "Clear what is empty")}
    assert [seen[name]["changed"] for name in seen] == [False, True, True, False]
    assert [len(seen[name]["entries"]) for name in seen] == [2, 2, 2, 0]
    assert len(emulator.token_requests()) == 3, "what was cleared was served"


def test_the_playbook_shows_what_the_next_run_will_find(plays: Plays, emulator: Emulator) -> None:
    """It needs no credential, and shows neither token nor secret at the highest verbosity."""
    assert plays.run([{"tasks": GET}], env=USER).returncode == 0
    shown = plays.run(PLAYBOOK, "-vvvvv", env={**USER, "ENTRA_AUTH_CLIENT_SECRET": None})
    assert shown.returncode == 0, shown.output
    assert "2 tokens" in shown.stdout
    assert emulator.client_id in shown.stdout
    tokens = [entry["issued"] for entry in emulator.token_requests() if "issued" in entry]
    assert not any(secret in shown.output for secret in (emulator.client_secret, "eyJ", *map(str, tokens)))
    cleared = plays.run(PLAYBOOK * 2, "-e", "clear=true", env=USER).stdout
    assert "2 tokens, and the cache was cleared" in cleared
    assert "0 tokens" in cleared.partition("2 tokens")[2]


def test_the_password_in_the_url_is_shown_nowhere(plays: Plays) -> None:
    """Callbacks are handed the arguments as they were evaluated; of a misspelt one as well."""
    tasks = [{**call_module("List", **{option: "{{ redis }}"}), "ignore_errors": True} for option in ("cache", "cahce")]
    env = {"ANSIBLE_STDOUT_CALLBACK": "record_arguments"}
    play = plays.run([{"tasks": tasks}], env=env, redis="redis://user:made-up~password@127.0.0.1:1/0")
    seen = [json.loads(line)["arguments"] for line in play.stdout.splitlines() if line.startswith('{"task"')]
    assert seen == [{"cache": "********"}, {"cahce": "********"}]
    assert "made-up~password" not in play.output


def test_a_cache_that_can_t_be_used_is_one_clear_sentence(plays: Plays) -> None:
    """And the password in its URL is in none of it."""
    tasks = [
        {**call_module("No server", cache="redis://user:made-up~password@127.0.0.1:1/0"), "ignore_errors": True},
        {**call_module("No cache", cache="somewhere"), "ignore_errors": True},
        {**call_module("No option", clean=True), "ignore_errors": True},
    ]
    play = plays.run([{"tasks": tasks}], "-vvvvv", record=True)
    assert "could not be reached" in play.result("No server")["msg"]
    assert "To fix it" in play.result("No server")["msg"]
    assert "cache is not one of run, user, none" in play.result("No cache")["msg"]
    assert "clean" in play.result("No option")["msg"]
    results = [str(event["result"]) for event in play.events()]
    assert not any("made-up~password" in result or "Traceback" in result for result in results)
