# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which requests go wrong, how often and how: the list ``POST /faults`` fills."""

from __future__ import annotations

import dataclasses
import itertools
import re
import threading
import typing as t

from .fields import InputError, only, take

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_COMMON: t.Final = frozenset({"endpoint", "client_id", "match", "times", "after", "action"})
_PLATFORM_PATHS: t.Final = {
    "imds": "/metadata/",
    "app_service": "/msi/",
    "azure_ml": "/ml/",
    "arc": "/arc/",
    "cloud_shell": "/cloudshell/",
    "github_actions": "/github/",
    "azure_pipelines": "/pipelines/",
}
ENDPOINTS: t.Final = (
    *("any", "login", "api", "storage", "foreign", "foreign_http", "platform", "service_fabric", "batch_item"),
    *("token", "devicecode", "graph", "arm", *_PLATFORM_PATHS),
)
_GRAPH_PATHS: t.Final = ("/v1.0", "/beta")


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a fault is matched against; ``client_id`` from the form, or from the bearer token unchecked."""

    listener: str
    method: str
    path: str
    query: str
    client_id: str

    def endpoints(self) -> set[str]:
        """The short names this request answers to."""
        if self.listener == "batch_item":  # one that is inside of a request, which faults have struck or not already
            return {self.listener}
        names = {"any", self.listener}
        if self.listener == "api":
            names.add("graph" if self.path.startswith(_GRAPH_PATHS) else "arm")
        if self.listener == "login":
            names.add(self.path.rpartition("/")[2])
        if self.listener == "platform":
            names |= {name for name, prefix in _PLATFORM_PATHS.items() if self.path.startswith(prefix)}
        return names


@dataclasses.dataclass
class Fault:
    """One entry of the list.  It skips the first ``after`` requests it matches, then strikes ``times`` (None: ever)."""

    id: int
    action: str
    endpoint: str = "any"
    client_id: str = ""
    match: str = ""  # regular expression searched in "METHOD /path?query"
    times: int | None = 1
    after: int = 0
    options: Mapping[str, object] = dataclasses.field(default_factory=dict)
    seen: int = 0
    hits: int = 0

    def concerns(self, facts: Facts) -> bool:
        """Whether the fault is about such requests, and not used up."""
        names = facts.endpoints()
        by_path = self.endpoint[:1] == "/" and "any" in names and facts.path.startswith(self.endpoint)
        fits = by_path or self.endpoint in names
        same_client = not self.client_id or self.client_id.lower() == facts.client_id.lower()
        return fits and same_client and self._live() and bool(re.search(self.match, _line(facts)))

    def _live(self) -> bool:
        return self.times is None or self.hits < self.times


def _line(facts: Facts) -> str:
    return f"{facts.method} {facts.path}?{facts.query}"


class FaultList:
    """The faults in force, oldest first; the first that strikes is the only one to touch a request."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._numbers = itertools.count(1)
        self._faults: list[Fault] = []

    def add(self, data: Mapping[str, object], options_of: Mapping[str, Mapping[str, type]]) -> Fault:
        """Add what ``data`` describes; ``options_of`` has the options of each action with their types."""
        action = take(data, "action", str, "")
        if action not in options_of:
            raise InputError(f"no fault action {action!r}; known: {', '.join(sorted(options_of))}")
        only(data, _COMMON | set(options_of[action]))
        if data.get("endpoint") == "batch_item" and (action != "status" or "body" in data):
            raise InputError("batch_item takes the action status only, without a body")
        fault = Fault(
            id=next(self._numbers),
            action=action,
            endpoint=_endpoint(take(data, "endpoint", str, "any")),
            client_id=take(data, "client_id", str, ""),
            match=_pattern(take(data, "match", str, "")),
            times=None if "times" in data and data["times"] is None else take(data, "times", int, 1),
            after=take(data, "after", int, 0),
            options=_options(data, options_of[action]),
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def __bool__(self) -> bool:
        return bool(self._faults)

    def strike(self, facts: Facts) -> Fault | None:
        """The fault that touches this request, its counters moved on."""
        with self._lock:
            for fault in self._faults:
                if fault.concerns(facts):
                    fault.seen += 1
                    if fault.seen > fault.after:
                        fault.hits += 1
                        return fault
        return None

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()
            self._lock.notify_all()

    def wait(self, fault: Fault, seconds: float) -> None:
        """Return after so many seconds, or as soon as a fault has been removed."""
        with self._lock:
            self._lock.wait_for(lambda: fault not in self._faults, seconds)

    def listed(self) -> list[dict[str, object]]:
        """All faults with their counters as JSON members."""
        with self._lock:
            return [dataclasses.asdict(fault) for fault in self._faults]


def _options(data: Mapping[str, object], kinds: Mapping[str, type]) -> dict[str, object]:
    """The options given, once their types are checked; an ``interval`` of 5 stays 5 on the wire, not 5.0."""
    given = {name: kind for name, kind in kinds.items() if data.get(name) is not None}
    for name, kind in given.items():
        take(data, name, kind, None)
    return {name: data[name] for name in given}


def _endpoint(name: str) -> str:
    if name not in ENDPOINTS and not name.startswith("/"):
        raise InputError(f"no endpoint {name!r}; known: {', '.join(ENDPOINTS)}, or a path prefix that starts with /")
    return name


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise InputError(f"match is not a regular expression: {error}") from error
    return text
