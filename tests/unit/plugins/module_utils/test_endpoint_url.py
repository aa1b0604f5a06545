# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform's URL is safe if it is https, or leads to this machine; a managed identity's may be link-local."""

from __future__ import annotations

import pytest

from ansible_collections.entra.auth.plugins.module_utils._endpoint_url import refuse_insecure_url
from ansible_collections.entra.auth.plugins.module_utils._errors import InputError

EVERYWHERE = [
    "https://ci.example/x",
    "HTTPS://ci.example",
    "http://127.0.0.1:1/x",
    "http://localhost",
    "http://[::1]:8",
]
LINK_LOCAL = ["http://169.254.169.254", "http://169.254.129.2:8081/msi/token", "http://[fe80::1]/x"]
NOWHERE = [
    "http://ci.example/x",
    "http://10.0.0.1/x",
    "http://localhost.example",
    "http://127.0.0.1@ci.example",
    "http://169.254.169.254.example",
    "ftp://127.0.0.1/x",
    "127.0.0.1:8081",
    "https://",
    "http://",
    "https://[",
    "http://127.0.0.1:port",
    "not a url",
    "",
]


@pytest.mark.parametrize("url", EVERYWHERE)
@pytest.mark.parametrize("link_local", [True, False])
def test_https_and_this_machine_are_safe(url: str, link_local: bool) -> None:
    refuse_insecure_url("A_VARIABLE", url, link_local=link_local)


@pytest.mark.parametrize("url", LINK_LOCAL)
def test_a_link_local_address_is_safe_for_an_identity_endpoint_alone(url: str) -> None:
    refuse_insecure_url("A_VARIABLE", url, link_local=True)
    with pytest.raises(InputError):
        refuse_insecure_url("A_VARIABLE", url)


@pytest.mark.parametrize("url", NOWHERE)
@pytest.mark.parametrize("link_local", [True, False])
def test_any_other_url_is_refused_by_the_variable_s_name(url: str, link_local: bool) -> None:
    with pytest.raises(InputError, match=r"^A_VARIABLE is not an https URL") as refused:
        refuse_insecure_url("A_VARIABLE", url, link_local=link_local)
    assert "A_VARIABLE" in str(refused.value.hint)
    assert not url or url not in str(refused.value)
