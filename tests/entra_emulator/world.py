# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One emulator's whole state, handed to every part."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from flask import current_app

from . import seed
from .arc_keys import ArcKeys
from .device_codes import DeviceCodes
from .directory import Directory
from .errors import Circumstances
from .faults import FaultList
from .federation import Federation
from .files import Files
from .log import RequestLog
from .operations import Operation, Operations
from .overlay import Overlay
from .settings import Clock, Settings
from .tokens import Issuer

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask

    from .settings import OperationResult

_EXTENSION: t.Final = "entra_emulator"


class World:
    """Settings, clock, all that is held, issued or going on, the log, and the addresses of the listeners."""

    def __init__(self, settings: Settings) -> None:
        self._initial = settings
        self.settings = settings
        self.clock = Clock(lambda: self.settings)
        self.directory = Directory(self.clock)
        self.issuer = Issuer(self.clock, lambda: self.settings.token_server_lifetime)
        self.federation = Federation(self.clock)
        self.device_codes = DeviceCodes(self.clock)
        self.arc_keys = ArcKeys()
        self.files = Files()
        self.operations = Operations()
        self.resources = Overlay()  # of ARM
        self._objects: defaultdict[tuple[str, str], Overlay] = defaultdict(Overlay)  # of Graph, by tenant and kind
        self.members: dict[str, list[str]] = {}  # object ids by the group they are in
        self.faults = FaultList()
        self.log = RequestLog()
        self.urls: dict[str, str] = {}
        seed.plant(self.directory, self.clock.now())

    def reset(self) -> None:
        """Back to the state at start."""
        self.settings = self._initial
        self.issuer.forget()
        self.federation.forget()
        self.device_codes.forget()
        self.arc_keys.forget()
        self.files.forget()
        self.operations.forget()
        self.resources.forget()
        self._objects.clear()
        self.members.clear()
        seed.plant(self.directory, self.clock.now())
        self.log.clear()
        # The last of all, because it lets requests go on that were held up.
        self.faults.clear()

    def configure(self, values: Mapping[str, object]) -> Settings:
        """Change settings; :class:`.fields.InputError` for a name or value there is not."""
        self.settings = self.settings.changed(values)
        return self.settings

    def users(self, tenant_id: str) -> Overlay:
        """What clients made of a tenant's users."""
        return self._objects[tenant_id, "users"]

    def groups(self, tenant_id: str) -> Overlay:
        """What clients made of a tenant's groups."""
        return self._objects[tenant_id, "groups"]

    def begin(
        self,
        subject: str,
        on_end: Callable[[OperationResult], None],
        *,
        polls: int | None = None,
        kind: str = "",
        output: dict[str, t.Any] | None = None,
    ) -> Operation:
        """Start an operation as the settings shape it; ``polls`` replaces theirs."""
        settings = self.settings
        started = f"{self.clock.utc():%Y-%m-%dT%H:%M:%SZ}"
        left = settings.operation_polls if polls is None else polls
        operation = Operation(subject, started, left, settings.operation_result, on_end, kind, output)
        return self.operations.start(operation)

    def issuer_url(self, tenant_id: str, version: str) -> str:
        """The ``iss`` of that tenant's tokens (Learn "Access token claims reference")."""
        return f"https://sts.windows.net/{tenant_id}/" if version == "1.0" else f"{self.urls['login']}/{tenant_id}/v2.0"

    def around(self, trace_id: str, client_request_id: str) -> Circumstances:
        """What an error of the token endpoint quotes, as of now."""
        separator = self.settings.error_separator
        return Circumstances(trace_id, client_request_id, self.clock.utc(), self.urls["login"], separator)

    def inhabit(self, app: Flask) -> Flask:
        """Make this world the one :func:`world` finds inside ``app``'s requests."""
        app.extensions[_EXTENSION] = self
        return app


def world() -> World:
    """The world of the request being answered."""
    return t.cast("World", current_app.extensions[_EXTENSION])
