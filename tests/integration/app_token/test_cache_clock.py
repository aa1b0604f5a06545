# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks that change between two runs: no expired token is handed out, and no valid one discarded."""

from __future__ import annotations

import time
import typing as t

import pytest
from light_runs import LightRuns

from plays import wait_until

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

_DAY: t.Final = 86400
_CACHE: t.Final = {"cache": "user"}
_SECRET: t.Final = "made-up~secret"


@pytest.fixture
def runs(plays: Plays) -> t.Iterator[LightRuns]:
    """Starts runs with a clock of their own."""
    with LightRuns(plays) as started:
        yield started


def test_a_clock_set_back_changes_nothing(runs: LightRuns, emulator: Emulator) -> None:
    """What the machine's uptime says of a token's age is enough to go on with it."""
    (first,) = runs.get(_CACHE)
    for behind in (60, _DAY, 1000 * _DAY):
        (later,) = runs.get(_CACHE, clock=-behind)
        assert (later["source"], later["access_token"]) == ("cache", first["access_token"])
    assert len(emulator.token_requests()) == 1


def test_a_clock_set_ahead_is_a_reason_to_renew(runs: LightRuns, emulator: Emulator) -> None:
    """The machine may have been stopped for that long. Set right again, the new token goes on, as where none comes."""
    (first,) = runs.get(_CACHE)
    (ahead,) = runs.get(_CACHE, clock=_DAY)
    assert ahead["source"] == "network"
    for clock in (_DAY, 0):
        (again,) = runs.get(_CACHE, clock=clock)
        assert (again["source"], again["access_token"]) == ("cache", ahead["access_token"])
    emulator.fault("error", code=7000215, times=None)
    (kept,) = runs.get(_CACHE, clock=2 * _DAY)
    assert (kept["source"], kept["access_token"]) == ("cache", ahead["access_token"])
    assert "could not be renewed" in " ".join(runs.stderr().split())
    assert len(emulator.token_requests()) == 3
    assert first["access_token"] != ahead["access_token"]


def test_an_expired_token_is_not_handed_out(runs: LightRuns, emulator: Emulator) -> None:
    """Wherever the wall clock stands: not even when the service refuses a new one."""
    emulator.configure(token_lifetime=2)
    calls = {clock: _build_call(emulator) for clock in (-_DAY, 0, _DAY)}
    first = {clock: runs.get(call, clock=clock)[0]["access_token"] for clock, call in calls.items()}
    issued = emulator.token_requests()[-1]["time"]
    emulator.configure(token_lifetime=3599)
    emulator.fault("error", code=7000215, times=len(calls))
    wait_until(lambda: time.time() > issued + 2)
    for call in calls.values():
        assert "AADSTS7000215" in runs.get(call)[0]["error"]
    for clock, call in calls.items():
        (second,) = runs.get(call, clock=-clock)
        assert second["source"] == "network"
        assert second["access_token"] != first[clock]
    assert len(emulator.token_requests()) == 3 * len(calls)


def _build_call(emulator: Emulator) -> dict[str, str]:
    """Return the options of a call with an app of its own."""
    return {**_CACHE, "client_id": emulator.add_app(secret=_SECRET)["client_id"], "client_secret": _SECRET}


def test_after_a_boot_with_a_clock_set_back_a_token_is_renewed(runs: LightRuns, emulator: Emulator) -> None:
    """Its age is not known: up to the skew that Entra allows for it is used, beyond it is renewed first."""
    (first,) = runs.get(_CACHE)
    (skewed,) = runs.get(_CACHE, clock=-200, boot="another")
    assert (skewed["source"], skewed["access_token"]) == ("cache", first["access_token"])
    (renewed,) = runs.get(_CACHE, clock=-_DAY, boot="another")
    assert renewed["source"] == "network"
    assert len(emulator.token_requests()) == 2
