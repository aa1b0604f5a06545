# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subscriptions, their resource groups, and everything in these."""

from __future__ import annotations

import typing as t

from flask import g

from . import inventory
from .service import ArmError, anything_else, arm, assigned, listing, reachable, tenant

if t.TYPE_CHECKING:
    from ..model import Subscription
    from .service import Answer, Body


@arm.get("/subscriptions")
def subscriptions() -> Answer:
    """The subscriptions where the caller has a role assignment: maybe none."""
    g.bucket = "tenant"
    mine = assigned()
    return listing([one for one in tenant().subscriptions if one.id in mine], _subscription)


@arm.get("/subscriptions/<subscription_id>")
def subscription(subscription_id: str) -> Answer:
    """One subscription."""
    return _subscription(reachable(subscription_id, "Microsoft.Resources/subscriptions/read"))


@arm.get("/subscriptions/<subscription_id>/<kind>")
def of_subscription(subscription_id: str, kind: str) -> Answer:
    """All resource groups or all resources of a subscription; ARM ignores the case of path segments."""
    if kind.lower() == "resourcegroups":
        found = reachable(subscription_id, "Microsoft.Resources/subscriptions/resourceGroups/read")
        return listing(found.resource_groups, lambda name: _group(found, name))
    if kind.lower() == "resources":
        found = reachable(subscription_id, "Microsoft.Resources/subscriptions/resources/read")
        return listing(inventory.everything(found), lambda item: inventory.summary(inventory.whole(found, item)))
    return anything_else(kind)


@arm.get("/subscriptions/<subscription_id>/<kind>/<group>")
def of_group(subscription_id: str, kind: str, group: str) -> Answer:
    """One resource group."""
    if kind.lower() != "resourcegroups":
        return anything_else(kind)
    found = reachable(subscription_id, "Microsoft.Resources/subscriptions/resourceGroups/read")
    if group not in found.resource_groups:
        raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
    return _group(found, group)


def _subscription(one: Subscription) -> Body:
    return {
        "id": f"/subscriptions/{one.id}",
        "subscriptionId": one.id,
        "tenantId": tenant().id,
        "displayName": one.name,
        "state": "Enabled",
    }


def _group(home: Subscription, name: str) -> Body:
    return {
        "id": f"/subscriptions/{home.id}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded"},
    }
