# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job in four slices: four jobs at once, each with its part of the hosts, which share nothing but what is named."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from awx_jobs import Awx, Credential
from channels import secrets
from redis_server import PASSWORD, RedisServer

from plays import role, uri

if t.TYPE_CHECKING:
    from pathlib import Path

    from awx_jobs import Job

    from entra_emulator.client import Emulator

HOSTS: t.Final = [f"h{number:03}" for number in range(1, 9)]
SLICES: t.Final = 4
CACHE_KEY: t.Final = "made-up~cache-key-that-is-long-and-random"
PLAY: t.Final = [role("app_token"), uri("{{ app_token.api_url }}/v1.0/users?$top=1", "app_token_uri")]


def run_sliced(awx: Awx, *credentials: Credential) -> list[Job]:
    """The jobs of the slices, begun at once; AWX deals the hosts out in turn."""
    with contextlib.ExitStack() as stack:
        parts = [HOSTS[number::SLICES] for number in range(SLICES)]
        running = [stack.enter_context(awx.launch(PLAY, *credentials, hosts=part, verbosity=1)) for part in parts]
        return [job.finish() for job in running]


def assert_they_worked(jobs: list[Job], emulator: Emulator, **given: str) -> None:
    """Every host of every slice got its answer, and nothing is where it should not be."""
    assert [job.status for job in jobs] == ["successful"] * SLICES, "\n".join(job.output for job in jobs)
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [200] * len(HOSTS)
    tokens = {name: value for name, value in secrets(emulator).items() if name.startswith("access token")}
    for job in jobs:
        assert job.leaks(secrets={"client secret": emulator.client_secret, **given}, tokens=tokens) == []


@pytest.fixture
def app(emulator: Emulator) -> Credential:
    """The credential of the job template."""
    inputs = {"tenant_id": emulator.tenant_id, "client_id": emulator.client_id}
    return Credential("client_secret", {**inputs, "client_secret": emulator.client_secret})


def test_each_slice_makes_one_request(awx: Awx, emulator: Emulator, app: Credential) -> None:
    """Slices are jobs with nothing in common, so with the cache of the run there are as many requests as slices."""
    assert_they_worked(run_sliced(awx, app), emulator)
    assert len(emulator.token_requests()) == SLICES


def test_slices_with_a_redis_server_make_one_request(
    awx: Awx, emulator: Emulator, app: Credential, tmp_path: Path
) -> None:
    """By the collection's second credential beside the first; the URL with its password is as secret as the other."""
    # All have begun to ask before the first one has its answer.
    emulator.fault("slow", seconds=5)
    with RedisServer(tmp_path) as server:
        cache = Credential("token_cache", {"cache": server.url, "cache_key": CACHE_KEY})
        jobs = run_sliced(awx, app, cache)
        assert_they_worked(jobs, emulator, password=PASSWORD, url=server.url, cache_key=CACHE_KEY)
    assert len(emulator.token_requests()) == 1
