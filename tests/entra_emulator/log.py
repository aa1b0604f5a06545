# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log of every request on all listeners but control: what tests assert the wire with."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
import typing as t
from collections import deque

_KEPT: t.Final = 50_000  # requests; older ones fall out so that a benchmark cannot eat the machine

Pairs = list[tuple[str, str]]


@dataclasses.dataclass
class Entry:
    """One request; ``status`` is None while it is being answered and for a connection dropped without an answer."""

    id: int
    time: float  # epoch seconds of the machine's clock
    listener: str
    method: str
    path: str
    query: str
    headers: Pairs
    form: Pairs = dataclasses.field(default_factory=list)
    body: str = ""
    length: int = 0  # bytes of the body
    ended: float | None = None  # like time; None for an answer that did not come to its end
    plain: bool = False  # sent in the clear to a listener that speaks TLS
    token: str = ""  # digest of the bearer token
    batch: list[dict[str, t.Any]] | None = None  # the items of a $batch with the status of each
    status: int | None = None
    fault: str | None = None  # the action of the fault that touched it
    claims: dict[str, t.Any] | None = None  # of the verified bearer token
    requested_claims: dict[str, t.Any] | None = None  # what the form field claims holds
    assertion: dict[str, t.Any] | None = None  # header and claims of a verified client assertion, or a minted one
    connection: str = ""  # the client's address and port: same value, same kept-alive connection

    def end(self) -> None:
        """The last of the answer has left."""
        self.ended = time.time()


class RequestLog:
    """Entries in order of arrival."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._entries: deque[Entry] = deque(maxlen=_KEPT)

    def start(self, **facts: t.Any) -> Entry:
        """Record a request's arrival; the caller completes the entry."""
        with self._lock:
            entry = Entry(id=next(self._numbers), time=time.time(), **facts)
            self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget all entries; numbering goes on."""
        with self._lock:
            self._entries.clear()

    def entries(self, *, listener: str = "", path: str = "", method: str = "") -> list[dict[str, object]]:
        """Entries as JSON members; ``path`` is a prefix, empty arguments match everything."""
        with self._lock:
            kept = list(self._entries)
        return [
            dataclasses.asdict(entry)
            for entry in kept
            if entry.listener.startswith(listener)
            and entry.path.startswith(path)
            and entry.method.startswith(method.upper())
        ]
