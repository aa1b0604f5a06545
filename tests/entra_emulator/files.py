# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files in drives, their upload sessions, and the signatures in the addresses that need no token."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import typing as t
from dataclasses import dataclass, field

from .text import new_guid

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_ZEROS: t.Final = re.compile(r"zeros-(\d+)\.bin")
_BLOCK: t.Final = bytes(65536)
_SEED: t.Final = {
    "readme.txt": b"Nothing in here is real.\n",
    "report.csv": b"Report Date,User\n2026-01-01,User 0001\n",
}


class RangeError(ValueError):
    """A piece of an upload that does not follow the one before."""


@dataclass
class Upload:
    """An upload session; ``total`` is known from the first piece on."""

    name: str
    id: str = field(default_factory=new_guid)
    received: bytearray = field(default_factory=bytearray)
    total: int | None = None


class Files:
    """What drives hold, by name; ``zeros-{bytes}.bin`` is there in every size and held nowhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(32)
        self._held = dict(_SEED)
        self._uploads: dict[str, Upload] = {}

    def forget(self) -> None:
        """Back to what there was at the start."""
        with self._lock:
            self._held = dict(_SEED)
            self._uploads.clear()

    def size(self, name: str) -> int | None:
        """The number of bytes, None if there is no such file."""
        zeros = _ZEROS.fullmatch(name)
        if zeros:
            return int(zeros[1])
        return len(self._held[name]) if name in self._held else None

    def read(self, name: str) -> Iterator[bytes]:
        """The content of a file there is, in pieces."""
        left = 0 if name in self._held else self.size(name) or 0
        if not left:
            yield self._held.get(name, b"")
        while left > 0:
            yield _BLOCK[:left]
            left -= len(_BLOCK)

    def write(self, name: str, content: bytes) -> bool:
        """Hold ``content``; True if there was no such file."""
        with self._lock:
            is_new = name not in self._held
            self._held[name] = content
        return is_new

    def delete(self, name: str) -> None:
        """Hold that file no longer."""
        with self._lock:
            self._held.pop(name, None)

    def begin(self, name: str) -> Upload:
        """A new upload session."""
        upload = Upload(name)
        with self._lock:
            self._uploads[upload.id] = upload
        return upload

    def upload(self, id_: str) -> Upload | None:
        """The session of that id, until it is complete."""
        return self._uploads.get(id_)

    def cancel(self, id_: str) -> None:
        """End a session, the pieces lost."""
        with self._lock:
            self._uploads.pop(id_, None)

    def append(self, upload: Upload, start: int, total: int, piece: bytes) -> bool:
        """Take the next piece; True when the file is complete.  Raises :class:`RangeError`."""
        with self._lock:
            if start != len(upload.received) or upload.total not in (None, total):
                raise RangeError(upload.id)
            upload.total = total
            upload.received += piece
            complete = len(upload.received) >= total
        if complete:
            self.write(upload.name, bytes(upload.received))
            self.cancel(upload.id)
        return complete

    def sign(self, path: str) -> str:
        """What lets anybody use the address ``path`` without a token."""
        return hmac.new(self._key, path.encode(), hashlib.sha256).hexdigest()
