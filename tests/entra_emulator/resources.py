# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The APIs Entra knows in every cloud, with each spelling of their audience.

Sources: azure-cli ``cloud.py``, go-autorest ``environments.go``, Learn "Microsoft Graph national cloud deployments".
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """One API: its name here, its application id, and its identifier URIs without a final slash."""

    name: str
    uris: tuple[str, ...]
    app_id: str = ""

    def audiences(self) -> frozenset[str]:
        """Every ``aud`` the API itself accepts: each URI with and without a final slash, and the application id."""
        spellings = {uri + slash for uri in self.uris for slash in ("", "/")}
        return frozenset(spellings | ({self.app_id} if self.app_id else set()))


GRAPH = Resource(
    "graph",
    (
        "https://graph.microsoft.com",
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://graph.svc.sovcloud.fr",
        "https://graph.svc.sovcloud.de",
    ),
    "00000003-0000-0000-c000-000000000000",
)

ARM = Resource(
    "arm",
    (
        "https://management.core.windows.net",
        "https://management.azure.com",
        "https://management.core.usgovcloudapi.net",
        "https://management.usgovcloudapi.net",
        "https://management.core.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
    ),
    "797f4846-ba00-4fd7-ba43-dac1f8f63013",
)


def _in_clouds(name: str, *hosts: str, app_id: str = "") -> Resource:
    return Resource(name, tuple(f"https://{host}" for host in hosts), app_id)


_KUSTO: t.Final = _in_clouds(
    "kusto", "kusto.kusto.windows.net", "kusto.kusto.usgovcloudapi.net", "kusto.kusto.chinacloudapi.cn"
)
# What a managed identity's token must be for to serve as a federated credential (Learn "Configure an application to
# trust a managed identity").
TOKEN_EXCHANGE: t.Final = Resource(
    "token_exchange",
    ("api://AzureADTokenExchange", "api://AzureADTokenExchangeUSGov", "api://AzureADTokenExchangeChina"),
)
_SHAREPOINT: t.Final = Resource("sharepoint", (), "00000003-0000-0ff1-ce00-000000000000")

RESOURCES: t.Final = (
    GRAPH,
    ARM,
    _in_clouds(
        "key_vault",
        *("vault.azure.net", "vault.usgovcloudapi.net", "vault.azure.cn"),
        app_id="cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
    ),
    _in_clouds("managed_hsm", "managedhsm.azure.net", "managedhsm.usgovcloudapi.net", "managedhsm.azure.cn"),
    _in_clouds("storage", "storage.azure.com", app_id="e406a681-f3d4-42a8-90b6-c2b029497af1"),
    _in_clouds(
        "sql",
        *("database.windows.net", "database.usgovcloudapi.net", "database.chinacloudapi.cn"),
        app_id="022907d3-0f1b-48f7-badc-1ba6abab6d66",
    ),
    _in_clouds(
        "ossrdbms",
        "ossrdbms-aad.database.windows.net",
        "ossrdbms-aad.database.usgovcloudapi.net",
        "ossrdbms-aad.database.chinacloudapi.cn",
    ),
    _in_clouds("service_bus", "servicebus.azure.net", "servicebus.usgovcloudapi.net", "servicebus.chinacloudapi.cn"),
    _in_clouds("event_hubs", "eventhubs.azure.net"),
    _in_clouds("log_analytics", "api.loganalytics.io", "api.loganalytics.us", "api.loganalytics.azure.cn"),
    _in_clouds(
        "app_insights",
        "api.applicationinsights.io",
        "api.applicationinsights.us",
        "api.applicationinsights.azure.cn",
    ),
    _in_clouds("monitor", "monitor.azure.com", "monitor.azure.us", "monitor.azure.cn"),
    Resource("devops", (), "499b84ac-1321-427f-aa17-267ca6975798"),
    _in_clouds(
        "power_bi",
        "analysis.windows.net/powerbi/api",
        "analysis.usgovcloudapi.net/powerbi/api",
        "high.analysis.usgovcloudapi.net/powerbi/api",
        "mil.analysis.usgovcloudapi.net/powerbi/api",
        "analysis.chinacloudapi.cn/powerbi/api",
        app_id="00000009-0000-0000-c000-000000000000",
    ),
    _in_clouds("fabric", "api.fabric.microsoft.com", "api.fabric.microsoft.us"),
    _in_clouds(
        "exchange",
        "outlook.office365.com",
        "outlook.office.com",
        "outlook.office365.us",
        "outlook-dod.office365.us",
        "partner.outlook.cn",
        app_id="00000002-0000-0ff1-ce00-000000000000",
    ),
    _in_clouds(
        "compliance",
        "ps.compliance.protection.outlook.com",
        "ps.compliance.protection.office365.us",
        "l5.ps.compliance.protection.office365.us",
        "ps.compliance.protection.partner.outlook.cn",
    ),
    _in_clouds("batch", "batch.core.windows.net", "batch.core.usgovcloudapi.net", "batch.chinacloudapi.cn"),
    _KUSTO,
    _in_clouds("defender", "api.securitycenter.microsoft.com"),
    _in_clouds("defender_xdr", "api.security.microsoft.com", "api-gov.security.microsoft.us"),
    _in_clouds("office_management", "manage.office.com", "manage.office365.us", "manage.protection.apps.mil"),
    _in_clouds("synapse", "dev.azuresynapse.net", "dev.azuresynapse.usgovcloudapi.net", "dev.azuresynapse.azure.cn"),
    _in_clouds("app_service", "appservice.azure.com"),
    _in_clouds("search", "search.azure.com", "search.azure.us"),
    _in_clouds("cosmos", "cosmos.azure.com"),
    _in_clouds("cognitive", "cognitiveservices.azure.com"),
    _in_clouds("app_configuration", "azconfig.io"),
    _in_clouds("data_lake", "datalake.azure.net"),
    _in_clouds("attestation", "attest.azure.net"),
    _SHAREPOINT,
    TOKEN_EXCHANGE,
)

# APIs whose identifier is the customer's own host.
_HOST_PATTERNS: t.Final = (
    (re.compile(r"https://[a-z0-9-]+\.sharepoint(\.com|\.us|-mil\.us|\.cn)"), _SHAREPOINT),
    (re.compile(r"https://[a-z0-9.-]+\.kusto(mfa)?\.(windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)"), _KUSTO),
)

_BY_IDENTIFIER: t.Final = {
    identifier: resource for resource in RESOURCES for identifier in (*resource.uris, resource.app_id) if identifier
}
_BY_NAME: t.Final = {resource.name: resource for resource in RESOURCES}


def find(identifier: str) -> Resource | None:
    """The API named by what is left of ``<identifier>/.default``: one final slash is allowed, nothing is normalised."""
    plain = identifier.removesuffix("/")
    own_host = (resource for shape, resource in _HOST_PATTERNS if shape.fullmatch(plain))
    return _BY_IDENTIFIER.get(plain) or next(own_host, None)


def find_by_name(name: str) -> Resource | None:
    """The API of that short name (``graph``, ``arm``, …), for the control endpoint."""
    return _BY_NAME.get(name)
