# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of several credentials use."""

from __future__ import annotations

import typing as t

import pytest

from entra_emulator import azure_cli

if t.TYPE_CHECKING:
    from entra_emulator.azure_cli import AzureCli
    from entra_emulator.client import Emulator
    from plays import Plays


@pytest.fixture
def cli(plays: Plays, emulator: Emulator) -> AzureCli:
    """The Azure CLI on PATH, signed in."""
    emulator.add_app(client_id=azure_cli.CLIENT_ID, name="Microsoft Azure CLI", public=True)
    installed = azure_cli.install(plays.directory / "cli")
    installed.sign_in(emulator.urls.login, emulator.tenant_id, emulator.add_refresh_token(azure_cli.CLIENT_ID))
    return installed
