# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A piece of Azure Resource Manager: subscriptions and resource groups (Learn "Azure REST API", ARM RPC)."""

from __future__ import annotations

import re
import typing as t

from flask import Blueprint, Response, g, request

from . import bearer
from .paging import MarkerError, page_of
from .resources import ARM
from .text import dump, new_guid
from .tokens import RejectedTokenError
from .world import world

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import Subscription, Tenant

arm = Blueprint("arm", __name__)

Body = dict[str, t.Any]
_API_VERSION: t.Final = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_BUCKET: t.Final = "249"  # what a fresh bucket of 250 shows after one read


class ArmError(Exception):
    """An error answer of ARM (ARM RPC "common API details: error response content")."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@arm.get("/subscriptions")
def subscriptions() -> Body:
    """The subscriptions where the caller has a role assignment: maybe none."""
    g.bucket = "tenant"
    reachable = [_subscription(one) for one in _tenant().subscriptions if one.id in _assigned()]
    return _listing(reachable)


@arm.get("/subscriptions/<subscription_id>")
def subscription(subscription_id: str) -> Body:
    """One subscription."""
    return _subscription(_reachable(subscription_id, "Microsoft.Resources/subscriptions/read"))


@arm.get("/subscriptions/<subscription_id>/<kind>")
def resource_groups(subscription_id: str, kind: str) -> Body:
    """The resource groups of a subscription."""
    if kind.lower() != "resourcegroups":
        return anything_else(kind)
    found = _reachable(subscription_id, "Microsoft.Resources/subscriptions/resourceGroups/read")
    groups = [
        {
            "id": f"/subscriptions/{found.id}/resourceGroups/{name}",
            "name": name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": "westeurope",
            "properties": {"provisioningState": "Succeeded"},
        }
        for name in found.resource_groups
    ]
    return _listing(groups)


@arm.route("/", defaults={"rest": ""})
@arm.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def anything_else(rest: str) -> Body:
    """Whatever this piece of ARM does not have."""
    raise ArmError(404, "NotFound", f"The resource '{rest}' was not found.")


def _tenant() -> Tenant:
    tenant = world().directory.find_tenant(g.claims["tid"])
    if tenant is None:
        raise ArmError(401, "InvalidAuthenticationTokenTenant", "The access token is from a tenant that is gone.")
    return tenant


def _assigned() -> tuple[str, ...]:
    """The subscriptions of the app in the token; a user sees those of the tenant."""
    tenant = _tenant()
    if "scp" in g.claims:
        return tuple(one.id for one in tenant.subscriptions)
    app = world().directory.find_app(tenant.id, g.claims["appid"])
    return app.subscriptions if app else ()


def _reachable(subscription_id: str, action: str) -> Subscription:
    everywhere = [(tenant, one) for tenant in world().directory.tenants() for one in tenant.subscriptions]
    home, found = next(((tenant, one) for tenant, one in everywhere if one.id == subscription_id), (None, None))
    if home is None or found is None:
        raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found.")
    if home.id != g.claims["tid"]:
        message = f"The access token is from the wrong issuer. It must match the tenant '{home.id}'."
        raise ArmError(401, "InvalidAuthenticationTokenTenant", message)
    if found.id not in _assigned():
        who = f"The client '{g.claims['appid']}' with object id '{g.claims['oid']}'"
        scope = f"/subscriptions/{found.id}"
        message = f"{who} does not have authorization to perform action '{action}' over scope '{scope}'."
        raise ArmError(403, "AuthorizationFailed", message)
    return found


def _subscription(one: Subscription) -> Body:
    return {
        "id": f"/subscriptions/{one.id}",
        "subscriptionId": one.id,
        "tenantId": _tenant().id,
        "displayName": one.name,
        "state": "Enabled",
    }


def _listing(items: Sequence[Body]) -> Body:
    try:
        page = page_of(items, world().settings.page_size)
    except MarkerError:
        raise ArmError(400, "InvalidSkipToken", "The skip token is not valid.") from None
    return {"value": list(page.items), **({"nextLink": page.next_link} if page.next_link else {})}


@arm.before_request
def _check() -> None:
    """Token first, then the query parameter every call must have."""
    g.request_id = new_guid()
    g.bucket = "subscription"
    g.claims = _claims()
    version = request.args.get("api-version")
    if not version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise ArmError(400, "MissingApiVersionParameter", message)
    if not _API_VERSION.fullmatch(version):
        raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")


def _claims() -> Body:
    audiences = ARM.audiences()
    try:
        return bearer.claims_for(audiences)
    except bearer.NoTokenError:
        message = "Authentication failed. The 'Authorization' header is missing."
        raise ArmError(401, "AuthenticationFailed", message) from None
    except RejectedTokenError as rejected:
        raise _rejection(rejected) from None


def _rejection(rejected: RejectedTokenError) -> ArmError:
    if rejected.fault == "audience":
        allowed = ",".join(f"'{audience}'" for audience in sorted(ARM.audiences()) if audience != ARM.app_id)
        message = (
            "The access token has been obtained for wrong audience or resource "
            f"'{rejected.claims['aud']}'. It should exactly match with one of the allowed audiences {allowed}."
        )
        return ArmError(401, "InvalidAuthenticationTokenAudience", message)
    if rejected.fault == "expired":
        message = f"The access token expiry UTC time is earlier than current UTC time '{world().clock.utc()}'."
        return ArmError(401, "ExpiredAuthenticationToken", message)
    return ArmError(401, "InvalidAuthenticationToken", "The access token is invalid.")


@arm.errorhandler(ArmError)
def _refuse(error: ArmError) -> Response:
    body = {"error": {"code": error.code, "message": str(error)}}
    response = Response(dump(body), error.status, content_type="application/json; charset=utf-8")
    if error.status == 401:
        uri = f"{world().urls['login']}/common"
        description = str(error).replace('"', "'")
        response.headers["WWW-Authenticate"] = (
            f'Bearer authorization_uri="{uri}", error="invalid_token", error_description="{description}"'
        )
    return response


@arm.after_request
def _finish(response: Response) -> Response:
    response.headers["x-ms-request-id"] = g.request_id
    response.headers["x-ms-correlation-request-id"] = g.request_id
    response.headers["x-ms-routing-request-id"] = f"LOOPBACK:{world().clock.utc():%Y%m%dT%H%M%SZ}:{g.request_id}"
    response.headers[f"x-ms-ratelimit-remaining-{g.bucket}-reads"] = _BUCKET
    if request.headers.get("x-ms-return-client-request-id", "").lower() == "true":
        response.headers["x-ms-client-request-id"] = request.headers.get("x-ms-client-request-id", "")
    return response
