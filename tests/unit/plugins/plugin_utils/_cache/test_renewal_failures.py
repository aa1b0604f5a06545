# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One caller meets a failure for all, until a retry may succeed; a failed renewal stops no caller that has a token."""

from __future__ import annotations

import typing as t

import pytest
from processes import Channel, Forked
from token_caches import KEY, NAME, Service, open_cache, unpack, write_token

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    ErrorResponse,
    InputError,
    NetworkError,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.token_cache import CacheKey

if t.TYPE_CHECKING:
    import pathlib

REFUSED = TokenRequestRefused("Entra refused.", hint="Do.", response=ErrorResponse("invalid_client", None, (7000215,)))


@pytest.fixture
def store(tmp_path: pathlib.Path) -> DirectoryStore:
    return DirectoryStore(str(tmp_path / "cache"))


def throttled(seconds: float) -> TokenRequestRefused:
    failure = TokenRequestRefused("Throttled.", hint="Wait.")
    failure.retry_after = seconds
    return failure


def failure(store: DirectoryStore | Stores, service: Service, key: CacheKey = KEY, **how: t.Any) -> EntraAuthError:
    with pytest.raises(EntraAuthError) as failed:
        open_cache(store).get(key, service, **how)
    return failed.value


def test_a_refused_request_is_sent_once_in_a_run(store: DirectoryStore, later: t.Any) -> None:
    service = Service(failure=REFUSED)
    assert failure(store, service) is REFUSED
    later.seconds = 20000
    again = failure(store, service)
    assert service.requests == 1
    assert (again.message, again.hint, again.response) == (REFUSED.message, REFUSED.hint, REFUSED.response)
    assert again.from_cache


@pytest.mark.parametrize(("met", "holds"), [(NetworkError("Away.", hint="Wait."), 30), (throttled(77), 77)])
def test_a_failure_that_passes_is_retried_when_it_may_have_passed(
    met: EntraAuthError, holds: float, store: DirectoryStore, later: t.Any
) -> None:
    service = Service(failure=met)
    failure(store, service)
    later.seconds = holds - 10
    failure(store, service)
    assert service.requests == 1
    later.seconds = holds + 1
    failure(store, service)
    assert service.requests == 2
    later.seconds = 2 * holds + 2
    assert unpack(open_cache(store).get(KEY, Service())) == ("token-1", "network")


def test_a_failure_of_one_caller_is_not_shared(store: DirectoryStore) -> None:
    service = Service(failure=InputError("Bad.", hint="Correct it."))
    failure(store, service)
    failure(store, service)
    assert service.requests == 2


@pytest.mark.parametrize(
    ("key", "credential"),
    [
        (CacheKey(KEY.key, failure_fingerprint="another assertion"), "secret"),
        (CacheKey(KEY.key + "another scope"), "secret"),
        (KEY, "another secret"),
    ],
)
def test_a_request_with_anything_else_is_sent(key: CacheKey, credential: str, store: DirectoryStore) -> None:
    failure(store, Service(failure=REFUSED))
    assert unpack(open_cache(store, credential).get(key, Service())) == ("token-1", "network")


def test_another_run_sends_its_own_request(store: DirectoryStore, tmp_path: pathlib.Path) -> None:
    runs = [DirectoryStore(str(tmp_path / name)) for name in ("one", "two")]
    service = Service(failure=REFUSED)
    for run in runs:
        failure(Stores(store, run), service)
    assert service.requests == 2


@pytest.mark.parametrize("damage", ["empty", "junk", "gone", "truncated", "swapped"])
def test_a_damaged_failure_is_ignored(damage: str, store: DirectoryStore, tmp_path: pathlib.Path) -> None:
    failure(store, Service(failure=REFUSED))
    (note,) = [path for path in (tmp_path / "cache").iterdir() if not path.suffix]
    if damage == "gone":
        note.unlink()
    elif damage == "swapped":
        failure(store, Service(failure=REFUSED), CacheKey(KEY.key + "other"))
        (other,) = [path for path in (tmp_path / "cache").iterdir() if not path.suffix and path != note]
        other.rename(note)
    else:
        content = note.read_bytes()
        note.write_bytes({"empty": b"", "junk": b"junk", "truncated": content[:-1]}[damage])
    assert unpack(open_cache(store).get(KEY, Service())) == ("token-1", "network")


# --- force ------------------------------------------------------------------------------------------------------


def test_force_ignores_earlier_failures(store: DirectoryStore) -> None:
    failure(store, Service(failure=REFUSED))
    service = Service(failure=REFUSED)
    assert not failure(store, service, force=True).from_cache
    assert service.requests == 1
    assert unpack(open_cache(store).get(KEY, Service(), force=True)) == ("token-1", "network")
    assert unpack(open_cache(store).get(KEY, Service())) == ("token-1", "cache")


def test_a_token_got_by_force_removes_an_earlier_failure(store: DirectoryStore, later: t.Any) -> None:
    failure(store, Service(failure=REFUSED))
    open_cache(store).get(KEY, Service(), force=True)
    for age in (3270, 3310, 4000):
        later.seconds += age
        assert open_cache(store, warn=pytest.fail).get(KEY, Service()).source == "network"


def test_force_takes_a_failure_that_another_caller_met_after_the_call(
    store: DirectoryStore, tmp_path: pathlib.Path
) -> None:
    class TellsThatItWaits(DirectoryStore):
        def lock(self, name: str, *, wait_seconds: float) -> t.ContextManager[bool]:
            self.channel.say("waiting")
            return super().lock(name, wait_seconds=wait_seconds)

        channel: Channel

    def work(channel: Channel) -> None:
        store = TellsThatItWaits(str(tmp_path / "cache"))
        store.channel = channel
        channel.hear()
        service = Service()
        with pytest.raises(TokenRequestRefused) as refused:
            open_cache(store).get(KEY, service, force=True)
        channel.say((refused.value.message, service.requests))

    def refuse() -> t.NoReturn:
        forcing.say("go")
        assert forcing.hear() == "waiting"
        raise REFUSED

    write_token(store, "old")
    with Forked(work) as forcing:
        with pytest.raises(TokenRequestRefused):
            open_cache(store).get(KEY, refuse, force=True)
        assert forcing.hear() == ("Entra refused.", 0)


# --- renewal ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("met", [NetworkError("Away.", hint="Wait."), REFUSED, throttled(5), throttled(3600)])
@pytest.mark.parametrize("age", [3270, 3310])
def test_a_failed_renewal_is_one_warning_and_retried_after_a_minute(
    met: EntraAuthError, age: float, store: DirectoryStore, later: t.Any
) -> None:
    open_cache(store).get(KEY, Service())
    service, warnings = Service(failure=met), list[str]()
    for seconds in (0, 1, 40):
        later.seconds = age + seconds
        assert unpack(open_cache(store, warn=warnings.append).get(KEY, service)) == ("token-1", "cache")
    assert service.requests == len(warnings) == 1
    later.seconds = age + 61
    assert unpack(open_cache(store, warn=warnings.append).get(KEY, service)) == ("token-1", "cache")
    assert service.requests == len(warnings) == 2
    later.seconds = age + 122
    assert unpack(open_cache(store, warn=warnings.append).get(KEY, Service())) == ("token-1", "network")
    assert len(warnings) == 2


def test_no_caller_waits_for_a_renewal_that_is_known_to_fail(store: DirectoryStore, later: t.Any) -> None:
    open_cache(store).get(KEY, Service())
    later.seconds = 3310
    open_cache(store, warn=lambda msg: None).get(KEY, Service(fails=True))
    with store.lock(NAME, wait_seconds=0) as held:
        assert held
        assert unpack(open_cache(store).get(KEY, Service(fails=True))) == ("token-1", "cache")


def test_a_caller_that_waited_for_a_failed_renewal_uses_the_old_token(
    store: DirectoryStore, tmp_path: pathlib.Path, later: t.Any
) -> None:
    open_cache(store).get(KEY, Service())
    later.seconds = 3310

    def work(channel: Channel) -> None:
        service, warnings = Service(), list[str]()
        channel.hear()
        channel.say("begun")
        cached = open_cache(DirectoryStore(str(tmp_path / "cache")), warn=warnings.append).get(KEY, service)
        channel.say((unpack(cached), service.requests, warnings))

    def fail() -> t.NoReturn:
        waiting.say("go")
        assert waiting.hear() == "begun"
        raise NetworkError("Away.", hint="Wait.")

    with Forked(work) as waiting:
        assert unpack(open_cache(store, warn=lambda msg: None).get(KEY, fail)) == ("token-1", "cache")
        assert waiting.hear() == (("token-1", "cache"), 0, [])


def test_a_token_that_expires_while_its_renewal_fails_is_not_used(store: DirectoryStore, later: t.Any) -> None:
    open_cache(store).get(KEY, Service())
    service = Service(fails=True)
    later.seconds = 3590
    open_cache(store, warn=lambda msg: None).get(KEY, service)
    later.seconds = 3601
    assert failure(store, service).message == "The service is away."
    assert service.requests == 1


def test_force_does_not_use_the_old_token(store: DirectoryStore, later: t.Any) -> None:
    open_cache(store).get(KEY, Service())
    later.seconds = 3310
    assert failure(store, Service(fails=True), force=True).message == "The service is away."
