# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A piece of Microsoft Graph: users, organization, applications, groups (Learn "Microsoft Graph REST API v1.0")."""

from __future__ import annotations

import base64
import functools
import re
import typing as t
from datetime import UTC, datetime

from flask import Blueprint, Response, g, request

from . import bearer, users
from .paging import MarkerError, page_of
from .resources import GRAPH
from .text import dump, new_guid
from .tokens import RejectedTokenError
from .world import world

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .model import App, Tenant
    from .users import User

graph = Blueprint("graph", __name__)

Body = dict[str, t.Any]
_MOST_PER_PAGE: t.Final = 999
_GROUPS: t.Final = 12
_REJECTED: t.Final = {
    "malformed": "IDX14100: JWT is not well formed, there are no dots (.).",
    "signature": "Access token validation failure. Invalid signature.",
    "audience": "Access token validation failure. Invalid audience.",
    "expired": "Lifetime validation failed, the token is expired.",
    "revoked": "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
    "TokenIssuedBeforeRevocationTimestamp",
}


class GraphError(Exception):
    """An error answer of Graph (Learn "Microsoft Graph error responses and resource types")."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


_Item = t.TypeVar("_Item")
_View = t.TypeVar("_View", bound="Callable[..., Body | Response]")


def _needs(*any_of: str) -> Callable[[_View], _View]:
    """Let a view be called only with one of these permissions in the token."""

    def decorate(view: _View) -> _View:
        @functools.wraps(view)
        def guarded(*args: t.Any, **kwargs: t.Any) -> Body | Response:
            if not bearer.permissions(g.claims) & {*any_of, "Directory.Read.All"}:
                message = "Insufficient privileges to complete the operation."
                raise GraphError(403, "Authorization_RequestDenied", message)
            return view(*args, **kwargs)

        return t.cast("_View", guarded)

    return decorate


@graph.get("/users")
@_needs("User.Read.All")
def list_users() -> Body:
    """Users by number, paged, filtered and selected."""
    tenant, wanted = _tenant(), _filter()
    numbers: Sequence[int] = range(1, world().settings.users + 1)
    if wanted:
        numbers = [number for number in numbers if wanted(users.user(tenant, number))]
    return _listing(numbers, "users", _shown)


@graph.get("/users/$count")
@_needs("User.Read.All")
def count_users() -> Response:
    """The number of users as text; needs ``ConsistencyLevel: eventual``."""
    if not _eventual():
        raise GraphError(400, "Request_BadRequest", "$count is not currently supported.")
    return Response(str(world().settings.users), content_type="text/plain")


@graph.get("/users/<key>")
@_needs("User.Read.All")
def one_user(key: str) -> Body:
    """A user by object id or principal name."""
    number = users.number_of(_tenant(), key)
    if number is None or not 1 <= number <= world().settings.users:
        raise _not_found(key)
    return {"@odata.context": _context("users/$entity")} | _shown(number)


@graph.get("/me")
def me() -> Body:
    """The signed-in user; an app is not one."""
    if "scp" not in g.claims:
        raise GraphError(400, "Request_BadRequest", "/me request is only valid with delegated authentication flow.")
    number = users.number_of(_tenant(), str(g.claims["oid"]))
    return {"@odata.context": _context("users/$entity")} | _shown(number or 0)


@graph.get("/organization")
@_needs("Organization.Read.All")
def organization() -> Body:
    """The one organization a tenant has."""
    tenant = _tenant()
    domain = {"name": tenant.domain, "isDefault": True, "isInitial": True, "type": "Managed"}
    return _listing(
        [{"id": tenant.id, "displayName": tenant.name, "verifiedDomains": [domain]}], "organization", _whole
    )


@graph.get("/applications")
@_needs("Application.Read.All")
def applications() -> Body:
    """The tenant's apps with the ends of their secrets and certificates."""
    apps = [_application(app) for app in world().directory.apps(_tenant().id)]
    return _listing(_matching(apps), "applications", _whole)


@graph.get("/groups")
@_needs("Group.Read.All")
def groups() -> Body:
    """A dozen groups."""
    prefix = _tenant().id[:8]
    listed = [
        {"id": f"{prefix}-0000-4000-8002-{number:012d}", "displayName": f"Group {number:02d}", "securityEnabled": True}
        for number in range(1, _GROUPS + 1)
    ]
    return _listing(_matching(listed), "groups", _whole)


@graph.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def anything_else(rest: str) -> Body:
    """Whatever this piece of Graph does not have."""
    segment = rest.partition("/")[0]
    raise GraphError(404, "Request_ResourceNotFound", f"Resource not found for the segment '{segment}'.")


def _tenant() -> Tenant:
    tenant = world().directory.find_tenant(g.claims["tid"])
    if tenant is None:
        raise GraphError(401, "InvalidAuthenticationToken", "The token's tenant does not exist.")
    return tenant


def _shown(number: int) -> User:
    return users.shown(users.user(_tenant(), number), request.args.get("$select"))


def _application(app: App) -> Body:
    secrets = [
        {
            "keyId": secret.key_id,
            "displayName": "secret",
            "hint": secret.value[:3],
            "endDateTime": _iso(secret.expires_on),
        }
        for secret in app.secrets
    ]
    certificates = [
        {
            "keyId": certificate.key_id,
            "displayName": certificate.x509().subject.rfc4514_string(),
            "customKeyIdentifier": certificate.digest().hex().upper(),
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "endDateTime": _iso(certificate.x509().not_valid_after_utc.timestamp()),
        }
        for certificate in app.certificates
    ]
    return {
        "id": app.object_id.replace("bbbbbbbb", "dddddddd"),
        "appId": app.client_id,
        "displayName": app.name,
        "passwordCredentials": secrets,
        "keyCredentials": certificates,
    }


def _iso(moment: float | None) -> str | None:
    return None if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _listing(items: Sequence[_Item], name: str, shown: Callable[[_Item], Body]) -> Body:
    """A page as OData writes it; ``@odata.count`` only on the first (Learn "Paging Microsoft Graph data")."""
    try:
        page = page_of(items, _page_size(), bound_to=f"eventual={_eventual()}")
    except MarkerError:
        message = "The specified page token value has expired and can no longer be included in your request."
        raise GraphError(400, "Directory_ExpiredPageToken", message) from None
    body: Body = {"@odata.context": _context(name)}
    if page.first and request.args.get("$count") == "true" and _eventual():
        body["@odata.count"] = len(items)
    if page.next_link:
        body["@odata.nextLink"] = page.next_link
    return {**body, "value": [shown(item) for item in page.items]}


def _page_size() -> int:
    top = request.args.get("$top")
    if top is None:
        return world().settings.page_size
    if not top.isdecimal():
        raise GraphError(400, "BadRequest", f"Invalid value '{top}' for $top query option found.")
    if not 1 <= int(top) <= _MOST_PER_PAGE:
        message = f"Invalid page size specified: '{top}'. Must be between 1 and {_MOST_PER_PAGE} inclusive."
        raise GraphError(400, "Request_BadRequest", message)
    return int(top)


_FILTER: t.Final = re.compile(
    r"(?P<name>\w+) eq (?:'(?P<text>(?:[^']|'')*)'|(?P<flag>true|false))"
    r"|startswith\((?P<start_name>\w+), ?'(?P<start>(?:[^']|'')*)'\)"
)


def _whole(item: Body) -> Body:
    return item


def _matching(items: list[Body]) -> list[Body]:
    wanted = _filter()
    return [item for item in items if wanted is None or wanted(item)]


def _filter() -> Callable[[Body], bool] | None:
    """``$filter`` with ``eq`` or ``startswith`` of one property; anything more is refused by name."""
    asked = request.args.get("$filter")
    if asked is None:
        return None
    match = _FILTER.fullmatch(asked)
    if match is None:
        raise GraphError(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: '{asked}'.")
    name, text, flag, start_name, start = match.group("name", "text", "flag", "start_name", "start")
    if start_name:
        return lambda item: str(item.get(start_name)).startswith(start.replace("''", "'"))
    wanted = flag == "true" if flag else text.replace("''", "'")
    return lambda item: bool(item.get(name) == wanted)


def _eventual() -> bool:
    return request.headers.get("ConsistencyLevel", "").lower() == "eventual"


def _context(name: str) -> str:
    return f"{request.host_url}{request.path.split('/')[1]}/$metadata#{name}"


def _not_found(key: str) -> GraphError:
    message = f"Resource '{key}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", message)


@graph.before_request
def _check_token() -> None:
    g.request_id = new_guid()
    authorization_uri = f"{world().urls['login']}/common/oauth2/authorize"
    challenge = f'Bearer realm="", authorization_uri="{authorization_uri}", client_id="{GRAPH.app_id}"'
    try:
        g.claims = bearer.claims_for(GRAPH.audiences())
    except bearer.NoTokenError:
        message = "Access token is empty."
        raise GraphError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge}) from None
    except RejectedTokenError as rejected:
        if rejected.challenge:
            claims = base64.b64encode(dump(rejected.challenge).encode()).decode()
            challenge += f', error="insufficient_claims", claims="{claims}"'
        message = _REJECTED[rejected.fault]
        raise GraphError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge}) from None


@graph.errorhandler(GraphError)
def _refuse(error: GraphError) -> Response:
    inner = {
        "date": f"{world().clock.utc():%Y-%m-%dT%H:%M:%S}",
        "request-id": g.request_id,
        "client-request-id": request.headers.get("client-request-id", g.request_id),
    }
    body = {"error": {"code": error.code, "message": str(error), "innerError": inner}}
    return Response(dump(body), error.status, error.headers, content_type="application/json")


@graph.after_request
def _finish(response: Response) -> Response:
    response.headers["request-id"] = g.request_id
    response.headers["client-request-id"] = request.headers.get("client-request-id", g.request_id)
    return response
