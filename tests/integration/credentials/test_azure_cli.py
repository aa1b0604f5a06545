# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sign-in of the Azure CLI: one run of the program for all hosts, and each of its failures with what to do."""

from __future__ import annotations

import typing as t

import pytest
from canned_server import CannedServer, json_answer

from entra_emulator import azure_cli
from plays import show

if t.TYPE_CHECKING:
    from entra_emulator.azure_cli import AzureCli
    from entra_emulator.client import Emulator
    from plays import Play, Plays

GRAPH: t.Final = "https://graph.microsoft.com/.default"
SECRETS: t.Final = {"AZURE_CLIENT_SECRET": "made-up~secret", "ARM_OIDC_TOKEN": "made-up~assertion"}


def _run(plays: Plays, cli: AzureCli, tasks: list[dict[str, t.Any]], *arguments: str, **more: t.Any) -> Play:
    env = {"ENTRA_AUTH_TENANT_ID": None, "ENTRA_AUTH_CREDENTIAL": "azure_cli", **cli.environment, **more.pop("env", {})}
    return plays.run([{"tasks": tasks}], *arguments, record=True, env=env, **more)


def _get(task: str = "Get", /, **options: t.Any) -> dict[str, t.Any]:
    return {"name": task, "entra.auth.app_token": options, "register": "token", "ignore_errors": True}


def test_one_run_of_the_program_serves_all_hosts(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    """By an argument list; nothing secret is in its environment, and the token names its own client and tenant."""
    lookup = "lookup('entra.auth.app_token', output='token')"
    shown = show(**{name: f"[{one}.client_id, {one}.tenant_id, {one}.credential, {one}.source]" for name, one in
                    (("module", "token"), ("lookup", lookup))})  # fmt: skip
    play = _run(plays, cli, [_get(), shown], "-vvv", hosts=5, env=SECRETS)
    assert play.returncode == 0, play.output
    (run,) = cli.runs()
    assert run["arguments"] == ["account", "get-access-token", "--output", "json", "--scope", GRAPH]
    environment = run["environment"]
    assert not {name for name in environment if name.startswith("ENTRA_AUTH_") or name in SECRETS}
    assert emulator.client_secret not in environment.values()
    assert environment["AZURE_CORE_NO_COLOR"] == "true"
    for name in ("module", "lookup"):
        client, tenant, kind, source = play.shown()[name]
        assert (client, tenant, kind) == (azure_cli.CLIENT_ID, emulator.tenant_id, "azure_cli")
        assert source in ("network", "cache")
    assert len(emulator.token_requests()) == 1
    # The client of another app in the environment is not named as this token's.
    lines = [line for line in play.output.splitlines() if line.startswith("entra.auth: token from")]
    assert lines
    assert not [line for line in lines if emulator.client_id in line]
    assert "client_id from environment ENTRA_AUTH_CLIENT_ID (not used by this credential)" in play.output


def test_tenant_and_scopes_are_arguments(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    """A user's permissions may be named one by one; nothing that an argument holds can become an option."""
    tasks = [
        _get("tenant", tenant_id=emulator.tenant_id),
        _get("permissions", scope=["https://graph.microsoft.com/User.Read"]),
        _get("hyphen", scope="--debug"),
        _get("shell", scope="https://graph.microsoft.com/;id"),
    ]
    play = _run(plays, cli, tasks)
    asked = [run["arguments"][4:] for run in cli.runs()]
    assert asked[0] == ["--scope", GRAPH, "--tenant", emulator.tenant_id]
    assert asked[1] == ["--scope", "https://graph.microsoft.com/User.Read"]
    assert "begins with a hyphen" in play.result("hyphen")["msg"]
    assert not [one for one in asked if "--debug" in one]


def test_auto_never_takes_it(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    """A sign-in of a developer is used only where it is asked for by name."""
    env = {"ENTRA_AUTH_CREDENTIAL": None, "ENTRA_AUTH_CLIENT_SECRET": None}
    play = _run(plays, cli, [_get()], env=env)
    assert "Missing: tenant_id and a credential" in play.result("Get")["msg"]
    assert cli.runs() == []


@pytest.mark.parametrize(
    "cache_key", [pytest.param(None, marks=pytest.mark.thorough), "made-up~long-random-key-of-32-characters"]
)
def test_a_cache_that_outlives_the_run_falls_back_to_the_run(
    plays: Plays, cli: AzureCli, cache_key: str | None
) -> None:
    """With a warning, even with a key: the next run may have another sign-in."""
    env = {"ENTRA_AUTH_CACHE": "user", "ENTRA_AUTH_CACHE_KEY": cache_key}
    for runs in (1, 2):
        play = _run(plays, cli, [_get(), _get("again")], env=env)
        assert play.returncode == 0, play.output
        assert len(cli.runs()) == runs
        assert "those of a sign-in that may change between two runs" in play.output


def test_a_refused_sign_in_is_told_once_for_all_hosts(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    """Entra's code, the ids for support, the cause, and the command to run."""
    expired = emulator.add_refresh_token(azure_cli.CLIENT_ID, refused_with=70043)
    cli.sign_in(emulator.urls.login, emulator.tenant_id, expired)
    play = _run(plays, cli, [_get(tenant_id=emulator.tenant_id)], hosts=3)
    for host in ("h001", "h002", "h003"):
        result = play.result("Get", host)
        assert result["error_codes"] == [70043]
        assert "AADSTS70043: The refresh token has expired" in result["msg"]
        assert "the sign-in of the Azure CLI has expired" in result["msg"]
        assert (
            f"Run 'az login --tenant {emulator.tenant_id} --scope {GRAPH}' as the user who runs Ansible."
            in (result["hint"])
        )
        assert result["correlation_id"]
        assert result["trace_id"]
        assert "Trace ID" not in result["msg"].partition("To fix it")[0]
    assert len(cli.runs()) == 1
    assert expired not in play.output


@pytest.mark.parametrize(
    ("code", "cause", "fix"),
    [
        (50076, "a conditional access policy asks for more", "pass the check"),
        *(
            pytest.param(*row, marks=pytest.mark.thorough)
            for row in (
                (53003, "a conditional access policy asks for more", "pass the check"),
                (90072, "does not belong to this tenant", "Correct tenant_id"),
                (65001, "the app of the Azure CLI may not use this API", "app registration of your own"),
                (700082, "the sign-in of the Azure CLI has expired", "az login"),
            )
        ),
    ],
)
def test_each_reason_of_a_refusal_has_its_own_fix(
    plays: Plays, emulator: Emulator, cli: AzureCli, code: int, cause: str, fix: str
) -> None:
    refused = emulator.add_refresh_token(azure_cli.CLIENT_ID, refused_with=code)
    cli.sign_in(emulator.urls.login, emulator.tenant_id, refused)
    result = _run(plays, cli, [_get()]).result("Get")
    assert result["error_codes"] == [code]
    assert cause in result["msg"]
    assert fix in result["hint"]


def test_a_program_that_is_not_there_or_not_signed_in_is_told(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    (cli.config / "stand-in-profile.json").unlink()
    result = _run(plays, cli, [_get()]).result("Get")
    assert "The Azure CLI is not signed in." in result["msg"]
    assert f"Run 'az login --scope {GRAPH}'" in result["hint"]
    (cli.bin / "az").unlink()
    result = _run(plays, cli, [_get()]).result("Get")
    assert "The Azure CLI (az) is not installed on the control node, or not on PATH." in result["msg"]
    assert emulator.requests() == []


def test_an_unreachable_login_host_is_told(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    cli.sign_in("https://127.0.0.1:9", emulator.tenant_id, "r")
    result = _run(plays, cli, [_get()]).result("Get")
    assert "Max retries exceeded" in result["msg"]
    assert "HTTPS_PROXY" in result["hint"]


@pytest.mark.thorough
def test_older_versions_are_understood(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    place = (emulator.urls.login, emulator.tenant_id, emulator.add_refresh_token(azure_cli.CLIENT_ID))
    cli.sign_in(*place, version="2.53")
    play = _run(plays, cli, [_get(), show(seconds="token.expires_in")])
    assert 80000 < play.shown()["seconds"] < 90000
    cli.sign_in(*place, version="2.29")
    assert "Update the Azure CLI" in _run(plays, cli, [_get()]).result("Get")["hint"]


def test_the_sign_in_of_a_managed_identity_is_understood(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    place = (emulator.urls.login, emulator.tenant_id, emulator.add_refresh_token(azure_cli.CLIENT_ID))
    cli.sign_in(*place, identity=True)
    tasks = [_get(tenant_id=emulator.tenant_id), _get("other", tenant_id="other.example")]
    play = _run(plays, cli, tasks)
    assert "failed" not in play.result("Get")
    assert f"must be the current tenant {emulator.tenant_id}" in play.result("other")["msg"]
    assert "Remove tenant_id" in play.result("other")["hint"]


def test_a_program_that_hangs_is_ended(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    cli.sign_in(emulator.urls.login, emulator.tenant_id, "r", seconds=600)
    result = _run(plays, cli, [_get(timeout=0.5)]).result("Get")
    assert "The Azure CLI did not respond in time." in result["msg"]


def test_output_that_is_not_a_token_is_never_shown(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    place = (emulator.urls.login, emulator.tenant_id, emulator.add_refresh_token(azure_cli.CLIENT_ID))
    cli.sign_in(*place, raw='{"accessToken": "made-up~token", "tokenType": "pop", "expires_on": 4102444800}')
    play = _run(plays, cli, [_get()], "-vvv")
    assert "something other than a bearer token" in play.result("Get")["msg"]
    assert "made-up~token" not in play.output


def test_a_claims_challenge_is_answered_by_a_person(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    """The command to run holds the claims; the program is not run."""
    challenge = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    result = _run(plays, cli, [_get(claims_challenge=challenge)]).result("Get")
    assert "az login --scope" in result["hint"]
    assert "--claims-challenge eyJ" in result["hint"]
    assert cli.runs() == []


def test_a_role_that_its_token_lacks_is_told_with_whose_app_it_is(plays: Plays, cli: AzureCli) -> None:
    result = _run(plays, cli, [_get(required_roles=["RoleManagement.ReadWrite.Directory"])]).result("Get")
    assert "lacks" in result["msg"]
    assert "The app of the Azure CLI has a fixed set of permissions" in result["hint"]


def test_the_token_is_sent_to_an_api(plays: Plays, emulator: Emulator, cli: AzureCli) -> None:
    """As one of a user, with the user's permissions."""
    task = {"name": "Call", "entra.auth.api_request": {"url": "/v1.0/me"}, "register": "answer", "ignore_errors": True}
    play = _run(plays, cli, [task])
    (call,) = emulator.requests(listener="api")
    assert call["claims"]["idtyp"] == "user"
    assert len(cli.runs()) == 1, play.output


def test_the_authority_of_the_options_is_neither_asked_nor_named(
    plays: Plays, emulator: Emulator, cli: AzureCli
) -> None:
    """A login host of the options is not asked: the program has its own."""
    with CannedServer(json_answer(500, {})) as server:
        play = _run(plays, cli, [_get(authority=server.url)], "-vvv")
    assert play.returncode == 0, play.output
    assert server.received == []
    assert f"authority {server.url}" not in play.output
