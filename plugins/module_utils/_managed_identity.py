# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed identities: request a token from the platform on which a workload runs, without any credential.

Learn, "How to use managed identities" (virtual machines), "App Service and Azure Functions: REST endpoint reference",
"Authenticate against Azure resources with Azure Arc-enabled servers", "Managed identities in Service Fabric". The
requests are plain http to a link-local or loopback address, so no proxy is used.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._arc_key import read_arc_key
from ansible_collections.entra.auth.plugins.module_utils._endpoint_url import refuse_insecure_url
from ansible_collections.entra.auth.plugins.module_utils._errors import (
    ErrorResponse,
    InputError,
    NetworkError,
    TokenRequestRefused,
    printable,
)
from ansible_collections.entra.auth.plugins.module_utils._http.settings import Service
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request, Transport
from ansible_collections.entra.auth.plugins.module_utils._secrets import register_secrets
from ansible_collections.entra.auth.plugins.module_utils._token_response import (
    Issuer,
    find_error_codes,
    mask_response,
    parse_json_object,
    parse_token_response,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Response
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

_IMDS_URL = "http://169.254.169.254"
_ARC = "Azure Arc"
_ARC_URL = "http://localhost:40342/metadata/identity/oauth2/token"
_ARC_AGENT = "/opt/azcmagent/bin/himds"
# Off Azure no host has the link-local address. Two attempts to connect must fail within two seconds.
_CONNECT_SECONDS = 0.8
_SECOND_PROBE_AFTER_SECONDS = 0.5
_ONCE_MORE_SECONDS = 1.0
# Learn, IMDS "Retry guidance": 404, 410, 429 and 5xx are retried; an update of IMDS takes up to 70 seconds.
_IMDS_RETRIED = (404, 410, 429, 500, 502, 503, 504)
_IMDS_RETRY_SECONDS = 70
_LOCAL_RETRIED = (429, 500, 502, 503, 504)
# A request that a platform refuses for another reason is refused again.
_PASSING_REFUSALS = (404, 408, 410, 429)
_SHOWN_CHARACTERS = 300
_CHECK_IDENTITY = (
    "Check that the resource has the requested identity (managed_identity_client_id selects one of several), and that "
    "scope names an API of this cloud."
)
_CHECK_ENDPOINT = (
    "Find out what responds at the endpoint that the variables of the platform name, and check the clock of this "
    "machine; update or restart the platform's agent."
)
# What the platforms say, in lower case.
_HINTS = {
    "multiple user assigned identities": "Set managed_identity_client_id to one of the identities of the resource, "
    "because it has several.",
    "identity not found": "Assign an identity to the resource, or correct managed_identity_client_id, which is not the "
    "identity's object id.",
}


@dataclasses.dataclass(frozen=True)
class Selector:
    """The name of a user-assigned identity; an empty selector means the system-assigned identity."""

    client_id: str | None = None
    object_id: str | None = None
    resource_id: str | None = None

    def build_parameters(self, client_id: str, object_id: str, resource_id: str) -> dict[str, str]:
        """Return the query parameters; the arguments are the names that a platform gives them."""
        named = {client_id: self.client_id, object_id: self.object_id, resource_id: self.resource_id}
        return {name: value for name, value in named.items() if value}


class _Platform(t.NamedTuple):
    name: str
    is_here: t.Callable[[t.Mapping[str, str]], bool]
    send: t.Callable[[str, Selector, NetworkSettings, float], Response]


def request_managed_identity_token(resource: str, selector: Selector, network: NetworkSettings) -> Token:
    """Return the token of the managed identity for a resource.

    Args:
        resource: the identifier of an API, without ``/.default``.
        selector: the identity.
        network: how to reach the platform; its proxy is not used.

    Raises:
        InputError: for more than one selector, one that the platform does not accept, or an endpoint that is not safe.
        TokenRequestRefused: if the platform refuses the request, and would refuse it again.
        NetworkError: if no managed identity endpoint responds, or not with a token.
    """
    if sum(map(bool, dataclasses.astuple(selector))) > 1:
        raise InputError(
            "More than one of managed_identity_client_id, _object_id and _resource_id is given.",
            hint="Name the managed identity by one of them.",
        )
    platform = detect_platform(os.environ)
    direct = dataclasses.replace(network, proxy=None, use_environment=False, service=Service.PLATFORM)
    response = platform.send(resource, selector, direct, time.monotonic() + network.retry_for)
    if response.status == 200:
        issuer = Issuer(f"The managed identity endpoint ({platform.name})", _CHECK_ENDPOINT)
        token = parse_token_response(response, issuer)
        _refuse_other_identity(platform.name, response, selector)
        return token
    raise _build_refusal(platform.name, response)


def detect_platform(environ: t.Mapping[str, str]) -> _Platform:
    """Return the platform that offers a managed identity here, by its variables; by default a virtual machine."""
    return next(platform for platform in _PLATFORMS if platform.is_here(environ))


def _request_service_fabric(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    _refuse_selector("Service Fabric", selector, "the identity is the one assigned to the application")
    pinned = dataclasses.replace(network, fingerprint=os.environ["IDENTITY_SERVER_THUMBPRINT"])
    query = {"api-version": "2019-07-01-preview", "resource": resource}
    return _get("IDENTITY_ENDPOINT", query, {"Secret": os.environ["IDENTITY_HEADER"]}, pinned, until)


def _request_app_service(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    query = {"api-version": "2019-08-01", "resource": resource}
    query.update(selector.build_parameters("client_id", "principal_id", "mi_res_id"))
    # Azure Automation needs the second header too; the others ignore it.
    headers = {"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"], "Metadata": "true"}
    return _get("IDENTITY_ENDPOINT", query, headers, network, until)


def _request_azure_ml(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    if selector.object_id or selector.resource_id:
        _refuse_selector("Azure Machine Learning", selector, "it knows identities by their client id only")
    query = {"api-version": "2017-09-01", "resource": resource}
    client_id = selector.client_id or os.environ.get("DEFAULT_IDENTITY_CLIENT_ID")
    if client_id:
        query["clientid"] = client_id
    return _get("MSI_ENDPOINT", query, {"secret": os.environ["MSI_SECRET"]}, network, until)


def _request_cloud_shell(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    _refuse_selector("Cloud Shell", selector, "its identity is the user who signed in to it")
    url = os.environ["MSI_ENDPOINT"]
    refuse_insecure_url("MSI_ENDPOINT", url, link_local=True)
    request = Request(url, "POST", {"Metadata": "true"}, form={"resource": resource})
    return Transport(network).send(request, until=until)


def _request_azure_arc(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    """Respond to the agent's challenge: the first response names a key file that only root and its group can read."""
    query = {"api-version": "2020-06-01", "resource": resource}
    query.update(selector.build_parameters("client_id", "object_id", "msi_res_id"))
    challenge = _get("IDENTITY_ENDPOINT", query, {"Metadata": "true"}, network, until, default=_ARC_URL)
    if challenge.status != 401:
        return challenge
    key = read_arc_key(challenge.headers.get("WWW-Authenticate", ""))
    headers = {"Metadata": "true", "Authorization": f"Basic {key}"}
    return _get("IDENTITY_ENDPOINT", query, headers, network, until, default=_ARC_URL)


def _request_imds(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    base = os.environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST") or _IMDS_URL
    refuse_insecure_url("AZURE_POD_IDENTITY_AUTHORITY_HOST", base, link_local=True)
    url = f"{base.rstrip('/')}/metadata/identity/oauth2/token"
    _refuse_off_azure(url, network, until)
    query = {"api-version": "2018-02-01", "resource": resource}
    query.update(selector.build_parameters("client_id", "object_id", "msi_res_id"))
    request = Request(_add_query(url, query), headers={"Metadata": "true"}, retried_statuses=_IMDS_RETRIED)
    return Transport(network).send(request, until=min(until, time.monotonic() + _IMDS_RETRY_SECONDS))


def _refuse_off_azure(url: str, network: NetworkSettings, until: float) -> None:
    """Raise NetworkError unless IMDS responds at the URL.

    Without its header IMDS refuses a request with 400. Elsewhere no host responds there, or another cloud or a firewall
    does: its 404 must not be retried for a minute, as one of IMDS is.
    """
    probing = dataclasses.replace(network, connect_timeout=_CONNECT_SECONDS, lost_connection_retries=1)
    # Repeated once even without a budget for repetitions, because one lost connection proves nothing.
    now = time.monotonic()
    until = min(max(until, now + _ONCE_MORE_SECONDS), now + network.timeout)
    try:
        response = _probe(url, probing, until)
        if response.status == 404 and not _is_from_imds(response):
            time.sleep(_SECOND_PROBE_AFTER_SECONDS)
            response = _probe(url, probing, until)
    except NetworkError as exc:
        reason = exc.message
    else:
        if response.status in (400, 410, *_LOCAL_RETRIED) or _is_from_imds(response):
            return
        reason = f"The service that responds there ({response.status}) is not that of Azure."
    raise NetworkError(
        f"No managed identity endpoint responds here. {reason}",
        hint="Run this on an Azure resource that has a managed identity, with run_on: target on such a host, or give "
        "another credential.",
    )


def _probe(url: str, network: NetworkSettings, until: float) -> Response:
    return Transport(network).send(Request(url, retried_statuses=()), until=until)


def _is_from_imds(response: Response) -> bool:
    return response.headers.get("Server", "").upper().startswith("IMDS")


def _get(
    variable: str,
    query: t.Mapping[str, str],
    headers: t.Mapping[str, str],
    network: NetworkSettings,
    until: float,
    *,
    default: str = "",
) -> Response:
    """Send a GET request to the endpoint that a variable of the platform names."""
    url = os.environ.get(variable) or default
    network = dataclasses.replace(network, url_source=f"the variable {variable}")
    refuse_insecure_url(variable, url, link_local=True)
    request = Request(_add_query(url, query), headers=headers, retried_statuses=_LOCAL_RETRIED)
    # The platform's secret, and the key of Azure Arc behind the word Basic.
    secrets = [part for value in headers.values() for part in (value, value.rpartition(" ")[2])]
    register_secrets(*secrets)
    return mask_response(Transport(network).send(request, until=until), secrets)


def _add_query(url: str, query: t.Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urllib.parse.urlencode(query)}"


def _refuse_selector(platform: str, selector: Selector, reason: str) -> None:
    if selector != Selector():
        raise InputError(
            f"{platform} does not let a task choose the identity: {reason}.",
            hint="Remove the options managed_identity_* that it does not accept, and client_id.",
        )


def _refuse_other_identity(platform: str, response: Response, selector: Selector) -> None:
    """Raise NetworkError if the response names another identity than the selected one, as old agents of Arc do."""
    named = parse_json_object(response)
    wanted = {"client_id": selector.client_id, "object_id": selector.object_id, "msi_res_id": selector.resource_id}
    for name, value in wanted.items():
        # Only an agent of Arc that knows selectors repeats them all.
        found = named.get(name, "" if platform == _ARC else value)
        if value and str(found).lower() != value.lower():
            raise NetworkError(
                f"The managed identity endpoint ({platform}) responded for another identity than the requested one.",
                hint="Update the platform's agent, or remove managed_identity_* and client_id to use the "
                "system-assigned identity.",
            )


def _build_refusal(platform: str, response: Response) -> TokenRequestRefused | NetworkError:
    reason = printable(_get_reason(response), _SHOWN_CHARACTERS).rstrip(". ")
    request_id = printable(response.headers.get("x-ms-request-id")) or None
    is_final = 400 <= response.status < 500 and response.status not in _PASSING_REFUSALS
    refusal = (TokenRequestRefused if is_final else NetworkError)(
        f"The managed identity endpoint ({platform}) responded with {response.status}: {reason or 'without a reason'}.",
        hint=next((hint for words, hint in _HINTS.items() if words in reason.lower()), _CHECK_IDENTITY),
        # A platform that Entra refused quotes the codes.
        response=ErrorResponse("managed_identity_error", None, find_error_codes(reason), request_id),
    )
    if response.retry_after is not None:
        refusal.retry_after = response.retry_after
    return refusal


def _get_reason(response: Response) -> str:
    """Return the reason in an error body, in any of the platforms' shapes."""
    try:
        body = json.loads(response.body)
        error = body.get("error")
    except (ValueError, AttributeError, RecursionError):
        return ""
    nested = error if isinstance(error, dict) else {"message": error}
    return str(body.get("error_description") or body.get("message") or nested.get("message") or "")


_PLATFORMS = (
    _Platform(
        "Service Fabric",
        lambda env: all(env.get(n) for n in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT")),
        _request_service_fabric,
    ),
    _Platform(
        "App Service",
        lambda env: bool(env.get("IDENTITY_ENDPOINT") and env.get("IDENTITY_HEADER")),
        _request_app_service,
    ),
    _Platform(_ARC, lambda env: bool(env.get("IDENTITY_ENDPOINT") and env.get("IMDS_ENDPOINT")), _request_azure_arc),
    _Platform(
        "Azure Machine Learning or App Service of 2017",
        lambda env: bool(env.get("MSI_ENDPOINT") and env.get("MSI_SECRET")),
        _request_azure_ml,
    ),
    _Platform("Cloud Shell", lambda env: bool(env.get("MSI_ENDPOINT")), _request_cloud_shell),
    _Platform(_ARC, lambda env: os.path.exists(_ARC_AGENT), _request_azure_arc),
    _Platform("virtual machine", lambda env: True, _request_imds),
)


__all__ = ("Selector", "detect_platform", "request_managed_identity_token")
