# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases as hosts of one play: each host has an app of its own, by which its token requests are found."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator

_SECRET: t.Final = "made-up~secret-of-a-case"


class AppHosts:
    """The hosts of a play, for its argument ``hosts``, and what was sent for each of them."""

    def __init__(self, emulator: Emulator) -> None:
        self.variables: dict[str, dict[str, t.Any]] = {}
        self._emulator = emulator

    def add(self, host: str, *, roles: dict[str, list[str]] | None = None, **variables: t.Any) -> None:
        """Add a host with the credentials of a new app, which has ``roles`` by API, and other variables."""
        app = self._emulator.add_app(secret=_SECRET, **({"roles": roles} if roles else {}))
        own = {"app_token_client_id": app["client_id"], "app_token_client_secret": _SECRET}
        self.variables[host] = {**own, **variables}

    def list_forms(self) -> dict[str, list[dict[str, str]]]:
        """Return the forms of the token requests of each host, in order of arrival."""
        forms = [dict(request["form"]) for request in self._emulator.token_requests()]
        ids = {host: variables["app_token_client_id"] for host, variables in self.variables.items()}
        assert {form.get("client_id") for form in forms} <= set(ids.values())
        return {host: [form for form in forms if form["client_id"] == client_id] for host, client_id in ids.items()}

    def list_scopes(self) -> dict[str, list[str]]:
        """Return the scopes of the token requests of each host, in order of arrival."""
        return {host: [form["scope"] for form in forms] for host, forms in self.list_forms().items()}


__all__ = ("AppHosts",)
