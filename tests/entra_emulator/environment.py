# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment in which a child process takes an emulator for Microsoft.  Standard library only."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_READY_LINE_MEMBERS: t.Final = {
    "ENTRA_AUTH_TENANT_ID": "tenant_id",
    "ENTRA_AUTH_CLIENT_ID": "client_id",
    "ENTRA_AUTH_CLIENT_SECRET": "client_secret",
    "ENTRA_AUTH_AUTHORITY": "login",
    "ENTRA_AUTH_API_BASE_URL": "api",
    "REQUESTS_CA_BUNDLE": "ca",
    "SSL_CERT_FILE": "ca",
    "ENTRA_EMULATOR_CONTROL": "control",
    "ENTRA_EMULATOR_FOREIGN": "foreign",
}


def for_child(ready: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The variables to add to ``own`` for the emulator that printed ``ready``; no proxy may see loopback traffic."""
    no_proxy = own.get("NO_PROXY") or own.get("no_proxy") or ""
    direct = ",".join(filter(None, (no_proxy, "localhost", "127.0.0.1")))
    variables = {name: ready[member] for name, member in _READY_LINE_MEMBERS.items()}
    return {**variables, "NO_PROXY": direct, "no_proxy": direct}
