# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Platforms that mint an assertion for the workload they run, for use as a federated credential.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import os
import time
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, NetworkError, printable

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_SHOWN_CHARACTERS = 1000
# Set by the Azure tasks of a pipeline, or by its author for other tools.
_SERVICE_CONNECTION = (
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
    "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
)


@dataclasses.dataclass(frozen=True)
class AssertionSource:
    """``mint`` takes the audience, the options and how to reach the network, and returns a JWT.

    ``variables`` are those of the environment that tell that the platform is there.
    """

    variables: tuple[str, ...]
    mint: t.Callable[[str, AppTokenOptions, NetworkSettings], str]


def describe_assertion(assertion: str) -> str:
    """Issuer, subject and audience of an assertion, unverified, in words; they are no secrets."""
    try:
        segment = assertion.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
        issuer, subject, audience = claims.get("iss"), claims.get("sub"), claims.get("aud")
    except (IndexError, ValueError, AttributeError, binascii.Error, RecursionError):
        return "an assertion that is not a readable JWT"
    return printable(f"issuer '{issuer}', subject '{subject}', audience '{audience}'", _SHOWN_CHARACTERS)


def _github_actions(audience: str, options: AppTokenOptions, network: NetworkSettings) -> str:
    """GitHub Docs, "OpenID Connect reference", requesting a token with the job's own variables."""
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request

    url = _variable("ACTIONS_ID_TOKEN_REQUEST_URL", "give the job the permission id-token: write")
    token = _variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "give the job the permission id-token: write")
    separator = "&" if "?" in url else "?"
    request = Request(
        f"{url}{separator}audience={urllib.parse.quote(audience, safe='')}",
        headers={"Accept": "application/json", "Authorization": f"Bearer {token}"},
    )
    return _assertion_from(request, "value", "GitHub Actions", network)


def _azure_pipelines(audience: str, options: AppTokenOptions, network: NetworkSettings) -> str:
    """Learn, Azure DevOps REST API "Oidctoken - Create"; the service connection fixes the audience."""
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request

    advice = "run the play in a pipeline job, and map SYSTEM_ACCESSTOKEN into the environment of the step"
    connection = next((value for name in _SERVICE_CONNECTION if (value := os.environ.get(name))), None)
    if not connection:
        raise InputError(
            f"Azure Pipelines mints assertions for a service connection, and none of {', '.join(_SERVICE_CONNECTION)} "
            "is set.",
            hint="Set one of them to the service connection's id.",
        )
    query = urllib.parse.urlencode({"api-version": "7.1", "serviceConnectionId": connection})
    request = Request(
        f"{_variable('SYSTEM_OIDCREQUESTURI', advice)}?{query}",
        "POST",
        headers={
            "Accept": "application/json",
            "Authorization": f"Bearer {_variable('SYSTEM_ACCESSTOKEN', advice)}",
            "Content-Type": "application/json",
            # Else a refusal is a redirect to a sign-in page.
            "X-TFS-FedAuthRedirect": "Suppress",
        },
    )
    return _assertion_from(request, "oidcToken", "Azure Pipelines", network)


def _managed_identity(audience: str, options: AppTokenOptions, network: NetworkSettings) -> str:
    """Learn, "Configure an application to trust a managed identity"."""
    from ansible_collections.entra.auth.plugins.module_utils._managed_identity import (
        Selector,
        request_managed_identity_token,
    )

    selector = Selector(
        options.managed_identity_client_id, options.managed_identity_object_id, options.managed_identity_resource_id
    )
    return request_managed_identity_token(audience, selector, network).access_token


def _assertion_from(request: Request, field: str, platform: str, network: NetworkSettings) -> str:
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Transport

    response = Transport(network).send(request, until=time.monotonic() + network.retry_for)
    try:
        assertion = json.loads(response.body)[field]
    except (ValueError, KeyError, TypeError, RecursionError):
        assertion = None
    if response.status == 200 and isinstance(assertion, str) and assertion:
        return assertion
    raise NetworkError(
        f"{platform} answered {response.status} to the request for an assertion, without one.",
        hint="Check that the job may request tokens (id-token: write; a service connection the pipeline may use).",
    )


def _variable(name: str, advice: str) -> str:
    value = os.environ.get(name)
    if value:
        return value
    raise InputError(f"The environment variable {name} is not set.", hint=f"To have it, {advice}.")


ASSERTION_SOURCES: t.Mapping[str, AssertionSource] = {
    "github_actions": AssertionSource(
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"), _github_actions
    ),
    "azure_pipelines": AssertionSource(("SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN"), _azure_pipelines),
    "managed_identity": AssertionSource((), _managed_identity),
}


__all__ = ("ASSERTION_SOURCES", "AssertionSource", "describe_assertion")
