# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all of Graph has in common: the token it asks for, permissions, error answers and request ids."""

from __future__ import annotations

import functools
import typing as t

from flask import Blueprint, Response, g, request

from .. import bearer, refusals
from ..refusals import REFUSAL
from ..resources import GRAPH
from ..text import dump, new_guid
from ..tokens import RejectedTokenError
from ..world import world

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Tenant
    from ..refusals import Refusal

graph = Blueprint("graph", __name__)

Body = dict[str, t.Any]
Answer = Body | Response | tuple[Body | str, int] | tuple[Body | str, int, dict[str, str]]
NO_CONTENT: t.Final = ("", 204)
WRITING: t.Final = ["POST", "PATCH", "PUT", "DELETE"]
_REJECTED: t.Final = {
    "malformed": "IDX14100: JWT is not well formed, there are no dots (.).",
    "signature": "Access token validation failure. Invalid signature.",
    "audience": "Access token validation failure. Invalid audience.",
    "expired": "Lifetime validation failed, the token is expired.",
    "revoked": "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
    "TokenIssuedBeforeRevocationTimestamp",
}
_REFUSED: t.Final = {
    401: ("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
    403: ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    404: ("Request_ResourceNotFound", "Resource does not exist."),
    429: ("TooManyRequests", "Too many requests from this application."),
}


class GraphError(Exception):
    """An error answer of Graph (Learn "Microsoft Graph error responses and resource types")."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


_View = t.TypeVar("_View", bound="Callable[..., Answer]")


def needs(*any_of: str) -> Callable[[_View], _View]:
    """Let a view be called only with one of these permissions in the token, or one that says more."""
    enough = {*any_of, "Directory.ReadWrite.All"} | {one.replace(".Read.", ".ReadWrite.") for one in any_of}
    if any(".Read." in one for one in any_of):
        enough.add("Directory.Read.All")

    def decorate(view: _View) -> _View:
        @functools.wraps(view)
        def guarded(*args: t.Any, **kwargs: t.Any) -> Answer:
            if not bearer.permissions(g.claims) & enough:
                raise GraphError(403, *_REFUSED[403])
            return view(*args, **kwargs)

        return t.cast("_View", guarded)

    return decorate


def tenant() -> Tenant:
    """The tenant of the request's token."""
    found = world().directory.find_tenant(g.claims["tid"])
    if found is None:
        raise GraphError(401, "InvalidAuthenticationToken", "The token's tenant does not exist.")
    return found


def given() -> Body:
    """The JSON object the request carries."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload. Please ensure it is well-formed.")
    return body


def base() -> str:
    """The address of this version of Graph."""
    return f"{request.host_url}{request.path.split('/')[1]}"


def entity(kind: str, body: Body) -> Body:
    """One object of a kind as OData writes it."""
    return {"@odata.context": f"{base()}/$metadata#{kind}/$entity", **body}


def not_found(key: str) -> GraphError:
    """The refusal for an object there is not."""
    message = f"Resource '{key}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", message)


def eventual() -> bool:
    """Whether the request takes answers that are consistent only eventually."""
    return request.headers.get("ConsistencyLevel", "").lower() == "eventual"


@graph.route("/<path:rest>", methods=["GET", *WRITING])
def anything_else(rest: str) -> Answer:
    """Whatever this piece of Graph does not have."""
    segment = rest.partition("/")[0]
    raise GraphError(404, "Request_ResourceNotFound", f"Resource not found for the segment '{segment}'.")


@graph.before_request
def _check_token() -> None:
    g.request_id = new_guid()
    if REFUSAL in request.environ:
        raise _refusal(request.environ[REFUSAL])
    try:
        g.claims = bearer.claims_for(GRAPH.audiences())
    except bearer.NoTokenError:
        message = "Access token is empty."
        raise GraphError(401, "InvalidAuthenticationToken", message, _challenge()) from None
    except RejectedTokenError as rejected:
        message = _REJECTED[rejected.fault]
        raise GraphError(401, "InvalidAuthenticationToken", message, _challenge(rejected.challenge)) from None


def _refusal(refusal: Refusal) -> GraphError:
    headers = {**(_challenge() if refusal.status == 401 else {}), **refusal.headers}
    return GraphError(refusal.status, *refusals.named(refusal, _REFUSED), headers)


def _challenge(claims: dict[str, object] | None = None) -> dict[str, str]:
    """The header of a 401, with the claims to ask for if there are any."""
    login = world().urls["login"]
    if claims:
        return bearer.insufficient_claims(login, claims)
    uri = f"{login}/common/oauth2/authorize"
    return {"WWW-Authenticate": f'Bearer realm="", authorization_uri="{uri}", client_id="{GRAPH.app_id}"'}


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
