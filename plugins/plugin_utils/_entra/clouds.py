# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clouds: login hosts, API hosts and resource identifiers, as data.

Sources: Microsoft Learn "National clouds" (login hosts), "National cloud deployments" of Microsoft Graph, "Compare
global Azure and Azure Government" and "Developer guide for Azure operated by 21Vianet" (host suffixes), and the
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

    ``also`` are other identifiers Entra knows it by; a scope that names one of them still means this API. ``hosts``
    are the hosts a token for it is good for besides that of ``url``; ``*.`` stands for all that end so.
    """

    resource: str
    url: str | None = None
    also: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

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
        known = f"Use one of {', '.join(sorted(self.apis))}, or give" if self.apis else "Give"
        raise InputError(
            f"The API '{alias}' is not known in the cloud '{self.name}'.",
            hint=f"{known} the resource URI itself as scope, and the base URL of the API as api_base_url.",
        )


def single_host_api(resource: str, *also: str, hosts: tuple[str, ...] = ()) -> Api:
    """An API whose identifier is also its base URL."""
    return Api(resource, resource, also, hosts)


def multi_host_api(resource: str, *hosts: str) -> Api:
    """An API of as many hosts as it has customers' resources."""
    return Api(resource, hosts=hosts)


def _same_id_everywhere(storage_suffix: str, messaging_suffix: str, *storage_hosts: str) -> dict[str, Api]:
    """The APIs whose identifier is the same in every cloud, and whose hosts are not."""
    services = ("blob", "dfs", "file", "queue", "table")
    messaging = f"*.servicebus.{messaging_suffix}"
    return {
        "storage": multi_host_api(
            "https://storage.azure.com/", *(f"*.{service}.{storage_suffix}" for service in services), *storage_hosts
        ),
        "event_hubs": multi_host_api("https://eventhubs.azure.net/", messaging),
        "service_bus": multi_host_api("https://servicebus.azure.net/", messaging),
    }


_GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"

_USGOV = {
    **_same_id_everywhere("core.usgovcloudapi.net", "usgovcloudapi.net"),
    "app_insights": single_host_api("https://api.applicationinsights.us"),
    "arm": Api(
        "https://management.core.usgovcloudapi.net",
        "https://management.usgovcloudapi.net",
        ("https://management.usgovcloudapi.net",),
        ("*.management.usgovcloudapi.net",),
    ),
    "batch": multi_host_api("https://batch.core.usgovcloudapi.net/", "*.batch.usgovcloudapi.net"),
    "defender": Api("https://api.securitycenter.microsoft.com", "https://api-gov.securitycenter.microsoft.us"),
    "exchange": single_host_api("https://outlook.office365.us"),
    "fabric": single_host_api("https://api.fabric.microsoft.us"),
    "graph": single_host_api("https://graph.microsoft.us", _GRAPH_APP_ID),
    "key_vault": multi_host_api("https://vault.usgovcloudapi.net", "*.vault.usgovcloudapi.net"),
    "log_analytics": single_host_api("https://api.loganalytics.us"),
    "managed_hsm": multi_host_api("https://managedhsm.usgovcloudapi.net", "*.managedhsm.usgovcloudapi.net"),
    "monitor": multi_host_api("https://monitor.azure.us", "*.monitor.azure.us"),
    "oss_rdbms": multi_host_api(
        "https://ossrdbms-aad.database.usgovcloudapi.net",
        "*.mysql.database.usgovcloudapi.net",
        "*.postgres.database.usgovcloudapi.net",
    ),
    "power_bi": Api("https://high.analysis.usgovcloudapi.net/powerbi/api", "https://api.high.powerbigov.us"),
    "sql": multi_host_api("https://database.usgovcloudapi.net/", "*.database.usgovcloudapi.net"),
    "synapse": multi_host_api("https://dev.azuresynapse.usgovcloudapi.net", "*.dev.azuresynapse.usgovcloudapi.net"),
}

CLOUDS: t.Mapping[str, Cloud] = {
    "public": Cloud(
        "public",
        "https://login.microsoftonline.com",
        "api://AzureADTokenExchange",
        {
            **_same_id_everywhere("core.windows.net", "windows.net", "*.storage.azure.net"),
            "app_insights": single_host_api("https://api.applicationinsights.io"),
            "arm": single_host_api(
                "https://management.azure.com",
                "https://management.core.windows.net",
                hosts=("*.management.azure.com",),
            ),
            "batch": multi_host_api("https://batch.core.windows.net/", "*.batch.azure.com"),
            "cognitive_services": multi_host_api(
                "https://cognitiveservices.azure.com",
                "*.cognitiveservices.azure.com",
                "*.api.cognitive.microsoft.com",
                "*.openai.azure.com",
                "*.services.ai.azure.com",
            ),
            "cosmos": multi_host_api("https://cosmos.azure.com", "*.documents.azure.com"),
            "defender": Api(
                "https://api.securitycenter.microsoft.com",
                "https://api.security.microsoft.com",
                hosts=("*.api.security.microsoft.com", "*.securitycenter.microsoft.com"),
            ),
            "defender_xdr": single_host_api(
                "https://api.security.microsoft.com", hosts=("*.api.security.microsoft.com",)
            ),
            "devops": Api(
                "499b84ac-1321-427f-aa17-267ca6975798",
                "https://dev.azure.com",
                hosts=("*.dev.azure.com", "*.visualstudio.com"),
            ),
            "exchange": single_host_api("https://outlook.office365.com", hosts=("outlook.office.com",)),
            "fabric": single_host_api("https://api.fabric.microsoft.com"),
            "graph": single_host_api("https://graph.microsoft.com", _GRAPH_APP_ID),
            "key_vault": multi_host_api("https://vault.azure.net", "*.vault.azure.net"),
            "log_analytics": single_host_api("https://api.loganalytics.io", hosts=("api.loganalytics.azure.com",)),
            "managed_hsm": multi_host_api("https://managedhsm.azure.net", "*.managedhsm.azure.net"),
            "monitor": multi_host_api("https://monitor.azure.com", "*.monitor.azure.com", "*.monitoring.azure.com"),
            "office_management": single_host_api("https://manage.office.com"),
            "oss_rdbms": multi_host_api(
                "https://ossrdbms-aad.database.windows.net",
                "*.mysql.database.azure.com",
                "*.postgres.database.azure.com",
            ),
            "power_bi": Api(
                "https://analysis.windows.net/powerbi/api",
                "https://api.powerbi.com",
                hosts=("*.analysis.windows.net",),
            ),
            "search": multi_host_api("https://search.azure.com", "*.search.windows.net"),
            "sql": multi_host_api("https://database.windows.net/", "*.database.windows.net"),
            "synapse": multi_host_api("https://dev.azuresynapse.net", "*.dev.azuresynapse.net"),
        },
    ),
    "usgov": Cloud("usgov", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov", _USGOV),
    "usgov_dod": Cloud(
        "usgov_dod",
        "https://login.microsoftonline.us",
        "api://AzureADTokenExchangeUSGov",
        {
            **_USGOV,
            "exchange": single_host_api("https://outlook-dod.office365.us"),
            "graph": single_host_api("https://dod-graph.microsoft.us", _GRAPH_APP_ID),
            "power_bi": Api("https://mil.analysis.usgovcloudapi.net/powerbi/api", "https://api.mil.powerbigov.us"),
        },
    ),
    "china": Cloud(
        "china",
        "https://login.partner.microsoftonline.cn",
        "api://AzureADTokenExchangeChina",
        {
            **_same_id_everywhere("core.chinacloudapi.cn", "chinacloudapi.cn"),
            "app_insights": single_host_api("https://api.applicationinsights.azure.cn"),
            "arm": single_host_api(
                "https://management.chinacloudapi.cn",
                "https://management.core.chinacloudapi.cn",
                hosts=("*.management.chinacloudapi.cn",),
            ),
            "batch": multi_host_api("https://batch.chinacloudapi.cn/", "*.batch.chinacloudapi.cn"),
            "exchange": single_host_api("https://partner.outlook.cn"),
            "graph": single_host_api("https://microsoftgraph.chinacloudapi.cn", _GRAPH_APP_ID),
            "key_vault": multi_host_api("https://vault.azure.cn", "*.vault.azure.cn"),
            "log_analytics": single_host_api("https://api.loganalytics.azure.cn"),
            "managed_hsm": multi_host_api("https://managedhsm.azure.cn", "*.managedhsm.azure.cn"),
            "monitor": multi_host_api("https://monitor.azure.cn", "*.monitor.azure.cn"),
            "oss_rdbms": multi_host_api(
                "https://ossrdbms-aad.database.chinacloudapi.cn",
                "*.mysql.database.chinacloudapi.cn",
                "*.postgres.database.chinacloudapi.cn",
            ),
            "power_bi": Api("https://analysis.chinacloudapi.cn/powerbi/api", "https://api.powerbi.cn"),
            "sql": multi_host_api("https://database.chinacloudapi.cn/", "*.database.chinacloudapi.cn"),
            "synapse": multi_host_api("https://dev.azuresynapse.azure.cn", "*.dev.azuresynapse.azure.cn"),
        },
    ),
    # Login hosts as in MSAL 1.39, Graph as in Microsoft's SDKs. Other hosts of these clouds are not documented.
    "bleu": Cloud(
        "bleu",
        "https://login.sovcloud-identity.fr",
        "api://AzureADTokenExchange",
        {"graph": single_host_api("https://graph.svc.sovcloud.fr", _GRAPH_APP_ID)},
    ),
    "delos": Cloud(
        "delos",
        "https://login.sovcloud-identity.de",
        "api://AzureADTokenExchange",
        {"graph": single_host_api("https://graph.svc.sovcloud.de", _GRAPH_APP_ID)},
    ),
    "govsg": Cloud("govsg", "https://login.sovcloud-identity.sg", "api://AzureADTokenExchange", {}),
}

# The names of the clouds in Azure CLI and azure.azcollection, azure-identity, Terraform and Microsoft Graph PowerShell.
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
    "bleucloud": "bleu",
    "deloscloud": "delos",
    "govsgcloud": "govsg",
}

ALIASES = frozenset(alias for cloud in CLOUDS.values() for alias in cloud.apis)


def canonicalize_cloud(name: str) -> str:
    """This collection's name for a cloud, whichever tool's name was given; unknown names come back unchanged."""
    lowered = name.strip().lower()
    return CLOUD_SYNONYMS.get(lowered, lowered if lowered in CLOUDS else name)


__all__ = ("ALIASES", "CLOUDS", "CLOUD_SYNONYMS", "Api", "Cloud", "canonicalize_cloud")
