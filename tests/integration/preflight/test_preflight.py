# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role and the playbook ``preflight``: one table, one fact, and everything that is wrong at once."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from certificates import issue
from hostile_hosts import add_hostile_host

from entra_emulator import seed
from plays import role, show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

ORGANIZATION: t.Final = ("GET", "/v1.0/organization")
SUBSCRIPTIONS: t.Final = ("GET", "/subscriptions")
ITSELF: t.Final = ("GET", f"/v1.0/applications(appId='{seed.READER}')")
NOT_RECORDED: t.Final = {"ANSIBLE_STDOUT_CALLBACK": "default"}


def include_preflight(**variables: t.Any) -> dict[str, t.Any]:
    """A task that includes the role; its own options by their short names."""
    return role(
        "preflight", **{name if name.startswith("app_") else f"preflight_{name}": variables[name] for name in variables}
    )


def app(client_id: str, client_secret: str = "", **more: str) -> dict[str, str]:
    """Variables that choose another app."""
    own = {"client_id": client_id, "client_secret": client_secret, **more}
    return {f"app_token_{name}": value for name, value in own.items()}


def asked(emulator: Emulator) -> list[tuple[str, str]]:
    """Method and path of each request to an API."""
    return [(entry["method"], entry["path"]) for entry in emulator.requests(listener="api")]


def table(play: Play) -> list[str]:
    """The lines of the last table that a recorded play showed."""
    shown = [event["result"]["msg"] for event in play.events() if event["task"].endswith("Show the report")]
    return t.cast("list[str]", shown[-1])


def assert_secret(play: Play, emulator: Emulator) -> None:
    """No token that was sent, and no secret, is in anything that callbacks saw."""
    headers = [header for entry in emulator.requests(listener="api") for header in entry["headers"]]
    tokens = {value.removeprefix("Bearer ") for name, value in headers if name.lower() == "authorization"}
    assert tokens
    for secret in (*tokens, emulator.client_secret, json.dumps(emulator.client_secret)[1:-1]):
        assert secret not in play.output


@pytest.mark.entry_point
def test_a_table_and_a_fact(plays: Plays, emulator: Emulator) -> None:
    """One call of each API and one of the app's own registration; nothing secret at any verbosity."""
    play = plays.run([{"tasks": [include_preflight(), show(found="preflight_result")]}], "-vvv", record=True)
    assert play.returncode == 0, play.output
    assert asked(emulator) == [ORGANIZATION, SUBSCRIPTIONS, ITSELF]
    assert len(emulator.token_requests()) == 2
    found = play.shown()["found"]
    assert (found["ok"], found["problems"], found["warnings"]) == (True, [], [])
    graph, arm = found["apis"]
    assert (graph["scope"], graph["client_id"], graph["tenant_id"]) == ("graph", emulator.client_id, emulator.tenant_id)
    assert graph["roles"] == ["Application.Read.All", "Group.Read.All", "Organization.Read.All", "User.Read.All"]
    organization = {"url": f"{emulator.urls.api}/v1.0/organization", "status": 200, "ok": True}
    assert graph["calls"] == [{**organization, "response": "Contoso (made up)"}]
    assert arm["calls"][0]["response"] == "contoso-production, contoso-test"
    (end,) = found["credentials"]["expirations"]
    assert (end["kind"], end["days_left"]) == ("secret", 179)
    heading, first, *_more, _blank, ends = table(play)
    assert heading.split() == ["API", "App", "Tenant", "Roles", "Token", "valid", "until", "Response"]
    assert first.split()[:5] == [
        "graph",
        emulator.client_id,
        emulator.tenant_id,
        graph["roles"][0],
        graph["expires_at"],
    ]
    assert first.endswith("Contoso (made up)")
    assert ends == "Expiration of secrets and certificates: secret 'secret' in 179 days"
    assert_secret(play, emulator)


def test_every_problem_is_in_one_message(plays: Plays, emulator: Emulator) -> None:
    """Missing roles, refusals, foreign hosts and APIs without a token, in one message after all calls were made."""
    calls = [
        {"url": "/v1.0/users?$top=5"},
        {"url": "/v1.0/nothing?secret=hidden"},
        {"url": "/v1.0/absent", "status_code": [404]},
        {"url": f"{emulator.urls.foreign}/collect"},
        {"url": "http://["},
        {"url": "/subscriptions", "scope": "arm"},
    ]
    roles = {"graph": ["User.Read.All", "Mail.Send"], "key_vault": ["Any"]}
    emulator.fault("redirect", endpoint="/v1.0/organization")
    task = include_preflight(calls=calls, required_roles=roles, scopes=["graph", "grpah"])
    play = plays.run([{"tasks": [task]}], "-v", env=NOT_RECORDED)
    assert play.returncode == 2
    message = play.stdout[play.stdout.rindex("Preflight found") :]
    for number, part in enumerate(
        [
            "The token for https://graph.microsoft.com/.default lacks the app roles Mail.Send.",
            "The scope 'grpah' is not a known API",
            "The token for https://vault.azure.net/.default lacks the app roles Any.",
            f"The redirect of GET {emulator.urls.api}/v1.0/organization",
            "/v1.0/nothing responded with 404",
            f"{emulator.urls.foreign}/collect: url leads to {emulator.urls.foreign}, which gets no token",
            "http://[: url is not a plain http or https URL",
            "/subscriptions responded with 400",
        ],
        1,
    ):
        assert f"{number}. " in message
        assert part in message.partition(f"{number}. ")[2].partition(f"{number + 1}. ")[0], part
    assert message.startswith("Preflight found 8 problems:")
    assert "hidden" not in message
    of_graph = ["/v1.0/users", "/v1.0/nothing", "/v1.0/absent"]
    paths = ["/v1.0/organization", *of_graph, "/subscriptions", "/subscriptions", ITSELF[1]]
    assert [path for _method, path in asked(emulator)] == paths
    assert emulator.requests(listener="foreign") == []
    assert_secret(play, emulator)


def test_several_apps_are_checked_without_failing(plays: Plays, emulator: Emulator) -> None:
    """Each with a fact of its own: what ends soon, who may not read itself, who has nothing that ends or no token."""
    days = 86400
    secrets = [{"value": "made-up~secret-1", "expires_in": 20.5 * days}, {"value": "old~secret", "expires_in": -days}]
    certificate = issue("automation")
    roles = {"graph": ["Organization.Read.All", "Application.Read.All"]}
    ending = emulator.add_app(secret=secrets, certificates=[certificate.certificate_pem], roles=roles)["client_id"]
    (plays.directory / "app.pem").write_bytes(certificate.pem().encode())
    by_certificate = {"client_certificate_path": str(plays.directory / "app.pem"), "credential": "client_certificate"}
    common = {"fail": False, "scopes": ["graph"]}
    both = ["graph", "arm"]
    tasks = [
        include_preflight(**app(ending, "made-up~secret-1"), **{**common, "scopes": both}, fact="ending"),
        include_preflight(**app(ending, **by_certificate), **common, fact="certificate"),
        include_preflight(**app(ending, "made-up~secret-1"), **common, fact="unasked", warn_days=0),
        include_preflight(**app(seed.NO_ROLES, "made-up~secret-of-no-roles"), **common, fact="powerless"),
        include_preflight(**app(seed.EXPIRED, "made-up~secret-of-expired"), **common, fact="expired"),
        include_preflight(app_token_credential="managed_identity", **common, fact="identity"),
        include_preflight(**{**common, "scopes": ["arm"]}, fact="arm_alone"),
        include_preflight(**app(seed.OPERATOR, "made-up~secret-of-operator"), **common, fact="endless"),
    ]
    names = ("ending", "certificate", "unasked", "powerless", "expired", "identity", "arm_alone", "endless")
    env = emulator.managed_identity_environment("imds")
    play = plays.run([{"tasks": [*tasks, show(**dict(zip(names, names, strict=True)))]}], record=True, env=env)
    assert play.returncode == 0, play.output
    found = play.shown()
    (end,) = found["ending"]["credentials"]["expirations"]
    assert (end["kind"], end["days_left"]) == ("secret", 20)
    subscriptions, ends = found["ending"]["warnings"]
    assert f"The app {ending} sees no subscription." in subscriptions
    assert f"The secret 'secret' (key id {end['key_id']}) of the app {ending} expires on" in ends
    assert found["ending"]["ok"]
    assert found["certificate"]["credentials"]["expirations"][0]["kind"] == "certificate"
    notes = {name: found[name]["credentials"]["note"] for name in names}
    assert notes["unasked"] == "warn_days is 0"
    assert "Application.Read.All allows it" in notes["powerless"]
    assert notes["identity"] == "a credential of the kind managed_identity is not kept in the app registration"
    assert notes["arm_alone"] == "graph is not among the scopes"
    endless = found["endless"]["credentials"]
    assert (endless["read"], endless["note"], endless["expirations"]) == (True, None, [])
    assert table(play)[-1] == "Expiration of secrets and certificates: none expires"
    (refused,) = found["powerless"]["problems"]
    assert "responded with 403" in refused
    assert "No roles can be read from the token." in refused
    (expired,) = found["expired"]["problems"]
    assert "AADSTS7000222" in expired
    assert found["expired"]["apis"][0]["calls"] == []


def test_a_busy_api_and_a_refused_token_are_no_problem(plays: Plays, emulator: Emulator) -> None:
    """Retry-After is obeyed and the claims are asked for; one host asks for all, in check mode as well."""
    emulator.fault("status", endpoint="arm", status=429, retry_after=1)
    emulator.revoke(emulator.client_id, challenge=True)
    tasks = [{**include_preflight(), "run_once": True}, show(found="preflight_result")]
    tasks[0]["ansible.builtin.include_role"]["apply"] = {"run_once": True}
    play = plays.run([{"tasks": tasks}], "--check", "-vvv", hosts=3, record=True)
    assert play.returncode == 0, play.output
    for host in ("h001", "h002", "h003"):
        assert play.shown(host)["found"]["problems"] == []
        assert play.shown(host)["found"]["credentials"]["read"]
    log = emulator.requests(listener="api")
    busy, *later = [entry for entry in log if (entry["method"], entry["path"]) == SUBSCRIPTIONS]
    assert (busy["status"], later[-1]["status"]) == (429, 200)
    assert later[0]["time"] - busy["time"] >= 1
    assert [entry["status"] for entry in log if (entry["method"], entry["path"]) == ORGANIZATION] == [401, 200]
    assert any(entry["requested_claims"] for entry in emulator.token_requests())
    assert_secret(play, emulator)


def test_the_playbook_is_a_first_play(plays: Plays, emulator: Emulator) -> None:
    """Imported with variables; what follows has the fact, and does not run where something is wrong."""
    imported = {
        "ansible.builtin.import_playbook": "entra.auth.preflight",
        "vars": {"preflight_scopes": ["graph"], "preflight_required_roles": {"graph": ["{{ needed }}"]}},
    }
    work = {"hosts": "all", "gather_facts": False, "tasks": [show(ok="hostvars.localhost.preflight_result.ok")]}
    playbook = plays.directory / "job.yml"
    playbook.write_text(json.dumps([imported, work]))
    play = plays.run(playbook, record=True, needed="User.Read.All")
    assert play.returncode == 0, play.output
    assert play.shown()["ok"] is True
    assert asked(emulator) == [ORGANIZATION, ITSELF]
    play = plays.run(playbook, "-e", "needed=Mail.Send", record=True)
    assert play.returncode == 2
    assert "lacks the app roles Mail.Send" in play.output
    assert not [event for event in play.events() if event["task"] == "Show"]


def test_extra_variables_are_taken_as_text(plays: Plays, emulator: Emulator) -> None:
    """As people type them behind -e: one scope, several with commas, a role, and JSON."""
    playbook = Path("entra.auth.preflight")
    play = plays.run(playbook, "-e", "preflight_scopes=graph", record=True)
    assert play.returncode == 0, play.output
    assert asked(emulator) == [ORGANIZATION, ITSELF]
    emulator.reset()
    calls = json.dumps({"preflight_calls": [{"url": "/v1.0/users?$top=1", "status_code": 200}]})
    roles = json.dumps({"preflight_required_roles": {"graph": "User.Read.All"}})
    arguments = ("-e", "preflight_scopes=graph,arm preflight_warn_days=0 preflight_fail=yes", "-e", calls, "-e", roles)
    play = plays.run(playbook, *arguments, record=True)
    assert play.returncode == 0, play.output
    assert asked(emulator) == [ORGANIZATION, ("GET", "/v1.0/users"), SUBSCRIPTIONS]


@pytest.mark.entry_point
def test_the_module_is_a_task_with_a_result(plays: Plays, emulator: Emulator) -> None:
    """Options of the group count, nothing runs on the host, and a host may not choose what is checked."""
    defaults = {"group/entra.auth.entra": {"client_id": emulator.client_id, "timeout": 20}}
    task = {"name": "Check", "entra.auth.preflight": {"scopes": "graph"}, "become": True}
    add_hostile_host(plays, "h001", {"ansible_facts": {"preflight_required_roles": {"graph": ["Mail.Send"]}}})
    fact = {"name": "Ping", "ansible.builtin.ping": {}, "become": False}
    role = include_preflight(scopes=["graph"])
    play = plays.run(
        [{"tasks": [task, fact, role], "module_defaults": defaults}],
        "--check",
        record=True,
        env={"AZURE_CLIENT_ID": None, "ANSIBLE_BECOME_EXE": "/nonexistent"},
        app_token_client_id=emulator.client_id,
    )
    assert play.returncode == 0, play.output
    assert play.result("Check")["ok"]
    assert "The fact preflight_required_roles of h001 is ignored" in play.output
    assert_secret(play, emulator)
