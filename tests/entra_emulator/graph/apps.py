# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applications with the ends of their secrets and certificates, service principals, and the roles these were given."""

from __future__ import annotations

import typing as t
import uuid
from datetime import UTC, datetime

from ..resources import GRAPH
from ..world import world
from .listing import listing, selected, shown
from .service import entity, graph, needs, not_found, tenant

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import App
    from .service import Answer, Body

_GRAPH_ITSELF: t.Final = "bbbbbbbb-0000-4000-8000-00000000ffff"  # the object id of Graph's service principal


@graph.get("/applications")
@needs("Application.Read.All")
def applications() -> Answer:
    """The tenant's apps."""
    return listing(world().directory.apps(tenant().id), "applications", _application)


@graph.get("/applications/<id_>")
@graph.get("/applications(appId='<app_id>')")
@needs("Application.Read.All")
def one_application(id_: str = "", app_id: str = "") -> Answer:
    """An app by its object id or its application id."""
    return entity("applications", shown(_one(id_, app_id, _application), selected()))


@graph.get("/servicePrincipals")
@needs("Application.Read.All")
def service_principals() -> Answer:
    """The service principals of the tenant's apps, and Graph's own."""
    apps = [_service_principal(app) for app in world().directory.apps(tenant().id) if app.service_principal]
    return listing([_graph_itself(), *apps], "servicePrincipals", lambda item: item)


@graph.get("/servicePrincipals/<id_>")
@graph.get("/servicePrincipals(appId='<app_id>')")
@needs("Application.Read.All")
def one_service_principal(id_: str = "", app_id: str = "") -> Answer:
    """A service principal by its object id or its application id."""
    own = app_id == GRAPH.app_id or id_ == _GRAPH_ITSELF
    found = _graph_itself() if own else _one(id_, app_id, _service_principal)
    return entity("servicePrincipals", shown(found, selected()))


@graph.get("/servicePrincipals/<id_>/appRoleAssignments")
@graph.get("/servicePrincipals(appId='<app_id>')/appRoleAssignments")
@needs("Application.Read.All")
def role_assignments(id_: str = "", app_id: str = "") -> Answer:
    """Graph's app roles that were given to a service principal."""
    mine = _one(id_, app_id, _service_principal)
    app = world().directory.find_app(tenant().id, mine["appId"])
    roles = app.roles.get("graph", ()) if app else ()
    return listing(roles, "appRoleAssignments", lambda role: _assignment(mine, role))


def _one(id_: str, app_id: str, body_of: Callable[[App], Body]) -> Body:
    bodies = (body_of(app) for app in world().directory.apps(tenant().id))
    found = next((one for one in bodies if one["id"] == id_ or one["appId"] == app_id.lower()), None)
    if found is None:
        raise not_found(id_ or app_id)
    return found


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


def _service_principal(app: App) -> Body:
    return {
        "id": app.object_id,
        "appId": app.client_id,
        "displayName": app.name,
        "accountEnabled": not app.disabled,
        "appRoleAssignmentRequired": app.assignment_required,
        "servicePrincipalType": "Application",
        "appRoles": [],
    }


def _graph_itself() -> Body:
    every = sorted({role for app in world().directory.apps(tenant().id) for role in app.roles.get("graph", ())})
    roles = [{"id": _role_id(role), "value": role, "isEnabled": True} for role in every]
    named = {"id": _GRAPH_ITSELF, "appId": GRAPH.app_id, "displayName": "Microsoft Graph"}
    return {**named, "accountEnabled": True, "servicePrincipalType": "Application", "appRoles": roles}


def _assignment(principal: Body, role: str) -> Body:
    return {
        "id": f"assignment-{_role_id(role)}",
        "appRoleId": _role_id(role),
        "principalId": principal["id"],
        "principalType": "ServicePrincipal",
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": _GRAPH_ITSELF,
    }


def _role_id(role: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://graph.microsoft.com/{role}"))


def _iso(moment: float | None) -> str | None:
    return None if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
