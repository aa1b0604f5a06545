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
    """A protected API.

    Attributes:
        resource: Its identifier in scopes.
        url: Its base URL; None if it has none, or one for each account.
        also: Other identifiers that Entra knows it by.
        hosts: Hosts for which its tokens are valid, in addition to that of ``url``; ``*.`` stands for any name.
        has_account_resources: Whether the URL of one account is a resource too, so that a token can be for it alone.
    """

    resource: str
    url: str | None = None
    also: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    has_account_resources: bool = False

    def is_named_by(self, resource: str) -> bool:
        """Return whether a resource identifier, with or without its last slash, is one of this API."""
        return resource.rstrip("/").lower() in {name.rstrip("/").lower() for name in (self.resource, *self.also)}


@dataclasses.dataclass(frozen=True)
class Cloud:
    """One national cloud.

    Attributes:
        name: The value of the option ``cloud``.
        login_url: The URL of its login host.
        federation_audience: The audience of an assertion of another issuer (Learn, "Configure an app to trust a managed
            identity").
        apis: Its APIs by their aliases.
    """

    name: str
    login_url: str
    federation_audience: str
    apis: t.Mapping[str, Api]

    def find_api(self, resource: str) -> Api | None:
        """Return the API with a resource identifier; None if it is not known."""
        return next((api for api in self.apis.values() if api.is_named_by(resource)), None)

    def get_api(self, alias: str) -> Api:
        """Return the API of an alias. Raises InputError if it is not known in this cloud."""
        if alias in self.apis:
            return self.apis[alias]
        known = f"Use one of {', '.join(sorted(self.apis))}, or give" if self.apis else "Give"
        raise InputError(
            f"The API '{alias}' is not known in the cloud '{self.name}'.",
            hint=f"{known} the resource URI itself as scope, and the base URL of the API as api_base_url.",
        )


def define_api(resource: str, *also: str, hosts: tuple[str, ...] = ()) -> Api:
    """Return an API whose identifier is also its base URL."""
    return Api(resource, resource, also, hosts)


def define_account_api(resource: str, *hosts: str) -> Api:
    """Return an API with one host for each account."""
    return Api(resource, hosts=hosts)


def _define_storage(suffix: str, *more_hosts: str) -> Api:
    """Return the API of storage accounts, which has the same identifier in each cloud."""
    services = ("blob", "dfs", "file", "queue", "table")
    hosts = (*(f"*.{service}.{suffix}" for service in services), *more_hosts)
    return Api("https://storage.azure.com/", hosts=hosts, has_account_resources=True)


def _define_common_apis(storage_suffix: str, messaging_suffix: str, *storage_hosts: str) -> dict[str, Api]:
    """Return the APIs with the same identifier but other hosts in each cloud. Their accounts are resources too."""
    messaging = (f"*.servicebus.{messaging_suffix}",)
    return {
        "storage": _define_storage(storage_suffix, *storage_hosts),
        "event_hubs": Api("https://eventhubs.azure.net/", hosts=messaging, has_account_resources=True),
        "service_bus": Api("https://servicebus.azure.net/", hosts=messaging, has_account_resources=True),
    }


_GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"

_USGOV = {
    **_define_common_apis("core.usgovcloudapi.net", "usgovcloudapi.net"),
    "app_insights": define_api("https://api.applicationinsights.us"),
    "arm": Api(
        "https://management.core.usgovcloudapi.net",
        "https://management.usgovcloudapi.net",
        ("https://management.usgovcloudapi.net",),
        ("*.management.usgovcloudapi.net",),
    ),
    "batch": define_account_api("https://batch.core.usgovcloudapi.net/", "*.batch.usgovcloudapi.net"),
    "defender": Api("https://api.securitycenter.microsoft.com", "https://api-gov.securitycenter.microsoft.us"),
    "exchange": define_api("https://outlook.office365.us"),
    "fabric": define_api("https://api.fabric.microsoft.us"),
    "graph": define_api("https://graph.microsoft.us", _GRAPH_APP_ID),
    "key_vault": define_account_api("https://vault.usgovcloudapi.net", "*.vault.usgovcloudapi.net"),
    "log_analytics": define_api("https://api.loganalytics.us"),
    "managed_hsm": define_account_api("https://managedhsm.usgovcloudapi.net", "*.managedhsm.usgovcloudapi.net"),
    "monitor": define_account_api("https://monitor.azure.us", "*.monitor.azure.us"),
    "oss_rdbms": define_account_api(
        "https://ossrdbms-aad.database.usgovcloudapi.net",
        "*.mysql.database.usgovcloudapi.net",
        "*.postgres.database.usgovcloudapi.net",
    ),
    "power_bi": Api("https://high.analysis.usgovcloudapi.net/powerbi/api", "https://api.high.powerbigov.us"),
    "sql": define_account_api("https://database.usgovcloudapi.net/", "*.database.usgovcloudapi.net"),
    "synapse": define_account_api("https://dev.azuresynapse.usgovcloudapi.net", "*.dev.azuresynapse.usgovcloudapi.net"),
}

CLOUDS: t.Mapping[str, Cloud] = {
    "public": Cloud(
        "public",
        "https://login.microsoftonline.com",
        "api://AzureADTokenExchange",
        {
            **_define_common_apis("core.windows.net", "windows.net", "*.storage.azure.net"),
            "app_insights": define_api("https://api.applicationinsights.io"),
            "arm": define_api(
                "https://management.azure.com",
                "https://management.core.windows.net",
                hosts=("*.management.azure.com",),
            ),
            "batch": define_account_api("https://batch.core.windows.net/", "*.batch.azure.com"),
            "cognitive_services": define_account_api(
                "https://cognitiveservices.azure.com",
                "*.cognitiveservices.azure.com",
                "*.api.cognitive.microsoft.com",
                "*.openai.azure.com",
                "*.services.ai.azure.com",
            ),
            "cosmos": Api("https://cosmos.azure.com", hosts=("*.documents.azure.com",), has_account_resources=True),
            "defender": Api(
                "https://api.securitycenter.microsoft.com",
                "https://api.security.microsoft.com",
                hosts=("*.api.security.microsoft.com", "*.securitycenter.microsoft.com"),
            ),
            "defender_xdr": define_api("https://api.security.microsoft.com", hosts=("*.api.security.microsoft.com",)),
            "devops": Api(
                "499b84ac-1321-427f-aa17-267ca6975798",
                "https://dev.azure.com",
                also=("https://app.vssps.visualstudio.com",),
                hosts=("*.dev.azure.com", "*.visualstudio.com"),
            ),
            "exchange": define_api("https://outlook.office365.com", hosts=("outlook.office.com",)),
            "fabric": define_api("https://api.fabric.microsoft.com"),
            "graph": define_api("https://graph.microsoft.com", _GRAPH_APP_ID),
            "key_vault": define_account_api("https://vault.azure.net", "*.vault.azure.net"),
            "log_analytics": define_api("https://api.loganalytics.io", hosts=("api.loganalytics.azure.com",)),
            "managed_hsm": define_account_api("https://managedhsm.azure.net", "*.managedhsm.azure.net"),
            "monitor": define_account_api("https://monitor.azure.com", "*.monitor.azure.com", "*.monitoring.azure.com"),
            "office_management": define_api("https://manage.office.com"),
            "oss_rdbms": define_account_api(
                "https://ossrdbms-aad.database.windows.net",
                "*.mysql.database.azure.com",
                "*.postgres.database.azure.com",
            ),
            "power_bi": Api(
                "https://analysis.windows.net/powerbi/api",
                "https://api.powerbi.com",
                hosts=("*.analysis.windows.net",),
            ),
            "search": define_account_api("https://search.azure.com", "*.search.windows.net"),
            "sql": define_account_api("https://database.windows.net/", "*.database.windows.net"),
            "synapse": define_account_api("https://dev.azuresynapse.net", "*.dev.azuresynapse.net"),
        },
    ),
    "usgov": Cloud("usgov", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov", _USGOV),
    "usgov_dod": Cloud(
        "usgov_dod",
        "https://login.microsoftonline.us",
        "api://AzureADTokenExchangeUSGov",
        {
            **_USGOV,
            "exchange": define_api("https://outlook-dod.office365.us"),
            "graph": define_api("https://dod-graph.microsoft.us", _GRAPH_APP_ID),
            "power_bi": Api("https://mil.analysis.usgovcloudapi.net/powerbi/api", "https://api.mil.powerbigov.us"),
        },
    ),
    "china": Cloud(
        "china",
        "https://login.partner.microsoftonline.cn",
        "api://AzureADTokenExchangeChina",
        {
            **_define_common_apis("core.chinacloudapi.cn", "chinacloudapi.cn"),
            "app_insights": define_api("https://api.applicationinsights.azure.cn"),
            "arm": define_api(
                "https://management.chinacloudapi.cn",
                "https://management.core.chinacloudapi.cn",
                hosts=("*.management.chinacloudapi.cn",),
            ),
            "batch": define_account_api("https://batch.chinacloudapi.cn/", "*.batch.chinacloudapi.cn"),
            "exchange": define_api("https://partner.outlook.cn"),
            "graph": define_api("https://microsoftgraph.chinacloudapi.cn", _GRAPH_APP_ID),
            "key_vault": define_account_api("https://vault.azure.cn", "*.vault.azure.cn"),
            "log_analytics": define_api("https://api.loganalytics.azure.cn"),
            "managed_hsm": define_account_api("https://managedhsm.azure.cn", "*.managedhsm.azure.cn"),
            "monitor": define_account_api("https://monitor.azure.cn", "*.monitor.azure.cn"),
            "oss_rdbms": define_account_api(
                "https://ossrdbms-aad.database.chinacloudapi.cn",
                "*.mysql.database.chinacloudapi.cn",
                "*.postgres.database.chinacloudapi.cn",
            ),
            "power_bi": Api("https://analysis.chinacloudapi.cn/powerbi/api", "https://api.powerbi.cn"),
            "sql": define_account_api("https://database.chinacloudapi.cn/", "*.database.chinacloudapi.cn"),
            "synapse": define_account_api("https://dev.azuresynapse.azure.cn", "*.dev.azuresynapse.azure.cn"),
        },
    ),
    # Login hosts as in MSAL 1.39, Graph as in Microsoft's SDKs, the other hosts of Bleu as in Azure CLI 2.91. Those of
    # the other two clouds are not documented.
    "bleu": Cloud(
        "bleu",
        "https://login.sovcloud-identity.fr",
        "api://AzureADTokenExchange",
        {
            "arm": define_api("https://management.sovcloud-api.fr"),
            "batch": define_account_api("https://batch.sovcloud-api.fr/", "*.batch.sovcloud-api.fr"),
            "graph": define_api("https://graph.svc.sovcloud.fr", _GRAPH_APP_ID),
            "key_vault": define_account_api("https://vault.sovcloud-api.fr", "*.vault.sovcloud-api.fr"),
            "managed_hsm": define_account_api("https://managedhsm.sovcloud-api.fr", "*.managedhsm.sovcloud-api.fr"),
            "oss_rdbms": define_account_api(
                "https://ossrdbms-aad.database.sovcloud-api.fr",
                "*.mysql.database.sovcloud-api.fr",
                "*.postgres.database.sovcloud-api.fr",
            ),
            "storage": _define_storage("core.sovcloud-api.fr"),
        },
    ),
    "delos": Cloud(
        "delos",
        "https://login.sovcloud-identity.de",
        "api://AzureADTokenExchange",
        {"graph": define_api("https://graph.svc.sovcloud.de", _GRAPH_APP_ID)},
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
    "azurebleucloud": "bleu",
    "bleucloud": "bleu",
    "deloscloud": "delos",
    "govsgcloud": "govsg",
}

ALIASES = frozenset(alias for cloud in CLOUDS.values() for alias in cloud.apis)


def canonicalize_cloud(name: str) -> str:
    """Return the name of a cloud here for its name in any tool; an unknown name is returned unchanged."""
    lowered = name.strip().lower()
    return CLOUD_SYNONYMS.get(lowered, lowered if lowered in CLOUDS else name)


__all__ = ("ALIASES", "CLOUDS", "CLOUD_SYNONYMS", "Api", "Cloud", "canonicalize_cloud")
