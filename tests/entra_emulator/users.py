# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Made-up users, computed from their number so that a hundred thousand cost nothing."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .model import Tenant

User = dict[str, t.Any]
SELECTED_BY_DEFAULT: t.Final = (
    "businessPhones,displayName,givenName,jobTitle,mail,mobilePhone,officeLocation,preferredLanguage,surname,"
    "userPrincipalName,id"
)
BLANK: t.Final[User] = {
    "businessPhones": [],
    "displayName": None,
    "givenName": None,
    "jobTitle": None,
    "mail": None,
    "mobilePhone": None,
    "officeLocation": None,
    "preferredLanguage": None,
    "surname": None,
    "userPrincipalName": None,
    "id": None,
    "accountEnabled": True,
    "userType": "Member",
}


def object_id(tenant: Tenant, number: int) -> str:
    """The user's object id: the tenant's first block and the number, so that it can be turned back."""
    return f"{tenant.id[:8]}-0000-4000-8001-{number:012d}"


def principal_name(tenant: Tenant, number: int) -> str:
    """``user0001@contoso.example``."""
    return f"user{number:04d}@{tenant.domain}"


def number_of(tenant: Tenant, key: str) -> int | None:
    """The number of the user with that object id or principal name, existing or not; None for any other text."""
    key = key.lower()
    digits = key[-12:] if len(key) == 36 else key.partition("@")[0].removeprefix("user")
    if not digits.isdecimal():
        return None
    number = int(digits)
    return number if key in (object_id(tenant, number), principal_name(tenant, number)) else None


def user(tenant: Tenant, number: int) -> User:
    """The whole user."""
    name = principal_name(tenant, number)
    return {
        **BLANK,
        "businessPhones": [],
        "displayName": f"User {number:04d}",
        "givenName": "User",
        "jobTitle": ("Tester", "Operator", "Auditor")[number % 3],
        "mail": name,
        "preferredLanguage": "en",
        "surname": f"{number:04d}",
        "userPrincipalName": name,
        "id": object_id(tenant, number),
        "accountEnabled": number % 10 != 0,
    }
