# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clouds: login hosts, API hosts and resource identifiers, as data.

Sources: Microsoft Learn "National clouds" (login hosts), "National cloud deployments" of Microsoft Graph, and the
resource tables of Azure CLI, go-autorest and go-azure-sdk. A resource identifier is sent exactly as written here: one
that ends in a slash gives a scope with two slashes, which is intended, because Entra takes what stands before
``/.default`` literally as the audience (Learn, "Scopes and permissions", trailing slash).

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError


@dataclasses.dataclass(frozen=True)
class Api:
    """A protected API: ``resource`` is its identifier in scopes, ``url`` its base URL where it has just one.

    ``also`` are other identifiers Entra knows it by; a scope that names one of them still means this API.
    """

    resource: str
    url: str | None = None
    also: tuple[str, ...] = ()

    def is_named_by(self, resource: str) -> bool:
        """Whether a resource identifier, with or without its last slash, means this API."""
        return resource.rstrip("/").lower() in {name.rstrip("/").lower() for name in (self.resource, *self.also)}


@dataclasses.dataclass(frozen=True)
class Cloud:
    """One national cloud. ``apis`` maps each scope alias to the API it means here.

    ``federation_audience`` is what an assertion of another issuer has to be for (Learn, "Configure an app to trust a
    managed identity").
    """

    name: str
    login_url: str
    federation_audience: str
    apis: t.Mapping[str, Api]

    def api_named_by(self, resource: str) -> Api | None:
        """The known API a resource identifier means, if any."""
        return next((api for api in self.apis.values() if api.is_named_by(resource)), None)

    def api(self, alias: str) -> Api:
        """The API an alias means here; InputError where this cloud does not offer it."""
        if alias in self.apis:
            return self.apis[alias]
        raise InputError(
            f"The API '{alias}' is not offered in the cloud '{self.name}'.",
            hint=f"Use one of {', '.join(sorted(self.apis))}, or give the resource URI itself as scope.",
        )


def _same(resource: str, *also: str) -> Api:
    """An API whose identifier is also its base URL."""
    return Api(resource, resource, also)


_GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"


_EVERYWHERE = {
    "storage": Api("https://storage.azure.com/"),
    "event_hubs": Api("https://eventhubs.azure.net/"),
    "service_bus": Api("https://servicebus.azure.net/"),
}

_USGOV = {
    **_EVERYWHERE,
    "app_insights": _same("https://api.applicationinsights.us"),
    "arm": Api(
        "https://management.core.usgovcloudapi.net",
        "https://management.usgovcloudapi.net",
        ("https://management.usgovcloudapi.net",),
    ),
    "batch": Api("https://batch.core.usgovcloudapi.net/"),
    "defender": Api("https://api.securitycenter.microsoft.com", "https://api-gov.securitycenter.microsoft.us"),
    "exchange": _same("https://outlook.office365.us"),
    "fabric": _same("https://api.fabric.microsoft.us"),
    "graph": _same("https://graph.microsoft.us", _GRAPH_APP_ID),
    "key_vault": Api("https://vault.usgovcloudapi.net"),
    "log_analytics": _same("https://api.loganalytics.us"),
    "managed_hsm": Api("https://managedhsm.usgovcloudapi.net"),
    "monitor": Api("https://monitor.azure.us"),
    "oss_rdbms": Api("https://ossrdbms-aad.database.usgovcloudapi.net"),
    "power_bi": Api("https://high.analysis.usgovcloudapi.net/powerbi/api", "https://api.high.powerbigov.us"),
    "sql": Api("https://database.usgovcloudapi.net/"),
    "synapse": Api("https://dev.azuresynapse.usgovcloudapi.net"),
}

CLOUDS: t.Mapping[str, Cloud] = {
    "public": Cloud(
        "public",
        "https://login.microsoftonline.com",
        "api://AzureADTokenExchange",
        {
            **_EVERYWHERE,
            "app_insights": _same("https://api.applicationinsights.io"),
            "arm": _same("https://management.azure.com", "https://management.core.windows.net"),
            "batch": Api("https://batch.core.windows.net/"),
            "cognitive_services": Api("https://cognitiveservices.azure.com"),
            "cosmos": Api("https://cosmos.azure.com"),
            "defender": Api("https://api.securitycenter.microsoft.com", "https://api.security.microsoft.com"),
            "defender_xdr": _same("https://api.security.microsoft.com"),
            "devops": Api("499b84ac-1321-427f-aa17-267ca6975798", "https://dev.azure.com"),
            "exchange": _same("https://outlook.office365.com"),
            "fabric": _same("https://api.fabric.microsoft.com"),
            "graph": _same("https://graph.microsoft.com", _GRAPH_APP_ID),
            "key_vault": Api("https://vault.azure.net"),
            "log_analytics": _same("https://api.loganalytics.io"),
            "managed_hsm": Api("https://managedhsm.azure.net"),
            "monitor": Api("https://monitor.azure.com"),
            "office_management": _same("https://manage.office.com"),
            "oss_rdbms": Api("https://ossrdbms-aad.database.windows.net"),
            "power_bi": Api("https://analysis.windows.net/powerbi/api", "https://api.powerbi.com"),
            "search": Api("https://search.azure.com"),
            "sql": Api("https://database.windows.net/"),
            "synapse": Api("https://dev.azuresynapse.net"),
        },
    ),
    "usgov": Cloud("usgov", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov", _USGOV),
    "usgov_dod": Cloud(
        "usgov_dod",
        "https://login.microsoftonline.us",
        "api://AzureADTokenExchangeUSGov",
        {
            **_USGOV,
            "exchange": _same("https://outlook-dod.office365.us"),
            "graph": _same("https://dod-graph.microsoft.us", _GRAPH_APP_ID),
            "power_bi": Api("https://mil.analysis.usgovcloudapi.net/powerbi/api", "https://api.mil.powerbigov.us"),
        },
    ),
    "china": Cloud(
        "china",
        "https://login.partner.microsoftonline.cn",
        "api://AzureADTokenExchangeChina",
        {
            **_EVERYWHERE,
            "app_insights": _same("https://api.applicationinsights.azure.cn"),
            "arm": _same("https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn"),
            "batch": Api("https://batch.chinacloudapi.cn/"),
            "exchange": _same("https://partner.outlook.cn"),
            "graph": _same("https://microsoftgraph.chinacloudapi.cn", _GRAPH_APP_ID),
            "key_vault": Api("https://vault.azure.cn"),
            "log_analytics": _same("https://api.loganalytics.azure.cn"),
            "managed_hsm": Api("https://managedhsm.azure.cn"),
            "monitor": Api("https://monitor.azure.cn"),
            "oss_rdbms": Api("https://ossrdbms-aad.database.chinacloudapi.cn"),
            "power_bi": Api("https://analysis.chinacloudapi.cn/powerbi/api", "https://api.powerbi.cn"),
            "sql": Api("https://database.chinacloudapi.cn/"),
            "synapse": Api("https://dev.azuresynapse.azure.cn"),
        },
    ),
}

# What other tools call the clouds: Azure CLI and azure.azcollection, azure-identity, Terraform.
CLOUD_SYNONYMS: t.Mapping[str, str] = {
    "azurecloud": "public",
    "azurepubliccloud": "public",
    "global": "public",
    "azureusgovernment": "usgov",
    "azureusgovernmentcloud": "usgov",
    "usgovernment": "usgov",
    "usgovernmentl4": "usgov",
    "dod": "usgov_dod",
    "usgovernmentl5": "usgov_dod",
    "azurechinacloud": "china",
}

ALIASES = frozenset(alias for cloud in CLOUDS.values() for alias in cloud.apis)


def canonical_cloud(name: str) -> str:
    """This collection's name for a cloud, whichever tool's name was given; unknown names come back unchanged."""
    lowered = name.strip().lower()
    return CLOUD_SYNONYMS.get(lowered, lowered if lowered in CLOUDS else name)


__all__ = ("ALIASES", "CLOUDS", "CLOUD_SYNONYMS", "Api", "Cloud", "canonical_cloud")
