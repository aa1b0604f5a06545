# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of api_request that need no API: error bodies, queries, bodies, masks, batches, challenges."""

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.batch import batch_items, chunks_of
from ansible_collections.entra.auth.plugins.plugin_utils._api.destination import file_mode
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import add_query, encode_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ServiceError, find_hint, parse_error_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.preview import (
    difference,
    hides_values,
    shown_body,
    without_secrets,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.retry_policy import extract_claims
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_calls import refusal
from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import Scope
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import api_request_options

JSON: t.Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def error(**more: t.Any) -> dict[str, t.Any]:
    return {"error": {"code": "A", "message": "m", **more}}


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"error": {"code": "A", "message": "No.\r\nNever."}}, "A", "No. Never (A)"),
        (error(innerError={"code": "B", "innererror": {"code": "C"}}), "A / B / C", "m (A / B / C)"),
        (error(details=[{"code": "D", "message": "d.", "target": "t"}]), "A", "m (A); details: D: d at t"),
        (error(details=[{"code": n} for n in "abcde"]), "A", "m (A); details: a; b; c; and 2 more"),
        ({"error": {"code": "A", "message": {"lang": "en", "value": "v"}}}, "A", "v (A)"),
        ({"error": "invalid_token", "error_description": "It ended."}, "invalid_token", "It ended (invalid_token)"),
        ({"message": "TF400813", "typeKey": "Unauthorized"}, "Unauthorized", "TF400813 (Unauthorized)"),
        ({"Message": "m"}, None, "m"),
        ({"error": {"code": "A"}}, "A", "it gave no reason that could be read (A)"),
        ([], None, "it gave no reason that could be read"),
    ],
)  # fmt: skip
def test_an_error_body_becomes_a_sentence(body: t.Any, code: str | None, said: str) -> None:
    complaint = parse_error_body(json.dumps(body).encode())
    assert (complaint.code, str(complaint)) == (code, said)


@pytest.mark.parametrize("body", [b"", b"<html>s3cret</html>", b"{", b"[" * 100_000, "\ufeff{}".encode()])
def test_what_can_t_be_read_is_not_repeated(body: bytes) -> None:
    assert parse_error_body(body) == ServiceError()


@given(JSON)
def test_no_error_body_breaks_the_line_or_the_reader(body: t.Any) -> None:
    for content in (body, {"error": body}, {"error": {"message": body, "details": body, "innerError": body}}):
        said = str(parse_error_body(json.dumps(content).encode()))
        assert said.isprintable()
        assert len(said) < 4000


@pytest.mark.parametrize("status", [-1, 0, 100, 200, 204, 300, 400, 402, 418, 451, 500, 511, 599, 999])
def test_every_status_has_a_hint(status: int) -> None:
    assert find_hint(status, ServiceError())


def test_a_good_status_is_named_as_an_option_of_either_face() -> None:
    assert "add 204 to status_code" in find_hint(204, ServiceError())
    said = refusal({"status": 200}, {}, "POST https://a/", prefix="authorized_uri_")
    assert "add 200 to authorized_uri_status_code" in said


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ('Bearer realm="", error="insufficient_claims", claims="eyJhIjoxfQ=="', "eyJhIjoxfQ=="),
        ('bearer CLAIMS = "abc", realm="x"', "abc"),
        ("Bearer claims=abc", "abc"),
        ('Basic realm="x", Bearer realm="a, b", claims="abc"', "abc"),
        ('Bearer realm="", error="invalid_token"', None),
        ('Bearer noclaims="abc"', None),
        ("", None),
    ],
)
def test_claims_are_found_in_any_challenge(header: str, claims: str | None) -> None:
    assert extract_claims(header) == claims


@pytest.mark.parametrize(
    ("url", "query", "full"),
    [
        ("https://x/a", {}, "https://x/a"),
        ("https://x/a?b=c", {"d": "e f&g"}, "https://x/a?b=c&d=e%20f%26g"),
        ("https://x/a", {"$select": ["a", "b"], "tag": ["c", "d"]}, "https://x/a?$select=a%2Cb&tag=c&tag=d"),
        ("https://x/a", {"$count": True, "none": None, "empty": "", "n": 1}, "https://x/a?$count=true&n=1"),
    ],
)
def test_a_query_is_encoded(url: str, query: dict[str, t.Any], full: str) -> None:
    assert add_query(url, query) == full


def test_a_body_is_encoded() -> None:
    assert encode_body({"a": [1, None, True]}, "json") == b'{"a": [1, null, true]}'
    assert encode_body("{}", "json") == b"{}"
    assert encode_body({"a": ["b c", 1], "d": True, "e": ""}, "form") == b"a=b+c&a=1&d=true&e="
    assert encode_body("é", "raw") == "é".encode()
    with pytest.raises(InputError):
        encode_body({"a": 1}, "raw")


def test_what_tells_of_a_secret_is_masked_with_all_below_it() -> None:
    body = {
        "passwordProfile": {"password": "x"},
        "keyCredentials": [{"key": "k"}],
        "name": "n",
        "list": [{"secretText": "s"}],
    }
    assert without_secrets(body) == {
        "passwordProfile": "********", "keyCredentials": "********", "name": "n", "list": [{"secretText": "********"}],
    }  # fmt: skip
    assert shown_body("a secret", "raw") == "(8 bytes)"
    assert shown_body('{"password": "x"}', "json") == "(17 bytes)"


@pytest.mark.parametrize(
    ("body", "hidden"),
    [
        ({"name": "DB_PASSWORD", "value": "x"}, {"name": "DB_PASSWORD", "value": "********"}),
        ({"Name": "clientSecret", "Value": ["x"]}, {"Name": "clientSecret", "Value": "********"}),
        ({"type": "secureString", "defaultValue": "x"}, {"type": "secureString", "defaultValue": "********"}),
        ({"op": "add", "path": "/fields/apiToken", "value": "x"},
         {"op": "add", "path": "/fields/apiToken", "value": "********"}),
        ([{"key": "SecretToken", "value": "x"}], [{"key": "********", "value": "********"}]),
        ({"name": "DB_HOST", "value": "x"}, {"name": "DB_HOST", "value": "x"}),
        ({"name": 5, "value": {"name": "pwd", "value": 1}}, {"name": 5, "value": {"name": "pwd", "value": "********"}}),
    ],
)  # fmt: skip
def test_a_value_is_masked_beside_the_name_of_a_secret(body: t.Any, hidden: t.Any) -> None:
    assert without_secrets(body) == hidden


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
    assert hides_values(url, Scope(f"{resource}/.default", None)) is hides


def test_a_difference_masks_what_only_the_old_value_names() -> None:
    old = {"settings": {"name": "password", "value": "x"}}
    assert difference("u", "PATCH", old, {"settings": {"value": "y"}})["before"] == {"settings": {"value": "********"}}


def test_a_difference_names_what_the_request_names() -> None:
    shown = difference("u", "PATCH", {"a": {"b": 1, "c": 2}, "d": 3, "password": "o"}, {"a": {"b": 4}, "password": "n"})
    assert (shown["before"], shown["after"]) == (
        {"a": {"b": 1}, "password": "********"},
        {"a": {"b": 4}, "password": "********"},
    )


@pytest.mark.parametrize(("mode", "number"), [("0640", 0o640), ("600", 0o600), (0o755, 0o755)])
def test_a_mode_is_octal(mode: t.Any, number: int) -> None:
    assert file_mode(mode) == number


@pytest.mark.parametrize("mode", ["u=rw", "0999", True, -1, 8**5, None, "6"])
def test_what_is_no_mode_is_refused(mode: t.Any) -> None:
    with pytest.raises(InputError):
        file_mode(mode)


@given(st.lists(st.sets(st.integers(1, 6), max_size=2), min_size=1, max_size=70))
def test_a_batch_holds_twenty_at_most_and_all_that_depend_on_each_other(distances: list[set[int]]) -> None:
    # Only within sevens, so that no chain is too long.
    number = len(distances)
    requests = [
        {"url": "/u", "dependsOn": [str(n + 1 - back) for back in backs if back <= n % 7]}
        for n, backs in enumerate(distances)
    ]
    items = batch_items(requests)
    batches = chunks_of(items)
    assert sorted(int(item["id"]) for one in batches for item in one) == list(range(1, number + 1))
    for one in batches:
        ids = {item["id"] for item in one}
        assert len(one) <= 20
        assert all(set(item.get("dependsOn", ())) <= ids for item in one)


def test_a_chain_that_is_too_long_for_a_batch_is_refused() -> None:
    requests = [{"url": "/u", "id": n, "dependsOn": [n - 1] if n else []} for n in range(21)]
    with pytest.raises(InputError, match="21 depend on each other"):
        chunks_of(batch_items(requests))


@given(
    st.dictionaries(
        st.sampled_from(("url", "method", "query", "status_code", "requests", "max_items", "headers")), JSON
    )
)
def test_whatever_is_given_is_taken_or_refused_in_words(arguments: dict[str, t.Any]) -> None:
    with contextlib.suppress(EntraAuthError):
        api_request_options(arguments)
