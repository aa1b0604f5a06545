# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example playbooks do what they say, run by their full names as a user would."""

from __future__ import annotations

import csv
import json
import typing as t

import pytest

from entra_emulator import seed

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

GROUP: t.Final = "11111111-0000-4000-8002-000000000001"
MACHINE: t.Final = seed.resource_id("Microsoft.Compute/virtualMachines/web-2")
OPERATOR: t.Final = {
    "ENTRA_AUTH_CLIENT_ID": seed.OPERATOR,
    "ENTRA_AUTH_CLIENT_SECRET": "made-up~secret-of-operator",
}


@pytest.fixture
def example(plays: Plays, emulator: Emulator) -> t.Callable[..., Play]:
    """Runs an example with variables; none of them shows a token or a secret."""

    def run(name: str, *arguments: str, **variables: t.Any) -> Play:
        imported = {"ansible.builtin.import_playbook": f"entra.auth.example_{name}"}
        playbook = plays.directory / f"{name}.yml"
        playbook.write_text(json.dumps([imported]))
        given = ["-e", json.dumps(variables)]
        play = plays.run(playbook, *given, *arguments, record=True, env=OPERATOR)
        assert "eyJ" not in play.output
        assert OPERATOR["ENTRA_AUTH_CLIENT_SECRET"] not in play.output
        assert emulator.tokens_at_strangers() == []
        return play

    return run


def said(play: Play) -> t.Any:
    """What the last task that shows something showed."""
    assert play.returncode == 0, play.output
    shown = [event["result"]["msg"] for event in play.events() if event["task"].startswith("Show")]
    return shown[-1]


def test_users_to_csv(example: t.Callable[..., Play], plays: Plays, emulator: Emulator) -> None:
    """All pages, whatever a name is; check mode writes nothing."""
    emulator.configure(users=2500)
    awkward = {"displayName": 'Ä "quoted", name', "jobTitle": None}
    users = {"method": "PATCH", "url": "/v1.0/users/user0007@contoso.example", "body": awkward}
    file = plays.directory / "users.csv"
    assert "2500 users" in said(example("users_to_csv", "--check", csv_file=str(file)))
    assert not file.exists()
    emulator.forget_requests()
    change = [{"entra.auth.api_request": users}]
    assert plays.run([{"tasks": change}], env=OPERATOR).returncode == 0
    said(example("users_to_csv", csv_file=str(file)))
    rows = list(csv.DictReader(file.open(encoding="utf-8", newline="")))
    assert len(rows) == 2500
    assert list(rows[0]) == ["displayName", "userPrincipalName", "mail", "accountEnabled"]
    assert (rows[6]["displayName"], rows[0]["accountEnabled"]) == (awkward["displayName"], "True")
    assert len({row["userPrincipalName"] for row in rows}) == 2500
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(emulator.requests(path="/v1.0/users", method="GET")) == 3


def test_group_members(example: t.Callable[..., Play], plays: Plays, emulator: Emulator) -> None:
    """In batches of twenty, throttled or not; a second run changes nothing; nobody is added where one is unknown."""
    emulator.configure(users=60)
    names = [f"user{number:04d}@contoso.example" for number in range(1, 51)]
    file = plays.directory / "operators.txt"
    file.write_text("\n".join([*names, names[0], ""]))
    emulator.fault("status", endpoint="batch_item", status=429, retry_after=1, match="POST /groups", times=2)
    wanted = {"group": GROUP, "members_file": str(file)}
    assert said(example("group_members", "--check", **wanted)).startswith("0 users added")
    assert said(example("group_members", **wanted)) == "50 users added, 0 were members before"
    batches = [json.loads(entry["body"]) for entry in emulator.requests(path="/v1.0/$batch")]
    writing = [len(b["requests"]) for b in batches if b["requests"][0].get("method") == "POST"]
    assert sorted(writing) == [2, 10, 20, 20]
    emulator.forget_requests()
    assert said(example("group_members", **wanted)) == "0 users added, 50 were members before"
    file.write_text("user0055@contoso.example\nnobody@contoso.example\n")
    play = example("group_members", **wanted)
    assert play.returncode == 2
    assert "nobody" in play.output
    log = emulator.requests(path="/v1.0/$batch")
    assert not [entry for entry in log if "$ref" in entry["body"]]


def test_expiring_secrets(example: t.Callable[..., Play], emulator: Emulator) -> None:
    """Those that have expired or expire soon, the earliest first; a job may fail if there are any."""
    day = 86400
    expiring = emulator.add_app(name="expires-soon", secret={"value": "made-up~secret-a", "expires_in": 10 * day})
    emulator.add_app(name="expires-later", secret={"value": "made-up~secret-b", "expires_in": 50 * day})
    heading, first, second, _blank, count = said(example("expiring_secrets"))
    assert heading.split() == ["Expires", "Kind", "App", "Name", "of", "the", "app", "Name"]
    assert seed.EXPIRED in first
    assert expiring["client_id"] in second
    assert "  secret  " in second
    assert count.startswith("2 secrets and certificates of ")
    play = example("expiring_secrets", days=60, fail_if_expiring=True)
    assert play.returncode == 2
    assert "3 secrets and certificates expire within 60 days or have expired" in play.output


def test_resources(example: t.Callable[..., Play], plays: Plays, emulator: Emulator) -> None:
    """Of every subscription that the app sees, all pages."""
    emulator.configure(resources=70)
    file = plays.directory / "resources.json"
    lines = said(example("resources", resources_file=str(file)))
    counted = [line.split() for line in lines[1:]]
    machines = "Microsoft.Compute/virtualMachines"
    assert counted == [["contoso-production", "210", machines], ["contoso-test", "70", machines]]
    listed = json.loads(file.read_text())
    assert len({resource["id"] for resource in listed}) == 280


def test_start_vm(example: t.Callable[..., Play], emulator: Emulator) -> None:
    """Waited for by whatever the API offers; a machine that runs is left alone; check mode starts none."""
    emulator.configure(resources=4, operation_polls=1, operation_retry_after=1, operation_style="both")
    assert said(example("start_vm", "--check", vm=MACHINE)) == "web-2: VM deallocated"
    assert said(example("start_vm", vm=MACHINE)) == "web-2: VM running"
    posted = emulator.requests(method="POST", path="/subscriptions")
    assert [entry["path"] for entry in posted] == [f"{MACHINE}/start"]
    assert said(example("start_vm", vm=MACHINE)) == "web-2: VM running, as before"
    emulator.configure(operation_polls=0, operation_result="Failed")
    play = example("start_vm", vm=MACHINE.replace("web-2", "web-4"))
    assert play.returncode == 2
    assert "AllocationFailed" in play.output
