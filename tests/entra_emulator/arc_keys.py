# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The key files of Azure Arc's agent, where clients insist on finding them; written when a test asks, as root.

Learn "Authenticate against Azure resources with Azure Arc-enabled servers".
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from .settings import ArcKeyFile

DIRECTORY: t.Final = Path("/var/opt/azcmagent/tokens")
_OUTSIDE: t.Final = Path("/var/opt/azcmagent")
_TOO_MANY_BYTES: t.Final = 4097


class ArcKeys:
    """One file per challenge, good for one answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, list[Path]] = {}

    def challenge(self, kind: ArcKeyFile) -> Path:
        """A new key's file; written but for "missing"."""
        key = secrets.token_urlsafe(48)
        directory = _OUTSIDE if kind == "outside" else DIRECTORY
        path = directory / f"{secrets.token_hex(16)}{'.txt' if kind == 'wrong_extension' else '.key'}"
        if kind != "missing":
            with self._lock:
                self._open[key] = self._write(path, key, kind)
        return path

    def answered(self, key: str) -> bool:
        """Whether ``key`` is the content of a file nobody has used yet."""
        with self._lock:
            files = self._open.pop(key.strip(), None)
        _remove(files or [])
        return files is not None

    def forget(self) -> None:
        """Remove every file that is left."""
        with self._lock:
            left = [path for files in self._open.values() for path in files]
            self._open.clear()
        _remove(left)

    @staticmethod
    def _write(path: Path, key: str, kind: ArcKeyFile) -> list[Path]:
        path.parent.mkdir(parents=True, exist_ok=True)
        real = path.with_name(f"{path.stem}-target.key") if kind == "symlink" else path
        real.write_text(key.ljust(_TOO_MANY_BYTES) if kind == "too_big" else key)
        real.chmod(0o440)
        if kind == "symlink":
            path.symlink_to(real)
        return [real] if real == path else [path, real]


def _remove(files: list[Path]) -> None:
    """Remove files and the directories they leave empty."""
    for path in files:
        path.unlink(missing_ok=True)
        for directory in (DIRECTORY, _OUTSIDE):
            with contextlib.suppress(OSError):
                directory.rmdir()
