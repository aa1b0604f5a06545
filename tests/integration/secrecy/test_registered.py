# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-core 2.22 and newer mask each secret that a task has read or received, wherever a play shows it."""

from __future__ import annotations

import base64
import typing as t

import pytest
from app_hosts import AppHosts
from certificates import issue
from cores import CORE_MASK, CORE_MASKS

from entra_emulator import azure_cli
from plays import role

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

pytestmark = [
    pytest.mark.entry_point,
    pytest.mark.skipif(not CORE_MASKS, reason="ansible-core before 2.22 masks no secret that is registered with it"),
]

PASSWORD: t.Final = "made-up~password-of-a-pfx"
CACHE_KEY: t.Final = "made-up~random-key-of-a-shared-cache"
IN_FILE: t.Final = "made-up~secret-in-a-file"
FROM_ELSEWHERE: t.Final = {
    name: f"made-up~opaque-token-of-{name}" for name in ("api_request", "authorized_uri", "role")
}
CALL: t.Final = {"url": "/v1.0/organization", "status_code": [401]}


def _get(**options: t.Any) -> dict[str, t.Any]:
    return {"name": "Get", "entra.auth.app_token": options, "register": "graph"}


def _show(expression: str) -> dict[str, t.Any]:
    return {"name": f"Show {expression}", "ansible.builtin.debug": {"msg": "{{ " + expression + " }}"}}


def _assert_masked(play: Play, *secrets: str) -> None:
    """In each place where the play shows a secret, the mask of ansible-core is shown."""
    assert play.returncode == 0, play.output
    assert CORE_MASK in play.output
    assert [secret for secret in secrets if secret in play.output] == []


def test_secrets_that_tasks_read_are_masked(plays: Plays, emulator: Emulator) -> None:
    """From files, the environment and options; each is shown after the task that used it."""
    certificate = issue("registered.contoso.example")
    app = emulator.add_app(secret=IN_FILE, certificates=[certificate.certificate_pem])
    secret_file, sign_in = plays.directory / "secret", plays.directory / "sign-in"
    secret_file.write_text(IN_FILE)
    public = emulator.add_app(public=True)["client_id"]
    refresh_token = emulator.add_refresh_token(public)
    sign_in.write_text(refresh_token)
    pfx = base64.b64encode(certificate.pfx(PASSWORD)).decode()
    platform = emulator.managed_identity_environment("app_service")
    client = {"client_id": app["client_id"]}
    tasks = [
        _get(**client, client_secret_file=str(secret_file)),
        _show(f"lookup('ansible.builtin.file', '{secret_file}')"),
        _get(**client, client_certificate=pfx, client_certificate_password=PASSWORD, cache_key=CACHE_KEY),
        _show(f"'{PASSWORD}' ~ ' ' ~ '{CACHE_KEY}'"),
        _get(client_id=public, refresh_token_file=str(sign_in)),
        _show(f"lookup('ansible.builtin.file', '{sign_in}')"),
        _get(credential="managed_identity"),
        _show("lookup('ansible.builtin.env', 'IDENTITY_HEADER')"),
    ]
    play = plays.run([{"tasks": tasks}], env={**platform, "ENTRA_AUTH_CLIENT_SECRET": None})
    rotated = sign_in.read_text()
    assert rotated != refresh_token
    _assert_masked(play, IN_FILE, PASSWORD, CACHE_KEY, rotated, platform["IDENTITY_HEADER"])


def test_secrets_of_issuers_are_masked(plays: Plays, emulator: Emulator) -> None:
    """The bearer token of a request URL and of a job, and the token of the Azure CLI by module and lookup."""
    issuer = "https://token.actions.githubusercontent.com"
    subject = emulator.configure()["github_actions_subject"]
    trusted = [{"issuer": issuer, "subject": subject, "audience": "api://AzureADTokenExchange"}]
    client = {"client_id": emulator.add_app(federated=trusted)["client_id"]}
    job = emulator.ci_environment("github_actions")
    bearer = job["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    request = {
        "federated_token_source": "request_url",
        "federated_token_request_url": job["ACTIONS_ID_TOKEN_REQUEST_URL"],
        "federated_token_request_token": bearer,
    }
    for tasks, env in (([_get(**client, **request)], {}), ([_get(**client)], job)):
        play = plays.run([{"tasks": [*tasks, _show(f"'{bearer}'")]}], env={"ENTRA_AUTH_CLIENT_SECRET": None, **env})
        _assert_masked(play, bearer)
    emulator.add_app(client_id=azure_cli.CLIENT_ID, name="Microsoft Azure CLI", public=True)
    cli = azure_cli.install(plays.directory / "cli")
    cli.sign_in(emulator.urls.login, emulator.tenant_id, emulator.add_refresh_token(azure_cli.CLIENT_ID))
    for task in (_get(credential="azure_cli"), {"name": "Wait", "ansible.builtin.meta": "noop"}):
        shown = "lookup('entra.auth.app_token', credential='azure_cli')"
        play = plays.run([{"tasks": [task, _show(shown)]}], env=cli.environment)
        _assert_masked(play, emulator.issued()["token"][-1])


def test_a_token_of_the_cache_is_masked(plays: Plays, emulator: Emulator) -> None:
    """In a later run, whose only task is the lookup, and on a second host, which has a record of the first."""
    hosts = AppHosts(emulator)
    for form in ("access_token", "authorization", "headers", "uri", "token"):
        hosts.add(form, form=form)
        hosts.variables[f"{form}_again"] = hosts.variables[form]
    env = {"ENTRA_AUTH_CACHE": "user"}
    assert plays.run([{"tasks": [_get()]}], hosts=hosts.variables, env=env).returncode == 0
    tokens = [one for one in emulator.issued()["token"] if one]
    assert len(tokens) == len(hosts.variables) / 2
    shown = _show("lookup('entra.auth.app_token', output=form)")
    play = plays.run([{"serial": 1, "tasks": [shown]}], hosts=hosts.variables, env=env)
    _assert_masked(play, *tokens)
    assert len(emulator.token_requests()) == len(tokens)


def test_a_token_from_elsewhere_is_masked(plays: Plays, emulator: Emulator) -> None:
    """It is opaque, so only the option tells that it is a token."""
    tokens = FROM_ELSEWHERE
    variables = {f"authorized_uri_{name}": value for name, value in CALL.items()}
    tasks = [
        {"name": "API", "entra.auth.api_request": {**CALL, "access_token": tokens["api_request"]}},
        {"name": "URI", "entra.auth.authorized_uri": {**CALL, "access_token": tokens["authorized_uri"]}},
        role("authorized_uri", **variables, authorized_uri_access_token=tokens["role"]),
        _show("' '.join(tokens)"),
    ]
    play = plays.run([{"tasks": tasks}], tokens=list(tokens.values()))
    _assert_masked(play, *tokens.values())
    sent = [dict(entry["headers"])["Authorization"] for entry in emulator.requests(listener="api")]
    assert sent == [f"Bearer {token}" for token in tokens.values()]
