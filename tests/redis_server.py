# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real Redis servers on loopback, with a password: plain, with TLS, a cluster and a sentinel."""

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

    import trustme

# Characters that a URL has to escape, so that a leak is looked for in both forms.
PASSWORD: t.Final = "made-up~redis/p4ss:word"
_ESCAPED: t.Final = "made-up~redis%2Fp4ss%3Aword"
_START_SECONDS: t.Final = 300
_STOP_SECONDS: t.Final = 60
_TLS_FILES: t.Final = {"cert-file": "cert.pem", "key-file": "key.pem", "ca-cert-file": "ca.pem"}


class RedisServer:
    """A running server; a context manager that stops it. It leaves nothing in ``directory``, where it runs.

    With a ``ca`` it speaks TLS alone, with a certificate for ``name``. ``settings`` are further lines of its
    configuration.
    """

    def __init__(self, directory: Path, *settings: str, ca: trustme.CA | None = None, name: str = "127.0.0.1") -> None:
        self.port = _find_free_port()
        self.url = f"{'rediss' if ca else 'redis'}://:{_ESCAPED}@127.0.0.1:{self.port}/0"
        lines = [
            *("bind 127.0.0.1", f'requirepass "{PASSWORD}"', f"dir {directory}"),
            *('save ""', "appendonly no", "logfile /dev/null"),
            *(_configure_tls(directory, self.port, ca, name) if ca else (f"port {self.port}",)),
        ]
        if ca:
            self.url += f"?ssl_ca_certs={directory}/ca.pem"
        self.client = redis.Redis.from_url(f"{self.url}&ssl_check_hostname=false" if ca else self.url)
        self._start("-", stdin="\n".join([*lines, *settings]))

    def _start(self, configuration: str, *arguments: str, stdin: str = "") -> None:
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed; on Debian and Ubuntu: apt-get install redis-server"
        self._process = subprocess.Popen(
            [program, configuration, *arguments], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        assert self._process.stdin
        # By stdin, because anybody may read the arguments of a process.
        self._process.stdin.write(stdin.encode())
        self._process.stdin.close()
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

    def count_clients(self) -> int:
        """How many connections others have to it at this moment."""
        return len(self.client.client_list()) - 1

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


class RedisCluster(RedisServer):
    """A cluster of one node, which has all slots."""

    def __init__(self, directory: Path, ca: trustme.CA | None = None, name: str = "127.0.0.1") -> None:
        tls = ["tls-cluster yes"] if ca else []
        ports = f"cluster-port {_find_free_port()}"
        super().__init__(directory, "cluster-enabled yes", ports, *tls, ca=ca, name=name)
        self.client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        self.url += f"{'&' if ca else '?'}cluster=true"
        # It takes nothing for two seconds, in case it was one of several.
        ends = time.monotonic() + _START_SECONDS
        while self.client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
            assert time.monotonic() < ends, "the cluster was not ready in time"
            time.sleep(0.02)


class RedisSentinel(RedisServer):
    """A sentinel without a password, which knows ``server`` as the service ``main``; with a ``ca``, all by TLS."""

    def __init__(
        self, directory: Path, server: RedisServer, ca: trustme.CA | None = None, name: str = "127.0.0.1"
    ) -> None:
        self.port = _find_free_port()
        tls = f"&ssl_ca_certs={directory}/ca.pem" if ca else ""
        self.url = f"{'rediss' if ca else 'redis'}://:{_ESCAPED}@127.0.0.1:{self.port}/0?sentinel=main{tls}"
        lines = [
            *("bind 127.0.0.1", f"dir {directory}", "logfile /dev/null"),
            *(
                (*_configure_tls(directory, self.port, ca, name), "tls-replication yes")
                if ca
                else (f"port {self.port}",)
            ),
            *(f"sentinel monitor main 127.0.0.1 {server.port} 1", f'sentinel auth-pass main "{PASSWORD}"'),
        ]
        # It wants to keep in a file what it learns.
        path = directory / "sentinel.conf"
        path.write_text("\n".join(lines))
        client_url = self.url.replace(f":{_ESCAPED}@", "").replace("sentinel=main", "")
        self.client = redis.Redis.from_url(f"{client_url}&ssl_check_hostname=false" if ca else client_url)
        self._start(str(path), "--sentinel")


def _configure_tls(directory: Path, port: int, ca: trustme.CA, name: str) -> tuple[str, ...]:
    certificate = ca.issue_cert(name)
    ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(directory / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(directory / "cert.pem"))
    files = (f"tls-{name} {directory}/{file}" for name, file in _TLS_FILES.items())
    return ("port 0", f"tls-port {port}", "tls-auth-clients no", *files)


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


__all__ = ("PASSWORD", "RedisCluster", "RedisSentinel", "RedisServer")
