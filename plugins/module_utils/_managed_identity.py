# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed identities: a token from the platform a workload runs on, without any credential.

Learn, "How to use managed identities" (virtual machines), "App Service and Azure Functions: REST endpoint reference",
"Authenticate against Azure resources with Azure Arc-enabled servers", "Managed identities in Service Fabric". The
requests are plain http to a link-local or loopback address, so a proxy must never see them.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import time
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    ErrorResponse,
    InputError,
    NetworkError,
    printable,
)
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request, Transport
from ansible_collections.entra.auth.plugins.module_utils._token_response import parse_json_object, parse_token_response

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Response
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

_IMDS_URL = "http://169.254.169.254"
_ARC_URL = "http://localhost:40342/metadata/identity/oauth2/token"
_ARC_AGENT = "/opt/azcmagent/bin/himds"
_ARC_KEY_DIRECTORY = "/var/opt/azcmagent/tokens"
_ARC_KEY_MAX_BYTES = 4096
# Off Azure nothing answers at the link-local address; who asked there is to know within two seconds.
_PROBE_SECONDS = 1.0
# Learn, IMDS "Retry guidance": 404, 410, 429 and 5xx are asked again; an update of IMDS takes up to 70 seconds.
_IMDS_RETRIED = (404, 410, 429, 500, 502, 503, 504)
_IMDS_RETRY_SECONDS = 70
_LOCAL_RETRIED = (429, 500, 502, 503, 504)


@dataclasses.dataclass(frozen=True)
class Selector:
    """Which user-assigned identity is meant; none of them: the system-assigned one."""

    client_id: str | None = None
    object_id: str | None = None
    resource_id: str | None = None

    def parameters(self, client_id: str, object_id: str, resource_id: str) -> dict[str, str]:
        """The query parameters, by the names a platform gives them."""
        named = {client_id: self.client_id, object_id: self.object_id, resource_id: self.resource_id}
        return {name: value for name, value in named.items() if value}


class _Platform(t.NamedTuple):
    name: str
    is_here: t.Callable[[t.Mapping[str, str]], bool]
    ask: t.Callable[[str, Selector, NetworkSettings, float], Response]


def request_managed_identity_token(resource: str, selector: Selector, network: NetworkSettings) -> Token:
    """The token of the managed identity for a resource (an identifier without ``/.default``).

    Raises InputError for more than one selector or one that the platform does not take, NetworkError where no managed
    identity answers or it says no.
    """
    if sum(map(bool, dataclasses.astuple(selector))) > 1:
        raise InputError(
            "More than one of managed_identity_client_id, _object_id and _resource_id is given.",
            hint="Name the managed identity by one of them.",
        )
    platform = detect_platform(os.environ)
    direct = dataclasses.replace(network, proxy=None, use_environment=False)
    response = platform.ask(resource, selector, direct, time.monotonic() + network.retry_for)
    if response.status == 200:
        return parse_token_response(response)
    raise _refused(platform.name, response)


def detect_platform(environ: t.Mapping[str, str]) -> _Platform:
    """The platform that offers a managed identity here, by its variables; without any, a virtual machine."""
    return next(platform for platform in _PLATFORMS if platform.is_here(environ))


def _service_fabric(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    _refuse_selector("Service Fabric", selector, "the identity is the one assigned to the application")
    pinned = dataclasses.replace(network, fingerprint=os.environ["IDENTITY_SERVER_THUMBPRINT"])
    query = {"api-version": "2019-07-01-preview", "resource": resource}
    return _get(os.environ["IDENTITY_ENDPOINT"], query, {"Secret": os.environ["IDENTITY_HEADER"]}, pinned, until)


def _app_service(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    query = {"api-version": "2019-08-01", "resource": resource}
    query.update(selector.parameters("client_id", "principal_id", "mi_res_id"))
    # Azure Automation wants the second header too; the others ignore it.
    headers = {"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"], "Metadata": "true"}
    return _get(os.environ["IDENTITY_ENDPOINT"], query, headers, network, until)


def _azure_ml(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    if selector.object_id or selector.resource_id:
        _refuse_selector("Azure Machine Learning", selector, "it knows identities by managed_identity_client_id only")
    query = {"api-version": "2017-09-01", "resource": resource}
    client_id = selector.client_id or os.environ.get("DEFAULT_IDENTITY_CLIENT_ID")
    if client_id:
        query["clientid"] = client_id
    return _get(os.environ["MSI_ENDPOINT"], query, {"secret": os.environ["MSI_SECRET"]}, network, until)


def _cloud_shell(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    _refuse_selector("Cloud Shell", selector, "its identity is the user who signed in to it")
    request = Request(os.environ["MSI_ENDPOINT"], "POST", {"Metadata": "true"}, form={"resource": resource})
    return Transport(network).send(request, until=until)


def _azure_arc(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    """The agent answers the first request with the name of a file that only root and its group can read."""
    url = os.environ.get("IDENTITY_ENDPOINT") or _ARC_URL
    query = {"api-version": "2020-06-01", "resource": resource}
    query.update(selector.parameters("client_id", "object_id", "msi_res_id"))
    challenge = _get(url, query, {"Metadata": "true"}, network, until)
    if challenge.status != 401:
        return challenge
    key = _arc_key(challenge.headers.get("WWW-Authenticate", ""))
    response = _get(url, query, {"Metadata": "true", "Authorization": f"Basic {key}"}, network, until)
    if selector != Selector() and response.status == 200:
        _refuse_other_identity(response, selector)
    return response


def _imds(resource: str, selector: Selector, network: NetworkSettings, until: float) -> Response:
    base = os.environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST") or _IMDS_URL
    url = f"{base.rstrip('/')}/metadata/identity/oauth2/token"
    _refuse_off_azure(url, network)
    query = {"api-version": "2018-02-01", "resource": resource}
    query.update(selector.parameters("client_id", "object_id", "msi_res_id"))
    until = min(until, time.monotonic() + _IMDS_RETRY_SECONDS)
    return _get(url, query, {"Metadata": "true"}, network, until, retried=_IMDS_RETRIED)


def _refuse_off_azure(url: str, network: NetworkSettings) -> None:
    # Without its header IMDS refuses at once, with 400. Elsewhere nobody answers there, or another cloud or a firewall
    # does; its 404 must not be taken for one of IMDS, which is asked again for a minute.
    probing = dataclasses.replace(network, timeout=_PROBE_SECONDS, lost_connection_retries=0)
    try:
        status = Transport(probing).send(Request(url, retried_statuses=()), until=time.monotonic()).status
    except NetworkError as exc:
        reason = exc.message
    else:
        if status == 400 or status in _LOCAL_RETRIED or status == 410:
            return
        reason = f"What answers there ({status}) is not Azure."
    raise NetworkError(
        f"No managed identity answers here. {reason}",
        hint="Run this on an Azure resource that has a managed identity, with run_on: target on such a host, or give "
        "another credential.",
    )


def _get(
    url: str,
    query: t.Mapping[str, str],
    headers: t.Mapping[str, str],
    network: NetworkSettings,
    until: float,
    *,
    retried: tuple[int, ...] = _LOCAL_RETRIED,
) -> Response:
    full_url = f"{url}{'&' if '?' in url else '?'}{urllib.parse.urlencode(query)}"
    return Transport(network).send(Request(full_url, headers=headers, retried_statuses=retried), until=until)


def _refuse_selector(platform: str, selector: Selector, reason: str) -> None:
    if selector != Selector():
        raise InputError(
            f"{platform} does not let a task choose the identity: {reason}.",
            hint="Remove the options managed_identity_* that it does not take.",
        )


def _refuse_other_identity(response: Response, selector: Selector) -> None:
    # Older agents ignore the selector and answer for the system-assigned identity.
    named = parse_json_object(response)
    wanted = {"client_id": selector.client_id, "object_id": selector.object_id, "msi_res_id": selector.resource_id}
    for name, value in wanted.items():
        if value and str(named.get(name, "")).lower() != value.lower():
            raise NetworkError(
                "The Azure Arc agent answered for another identity than the one asked for.",
                hint="Update the agent, or remove the options managed_identity_* to use the system-assigned identity.",
            )


def _arc_key(challenge: str) -> str:
    match = re.fullmatch(r"\s*Basic\s+realm=\"?([^\"]+?)\"?\s*", challenge, re.IGNORECASE)
    path = match.group(1) if match else ""
    # An endpoint that is not the agent must not get at any other file.
    if os.path.dirname(path) != _ARC_KEY_DIRECTORY or not path.endswith(".key") or os.path.islink(path):
        raise NetworkError(
            "The Azure Arc agent's challenge does not name a key file where its key files are.",
            hint="Check IDENTITY_ENDPOINT, and that the agent on this host is the one of Azure Arc.",
        )
    try:
        with open(path, encoding="ascii", errors="strict") as file:
            key = file.read(_ARC_KEY_MAX_BYTES + 1)
    except (OSError, ValueError):
        key = ""
    if 0 < len(key) <= _ARC_KEY_MAX_BYTES:
        return key
    raise NetworkError(
        "The key file of the Azure Arc agent can't be read, is empty or is too large.",
        hint="Run Ansible as root or as a member of the group himds on that host.",
    )


def _refused(platform: str, response: Response) -> NetworkError:
    said = printable(_said(response), 300).rstrip(". ")
    # Where the platform asked Entra in vain, it quotes the code.
    codes = tuple(int(code) for code in re.findall(r"AADSTS(\d{1,9})\b", said))
    return NetworkError(
        f"The managed identity endpoint ({platform}) answered {response.status}: {said or 'without a reason'}.",
        hint="Check that the resource has the identity asked for, and that scope names an API of this cloud.",
        response=ErrorResponse("managed_identity_error", None, codes, response.headers.get("x-ms-request-id")),
    )


def _said(response: Response) -> str:
    """The reason in an error body, in any of the platforms' shapes."""
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
        _service_fabric,
    ),
    _Platform(
        "App Service", lambda env: bool(env.get("IDENTITY_ENDPOINT") and env.get("IDENTITY_HEADER")), _app_service
    ),
    _Platform("Azure Arc", lambda env: bool(env.get("IDENTITY_ENDPOINT") and env.get("IMDS_ENDPOINT")), _azure_arc),
    _Platform(
        "Azure Machine Learning or App Service of 2017",
        lambda env: bool(env.get("MSI_ENDPOINT") and env.get("MSI_SECRET")),
        _azure_ml,
    ),
    _Platform("Cloud Shell", lambda env: bool(env.get("MSI_ENDPOINT")), _cloud_shell),
    _Platform("Azure Arc", lambda env: os.path.exists(_ARC_AGENT), _azure_arc),
    _Platform("virtual machine", lambda env: True, _imds),
)


__all__ = ("Selector", "detect_platform", "request_managed_identity_token")
