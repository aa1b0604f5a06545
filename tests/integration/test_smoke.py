# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few plays that show an installation works."""

from __future__ import annotations

import typing as t

import pytest

from plays import role, uri

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

pytestmark = [pytest.mark.smoke, pytest.mark.entry_point]


def test_the_main_job(plays: Plays, emulator: Emulator) -> None:
    """A token by role, module and lookup, and calls of both APIs with it: two token requests."""
    play = plays.run(
        [
            {
                "tasks": [
                    role("app_token"),
                    uri("{{ app_token.api_url }}/v1.0/users", "app_token_uri"),
                    {"entra.auth.app_token": {"scope": "arm"}, "register": "arm"},
                    uri(
                        "{{ arm.api_url }}/subscriptions?api-version=2022-12-01",
                        "lookup('entra.auth.app_token', 'arm', output='uri')",
                    ),
                    role("authorized_uri", authorized_uri_url="/v1.0/organization"),
                ]
            }
        ]
    )
    assert play.returncode == 0, play.output
    assert len(emulator.token_requests()) == 2
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [200, 200, 200]


def test_the_demo(plays: Plays, emulator: Emulator) -> None:
    """The playbook that the README shows uses each role, and ends with what it obtained and a next step."""
    play = plays.run("- import_playbook: entra.auth.demo\n")
    assert play.returncode == 0, play.output
    for text in ("user0001@contoso.example", "contoso-production", "came from the cache", "Next: write a play"):
        assert text in play.stdout, text
    assert len(emulator.token_requests()) == 2
    assert emulator.client_secret not in play.output
    assert "eyJ" not in play.output
