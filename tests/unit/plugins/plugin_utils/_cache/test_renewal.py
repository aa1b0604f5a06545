# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One caller requests a token for all, no caller waits while the old token is valid, and no token is used too long."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from processes import Channel, Forked, first_to_speak
from token_caches import KEY, NAME, Service, issue_token, open_cache, unpack, write_token

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import redis_store, renewal
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.redis_store import RedisStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import CacheKey

if t.TYPE_CHECKING:
    import pathlib

    from ansible_collections.entra.auth.plugins.module_utils._token import Token


class Later(t.Protocol):
    """The clocks of conftest.py."""

    seconds: float
    wall: float


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "cache")


@pytest.fixture
def store(directory: str) -> DirectoryStore:
    return DirectoryStore(directory)


def refuse(*_args: object, **_how: object) -> t.NoReturn:
    raise OSError(28, "No space left on device")


# --- two keys ---------------------------------------------------------------------------------------------------

WITH_CLAIMS = CacheKey(KEY.key + "claims")


def test_a_new_token_is_stored_for_the_key_it_replaces_too(store: DirectoryStore) -> None:
    service = Service()
    open_cache(store).get(KEY, service)
    assert unpack(open_cache(store).get(WITH_CLAIMS, service, replaces=KEY)) == ("token-2", "network")
    assert unpack(open_cache(store).get(KEY, service)) == ("token-2", "cache")
    assert unpack(open_cache(store).get(WITH_CLAIMS, service, replaces=KEY)) == ("token-2", "cache")


class LockWatcher(DirectoryStore):
    """A store that fails if an entry is written without its lock."""

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        with DirectoryStore(self.directory.path).lock(name, wait_seconds=0) as is_free:
            assert not is_free, f"{name} was written without its lock"
        super().write(name, content, keep_seconds=keep_seconds)


def test_each_entry_is_written_under_its_own_lock(store: DirectoryStore, directory: str) -> None:
    cached = open_cache(LockWatcher(directory)).get(WITH_CLAIMS, Service(), replaces=KEY)
    assert unpack(cached) == ("token-1", "network")
    assert unpack(open_cache(store).get(KEY, Service())) == ("token-1", "cache")


def test_a_key_that_another_caller_has_locked_is_left_to_that_one(store: DirectoryStore, clock: t.Any) -> None:
    with store.lock(NAME, wait_seconds=0):
        assert unpack(open_cache(store, wait=5).get(WITH_CLAIMS, Service(), replaces=KEY)) == ("token-1", "network")
    assert 0.4 <= sum(clock.slept) <= 0.6
    assert store.read(NAME) is None


# --- time -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, ("token-1", "cache")),
        (3200, ("token-1", "cache")),
        (3270, ("token-2", "network")),
        (3400, ("token-2", "network")),
        (4000, ("token-2", "network")),
    ],
)
def test_a_token_is_renewed_before_it_expires(
    age: float, expected: tuple[str, str], store: DirectoryStore, later: Later
) -> None:
    service = Service()
    open_cache(store).get(KEY, service)
    later.seconds = age
    assert unpack(open_cache(store).get(KEY, service)) == expected
    assert unpack(open_cache(store).get(KEY, service)) == (expected[0], "cache")


@pytest.mark.parametrize(
    ("wall", "expected"), [(-1e6, ("token-1", "cache")), (3100, ("token-1", "cache")), (1e6, ("token-2", "network"))]
)
def test_a_changed_clock_drops_no_token(
    wall: float, expected: tuple[str, str], store: DirectoryStore, later: Later
) -> None:
    service = Service()
    open_cache(store).get(KEY, service)
    later.wall = wall
    warnings: list[str] = []
    cached = open_cache(store, warn=warnings.append).get(KEY, Service(fails=True))
    assert unpack(cached) == ("token-1", "cache")
    assert bool(warnings) is (expected[1] == "network"), "it was to be renewed, and is used while that fails"
    later.seconds = 61
    assert unpack(open_cache(store).get(KEY, service)) == expected


def test_a_clock_that_was_set_back_prolongs_no_token(store: DirectoryStore, later: Later) -> None:
    service = Service()
    open_cache(store).get(KEY, service)
    later.seconds, later.wall = 3600, -1e6
    assert unpack(open_cache(store).get(KEY, service)) == ("token-2", "network")


@pytest.mark.parametrize("age", [3270, 3290])
def test_no_caller_waits_for_a_renewal_while_the_old_token_is_valid(
    age: float, store: DirectoryStore, later: Later
) -> None:
    service = Service()
    open_cache(store).get(KEY, service)
    later.seconds = age
    during_the_renewal: list[tuple[str, str]] = []

    def renew() -> Token:
        during_the_renewal.append(unpack(open_cache(store).get(KEY, service)))
        return service()

    assert unpack(open_cache(store).get(KEY, renew)) == ("token-2", "network")
    assert during_the_renewal == [("token-1", "cache")]


@pytest.mark.parametrize("age", [3310, 3700])
def test_the_renewal_of_a_token_that_is_not_used_is_waited_for(
    age: float, store: DirectoryStore, later: Later, clock: t.Any
) -> None:
    service = Service()
    open_cache(store).get(KEY, service)
    later.seconds = age
    others: list[tuple[str, str]] = []

    def renew() -> Token:
        others.append(unpack(open_cache(store, wait=2).get(KEY, service)))
        return service()

    open_cache(store).get(KEY, renew)
    assert others == [("token-2", "network")], "after the wait it requests its own"
    assert 1 <= sum(clock.slept) <= 2.1


class RenewedByAnother(DirectoryStore):
    """A store in which another caller writes a new token while the lock is waited for."""

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        write_token(self, "of-another")
        return super().lock(name, wait_seconds=wait_seconds)


@pytest.mark.parametrize("age", [0, 3310, 3700])
def test_the_token_that_another_caller_got_during_the_wait_is_taken(
    age: float, store: DirectoryStore, directory: str, later: Later
) -> None:
    service = Service()
    if age:
        open_cache(store).get(KEY, service)
    later.seconds = age
    cached = open_cache(RenewedByAnother(directory), wait=1).get(KEY, service)
    assert unpack(cached) == ("of-another", "cache")
    assert service.requests == (1 if age else 0)


# --- failures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("age", [3270, 3310, 3590])
def test_a_failed_renewal_is_a_warning_while_the_old_token_is_valid(
    age: float, store: DirectoryStore, later: Later
) -> None:
    warnings: list[str] = []
    first = open_cache(store).get(KEY, Service())
    later.seconds = age
    cached = open_cache(store, warn=warnings.append).get(KEY, Service(fails=True))
    assert unpack(cached) == ("token-1", "cache")
    until = f"is used until it expires at {first.token.expires_at}"
    assert warnings == [f"A token could not be renewed and {until}. The service is away."]


def test_a_failed_renewal_of_an_expired_token_is_an_error(store: DirectoryStore, later: Later) -> None:
    open_cache(store).get(KEY, Service())
    later.seconds = 3601
    with pytest.raises(NetworkError, match="The service is away"):
        open_cache(store).get(KEY, Service(fails=True))


def test_a_failed_first_request_is_an_error_and_releases_the_lock(store: DirectoryStore, later: Later) -> None:
    with pytest.raises(NetworkError, match="The service is away"):
        open_cache(store).get(KEY, Service(fails=True))
    later.seconds = 31
    assert unpack(open_cache(store, wait=0).get(KEY, Service())) == ("token-1", "network")


def test_a_store_that_can_t_be_written_is_a_warning(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(DirectoryStore, "write", refuse)
    cached = open_cache(store, warn=warnings.append).get(KEY, Service())
    assert unpack(cached) == ("token-1", "network")
    assert warnings == [
        "A token could not be stored in the cache: No space left on device. The next caller requests its own."
    ]


# --- force ------------------------------------------------------------------------------------------------------


def test_force_ignores_the_cache_and_replaces_the_entry(store: DirectoryStore) -> None:
    service = Service()
    open_cache(store).get(KEY, service)
    assert unpack(open_cache(store).get(KEY, service, force=True)) == ("token-2", "network")
    assert unpack(open_cache(store).get(KEY, service)) == ("token-2", "cache")


def test_force_that_fails_is_an_error_and_keeps_the_entry(store: DirectoryStore) -> None:
    open_cache(store).get(KEY, Service())
    with pytest.raises(NetworkError, match="The service is away"):
        open_cache(store).get(KEY, Service(fails=True), force=True)
    assert unpack(open_cache(store).get(KEY, Service(fails=True))) == ("token-1", "cache")


class TellsThatItWaits(DirectoryStore):
    """A store that says when it begins to wait for a lock."""

    channel: Channel

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        self.channel.say("waiting")
        return super().lock(name, wait_seconds=wait_seconds)


@pytest.mark.parametrize("is_cached", [False, True])
def test_force_takes_the_token_that_another_caller_requested_after_the_call(
    is_cached: bool, store: DirectoryStore, directory: str
) -> None:
    if is_cached:
        open_cache(store).get(KEY, Service())

    def work(channel: Channel) -> None:
        waiting = TellsThatItWaits(directory)
        waiting.channel = channel
        channel.hear()
        channel.say(unpack(open_cache(waiting).get(KEY, Service(), force=True)))

    with Forked(work) as forcing:
        with store.lock(NAME, wait_seconds=30):
            forcing.say("go")
            assert forcing.hear() == "waiting"
            write_token(store, "newer")
        assert forcing.hear() == ("newer", "cache")


# --- many processes ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["directory", "redis"])
def shared(request: pytest.FixtureRequest, directory: str) -> t.Callable[[], Stores]:
    """Opens stores as another process would; tokens are shared by all, the run is the same."""
    if request.param == "directory":
        return lambda: Stores(DirectoryStore(directory), DirectoryStore(directory))
    url = request.getfixturevalue("redis_server").url
    return lambda: Stores(RedisStore(url), DirectoryStore(directory))


def get_together(
    shared: t.Callable[[], Stores], answer: t.Callable[[], Token], number: int = 6
) -> list[tuple[str, str]]:
    """Return what so many processes get at the same time, of which only one may send a request."""
    shared()

    def work(channel: Channel) -> None:
        def request() -> Token:
            channel.say("requested")
            channel.hear()
            return answer()

        channel.hear()
        try:
            channel.say(unpack(open_cache(shared()).get(KEY, request)))
        except NetworkError as exc:
            channel.say((exc.message, "shared" if exc.from_cache else "own"))

    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(Forked(work)) for _dummy in range(number)]
        for process in processes:
            process.say("go")
        requesting = first_to_speak(processes)
        assert requesting.hear() == "requested"
        assert all(process.is_silent() for process in processes if process is not requesting)
        requesting.say("answer")
        return sorted(process.hear() for process in processes)


def test_any_number_of_processes_send_one_request(shared: t.Callable[[], Stores]) -> None:
    assert get_together(shared, Service()) == [("token-1", "cache")] * 5 + [("token-1", "network")]


def test_any_number_of_processes_meet_one_failure(shared: t.Callable[[], Stores]) -> None:
    answers = get_together(shared, Service(fails=True))
    assert answers == [("The service is away.", "own")] + [("The service is away.", "shared")] * 5


def test_after_a_crash_of_the_requesting_process_the_next_one_sends_the_request(
    shared: t.Callable[[], Stores], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "_LOCK_SECONDS", 0.3)

    def work(channel: Channel) -> None:
        def request() -> Token:
            channel.say("requested")
            channel.hear()
            raise AssertionError("it is killed before")

        open_cache(shared()).get(KEY, request)

    with Forked(work) as requesting:
        assert requesting.hear() == "requested"
        requesting.kill()
        assert unpack(open_cache(shared()).get(KEY, Service())) == ("token-1", "network")


def test_a_process_that_hangs_is_waited_for_no_longer_than_wait_seconds(
    store: DirectoryStore, directory: str, clock: t.Any
) -> None:
    def work(channel: Channel) -> None:
        def request() -> Token:
            channel.say("requested")
            channel.hear()
            return issue_token("late")

        channel.say(unpack(open_cache(DirectoryStore(directory)).get(KEY, request)))

    with Forked(work) as hanging:
        assert hanging.hear() == "requested"
        hanging.freeze()
        service = Service()
        assert unpack(open_cache(store, wait=45).get(KEY, service)) == ("token-1", "network")
        assert 44 <= sum(clock.slept) <= 45.1
        assert unpack(open_cache(store, wait=45).get(KEY, service)) == ("token-1", "cache"), "without another wait"
        assert sum(clock.slept) <= 45.1
        hanging.thaw()
        hanging.say("answer")
        assert hanging.hear() == ("late", "network")
    assert open_cache(store).get(KEY, Service(fails=True)).source == "cache"


def test_one_of_many_renews_and_the_others_use_the_old_token(
    store: DirectoryStore, directory: str, later: Later
) -> None:
    open_cache(store).get(KEY, Service())
    later.seconds = 3280

    def work(channel: Channel) -> None:
        def request() -> Token:
            channel.say("requested")
            channel.hear()
            return issue_token("renewed")

        channel.say(unpack(open_cache(DirectoryStore(directory)).get(KEY, request)))

    with Forked(work) as renewing:
        assert renewing.hear() == "requested"
        service = Service()
        assert [unpack(open_cache(store).get(KEY, service)) for _dummy in range(5)] == [("token-1", "cache")] * 5
        assert service.requests == 0
        renewing.say("answer")
        assert renewing.hear() == ("renewed", "network")
    assert unpack(open_cache(store).get(KEY, Service())) == ("renewed", "cache")


# --- warm path --------------------------------------------------------------------------------------------------


def test_a_hit_needs_nothing_of_this_file(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    open_cache(store).get(KEY, Service())
    monkeypatch.setattr(renewal, "Renewal", lambda *_args, **_how: pytest.fail("a hit renews"))
    assert unpack(open_cache(store).get(KEY, Service())) == ("token-1", "cache")
