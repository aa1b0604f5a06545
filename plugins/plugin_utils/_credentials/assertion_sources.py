# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Platforms that mint an assertion for their workloads, for use as a federated credential.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._endpoint_url import refuse_insecure_url
from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, NetworkError
from ansible_collections.entra.auth.plugins.module_utils._secrets import mask_secrets, register_secrets
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_format import decode_shown
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import is_chosen

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

# Set by the Azure tasks of a pipeline, or by its author for other tools.
_SERVICE_CONNECTION = (
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
    "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
)
_HINTS = {
    "GitHub Actions": "Check that the job has the permission id-token: write.",
    "Azure Pipelines": "Check that the pipeline may use the service connection, and that SYSTEM_ACCESSTOKEN is new.",
    "federated_token_request_url": "Check that federated_token_request_token is new, and may request assertions.",
}
# By the status of a response of an issuer that the options name.
_HINTS_OF_REQUEST_URL = {
    200: "Check federated_token_request_url: the issuer has to respond with JSON that has the assertion as value.",
    404: "Check federated_token_request_url: nothing is there.",
    405: "Check federated_token_request_url: it has to respond to a GET request.",
}
_REDIRECT_HINT = (
    "Set federated_token_request_url to the URL that it redirects to: redirects are not followed, because the bearer "
    "token would go along."
)
_IS_OR_ARE = {1: "is", 2: "are"}
_GITHUB_ADVICE = "give the job the permission id-token: write"
_PIPELINES_ADVICE = "run the play in a pipeline job, and map SYSTEM_ACCESSTOKEN into the environment of the step"


class AssertionSource(t.NamedTuple):
    """A platform: its name in messages, and the function that mints an assertion for an audience."""

    name: str
    mint: t.Callable[[str, AppTokenOptions, NetworkSettings], str]


def describe_missing_permission() -> str | None:
    """Return what to give a CI job that can't get an assertion, as a sentence; None if nothing is missing."""
    environ = os.environ
    if environ.get("GITHUB_ACTIONS") == "true" and not environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"):
        return "Give the job of GitHub Actions the permission id-token: write, never given to pull requests of forks."
    if environ.get("SYSTEM_OIDCREQUESTURI") and not environ.get("SYSTEM_ACCESSTOKEN"):
        return "Map $(System.AccessToken) as SYSTEM_ACCESSTOKEN into the environment of this step of Azure Pipelines."
    return None


def _mint_in_github_actions(audience: str, options: AppTokenOptions, network: NetworkSettings) -> str:
    """GitHub Docs, "OpenID Connect reference", requesting a token with the job's own variables."""
    url = _require_variable("ACTIONS_ID_TOKEN_REQUEST_URL", _GITHUB_ADVICE)
    token = _require_variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", _GITHUB_ADVICE)
    refuse_insecure_url("ACTIONS_ID_TOKEN_REQUEST_URL", url)
    network = dataclasses.replace(network, url_source="ACTIONS_ID_TOKEN_REQUEST_URL")
    return _send(_build_get_request(url, token, audience), "value", "GitHub Actions", network)


def _mint_in_azure_pipelines(audience: str, options: AppTokenOptions, network: NetworkSettings) -> str:
    """Learn, Azure DevOps REST API "Oidctoken - Create"; the service connection decides the audience."""
    connection = _get_service_connection()
    if not connection:
        raise InputError(
            f"Azure Pipelines mints assertions for a service connection, and none of {', '.join(_SERVICE_CONNECTION)} "
            "is set.",
            hint="Set one of them to the service connection's id.",
        )
    url = _require_variable("SYSTEM_OIDCREQUESTURI", _PIPELINES_ADVICE)
    token = _require_variable("SYSTEM_ACCESSTOKEN", _PIPELINES_ADVICE)
    refuse_insecure_url("SYSTEM_OIDCREQUESTURI", url)
    network = dataclasses.replace(network, url_source="SYSTEM_OIDCREQUESTURI")
    return _send(_build_pipelines_request(url, token, connection), "oidcToken", "Azure Pipelines", network)


def _mint_at_request_url(audience: str, options: AppTokenOptions, network: NetworkSettings) -> str:
    """Request an assertion as Terraform's providers do with ARM_OIDC_REQUEST_URL: from GitHub or any like issuer.

    With a service connection of Azure Pipelines in the environment that variable is the URL of Azure Pipelines.
    """
    url, token = options.federated_token_request_url, options.federated_token_request_token
    missing = [f"federated_token_request_{name}" for name, value in (("url", url), ("token", token)) if not value]
    if not url or not token:
        raise InputError(
            f"No assertion can be requested, because {' and '.join(missing)} {_IS_OR_ARE[len(missing)]} not given.",
            hint="Give the URL at which the issuer mints assertions, and the bearer token for it.",
        )
    refuse_insecure_url("federated_token_request_url", url)
    network = dataclasses.replace(network, url_source="federated_token_request_url")
    connection = _get_service_connection()
    if connection and not is_chosen(options, "federated_token_request_url"):
        return _send(_build_pipelines_request(url, token, connection), "oidcToken", "Azure Pipelines", network)
    return _send(_build_get_request(url, token, audience), "value", "federated_token_request_url", network)


def _mint_by_managed_identity(audience: str, options: AppTokenOptions, network: NetworkSettings) -> str:
    """Learn, "Configure an application to trust a managed identity"."""
    from ansible_collections.entra.auth.plugins.module_utils._managed_identity import (
        Selector,
        request_managed_identity_token,
    )

    return request_managed_identity_token(audience, Selector(*options.selected_identity), network).access_token


def _build_get_request(url: str, token: str, audience: str) -> Request:
    """Return the request to an issuer such as GitHub. An audience that the URL names already is kept, as by Terraform.

    Args:
        url: the URL, which may have a query.
        token: the bearer token for the issuer.
        audience: what the assertion is for.
    """
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request

    parts = urllib.parse.urlsplit(url)
    names = {name for name, value in urllib.parse.parse_qsl(parts.query) if value}
    query = {} if "audience" in names else {"audience": audience}
    headers = {"Accept": "application/json", "Authorization": f"Bearer {_strip_bearer(token)}"}
    return Request(_add_query(url, query), headers=headers)


def _build_pipelines_request(url: str, token: str, connection: str) -> Request:
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request

    headers = {
        "Accept": "application/json",
        "Authorization": f"Bearer {_strip_bearer(token)}",
        "Content-Type": "application/json",
        # Without it, a refusal is a redirect to a sign-in page.
        "X-TFS-FedAuthRedirect": "Suppress",
    }
    query = {"api-version": "7.1", "serviceConnectionId": connection}
    return Request(_add_query(url, query), "POST", headers)


def _add_query(url: str, query: t.Mapping[str, str]) -> str:
    """Return a URL with these parameters in addition to its own, without its fragment."""
    parts = urllib.parse.urlsplit(url)
    own = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] not in query]
    added = [f"{name}={urllib.parse.quote(value, safe='')}" for name, value in query.items()]
    return urllib.parse.urlunsplit(parts._replace(query="&".join([*own, *added]), fragment=""))


def _strip_bearer(token: str) -> str:
    """Return the bearer token for an issuer without white space around it. Raises InputError."""
    stripped = token.strip()
    if stripped.isascii() and stripped.isprintable() and " " not in stripped:
        return stripped
    raise InputError(
        "The bearer token for the issuer of assertions has characters that no token has.",
        hint="Give the token alone, without its type and without line breaks.",
    )


def _send(request: Request, field: str, platform: str, network: NetworkSettings) -> str:
    """Return the assertion in a field of the response. Raises NetworkError if there is none."""
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import Service
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Transport

    network = dataclasses.replace(network, service=Service.CI_ISSUER)
    response = Transport(network).send(request, until=time.monotonic() + network.retry_for)
    try:
        assertion = json.loads(response.body)[field]
    except (ValueError, KeyError, TypeError, RecursionError):
        assertion = None
    if response.status == 200 and isinstance(assertion, str) and assertion:
        _refuse_echo(assertion, request, platform)
        return assertion
    raise NetworkError(
        f"{platform} responded with {response.status} to the request for an assertion, without one.",
        hint=_choose_hint(platform, response.status),
    )


def _choose_hint(platform: str, status: int) -> str:
    """Return what to do about a response without an assertion."""
    if status in (408, 429) or status >= 500:
        return "Try again later, or raise retry_for: the issuer is busy or fails."
    if platform != "federated_token_request_url":
        return _HINTS[platform]
    return _REDIRECT_HINT if 300 <= status < 400 else _HINTS_OF_REQUEST_URL.get(status, _HINTS[platform])


def _refuse_echo(assertion: str, request: Request, platform: str) -> None:
    """Raise NetworkError for an assertion that repeats the token of the request where messages show its content."""
    shown = decode_shown(assertion)
    token = request.headers["Authorization"].partition(" ")[2]
    if mask_secrets(shown, [token]) != shown:
        raise NetworkError(
            f"{platform} repeated the token that it was sent in place of an assertion.", hint=_HINTS[platform]
        )


def _get_service_connection() -> str | None:
    return next((value for name in _SERVICE_CONNECTION if (value := os.environ.get(name))), None)


def _require_variable(name: str, advice: str) -> str:
    value = os.environ.get(name)
    if value:
        if name.endswith("TOKEN"):
            register_secrets(value)
        return value
    raise InputError(f"The environment variable {name} is not set.", hint=f"To have it, {advice}.")


ASSERTION_SOURCES: t.Mapping[str, AssertionSource] = {
    "github_actions": AssertionSource("GitHub Actions", _mint_in_github_actions),
    "azure_pipelines": AssertionSource("Azure Pipelines", _mint_in_azure_pipelines),
    "managed_identity": AssertionSource("the managed identity endpoint", _mint_by_managed_identity),
    "request_url": AssertionSource("federated_token_request_url", _mint_at_request_url),
}


__all__ = ("ASSERTION_SOURCES", "AssertionSource", "describe_missing_permission")
