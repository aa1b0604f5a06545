# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cache: one request for all callers that need the same token."""

from __future__ import annotations

import re
import typing as t

import pytest
from cache_tasks import LOOKUP, USERS, get, look_up

from plays import role, show, uri

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays


@pytest.mark.parametrize("hosts", [30, pytest.param(100, marks=pytest.mark.thorough)])
def test_many_hosts_make_one_request(plays: Plays, emulator: Emulator, hosts: int) -> None:
    """By module, lookup and role, on 50 forks, though the first response takes its time.

    More hosts only take longer: no more than the forks call at the same time. The benchmarks have a thousand.
    """
    emulator.fault("slow", seconds=3)
    # The role is validated by ansible-core for each host, which takes longer than all the rest.
    unchecked = {"ansible.builtin.import_role": {"name": "entra.auth.app_token", "rolespec_validate": False}}
    tasks = [{**get(), "when": f"{LOOKUP}) is match('ey')"}, unchecked]
    play = plays.run([{"tasks": tasks}], hosts=hosts, forks=50)
    assert play.returncode == 0, play.output
    assert len(re.findall(r"ok=3 .* failed=0 +skipped=0", play.stdout)) == hosts
    assert list_apis(emulator) == ["graph.microsoft.com"]


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_hosts_make_one_request_per_scope(plays: Plays, emulator: Emulator, strategy: str) -> None:
    """By module, lookup and role, in whatever order the hosts proceed; and the API accepts their token."""
    emulator.fault("slow", seconds=2, times=2)
    tasks = [get(), look_up(", 'arm'"), role("app_token")]
    some = {"hosts": "h001,h004,h008", "tasks": [uri(USERS, f"{LOOKUP}, output='uri')")]}
    play = plays.run([{"strategy": strategy, "tasks": tasks}, some], hosts=8, forks=8)
    assert play.returncode == 0, play.output
    assert sorted(list_apis(emulator)) == ["graph.microsoft.com", "management.azure.com"]
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [200] * 3
    assert play.stdout.count("failed=0") == 8


def list_apis(emulator: Emulator) -> list[str]:
    """Return the API of each token that was requested."""
    return [dict(entry["form"])["scope"].split("/")[2] for entry in emulator.token_requests()]


def test_each_identity_has_its_own_token(plays: Plays, emulator: Emulator) -> None:
    """Another client, tenant, secret or scope needs another request; the same one does not, for any host."""
    app = emulator.add_app(secret=["made-up~first-secret", "made-up~second-secret"])
    abroad = emulator.add_tenant(domain="abroad.example")
    emulator.add_app(tenant_id=abroad["id"], client_id=app["client_id"], secret="made-up~first-secret")
    first = {"client_id": app["client_id"], "client_secret": "made-up~first-secret"}
    identities = {
        "own": {},
        "client": first,
        "secret": {**first, "client_secret": "made-up~second-secret"},
        "tenant": {**first, "tenant_id": abroad["id"]},
        "scope": {**first, "scope": "arm"},
    }
    tasks = [get(name, **options) for name, options in identities.items()]
    again = [get(f"{name}_again", **options) for name, options in identities.items()]
    names = [f"{name}{more}" for name in identities for more in ("", "_again")]
    play = plays.run(
        [{"tasks": [*tasks, *again, show(**{name: f"[{name}.access_token, {name}.source]" for name in names})]}],
        hosts=2,
        record=True,
    )
    assert play.returncode == 0, play.output
    one, two = play.shown("h001"), play.shown("h002")
    assert len({one[name][0] for name in identities}) == len(identities)
    for name in identities:
        assert one[name][0] == two[name][0] == one[f"{name}_again"][0] == two[f"{name}_again"][0]
        assert sorted([one[name][1], two[name][1]]) == ["cache", "network"]
        assert one[f"{name}_again"][1] == two[f"{name}_again"][1] == "cache"
    assert len(emulator.token_requests()) == len(identities)


def test_a_wrong_secret_is_not_served_from_the_cache(plays: Plays, emulator: Emulator) -> None:
    """Without the secret there is only Entra's refusal, and the token stays for those who have it."""
    wrong = {**get("wrong", client_secret="made-up~but-wrong"), "ignore_errors": True}
    play = plays.run([{"tasks": [get(), wrong, get("right"), show(source="right.source")]}], record=True)
    assert play.returncode == 0, play.output
    assert play.result("Get wrong")["error_codes"] == [7000215]
    assert play.shown()["source"] == "cache"
    assert len(emulator.token_requests()) == 2


def test_without_a_cache_every_call_asks(plays: Plays, emulator: Emulator) -> None:
    """Nothing is kept, and nothing that is kept is used."""
    tasks = [get(), *[get(f"t{number}", cache="none") for number in range(3)], show(tokens="[token, t0, t1, t2]")]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    tokens = play.shown()["tokens"]
    assert [token["source"] for token in tokens] == ["network"] * 4
    assert len({token["access_token"] for token in tokens}) == 4
    assert len(emulator.token_requests()) == 4


def test_a_forced_refresh_replaces_what_was_kept(plays: Plays, emulator: Emulator) -> None:
    """Once: the next call finds the new token."""
    tasks = [get("old"), get("forced", force_refresh=True), get("new"), show(tokens="[old, forced, new]")]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    old, forced, new = play.shown()["tokens"]
    assert [token["source"] for token in (old, forced, new)] == ["network", "network", "cache"]
    assert old["access_token"] != forced["access_token"] == new["access_token"]
    assert len(emulator.token_requests()) == 2
