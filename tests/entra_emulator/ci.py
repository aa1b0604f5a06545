# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What mints assertions for the jobs of two CI systems.

GitHub Docs "OpenID Connect reference"; Learn, Azure DevOps REST API "Oidctoken - Create".
"""

from __future__ import annotations

import typing as t

from flask import Blueprint, Response, request

from . import jws
from .environment import PLATFORM_SECRET
from .gateway import ENTRY
from .resources import TOKEN_EXCHANGE
from .world import world

ci = Blueprint("ci", __name__)

GITHUB_ISSUER: t.Final = "https://token.actions.githubusercontent.com"
PIPELINES_ISSUER: t.Final = "https://vstoken.dev.azure.com/dddddddd-0000-4000-8000-000000000001"
_Answer = dict[str, t.Any] | tuple[dict[str, t.Any], int] | Response


@ci.get("/github/idtoken")
def github_actions() -> _Answer:
    """GitHub Actions: any audience one asks for."""
    if not _is_the_job():
        return {"message": "The id token request is not authorized"}, 401
    audience = request.args.get("audience") or "https://github.com/contoso"
    value = _mint(GITHUB_ISSUER, world().settings.github_actions_subject, audience)
    return {"count": len(value), "value": value}


@ci.post("/pipelines/oidc")
def azure_pipelines() -> _Answer:
    """Azure Pipelines: who is refused is sent to sign in, unless that is suppressed."""
    if not _is_the_job():
        if request.headers.get("X-TFS-FedAuthRedirect", "").lower() == "suppress":
            return {"message": "TF400813: The user is not authorized to access this resource."}, 401
        return Response(status=302, headers={"Location": f"{world().urls['foreign']}/_signin"})
    missing = [name for name in ("api-version", "serviceConnectionId") if not request.args.get(name)]
    if missing:
        return {"message": f"Required: {', '.join(missing)}"}, 400
    subject = world().settings.azure_pipelines_subject
    return {"oidcToken": _mint(PIPELINES_ISSUER, subject, TOKEN_EXCHANGE.uris[0])}


def _is_the_job() -> bool:
    return request.headers.get("Authorization") == f"Bearer {PLATFORM_SECRET}"


def _mint(issuer: str, subject: str, audience: str) -> str:
    """An assertion, which the log shows too."""
    claims = {"iss": issuer, "sub": subject, "aud": audience}
    minted = world().federation.mint(claims, world().settings.ci_assertion_lifetime)
    read = jws.read(minted)
    request.environ[ENTRY].assertion = {"header": read.header, "claims": read.claims}
    return minted
