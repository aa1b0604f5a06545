# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that are killed, or that hang, while they have the cache in hand."""

from __future__ import annotations

import base64
import collections
import contextlib
import json
import os
import random
import signal
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from cache_tasks import LOOKUP, USERS, gaps, get, open_to_others
from leaks import Markers
from light_runs import LightRuns, is_ended, open_files

from plays import Plays, show, uri, wait_until

if t.TYPE_CHECKING:
    from light_runs import LightRun

    from entra_emulator.client import Emulator

_SECRET: t.Final = "made-up~secret-of-victims"
# Longer than anything here may last.
_EVER: t.Final = 1200


def test_a_killed_run_leaves_nothing_readable(plays: Plays, emulator: Emulator) -> None:
    """SIGKILL while a token is cached and another one asked for; the next run works."""
    emulator.fault("slow", seconds=60, after=1)
    tasks = [get(), show(token="token.access_token"), get("arm", scope="arm")]
    with plays.start([{"tasks": tasks}], env={"ENTRA_AUTH_TIMEOUT": "60"}) as running:
        wait_until(lambda: len(emulator.token_requests()) == 2)
        killed = running.kill(then=emulator.forget_faults)
    token = killed.shown()["token"]
    left = [path for path in plays.home.rglob("entra_auth/*") if path.suffix != ".lock" and path.is_file()]
    assert left, "nothing was left to search"
    assert Markers({"token": token, "secret": emulator.client_secret}).in_tree(plays.home) == []
    assert open_to_others(left[0].parent) == []
    for path in left:
        assert not any(name in path.name for name in (emulator.tenant_id, emulator.client_id, "graph", "contoso"))
    play = plays.run([{"tasks": [*tasks[:2], uri(USERS, f"{LOOKUP}, output='uri')")]}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown()["token"] != token
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [200]


@pytest.fixture(params=["user", "redis"])
def cache(request: pytest.FixtureRequest) -> str:
    """What the option cache is in a test of both."""
    return "user" if request.param == "user" else request.getfixturevalue("redis_server").url


def test_the_others_go_on_when_the_one_that_asks_is_killed(plays: Plays, emulator: Emulator, cache: str) -> None:
    """Its lock is free at once, in Redis after some seconds: one of them asks in its place, the rest read."""
    emulator.fault("slow", seconds=_EVER)
    call = {"cache": cache, "timeout": _EVER}
    with LightRuns(plays) as runs:
        holding = runs.start(call, workers=1)
        wait_until(emulator.token_requests)
        others = runs.start(call, workers=3)
        wait_until(lambda: all(map(_waits, others.workers)))
        assert len(emulator.token_requests()) == 1
        holding.kill()
        sources = [got[0]["source"] for got in others.finish()]
    assert sorted(sources) == ["cache", "cache", "network"]
    assert len(emulator.token_requests()) == 2
    assert gaps(emulator.token_requests())[0] < _EVER / 2


def test_the_others_go_on_without_the_one_that_hangs(plays: Plays, emulator: Emulator, cache: str) -> None:
    """Stopped during its request, it is waited for no longer than timeout and retry_for say, and once for all."""
    # In Redis the wait has to be longer than the six seconds of a lock.
    timeout = 3 if cache == "user" else 8
    emulator.fault("slow", seconds=timeout + 1)
    call = {"cache": cache, "timeout": timeout, "retry_for": 0}
    with LightRuns(plays) as runs:
        hanging = runs.start(call, workers=1)
        wait_until(emulator.token_requests)
        os.kill(hanging.workers[0], signal.SIGSTOP)
        others = runs.start(call, call, workers=5)
        sources = [[one["source"] for one in got] for got in others.finish()]
        assert all(later == "cache" for _first, later in sources)
        sent = emulator.token_requests()
        # A lock in Redis expires sooner than that, and then one of them sends the request for all.
        assert len(sent) == 2 if cache != "user" else 2 <= len(sent) <= 6
        assert timeout / 2 <= gaps(sent)[0] <= 60
        # When it wakes up it gets its token or a timeout, and changes nothing for the others.
        os.kill(hanging.workers[0], signal.SIGCONT)
        hanging.finish()
        assert [got["source"] for got in runs.get({"cache": cache})] == ["cache"]


def _waits(pid: int) -> bool:
    """Whether a worker has come as far as the lock: it has the file open, or is connected to Redis."""
    return any(name.endswith(".lock") or name.startswith("socket:") for name in open_files(pid))


# --- at any moment ----------------------------------------------------------------------------------------------

_FATES: t.Final = ("run", "asking", "waiting")
_AT_A_TIME: t.Final = 4
# A request takes 0.4 seconds.
_POLL_SECONDS: t.Final = 0.01


class _Strike(t.NamedTuple):
    """When a run is struck, as a part of its duration, and what of it is to be killed if there is such a thing."""

    moment: float
    wish: str


class _Victim:
    """A run with three workers that all want a new token; it or one of them is killed."""

    def __init__(self, runs: LightRuns, emulator: Emulator, **options: str) -> None:
        self._runs = runs
        self._port = int(emulator.urls.login.rpartition(":")[2])
        self._options = options
        self._run = _start_workers(runs, options)

    def strike(self, wish: str) -> str:
        """Kill the run, or a worker that is asking or waiting if there is one; which of them it was."""
        asking = self._wait_for_request() if wish == "asking" else self._asking()
        alive = self._alive()
        if wish == "run" and alive:
            self._run.kill()
            return "run"
        waiting = [pid for pid in alive if pid not in asking]
        for fate, pids in sorted({"asking": asking, "waiting": waiting}.items(), key=lambda item: item[0] != wish):
            for pid in pids:
                # It may have ended just now.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    return fate
        return "ended"

    def begin_next(self) -> None:
        """Start a run like the one that was struck."""
        self._next = self._runs.start(self._options)

    def tokens(self) -> set[str]:
        """What both of them got, once they have ended; none got an error."""
        got = [one for some in (*self._run.finish(), *self._next.finish()) for one in some]
        assert [one["error"] for one in got if "error" in one] == []
        assert len(self._next.finish()[0]) == 1, "the next run got no token"
        assert {_payload(one["access_token"])["appid"] for one in got} == {self._options["client_id"]}
        return {one["access_token"] for one in got}

    def _wait_for_request(self) -> list[int]:
        """Return the workers that are asking once there are some, or none when all have ended."""
        while self._alive():
            if asking := self._asking():
                return asking
            time.sleep(_POLL_SECONDS)
        return []

    def _alive(self) -> list[int]:
        return [pid for pid in self._run.workers if not is_ended(pid)]

    def _asking(self) -> list[int]:
        """The workers that have a connection to the token endpoint."""
        # Compared as text, because a busy machine has thousands of connections, and a request is over soon.
        peer = f":{self._port:04X} "
        connections = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines() if peer in line]
        inodes = {fields[9] for fields in connections if fields[2].endswith(peer.strip())}
        sockets = {f"socket:[{inode}]" for inode in inodes}
        return [pid for pid in self._run.workers if not sockets.isdisjoint(open_files(pid))]


def _start_workers(runs: LightRuns, options: dict[str, str]) -> LightRun:
    forced = {**options, "force_refresh": True}
    return runs.start(forced, forced, options, workers=3)


class _Killer:
    """Strikes each victim at its moment, whatever it waits for with another one.

    The duration of a run is that of one that is left alone, or less once another one has ended sooner: on a machine
    that was busy then, most moments would come too late.
    """

    def __init__(self, runs: LightRuns, emulator: Emulator, client_id: str) -> None:
        self._runs = runs
        self._emulator = emulator
        self._lock = threading.Lock()
        self.fates: collections.Counter[str] = collections.Counter()
        began = time.monotonic()
        _start_workers(runs, {"client_id": client_id}).finish()
        self._seconds = time.monotonic() - began

    def kill(self, strike: _Strike, client_id: str) -> _Victim:
        """Start a victim and strike it; several threads may do so at once."""
        with self._lock:
            victim = _Victim(self._runs, self._emulator, client_id=client_id)
        began = time.monotonic()
        time.sleep(strike.moment * self._seconds)
        fate = victim.strike(strike.wish)
        with self._lock:
            self.fates[fate] += 1
            if fate == "ended":
                self._seconds = min(self._seconds, time.monotonic() - began)
        return victim


def _deal_strikes(rounds: int, rolls: random.Random) -> list[_Strike]:
    """Return strikes in random order: one for each part of a run's duration, and each fate as often.

    Pure chance would leave some parts out, and some fates, unless there are many more rounds.
    """
    strikes = [_Strike((number + rolls.random()) / rounds, _FATES[number % len(_FATES)]) for number in range(rounds)]
    rolls.shuffle(strikes)
    return strikes


@pytest.mark.parametrize(
    ("cache", "rounds", "at_once"),
    [
        ("user", 52, 13),
        ("redis", 40, 20),
        pytest.param("user", 143, 13, marks=pytest.mark.thorough),
        pytest.param("redis", 60, 20, marks=pytest.mark.thorough),
    ],
    indirect=["cache"],
)
def test_killed_at_random_moments(
    plays: Plays, emulator: Emulator, cache: str, rounds: int, at_once: int, request: pytest.FixtureRequest
) -> None:
    """Holders, waiters and whole runs: the rest get good tokens, so does the next run, and nothing readable is left."""
    seed = random.SystemRandom().getrandbits(32)
    print("seed:", seed)  # seen when the test fails
    rolls = random.Random(seed)  # noqa: S311 - has to be repeatable
    emulator.configure(latency=0.4)
    apps = [emulator.add_app(secret=_SECRET)["client_id"] for _number in range(at_once)]
    tokens: set[str] = set()
    with LightRuns(plays, ENTRA_AUTH_CLIENT_SECRET=_SECRET, ENTRA_AUTH_CACHE=cache) as runs:
        killer = _Killer(runs, emulator, client_id=apps[0])
        strikes = _deal_strikes(rounds, rolls)
        for first in range(0, rounds, at_once):
            with ThreadPoolExecutor(_AT_A_TIME) as pool:
                victims = list(pool.map(killer.kill, strikes[first : first + at_once], apps))
            for victim in victims:
                victim.begin_next()
            tokens = tokens.union(*(victim.tokens() for victim in victims))
    print(killer.fates)
    assert min(killer.fates[fate] for fate in _FATES) >= rounds / 20, killer.fates
    assert _refused(emulator, tokens) == []
    markers = Markers({"secret": _SECRET, **{f"token {number}": token for number, token in enumerate(tokens)}})
    assert _assert_private(plays.directory, markers), "no run had begun"
    if cache != "user":
        server = request.getfixturevalue("redis_server")
        for key, content in server.contents().items():
            assert markers.in_text(content, key) == []
            assert server.client.pttl(key) > 0, f"{key} would be stored for ever"


def _assert_private(directory: Path, markers: Markers) -> int:
    """Check that nothing in the cache directories below is for others to read; return how many there are."""
    caches = [path for path in directory.rglob("entra_auth") if path.is_dir()]
    for cache in caches:
        assert open_to_others(cache) == []
        assert markers.in_tree(cache) == []
    return len(caches)


def _refused(emulator: Emulator, tokens: set[str]) -> list[int]:
    """The answers of the API to tokens that it does not take."""
    emulator.configure(latency=0)
    with requests.Session() as session:
        session.verify = emulator.ca
        session.trust_env = False
        url = f"{emulator.urls.api}/v1.0/organization"
        answers = [session.get(url, headers={"Authorization": f"Bearer {token}"}).status_code for token in tokens]
    return [status for status in answers if status == 401]


def _payload(token: str) -> dict[str, t.Any]:
    payload = token.split(".")[1]
    return t.cast("dict[str, t.Any]", json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def test_five_playbooks_killed_at_random_moments(tmp_path: Path, emulator: Emulator) -> None:
    """They share a cache, in which they leave nothing that another user could read; the next one works."""
    seed = random.SystemRandom().getrandbits(32)
    print("seed:", seed)  # seen when the test fails
    rolls = random.Random(seed)  # noqa: S311 - has to be repeatable
    emulator.configure(latency=0.3)
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "ENTRA_AUTH_CACHE": "user"}
    forced = get(force_refresh=True)
    places = [tmp_path / str(number) for number in range(6)]
    for place in places:
        place.mkdir()
    with contextlib.ExitStack() as stack:
        runs = [
            stack.enter_context(Plays(place, emulator).start([{"tasks": [forced] * 100}], hosts=3, env=env))
            for place in places[:5]
        ]
        wait_until(emulator.token_requests)
        for running in runs:
            time.sleep(rolls.uniform(0, 0.5))
            assert running.kill().returncode == -signal.SIGKILL, "it had ended before"
    tasks = [get(), show(token="token.access_token")]
    play = Plays(places[5], emulator).run([{"tasks": tasks}], record=True, env=env)
    assert play.returncode == 0, play.output
    token = play.shown()["token"]
    assert _refused(emulator, {token}) == []
    markers = Markers({"token": token, "secret": emulator.client_secret})
    assert _assert_private(tmp_path, markers) > 1, "no run had begun"
