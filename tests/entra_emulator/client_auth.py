# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tenant, which app, and how the app proves itself: checks 2, 4 and 5 of the token endpoint.

A later proof is one more function in ``_PROOFS``.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from . import client_assertion
from .errors import EntraError
from .text import is_dns_name, is_guid

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from .asked import TokenRequest
    from .model import App, Tenant
    from .world import World

# ``appidacr`` of Learn "Access token claims reference".
NO_PROOF: t.Final = "0"
SECRET_PROOF: t.Final = "1"
ASSERTION_PROOF: t.Final = "2"


@dataclass(frozen=True)
class Caller:
    """A known app in a known tenant; ``proof`` is one of the ``…_PROOF`` constants."""

    tenant: Tenant
    app: App
    proof: str = NO_PROOF


def find_tenant(world: World, name: str) -> Tenant:
    """The tenant of the URL's first segment; an app has no home in the shared endpoints."""
    if name in ("common", "consumers"):
        raise EntraError(9001023)
    if name == "organizations":
        raise EntraError(50059)
    if not (is_guid(name) or is_dns_name(name)):
        raise EntraError(900023, tenant=name)
    tenant = world.directory.find_tenant(name)
    if tenant is None:
        raise EntraError(90002, tenant=name)
    return tenant


def find_app(world: World, asked: TokenRequest, tenant: Tenant) -> App:
    """The app ``client_id`` names, if it may get tokens in ``tenant`` at all."""
    if asked.form.get("client_assertion") and not asked.form.get("client_id"):
        raise EntraError(7000110, client_ids="none")
    client_id = asked.form.require("client_id")
    app = world.directory.find_app(tenant.id, client_id)
    if app is None:
        raise EntraError(700016, client_id=client_id, tenant=tenant.name)
    if app.disabled:
        raise EntraError(7000112, client_id=client_id, name=app.name)
    if not app.service_principal:
        raise EntraError(7000229, client_id=client_id, tenant=tenant.id)
    return app


def prove(world: World, asked: TokenRequest, app: App) -> str:
    """How the app proved itself; a public client must not, a confidential one must."""
    given = [name for name in ("client_secret", "client_assertion") if asked.form.get(name)]
    if app.public:
        if given:
            raise EntraError(700025)
        return NO_PROOF
    proof = next((_PROOFS[name] for name in given if name in _PROOFS), None)
    if proof is None:
        raise EntraError(7000218)
    return proof(world, asked, app)


def _prove_by_secret(world: World, asked: TokenRequest, app: App) -> str:
    if app.resource_id:
        raise EntraError(7000232)
    presented = asked.form.require("client_secret")
    known = [secret for secret in app.secrets if secret.matches(presented)]
    if not known:
        raise EntraError(7000215, client_id=app.client_id)
    if all(secret.expired(world.clock.now()) for secret in known):
        raise EntraError(7000222, client_id=app.client_id)
    return SECRET_PROOF


def _prove_by_assertion(world: World, asked: TokenRequest, app: App) -> str:
    client_assertion.check(world, asked, app)
    return ASSERTION_PROOF


_PROOFS: t.Final[dict[str, Callable[[World, TokenRequest, App], str]]] = {
    "client_secret": _prove_by_secret,
    "client_assertion": _prove_by_assertion,
}
