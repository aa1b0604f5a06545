# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request that a fault strikes, and the healthy application behind it."""

from __future__ import annotations

import typing as t

from flask import Response

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from .faults import Fault
    from .world import World


class Exchange(t.NamedTuple):
    """One request and what is needed to answer it."""

    world: World
    listener: str
    app: WSGIApplication
    environ: WSGIEnvironment
    start_response: StartResponse
    fault: Fault

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the fault is in force."""
        self.world.faults.wait(self.fault, seconds)

    def send(self, response: Response) -> Iterable[bytes]:
        """Answer with ``response``."""
        return response(self.environ, self.start_response)

    def proceed(self) -> Iterable[bytes]:
        """Let the application answer."""
        return self.app(self.environ, self.start_response)

    def healthy(self) -> Response:
        """What the application would have answered."""
        return t.cast("Response", Response.from_app(self.app, self.environ, buffered=True))

    def bearer_token(self) -> str:
        """The token the request carries, empty if none."""
        return str(self.environ.get("HTTP_AUTHORIZATION", "")).partition(" ")[2].strip()


Options = t.Mapping[str, object]
Action = t.Callable[[Options, Exchange], "Iterable[bytes]"]
