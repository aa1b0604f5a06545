# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fresh emulator holds.  All ids are made up and look it."""

from __future__ import annotations

import typing as t

from .model import App, Secret, Subscription, Tenant

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from .directory import Directory

CONTOSO: t.Final = Tenant(
    "11111111-1111-4111-8111-111111111111",
    "contoso.example",
    "Contoso (made up)",
    (
        Subscription("c0000000-0000-4000-8000-000000000001", "contoso-production", ("web", "data", "network")),
        Subscription("c0000000-0000-4000-8000-000000000002", "contoso-test", ("web",)),
        Subscription("c0000000-0000-4000-8000-000000000003", "contoso-locked", ("vault",)),
    ),
)
FABRIKAM: t.Final = Tenant(
    "22222222-2222-4222-8222-222222222222",
    "fabrikam.example",
    "Fabrikam (made up)",
    (Subscription("f0000000-0000-4000-8000-000000000001", "fabrikam-production", ("factory",)),),
)

# One of each character that forms, shells, INI files, YAML, Jinja or JSON give a meaning to.
AWKWARD_SECRET: t.Final = "made-up~s3cret +&=%41#'\"{ }[]<>\\|;:$!?,@/*^`"
_ROLES: t.Final = {"graph": ("User.Read.All", "Organization.Read.All", "Application.Read.All", "Group.Read.All")}

_WRITING: t.Final = (
    *("Directory.ReadWrite.All", "User.ReadWrite.All", "Group.ReadWrite.All", "Application.ReadWrite.All"),
    *("Organization.Read.All", "Files.ReadWrite.All", "Reports.Read.All", "Team.Create"),
)


def app_id(number: int) -> str:
    """The client id of the seed's app of that number."""
    return f"aaaaaaaa-0000-4000-8000-{number:012d}"


READER, NO_ROLES, EXPIRED, PUBLIC, CONFIDENTIAL, DISABLED, NO_SERVICE_PRINCIPAL, FABRIKAM_READER, OPERATOR = map(
    app_id, range(1, 10)
)
SYSTEM_IDENTITY, USER_IDENTITY, CLOUD_SHELL = map(app_id, range(101, 104))


def resource_id(path: str) -> str:
    """The id in ARM of something in the seed's first resource group."""
    return f"/subscriptions/{CONTOSO.subscriptions[0].id}/resourceGroups/web/providers/{path}"


def _object_id(client_id: str) -> str:
    return client_id.replace("aaaaaaaa", "bbbbbbbb")


def _app(client_id: str, name: str, tenant: Tenant = CONTOSO, **more: t.Any) -> App:
    more = {"secrets": (Secret(f"made-up~secret-of-{name}"),), **more}
    return App(tenant.id, client_id, name, object_id=_object_id(client_id), **more)


def plant(directory: Directory, now: float) -> None:
    """Make ``directory`` hold the seed and nothing else; secrets' ends are counted from ``now``."""
    directory.restart((CONTOSO, FABRIKAM), _apps(now))


def _identities(subscriptions: tuple[str, ...]) -> Iterator[App]:
    """The machine's own identity and one that was assigned to it."""
    own = resource_id("Microsoft.Compute/virtualMachines/web-1")
    assigned = resource_id("Microsoft.ManagedIdentity/userAssignedIdentities/deployer")
    granted: dict[str, t.Any] = {"secrets": (), "roles": _ROLES, "subscriptions": subscriptions}
    yield _app(SYSTEM_IDENTITY, "web-1", resource_id=own, system_assigned=True, **granted)
    yield _app(USER_IDENTITY, "deployer", resource_id=assigned, **granted)


def _apps(now: float) -> tuple[App, ...]:
    reader_secret = (Secret(AWKWARD_SECRET, now + 180 * 86400),)
    subscriptions = tuple(subscription.id for subscription in CONTOSO.subscriptions[:2])
    past = (Secret("made-up~secret-of-expired", now - 86400),)
    return (
        _app(READER, "reader", secrets=reader_secret, roles=_ROLES, subscriptions=subscriptions),
        _app(NO_ROLES, "no-roles"),
        _app(EXPIRED, "expired", secrets=past),
        _app(PUBLIC, "public", secrets=(), public=True),
        _app(CONFIDENTIAL, "confidential"),
        _app(DISABLED, "disabled", disabled=True),
        _app(NO_SERVICE_PRINCIPAL, "no-service-principal", service_principal=False),
        *_identities(subscriptions),
        _app(OPERATOR, "operator", roles={"graph": _WRITING}, subscriptions=subscriptions),
        _app(FABRIKAM_READER, "fabrikam-reader", FABRIKAM, roles=_ROLES, subscriptions=(FABRIKAM.subscriptions[0].id,)),
    )
