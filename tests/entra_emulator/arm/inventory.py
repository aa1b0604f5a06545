# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources of a subscription: virtual machines computed from their number, and what clients made of them."""

from __future__ import annotations

import typing as t

from ..world import world

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Subscription
    from .service import Body

MACHINES: t.Final = "Microsoft.Compute/virtualMachines"
RUNNING, DEALLOCATED, STOPPED = "PowerState/running", "PowerState/deallocated", "PowerState/stopped"
Item = int | dict[str, t.Any]  # a seeded machine by its number in the subscription, or a resource


def everything(home: Subscription) -> Sequence[Item]:
    """All resources of ``home``: its machines, then what was created."""
    total = len(home.resource_groups) * world().settings.resources
    gone = world().resources.deleted()
    places: Sequence[int] = range(total)
    if gone:
        places = [place for place in places if _id_at(home, place).lower() not in gone]
    created = [one for one in world().resources.created() if one["id"].split("/")[2] == home.id]
    return [*places, *created] if created else places


def whole(home: Subscription, item: Item) -> Body:
    """One of :func:`everything`, made only when it is looked at, so that a long listing costs no memory."""
    return item if not isinstance(item, int) else t.cast("Body", find(_id_at(home, item), home))


def machines(home: Subscription, group: str = "") -> list[Body]:
    """The virtual machines of ``home``, or of one of its groups."""
    inside = f"/resourcegroups/{group}/".lower() if group else ""
    resources = (whole(home, item) for item in everything(home))
    return [one for one in resources if one["type"] == MACHINES and inside in one["id"].lower()]


def find(id_: str, home: Subscription) -> Body | None:
    """The resource of that id, in any letter case."""
    return world().resources.find(id_.lower(), _computed(id_, home))


def summary(resource: Body) -> Body:
    """What a listing of all resources says of one."""
    return {name: resource[name] for name in ("id", "name", "type", "location", "tags") if name in resource}


def public(resource: Body) -> Body:
    """The resource without its instance view, which is shown only when it is asked for."""
    properties = {name: value for name, value in resource["properties"].items() if name != "instanceView"}
    return {**resource, "properties": properties}


def _id_at(home: Subscription, place: int) -> str:
    group, number = divmod(place, world().settings.resources)
    return _machine_id(home, home.resource_groups[group], number + 1)


def _machine_id(home: Subscription, group: str, number: int) -> str:
    """The id of a seeded machine: the group's name and a number."""
    return f"/subscriptions/{home.id}/resourceGroups/{group}/providers/{MACHINES}/{group}-{number}"


def _computed(id_: str, home: Subscription) -> Body | None:
    """The seeded machine of that id, if there is one; each second one is switched off."""
    group, _dummy, digits = id_.rpartition("/")[2].lower().rpartition("-")
    number = int(digits) if digits.isdecimal() else 0
    known = group in home.resource_groups and 1 <= number <= world().settings.resources
    if not known or _machine_id(home, group, number).lower() != id_.lower():
        return None
    properties = {
        "vmId": f"{home.id[:8]}-0000-4000-8003-{number:012d}",
        "hardwareProfile": {"vmSize": "Standard_B2s"},
        "provisioningState": "Succeeded",
        "instanceView": instance_view(RUNNING if number % 2 else DEALLOCATED),
    }
    named = {"id": _machine_id(home, group, number), "name": f"{group}-{number}", "type": MACHINES}
    return {**named, "location": "westeurope", "tags": {"group": group}, "properties": properties}


def instance_view(power: str) -> Body:
    """What a machine says of its power."""
    words = power.replace("PowerState/", "VM ")
    return {
        "statuses": [
            {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"},
            {"code": power, "level": "Info", "displayStatus": words},
        ]
    }
