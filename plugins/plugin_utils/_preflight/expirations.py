# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the secrets and certificates of an app expire, from its registration in Microsoft Graph.

Source: Learn, "application resource type".

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, printable
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken

Report = dict[str, t.Any]

# The lists of an app's credentials, by the kind of credential in use, and what to call their entries.
CREDENTIAL_LISTS = {
    "client_secret": ("passwordCredentials", "secret"),
    "client_certificate": ("keyCredentials", "certificate"),
}
_SHOWN_CHARACTERS = 60


def build_unread(note: str) -> Report:
    return {"read": False, "note": note, "client_id": None, "expirations": [], "expired": 0}


def explain_unread(failure: EntraAuthError, token: AppToken) -> str:
    status = failure.result.get("status") if isinstance(failure, ApiError) else None
    if status == 403:
        return "the app may not read its own registration; Application.Read.All allows it"
    if status == 404:
        return f"the app is registered in another tenant than {token.as_dict()['tenant_id']}"
    return f"Graph responded with {status} when the app was read" if status else "Graph could not be reached"


def read_expirations(content: t.Any, listed: str, kind: str, client_id: str) -> Report:
    entries = content.get(listed) if isinstance(content, dict) else None
    if not isinstance(entries, list):
        return build_unread(f"the response of Graph has no list {listed}")
    read = (_read_expiration(entry, kind) for entry in entries if isinstance(entry, dict))
    found = [one for one in read if one]
    valid = [one for one in found if one["days_left"] >= 0]
    return {
        "read": True,
        "note": None,
        "client_id": client_id,
        "expirations": sorted(valid, key=lambda one: str(one["expires_at"])),
        "expired": len(found) - len(valid),
    }


def _read_expiration(entry: t.Mapping[str, t.Any], kind: str) -> Report | None:
    """Return when a secret or certificate expires; None if it does not, or not at a time that can be read."""
    try:
        # Graph gives up to seven digits of a second's fraction, more than Python reads.
        moment = datetime.datetime.strptime(f"{str(entry.get('endDateTime'))[:19]}+0000", "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None
    return {
        "kind": kind,
        "name": printable(entry.get("displayName"), _SHOWN_CHARACTERS) or None,
        "key_id": printable(entry.get("keyId"), _SHOWN_CHARACTERS) or None,
        "expires_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "days_left": (moment - datetime.datetime.now(datetime.timezone.utc)).days,
    }


def describe_entry(expiration: Report) -> str:
    """Return the kind and the name of a secret or certificate, in words."""
    name = expiration["name"]
    return f"{expiration['kind']} '{name}'" if name else f"{expiration['kind']} without a name"


def warn_of_expirations(credentials: Report, warn_days: int) -> list[str]:
    return [
        f"The {describe_entry(one)} (key id {one['key_id']}) of the app {credentials['client_id']} expires on "
        f"{one['expires_at'][:10]}, in {one['days_left']} days. To fix it: Create a new one and give it to every user "
        "of this one; remove this one if it is not used."
        for one in credentials["expirations"]
        if one["days_left"] < warn_days
    ]


__all__ = (
    "CREDENTIAL_LISTS",
    "build_unread",
    "describe_entry",
    "explain_unread",
    "read_expirations",
    "warn_of_expirations",
)
