# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bodies are shown without their secrets, in check mode and in differences."""

from __future__ import annotations

import json
import typing as t

import pytest
from api_calls import JSON
from canned_server import CannedServer, json_answer
from hypothesis import given

from ansible_collections.entra.auth.plugins.plugin_utils._api.preview import (
    build_difference,
    format_body,
    has_secret_values,
    mask_body,
)
from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import Scope

if t.TYPE_CHECKING:
    from api_calls import ApiCaller

MASK: t.Final = "********"
VALUE: t.Final = {"value": "made-up~s3cret"}


def test_everything_below_the_name_of_a_secret_is_masked() -> None:
    body = {
        "passwordProfile": {"password": "x"},
        "keyCredentials": [{"key": "k"}],
        "name": "n",
        "list": [{"secretText": "s"}],
    }
    assert mask_body(body) == {
        "passwordProfile": MASK,
        "keyCredentials": MASK,
        "name": "n",
        "list": [{"secretText": MASK}],
    }


def test_of_text_only_the_length_is_shown() -> None:
    assert format_body("a secret", "raw") == "(8 bytes)"
    assert format_body('{"password": "x"}', "json") == "(17 bytes)"
    assert format_body(5, "json") == 5


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"name": "DB_PASSWORD", "value": "x"}, {"name": "DB_PASSWORD", "value": MASK}),
        ({"Name": "clientSecret", "Value": ["x"]}, {"Name": "clientSecret", "Value": MASK}),
        ({"type": "secureString", "defaultValue": "x"}, {"type": "secureString", "defaultValue": MASK}),
        ({"op": "add", "path": "/fields/apiToken", "value": "x"},
         {"op": "add", "path": "/fields/apiToken", "value": MASK}),
        ([{"key": "SecretToken", "value": "x"}], [{"key": MASK, "value": MASK}]),
        ({"name": "DB_HOST", "value": "x"}, {"name": "DB_HOST", "value": "x"}),
        ({"name": 5, "value": {"name": "pwd", "value": 1}}, {"name": 5, "value": {"name": "pwd", "value": MASK}}),
    ],
)  # fmt: skip
def test_a_value_is_masked_beside_the_name_of_a_secret(body: t.Any, shown: t.Any) -> None:
    assert mask_body(body) == shown


@pytest.mark.parametrize(
    ("url", "resource", "hides"),
    [
        ("https://v.vault.azure.net/x", "https://other", True),
        ("https://v.VAULT.usgovcloudapi.net:443/x", "https://other", True),
        ("https://v.vault.azure.cn/x", "https://other", True),
        ("https://m.managedhsm.azure.net/x", "https://other", True),
        ("https://gateway.example.com/x", "https://vault.azure.net", True),
        ("https://gateway.example.com/x", "https://vault.azure.cn/", True),
        ("https://management.azure.com/vaults/v/secrets/s", "https://management.azure.com", True),
        ("https://graph.microsoft.com/v1.0/users", "https://graph.microsoft.com", False),
        ("https://vault.azure.net.example.com/x", "https://other", False),
    ],
)
def test_a_vault_is_known_in_any_cloud(url: str, resource: str, hides: bool) -> None:
    assert has_secret_values(url, Scope(f"{resource}/.default", None)) is hides


@pytest.mark.parametrize(
    ("url", "scope"),
    [("/secrets/x", "key_vault"), ("/keys/x", "https://vault.azure.net/.default"), ("/v1.0/s/1/secrets", "graph")],
)
def test_the_values_of_a_vault_are_masked_in_check_and_diff_mode(call: ApiCaller, url: str, scope: str) -> None:
    old = json_answer(200, {"value": "made-up~old-s3cret", "id": "1"})
    arguments = {"url": url, "method": "PUT", "scope": [scope], "body": {**VALUE, "contentType": "text"}}
    with CannedServer(old) as server:
        result = call(server, check_mode=True, diff_mode=True, **arguments)
    assert "s3cret" not in json.dumps(result)
    assert result["body"] == {"value": MASK, "contentType": "text"}
    assert (result["diff"]["before"], result["diff"]["after"]) == ({"value": MASK}, result["body"])


def test_a_difference_masks_a_value_that_only_the_old_body_names() -> None:
    old = {"settings": {"name": "password", "value": "x"}}
    shown = build_difference("u", "PATCH", old, {"settings": {"value": "y"}})
    assert shown["before"] == {"settings": {"value": MASK}}


def test_a_difference_has_the_members_of_the_new_body() -> None:
    old = {"a": {"b": 1, "c": 2}, "d": 3, "password": "o"}
    shown = build_difference("u", "PATCH", old, {"a": {"b": 4}, "password": "n"})
    assert (shown["before"], shown["after"]) == ({"a": {"b": 1}, "password": MASK}, {"a": {"b": 4}, "password": MASK})
    assert (shown["before_header"], shown["after_header"]) == ("u (before)", "u (after PATCH)")


@given(JSON, JSON)
def test_any_body_has_a_difference(old: t.Any, new: t.Any) -> None:
    assert build_difference("u", "PUT", old, new)
