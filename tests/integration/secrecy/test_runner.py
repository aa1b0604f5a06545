# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: by ansible-runner, with the credential it injects, fact storage on, and every event kept."""

from __future__ import annotations

import stat
import typing as t

import pytest
from channels import secrets
from cores import CORE_MASKS
from leaks import Markers
from runner_jobs import Runner

from plays import role, uri

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

AUTH: t.Final = "entra.auth.app_token"
WRONG: t.Final = "made-up~wr0ng %20'\"{}<>\\secret"


@pytest.fixture
def runner(plays: Plays, emulator: Emulator) -> Runner:
    """Runs jobs against the emulator."""
    return Runner(plays, emulator)


@pytest.mark.parametrize(
    "verbosity",
    [
        pytest.param([], id="verbosity 0"),
        pytest.param(["-vvvvv"], id="verbosity 5", marks=pytest.mark.entry_point),
    ],
)
def test_a_job_leaks_nothing(runner: Runner, emulator: Emulator, verbosity: list[str]) -> None:
    """The built-in Azure credential is enough; responses and errors are readable in the events, secrets nowhere."""
    job = runner.run(
        [
            role("app_token"),
            uri("{{ app_token.api_url }}/v1.0/users?$top=1", "app_token_uri"),
            {"name": "Module", AUTH: {"scope": "arm"}, "register": "arm"},
            {**uri("{{ arm.api_url }}/subscriptions", f"lookup('{AUTH}', 'arm', output='uri')"), "name": "Refused"}
            | {"ignore_errors": True},
            role("authorized_uri", authorized_uri_url="/v1.0/organization"),
            {"name": "Loop", AUTH: {"scope": "{{ item }}"}, "loop": ["graph", "arm"]},
            {"name": "Wrong", AUTH: {"client_secret": "{{ wrong }}"}, "ignore_errors": True},
            {"name": "End", "ansible.builtin.set_stats": {"data": {"read": "{{ authorized_uri_result.json.value }}"}}},
        ],
        *verbosity,
        wrong=WRONG,
    )
    assert job.status == "successful", job.printed[-3000:]
    values = secrets(emulator, **{"wrong secret": WRONG})
    assert len([name for name in values if name.startswith("access token")]) == 2
    (called,) = job.events("Call")
    assert called["res"]["json"]["value"][0]["mail"] == "user0001@contoso.example"
    (refused,) = job.events("Refused")
    assert refused["res"]["json"]["error"]["code"] == "MissingApiVersionParameter"
    (wrong,) = job.events("Wrong")
    assert "AADSTS7000215" in wrong["res"]["msg"]
    assert "To fix it: Give the secret's Value as client_secret" in wrong["res"]["msg"]
    assert "AADSTS7000215" in (job.artifacts / "stdout").read_text()
    (module,) = job.events("Module")
    assert "censored" in module["res"]
    assert list((job.artifacts / "fact_cache").iterdir())
    assert job.leaks({name: value for name, value in values.items() if name != "wrong secret"}) == []
    # The wrong secret is a variable of the inventory here.
    assert [leak for leak in job.leaks({"wrong secret": WRONG}) if "inventory/hosts.json" not in leak] == []


def test_the_environment_is_noted_for_its_user_alone(runner: Runner, emulator: Emulator) -> None:
    """Why ``command`` is left out of the search: ansible-runner writes it, secrets and all, whatever a play does."""
    job = runner.run([{"name": "Nothing", "ansible.builtin.debug": {}}])
    assert job.status == "successful"
    assert Markers({"client secret": emulator.client_secret}).in_tree(job.command)
    assert stat.S_IMODE(job.command.stat().st_mode) == 0o600
    assert job.leaks({"client secret": emulator.client_secret}) == []


def test_the_search_finds_what_a_job_leaks(runner: Runner, emulator: Emulator) -> None:
    """Printed, cached as a fact, handed on as an artifact: the same search finds it in each place.

    What is shown has the token itself only before ansible-core 2.22, which does not know it in base64.
    """
    token = "{{ app_token.access_token }} {{ app_token.access_token | b64encode }}"
    job = runner.run(
        [
            role("app_token"),
            uri("{{ app_token.api_url }}/v1.0/users", "{'headers': app_token.headers}"),
            {"name": "Fact", "ansible.builtin.set_fact": {"token": token, "cacheable": True}, "no_log": True},
            {"name": "Print", "ansible.builtin.debug": {"msg": token}},
        ],
    )
    assert job.status == "successful", job.printed[-3000:]
    found = job.leaks(secrets(emulator))
    shown = {"job_events", "artifacts/1/stdout"}
    for place in ("fact_cache", *shown):
        assert [leak for leak in found if place in leak], place
        with_token = [leak for leak in found if place in leak and "(raw)" in leak]
        assert bool(with_token) == (place not in shown or not CORE_MASKS), place
