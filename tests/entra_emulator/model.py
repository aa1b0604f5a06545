# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The things a tenant holds: apps with their credentials and roles, subscriptions, refresh tokens."""

from __future__ import annotations

import dataclasses
import hmac
import typing as t

from . import app_credentials, resources
from .fields import InputError, only, take, take_number, take_strings
from .text import new_guid

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .app_credentials import Certificate, FederatedCredential, TrustedSubject
    from .resources import Resource


@dataclasses.dataclass(frozen=True)
class Secret:
    """A client secret; ``expires_on`` in epoch seconds, None for one that never ends."""

    value: str
    expires_on: float | None = None
    key_id: str = dataclasses.field(default_factory=new_guid)

    def matches(self, presented: str) -> bool:
        """Whether ``presented`` is this secret's value, octet for octet."""
        return hmac.compare_digest(self.value.encode(), presented.encode())

    def expired(self, now: float) -> bool:
        """Whether the secret has ended at ``now``."""
        return self.expires_on is not None and self.expires_on <= now

    @classmethod
    def from_json(cls, data: object, now: float) -> Secret:
        """A string, or ``{"value", "expires_in" (seconds, may be negative) or "expires_on" (epoch seconds)}``."""
        if isinstance(data, str):
            return cls(data)
        if not isinstance(data, dict):
            raise InputError(f"a secret is a string or an object, not {data!r}")
        only(data, ("value", "expires_in", "expires_on"))
        ahead = take_number(data, "expires_in")
        return cls(take(data, "value", str, ""), take_number(data, "expires_on") if ahead is None else now + ahead)


@dataclasses.dataclass(frozen=True)
class App:
    """An application and its service principal in one tenant."""

    tenant_id: str
    client_id: str
    name: str = "app"
    secrets: tuple[Secret, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    trusted_subjects: tuple[TrustedSubject, ...] = ()
    federated: tuple[FederatedCredential, ...] = ()
    public: bool = False
    disabled: bool = False
    service_principal: bool = True
    resource_id: str = ""  # in ARM, of a managed identity
    system_assigned: bool = False
    blocked: bool = False  # by a conditional access policy (53003)
    assignment_required: bool = False  # of callers, when this app is the resource (501051)
    roles: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)  # resource name -> app roles
    subscriptions: tuple[str, ...] = ()  # ARM subscriptions where it holds a role assignment
    identifier_uris: tuple[str, ...] = ()
    object_id: str = dataclasses.field(default_factory=new_guid)  # the service principal's

    def as_resource(self) -> Resource:
        """This app seen as an API that others ask tokens for."""
        return resources.Resource(self.client_id, (f"api://{self.client_id}", *self.identifier_uris), self.client_id)

    def as_json(self) -> dict[str, object]:
        """What the control endpoint answers."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, object], tenant_id: str, now: float) -> App:
        """An app as ``POST /apps`` describes it; ``secret`` is one secret or a list of them."""
        only(data, {field.name for field in dataclasses.fields(cls)} - {"secrets"} | {"secret"})
        client_id = take(data, "client_id", str, "") or new_guid()
        return cls(
            tenant_id=tenant_id,
            client_id=client_id,
            name=take(data, "name", str, f"app-{client_id[:8]}"),
            secrets=_secrets(data.get("secret"), now),
            certificates=app_credentials.certificates_from(data),
            trusted_subjects=app_credentials.trusted_subjects_from(data),
            federated=app_credentials.federated_from(data, now),
            resource_id=take(data, "resource_id", str, ""),
            **_flags(data),
            roles=_roles(data),
            subscriptions=take_strings(data, "subscriptions"),
            identifier_uris=take_strings(data, "identifier_uris"),
            object_id=take(data, "object_id", str, "") or new_guid(),
        )


def _flags(data: Mapping[str, object]) -> dict[str, t.Any]:
    defaults = {field.name: field.default for field in dataclasses.fields(App) if isinstance(field.default, bool)}
    return {name: take(data, name, bool, default) for name, default in defaults.items()}


def _secrets(data: object, now: float) -> tuple[Secret, ...]:
    listed = data if isinstance(data, list) else [] if data is None else [data]
    return tuple(Secret.from_json(item, now) for item in listed)


def _roles(data: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Role names by resource, which may be spelled by short name, identifier URI or application id."""
    given = take(data, "roles", dict, {})
    return {resource_name(str(key)): take_strings(given, key) for key in given}


def resource_name(spelling: str) -> str:
    """The table's name for a resource spelled in any way; an unknown spelling stands for an app's own id."""
    known = resources.find_by_name(spelling) or resources.find(spelling)
    return known.name if known else spelling.removeprefix("api://")


@dataclasses.dataclass(frozen=True)
class Subscription:
    """An Azure subscription and the names of its resource groups."""

    id: str
    name: str
    resource_groups: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Tenant:
    """A Microsoft Entra tenant."""

    id: str
    domain: str
    name: str
    subscriptions: tuple[Subscription, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Tenant:
        """A tenant as ``POST /tenants`` describes it."""
        only(data, ("id", "domain", "name", "subscriptions"))
        id_ = take(data, "id", str, "") or new_guid()
        domain = take(data, "domain", str, f"t{id_[:8]}.example")
        listed = take_strings(data, "subscriptions")
        return cls(id_, domain, take(data, "name", str, domain), tuple(Subscription(s, f"sub-{s[:8]}") for s in listed))


@dataclasses.dataclass
class RefreshToken:
    """A refresh token bound to one user and one client (Learn "Refresh tokens"); ``refused_with`` an AADSTS code."""

    value: str
    tenant_id: str
    client_id: str
    user: int
    scopes: tuple[str, ...]
    expires_on: float
    refused_with: int | None = None
