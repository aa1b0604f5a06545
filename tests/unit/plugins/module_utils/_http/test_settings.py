# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings have the defaults that a request to a login host needs."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings, Service


def test_the_environment_and_verification_count_by_default() -> None:
    network = NetworkSettings(timeout=30, retry_for=120)
    assert (network.validate_certs, network.use_environment, network.service) == (True, True, Service.LOGIN)
    assert (network.proxy, network.ca_path, network.fingerprint, network.connect_timeout) == (None, None, None, None)


def test_a_pause_is_told_to_no_one_by_default() -> None:
    assert NetworkSettings(timeout=30, retry_for=120).on_pause(5) is None


def test_each_service_says_where_the_name_of_its_host_comes_from() -> None:
    assert len({service.value for service in Service}) == len(Service)


@pytest.mark.parametrize(
    ("waited", "timeout", "retry_for"),
    [
        (0.9, 30, 120),
        (20, 30, 100),
        (120, 30, 0),
        (130, 20, 0),
        (149, 15, 0),
        (400, 15, 0),
    ],
)
def test_what_a_call_has_waited_is_taken_from_its_bound(waited: float, timeout: float, retry_for: float) -> None:
    network = NetworkSettings(timeout=30, retry_for=120, proxy="http://proxy.test")
    assert network.deduct(waited) == dataclasses.replace(network, timeout=timeout, retry_for=retry_for)


@pytest.mark.parametrize("waited", [1.5, 3, 4.9, 5, 60])
def test_a_call_outlives_its_bound_by_a_tenth_at_most(waited: float) -> None:
    left = NetworkSettings(timeout=2, retry_for=3).deduct(waited)
    assert min(waited, 5) + left.timeout + left.retry_for <= 5 * 1.1
    assert left.timeout >= 0.5
