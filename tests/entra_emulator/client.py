# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator as a test sees it: a process to start, arrange, break, look into, and stop.  Standard library only."""

from __future__ import annotations

import dataclasses
import json
import os
import select
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.request
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode

from . import environment

if t.TYPE_CHECKING:
    from types import TracebackType

_START_SECONDS: t.Final = 300.0
_STOP_SECONDS: t.Final = 60.0
_CONTROL_SECONDS: t.Final = 300.0
_STRANGERS: t.Final = ("foreign", "foreign_http", "storage")
_TESTS: t.Final = Path(__file__).resolve().parents[1]

# A proxy in the environment must never see loopback traffic.
_DIRECT: t.Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class EmulatorError(Exception):
    """The emulator did not start, or refused a control request; the message says why."""


@dataclasses.dataclass(frozen=True)
class Urls:
    """The origins, without a final slash."""

    login: str
    api: str
    foreign: str
    foreign_http: str
    storage: str
    control: str
    platform: str
    service_fabric: str


class Emulator:
    """A running emulator; a context manager that stops it.

    ``settings`` are those of :meth:`configure`, in force from the start and after each :meth:`reset`.  The process
    also ends when the one that started it does, however that dies.
    """

    def __init__(
        self,
        *,
        python: str = sys.executable,
        workdir: Path | None = None,
        start_seconds: float = _START_SECONDS,
        **settings: object,
    ) -> None:
        switches = [f"--set={name}={json.dumps(value)}" for name, value in settings.items()]
        place = [] if workdir is None else ["--workdir", str(workdir)]
        command = [python, "-m", "entra_emulator", "--exit-with-stdin", *place, *switches]
        self._errors = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - closed by stop()
        self._complaints = ""
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(_TESTS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # a Ctrl-C meant for the tests must not end it before its clean stop
        )
        try:
            self._ready: dict[str, str] = json.loads(self._ready_line(start_seconds))
        except BaseException:
            self.stop()
            raise
        self.urls = Urls(*(self._ready[field.name] for field in dataclasses.fields(Urls)))
        self.service_fabric_thumbprint = self._ready["service_fabric_thumbprint"]
        self.ca = self._ready["ca"]
        self.tenant_id = self._ready["tenant_id"]
        self.client_id = self._ready["client_id"]
        self.client_secret = self._ready["client_secret"]

    def __enter__(self) -> t.Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def stop(self) -> int:
        """Ask it to end, insist after a while; the exit status (0 after a clean stop).  May be called twice."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        status = self._process.wait()
        self._complaints = self.stderr()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream:
                stream.close()
        return status

    def stderr(self) -> str:
        """What the process complained about so far: empty when all is well."""
        if self._errors.closed:
            return self._complaints
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")

    def environment(self) -> dict[str, str]:
        """The variables that make a child process take this emulator for Microsoft."""
        return environment.for_child(self._ready, {})

    def managed_identity_environment(self, platform: str) -> dict[str, str]:
        """The variables that make a child process believe it runs on that platform, in addition to its own.

        imds, app_service, app_service_2017, azure_ml, service_fabric, arc or cloud_shell.
        """
        return environment.of_platform(self._ready, platform)

    def ci_environment(self, platform: str) -> dict[str, str]:
        """The same for a job of github_actions or azure_pipelines."""
        return environment.of_platform(self._ready, platform)

    def requests(self, *, listener: str = "", path: str = "", method: str = "") -> list[dict[str, t.Any]]:
        """The log of every listener but control in order of arrival; arguments are prefixes, empty ones match all."""
        query = urlencode({"listener": listener, "path": path, "method": method})
        return t.cast("list[dict[str, t.Any]]", self.control("GET", f"/requests?{query}"))

    def token_requests(self) -> list[dict[str, t.Any]]:
        """Everything sent to a token endpoint, in any method."""
        return [entry for entry in self.requests(listener="login") if entry["path"].endswith("/token")]

    def tokens_at_strangers(self) -> list[dict[str, t.Any]]:
        """What went to a host that no token is for, or in the clear, and had an ``Authorization`` header: nothing."""
        asked = [entry for entry in self.requests() if entry["listener"] in _STRANGERS or entry["plain"]]
        return [entry for entry in asked if "authorization" in {name.lower() for name, _value in entry["headers"]}]

    def forget_requests(self) -> None:
        """Empty the log."""
        self.control("DELETE", "/requests")

    def reset(self) -> None:
        """Log, faults, settings and directory back to the state at start."""
        self.control("POST", "/reset")

    def configure(self, **settings: object) -> dict[str, t.Any]:
        """Change settings; all of them as they are now."""
        return self._object("PATCH", "/settings", settings)

    def add_app(self, **app: object) -> dict[str, t.Any]:
        """Add or replace an app; its ids come back."""
        return self._object("POST", "/apps", app)

    def add_tenant(self, **tenant: object) -> dict[str, t.Any]:
        """Add or replace a tenant; its ids come back."""
        return self._object("POST", "/tenants", tenant)

    def add_identity(self, **identity: object) -> dict[str, t.Any]:
        """Add or replace a managed identity of this machine; its ids come back."""
        return self._object("POST", "/identities", identity)

    def forget_identities(self) -> None:
        """Leave this machine without a managed identity."""
        self.control("DELETE", "/identities")

    def add_issuer(self, issuer: str = "") -> str:
        """Another issuer of assertions with a new key; its URL, made up if none is given."""
        return str(self._object("POST", "/issuers", {"issuer": issuer})["issuer"])

    def mint_assertion(self, issuer: str, subject: str, audience: str, **more: object) -> str:
        """An assertion of such an issuer; ``lifetime`` (seconds), ``claims`` to add or replace, ``forged``."""
        named = {"issuer": issuer, "subject": subject, "audience": audience}
        return str(self._object("POST", "/assertions", {**named, **more})["assertion"])

    def device_codes(self) -> list[dict[str, t.Any]]:
        """The sign-ins on another device asked for so far, oldest first."""
        return t.cast("list[dict[str, t.Any]]", self.control("GET", "/device_codes"))

    def decide_device_code(self, user_code: str, action: str = "approve", *, user: int = 1) -> dict[str, t.Any]:
        """What the person does who was given the code: approve, decline or (let it) expire."""
        return self._object("POST", f"/device_codes/{user_code}", {"action": action, "user": user})

    def add_refresh_token(self, client_id: str, **more: object) -> str:
        """A refresh token for that app, as if a user had just signed in."""
        return str(self._object("POST", "/refresh_tokens", {"client_id": client_id, **more})["refresh_token"])

    def issued(self) -> dict[str, list[str]]:
        """All that was issued and nobody else may know: token (access and id), refresh_token, device_code."""
        return t.cast("dict[str, list[str]]", self.control("GET", "/issued"))

    def revoke(self, client_id: str, *, challenge: bool = False) -> None:
        """Void the client's access tokens; ``challenge``: the 401 then asks for claims."""
        self.control("POST", "/revocations", {"client_id": client_id, "challenge": challenge})

    def fault(self, action: str, *, endpoint: str = "token", **options: object) -> dict[str, t.Any]:
        """Let requests go wrong, one by default (``times``)."""
        return self._object("POST", "/faults", {"action": action, "endpoint": endpoint, **options})

    def forget_faults(self) -> None:
        """Remove all faults."""
        self.control("DELETE", "/faults")

    def control(self, method: str, path: str, body: object = None) -> t.Any:
        """One control request and its JSON answer; :class:`EmulatorError` quotes a refusal."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.urls.control + path, data, method=method)  # noqa: S310 - our own address
        try:
            with _DIRECT.open(request, timeout=_CONTROL_SECONDS) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise EmulatorError(f"{method} {path}: {error.read().decode('utf-8', 'replace')}") from None

    def _object(self, method: str, path: str, body: object) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", self.control(method, path, body))

    def _ready_line(self, seconds: float) -> bytes:
        assert self._process.stdout is not None
        ends = time.monotonic() + seconds
        line = b""
        while not line.endswith(b"\n"):
            readable = select.select([self._process.stdout], [], [], max(0, ends - time.monotonic()))[0]
            piece = os.read(self._process.stdout.fileno(), 65536) if readable else b""
            if not piece:
                why = "ended before it was ready" if readable else f"was not ready after {seconds:g} s"
                raise EmulatorError(f"the emulator {why}: {self.stderr() or 'it said nothing'}")
            line += piece
        return line
