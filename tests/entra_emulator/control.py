# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control endpoint: what tests use to arrange, to break and to look."""

from __future__ import annotations

import dataclasses
import typing as t

from flask import Blueprint, request

from . import fault_actions, seed
from .fields import InputError, only, take
from .model import App, Tenant
from .text import new_guid
from .world import world

control = Blueprint("control", __name__)

Answer = dict[str, t.Any] | list[dict[str, object]]


def _given() -> dict[str, t.Any]:
    data = request.get_json(force=True, silent=True) if request.get_data() else {}
    if not isinstance(data, dict):
        raise InputError("send a JSON object")
    return data


@control.get("/requests")
def requests() -> Answer:
    """The log; ``?listener=``, ``?path=`` and ``?method=`` are prefixes to filter by."""
    args = request.args
    return world().log.entries(
        listener=args.get("listener", ""), path=args.get("path", ""), method=args.get("method", "")
    )


@control.delete("/requests")
def forget_requests() -> Answer:
    """Empty the log."""
    world().log.clear()
    return {}


@control.post("/apps")
def add_app() -> Answer:
    """Add or replace an app."""
    return _add_app(_given())


def _add_app(data: dict[str, t.Any]) -> Answer:
    tenants = world().directory.tenants()
    tenant = world().directory.find_tenant(take(data, "tenant_id", str, tenants[0].id))
    if tenant is None:
        raise InputError("no such tenant_id")
    app = App.from_json(data, tenant.id, world().clock.now())
    world().directory.add_app(app)
    return app.as_json()


@control.post("/tenants")
def add_tenant() -> Answer:
    """Add or replace a tenant."""
    tenant = Tenant.from_json(_given())
    world().directory.add_tenant(tenant)
    return dataclasses.asdict(tenant)


@control.get("/identities")
def identities() -> Answer:
    """The managed identities of this machine."""
    return [identity.as_json() for identity in world().directory.identities()]


@control.post("/identities")
def add_identity() -> Answer:
    """Add or replace a managed identity: an app's fields, with the ``resource_id`` made up if need be."""
    data = _given()
    name = take(data, "name", str, "") or f"identity-{new_guid()[:8]}"
    made_up = seed.resource_id(f"Microsoft.ManagedIdentity/userAssignedIdentities/{name}")
    return _add_app({**data, "name": name, "resource_id": take(data, "resource_id", str, "") or made_up})


@control.delete("/identities")
def forget_identities() -> Answer:
    """Leave this machine without a managed identity."""
    world().directory.forget_identities()
    return {}


@control.post("/issuers")
def add_issuer() -> Answer:
    """Another issuer of assertions with a new key; ``issuer`` is its URL."""
    data = _given()
    only(data, ("issuer",))
    return {"issuer": world().federation.add_issuer(take(data, "issuer", str, ""))}


@control.post("/assertions")
def mint_assertion() -> Answer:
    """An assertion of such an issuer."""
    return {"assertion": world().federation.mint_from_json(_given())}


@control.get("/device_codes")
def device_codes() -> Answer:
    """The sign-ins asked for so far."""
    return world().device_codes.listed()


@control.post("/device_codes/<user_code>")
def decide_device_code(user_code: str) -> Answer:
    """Do what the person does who was given the code."""
    return world().device_codes.decide(user_code, _given())


@control.post("/refresh_tokens")
def add_refresh_token() -> Answer:
    """Mint a refresh token, as if its user had just signed in."""
    record = world().directory.refresh_token_from_json(_given())
    return {"refresh_token": record.value, **dataclasses.asdict(record)}


@control.get("/issued")
def issued() -> Answer:
    """The newest of all that was issued and nobody else may know, by kind."""
    return {
        "token": world().issuer.issued(),
        "refresh_token": world().directory.minted_refresh_tokens(),
        "device_code": [record["device_code"] for record in world().device_codes.listed()],
    }


@control.post("/revocations")
def revoke() -> Answer:
    """Void a client's tokens; ``challenge`` makes the APIs ask for claims."""
    data = _given()
    only(data, ("client_id", "challenge"))
    world().issuer.revoke(take(data, "client_id", str, ""), challenge=take(data, "challenge", bool, False))
    return {}


@control.get("/faults")
def faults() -> Answer:
    """The faults in force with their counters."""
    return world().faults.listed()


@control.post("/faults")
def add_fault() -> Answer:
    """Let requests go wrong."""
    return dataclasses.asdict(world().faults.add(_given(), fault_actions.OPTIONS))


@control.delete("/faults")
def forget_faults() -> Answer:
    """Remove all faults."""
    world().faults.clear()
    return {}


@control.get("/settings")
def settings() -> Answer:
    """The settings in force."""
    return dataclasses.asdict(world().settings)


@control.patch("/settings")
def configure() -> Answer:
    """Change some settings."""
    return dataclasses.asdict(world().configure(_given()))


@control.post("/reset")
def reset() -> Answer:
    """Everything back to the state at start."""
    world().reset()
    return {}


@control.errorhandler(InputError)
def _refuse(error: InputError) -> tuple[Answer, int]:
    return {"error": str(error)}, 400
