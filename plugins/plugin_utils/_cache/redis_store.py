# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store that is a Redis server, which several machines share.

The library decides what a URL means (redis-py, "redis.Redis.from_url"). Two parameters are ours: ``?sentinel=NAME``
makes the hosts those of sentinels that know the service NAME, and ``?cluster=true`` those of a cluster.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import threading
import typing as t
import urllib.parse

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError

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
_SENTINEL_PORT = 26379
# A holder that is killed holds up the others for no longer.
_LOCK_SECONDS = 6.0
_LOCK_POLL_SECONDS = 0.02
_SOCKET_SECONDS = 5.0


class RedisStore:
    """Keys ``entra.auth:NAME``, which expire by themselves.

    Raises MissingLibraryError without redis-py, InputError for a URL that is none, OSError where no server answers.
    """

    def __init__(self, url: str) -> None:
        if not HAS_REDIS:
            raise MissingLibraryError(missing_required_lib("redis"), hint="Install it where Ansible runs.")
        try:
            self._redis = _client(url)
            self._redis.ping()
        except _FAILURES as exc:
            reason = _reason(exc)
        except OSError as exc:
            reason = _reason(exc)
        except (ValueError, TypeError, AttributeError):
            reason = None
        else:
            return
        if reason is None:
            raise InputError(
                "cache is not a URL that redis-py understands.",
                hint="Write it like rediss://user:password@host:6379/0.",
            )
        raise OSError(0, f"Redis can't be used: {reason}. To fix it: look at the URL in cache, and at the server.")

    def read(self, name: str) -> bytes | None:
        with contextlib.suppress(*_FAILURES):
            content = self._redis.get(_PREFIX + name)
            return content if isinstance(content, bytes) else None
        return None

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        try:
            self._redis.set(_PREFIX + name, content, px=max(1, int(keep_seconds * 1000)))
        except _FAILURES as exc:
            reason = _reason(exc)
        else:
            return
        raise OSError(0, f"Redis: {reason}")

    @contextlib.contextmanager
    def lock(self, name: str, *, wait_seconds: float) -> t.Iterator[bool]:
        lock = self._redis.lock(
            f"{_PREFIX}{name}.lock", timeout=_LOCK_SECONDS, sleep=_LOCK_POLL_SECONDS, thread_local=False
        )
        try:
            is_held = lock.acquire(blocking=wait_seconds > 0, blocking_timeout=wait_seconds or None)
        except _FAILURES:
            # Without a server there is nobody to wait for.
            yield True
            return
        if not is_held:
            yield False
            return
        with _HeldLock(lock):
            yield True

    def entries(self) -> t.Iterator[tuple[str, bytes]]:
        for key in self._keys():
            content = self.read(key[len(_PREFIX) :])
            if content is not None:
                yield key[len(_PREFIX) :], content

    def clear(self) -> None:
        with contextlib.suppress(*_FAILURES):
            for key in self._keys():
                self._redis.delete(key)

    def _keys(self) -> list[str]:
        with contextlib.suppress(*_FAILURES):
            return [key.decode() for key in self._redis.scan_iter(match=f"{_PREFIX}*")]
        return []


class _HeldLock:
    """Keeps a lock from expiring while its holder lives."""

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


def _client(url: str) -> redis.Redis | redis.cluster.RedisCluster:
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    sentinel, cluster = query.pop("sentinel", None), query.pop("cluster", "").lower()
    # What is sealed is no text.
    query.pop("decode_responses", None)
    plain = urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))
    # Without retries: where Redis is down, asking for a token is faster.
    retry = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
    bounds = {"socket_timeout": _SOCKET_SECONDS, "socket_connect_timeout": _SOCKET_SECONDS, "retry": retry}
    if sentinel:
        return _master(plain, sentinel, bounds)
    if cluster in ("true", "yes", "1"):
        return redis.cluster.RedisCluster.from_url(plain, **bounds)
    return redis.Redis.from_url(plain, **bounds)


def _master(url: str, service: str, bounds: t.Mapping[str, t.Any]) -> redis.Redis:
    """The master that sentinels name. The URL has them all: ``redis://user:password@host1:26379,host2:26379/0``."""
    parts = urllib.parse.urlsplit(url)
    credentials, _at, hosts = parts.netloc.rpartition("@")
    first = parts._replace(netloc=f"{credentials}@sentinel" if credentials else "sentinel")
    settings = redis.connection.parse_url(urllib.parse.urlunsplit(first))
    settings.pop("host", None)
    is_tls = settings.pop("connection_class", None) is not None
    sentinels = [_address(host) for host in hosts.split(",")]
    tls = {"ssl": is_tls, **{name: value for name, value in settings.items() if name.startswith("ssl_")}}
    manager = redis.sentinel.Sentinel(sentinels, sentinel_kwargs={**bounds, **tls}, **bounds)
    master: redis.Redis = manager.master_for(service, ssl=is_tls, **settings)
    return master


def _address(host: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(f"//{host}")
    return str(parts.hostname), parts.port or _SENTINEL_PORT


def _reason(exc: Exception) -> str:
    """Why, in words that hold no address and no password."""
    reasons = {
        redis.AuthenticationError: "it refused the user name or password",
        redis.TimeoutError: "it did not answer in time",
        redis.ConnectionError: "it could not be reached",
        redis.exceptions.RedisClusterException: "no node of the cluster could be reached",
        OSError: getattr(exc, "strerror", None) or "its certificates could not be read",
    }
    return next((words for kind, words in reasons.items() if isinstance(exc, kind)), "it refused a command")


__all__ = ("RedisStore",)
