# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What neither a timer nor the head of a request can hold is refused before any request."""

from __future__ import annotations

import time
import typing as t

import pytest
from canned_server import CannedServer, json_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request, Transport
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.validation import refuse_unusable


def check(**options: t.Any) -> None:
    refuse_unusable(AppTokenOptions(tenant_id="contoso.com", client_id="c", client_secret="s", **options))


@pytest.mark.parametrize("timeout", [86401.0, 1e12, 1e300])
def test_a_timeout_beyond_any_timer_is_refused(timeout: float) -> None:
    with pytest.raises(InputError) as refused:
        check(timeout=timeout)
    assert refused.value.message == "timeout is longer than a day."
    assert "86400 seconds or less" in str(refused.value.hint)


def test_the_longest_timeout_can_be_waited_for() -> None:
    check(timeout=86400.0)
    with CannedServer(json_answer(200, {})) as server:
        transport = Transport(NetworkSettings(timeout=86400, retry_for=0))
        assert transport.send(Request(server.url), until=time.monotonic()).status == 200


@pytest.mark.parametrize(
    "value", ["Preis 5 \u20ac hunter2", "\u20achunter2", "\U0001f600 hunter2", " hunter2", "\thunter2"]
)
def test_a_header_that_no_request_can_carry_is_refused(value: str) -> None:
    with pytest.raises(InputError) as refused:
        check(extra_headers={"X-Note": value})
    assert "the value of 'X-Note' begins with a blank, or holds a character" in refused.value.message
    assert "Latin-1" in str(refused.value.hint)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("value", ["", "a", "a\tb c ", "\xe9t\xe9 \xff"])
def test_a_header_that_is_taken_can_be_sent(value: str) -> None:
    check(extra_headers={"X-Note": value})
    with CannedServer(json_answer(200, {})) as server:
        request = Request(server.url, headers={"X-Note": value})
        Transport(NetworkSettings(timeout=5, retry_for=0)).send(request, until=time.monotonic())
    assert server.received[0].headers["x-note"] == value.strip()
