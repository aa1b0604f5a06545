# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job in slices: several jobs at once, each with its part of the hosts, which share nothing but what is named."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from awx_jobs import Awx, Credential
from cache_tasks import LOOKUP, USERS, get
from channels import secrets
from leaks import Markers
from redis_server import PASSWORD, RedisServer

from plays import role, uri, wait_until

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from awx_jobs import Job

    from entra_emulator.client import Emulator

HOSTS: t.Final = [f"h{number:03}" for number in range(1, 9)]
CACHE_KEY: t.Final = "made-up~cache-key-that-is-long-and-random"
# Longer than anything here may last.
_EVER: t.Final = 1200


def deal_hosts(slices: int) -> list[list[str]]:
    """The hosts of each slice; AWX deals them out in turn."""
    return [HOSTS[number::slices] for number in range(slices)]


def run_sliced(
    awx: Awx,
    tasks: list[dict[str, t.Any]],
    *credentials: Credential,
    meanwhile: Callable[[], object] = lambda: None,
    **more: t.Any,
) -> list[Job]:
    """The jobs of the slices, begun at once; ``more`` as for :meth:`Awx.launch_slices`."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(job) for job in awx.launch_slices(tasks, *credentials, **more)]
        meanwhile()
        return [job.finish() for job in running]


def assert_they_worked(jobs: list[Job], emulator: Emulator, **given: str) -> None:
    """Every host of every slice got its answer, and nothing is where it should not be."""
    assert {job.status for job in jobs} == {"successful"}, "\n".join(job.output for job in jobs)
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [200] * len(HOSTS)
    for job in jobs:
        assert job.leaks(secrets={"client secret": emulator.client_secret, **given}, tokens=find_tokens(emulator)) == []


def find_tokens(emulator: Emulator) -> dict[str, str]:
    """All access tokens that were issued."""
    return {name: value for name, value in secrets(emulator).items() if name.startswith("access token")}


@pytest.fixture
def app(emulator: Emulator) -> Credential:
    """The credential of the job template."""
    inputs = {"tenant_id": emulator.tenant_id, "client_id": emulator.client_id}
    return Credential("client_secret", {**inputs, "client_secret": emulator.client_secret})


def test_each_slice_makes_one_request(awx: Awx, emulator: Emulator, app: Credential) -> None:
    """Slices are jobs with nothing in common, so with the cache of the run there are as many requests as slices."""
    tasks = [role("app_token"), uri("{{ app_token.api_url }}/v1.0/users?$top=1", "app_token_uri")]
    jobs = run_sliced(awx, tasks, app, slices=deal_hosts(2), verbosity=1)
    assert_they_worked(jobs, emulator)
    assert len(emulator.token_requests()) == 2


def test_slices_with_a_redis_server_make_one_request(
    awx: Awx, emulator: Emulator, app: Credential, tmp_path: Path
) -> None:
    """By the collection's second credential beside the first; the URL with its password is as secret as the other."""
    emulator.fault("slow", seconds=_EVER)
    tasks = [get(), uri(USERS, f"{LOOKUP}, output='uri')"), role("app_token")]
    with RedisServer(tmp_path) as server:

        def answer_when_all_wait() -> None:
            wait_until(lambda: server.count_clients() >= len(HOSTS))
            emulator.forget_faults()

        cache = Credential("token_cache", {"cache": server.url, "cache_key": CACHE_KEY})
        patient = {"ENTRA_AUTH_TIMEOUT": str(_EVER)}
        more = {"slices": deal_hosts(4), "verbosity": 4, "env": patient, "meanwhile": answer_when_all_wait}
        jobs = run_sliced(awx, tasks, app, cache, **more)
        given = {"password": PASSWORD, "url": server.url, "cache_key": CACHE_KEY}
        assert_they_worked(jobs, emulator, **given)
        assert_keeps_nothing_readable(server, {"client secret": emulator.client_secret, **find_tokens(emulator)})
    assert len(emulator.token_requests()) == 1


def assert_keeps_nothing_readable(server: RedisServer, values: dict[str, str]) -> None:
    """No value is in a key or an entry, and every entry expires."""
    kept = server.contents()
    assert [key for key in kept if "." not in key.removeprefix("entra.auth:")], "Redis has no entry"
    for key, content in kept.items():
        assert Markers(values).in_text(key.encode() + b"\n" + content, key) == []
        assert server.client.pttl(key) > 0, f"{key} would be stored for ever"
