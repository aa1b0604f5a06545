# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A co-tenant of a Redis server writes into the shared cache, and a server in its place collects passwords."""

from __future__ import annotations

import ssl
import typing as t

import pytest
import redis
import trustme
from attacks.attacker import expect_none, get_end
from redis_server import RedisServer

from plays import show

if t.TYPE_CHECKING:
    from attacks.attacker import Attack, Task

AUTH: t.Final = "entra.auth.app_token"
_FLOOD_BYTES: t.Final = 100 << 20
_ENOUGH_BYTES: t.Final = 8 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[RedisServer]:
    """A Redis server that takes large values."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


def get(name: str, **options: t.Any) -> Task:
    """Get a token and go on if that fails."""
    return {"name": name, AUTH: options, "register": "token", "ignore_errors": True}


def test_no_password_goes_to_a_server_of_another_name(attack: Attack) -> None:
    """Its certificate is of the very CA that is trusted; only the name in it is another."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(attack.directory / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("elsewhere.example").configure_cert(tls)
    servers = {}
    for way, query in {"plain": "", "sentinel": "&sentinel=main", "cluster": "&cluster=true"}.items():
        server = servers[way] = attack.listen(lambda _sent: b"-ERR no\r\n", tls=tls)
        place = f"127.0.0.1:{server.port}/0?ssl_ca_certs={attack.directory}/ca.pem{query}"
        cache = f"rediss://:attackRedisPassword0123456789@{place}"
        # An app each, because the run's own cache takes the place of a server that is refused.
        app = attack.emulator.add_app(secret=attack.emulator.client_secret)["client_id"]
        attack.add_host(way, app_token_cache=cache, app_token_client_id=str(app))
    play = attack.run([{"tasks": [get("Get"), show(token="token.source | default('none')")]}])
    for way, server in servers.items():
        # redis-py before 6 can't verify the names in a cluster, so it is not used for one at all.
        is_refused = way == "cluster" and int(redis.__version__.split(".")[0]) < 6
        assert bool(server.connections) != is_refused, play.output
        assert server.received == b"", way
        assert play.shown(way) == {"token": "none" if is_refused else "network"}, way


def test_what_a_co_tenant_writes_is_bounded_and_never_served(attack: Attack, server: RedisServer) -> None:
    """Values without end, locks without end, and entries of others."""
    server.clear()
    attack.add_host("victim")
    emulator = attack.emulator
    options = {"cache": server.url, "timeout": 2, "retry_for": 2}
    own = str(emulator.add_app(secret=emulator.client_secret)["client_id"])
    mine = [get("Own", client_id=own, **options), show(client="token.client_id", source="token.source")]
    first = attack.run([{"tasks": [get("Other", **options), *mine]}])
    assert first.shown("victim") == {"client": own, "source": "network"}, first.output
    entries = server.contents()
    assert len(entries) >= 2
    # The attacker knows the names in the store, and the name of a lock by that of its entry.
    for name in entries:
        server.client.set(name, b"x" * _FLOOD_BYTES)
        server.client.set(f"{name}.lock", "attacker")
    before = _sent_bytes(server)
    flooded = attack.run([{"tasks": mine}])
    assert flooded.shown("victim") == {"client": own, "source": "network"}, flooded.output
    assert _sent_bytes(server) - before < _ENOUGH_BYTES
    server.clear()
    for name, content in entries.items():
        server.client.set(name, next(other for other in entries.values() if other != content))
    swapped = attack.run([{"tasks": mine}])
    assert swapped.shown("victim") == {"client": own, "source": "network"}, swapped.output


def _sent_bytes(server: RedisServer) -> int:
    return int(t.cast("dict[str, t.Any]", server.client.info("stats"))["total_net_output_bytes"])


def test_an_entry_that_is_put_back_ends_with_its_token(attack: Attack, server: RedisServer) -> None:
    """An older entry may be served to the holder of the credential, but no longer than its token is valid."""
    server.clear()
    attack.add_host("victim")
    attack.emulator.configure(token_lifetime=2)
    options = {"cache": server.url}
    first = attack.run([{"tasks": [get("First", **options), show(token="token.access_token | hash('sha256')")]}])
    kept = server.contents()
    attack.emulator.configure(token_lifetime=3600)
    for name, content in kept.items():
        server.client.set(name, content)
    wait: Task = {"name": "Wait", "ansible.builtin.wait_for": {"timeout": 2}}
    later = attack.run([{"tasks": [wait, get("Later", **options), show(token="token.access_token | hash('sha256')")]}])
    assert kept
    assert later.shown("victim")["token"] != first.shown("victim")["token"]


def test_a_key_that_can_be_guessed_is_refused(attack: Attack, server: RedisServer) -> None:
    """Whoever reads the store could try them all."""
    server.clear()
    attack.add_host("victim")
    keys = {"pin": "4711", "word": "password", "short": "x" * 31}
    environment = attack.emulator.managed_identity_environment("app_service")
    options = {"credential": "managed_identity", "cache": server.url}
    tasks = [get(name, cache_key=key, **options) for name, key in keys.items()]
    play = attack.run([{"tasks": tasks}], env=environment)
    expect_none({name: "taken" for name in keys if get_end(play, name, "victim") != "failed"})
    assert "32" in play.result("pin", "victim")["msg"]
    assert not server.contents()
