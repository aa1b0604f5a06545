# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Redis server shared by machines: real ones, that expire what is kept, and whose end costs nobody a token."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
import traceback
import typing as t

import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st
from processes import Channel, Forked
from redis_server import PASSWORD, RedisCluster, RedisSentinel, RedisServer

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import redis_store
from ansible_collections.entra.auth.plugins.plugin_utils._cache.redis_store import RedisStore

if t.TYPE_CHECKING:
    import pathlib

# Nothing is timed by it: it ends a test that hangs.
PATIENCE_SECONDS = 300


@pytest.fixture
def short_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks that expire soon."""
    monkeypatch.setattr(redis_store, "_LOCK_SECONDS", 0.3)


def store_on(server: RedisServer) -> RedisStore:
    return RedisStore(server.url)


def wait_until(condition: t.Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.005)


# --- what is kept -----------------------------------------------------------------------------------------------


def works(store: RedisStore) -> None:
    """Every method of a store once."""
    assert store.read("name") is None
    store.write("name", b"\x00content\xff\n", keep_seconds=60)
    assert store.read("name") == b"\x00content\xff\n"
    store.write("name", b"short", keep_seconds=60)
    assert dict(store.entries()) == {"name": b"short"}
    with store.lock("name", wait_seconds=0) as one, store.lock("name", wait_seconds=0) as two:
        assert (one, two) == (True, False)
    store.clear()
    assert store.read("name") is None


def test_what_one_machine_keeps_another_finds(redis_server: RedisServer) -> None:
    store_on(redis_server).write("name", b"content", keep_seconds=60)
    assert store_on(redis_server).read("name") == b"content"
    assert redis_server.contents() == {"entra.auth:name": b"content"}
    works(RedisStore(redis_server.url_with("made-up~redis%2Fp4ss%3Aword").replace("/0", "/1")))


@pytest.mark.parametrize("parameter", ["decode_responses=true", "protocol=3", "health_check_interval=1"])
def test_no_parameter_of_the_url_changes_what_is_kept(parameter: str, redis_server: RedisServer) -> None:
    works(RedisStore(f"{redis_server.url}?{parameter}"))


@pytest.mark.parametrize(("keep_seconds", "milliseconds"), [(3600, 3_600_000), (0.5, 500), (0, 1), (-5, 1)])
def test_what_is_kept_expires_by_itself(
    keep_seconds: float, milliseconds: int, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[t.Any] = []
    store = store_on(redis_server)
    monkeypatch.setattr(store._redis, "set", lambda *_args, **how: sent.append(how["px"]))
    store.write("name", b"content", keep_seconds=keep_seconds)
    assert sent == [milliseconds]
    monkeypatch.undo()
    store.write("name", b"content", keep_seconds=keep_seconds)
    assert 0 < redis_server.client.pttl("entra.auth:name") <= milliseconds or milliseconds < 1000


def test_what_belongs_to_others_is_neither_shown_nor_removed(redis_server: RedisServer) -> None:
    redis_server.client.set("somebody-else:name", b"theirs")
    store = store_on(redis_server)
    store.write("name", b"ours", keep_seconds=60)
    assert dict(store.entries()) == {"name": b"ours"}
    store.clear()
    assert redis_server.contents() == {"somebody-else:name": b"theirs"}


def test_a_key_of_another_kind_is_a_miss(redis_server: RedisServer) -> None:
    redis_server.client.rpush("entra.auth:name", "a", "b")
    store = store_on(redis_server)
    assert store.read("name") is None
    assert list(store.entries()) == []


# --- locks ------------------------------------------------------------------------------------------------------


def hold(server: RedisServer) -> t.Callable[[Channel], None]:
    """A process that says when it has the lock, and keeps it until it hears something."""

    def work(channel: Channel) -> None:
        with store_on(server).lock("name", wait_seconds=0) as held:
            channel.say(held)
            channel.hear()

    return work


def test_a_lock_holds_across_processes_until_it_is_let_go(redis_server: RedisServer) -> None:
    store = store_on(redis_server)
    with Forked(hold(redis_server)) as holder:
        assert holder.hear() is True
        with store.lock("name", wait_seconds=0) as held, store.lock("other", wait_seconds=0) as other:
            assert (held, other) == (False, True)
        with store.lock("name", wait_seconds=0.05) as held:
            assert not held
        holder.say("let go")
        with store.lock("name", wait_seconds=PATIENCE_SECONDS) as held:
            assert held
    assert redis_server.contents() == {}


def test_a_lock_is_freed_by_an_exception(redis_server: RedisServer) -> None:
    store = store_on(redis_server)

    def fail() -> None:
        with store.lock("name", wait_seconds=0):
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    with store.lock("name", wait_seconds=0) as held:
        assert held


@pytest.mark.parametrize("end", ["kill", "freeze"])
def test_a_holder_that_is_killed_or_hangs_holds_up_nobody_for_long(
    end: str, redis_server: RedisServer, short_locks: None
) -> None:
    store = store_on(redis_server)
    with Forked(hold(redis_server)) as holder:
        assert holder.hear() is True
        getattr(holder, end)()
        with store.lock("name", wait_seconds=PATIENCE_SECONDS) as held:
            assert held
        if end == "freeze":
            holder.thaw()
            holder.say("let go")


def test_a_holder_that_lives_keeps_its_lock_from_expiring(redis_server: RedisServer) -> None:
    store = store_on(redis_server)
    with store.lock("name", wait_seconds=0) as held:
        assert held
        ends = [extended(redis_server) for _dummy in range(2)]
        assert ends == sorted(set(ends))
        with store.lock("name", wait_seconds=0) as other:
            assert not other


def extended(server: RedisServer) -> float:
    """When the lock expires now, once that was put off."""
    before = server.client.pexpiretime("entra.auth:name.lock")
    wait_until(lambda: server.client.pexpiretime("entra.auth:name.lock") > before)
    return float(server.client.pexpiretime("entra.auth:name.lock"))


def test_a_lock_leaves_no_thread_behind(redis_server: RedisServer) -> None:
    before = threading.active_count()
    with store_on(redis_server).lock("name", wait_seconds=0):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_clearing_makes_nobody_wait_for_ever(redis_server: RedisServer) -> None:
    store = store_on(redis_server)
    with Forked(hold(redis_server)) as holder:
        assert holder.hear() is True
        store.clear()
        with store.lock("name", wait_seconds=PATIENCE_SECONDS) as held:
            assert held
            holder.say("let go")


# --- servers of all kinds ---------------------------------------------------------------------------------------


def test_a_server_with_tls(tmp_path: pathlib.Path) -> None:
    with RedisServer(tmp_path, ca=trustme.CA()) as server:
        works(store_on(server))
        url = server.url.partition("?")[0]
        assert refusal(url) == "it could not be reached", "its CA is nobody's"
        assert refusal(url.replace("rediss", "redis")) != ""
        missing = f"{url}?ssl_ca_certs={tmp_path}/missing.pem"
        assert refusal(missing) in ("it could not be reached", "No such file or directory")
        (tmp_path / "junk.pem").write_text("junk")
        assert refusal(f"{url}?ssl_ca_certs={tmp_path}/junk.pem") != ""


def test_a_cluster(tmp_path: pathlib.Path) -> None:
    with RedisCluster(tmp_path) as server:
        works(store_on(server))
        wrong = server.url_with("hunter2")
        assert refusal(wrong) in ("no node of the cluster could be reached", "it refused the user name or password")
    assert refusal(server.url) == "no node of the cluster could be reached"


def test_a_sentinel_leads_to_the_server(redis_server: RedisServer, tmp_path: pathlib.Path) -> None:
    with RedisSentinel(tmp_path, redis_server) as sentinel:
        store = RedisStore(sentinel.url)
        works(store)
        works(RedisStore(sentinel.url.replace("@127.0.0.1", "@127.0.0.1:1,127.0.0.1")))
        store.write("name", b"content", keep_seconds=60)
        assert redis_server.contents() == {"entra.auth:name": b"content"}
        assert refusal(sentinel.url.replace("=main", "=other")) == "it could not be reached"
        assert refusal(sentinel.url_with("hunter2")) == "it refused the user name or password"
    assert store.read("name") == b"content"
    assert refusal(sentinel.url) == "it could not be reached"


def test_a_sentinel_with_tls_leads_to_the_server(tmp_path: pathlib.Path) -> None:
    ca, place = trustme.CA(), tmp_path / "sentinel"
    place.mkdir()
    with RedisServer(tmp_path, ca=ca) as server, RedisSentinel(place, server, ca) as sentinel:
        works(RedisStore(sentinel.url))
        assert refusal(sentinel.url.partition("&")[0]) == "it could not be reached", "its CA is nobody's"


@pytest.mark.parametrize(
    ("host", "address"),
    [("s1", ("s1", 26379)), ("s1:5000", ("s1", 5000)), ("[::1]", ("::1", 26379)), ("[::1]:5000", ("::1", 5000))],
)
def test_the_port_of_a_sentinel_is_its_usual_one(host: str, address: tuple[str, int]) -> None:
    assert redis_store._address(host) == address


# --- failures ---------------------------------------------------------------------------------------------------


def told(exc: BaseException) -> str:
    """All that could be printed of an exception."""
    return f"{exc!r} {exc.__dict__} {''.join(traceback.format_exception(exc))}"


def refusal(url: str) -> str:
    """Why a URL leads to no store, after a check that nothing tells what is secret or where the server is."""
    with pytest.raises(OSError, match="Redis can't be used") as refused:
        RedisStore(url)
    text = told(refused.value)
    assert not any(word in text for word in (PASSWORD, "made-up", "hunter2", "127.0.0.1"))
    assert refused.value.__context__ is None
    words = str(refused.value.strerror)
    assert words.startswith("Redis can't be used: ")
    assert words.endswith(". To fix it: look at the URL in cache, and at the server.")
    return words.partition(": ")[2].partition(". To fix it")[0]


@pytest.mark.parametrize("credentials", [":hunter2@", "me:hunter2@", ""])
def test_a_wrong_password_is_told_as_such(credentials: str, redis_server: RedisServer) -> None:
    url = f"redis://{credentials}127.0.0.1:{redis_server.port}/0"
    assert refusal(url) == "it refused the user name or password"


def test_a_server_that_is_down_is_told(tmp_path: pathlib.Path) -> None:
    with RedisServer(tmp_path) as server:
        pass
    assert refusal(server.url) == "it could not be reached"


def test_a_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "_SOCKET_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert refusal(f"redis://:hunter2@127.0.0.1:{silent.getsockname()[1]}") == "it did not answer in time"


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (FileNotFoundError(2, "No such file or directory", "/home/hunter2"), "No such file or directory"),
        (ssl.SSLError("hunter2"), "its certificates could not be read"),
    ],
)
def test_files_that_can_t_be_read_are_told(problem: OSError, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_url: str) -> t.NoReturn:
        raise problem

    monkeypatch.setattr(redis_store, "_client", fail)
    assert refusal("rediss://redis.test") == words


def test_a_command_that_is_refused_is_told(redis_server: RedisServer) -> None:
    redis_server.client.execute_command("ACL SETUSER nobody on >hunter2 -@all +client +hello +auth")
    try:
        assert refusal(redis_server.url_with("hunter2").replace("//:", "//nobody:")) == "it refused a command"
    finally:
        redis_server.client.execute_command("ACL DELUSER nobody")


def test_a_server_that_ends_meanwhile_costs_nobody_a_token(tmp_path: pathlib.Path) -> None:
    with RedisServer(tmp_path) as server:
        store = store_on(server)
        store.write("name", b"content", keep_seconds=60)
        with store.lock("name", wait_seconds=0) as held:
            assert held
            server.stop()
    assert store.read("name") is None
    assert list(store.entries()) == []
    store.clear()
    with store.lock("name", wait_seconds=PATIENCE_SECONDS) as held:
        assert held, "there is nobody to wait for"
    with pytest.raises(OSError, match="could not be reached") as refused:
        store.write("name", b"content", keep_seconds=60)
    assert refused.value.strerror == "Redis: it could not be reached"
    assert "127.0.0.1" not in told(refused.value)
    assert refused.value.__context__ is None
    assert PASSWORD not in repr(store)


NO_URLS = [
    "redis://host:port/0",
    "redis://host:99999999/0",
    "redis://host/0?db=one",
    "redis://host/0?no_such_parameter=1",
    "redis://host/0?retry=3",
    "redis://host/0?socket_timeout=soon",
    "redis://host/0?connection_class=x",
    "redis://[::1/0",
    "redis://host:port/0?sentinel=main",
    "redis://host/0?sentinel=main&db=one",
    "redis://host/0?sentinel=main&no_such_parameter=1",
    "redis://host:port?cluster=true",
    "redis://host?cluster=true&no_such_parameter=1",
    "rediss://host/0?ssl_cert_reqs=perhaps",
    "http://host",
    "",
]


@pytest.mark.parametrize("url", [*NO_URLS, *(url.replace("//", "//me:hunter2@", 1) for url in NO_URLS if url)])
def test_what_is_no_url_of_redis_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", unknown_host)
    with pytest.raises((InputError, OSError)) as refused:
        RedisStore(url)
    assert "hunter2" not in told(refused.value)
    assert refused.value.__context__ is None
    if isinstance(refused.value, InputError):
        assert refused.value.message == "cache is not a URL that redis-py understands."
        assert "rediss://" in str(refused.value.hint)


def unknown_host(*_args: object, **_how: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@given(st.text("redis:/@?&=#%[],.0123 pdsword\n\x00é"))
@example("//h?decode_responses=true&encoding=x")
@example("//h?host=1&port=x")
@example("//h?protocol=9")
@example("//h?sentinel=a&sentinel=b&db=")
@example("//,?sentinel=a")
@example("//h:x,:y?sentinel=a")
def test_no_text_at_all_makes_a_store_fail_otherwise(rest: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown_host)
        for url in (f"redis:{rest}", f"rediss://{rest}"):
            with contextlib.suppress(InputError, OSError):
                RedisStore(url)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "HAS_REDIS", False)
    with pytest.raises(MissingLibraryError, match=r"Failed to import the required Python library \(redis\)") as missing:
        RedisStore(url := "redis://:hunter2@redis.test")
    assert missing.value.hint
    assert url not in str(missing.value)
