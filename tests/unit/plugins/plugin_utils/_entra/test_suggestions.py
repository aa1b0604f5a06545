# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cloud or the API that a user probably meant."""

from __future__ import annotations

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS
from ansible_collections.entra.auth.plugins.plugin_utils._entra.suggestions import (
    find_alias_of_host,
    find_api_of_part,
    suggest_alias,
    suggest_cloud,
)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("AzureGov", "Use usgov."),
        ("USGov", "Use usgov."),
        ("AzureUSGovernmentDoD", "Use usgov_dod."),
        ("chinna", "Use china."),
        ("21Vianet", "Use china."),
        ("AzureBleu", "Use bleu."),
        ("publc", "Use public."),
        ("gov-sg", "Use govsg."),
        ("AzureGermanCloud", None),
        ("xyzzy", None),
        ("", None),
    ],
)
def test_the_cloud_that_is_meant_is_told(name: str, hint: str | None) -> None:
    assert suggest_cloud(name) == hint


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("https://management.azure.com", "that cloud, public,"),
        ("https://management.usgovcloudapi.net/metadata/endpoints?api-version=2022-09-01", "that cloud, usgov,"),
        ("https://management.chinacloudapi.cn/", "that cloud, china,"),
        ("https://management.local.azurestack.external", "set authority to the login host, scope to the resource URI"),
        ("https://[::1", "set authority to the login host"),
    ],
)
def test_instead_of_a_url_of_metadata_it_is_told_what_to_set(url: str, part: str) -> None:
    assert part in str(suggest_cloud(url))


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("Microsoft.Graph", "graph"),
        ("msgraph", "graph"),
        ("azure", "arm"),
        ("KeyVault", "key_vault"),
        ("power-bi", "power_bi"),
        ("vault.azure.net", "key_vault"),
        ("contoso.vault.azure.net", "key_vault"),
        ("Sites.Selected", "graph"),
        ("storge", "storage"),
        ("xyzzy", None),
        ("", None),
    ],
)
def test_the_api_that_is_meant_is_told(name: str, alias: str | None) -> None:
    assert suggest_alias(name) == alias


def test_an_api_is_found_by_its_hosts_in_its_cloud() -> None:
    assert find_alias_of_host("https://graph.microsoft.us/v1.0", CLOUDS["usgov"]) == "graph"
    assert find_alias_of_host("https://graph.microsoft.us/v1.0", CLOUDS["public"]) is None
    assert find_alias_of_host("https://vault.azure.net.evil.example", CLOUDS["public"]) is None


def test_a_resource_of_its_own_is_not_a_part_of_an_api() -> None:
    public = CLOUDS["public"]
    assert find_api_of_part("https://contoso.blob.core.windows.net", public, delegated=False) is None
    assert find_api_of_part("https://contoso.example/x", public, delegated=False) is None
    assert find_api_of_part("https://graph.microsoft.com/User.Read", public, delegated=True) is None
    assert find_api_of_part("https://graph.microsoft.com/User.Read", public, delegated=False) == "graph"
