# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints that give a machine's managed identities their tokens, each platform with its own shapes.

Learn "How to use managed identities on an Azure VM to acquire an access token", "App Service: REST endpoint
reference", "Authenticate against Azure resources with Azure Arc-enabled servers", "Managed identity support for
Service Fabric apps"; azure-identity for Azure ML and Cloud Shell.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Response, g, request

from . import seed, users
from .client_auth import ASSERTION_PROOF, Caller
from .environment import PLATFORM_SECRET
from .grants import app_claims, user_claims
from .model import App
from .resources import TOKEN_EXCHANGE
from .scopes import Target
from .text import dump, new_guid
from .world import world

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .model import Tenant
    from .tokens import Claims

managed_identity = Blueprint("managed_identity", __name__)
service_fabric = Blueprint("service_fabric", __name__)

Body = dict[str, t.Any]
_USER: t.Final = 1  # who signed in to Cloud Shell
_CLOUD_SHELL: t.Final = App(seed.CONTOSO.id, seed.CLOUD_SHELL, "Cloud Shell", public=True)
_SELECTORS: t.Final = {"client_id": "client_id", "object_id": "object_id", "msi_res_id": "resource_id"}
_APP_SERVICE_SELECTORS: t.Final = {**_SELECTORS, "principal_id": "object_id", "mi_res_id": "resource_id"}


class Denied(Exception):
    """No token; ``code`` as the platform names the reason."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class _Issued:
    """A token with what the answers tell about it."""

    access_token: str
    client_id: str
    resource: str
    now: int
    seconds: int

    def members(self) -> Body:
        """Those of every platform, numbers as text."""
        return {
            "access_token": self.access_token,
            "expires_on": str(self.now + self.seconds),
            "resource": self.resource,
            "token_type": "Bearer",
            "client_id": self.client_id,
        }


@managed_identity.get("/metadata/identity/oauth2/token")
def imds() -> Body:
    """Virtual machines: every number is text."""
    _shape(_oauth_error)
    _need_header("Metadata", "true", Denied(400, "bad_request_102", "Required metadata header not specified"))
    _need_version("2018-02-01", "2019-08-01", "2021-02-01")
    return _as_text(_for(_identity(_SELECTORS)))


@managed_identity.get("/msi/token")
def app_service() -> Body:
    """App Service and its kin, in the present and the old version."""
    _shape(_app_service_error)
    if _need_version("2017-09-01", "2019-08-01") == "2019-08-01":
        _need_header("X-IDENTITY-HEADER", PLATFORM_SECRET, Denied(401, "Unauthorized", "The identity header is wrong"))
        return _for(_identity(_APP_SERVICE_SELECTORS)).members()
    _need_header("secret", PLATFORM_SECRET, Denied(401, "Unauthorized", "The secret is wrong"))
    issued = _for(_identity({"clientid": "client_id"}))
    ends = datetime.fromtimestamp(issued.now + issued.seconds, UTC)
    return {**issued.members(), "expires_on": f"{ends:%m/%d/%Y %H:%M:%S} +00:00"}


@managed_identity.get("/ml/token")
def azure_ml() -> Body:
    """Azure Machine Learning: App Service's old version."""
    _shape(_app_service_error)
    _need_version("2017-09-01")
    _need_header("secret", PLATFORM_SECRET, Denied(401, "Unauthorized", "The secret is wrong"))
    return _for(_identity({"clientid": "client_id", "client_id": "client_id"})).members()


@managed_identity.get("/arc/metadata/identity/oauth2/token")
def arc() -> Body | Response:
    """Azure Arc: who can read the key file the first answer names is on this machine, and privileged."""
    _shape(_oauth_error)
    _need_header("Metadata", "true", Denied(400, "bad_request_102", "Required metadata header not specified"))
    _need_version("2019-11-01", "2020-06-01")
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        path = world().arc_keys.challenge(world().settings.arc_key_file)
        return Response(status=401, headers={"WWW-Authenticate": f"Basic realm={path}"})
    if scheme.lower() != "basic" or not world().arc_keys.answered(key):
        raise Denied(403, "access_denied", "The challenge was not answered")
    selectors = {} if world().settings.arc_ignores_selector else _SELECTORS
    identity = _identity(selectors)
    return {**_as_text(_for(identity)), **{name: getattr(identity, attribute) for name, attribute in selectors.items()}}


@managed_identity.post("/cloudshell/oauth2/token")
def cloud_shell() -> Body:
    """Cloud Shell: the token is its user's."""
    _shape(_nested_error)
    _need_header("Metadata", "true", Denied(400, "MissingHeader", "Required metadata header not specified"))
    tenant = _tenant(_CLOUD_SHELL)
    target = _target(tenant, request.form.get("resource", ""), "AudienceNotSupported")
    caller = Caller(tenant, _CLOUD_SHELL)
    claims = user_claims(world(), caller, Target(target.resource, target.audience, ("user_impersonation",)), _USER)
    issued = _issued(claims, target)
    return {**_as_text(issued), "scope": "user_impersonation", "upn": users.principal_name(tenant, _USER)}


@service_fabric.get("/metadata/identity/oauth2/token")
def fabric() -> Body:
    """Service Fabric: the identity is the application's, and ``expires_on`` a number."""
    _shape(_nested_error)
    _need_version("2019-07-01-preview")
    _need_header("Secret", PLATFORM_SECRET, Denied(400, "SecretHeaderNotFound", "Secret is not found in the headers."))
    issued = _for(_identity({}, "ManagedIdentityNotFound", 404))
    return {**issued.members(), "expires_on": issued.now + issued.seconds}


def _for(identity: App) -> _Issued:
    """The identity's token for the query's ``resource``."""
    tenant = _tenant(identity)
    code = "ArgumentNullOrEmpty" if request.blueprint == "service_fabric" else "invalid_resource"
    target = _target(tenant, request.args.get("resource", ""), code)
    return _issued(app_claims(world(), Caller(tenant, identity, ASSERTION_PROOF), target), target)


def _tenant(app: App) -> Tenant:
    tenant = world().directory.find_tenant(app.tenant_id)
    if tenant is None:
        raise Denied(400, "invalid_request", "The identity's tenant does not exist")
    return tenant


def _target(tenant: Tenant, resource: str, code: str) -> Target:
    if not resource:
        raise Denied(400, "invalid_request", "Required query variable 'resource' is missing")
    found = world().directory.find_resource(tenant.id, resource)
    if found is None:
        message = f"AADSTS500011: The resource principal named {resource} was not found in the tenant {tenant.name}."
        raise Denied(400, code, message)
    return Target(found, resource)


def _issued(claims: Claims, target: Target) -> _Issued:
    settings = world().settings
    # An opaque token could not be exchanged for another.
    opaque = settings.opaque_tokens and target.resource != TOKEN_EXCHANGE
    token = world().issuer.issue(claims, settings.identity_token_lifetime, opaque=opaque)
    seconds = int(settings.identity_token_lifetime)
    return _Issued(token, str(claims["appid"]), target.audience, int(world().clock.now()), seconds)


def _identity(selectors: Mapping[str, str], code: str = "invalid_request", status: int = 400) -> App:
    """The identity the query selects; of several nobody selected from, the system-assigned one or the only one."""
    known = world().directory.identities()
    given = [(selectors[name], value) for name, value in request.args.items() if name in selectors and value]
    if len(given) > 1:
        raise Denied(status, code, "More than one identity was selected")
    if given:
        attribute, wanted = given[0]
        fitting = [one for one in known if getattr(one, attribute).lower() == wanted.lower()]
    else:
        fitting = [one for one in known if one.system_assigned] or known
    if len(fitting) != 1:
        several = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity"
        raise Denied(status, code, several if fitting else "Identity not found")
    return fitting[0]


def _need_header(name: str, value: str, denied: Denied) -> None:
    if request.headers.get(name, "").lower() != value.lower():
        raise denied


def _need_version(*known: str) -> str:
    version = request.args.get("api-version", "")
    if version not in known:
        raise Denied(400, "InvalidApiVersion", f"The api-version '{version}' is not among {', '.join(known)}")
    return version


def _as_text(issued: _Issued) -> Body:
    seconds = str(issued.seconds)
    more = {"expires_in": seconds, "ext_expires_in": seconds, "not_before": str(issued.now)}
    return {**issued.members(), **more}


def _shape(errors: Callable[[Denied], Body]) -> None:
    """Let the request's errors look like that."""
    g.error_shape = errors


def _oauth_error(denied: Denied) -> Body:
    return {"error": denied.code, "error_description": str(denied)}


def _app_service_error(denied: Denied) -> Body:
    return {"statusCode": denied.status, "message": f"{denied.code}: {denied}", "correlationId": new_guid()}


def _nested_error(denied: Denied) -> Body:
    return {"error": {"correlationId": new_guid(), "code": denied.code, "message": str(denied)}}


@managed_identity.errorhandler(Denied)
@service_fabric.errorhandler(Denied)
def _refuse(denied: Denied) -> Response:
    return Response(dump(g.error_shape(denied)), denied.status, content_type="application/json")
