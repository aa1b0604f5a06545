# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lookup requests nothing from a host, and no credential but a managed identity is for one."""

from __future__ import annotations

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.module_utils._managed_identity import Selector
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import CREDENTIALS
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly, refuse_secret_on_target

ARM = "https://management.azure.com"
NETWORK = NetworkSettings(30.0, 0.0)


def test_a_lookup_requests_nothing_from_a_host() -> None:
    host = CachedTokensOnly({"inventory_hostname": "h001", "ansible_delegated_vars": {"victim": {}}})
    assert host.name == "h001"
    with pytest.raises(InputError, match="only a token that a task has requested") as refused_lookup:
        host.request_token(ARM, Selector(), NETWORK)
    assert refused_lookup.value.hint


def test_without_an_inventory_the_host_is_this_one() -> None:
    assert CachedTokensOnly({}).name == "localhost"


@pytest.mark.parametrize("kind", sorted(CREDENTIALS.keys() - {"managed_identity"}))
def test_no_secret_goes_to_a_host(kind: str) -> None:
    with pytest.raises(InputError, match=f"not for the credential {kind}") as refused:
        refuse_secret_on_target(AppTokenOptions(run_on="target"), kind)
    assert "Set credential to managed_identity" in refused.value.hint
    refuse_secret_on_target(AppTokenOptions(), kind)


def test_a_managed_identity_is_for_a_host() -> None:
    refuse_secret_on_target(AppTokenOptions(run_on="target"), "managed_identity")
