# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A device code belongs to a person, who is shown it; no option selects it by itself."""

from __future__ import annotations

from canned_server import CannedServer, json_answer, token_answer

from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Identity
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.device_code import DeviceCode
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions


def test_its_tokens_are_those_of_a_user() -> None:
    assert DeviceCode.delegated
    assert "delegated permissions" in DeviceCode.missing_roles_hint
    assert DeviceCode(AppTokenOptions(tenant_id="t", client_id="c")).get_identity() == Identity("t", "c")


def test_the_code_is_shown_to_the_user() -> None:
    start = {"device_code": "d", "user_code": "ABCD", "verification_uri": "https://x.test", "interval": 1}
    said: list[str] = []
    with CannedServer(json_answer(200, start), token_answer()) as server:
        credential = DeviceCode(AppTokenOptions(tenant_id="t", client_id="c", authority=server.url), said.append)
        credential.request_token(credential.build_request("s", None), NetworkSettings(30, 30))
    assert said == ["entra.auth: to sign in, open https://x.test and enter the code ABCD"]
