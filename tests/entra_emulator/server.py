# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listeners, their certificates, and their life from start to stop."""

from __future__ import annotations

import dataclasses
import ssl
import threading
import typing as t

import trustme
from flask import Flask, Response, request

from . import seed
from .arm import arm
from .certificates import SelfSigned
from .ci import ci
from .control import control
from .gateway import Gateway
from .graph import graph
from .login import login
from .managed_identity import managed_identity, service_fabric
from .storage import storage
from .text import dump
from .wire import Server
from .world import World

if t.TYPE_CHECKING:
    from pathlib import Path

    from flask.json.provider import DefaultJSONProvider

    from .settings import Settings

_HOSTS: t.Final = ("localhost", "127.0.0.1", "::1")
_STRANGERS: t.Final = ("foreign", "foreign_http", "storage")
_STOP_POLL_SECONDS: t.Final = 0.05


@dataclasses.dataclass(frozen=True)
class Ports:
    """Where to listen; 0 lets the system choose."""

    login: int = 0
    api: int = 0
    foreign: int = 0
    foreign_http: int = 0
    storage: int = 0
    control: int = 0
    platform: int = 0
    service_fabric: int = 0


class Running:
    """Listeners on loopback, serving from construction until :meth:`stop`."""

    def __init__(self, directory: Path, ports: Ports, settings: Settings) -> None:
        self.world = World(settings)
        self.ca = directory / "ca.pem"
        self._fabric = SelfSigned("localhost", directory)
        self._servers = self._listen(ports, _certificate(self.ca))
        self.world.urls.update({name: _url(name, server) for name, server in self._servers.items()})
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, args=(_STOP_POLL_SECONDS,), daemon=True).start()

    def _listen(self, ports: Ports, tls: ssl.SSLContext) -> dict[str, Server]:
        applications: dict[str, tuple[Flask, ssl.SSLContext | None]] = {
            "login": (_login(), tls),
            "api": (_api(), tls),
            "foreign": (_foreign(), tls),
            "foreign_http": (_foreign(), None),
            "storage": (_storage(), tls),
            "platform": (_platform(), None),
            "service_fabric": (_service_fabric(), self._fabric.context),
        }
        servers = {
            name: Server(getattr(ports, name), Gateway(self.world, name, self.world.inhabit(app)), context)
            for name, (app, context) in applications.items()
        }
        return {**servers, "control": Server(ports.control, self.world.inhabit(_control()))}

    def ready(self) -> dict[str, str]:
        """All a client needs to know, as the ready line says it."""
        reader = {"client_id": seed.READER, "client_secret": seed.AWKWARD_SECRET}
        more = {"ca": str(self.ca), "service_fabric_thumbprint": self._fabric.thumbprint}
        return {**self.world.urls, **more, "tenant_id": seed.CONTOSO.id, **reader}

    def stop(self) -> None:
        """Stop accepting; requests still being answered end with the process."""
        for server in self._servers.values():
            server.shutdown()
        self.world.arc_keys.forget()


def _url(listener: str, server: Server) -> str:
    """``localhost`` for what a client trusts over TLS; a stranger is another host, not only another port."""
    scheme = "https" if server.ssl_context else "http"
    trusted = server.ssl_context and listener not in _STRANGERS
    return f"{scheme}://{'localhost' if trusted else '127.0.0.1'}:{server.port}"


def _certificate(ca_file: Path) -> ssl.SSLContext:
    """A server context from a CA made for this run; the CA's certificate goes to ``ca_file``, its key nowhere."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*_HOSTS).configure_cert(context)
    return context


def _flask(name: str) -> Flask:
    app = Flask(name, static_folder=None)
    t.cast("DefaultJSONProvider", app.json).sort_keys = False
    app.url_map.merge_slashes = False  # the services do not redirect a doubled slash
    return app


def _login() -> Flask:
    app = _flask("login")
    app.register_blueprint(login)
    return app


def _api() -> Flask:
    app = _flask("api")
    app.register_blueprint(graph, name="graph_v1", url_prefix="/v1.0")
    app.register_blueprint(graph, name="graph_beta", url_prefix="/beta")
    app.register_blueprint(arm)
    return app


def _foreign() -> Flask:
    """A stranger's host: answers whatever comes, so that only its log tells what it was sent."""
    app = _flask("foreign")
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]

    @app.route("/", defaults={"path": ""}, methods=methods)
    @app.route("/<path:path>", methods=methods)
    def anything(path: str) -> Response:
        body = {"foreign": True, "method": request.method, "path": f"/{path}", "value": []}
        return Response(dump(body), content_type="application/json")

    return app


def _storage() -> Flask:
    app = _flask("storage")
    app.register_blueprint(storage)
    return app


def _platform() -> Flask:
    app = _flask("platform")
    app.register_blueprint(managed_identity)
    app.register_blueprint(ci)
    return app


def _service_fabric() -> Flask:
    app = _flask("service_fabric")
    app.register_blueprint(service_fabric)
    return app


def _control() -> Flask:
    app = _flask("control")
    app.register_blueprint(control)
    return app
