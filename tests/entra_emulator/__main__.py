# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command line: serve until told to stop, or ``exec`` one command against an emulator of its own."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import shlex
import signal
import sys
import tempfile
import threading
import typing as t
from pathlib import Path

from . import environment
from .fields import InputError
from .server import Ports, Running
from .settings import Settings

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_LISTENERS: t.Final = [field.name for field in dataclasses.fields(Ports)]
_STOPPING: t.Final = (signal.SIGTERM, signal.SIGINT)
_FORWARDED: t.Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_AWAITED: t.Final = (*_FORWARDED, signal.SIGCHLD)
_IGNORED_BY_PYTHON: t.Final = (signal.SIGPIPE, signal.SIGXFSZ)


def main(argv: list[str]) -> int:
    """Run as asked; the exit status is 0 after a clean stop, or the command's own for ``exec``."""
    options = _parse(argv)
    try:
        settings = Settings().changed(dict(options.set))
    except InputError as error:
        print(f"entra_emulator: {error}", file=sys.stderr)
        return 2
    ports = Ports(**{name: getattr(options, f"{name}_port") for name in _LISTENERS})
    with _directory(options.workdir) as directory:
        if options.command:
            return _run_command(directory, ports, settings, options.command)
        show = _show_exports if options.exports else _show_ready_line
        return _serve(directory, ports, settings, show, until_stdin_ends=options.exit_with_stdin)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="entra_emulator", description=__doc__)
    parser.add_argument("--workdir", type=Path, help="where ca.pem goes; a temporary directory by default")
    for listener in _LISTENERS:
        parser.add_argument(
            f"--{listener.replace('_', '-')}-port", type=int, default=0, metavar="PORT", help="0: any free port"
        )
    parser.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="a setting, e.g. --set users=5 --set opaque_tokens=true",
    )
    parser.add_argument("--exports", action="store_true", help="print the variables as a shell exports them")
    parser.add_argument("--exit-with-stdin", action="store_true", help="stop when standard input ends")
    commands = parser.add_subparsers()
    execute = commands.add_parser("exec", help="run a command with the environment set, then stop")
    execute.add_argument("command", nargs="+", metavar="-- COMMAND")
    parser.set_defaults(command=[])
    return parser.parse_args(argv)


def _setting(text: str) -> tuple[str, object]:
    """``name=value``; a value that is not JSON is a string."""
    name, _dummy, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


@contextlib.contextmanager
def _directory(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="entra-emulator-") as temporary:
        yield Path(temporary)


def _show_ready_line(ready: Mapping[str, str]) -> None:
    print(json.dumps(ready), flush=True)


def _show_exports(ready: Mapping[str, str]) -> None:
    """Print the variables for a person, who pastes them into another terminal."""
    variables = environment.for_child(ready, os.environ)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    print(
        "# The emulator runs until Ctrl-C. Paste this into another terminal, then run your play there:",
        "# In that terminal only the certificates of the emulator are trusted: pip and ansible-galaxy fail there.",
        *lines,
        sep="\n",
    )
    sys.stdout.flush()


def _serve(
    directory: Path,
    ports: Ports,
    settings: Settings,
    show: Callable[[Mapping[str, str]], None],
    *,
    until_stdin_ends: bool,
) -> int:
    _hold_back(_STOPPING)
    running = Running(directory, ports, settings)
    show(running.ready())
    if until_stdin_ends:
        threading.Thread(target=_stop_at_end_of_stdin, daemon=True).start()
    signal.sigwait(_STOPPING)
    running.stop()
    return 0


def _stop_at_end_of_stdin() -> None:
    # Straight from the descriptor: a buffered reader would still hold its lock when the interpreter ends.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _run_command(directory: Path, ports: Ports, settings: Settings, command: list[str]) -> int:
    own_mask = _hold_back(_AWAITED)
    running = Running(directory, ports, settings)
    variables = {**os.environ, **environment.for_child(running.ready(), os.environ)}
    try:
        child = os.posix_spawnp(command[0], command, variables, setsigmask=own_mask, setsigdef=_IGNORED_BY_PYTHON)
    except OSError as error:
        print(f"entra_emulator: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    status = _status_of(child)
    running.stop()
    return status if status >= 0 else 128 - status


def _status_of(child: int) -> int:
    """Hand on what arrives until the child ends; its exit status, or less than 0 for the signal that ended it."""
    while True:
        number = signal.sigwait(_AWAITED)
        if number != signal.SIGCHLD:
            os.kill(child, number)
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)


def _hold_back(numbers: Iterable[signal.Signals]) -> set[int]:
    """Keep these signals for ``sigwait``, in this thread and those it starts; the mask there was.

    A handler would not do: Python runs it in the main thread, which a signal does not wake when it arrives between
    the last look at what is pending and the system call that waits.
    """
    return signal.pthread_sigmask(signal.SIG_BLOCK, numbers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
