# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all of ARM has in common: token, ``api-version``, role assignments, listings, error answers and headers."""

from __future__ import annotations

import re
import typing as t

from flask import Blueprint, Response, g, request

from .. import bearer, odata, refusals
from ..paging import MarkerError, page_of
from ..refusals import REFUSAL
from ..resources import ARM
from ..text import dump, new_guid
from ..tokens import RejectedTokenError
from ..world import world

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..model import Subscription, Tenant
    from ..refusals import Refusal

arm = Blueprint("arm", __name__)

Body = dict[str, t.Any]
Answer = Body | Response | tuple[Body | str, int, dict[str, str]]
_Item = t.TypeVar("_Item")
_API_VERSION: t.Final = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
# Which bucket a method draws on, and what a fresh one shows after it (Learn "Understand how Azure Resource Manager
# throttles requests").
_BUCKETS: t.Final = {"GET": ("reads", "249"), "HEAD": ("reads", "249"), "DELETE": ("deletes", "199")}
_WRITES: t.Final = ("writes", "199")
_REFUSED: t.Final = {
    401: ("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time."),
    403: ("AuthorizationFailed", "The client does not have authorization to perform the action over the scope."),
    404: ("ResourceNotFound", "The resource was not found."),
    429: ("TooManyRequests", "The request is being throttled as the limit has been reached."),
}


class ArmError(Exception):
    """An error answer of ARM (ARM RPC "common API details: error response content")."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


def tenant() -> Tenant:
    """The tenant of the request's token."""
    found = world().directory.find_tenant(g.claims["tid"])
    if found is None:
        raise ArmError(401, "InvalidAuthenticationTokenTenant", "The access token is from a tenant that is gone.")
    return found


def assigned() -> tuple[str, ...]:
    """The subscriptions of the app in the token; a user sees those of the tenant."""
    home = tenant()
    if "scp" in g.claims:
        return tuple(one.id for one in home.subscriptions)
    app = world().directory.find_app(home.id, g.claims["appid"])
    return app.subscriptions if app else ()


def reachable(subscription_id: str, action: str) -> Subscription:
    """The subscription, if the caller may do ``action`` there."""
    everywhere = [(tenant, one) for tenant in world().directory.tenants() for one in tenant.subscriptions]
    home, found = next(((tenant, one) for tenant, one in everywhere if one.id == subscription_id), (None, None))
    if home is None or found is None:
        raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found.")
    if home.id != g.claims["tid"]:
        message = f"The access token is from the wrong issuer. It must match the tenant '{home.id}'."
        raise ArmError(401, "InvalidAuthenticationTokenTenant", message)
    if found.id not in assigned():
        raise _unauthorized(action, f"/subscriptions/{found.id}")
    return found


def _unauthorized(action: str, scope: str) -> ArmError:
    who = f"The client '{g.claims['appid']}' with object id '{g.claims['oid']}'"
    message = f"{who} does not have authorization to perform action '{action}' over scope '{scope}'."
    return ArmError(403, "AuthorizationFailed", message)


def listing(items: Sequence[_Item], body_of: Callable[[_Item], Body]) -> Body:
    """A page of what ``$filter`` leaves (ARM RPC "common API details: pagination")."""
    asked = request.args.get("$filter")
    if asked is not None:
        wanted = _filter(asked)
        items = [item for item in items if wanted.wants(body_of(item))]
    try:
        page = page_of(items, _page_size())
    except MarkerError:
        raise ArmError(400, "InvalidSkipToken", "The skip token is not valid.") from None
    value = [body_of(item) for item in page.items]
    return {"value": value, **({"nextLink": page.next_link} if page.next_link else {})}


def _filter(asked: str) -> odata.Filter:
    # ARM calls "resourceType" there what the answer calls "type".
    try:
        return odata.parse(asked.replace("resourceType ", "type "))
    except odata.FilterError:
        raise ArmError(400, "InvalidFilterInQueryString", f"Invalid $filter '{asked}' specified.") from None


def _page_size() -> int:
    top = request.args.get("$top", "")
    return int(top) if top.isdecimal() and int(top) else world().settings.page_size


@arm.route("/", defaults={"rest": ""})
@arm.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def anything_else(rest: str) -> Answer:
    """Whatever this piece of ARM does not have."""
    raise ArmError(404, "NotFound", f"The resource '{rest}' was not found.")


@arm.before_request
def _check() -> None:
    """Token first, then the query parameter every call must have."""
    g.request_id = new_guid()
    g.bucket = "subscription"
    if REFUSAL in request.environ:
        raise _refusal(request.environ[REFUSAL])
    g.claims = _claims()
    version = request.args.get("api-version")
    if not version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise ArmError(400, "MissingApiVersionParameter", message)
    if not _API_VERSION.fullmatch(version):
        raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")


def _refusal(refusal: Refusal) -> ArmError:
    return ArmError(refusal.status, *refusals.named(refusal, _REFUSED), refusal.headers)


def _claims() -> Body:
    try:
        return bearer.claims_for(ARM.audiences())
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
    if rejected.challenge:
        challenge = bearer.insufficient_claims(world().urls["login"], rejected.challenge)
        return ArmError(401, "InvalidAuthenticationToken", "The access token was revoked.", challenge)
    return ArmError(401, "InvalidAuthenticationToken", "The access token is invalid.")


@arm.errorhandler(ArmError)
def _refuse(error: ArmError) -> Response:
    body = {"error": {"code": error.code, "message": str(error)}}
    headers = dict(error.headers)
    if error.status == 401 and "WWW-Authenticate" not in headers:
        description = str(error).replace('"', "'")
        headers["WWW-Authenticate"] = (
            f'Bearer authorization_uri="{world().urls["login"]}/common", error="invalid_token", '
            f'error_description="{description}"'
        )
    return Response(dump(body), error.status, headers, content_type="application/json; charset=utf-8")


@arm.after_request
def _finish(response: Response) -> Response:
    response.headers["x-ms-request-id"] = g.request_id
    response.headers["x-ms-correlation-request-id"] = g.request_id
    response.headers["x-ms-routing-request-id"] = f"LOOPBACK:{world().clock.utc():%Y%m%dT%H%M%SZ}:{g.request_id}"
    bucket, left = _BUCKETS.get(request.method, _WRITES)
    response.headers[f"x-ms-ratelimit-remaining-{g.bucket}-{bucket}"] = left
    if request.headers.get("x-ms-return-client-request-id", "").lower() == "true":
        response.headers["x-ms-client-request-id"] = request.headers.get("x-ms-client-request-id", "")
    return response
