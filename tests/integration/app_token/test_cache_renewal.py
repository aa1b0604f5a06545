# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Renewal before the expiry: one caller renews, and no caller waits while the old token is valid."""

from __future__ import annotations

import typing as t

from cache_tasks import LOOKUP, USERS, gaps, get, look_up, work

from plays import role, show, squeeze, uri, wait_until

if t.TYPE_CHECKING:
    from pathlib import Path

    from entra_emulator.client import Emulator
    from plays import Play, Plays

_HOSTS: t.Final = [f"h{number:03}" for number in range(1, 9)]
_SECRET: t.Final = "made-up~secret"
# Longer than anybody waits here.
_SLOW_SECONDS: t.Final = 600


def test_one_caller_renews_while_the_others_go_on_with_the_old_token(plays: Plays, emulator: Emulator) -> None:
    """Of 8 forks none waits for the slow renewal that the service wishes, and all have the new token afterwards."""
    emulator.configure(refresh_in=1)
    emulator.fault("slow", seconds=_SLOW_SECONDS, after=1)
    got_on = plays.directory / "got_on"
    got_on.mkdir()
    playbook: list[dict[str, t.Any]] = [
        {"tasks": [{**get("old"), "run_once": True}, work(2)]},
        {"strategy": "free", "tasks": [get("during"), look_up(), _leave_a_sign(got_on)]},
        {"tasks": [get("new"), show(tokens="[old, during, new]")]},
    ]
    with plays.start(playbook, hosts=8, forks=8, env={"ENTRA_AUTH_TIMEOUT": str(_SLOW_SECONDS)}) as running:
        try:
            wait_until(lambda: len(list(got_on.iterdir())) == 7)
            assert len(emulator.token_requests()) == 2
        finally:
            emulator.forget_faults()
        play = running.finish()
    assert play.returncode == 0, play.output
    assert len(list(got_on.iterdir())) == 8
    old, during, new = zip(*(play.shown(host)["tokens"] for host in _HOSTS), strict=True)
    first, renewed = emulator.token_requests()[:2]
    assert sorted(token["source"] for token in during) == ["cache"] * 7 + ["network"]
    kept = [token["access_token"] for token in during if token["source"] == "cache"]
    assert kept == [old[0]["access_token"]] * 7
    assert {token["access_token"] for token in new}.isdisjoint({token["access_token"] for token in old})
    assert gaps([first, renewed])[0] >= 1


def _leave_a_sign(directory: Path) -> dict[str, t.Any]:
    """A task that makes a file for its host."""
    sign = f"{{{{ lookup('pipe', 'touch {directory}/' ~ inventory_hostname) }}}}"
    return {"name": "Leave a sign", "ansible.builtin.debug": {"msg": sign}}


# What the service answers to a renewal, and the word of it that the warning has to repeat.
_FAILED_RENEWALS: t.Final[dict[str, tuple[dict[str, t.Any], str]]] = {
    "refused": ({"action": "error", "code": 7000215}, "7000215"),
    "busy": ({"action": "status", "status": 503}, "503"),
}


def test_a_failed_renewal_is_a_warning_while_the_old_token_is_valid(plays: Plays, emulator: Emulator) -> None:
    """All hosts go on with the old token; one request and one warning, which says why, until the pause is over."""
    emulator.configure(refresh_in=1)
    hosts: dict[str, dict[str, str]] = {}
    for name, (fault, _word) in _FAILED_RENEWALS.items():
        app = emulator.add_app(secret=_SECRET, roles={"graph": ["User.Read.All"]})["client_id"]
        emulator.fault(**fault, client_id=app, after=1, times=None)
        own = {"app_token_client_id": app, "app_token_client_secret": _SECRET}
        hosts |= {f"{name}{number}": own for number in range(5)}
    call = {**uri(USERS, f"{LOOKUP}, output='uri', retry_for=0)"), "when": "inventory_hostname is search('0')"}
    tasks = [get("old"), work(2), get("kept", retry_for=0), look_up(", retry_for=0"), call]
    play = plays.run([{"tasks": [*tasks, show(tokens="[old, kept]")]}], hosts=hosts, forks=10, record=True)
    assert play.returncode == 0, play.output
    warnings = play.warnings()
    for name, (_fault, word) in _FAILED_RENEWALS.items():
        ends = {_assert_kept(play, f"{name}{number}") for number in range(5)}
        assert len(ends) == 1
        said = squeeze(f"A token could not be renewed and is used until it expires at {ends.pop()}")
        assert len([warning for warning in warnings if said in warning and word in warning]) == 1
    assert len(warnings) == 2
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [200, 200]
    assert len(emulator.token_requests()) == 4


def _assert_kept(play: Play, host: str) -> str:
    """Check that a host went on with its old token; return when that one expires."""
    old, kept = play.shown(host)["tokens"]
    assert (kept["source"], kept["access_token"]) == ("cache", old["access_token"])
    return t.cast("str", old["expires_at"])


def test_a_token_with_less_than_min_validity_left_is_renewed_first(plays: Plays, emulator: Emulator) -> None:
    """Where none could live that long, half its life counts; where the renewal fails, the old one still serves."""
    emulator.fault("error", code=7000215, after=2)
    tasks = [
        get("first"),
        work(2),
        get("longer", min_validity=4000),
        get("stale", min_validity=3598),
        work(2),
        get("kept", min_validity=3598),
        show(tokens="[first, longer, stale, kept]"),
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    first, longer, stale, kept = play.shown()["tokens"]
    assert [token["source"] for token in (first, longer, stale, kept)] == ["network", "cache", "network", "cache"]
    assert first["access_token"] == longer["access_token"] != stale["access_token"] == kept["access_token"]
    assert "could not be renewed" in play.output
    assert len(emulator.token_requests()) == 3


def test_short_lived_tokens_are_always_valid_at_the_api(plays: Plays, emulator: Emulator) -> None:
    """Over two renewals and more, with no more requests than their half life needs."""
    lifetime = 10
    emulator.configure(token_lifetime=lifetime)
    calls = {**uri(USERS, "app_token_uri"), "loop": list(range(10)), "loop_control": {"pause": 1}}
    play = plays.run([{"tasks": [role("app_token"), calls]}])
    called = emulator.requests(listener="api")
    assert [entry["status"] for entry in called] == [200] * 10
    assert play.returncode == 0, play.output
    lasted = called[-1]["time"] - emulator.token_requests()[0]["time"]
    assert 3 <= len(emulator.token_requests()) <= lasted / (0.35 * lifetime) + 1
