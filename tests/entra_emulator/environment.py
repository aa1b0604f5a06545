# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment in which a child process takes an emulator for Microsoft.  Standard library only."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping

# What every platform's endpoint wants to see, so that only what runs on the platform gets tokens.
PLATFORM_SECRET: t.Final = "made-up~platform-secret"
SERVICE_CONNECTION: t.Final = "eeeeeeee-0000-4000-8000-000000000001"
_READY_LINE_MEMBERS: t.Final = {
    "ENTRA_AUTH_TENANT_ID": "tenant_id",
    "ENTRA_AUTH_CLIENT_ID": "client_id",
    "ENTRA_AUTH_CLIENT_SECRET": "client_secret",
    "ENTRA_AUTH_AUTHORITY": "login",
    "ENTRA_AUTH_API_BASE_URL": "api",
    "REQUESTS_CA_BUNDLE": "ca",
    "SSL_CERT_FILE": "ca",
    "ENTRA_EMULATOR_CONTROL": "control",
    "ENTRA_EMULATOR_FOREIGN": "foreign",
    "ENTRA_EMULATOR_PLATFORM": "platform",
}


def for_child(ready: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The variables to add to ``own`` for the emulator that printed ``ready``; no proxy may see loopback traffic."""
    no_proxy = own.get("NO_PROXY") or own.get("no_proxy") or ""
    direct = ",".join(filter(None, (no_proxy, "localhost", "127.0.0.1")))
    variables = {name: ready[member] for name, member in _READY_LINE_MEMBERS.items()}
    return {**variables, "NO_PROXY": direct, "no_proxy": direct}


def of_platform(ready: Mapping[str, str], platform: str) -> dict[str, str]:
    """The variables by which a process believes it runs on ``platform``; KeyError for one there is not."""
    base = ready["platform"]
    fabric = f"{ready['service_fabric']}/metadata/identity/oauth2/token"
    variables = {
        "imds": {"AZURE_POD_IDENTITY_AUTHORITY_HOST": base},
        "app_service": {"IDENTITY_ENDPOINT": f"{base}/msi/token", "IDENTITY_HEADER": PLATFORM_SECRET},
        "app_service_2017": {"MSI_ENDPOINT": f"{base}/msi/token", "MSI_SECRET": PLATFORM_SECRET},
        "azure_ml": {"MSI_ENDPOINT": f"{base}/ml/token", "MSI_SECRET": PLATFORM_SECRET},
        "service_fabric": {
            "IDENTITY_ENDPOINT": fabric,
            "IDENTITY_HEADER": PLATFORM_SECRET,
            "IDENTITY_SERVER_THUMBPRINT": ready["service_fabric_thumbprint"],
        },
        "arc": {"IDENTITY_ENDPOINT": f"{base}/arc/metadata/identity/oauth2/token", "IMDS_ENDPOINT": base},
        "cloud_shell": {"MSI_ENDPOINT": f"{base}/cloudshell/oauth2/token"},
        "github_actions": {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{base}/github/idtoken?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": PLATFORM_SECRET,
        },
        "azure_pipelines": {
            "SYSTEM_OIDCREQUESTURI": f"{base}/pipelines/oidc",
            "SYSTEM_ACCESSTOKEN": PLATFORM_SECRET,
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": SERVICE_CONNECTION,
        },
    }
    return {**variables[platform], "NO_PROXY": "localhost,127.0.0.1", "no_proxy": "localhost,127.0.0.1"}
