# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client that declares cp1 gets long tokens of its own, and answers the challenge that follows a revocation."""

from __future__ import annotations

import typing as t

from plays import show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

CP1: t.Final = {"access_token": {"xms_cc": {"values": ["cp1"]}}}


def _get(task: str, /, **options: t.Any) -> dict[str, t.Any]:
    return {"name": task, "entra.auth.app_token": options, "register": task, "ignore_errors": True}


def test_its_tokens_have_an_entry_of_their_own(plays: Plays, emulator: Emulator) -> None:
    """A bare task, which can't answer a challenge, never gets one of them, not even after a challenge."""
    capable = {"client_capabilities": ["cp1"]}
    challenge = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    tasks = [
        _get("bare"),
        _get("capable", **capable),
        _get("challenged", **capable, claims_challenge=challenge),
        _get("bare_again"),
        _get("capable_again", **capable),
        show(
            bare="[bare.expires_in < 4000, bare_again.source, bare_again.access_token == bare.access_token]",
            capable="[capable.expires_in > 80000, capable_again.access_token == challenged.access_token]",
        ),
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown() == {"bare": [True, "cache", True], "capable": [True, True]}
    merged = {"access_token": {"nbf": {"essential": True, "value": "1"}, **CP1["access_token"]}}
    assert [entry["requested_claims"] for entry in emulator.token_requests()] == [None, CP1, merged]


def test_a_revoked_token_is_renewed_with_the_claims_that_the_api_asks_for(plays: Plays, emulator: Emulator) -> None:
    emulator.fault("revoke_token", endpoint="/v1.0/users", challenge=True)
    call = {"name": "Call", "entra.auth.api_request": {"url": "/v1.0/users", "client_capabilities": "cp1"}}
    play = plays.run([{"tasks": [call]}], record=True)
    assert play.returncode == 0, play.output
    first, second = (entry["requested_claims"] for entry in emulator.token_requests())
    assert first == CP1
    assert second["access_token"]["xms_cc"] == CP1["access_token"]["xms_cc"]
    assert "nbf" in second["access_token"]


def test_a_managed_identity_can_t_declare_them(plays: Plays, emulator: Emulator) -> None:
    """Refused where the call chose them, and not used where the environment has them for other credentials."""
    platform = emulator.managed_identity_environment("imds")
    tasks = [_get("chosen", credential="managed_identity", client_capabilities=["cp1"])]
    play = plays.run([{"tasks": tasks}], record=True, env=platform)
    assert "A managed identity can't declare client_capabilities." in play.result("chosen")["msg"]
    assert emulator.requests() == []
    env = {**platform, "ENTRA_AUTH_CLIENT_CAPABILITIES": "cp1", "ENTRA_AUTH_CREDENTIAL": "managed_identity"}
    play = plays.run([{"tasks": [_get("environment")]}], record=True, env=env)
    assert "failed" not in play.result("environment")
