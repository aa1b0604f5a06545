# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The login host: token endpoint (v2 and v1), device codes, OpenID metadata, keys, instance discovery.

The order of checks decides which of several mistakes a client is told of, and is the same for every grant.
"""

from __future__ import annotations

import dataclasses
import typing as t
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, request

from . import asked as asking
from . import client_auth, device_codes, errors
from .client_auth import Caller
from .errors import EntraError
from .grants import GRANTS
from .text import dump, new_guid, to_base64url
from .world import world

if t.TYPE_CHECKING:
    from .asked import TokenRequest
    from .grants import Outcome
    from .settings import Settings
    from .tokens import Claims

login = Blueprint("login", __name__)

_ANY_METHOD: t.Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_SHARED: t.Final = ("common", "organizations", "consumers")


@login.route("/<tenant>/oauth2/v2.0/token", methods=_ANY_METHOD)
def token(tenant: str) -> Response:
    """``POST`` a grant, get a token (RFC 6749 section 3.2)."""
    return _token(tenant, legacy=False)


@login.route("/<tenant>/oauth2/token", methods=_ANY_METHOD)
def legacy_token(tenant: str) -> Response:
    """The v1 endpoint: ``resource`` instead of ``scope``, and an answer of strings."""
    return _token(tenant, legacy=True)


def _token(tenant: str, *, legacy: bool) -> Response:
    if request.method != "POST":
        raise EntraError(900561, method=request.method)
    asked = asking.read(request, tenant, world().urls["login"], legacy=legacy)
    return Response(dump(_redeem(asked)), content_type="application/json; charset=utf-8")


def _redeem(asked: TokenRequest) -> dict[str, object]:
    tenant = client_auth.find_tenant(world(), asked.tenant)
    grant_type = asked.form.require("grant_type")
    if grant_type not in GRANTS:
        raise EntraError(70003, grant_type=grant_type)
    app = client_auth.find_app(world(), asked, tenant)
    caller = Caller(tenant, app, client_auth.prove(world(), asked, app))
    requested = asked.requested_claims()
    return _success(asked, GRANTS[grant_type](world(), asked, caller), requested)


def _success(asked: TokenRequest, outcome: Outcome, requested: Claims) -> dict[str, object]:
    """The members of a successful answer."""
    settings = world().settings
    claims = dict(outcome.claims)
    if declares_cp1(requested):
        claims["xms_cc"] = ["cp1"]
        if outcome.target.resource.name == "graph":
            settings = dataclasses.replace(settings, token_lifetime=settings.capable_token_lifetime)
    lifetimes = _lifetimes(settings, as_strings=asked.legacy)
    opaque = settings.opaque_tokens
    access_token = world().issuer.issue(claims, settings.token_lifetime, opaque=opaque, requested=requested)
    answer = {"token_type": "Bearer", **outcome.extra, **lifetimes, "access_token": access_token}
    if asked.legacy:
        now = world().clock.now()
        answer |= {"not_before": str(int(now)), "resource": outcome.target.audience}
        answer |= {"expires_on": str(int(now + settings.token_lifetime))}
    if asked.form.get("client_info") and outcome.claims["idtyp"] == "user":
        account = {"uid": outcome.claims["oid"], "utid": outcome.claims["tid"]}
        answer["client_info"] = to_base64url(dump(account).encode())
    return answer


def declares_cp1(requested: Claims) -> bool:
    """Whether the client says that it can answer a claims challenge (Learn "Continuous access evaluation")."""
    asked = requested.get("access_token")
    declared = asked.get("xms_cc") if isinstance(asked, dict) else None
    values = declared.get("values") if isinstance(declared, dict) else None
    return isinstance(values, list) and any(str(value).lower() == "cp1" for value in values)


def _lifetimes(settings: Settings, *, as_strings: bool) -> dict[str, object]:
    form = "string" if as_strings and settings.expires_in == "int" else settings.expires_in
    shown: dict[str, object] = {}
    if form != "missing":
        seconds = float(settings.token_lifetime) if form == "float" else int(settings.token_lifetime)
        value = str(seconds) if form == "string" else seconds
        shown = {"expires_in": value, "ext_expires_in": value}
    if settings.refresh_in is not None:
        shown["refresh_in"] = settings.refresh_in
    return shown


@login.post("/<tenant>/oauth2/v2.0/devicecode")
def device_code(tenant: str) -> dict[str, object]:
    """Begin a sign-in on another device (RFC 8628 section 3.1); Entra finds out at the end whether the app may."""
    asked = asking.read(request, tenant, world().urls["login"], legacy=False)
    app = client_auth.find_app(world(), asked, client_auth.find_tenant(world(), tenant))
    return device_codes.begin(world(), asked, app)


@login.route("/<tenant>/v2.0/.well-known/openid-configuration")
def metadata(tenant: str) -> dict[str, object]:
    """OpenID Connect discovery, every endpoint of it this emulator's own."""
    base = world().urls["login"]
    if tenant not in _SHARED:
        client_auth.find_tenant(world(), tenant)
    found = world().directory.find_tenant(tenant)
    return {
        "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
        "device_authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/devicecode",
        "issuer": f"{base}/{found.id if found else '{tenantid}'}/v2.0",
        "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
    }


@login.route("/<tenant>/discovery/v2.0/keys")
def keys(tenant: str) -> dict[str, object]:
    """The public keys tokens are signed with (RFC 7517), the same for every tenant."""
    if tenant not in _SHARED:
        client_auth.find_tenant(world(), tenant)
    return world().issuer.jwks()


@login.route("/common/discovery/instance")
def instance() -> dict[str, object]:
    """Instance discovery: this emulator's host is the only one of its cloud; any other host is 50049."""
    own = urlsplit(world().urls["login"]).netloc
    authority = urlsplit(request.args.get("authorization_endpoint", ""))
    # Only the name is compared: MSAL leaves the port out of what it asks.
    if authority.hostname != urlsplit(f"//{own}").hostname:
        raise EntraError(50049)
    tenant = authority.path.strip("/").partition("/")[0] or "common"
    return {
        "tenant_discovery_endpoint": f"https://{own}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": own, "preferred_cache": own, "aliases": [own]}],
    }


@login.before_request
def _begin() -> None:
    g.trace_id = new_guid()


@login.errorhandler(EntraError)
def _refuse(refused: EntraError) -> Response:
    answer = errors.response(refused, world().around(g.trace_id, request.headers.get("client-request-id", "")))
    if refused.code == 900561:
        answer.headers["Allow"] = "POST"
    return answer


@login.after_request
def _finish(response: Response) -> Response:
    """Headers every answer has (Learn "OAuth 2.0 client credentials flow"; RFC 6749 section 5.1)."""
    response.headers.update({"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})
    response.headers["x-ms-request-id"] = g.trace_id
    if request.headers.get("return-client-request-id", "").lower() == "true":
        response.headers["client-request-id"] = request.headers.get("client-request-id", "")
    return response
