# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entry points hand out a token in exactly the documented forms."""

from __future__ import annotations

import dataclasses
import json
import time
import typing as t

import pytest
from jwts import build_jwt

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Identity
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.forms import build_uri_arguments
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import (
    OUTPUTS,
    AppToken,
    CacheEntry,
    select_output,
)

CLAIMS = {"aud": "https://graph.microsoft.com", "roles": ["User.Read.All"]}
JWT = build_jwt(**CLAIMS)
TOKEN = Token(JWT, 1000, 1795442400.75, correlation_id="c-1")
OPTIONS = AppTokenOptions(
    tenant_id="contoso.com", client_id="c", client_secret="hunter2", cloud="usgov", extra_headers={"X-A": "b"}
)
APP_TOKEN = AppToken(
    TOKEN,
    OPTIONS,
    "client_secret",
    Identity("contoso.com", "c"),
    "the/.default",
    "https://graph.microsoft.us",
    "network",
)


@pytest.fixture(autouse=True)
def a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ninety and a half seconds before the end."""
    monkeypatch.setattr(time, "time", lambda: 1795442310.25)


def test_a_task_registers_everything_that_is_documented() -> None:
    assert APP_TOKEN.as_dict() == {
        "access_token": JWT,
        "token_type": "Bearer",
        "authorization": f"Bearer {JWT}",
        "headers": {"X-A": "b", "Authorization": f"Bearer {JWT}"},
        "expires_in": 90,
        "expires_on": 1795442400,
        "expires_at": "2026-11-23T14:00:00Z",
        "scope": "the/.default",
        "api_url": "https://graph.microsoft.us",
        "cloud": "usgov",
        "tenant_id": "contoso.com",
        "client_id": "c",
        "credential": "client_secret",
        "source": "network",
        "claims": CLAIMS,
        "correlation_id": "c-1",
    }


def test_a_refresh_token_is_handed_out_where_there_is_one() -> None:
    renewed = dataclasses.replace(APP_TOKEN, token=dataclasses.replace(TOKEN, refresh_token="r2"))
    assert renewed.as_dict() == {**APP_TOKEN.as_dict(), "refresh_token": "r2"}


def test_a_token_that_has_run_out_has_no_seconds_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1795442999.0)
    assert APP_TOKEN.as_dict()["expires_in"] == 0


def test_all_that_is_handed_out_is_plain_data() -> None:
    assert json.loads(json.dumps(APP_TOKEN.as_dict())) == APP_TOKEN.as_dict()
    assert "hunter2" not in json.dumps(APP_TOKEN.as_dict())


HEADERS = {"X-A": "b", "Authorization": f"Bearer {JWT}"}


def test_headers_are_those_of_the_caller_and_authorization() -> None:
    assert APP_TOKEN.headers == HEADERS


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("access_token", JWT),
        ("authorization", f"Bearer {JWT}"),
        ("headers", HEADERS),
        ("uri", build_uri_arguments(TOKEN, {"X-A": "b"})),
        ("token", None),
    ],
)
def test_an_output_is_what_its_name_says(output: str, expected: t.Any) -> None:
    assert select_output(output)(APP_TOKEN) == (expected or APP_TOKEN.as_dict())
    assert output in OUTPUTS


@pytest.mark.parametrize(
    ("name", "hint"), [("header", "Use 'headers'."), ("", "Use one of them."), (["uri"], "Use 'uri'.")]
)
def test_an_unknown_output_is_refused_with_the_one_that_was_meant(name: t.Any, hint: str) -> None:
    with pytest.raises(InputError, match="output is not one of access_token, authorization, headers, uri, token") as no:
        select_output(name)
    assert no.value.hint == hint


def test_neither_token_nor_secret_is_in_what_is_printed() -> None:
    entry = CacheEntry("/run/entry", "hunter2")
    assert JWT not in repr(dataclasses.replace(APP_TOKEN, entry=entry))
    assert "hunter2" not in repr(dataclasses.replace(APP_TOKEN, entry=entry))
