# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of the control node: the one a response is written to, and the one a request is sent from.

A destination is replaced when all of it is there, or not at all. Until then its content is in a file without a name, so
that nothing is left behind, even if the process is killed. Only its owner can read it before it gets its mode. Its
directory is held open, so that another user who replaces the directory by a link does not decide where it is written.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import stat
import tempfile
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.module_utils._http.body import iterate_body

if t.TYPE_CHECKING:  # pragma: no cover
    import requests

_BLOCK_BYTES = 1024 * 1024
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# A compressed response may not grow to more than both: text and CSV reach some 30 times their size, a bomb 1,000 times.
_MAX_UNPACKED_BYTES = 128 * 1024 * 1024
_MAX_UNPACKED_RATIO = 100
# A directory that may be written to, but not read, can be opened as a place only.
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
# Room for a suffix in the 255 bytes that a file's name may have.
_LONGEST_NAME = 50


class Destination:
    """The file at ``path``, to be replaced by ``commit``; a context manager.

    Raises InputError, before any request, if nothing can be written there.
    """

    def __init__(self, path: str, mode: int) -> None:
        self.path = path
        self._mode = mode
        directory, self._name = os.path.split(os.path.abspath(path))
        if os.path.isdir(path):
            raise InputError(f"dest {path} is a directory.", hint="Name a file in it.")
        try:
            self._directory = os.open(directory, _DIRECTORY)
            self._file = _open_nameless(self._directory, directory)
        except OSError as exc:
            problem = exc
        else:
            return
        message, hint = self._describe(problem, "Create the directory, or choose another one.")
        raise InputError(message, hint=hint)

    def __enter__(self) -> Destination:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        # Closing writes what is still buffered, which fails on a full disk once more.
        with contextlib.suppress(OSError):
            self._file.close()
        os.close(self._directory)

    def begin(self) -> None:
        """Discard what was written, because the response is sent again."""
        with self._explain_errors():
            self._file.seek(0)
            self._file.truncate()

    def write(self, content: bytes) -> None:
        """Append content. Raises EntraAuthError if the disk is full."""
        with self._explain_errors():
            self._file.write(content)

    def write_response(self, response: requests.Response) -> None:
        """Write the body of a response as it arrives. Raises EntraAuthError."""
        self.begin()
        written = 0
        is_packed = bool(response.headers.get("Content-Encoding"))
        for chunk in iterate_body(response):
            written += len(chunk)
            if is_packed and written > max(_MAX_UNPACKED_BYTES, _MAX_UNPACKED_RATIO * response.raw.tell()):
                raise EntraAuthError(
                    f"The compressed response for dest {self.path} unpacks to more than {_MAX_UNPACKED_RATIO} times "
                    "its size, so it was not written.",
                    hint="Check url. If that size is right, set the header Accept-Encoding to identity in headers.",
                )
            self.write(chunk)

    def write_lines(self, items: t.Iterable[t.Any]) -> None:
        """Append items as JSON Lines: one each, in UTF-8, without blanks."""
        with self._explain_errors():
            self._file.writelines(
                # Half of a surrogate pair has no UTF-8 form, and is written escaped as it came.
                json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"
                for item in items
            )

    def commit(self, *, check_mode: bool) -> dict[str, t.Any]:
        """Replace the file unless in check mode. Returns the fields of the result: changed, dest, size, checksum."""
        with self._explain_errors():
            self._file.flush()
            size, checksum = os.fstat(self._file.fileno()).st_size, _compute_checksum(self._file)
            changed = not self._is_written(size, checksum)
            if changed and not check_mode:
                with _delay_signals():
                    self._replace()
        return {"changed": changed, "dest": self.path, "size": size, "checksum": checksum}

    def _is_written(self, size: int, checksum: str) -> bool:
        """Return whether the file has this content and its mode. Not for anything that is not a regular file."""
        with contextlib.suppress(OSError):
            # O_NONBLOCK: opening a pipe would wait for a writer.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with open(os.open(self._name, flags, dir_fd=self._directory), "rb") as file:
                found = os.fstat(file.fileno())
                is_alike = stat.S_ISREG(found.st_mode) and found.st_size == size
                return is_alike and found.st_mode & 0o7777 == self._mode and _compute_checksum(file) == checksum
        return False

    def _replace(self) -> None:
        os.fsync(self._file.fileno())
        os.fchmod(self._file.fileno(), self._mode)
        # It exists for the moment of the replacement only.
        temporary = f".{self._name[:_LONGEST_NAME]}.{secrets.token_hex(8)}"
        try:
            self._give_name(temporary)
            os.replace(temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=self._directory)

    def _give_name(self, temporary: str) -> None:
        try:
            _link(self._file.fileno(), temporary, self._directory)
        except (OSError, NotImplementedError):
            self._copy(temporary)

    def _copy(self, temporary: str) -> None:
        """Copy the content to a file with a name, where one without a name can't get one."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(temporary, flags, 0o600, dir_fd=self._directory)
        with open(descriptor, "wb") as copy:
            self._file.seek(0)
            shutil.copyfileobj(self._file, copy, _BLOCK_BYTES)
            copy.flush()
            os.fchmod(copy.fileno(), self._mode)
            os.fsync(copy.fileno())

    @contextlib.contextmanager
    def _explain_errors(self) -> t.Iterator[None]:
        """Turn an error of the disk into one that names dest: others would pass for an error of the network."""
        problem = None
        try:
            yield
        except OSError as exc:
            problem = exc
        if problem:
            message, hint = self._describe(problem, "Check the disk and the directory.")
            raise EntraAuthError(message, hint=hint)

    def _describe(self, problem: OSError, hint: str) -> tuple[str, str]:
        if problem.errno in _NO_SPACE:
            hint = "Make room there, or choose a directory on another disk; the old file is unchanged."
        return f"dest {self.path} can't be written: {problem.strerror or type(problem).__name__}.", hint


def _open_nameless(directory: int, path: str) -> t.BinaryIO:
    """Open a file without a name in a directory, readable by its owner only. Raises OSError."""
    if hasattr(os, "O_TMPFILE"):
        with contextlib.suppress(OSError):
            descriptor = os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=directory)
            return open(descriptor, "w+b")
    # Where the file system has no such files: one whose name is removed at once.
    return t.cast("t.BinaryIO", tempfile.TemporaryFile(dir=path))


@contextlib.contextmanager
def _delay_signals() -> t.Iterator[None]:
    """Delay the signals that end a process, so that it leaves no file with a temporary name."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _link(descriptor: int, name: str, directory: int) -> None:
    """Give an open file without a name a name in a directory (open(2), O_TMPFILE). Raises OSError."""
    descriptors = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.link(str(descriptor), name, src_dir_fd=descriptors, dst_dir_fd=directory, follow_symlinks=True)
    finally:
        os.close(descriptors)


def check_readable(path: str) -> str:
    """Return the path of a file that is about to be sent. Raises InputError if it can't be read."""
    open_source(path).close()
    return path


def open_source(path: str) -> t.BinaryIO:
    """Open a file to send it. Raises InputError, because an OSError would pass for an error of the network."""
    try:
        return open(path, "rb")
    except OSError as exc:
        problem = exc.strerror
    raise InputError(f"src {path} can't be read: {problem}.", hint="Name a file that Ansible may read.")


def parse_file_mode(mode: t.Any) -> int:
    """Parse a mode: octal text, or the number that YAML makes of it. Raises InputError for anything else."""
    if isinstance(mode, int) and not isinstance(mode, bool) and 0 <= mode <= 0o7777:
        return mode
    if isinstance(mode, str) and re.fullmatch(r"0?[0-7]{3,4}", mode):
        return int(mode, 8)
    raise InputError("mode is not an octal file mode.", hint="Write it as text, like '0640'.")


def _compute_checksum(file: t.BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


__all__ = ("Destination", "check_readable", "open_source", "parse_file_mode")
