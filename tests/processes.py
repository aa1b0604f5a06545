# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other processes for a test: real ones, that say how far they are, and that the test lets go on or kills."""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import signal
import traceback
import typing as t

if t.TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from types import TracebackType

# Nothing is timed by it: it ends a test that hangs.
_PATIENCE_SECONDS: t.Final = 300
_CONTEXT: t.Final = multiprocessing.get_context("fork")


class Channel:
    """One end of the talk between a test and a process of its."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def say(self, words: t.Any) -> None:
        """Tell the other end."""
        self._connection.send(words)

    def hear(self) -> t.Any:
        """What the other end says next."""
        if not self._connection.poll(_PATIENCE_SECONDS):
            raise TimeoutError("the other process said nothing")
        return self._connection.recv()

    def is_silent(self) -> bool:
        """Whether the other end has said nothing yet."""
        return not self._connection.poll(0)


class Forked(Channel):
    """A process that runs ``work`` with its end of the channel; a context manager that leaves none behind."""

    def __init__(self, work: t.Callable[[Channel], None]) -> None:
        ours, theirs = _CONTEXT.Pipe()
        super().__init__(ours)
        self._process = _CONTEXT.Process(target=_run, args=(work, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Forked:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind:
            self.kill()
        self._process.join(_PATIENCE_SECONDS)
        self._connection.close()
        if kind is None:
            assert self._process.exitcode in (0, -signal.SIGKILL), "the process failed; see its traceback"

    def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        self._process.kill()
        self._process.join(_PATIENCE_SECONDS)

    def freeze(self) -> None:
        """Have it hang, as a process does whose disk or terminal is gone."""
        os.kill(self._pid, signal.SIGSTOP)
        os.waitpid(self._pid, os.WUNTRACED)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._pid, signal.SIGCONT)

    @property
    def _pid(self) -> int:
        assert self._process.pid
        return self._process.pid


def first_to_speak(channels: t.Sequence[Forked]) -> Forked:
    """The first of several processes that says something."""
    by_connection = {channel._connection: channel for channel in channels}
    speaking = multiprocessing.connection.wait(by_connection, _PATIENCE_SECONDS)
    if not speaking:
        raise TimeoutError("no process said anything")
    return by_connection[t.cast("Connection", speaking[0])]


def count_open_files() -> int:
    """How many files this process has open."""
    # What earlier tests have left must not be closed between two counts.
    gc.collect()
    return len(list(pathlib.Path("/proc/self/fd").iterdir()))


def _run(work: t.Callable[[Channel], None], connection: Connection) -> None:
    try:
        work(Channel(connection))
    except BaseException:  # noqa: BLE001 - whatever it was, the test hears of it by the exit status
        traceback.print_exc()
        os._exit(1)
