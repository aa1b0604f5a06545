# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sign-in of the Azure CLI decides whose token it is; the options only select a tenant and scopes."""

from __future__ import annotations

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._credentials import azure_cli_process
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.azure_cli import AzureCli
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Identity
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

OPTIONS = AppTokenOptions(tenant_id="contoso.com", client_id="of-another-app", authority="https://login.test")
# {"appid": "a", "tid": "t"}
TOKEN = Token("e30.eyJhcHBpZCI6ICJhIiwgInRpZCI6ICJ0In0.c2ln", 0, 3600)


def test_only_the_tenant_of_the_options_counts() -> None:
    request = AzureCli(OPTIONS).build_request("s", None)
    assert request == AzureCli(AppTokenOptions(tenant_id="contoso.com")).build_request("s", None)
    assert request.build_key() != AzureCli(AppTokenOptions()).build_request("s", None).build_key()


def test_capabilities_are_declared_by_the_cli_itself() -> None:
    assert AzureCli(AppTokenOptions(client_capabilities=["cp1"])).build_request("s", None).claims is None


def test_the_token_says_whose_it_is() -> None:
    assert AzureCli(OPTIONS).get_identity(TOKEN) == Identity("t", "a")
    assert AzureCli(OPTIONS).get_identity(Token("opaque", 0, 3600)) == Identity("contoso.com")
    assert AzureCli(OPTIONS).get_identity() == Identity("contoso.com")


def test_it_belongs_to_a_user_and_to_this_run() -> None:
    assert AzureCli.delegated
    assert not AzureCli.outlives_run
    assert AzureCli(OPTIONS).get_entry_secret() is None


@pytest.mark.parametrize("scope", ["--debug", "a/.default --query"])
def test_no_scope_can_become_an_option_of_the_program(scope: str) -> None:
    with pytest.raises(InputError, match="begins with a hyphen"):
        AzureCli(OPTIONS).build_request(scope, None)


def test_the_program_is_run_with_scopes_tenant_claims_and_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[object] = []

    def record(*arguments: object) -> Token:
        received.extend(arguments)
        return TOKEN

    monkeypatch.setattr(azure_cli_process, "request_cli_token", record)
    credential = AzureCli(OPTIONS)
    assert credential.request_token(credential.build_request("a b", "{}"), NetworkSettings(7, 30)) == TOKEN
    assert received == [["a", "b"], "contoso.com", "{}", 7]
