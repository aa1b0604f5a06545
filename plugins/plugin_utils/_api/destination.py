# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file that an answer is written to: whole or not at all, and nobody else's to read before its mode says so.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError

_BLOCK_BYTES = 1024 * 1024


class Destination:
    """``path`` about to be written; a context manager that leaves nothing behind unless ``commit`` was called.

    Raises InputError, before anything is asked for, where nothing can be written there.
    """

    def __init__(self, path: str, mode: int) -> None:
        self.path = path
        self._mode = mode
        directory, name = os.path.split(os.path.abspath(path))
        if os.path.isdir(path):
            raise InputError(f"dest {path} is a directory.", hint="Name a file in it.")
        try:
            # Of mode 0600 and of a name that nobody can foresee.
            descriptor, self._temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
        except OSError as exc:
            problem = exc.strerror
        else:
            self._file = open(descriptor, "wb")  # noqa: SIM115 - closed by __exit__
            return
        raise InputError(f"dest {path} can't be written: {problem}.", hint="Make the directory, or choose another one.")

    def __enter__(self) -> Destination:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._temporary)

    def begin(self) -> None:
        """Forget what was written: the answer starts anew."""
        self._file.seek(0)
        self._file.truncate()

    def write(self, content: bytes) -> None:
        """Append to it."""
        self._file.write(content)

    def write_lines(self, items: t.Iterable[t.Any]) -> None:
        """Append items as JSON Lines: one each, in UTF-8, without blanks."""
        self._file.writelines(
            # Half of a surrogate pair has no UTF-8 form, and goes escaped as it came.
            json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"
            for item in items
        )

    def commit(self, *, check_mode: bool) -> dict[str, t.Any]:
        """Put it in place, but for check mode; the fields that a task returns about it."""
        self._file.flush()
        size, checksum = os.path.getsize(self._temporary), _checksum(self._temporary)
        has_content = os.path.isfile(self.path) and _checksum(self.path) == checksum
        changed = not has_content or os.stat(self.path).st_mode & 0o7777 != self._mode
        if changed and not check_mode:
            os.fsync(self._file.fileno())
            os.chmod(self._temporary, self._mode)
            os.replace(self._temporary, self.path)
        return {"changed": changed, "dest": self.path, "size": size, "checksum": checksum}


def readable_file(path: str) -> str:
    """The path of a file that is about to be sent. Raises InputError for one that can't be read."""
    try:
        open(path, "rb").close()
    except OSError as exc:
        problem = exc.strerror
    else:
        return path
    raise InputError(f"src {path} can't be read: {problem}.", hint="Name a file that Ansible may read.")


def file_mode(mode: t.Any) -> int:
    """A mode as octal text, or as the number that YAML makes of an octal one. Raises InputError for anything else."""
    if isinstance(mode, int) and not isinstance(mode, bool) and 0 <= mode <= 0o7777:
        return mode
    if isinstance(mode, str) and re.fullmatch(r"0?[0-7]{3,4}", mode):
        return int(mode, 8)
    raise InputError("mode is not an octal file mode.", hint="Write it as text, like '0640'.")


def _checksum(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


__all__ = ("Destination", "file_mode", "readable_file")
