# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every scope alias means, in every cloud, the resource and the host that Microsoft and its own tools name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import ALIASES, CLOUDS, Api, canonicalize_cloud
from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import resolve_scope

NAMES = ("public", "usgov", "usgov_dod", "china")
# For each API that is documented there, its identifier, and its base URL if that is not one for each account.
SOVEREIGN: dict[str, dict[str, tuple[str, str | None]]] = {
    "bleu": {
        "arm": ("https://management.sovcloud-api.fr", "https://management.sovcloud-api.fr"),
        "batch": ("https://batch.sovcloud-api.fr/", None),
        "graph": ("https://graph.svc.sovcloud.fr", "https://graph.svc.sovcloud.fr"),
        "key_vault": ("https://vault.sovcloud-api.fr", None),
        "managed_hsm": ("https://managedhsm.sovcloud-api.fr", None),
        "oss_rdbms": ("https://ossrdbms-aad.database.sovcloud-api.fr", None),
        "storage": ("https://storage.azure.com/", None),
    },
    "delos": {"graph": ("https://graph.svc.sovcloud.de", "https://graph.svc.sovcloud.de")},
    "govsg": {},
}

# Written out from the vendor's tables, not read from the code; None where the cloud does not offer the API. The last
# column says what DoD has, where that differs from the other government cloud.
# fmt: off
SCOPES = {
    "graph": (
        "https://graph.microsoft.com/.default",
        "https://graph.microsoft.us/.default",
        "https://dod-graph.microsoft.us/.default",
        "https://microsoftgraph.chinacloudapi.cn/.default",
    ),
    "arm": (
        "https://management.azure.com/.default",
        "https://management.core.usgovcloudapi.net/.default",
        "https://management.core.usgovcloudapi.net/.default",
        "https://management.chinacloudapi.cn/.default",
    ),
    "key_vault": (
        "https://vault.azure.net/.default",
        "https://vault.usgovcloudapi.net/.default",
        "https://vault.usgovcloudapi.net/.default",
        "https://vault.azure.cn/.default",
    ),
    "managed_hsm": (
        "https://managedhsm.azure.net/.default",
        "https://managedhsm.usgovcloudapi.net/.default",
        "https://managedhsm.usgovcloudapi.net/.default",
        "https://managedhsm.azure.cn/.default",
    ),
    "storage": ("https://storage.azure.com//.default",) * 4,
    "sql": (
        "https://database.windows.net//.default",
        "https://database.usgovcloudapi.net//.default",
        "https://database.usgovcloudapi.net//.default",
        "https://database.chinacloudapi.cn//.default",
    ),
    "oss_rdbms": (
        "https://ossrdbms-aad.database.windows.net/.default",
        "https://ossrdbms-aad.database.usgovcloudapi.net/.default",
        "https://ossrdbms-aad.database.usgovcloudapi.net/.default",
        "https://ossrdbms-aad.database.chinacloudapi.cn/.default",
    ),
    "service_bus": ("https://servicebus.azure.net//.default",) * 4,
    "event_hubs": ("https://eventhubs.azure.net//.default",) * 4,
    "log_analytics": (
        "https://api.loganalytics.io/.default",
        "https://api.loganalytics.us/.default",
        "https://api.loganalytics.us/.default",
        "https://api.loganalytics.azure.cn/.default",
    ),
    "app_insights": (
        "https://api.applicationinsights.io/.default",
        "https://api.applicationinsights.us/.default",
        "https://api.applicationinsights.us/.default",
        "https://api.applicationinsights.azure.cn/.default",
    ),
    "monitor": (
        "https://monitor.azure.com/.default",
        "https://monitor.azure.us/.default",
        "https://monitor.azure.us/.default",
        "https://monitor.azure.cn/.default",
    ),
    "devops": ("499b84ac-1321-427f-aa17-267ca6975798/.default", None, None, None),
    "power_bi": (
        "https://analysis.windows.net/powerbi/api/.default",
        "https://high.analysis.usgovcloudapi.net/powerbi/api/.default",
        "https://mil.analysis.usgovcloudapi.net/powerbi/api/.default",
        "https://analysis.chinacloudapi.cn/powerbi/api/.default",
    ),
    "fabric": (
        "https://api.fabric.microsoft.com/.default",
        "https://api.fabric.microsoft.us/.default",
        "https://api.fabric.microsoft.us/.default",
        None,
    ),
    "exchange": (
        "https://outlook.office365.com/.default",
        "https://outlook.office365.us/.default",
        "https://outlook-dod.office365.us/.default",
        "https://partner.outlook.cn/.default",
    ),
    "batch": (
        "https://batch.core.windows.net//.default",
        "https://batch.core.usgovcloudapi.net//.default",
        "https://batch.core.usgovcloudapi.net//.default",
        "https://batch.chinacloudapi.cn//.default",
    ),
    "defender": (
        "https://api.securitycenter.microsoft.com/.default",
        "https://api.securitycenter.microsoft.com/.default",
        "https://api.securitycenter.microsoft.com/.default",
        None,
    ),
    "defender_xdr": ("https://api.security.microsoft.com/.default", None, None, None),
    "office_management": ("https://manage.office.com/.default", None, None, None),
    "synapse": (
        "https://dev.azuresynapse.net/.default",
        "https://dev.azuresynapse.usgovcloudapi.net/.default",
        "https://dev.azuresynapse.usgovcloudapi.net/.default",
        "https://dev.azuresynapse.azure.cn/.default",
    ),
    "search": ("https://search.azure.com/.default", None, None, None),
    "cosmos": ("https://cosmos.azure.com/.default", None, None, None),
    "cognitive_services": ("https://cognitiveservices.azure.com/.default", None, None, None),
}
# The base URL where it is not the resource itself; None for APIs with one host per customer.
URLS = {
    "arm": (
        "https://management.azure.com",
        "https://management.usgovcloudapi.net",
        "https://management.usgovcloudapi.net",
        "https://management.chinacloudapi.cn",
    ),
    "power_bi": (
        "https://api.powerbi.com",
        "https://api.high.powerbigov.us",
        "https://api.mil.powerbigov.us",
        "https://api.powerbi.cn",
    ),
    "devops": ("https://dev.azure.com", None, None, None),
    "defender": (
        "https://api.security.microsoft.com",
        "https://api-gov.securitycenter.microsoft.us",
        "https://api-gov.securitycenter.microsoft.us",
        None,
    ),
}
# fmt: on
OWN_HOST = {
    "app_insights",
    "defender_xdr",
    "exchange",
    "fabric",
    "graph",
    "log_analytics",
    "office_management",
}  # fmt: skip


def expected_url(alias: str, column: int) -> str | None:
    if alias in URLS:
        return URLS[alias][column]
    scope = SCOPES[alias][column]
    return scope.removesuffix("/.default") if scope and alias in OWN_HOST else None


TABLE = [
    pytest.param(cloud, alias, scopes[column], expected_url(alias, column), id=f"{alias}-{cloud}")
    for alias, scopes in SCOPES.items()
    for column, cloud in enumerate(NAMES)
]


def test_the_table_above_misses_no_cloud_and_no_alias() -> None:
    assert set(CLOUDS) == {*NAMES, *SOVEREIGN}
    assert set(ALIASES) == set(SCOPES)


@pytest.mark.parametrize(("cloud", "alias", "scope", "url"), TABLE)
def test_an_alias_gives_the_scope_and_the_host_of_its_cloud(
    cloud: str, alias: str, scope: str | None, url: str | None
) -> None:
    if scope is None:
        with pytest.raises(InputError, match=f"'{alias}' is not known in the cloud '{cloud}'") as refused:
            resolve_scope([alias], CLOUDS[cloud], delegated=False)
        assert "graph" in str(refused.value.hint)
        return
    resolved = resolve_scope([alias], CLOUDS[cloud], delegated=False)
    assert (resolved.value, resolved.api_url) == (scope, url)


@pytest.mark.parametrize("alias", sorted(SCOPES))
@pytest.mark.parametrize("cloud", SOVEREIGN)
def test_a_new_sovereign_cloud_has_the_apis_whose_hosts_are_documented(cloud: str, alias: str) -> None:
    if known := SOVEREIGN[cloud].get(alias):
        resource, url = known
        resolved = resolve_scope([alias], CLOUDS[cloud], delegated=False)
        assert (resolved.value, resolved.api_url) == (f"{resource}/.default", url)
        return
    with pytest.raises(InputError) as refused:
        resolve_scope([alias], CLOUDS[cloud], delegated=False)
    assert refused.value.hint
    assert "resource URI itself as scope, and the base URL of the API as api_base_url" in refused.value.hint


@pytest.mark.parametrize(
    ("cloud", "login_url", "audience"),
    [
        ("public", "https://login.microsoftonline.com", "api://AzureADTokenExchange"),
        ("usgov", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
        ("usgov_dod", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
        ("china", "https://login.partner.microsoftonline.cn", "api://AzureADTokenExchangeChina"),
        ("bleu", "https://login.sovcloud-identity.fr", "api://AzureADTokenExchange"),
        ("delos", "https://login.sovcloud-identity.de", "api://AzureADTokenExchange"),
        ("govsg", "https://login.sovcloud-identity.sg", "api://AzureADTokenExchange"),
    ],
)
def test_each_cloud_has_its_login_host_and_its_audience_for_federation(
    cloud: str, login_url: str, audience: str
) -> None:
    assert (CLOUDS[cloud].name, CLOUDS[cloud].login_url) == (cloud, login_url)
    assert CLOUDS[cloud].federation_audience == audience


@pytest.mark.parametrize(
    ("given", "name"),
    [
        *((name, name) for name in NAMES),
        ("AzureCloud", "public"),
        ("AzurePublicCloud", "public"),
        ("global", "public"),
        ("PUBLIC", "public"),
        (" public\n", "public"),
        ("AzureUSGovernment", "usgov"),
        ("AzureUSGovernmentCloud", "usgov"),
        ("usgovernment", "usgov"),
        ("usgovernmentl4", "usgov"),
        ("dod", "usgov_dod"),
        ("usgovernmentl5", "usgov_dod"),
        ("AzureChinaCloud", "china"),
        ("China", "china"),
        ("AzureBleuCloud", "bleu"),
        ("BleuCloud", "bleu"),
        ("DelosCloud", "delos"),
        ("GovSGCloud", "govsg"),
    ],
)
def test_the_names_of_other_tools_are_understood(given: str, name: str) -> None:
    assert canonicalize_cloud(given) == name


@pytest.mark.parametrize("unknown", ["AzureGermanCloud", "", "https://management.local/metadata/endpoints", "Public1"])
def test_an_unknown_cloud_comes_back_as_it_was_written(unknown: str) -> None:
    assert canonicalize_cloud(unknown) == unknown


@pytest.mark.parametrize(
    ("resource", "is_graph"),
    [
        ("https://graph.microsoft.com", True),
        ("https://graph.microsoft.com/", True),
        ("HTTPS://GRAPH.MICROSOFT.COM", True),
        ("00000003-0000-0000-c000-000000000000", True),
        ("https://graph.microsoft.us", False),
        ("https://graph.microsoft.com.evil.example", False),
        ("https://graph.microsoft.com/v1.0", False),
        ("", False),
    ],
)
def test_an_api_is_recognised_by_each_of_its_identifiers(resource: str, is_graph: bool) -> None:
    found = CLOUDS["public"].find_api(resource)
    assert (found is CLOUDS["public"].apis["graph"]) is is_graph
    assert is_graph or found is None


@given(st.sampled_from(sorted(CLOUDS)), st.text())
def test_no_text_but_an_alias_names_an_api(cloud: str, name: str) -> None:
    if name in CLOUDS[cloud].apis:
        assert isinstance(CLOUDS[cloud].get_api(name), Api)
    else:
        with pytest.raises(InputError):
            CLOUDS[cloud].get_api(name)
