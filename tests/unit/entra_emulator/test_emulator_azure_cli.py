# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in for the program az: options, JSON, exit statuses and words of the real one."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t

from entra_emulator import azure_cli

if t.TYPE_CHECKING:
    from pathlib import Path

    from conftest import Client

    from entra_emulator.azure_cli import AzureCli

_SCOPE = "https://graph.microsoft.com/.default"


def run(cli: AzureCli, client: Client, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program for the emulator."""
    environment = {**os.environ, **client.emulator.environment(), **cli.environment}
    command = [str(cli.bin / "az"), "account", "get-access-token", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_it_answers_and_refuses_as_the_real_program(client: Client, tmp_path: Path) -> None:
    cli = azure_cli.install(tmp_path)
    done = run(cli, client, "--scope", _SCOPE)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ERROR: Please run 'az login' to setup account.\n"
    emulator = client.emulator
    emulator.add_app(client_id=azure_cli.CLIENT_ID, public=True)
    place = (emulator.urls.login, emulator.tenant_id)
    cli.sign_in(*place, emulator.add_refresh_token(azure_cli.CLIENT_ID))
    answer = json.loads(run(cli, client, "--output", "json", "--scope", _SCOPE).stdout)
    assert set(answer) == {"tokenType", "accessToken", "expiresOn", "expires_on", "tenant", "subscription"}
    assert "subscription" not in json.loads(run(cli, client, "--tenant", emulator.tenant_id).stdout)
    cli.sign_in(*place, emulator.add_refresh_token(azure_cli.CLIENT_ID, refused_with=50076))
    done = run(cli, client, "--scope", _SCOPE)
    assert done.returncode == 1
    error, advice, *commands = done.stderr.splitlines()
    assert error.startswith("ERROR: AADSTS50076: ")
    assert "Trace ID: " in error
    assert advice.startswith("Run the command below to authenticate interactively")
    assert commands == ["az logout", f'az login --tenant "{emulator.tenant_id}" --scope "{_SCOPE}"']
    assert run(cli, client, "--what").returncode == 2
    assert len(cli.runs()) == 5
