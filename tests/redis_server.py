# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Redis server on loopback, with a password and nothing on the disk."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
import typing as t

import redis

if t.TYPE_CHECKING:
    from pathlib import Path

# Characters that a URL has to escape, so that a leak is looked for in both forms.
PASSWORD: t.Final = "made-up~redis/p4ss:word"
_ESCAPED: t.Final = "made-up~redis%2Fp4ss%3Aword"
_START_SECONDS: t.Final = 30
_STOP_SECONDS: t.Final = 10


class RedisServer:
    """A running server; a context manager that stops it. It leaves nothing in ``directory``, where it runs."""

    def __init__(self, directory: Path) -> None:
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed; on Debian and Ubuntu: apt-get install redis-server"
        self.port = _free_port()
        self.url = f"redis://:{_ESCAPED}@127.0.0.1:{self.port}/0"
        # By stdin, because anybody may read the arguments of a process.
        lines = [
            *("bind 127.0.0.1", f"port {self.port}", f'requirepass "{PASSWORD}"', f"dir {directory}"),
            *('save ""', "appendonly no", "logfile /dev/null"),
        ]
        self._process = subprocess.Popen([program, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert self._process.stdin
        self._process.stdin.write("\n".join(lines).encode())
        self._process.stdin.close()
        self.client = redis.Redis.from_url(self.url)
        self._wait_until_ready()

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.stop()

    def url_with(self, password: str) -> str:
        """The URL with another password."""
        return self.url.replace(_ESCAPED, password)

    def contents(self) -> dict[str, bytes]:
        """Every key with its value."""
        keys = list(self.client.scan_iter())
        return {key.decode(): t.cast("bytes", self.client.get(key)) for key in keys}

    def clear(self) -> None:
        """Remove every key."""
        self.client.flushall()

    def stop(self) -> None:
        """End it; may be called twice."""
        self.client.close()
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_ready(self) -> None:
        ends = time.monotonic() + _START_SECONDS
        while time.monotonic() < ends:
            assert self._process.poll() is None, "redis-server ended at once"
            with contextlib.suppress(redis.ConnectionError):
                self.client.ping()
                return
            time.sleep(0.02)
        raise TimeoutError("redis-server was not ready in time")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


__all__ = ("PASSWORD", "RedisServer")
