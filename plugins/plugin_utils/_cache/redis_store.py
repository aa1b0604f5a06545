# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store that is a Redis server, which several machines share.

redis-py defines what a URL means ("redis.Redis.from_url"). Two parameters are added here: ``?sentinel=NAME`` says that
the hosts are sentinels that know the service NAME, and ``?cluster=true`` that they are nodes of a cluster.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import sys
import threading
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._cache.store_errors import build_store_error

try:
    import redis
    import redis.backoff
    import redis.cluster
    import redis.retry
    import redis.sentinel
except ImportError:
    HAS_REDIS = False
    _FAILURES: tuple[type[Exception], ...] = ()
else:
    HAS_REDIS = True
    _FAILURES = (redis.RedisError, redis.exceptions.RedisClusterException)

if t.TYPE_CHECKING:  # pragma: no cover
    from redis.lock import Lock

_PREFIX = "entra.auth:"
_ENTRY = re.compile(rb"entra\.auth:([0-9a-f]{40})")
_SENTINEL_PORT = 26379
_SOCKET_SECONDS = 5.0
# Other users of the server can write anything under our names.
_MAX_BYTES = 1024 * 1024
_MAX_KEYS = 100_000
# After this time the lock of a holder that was killed is free.
_LOCK_SECONDS = 6.0
_LOCK_POLL_SECONDS = 0.02


class RedisStore:
    """Keys ``entra.auth:NAME``, which expire by themselves.

    Raises:
        MissingLibraryError: redis-py is not installed.
        InputError: The URL is not valid, or this redis-py can't verify what it names.
        OSError: No server responds; ``strerror`` says why and what to do, in sentences.
    """

    def __init__(self, url: str) -> None:
        if not HAS_REDIS:
            raise MissingLibraryError.on_control_node("redis")
        try:
            self._redis = _open_client(url)
            self._redis.ping()
        except _FAILURES as exc:
            reason = _describe_reason(exc)
        except OSError as exc:
            reason = _describe_reason(exc)
        except (ValueError, TypeError, AttributeError):
            reason = None
        else:
            return
        if reason is None:
            raise InputError(
                "cache is not a URL that redis-py understands.",
                hint="Write it like rediss://user:password@host:6379/0.",
            )
        raise build_store_error(f"Redis can't be used: {reason}.", "Check the URL in cache, and the server.")

    def read(self, name: str) -> bytes | None:
        with contextlib.suppress(*_FAILURES):
            content = self._redis.getrange(_PREFIX + name, 0, _MAX_BYTES)
            if isinstance(content, bytes) and 0 < len(content) <= _MAX_BYTES:
                return content
        return None

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        try:
            self._redis.set(_PREFIX + name, content, px=max(1, int(keep_seconds * 1000)))
        except _FAILURES as exc:
            reason = _describe_reason(exc)
        else:
            return
        raise OSError(0, f"Redis: {reason}")

    @contextlib.contextmanager
    def lock(self, name: str, *, wait_seconds: float) -> t.Iterator[bool]:
        key = f"{_PREFIX}{name}.lock"
        lock = self._redis.lock(key, timeout=_LOCK_SECONDS, sleep=_LOCK_POLL_SECONDS, thread_local=False)
        try:
            is_held = lock.acquire(blocking=False) or self._wait(lock, key, wait_seconds)
        except _FAILURES:
            # Without a server there is nothing to wait for.
            yield True
            return
        if not is_held:
            yield False
            return
        with _HeldLock(lock):
            yield True

    def list_entries(self) -> t.Iterator[tuple[str, bytes]]:
        for key in itertools.islice(self._scan(), _MAX_KEYS):
            if match := _ENTRY.fullmatch(key):
                name = match[1].decode()
                content = self.read(name)
                if content is not None:
                    yield name, content

    def clear(self) -> None:
        for key in self._scan():
            with contextlib.suppress(*_FAILURES):
                self._redis.delete(key)

    def _wait(self, lock: Lock, key: str, wait_seconds: float) -> bool:
        if not wait_seconds:
            return False
        expires_in = self._redis.pttl(key)
        if expires_in == -1 or expires_in > _LOCK_SECONDS * 1000:
            # No lock of ours lasts longer, so this one would never be released.
            self._redis.pexpire(key, int(_LOCK_SECONDS * 1000))
        return bool(lock.acquire(blocking_timeout=wait_seconds))

    def _scan(self) -> t.Iterator[bytes]:
        with contextlib.suppress(*_FAILURES):
            yield from self._redis.scan_iter(match=f"{_PREFIX}*")


class _HeldLock:
    """Keeps a lock from expiring while the process that holds it lives."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, daemon=True)

    def __enter__(self) -> _HeldLock:
        self._thread.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._ended.set()
        self._thread.join()
        with contextlib.suppress(*_FAILURES):
            self._lock.release()

    def _keep_alive(self) -> None:
        with contextlib.suppress(*_FAILURES):
            while not self._ended.wait(_LOCK_SECONDS / 3):
                self._lock.reacquire()


def _open_client(url: str) -> redis.Redis | redis.cluster.RedisCluster:
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    sentinel, is_cluster = query.pop("sentinel", None), query.pop("cluster", "").lower() in ("true", "yes", "1")
    # Entries are bytes.
    query.pop("decode_responses", None)
    if parts.scheme == "rediss":
        query = _require_host_name(query, is_cluster=is_cluster)
    plain = urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))
    # Without retries: if Redis is down, a token request is faster.
    retry = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
    bounds = {"socket_timeout": _SOCKET_SECONDS, "socket_connect_timeout": _SOCKET_SECONDS, "retry": retry}
    if sentinel:
        return _open_master(plain, sentinel, bounds)
    return (redis.cluster.RedisCluster if is_cluster else redis.Redis).from_url(plain, **bounds)


def _require_host_name(query: dict[str, str], *, is_cluster: bool) -> dict[str, str]:
    """Require that the server's certificate names the host, which is redis-py's default only from 6.0 on.

    Raises:
        InputError: This redis-py can't verify it in a cluster.
    """
    if not query.get("ssl_check_hostname"):
        # A certificate that is not verified proves no name.
        query = {**query, "ssl_check_hostname": str(query.get("ssl_cert_reqs") != "none")}
    if is_cluster and int(redis.__version__.partition(".")[0]) < 6 and _is_true(query["ssl_check_hostname"]):
        raise InputError(
            f"redis-py {redis.__version__} can't verify the host names of a cluster.",
            hint=f"On the control node, run: {sys.executable} -m pip install --upgrade 'redis>=6'",
        )
    return query


def _is_true(value: str) -> bool:
    """Whether redis-py takes a value of a URL for true."""
    return value.lower() not in ("0", "f", "false", "n", "no")


def _open_master(url: str, service: str, bounds: t.Mapping[str, t.Any]) -> redis.Redis:
    """Open the master that sentinels name. The URL has them: ``redis://user:password@host1:26379,host2:26379/0``."""
    parts = urllib.parse.urlsplit(url)
    credentials, _at, hosts = parts.netloc.rpartition("@")
    first = parts._replace(netloc=f"{credentials}@sentinel" if credentials else "sentinel")
    settings = redis.connection.parse_url(urllib.parse.urlunsplit(first))
    settings.pop("host", None)
    is_tls = settings.pop("connection_class", None) is not None
    sentinels = [_parse_address(host) for host in hosts.split(",")]
    tls = {"ssl": is_tls, **{name: value for name, value in settings.items() if name.startswith("ssl_")}}
    manager = redis.sentinel.Sentinel(sentinels, sentinel_kwargs={**bounds, **tls}, **bounds)
    master: redis.Redis = manager.master_for(service, ssl=is_tls, **settings)
    return master


def _parse_address(host: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(f"//{host}")
    return str(parts.hostname), parts.port or _SENTINEL_PORT


def _describe_reason(exc: Exception) -> str:
    """Describe a failure in words that contain no address and no password."""
    reasons = {
        redis.AuthenticationError: "it refused the user name or password",
        redis.TimeoutError: "it did not respond in time",
        redis.ConnectionError: "it could not be reached",
        redis.exceptions.RedisClusterException: "no node of the cluster could be reached",
        OSError: getattr(exc, "strerror", None) or "its certificates could not be read",
    }
    return next((words for kind, words in reasons.items() if isinstance(exc, kind)), "it refused a command")


__all__ = ("RedisStore",)
