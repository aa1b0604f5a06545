# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Redis server that machines share: real ones, that expire entries, and of which no failure costs a token."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import traceback
import typing as t
import urllib.parse

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st
from processes import Channel, Forked
from redis_server import PASSWORD, RedisCluster, RedisSentinel, RedisServer

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import redis_store
from ansible_collections.entra.auth.plugins.plugin_utils._cache.redis_store import RedisStore
from plays import wait_until

if t.TYPE_CHECKING:
    import pathlib

    import trustme

# Nothing is timed by it: it ends a test that hangs.
PATIENCE_SECONDS = 300
NAME = "a" * 40
KEY = f"entra.auth:{NAME}"
MEBIBYTE = 1024 * 1024


@pytest.fixture
def short_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks that expire soon."""
    monkeypatch.setattr(redis_store, "_LOCK_SECONDS", 0.3)


def open_store(server: RedisServer) -> RedisStore:
    return RedisStore(server.url)


# --- entries ----------------------------------------------------------------------------------------------------


def use(store: RedisStore) -> None:
    """Use every method of a store once."""
    assert store.read(NAME) is None
    store.write(NAME, b"\x00content\xff\n", keep_seconds=60)
    assert store.read(NAME) == b"\x00content\xff\n"
    store.write(NAME, b"short", keep_seconds=60)
    assert dict(store.list_entries()) == {NAME: b"short"}
    with store.lock(NAME, wait_seconds=0) as one, store.lock(NAME, wait_seconds=0) as two:
        assert (one, two) == (True, False)
    store.clear()
    assert store.read(NAME) is None


def test_an_entry_of_one_machine_is_found_by_another(redis_server: RedisServer) -> None:
    open_store(redis_server).write(NAME, b"content", keep_seconds=60)
    assert open_store(redis_server).read(NAME) == b"content"
    assert redis_server.contents() == {KEY: b"content"}
    use(RedisStore(redis_server.url.replace("/0", "/1")))


@pytest.mark.parametrize("parameter", ["decode_responses=true", "protocol=3", "health_check_interval=1"])
def test_no_parameter_of_the_url_changes_an_entry(parameter: str, redis_server: RedisServer) -> None:
    use(RedisStore(f"{redis_server.url}?{parameter}"))


@pytest.mark.parametrize(("keep_seconds", "milliseconds"), [(3600, 3_600_000), (0.5, 500), (0, 1), (-5, 1)])
def test_an_entry_expires_by_itself(
    keep_seconds: float, milliseconds: int, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[t.Any] = []
    store = open_store(redis_server)
    monkeypatch.setattr(store._redis, "set", lambda *_args, **how: sent.append(how["px"]))
    store.write(NAME, b"content", keep_seconds=keep_seconds)
    assert sent == [milliseconds]
    monkeypatch.undo()
    store.write(NAME, b"content", keep_seconds=keep_seconds)
    assert 0 < redis_server.client.pttl(KEY) <= milliseconds or milliseconds < 1000


def test_keys_of_others_are_neither_shown_nor_removed(redis_server: RedisServer) -> None:
    redis_server.client.set("another-program:name", b"theirs")
    store = open_store(redis_server)
    store.write(NAME, b"ours", keep_seconds=60)
    assert dict(store.list_entries()) == {NAME: b"ours"}
    store.clear()
    assert redis_server.contents() == {"another-program:name": b"theirs"}


def test_a_key_of_another_type_is_a_miss(redis_server: RedisServer) -> None:
    redis_server.client.rpush(KEY, "a", "b")
    store = open_store(redis_server)
    assert store.read(NAME) is None
    assert list(store.list_entries()) == []


# --- bounds -----------------------------------------------------------------------------------------------------


def test_no_more_than_a_mebibyte_of_a_value_is_read(redis_server: RedisServer) -> None:
    store = open_store(redis_server)
    redis_server.client.set(KEY, b"x" * MEBIBYTE)
    assert len(store.read(NAME) or b"") == MEBIBYTE
    redis_server.client.set(KEY, b"x" * 50 * MEBIBYTE)
    before = redis_server.client.info()["total_net_output_bytes"]
    assert store.read(NAME) is None
    assert list(store.list_entries()) == []
    assert redis_server.client.info()["total_net_output_bytes"] - before < 4 * MEBIBYTE


def test_keys_that_name_no_entry_are_not_read(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (f"{NAME}.lock", f"{NAME}0", "x" * 1000, "", "\n"):
        redis_server.client.set(f"entra.auth:{name}", b"junk")
    redis_server.client.set(b"entra.auth:\xff\xfe", b"junk")
    store = open_store(redis_server)
    assert list(store.list_entries()) == []
    redis_server.client.set(KEY, b"content")
    monkeypatch.setattr(redis_store, "_MAX_KEYS", 0)
    assert list(store.list_entries()) == []
    store.clear()
    assert redis_server.contents() == {}


@pytest.mark.parametrize("expires_in", [None, 3600])
def test_a_lock_that_would_not_expire_is_given_the_time_of_a_lock(
    expires_in: int | None, redis_server: RedisServer, short_locks: None
) -> None:
    """As a program leaves it that was killed between two commands, or another user of the server."""
    store = open_store(redis_server)
    redis_server.client.set(f"{KEY}.lock", b"forged", ex=expires_in)
    with store.lock(NAME, wait_seconds=PATIENCE_SECONDS) as held:
        assert held
        assert 0 < redis_server.client.pttl(f"{KEY}.lock") <= 300


def test_a_lock_of_another_type_is_given_the_time_of_a_lock(redis_server: RedisServer, short_locks: None) -> None:
    redis_server.client.rpush(f"{KEY}.lock", "forged")
    with open_store(redis_server).lock(NAME, wait_seconds=PATIENCE_SECONDS) as held:
        assert held


def test_a_caller_that_does_not_wait_leaves_the_lock_as_it_is(redis_server: RedisServer) -> None:
    redis_server.client.set(f"{KEY}.lock", b"forged")
    with open_store(redis_server).lock(NAME, wait_seconds=0) as held:
        assert not held
    assert redis_server.client.pttl(f"{KEY}.lock") == -1


# --- locks ------------------------------------------------------------------------------------------------------


def hold(server: RedisServer) -> t.Callable[[Channel], None]:
    """A process that says when it has the lock, and holds it until it hears something."""

    def work(channel: Channel) -> None:
        with open_store(server).lock(NAME, wait_seconds=0) as held:
            channel.say(held)
            channel.hear()

    return work


def test_a_lock_holds_across_processes_until_it_is_released(redis_server: RedisServer) -> None:
    store = open_store(redis_server)
    with Forked(hold(redis_server)) as holder:
        assert holder.hear() is True
        with store.lock(NAME, wait_seconds=0) as held, store.lock("other", wait_seconds=0) as other:
            assert (held, other) == (False, True)
        with store.lock(NAME, wait_seconds=0.05) as held:
            assert not held
        holder.say("release it")
        with store.lock(NAME, wait_seconds=PATIENCE_SECONDS) as held:
            assert held
    assert redis_server.contents() == {}


def test_a_lock_is_released_by_an_exception(redis_server: RedisServer) -> None:
    store = open_store(redis_server)

    def fail() -> None:
        with store.lock(NAME, wait_seconds=0):
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    with store.lock(NAME, wait_seconds=0) as held:
        assert held


@pytest.mark.parametrize("end", ["kill", "freeze"])
def test_the_lock_of_a_process_that_was_killed_or_hangs_expires(
    end: str, redis_server: RedisServer, short_locks: None
) -> None:
    store = open_store(redis_server)
    with Forked(hold(redis_server)) as holder:
        assert holder.hear() is True
        getattr(holder, end)()
        with store.lock(NAME, wait_seconds=PATIENCE_SECONDS) as held:
            assert held
        if end == "freeze":
            holder.thaw()
            holder.say("release it")


def test_a_holder_that_lives_keeps_its_lock_from_expiring(redis_server: RedisServer, short_locks: None) -> None:
    store = open_store(redis_server)
    with store.lock(NAME, wait_seconds=0) as held:
        assert held
        for _dummy in range(2):
            before = redis_server.client.pexpiretime(f"{KEY}.lock")
            wait_until(lambda before=before: redis_server.client.pexpiretime(f"{KEY}.lock") > before)  # type: ignore[misc]  # lambda
        with store.lock(NAME, wait_seconds=0) as other:
            assert not other


def test_a_holder_that_lost_its_lock_does_not_release_that_of_the_next_one(redis_server: RedisServer) -> None:
    store = open_store(redis_server)
    with contextlib.ExitStack() as stack:
        with store.lock(NAME, wait_seconds=0):
            store.clear()
            assert stack.enter_context(open_store(redis_server).lock(NAME, wait_seconds=0))
        with store.lock(NAME, wait_seconds=0) as held:
            assert not held


def test_a_lock_leaves_no_thread_behind(redis_server: RedisServer) -> None:
    before = threading.active_count()
    with open_store(redis_server).lock(NAME, wait_seconds=0):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_clearing_releases_locks(redis_server: RedisServer) -> None:
    store = open_store(redis_server)
    with Forked(hold(redis_server)) as holder:
        assert holder.hear() is True
        store.clear()
        with store.lock(NAME, wait_seconds=PATIENCE_SECONDS) as held:
            assert held
            holder.say("release it")


# --- servers of all kinds ---------------------------------------------------------------------------------------


def test_a_server_with_tls(tls_ca: trustme.CA, tmp_path: pathlib.Path) -> None:
    with RedisServer(tmp_path, ca=tls_ca) as server:
        use(open_store(server))
        url = server.url.partition("?")[0]
        assert get_reason(url) == "it could not be reached", "its CA is unknown"
        assert get_reason(url.replace("rediss", "redis")) != ""
        missing = f"{url}?ssl_ca_certs={tmp_path}/missing.pem"
        assert get_reason(missing) in ("it could not be reached", "No such file or directory")
        (tmp_path / "junk.pem").write_text("junk")
        assert get_reason(f"{url}?ssl_ca_certs={tmp_path}/junk.pem") != ""


def test_a_cluster(tmp_path: pathlib.Path) -> None:
    with RedisCluster(tmp_path) as server:
        use(open_store(server))
        wrong = server.url_with("hunter2")
        assert get_reason(wrong) in ("no node of the cluster could be reached", "it refused the user name or password")
    assert get_reason(server.url) == "no node of the cluster could be reached"


def test_a_sentinel_leads_to_the_server(redis_server: RedisServer, tmp_path: pathlib.Path) -> None:
    with RedisSentinel(tmp_path, redis_server) as sentinel:
        store = RedisStore(sentinel.url)
        use(store)
        use(RedisStore(sentinel.url.replace("@127.0.0.1", "@127.0.0.1:1,127.0.0.1")))
        store.write(NAME, b"content", keep_seconds=60)
        assert redis_server.contents() == {KEY: b"content"}
        assert get_reason(sentinel.url.replace("=main", "=other")) == "it could not be reached"
        assert get_reason(sentinel.url_with("hunter2")) == "it refused the user name or password"
    assert store.read(NAME) == b"content"
    assert get_reason(sentinel.url) == "it could not be reached"


@pytest.mark.parametrize(
    ("host", "address"),
    [("s1", ("s1", 26379)), ("s1:5000", ("s1", 5000)), ("[::1]", ("::1", 26379)), ("[::1]:5000", ("::1", 5000))],
)
def test_a_sentinel_has_its_usual_port(host: str, address: tuple[str, int]) -> None:
    assert redis_store._parse_address(host) == address


# --- host names -------------------------------------------------------------------------------------------------

# How a user turns the check of the name off.
UNCHECKED = ["ssl_check_hostname=false", "ssl_check_hostname=no", "ssl_cert_reqs=none"]


def test_the_password_goes_to_no_server_of_another_name(tls_ca: trustme.CA, tmp_path: pathlib.Path) -> None:
    """Though its certificate is of the same CA."""
    with RedisServer(tmp_path, ca=tls_ca, name="other.test") as server:
        assert get_reason(server.url) == "it could not be reached"
        assert get_reason(f"{server.url}&ssl_check_hostname=") == "it could not be reached"
        assert get_reason(f"{server.url}&ssl_check_hostname=true") == "it could not be reached"
        for parameter in UNCHECKED:
            use(RedisStore(f"{server.url}&{parameter}"))


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ("", "True"),
        ("&ssl_check_hostname=", "True"),
        ("&ssl_cert_reqs=none", "False"),
        ("&ssl_check_hostname=no", "no"),
    ],
)
def test_the_check_of_the_name_does_not_depend_on_the_library(
    parameters: str, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls: list[str] = []

    def record(url: str, **_how: object) -> t.NoReturn:
        urls.append(url)
        raise redis.ConnectionError

    monkeypatch.setattr(redis.Redis, "from_url", record)
    get_reason(f"rediss://redis.test/0?db=1{parameters}")
    get_reason("redis://redis.test/0?db=1")
    assert [
        dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)).get("ssl_check_hostname") for url in urls
    ] == [
        sent,
        None,
    ]


def test_nothing_is_sent_to_a_server_of_another_name(tls_ca: trustme.CA, tmp_path: pathlib.Path) -> None:
    received = list[bytes]()
    tls_ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls_ca.issue_cert("other.test").configure_cert(context)

    def serve(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as encrypted:
            received.append(encrypted.recv(1000))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener], daemon=True)
        thread.start()
        url = f"rediss://:hunter2@127.0.0.1:{listener.getsockname()[1]}/0?ssl_ca_certs={tmp_path}/ca.pem"
        assert get_reason(url) == "it could not be reached"
        thread.join(PATIENCE_SECONDS)
    assert b"".join(received) == b""


@pytest.mark.parametrize("wrong", ["sentinel", "server"])
def test_sentinels_and_their_server_have_to_have_the_right_names(
    wrong: str, tls_ca: trustme.CA, tmp_path: pathlib.Path
) -> None:
    place = tmp_path / "sentinel"
    place.mkdir()
    names = {kind: "other.test" if kind == wrong else "127.0.0.1" for kind in ("sentinel", "server")}
    with (
        RedisServer(tmp_path, ca=tls_ca, name=names["server"]) as server,
        RedisSentinel(place, server, tls_ca, names["sentinel"]) as sentinel,
    ):
        assert get_reason(sentinel.url) == "it could not be reached"
        for parameter in UNCHECKED:
            use(RedisStore(f"{sentinel.url}&{parameter}"))


def test_a_sentinel_with_tls_leads_to_the_server(tls_ca: trustme.CA, tmp_path: pathlib.Path) -> None:
    place = tmp_path / "sentinel"
    place.mkdir()
    with RedisServer(tmp_path, ca=tls_ca) as server, RedisSentinel(place, server, tls_ca) as sentinel:
        use(RedisStore(sentinel.url))
        assert get_reason(sentinel.url.partition("&")[0]) == "it could not be reached", "its CA is unknown"


def rename(server: RedisServer, name: str, ca: trustme.CA, directory: pathlib.Path) -> None:
    """Have a running server use a certificate for another name."""
    certificate = ca.issue_cert(name)
    certificate.private_key_pem.write_to_path(str(directory / "renamed-key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(directory / "renamed.pem"))
    files = ("tls-key-file", directory / "renamed-key.pem", "tls-cert-file", directory / "renamed.pem")
    server.client.execute_command("CONFIG SET", *map(str, files))


def test_the_nodes_of_a_cluster_have_to_have_the_right_names(tls_ca: trustme.CA, tmp_path: pathlib.Path) -> None:
    with RedisCluster(tmp_path, tls_ca) as server:
        if int(redis.__version__.partition(".")[0]) < 6:
            with pytest.raises(InputError, match="can't verify the host names of a cluster"):
                open_store(server)
        else:
            use(open_store(server))
            rename(server, "other.test", tls_ca, tmp_path)
            assert get_reason(server.url) == "no node of the cluster could be reached"


@pytest.mark.parametrize("version", ["4.6.0", "5.3.1"])
def test_a_library_that_can_t_verify_a_cluster_is_refused(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "__version__", version)
    monkeypatch.setattr(socket, "getaddrinfo", fail_to_resolve)
    with pytest.raises(InputError, match=f"redis-py {version} can't verify the host names of a cluster") as refused:
        RedisStore(url := "rediss://:hunter2@redis.test/0?cluster=true")
    assert "pip install --upgrade 'redis>=6'" in refused.value.hint
    assert url not in str(refused.value)
    for url in ("redis://redis.test?cluster=true", "rediss://redis.test?cluster=true&ssl_check_hostname=false"):
        assert get_reason(url) == "no node of the cluster could be reached"


# --- failures ---------------------------------------------------------------------------------------------------


def show_everything(exc: BaseException) -> str:
    """Return all that could be printed of an exception."""
    return f"{exc!r} {exc.__dict__} {''.join(traceback.format_exception(exc))}"


def get_reason(url: str) -> str:
    """Return why a URL leads to no store, after a check that nothing shows a secret or where the server is."""
    with pytest.raises(OSError, match="Redis can't be used") as refused:
        RedisStore(url)
    text = show_everything(refused.value)
    assert not any(word in text for word in (PASSWORD, "made-up", "hunter2", "127.0.0.1"))
    assert refused.value.__context__ is None
    words = str(refused.value.strerror)
    assert words.startswith("Redis can't be used: ")
    assert words.endswith(". To fix it: Check the URL in cache, and the server.")
    return words.partition(": ")[2].partition(". To fix it")[0]


@pytest.mark.parametrize("credentials", [":hunter2@", "me:hunter2@", ""])
def test_a_wrong_password_is_named(credentials: str, redis_server: RedisServer) -> None:
    url = f"redis://{credentials}127.0.0.1:{redis_server.port}/0"
    assert get_reason(url) == "it refused the user name or password"


def test_a_server_that_is_down_is_named(tmp_path: pathlib.Path) -> None:
    with RedisServer(tmp_path) as server:
        pass
    assert get_reason(server.url) == "it could not be reached"


def test_a_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "_SOCKET_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert get_reason(f"redis://:hunter2@127.0.0.1:{silent.getsockname()[1]}") == "it did not respond in time"


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (FileNotFoundError(2, "No such file or directory", "/home/hunter2"), "No such file or directory"),
        (ssl.SSLError("hunter2"), "its certificates could not be read"),
    ],
)
def test_files_that_can_t_be_read_are_named(problem: OSError, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_url: str) -> t.NoReturn:
        raise problem

    monkeypatch.setattr(redis_store, "_open_client", fail)
    assert get_reason("rediss://redis.test") == words


def test_a_refused_command_is_named(redis_server: RedisServer) -> None:
    redis_server.client.execute_command("ACL SETUSER guest on >hunter2 -@all +client +hello +auth")
    try:
        assert get_reason(redis_server.url_with("hunter2").replace("//:", "//guest:")) == "it refused a command"
    finally:
        redis_server.client.execute_command("ACL DELUSER guest")


def test_a_server_that_ends_during_a_run_costs_no_token(tmp_path: pathlib.Path) -> None:
    with RedisServer(tmp_path) as server:
        store = open_store(server)
        store.write(NAME, b"content", keep_seconds=60)
        with store.lock(NAME, wait_seconds=0) as held:
            assert held
            server.stop()
    assert store.read(NAME) is None
    assert list(store.list_entries()) == []
    store.clear()
    with store.lock(NAME, wait_seconds=PATIENCE_SECONDS) as held:
        assert held, "there is nothing to wait for"
    with pytest.raises(OSError, match="could not be reached") as refused:
        store.write(NAME, b"content", keep_seconds=60)
    assert refused.value.strerror == "Redis: it could not be reached"
    assert "127.0.0.1" not in show_everything(refused.value)
    assert refused.value.__context__ is None
    assert PASSWORD not in repr(store)


INVALID_URLS = [
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


WITH_PASSWORD = [url.replace("//", "//me:hunter2@", 1) for url in INVALID_URLS if url]


@pytest.mark.parametrize("url", [*INVALID_URLS, *WITH_PASSWORD])
def test_an_invalid_url_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", fail_to_resolve)
    with pytest.raises((InputError, OSError)) as refused:
        RedisStore(url)
    assert "hunter2" not in show_everything(refused.value)
    assert refused.value.__context__ is None
    if isinstance(refused.value, InputError):
        assert refused.value.message == "cache is not a URL that redis-py understands."
        assert "rediss://" in refused.value.hint


def fail_to_resolve(*_args: object, **_how: object) -> None:
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
        patch.setattr(socket, "getaddrinfo", fail_to_resolve)
        for url in (f"redis:{rest}", f"rediss://{rest}"):
            with contextlib.suppress(InputError, OSError):
                RedisStore(url)


def test_a_missing_library_says_what_to_install_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "HAS_REDIS", False)
    with pytest.raises(MissingLibraryError, match="needs the Python package redis on the control node") as missing:
        RedisStore(url := "redis://:hunter2@redis.test")
    assert "On the control node, run: " in missing.value.hint
    assert "-m pip install redis" in missing.value.hint
    assert url not in str(missing.value)
