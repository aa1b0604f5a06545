# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check Graph and ARM make of a request's bearer token (RFC 6750)."""

from __future__ import annotations

import base64
import typing as t

from flask import request

from .gateway import ENTRY
from .text import dump
from .tokens import RejectedTokenError
from .world import world

if t.TYPE_CHECKING:
    from .tokens import Claims


class NoTokenError(Exception):
    """The request carries no bearer token."""


def claims_for(audiences: frozenset[str]) -> Claims:
    """The claims of the request's good token.

    Raises :class:`NoTokenError` or :class:`.tokens.RejectedTokenError`.
    """
    scheme, _dummy, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NoTokenError
    entry = request.environ[ENTRY]
    try:
        claims = world().issuer.check(token.strip(), audiences)
    except RejectedTokenError as rejected:
        entry.claims = rejected.claims or None
        raise
    entry.claims = claims
    return claims


def insufficient_claims(login: str, claims: dict[str, object]) -> dict[str, str]:
    """The header of a 401 that asks for claims (Learn "Claims challenges, claims requests and client capabilities")."""
    encoded = base64.b64encode(dump(claims).encode()).decode()
    return {
        "WWW-Authenticate": f'Bearer realm="", authorization_uri="{login}/common/oauth2/authorize", '
        f'error="insufficient_claims", claims="{encoded}"'
    }


def permissions(claims: Claims) -> frozenset[str]:
    """App roles of an app's token, scopes of a user's."""
    return frozenset(claims.get("roles", ())) | frozenset(str(claims.get("scp", "")).split())
