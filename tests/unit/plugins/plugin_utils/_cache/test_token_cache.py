# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request for everybody, no wait for a renewal while the old token serves, and no token too late."""

from __future__ import annotations

import contextlib
import json
import pathlib
import time
import typing as t

import pytest
from processes import Channel, Forked, first_to_speak
from token_caches import HOUR, KEY, NAME, SUBJECT, Service, got, on, put, token

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import redis_store
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher, read_metadata
from ansible_collections.entra.auth.plugins.plugin_utils._cache.redis_store import RedisStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import NoStore, Stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import CacheKey

if t.TYPE_CHECKING:
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Store
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import TokenCache


class Later(t.Protocol):
    """The clocks of conftest.py."""

    seconds: float
    wall: float


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "cache")


def cache(
    directory: str | None, credential: str = "secret", *, wait: float = 30, warn: t.Callable[[str], None] = print
) -> TokenCache:
    store: Store = DirectoryStore(directory) if directory else NoStore()
    return on(store, credential, wait=wait, warn=warn)


def test_a_token_is_asked_for_once_and_kept(directory: str) -> None:
    service = Service()
    assert got(cache(directory).get(SUBJECT, service)) == ("token-1", "network")
    assert got(cache(directory).get(SUBJECT, service)) == ("token-1", "cache")
    assert service.requests == 1


def test_subjects_and_secrets_are_apart(directory: str) -> None:
    service = Service()
    tokens = [
        cache(directory).get(SUBJECT, service),
        cache(directory).get(CacheKey(KEY + "other"), service),
        cache(directory, "other secret").get(SUBJECT, service),
    ]
    assert [got(token) for token in tokens] == [(f"token-{number}", "network") for number in (1, 2, 3)]


def test_nothing_in_the_cache_tells_a_token_a_subject_or_a_secret(directory: str) -> None:
    cache(directory).get(SUBJECT, Service())
    for path in pathlib.Path(directory).iterdir():
        content = path.read_bytes() + path.name.encode()
        assert not any(word in content for word in (b"token", b"login.test", b"secret", b"client"))


def test_without_a_store_everybody_asks() -> None:
    service = Service()
    assert [got(cache(None).get(SUBJECT, service)) for _dummy in range(2)] == [
        ("token-1", "network"),
        ("token-2", "network"),
    ]


def test_what_a_token_is_for_can_be_read_where_that_is_wanted_and_no_more(directory: str) -> None:
    store = DirectoryStore(directory)
    service = Service()
    cached = on(store).get(CacheKey(KEY, {"scope": "s", "client_id": "c"}), service)
    assert read_metadata(store.read(NAME) or b"") == {
        "scope": "s",
        "client_id": "c",
        "expires_at": cached.token.expires_at,
    }
    on(store).get(SUBJECT, service, force=True)
    assert read_metadata(store.read(NAME) or b"") == {}


def test_an_entry_is_kept_for_as_long_as_its_token_lives(directory: str) -> None:
    cache(directory).get(SUBJECT, Service(lifetime=1000))
    assert entry(directory).stat().st_mtime == pytest.approx(time.time() + 1000, abs=30)


def test_a_new_token_is_kept_for_what_it_replaces_too(directory: str) -> None:
    service = Service()
    cache(directory).get(SUBJECT, service)
    wiser = CacheKey(KEY + "claims")
    assert got(cache(directory).get(wiser, service, replaces=SUBJECT)) == ("token-2", "network")
    assert got(cache(directory).get(SUBJECT, service)) == ("token-2", "cache")
    assert got(cache(directory).get(wiser, service, replaces=SUBJECT)) == ("token-2", "cache")


class _Watched(DirectoryStore):
    """A store whose entries are written under their own lock, as two callers could get into each other's way else."""

    def write(self, name: str, content: bytes, *, keep_seconds: float) -> None:
        with DirectoryStore(self._directory).lock(name, wait_seconds=0) as is_free:
            assert not is_free, f"{name} was written without its lock"
        super().write(name, content, keep_seconds=keep_seconds)


def test_each_entry_is_written_under_its_own_lock(directory: str) -> None:
    cached = on(_Watched(directory)).get(CacheKey(KEY + "claims"), Service(), replaces=SUBJECT)
    assert got(cached) == ("token-1", "network")
    assert got(cache(directory).get(SUBJECT, Service())) == ("token-1", "cache")


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
def test_a_token_is_renewed_ahead_of_its_end(
    age: float, expected: tuple[str, str], directory: str, later: Later
) -> None:
    service = Service()
    cache(directory).get(SUBJECT, service)
    later.seconds = age
    assert got(cache(directory).get(SUBJECT, service)) == expected
    assert got(cache(directory).get(SUBJECT, service)) == (expected[0], "cache")


@pytest.mark.parametrize(
    ("wall", "expected"), [(-1e6, ("token-1", "cache")), (3100, ("token-1", "cache")), (1e6, ("token-2", "network"))]
)
def test_a_clock_that_was_set_throws_no_token_away(
    wall: float, expected: tuple[str, str], directory: str, later: Later
) -> None:
    service = Service()
    cache(directory).get(SUBJECT, service)
    later.wall = wall
    warnings: list[str] = []
    assert got(cache(directory, warn=warnings.append).get(SUBJECT, Service(fails=True))) == ("token-1", "cache")
    assert bool(warnings) is (expected[1] == "network"), "it was to be renewed, and serves while that fails"
    later.seconds = 61
    assert got(cache(directory).get(SUBJECT, service)) == expected


def test_a_clock_that_was_set_back_prolongs_no_token(directory: str, later: Later) -> None:
    service = Service()
    cache(directory).get(SUBJECT, service)
    later.seconds, later.wall = 3600, -1e6
    assert got(cache(directory).get(SUBJECT, service)) == ("token-2", "network")


@pytest.mark.parametrize("age", [3270, 3290])
def test_nobody_waits_for_a_renewal_while_the_old_token_serves(age: float, directory: str, later: Later) -> None:
    service = Service()
    cache(directory).get(SUBJECT, service)
    later.seconds = age
    meanwhile: list[tuple[str, str]] = []

    def renew() -> Token:
        meanwhile.append(got(cache(directory).get(SUBJECT, service)))
        return service()

    assert got(cache(directory).get(SUBJECT, renew)) == ("token-2", "network")
    assert meanwhile == [("token-1", "cache")]


@pytest.mark.parametrize("age", [3310, 3700])
def test_a_token_that_does_not_serve_is_waited_for(age: float, directory: str, later: Later, clock: t.Any) -> None:
    service = Service()
    cache(directory).get(SUBJECT, service)
    later.seconds = age
    inner: list[tuple[str, str]] = []

    def renew() -> Token:
        inner.append(got(cache(directory, wait=2).get(SUBJECT, service)))
        return service()

    cache(directory).get(SUBJECT, renew)
    assert inner == [("token-2", "network")], "after the wait it asks for its own"
    assert 1 <= sum(clock.slept) <= 2.1


class RenewedMeanwhile(DirectoryStore):
    """A store in which somebody else puts a new token while its lock is waited for."""

    def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
        put(self, "of-another")
        return super().lock(name, wait_seconds=wait_seconds)


@pytest.mark.parametrize("age", [0, 3310, 3700])
def test_what_somebody_else_renewed_meanwhile_is_taken(age: float, directory: str, later: Later) -> None:
    service = Service()
    if age:
        cache(directory).get(SUBJECT, service)
    later.seconds = age
    assert got(on(RenewedMeanwhile(directory), wait=1).get(SUBJECT, service)) == ("of-another", "cache")
    assert service.requests == (1 if age else 0)


# --- failures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("age", [3270, 3310, 3590])
def test_a_renewal_that_fails_is_a_warning_while_the_old_token_lives(age: float, directory: str, later: Later) -> None:
    warnings: list[str] = []
    first = cache(directory).get(SUBJECT, Service())
    later.seconds = age
    cached = cache(directory, warn=warnings.append).get(SUBJECT, Service(fails=True))
    assert got(cached) == ("token-1", "cache")
    assert warnings == [
        f"A token could not be renewed and is used until it expires at {first.token.expires_at}. The service is away."
    ]


def test_a_renewal_that_fails_after_the_end_is_a_failure(directory: str, later: Later) -> None:
    cache(directory).get(SUBJECT, Service())
    later.seconds = 3601
    with pytest.raises(NetworkError, match="The service is away"):
        cache(directory).get(SUBJECT, Service(fails=True))


def test_a_first_request_that_fails_is_a_failure_and_frees_the_lock(directory: str, later: Later) -> None:
    with pytest.raises(NetworkError, match="The service is away"):
        cache(directory).get(SUBJECT, Service(fails=True))
    later.seconds = 31
    assert got(cache(directory, wait=0).get(SUBJECT, Service())) == ("token-1", "network")


def test_a_cache_that_can_t_be_written_is_a_warning(directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: DirectoryStore, name: str, content: bytes, *, keep_seconds: float) -> None:
        raise OSError(28, "No space left on device")

    warnings: list[str] = []
    monkeypatch.setattr(DirectoryStore, "write", full)
    assert got(cache(directory, warn=warnings.append).get(SUBJECT, Service())) == ("token-1", "network")
    assert warnings == [
        "A token could not be stored in the cache: No space left on device. The next caller requests its own."
    ]


def entry(directory: str) -> pathlib.Path:
    return pathlib.Path(directory) / NAME


@pytest.mark.parametrize("damage", ["empty", "junk", "flipped", "truncated", "symlink", "directory"])
def test_a_damaged_entry_is_a_miss(damage: str, directory: str) -> None:
    cache(directory).get(SUBJECT, Service())
    path = entry(directory)
    content = path.read_bytes()
    if damage == "symlink":
        path.rename(f"{path}.moved")
        path.symlink_to(f"{path}.moved")
    elif damage == "directory":
        path.unlink()
        path.mkdir()
    else:
        flipped = bytes([content[-1] ^ 1])
        damaged = {"empty": b"", "junk": b"junk", "flipped": content[:-1] + flipped, "truncated": content[:-9]}
        path.write_bytes(damaged[damage])
    cached = cache(directory, warn=lambda msg: None).get(SUBJECT, Service())
    assert cached.source == "network"


# Fresh for ever, so that nothing but what is wrong with an entry can make it a miss.
WHOLE = {"access_token": "a", "issued_on": 1e9, "expires_on": 9e9}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"[]",
        b"null",
        b"{}",
        json.dumps({"access_token": "a"}).encode(),
        json.dumps({"token": WHOLE}).encode(),
        json.dumps(WHOLE)[:-1].encode(),
        json.dumps({**WHOLE, "of_a_later_version": 1}).encode(),
        json.dumps({**WHOLE, "issued_on": "now"}).encode(),
        json.dumps({**WHOLE, "access_token": "not a token"}).encode(),
        json.dumps({**WHOLE, "access_token": None}).encode(),
    ],
    ids=lambda content: content[:60].decode(),
)
def test_an_entry_of_another_version_is_a_miss(content: bytes, directory: str) -> None:
    store, cipher = DirectoryStore(directory), EntryCipher("secret")
    whole = json.dumps(WHOLE).encode()
    for lies_there, source in ((whole, "cache"), (content, "network")):
        store.write(NAME, cipher.encrypt(lies_there, NAME), keep_seconds=HOUR)
        assert cache(directory).get(SUBJECT, Service()).source == source


# --- force ------------------------------------------------------------------------------------------------------


def test_force_passes_over_the_cache_and_replaces_what_is_there(directory: str) -> None:
    service = Service()
    cache(directory).get(SUBJECT, service)
    assert got(cache(directory).get(SUBJECT, service, force=True)) == ("token-2", "network")
    assert got(cache(directory).get(SUBJECT, service)) == ("token-2", "cache")


def test_force_that_fails_is_a_failure_and_keeps_what_is_there(directory: str) -> None:
    cache(directory).get(SUBJECT, Service())
    with pytest.raises(NetworkError, match="The service is away"):
        cache(directory).get(SUBJECT, Service(fails=True), force=True)
    assert got(cache(directory).get(SUBJECT, Service(fails=True))) == ("token-1", "cache")


def test_force_takes_what_somebody_else_asked_for_after_the_call(directory: str) -> None:
    service = Service()
    cache(directory).get(SUBJECT, service)

    class TellsThatItWaits(DirectoryStore):
        def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
            self.channel.say("waiting")
            return super().lock(name, wait_seconds=wait_seconds)

        channel: Channel

    def work(channel: Channel) -> None:
        store = TellsThatItWaits(directory)
        store.channel = channel
        channel.hear()
        channel.say(got(on(store).get(SUBJECT, Service(), force=True)))

    with Forked(work) as forcing:
        store = DirectoryStore(directory)
        with store.lock(NAME, wait_seconds=30):
            forcing.say("go")
            assert forcing.hear() == "waiting"
            put(store, "newer")
        assert forcing.hear() == ("newer", "cache")


# --- many processes ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["directory", "redis"])
def shared(request: pytest.FixtureRequest, directory: str) -> t.Callable[[], Stores]:
    """Opens stores as another process would; tokens are shared by all, the run is the same."""
    if request.param == "directory":
        return lambda: Stores(*[DirectoryStore(directory)] * 2)
    url = request.getfixturevalue("redis_server").url
    return lambda: Stores(RedisStore(url), DirectoryStore(directory))


def ask_together(
    shared: t.Callable[[], Stores], answer: t.Callable[[], Token], number: int = 6
) -> list[tuple[str, str]]:
    """What so many processes get that ask at once, of which only one may make a request."""
    shared()

    def work(channel: Channel) -> None:
        def request() -> Token:
            channel.say("asked")
            channel.hear()
            return answer()

        channel.hear()
        try:
            channel.say(got(on(shared()).get(SUBJECT, request)))
        except NetworkError as exc:
            channel.say((exc.message, "shared" if exc.from_cache else "met"))

    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(Forked(work)) for _dummy in range(number)]
        for process in processes:
            process.say("go")
        asking = first_to_speak(processes)
        assert asking.hear() == "asked"
        assert all(process.is_silent() for process in processes if process is not asking)
        asking.say("answer")
        return sorted(process.hear() for process in processes)


def test_any_number_of_processes_make_one_request(shared: t.Callable[[], Stores]) -> None:
    assert ask_together(shared, Service()) == [("token-1", "cache")] * 5 + [("token-1", "network")]


def test_any_number_of_processes_meet_one_failure(shared: t.Callable[[], Stores]) -> None:
    answers = ask_together(shared, Service(fails=True))
    assert answers == [("The service is away.", "met")] + [("The service is away.", "shared")] * 5


def test_the_crash_of_who_asks_lets_the_next_one_ask(
    shared: t.Callable[[], Stores], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "_LOCK_SECONDS", 0.3)

    def work(channel: Channel) -> None:
        def request() -> Token:
            channel.say("asked")
            channel.hear()
            raise AssertionError("it is killed before")

        on(shared()).get(SUBJECT, request)

    with Forked(work) as asking:
        assert asking.hear() == "asked"
        asking.kill()
        assert got(on(shared()).get(SUBJECT, Service())) == ("token-1", "network")


def test_only_one_of_many_renews_and_the_others_go_on_with_the_old_token(directory: str, later: Later) -> None:
    cache(directory).get(SUBJECT, Service())
    later.seconds = 3280

    def work(channel: Channel) -> None:
        def request() -> Token:
            channel.say("asked")
            channel.hear()
            return token("renewed")

        channel.say(got(cache(directory).get(SUBJECT, request)))

    with Forked(work) as renewing:
        assert renewing.hear() == "asked"
        service = Service()
        assert [got(cache(directory).get(SUBJECT, service)) for _dummy in range(5)] == [("token-1", "cache")] * 5
        assert service.requests == 0
        renewing.say("answer")
        assert renewing.hear() == ("renewed", "network")
    assert got(cache(directory).get(SUBJECT, Service())) == ("renewed", "cache")
