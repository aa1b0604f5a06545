# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the plugins share: a bare environment, a clock that need not be waited for, the emulator."""

from __future__ import annotations

import os
import re
import time
import typing as t

import certificates
import pytest
import trustme
from redis_server import RedisServer

from ansible_collections.entra.auth.plugins.plugin_utils._cache import stores

if t.TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from entra_emulator.client import Emulator

# What would reach into a test from the machine it runs on.
_FOREIGN = re.compile(
    r"ANSIBLE_|AZURE|ARM_|ENTRA_AUTH_|IDENTITY_|IMDS_|MSI_|ACTIONS_ID_TOKEN|SYSTEM_OIDC|SYSTEM_ACCESSTOKEN"
    r"|DEFAULT_IDENTITY_|XDG_|NETRC|(HTTPS?|ALL|NO)_PROXY|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|SSL_CERT",
    re.IGNORECASE,
)


class Clock:
    """This machine's clock, except that ``time.sleep`` only moves it on; ``slept`` are the seconds of each sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._ahead = 0.0
        self._time, self._monotonic, self._clock_gettime = time.time, time.monotonic, time.clock_gettime

    def time(self) -> float:
        """Seconds since the epoch."""
        return self._time() + self._ahead

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return self._monotonic() + self._ahead

    def clock_gettime(self, clk_id: int) -> float:
        """Seconds by any of the system's clocks."""
        return self._clock_gettime(clk_id) + self._ahead

    def sleep(self, seconds: float) -> None:
        """Passes at once."""
        self.slept.append(seconds)
        self._ahead += seconds


class Later:
    """This machine's clocks some ``seconds`` later; that of the wall was set ``wall`` seconds ahead, too."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.wall = 0.0
        self._time, self._monotonic, self._clock_gettime = time.time, time.monotonic, time.clock_gettime

    def time(self) -> float:
        """Seconds since the epoch."""
        return self._time() + self.seconds + self.wall

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return self._monotonic() + self.seconds

    def clock_gettime(self, clk_id: int) -> float:
        """Seconds by a clock that nobody sets."""
        return self._clock_gettime(clk_id) + self.seconds


class Messages:
    """What a user was told, by the name of the method; stands in for Ansible's Display."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []
        self.verbosity = 4

    def __getattr__(self, channel: str) -> t.Callable[..., None]:
        return lambda msg, **_how: self.shown.append((channel, msg))

    def on(self, channel: str) -> list[str]:
        """What went to one channel."""
        return [msg for name, msg in self.shown if name == channel]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No variable of this machine, and nobody's home."""
    for name in list(os.environ):
        if _FOREIGN.match(name):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Nothing in this test waits."""
    clock = Clock()
    for name in ("time", "monotonic", "clock_gettime", "sleep"):
        monkeypatch.setattr(time, name, getattr(clock, name))
    return clock


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Time passes when the test says so."""
    later = Later()
    for name in ("time", "monotonic", "clock_gettime"):
        monkeypatch.setattr(time, name, getattr(later, name))
    return later


@pytest.fixture
def messages() -> Messages:
    """A recorder of what the user is told."""
    return Messages()


@pytest.fixture
def run_directory(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Where what belongs to a run of Ansible lies: a new one, as if a run had just begun."""
    path = tmp_path / "run"
    path.mkdir(0o700)
    monkeypatch.setattr(stores, "_RUN_DIRECTORY", str(path))
    return path


@pytest.fixture
def reader(emulator: Emulator, run_directory: pathlib.Path) -> dict[str, t.Any]:
    """Options with which the emulator's reader gets a token for Graph, in a new run."""
    return {
        "tenant_id": emulator.tenant_id,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "authority": emulator.urls.login,
        "ca_path": emulator.ca,
        "retry_for": 0,
    }


@pytest.fixture(scope="session")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server's process."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_server(running_redis: RedisServer) -> RedisServer:
    """A Redis server with nothing in it."""
    running_redis.clear()
    return running_redis


@pytest.fixture(scope="session")
def tls_ca() -> trustme.CA:
    """A CA for the servers of tests."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca() -> certificates.Issued:
    """A CA of nobody."""
    return certificates.issue("Nobody's CA")


@pytest.fixture(scope="session")
def leaf(ca: certificates.Issued) -> certificates.Issued:
    """A certificate of that CA."""
    return certificates.issue("app", issuer=ca)


@pytest.fixture(scope="session")
def other(ca: certificates.Issued) -> certificates.Issued:
    """Another one of that CA, with another key."""
    return certificates.issue("other app", issuer=ca)
