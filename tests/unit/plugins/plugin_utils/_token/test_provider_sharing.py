# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which caches a credential may share, with whom, what others can read there, and whose failures count for whom."""

from __future__ import annotations

import itertools
import os
import typing as t

import pytest
from canned_server import CannedServer, json_answer, token_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, TokenRequestRefused
from ansible_collections.entra.auth.plugins.plugin_utils._cache import stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import read_metadata
from ansible_collections.entra.auth.plugins.plugin_utils._cache.lasting_stores import open_store
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly

if t.TYPE_CHECKING:
    import pathlib

    from redis_server import RedisServer

    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
    from entra_emulator.client import Emulator

Options = dict[str, t.Any]
# Two assertions that differ in nothing but the signature.
ONE_ASSERTION, ANOTHER_ASSERTION = "e30.e30.b25l", "e30.e30.dHdv"
REFUSAL = json_answer(
    401, {"error": "invalid_client", "error_description": "AADSTS700024: Too old.", "error_codes": [700024]}
)


@pytest.fixture
def next_run(
    tmp_path: pathlib.Path, run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> t.Callable[[], None]:
    """Begins another run of the same user."""
    monkeypatch.setenv("HOME", str(tmp_path))
    numbers = itertools.count()

    def begin() -> None:
        path = tmp_path / f"run-{next(numbers)}"
        path.mkdir(0o700)
        monkeypatch.setattr(stores, "_RUN_DIRECTORY", str(path))

    return begin


@pytest.fixture(params=["user", "redis"])
def shared(request: pytest.FixtureRequest, next_run: t.Callable[[], None]) -> str:
    """A cache that outlives the run."""
    return t.cast("str", request.getfixturevalue("redis_server").url if request.param == "redis" else request.param)


def get(messages: t.Any, options: Options, **more: t.Any) -> AppToken:
    return get_app_token(AppTokenOptions(**{**options, **more}), messages, CachedTokensOnly({}))


def failure(messages: t.Any, options: Options, **more: t.Any) -> EntraAuthError:
    with pytest.raises(EntraAuthError) as failed:
        get(messages, options, **more)
    return failed.value


# --- runs and machines ------------------------------------------------------------------------------------------


def test_a_credential_with_a_secret_shares_its_tokens_between_runs(
    shared: str, next_run: t.Callable[[], None], emulator: Emulator, reader: Options, messages: t.Any
) -> None:
    first = get(messages, reader, cache=shared)
    next_run()
    second = get(messages, reader, cache=shared)
    assert (first.source, second.source) == ("network", "cache")
    assert first.token == second.token
    assert len(emulator.token_requests()) == 1
    next_run()
    failed = failure(messages, reader, cache=shared, client_secret="hunter2-is-wrong")
    assert isinstance(failed, TokenRequestRefused)
    assert messages.on("warning") == []


def test_what_a_token_is_for_can_be_read_in_a_shared_cache_alone(
    shared: str, run_directory: pathlib.Path, emulator: Emulator, reader: Options, messages: t.Any
) -> None:
    provided = get(messages, reader, cache=shared)
    labels = [label for _name, encrypted in open_store(shared).list_entries() if (label := read_metadata(encrypted))]
    assert labels == [
        {
            "credential": "client_secret",
            "token_url": f"{emulator.urls.login}/{emulator.tenant_id}/oauth2/v2.0/token",
            "client_id": emulator.client_id,
            "scope": "https://graph.microsoft.com/.default",
            "expires_at": provided.token.expires_at,
        }
    ]
    get(messages, reader)
    for path in (run_directory / "entra_auth").iterdir():
        assert emulator.client_id.encode() not in path.read_bytes()


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[CannedServer]:
    """Azure around us, with a managed identity."""
    with CannedServer(token_answer()) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", server.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        yield server


def test_a_credential_without_a_secret_shares_with_the_run_alone_and_says_why(
    shared: str, platform: CannedServer, next_run: t.Callable[[], None], messages: t.Any
) -> None:
    assert [get(messages, {}, cache=shared).source for _dummy in range(2)] == ["network", "cache"]
    next_run()
    assert get(messages, {}, cache=shared).source == "network"
    assert len(platform.received) == 2
    (warning,) = set(messages.on("warning"))
    assert warning.startswith("The cache for this run alone is used. A managed_identity credential has no secret")
    assert "Set cache_key to a long random secret" in warning
    assert [name for name, _content in open_store(shared).list_entries()] == []


@pytest.mark.parametrize("cache", ["run", "none"])
def test_a_key_is_not_asked_for_where_nothing_is_shared(
    cache: str, platform: CannedServer, run_directory: pathlib.Path, messages: t.Any
) -> None:
    get(messages, {}, cache=cache)
    assert messages.on("warning") == []


def test_a_key_makes_any_credential_share(
    shared: str, platform: CannedServer, next_run: t.Callable[[], None], messages: t.Any
) -> None:
    key = "made-up~key of all who share the cache"
    sources = []
    for cache_key in (key, key, "another key " * 3, key):
        next_run()
        sources.append(get(messages, {}, cache=shared, cache_key=cache_key).source)
    assert sources == ["network", "cache", "network", "cache"]
    assert messages.on("warning") == []
    for name, content in open_store(shared).list_entries():
        assert b"canned-token" not in content
        assert key.encode() not in content + name.encode()


def test_each_machine_has_a_managed_identity_of_its_own(
    redis_server: RedisServer,
    platform: CannedServer,
    run_directory: pathlib.Path,
    messages: t.Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = {"cache": redis_server.url, "cache_key": "made-up~key-of-more-than-32-characters"}
    uname = os.uname()
    sources = []
    for node in ("here", "there", "here"):
        named = os.uname_result((uname.sysname, node, *uname[2:]))
        monkeypatch.setattr(os, "uname", lambda named=named: named)
        sources.append(get(messages, options).source)
    assert sources == ["network", "network", "cache"]


def test_a_given_refresh_token_opens_its_own_entries_in_a_shared_cache(
    shared: str, next_run: t.Callable[[], None], emulator: Emulator, reader: Options, messages: t.Any
) -> None:
    from entra_emulator import seed

    emulator.configure(refresh_token_rotation="keep_old")
    given = emulator.add_refresh_token(seed.PUBLIC)
    options = {**reader, "client_id": seed.PUBLIC, "client_secret": None, "refresh_token": given, "cache": shared}
    first = get(messages, options)
    next_run()
    assert get(messages, options).token == first.token
    successor = get(messages, options, refresh_token=first.token.refresh_token)
    assert successor.source == "network", "it opens its own entries alone"
    redeemed = [dict(request["form"])["refresh_token"] for request in emulator.token_requests()]
    assert redeemed == [given, first.token.refresh_token]
    assert messages.on("warning") == []


# --- failures ---------------------------------------------------------------------------------------------------


def test_a_refusal_is_met_once_for_all_hosts_and_shown_in_full_to_each(
    emulator: Emulator, reader: Options, messages: t.Any
) -> None:
    errors = [failure(messages, reader, client_secret="hunter2-is-wrong") for _dummy in range(5)]
    assert len(emulator.token_requests()) == 1
    assert len({str(error.to_fields()) for error in errors}) == 1
    assert "once for the whole run" not in str(errors[0])
    for error in errors[1:]:
        assert "graph.microsoft.com/.default, once for the whole run (force_refresh requests again)." in str(error)
        assert "AADSTS7000215" in str(error)
        assert "To fix it: " in str(error)
    failure(messages, reader, client_secret="hunter2-is-wrong", force_refresh=True)
    assert len(emulator.token_requests()) == 2


@pytest.fixture
def federated(run_directory: pathlib.Path) -> t.Iterator[tuple[CannedServer, Options]]:
    """Options with which a server refuses an assertion."""
    with CannedServer(REFUSAL) as server:
        yield server, {"tenant_id": "t", "client_id": "c", "authority": server.url, "retry_for": 0}


def test_another_assertion_is_tried(federated: tuple[CannedServer, Options], messages: t.Any) -> None:
    server, options = federated
    for assertion in (ONE_ASSERTION, ONE_ASSERTION, ANOTHER_ASSERTION):
        failure(messages, options, federated_token=assertion)
    assert len(server.received) == 2


def test_a_wrong_assertion_does_not_receive_the_token_of_another_one(
    run_directory: pathlib.Path, messages: t.Any
) -> None:
    with CannedServer(token_answer(), REFUSAL) as server:
        options = {"tenant_id": "t", "client_id": "c", "authority": server.url, "retry_for": 0}
        sources = [get(messages, options, federated_token=ONE_ASSERTION).source for _dummy in range(2)]
        failure(messages, options, federated_token=ANOTHER_ASSERTION)
    assert sources == ["network", "cache"]
    assert len(server.received) == 2


def test_a_wrong_secret_of_the_app_does_not_receive_the_token_that_a_right_one_redeemed(
    run_directory: pathlib.Path, messages: t.Any
) -> None:
    with CannedServer(token_answer(refresh_token="r"), REFUSAL) as server:
        options = {"tenant_id": "t", "client_id": "c", "authority": server.url, "retry_for": 0, "refresh_token": "r"}
        assert get(messages, options, client_secret="right-secret").source == "network"
        assert get(messages, options, client_secret="right-secret").source == "cache"
        failure(messages, options, client_secret="wrong-secret")
    assert len(server.received) == 2


def test_another_assertion_in_the_same_file_is_tried(
    federated: tuple[CannedServer, Options], messages: t.Any, tmp_path: pathlib.Path
) -> None:
    server, options = federated
    path = tmp_path / "assertion"
    for assertion in (ONE_ASSERTION, ONE_ASSERTION, ANOTHER_ASSERTION):
        path.write_text(assertion)
        failure(messages, options, federated_token_file=str(path))
    assert len(server.received) == 2
    path.unlink()
    assert "federated_token_file" in failure(messages, options, federated_token_file=str(path)).message


@pytest.mark.parametrize(
    "change",
    [
        {"timeout": 7.0},
        {"retry_for": 0.5},
        {"proxy": "http://127.0.0.1:2"},
        {"validate_certs": False},
        {"client_secret": "another"},
        {"scope": ["arm"]},
        {"tenant_id": "other.test"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_who_asks_otherwise_does_not_share_the_failure(
    change: Options, run_directory: pathlib.Path, messages: t.Any
) -> None:
    options = {"tenant_id": "contoso.com", "client_id": "c", "client_secret": "s", "retry_for": 0}
    options["proxy"] = "http://127.0.0.1:1"
    assert not failure(messages, options).from_cache
    assert failure(messages, options).from_cache
    assert not failure(messages, options, **change).from_cache


@pytest.mark.parametrize("change", [{"min_validity": 9}, {"extra_headers": {"X-A": "b"}}, {"required_roles": ["R"]}])
def test_who_asks_the_same_shares_the_failure(change: Options, run_directory: pathlib.Path, messages: t.Any) -> None:
    options = {"tenant_id": "contoso.com", "client_id": "c", "client_secret": "s", "retry_for": 0}
    options["proxy"] = "http://127.0.0.1:1"
    failure(messages, options)
    assert failure(messages, options, **change).from_cache


def test_a_token_from_an_unverified_server_is_not_served_to_calls_that_verify(
    messages: t.Any, reader: Options, emulator: Emulator
) -> None:
    """Anyone on the way may have issued it."""
    unverified = get(messages, {**reader, "validate_certs": False})
    assert get(messages, reader).token.access_token != unverified.token.access_token
    assert get(messages, {**reader, "validate_certs": False}).source == "cache"
    assert len(emulator.token_requests()) == 2
