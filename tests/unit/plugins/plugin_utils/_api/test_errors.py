# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An error of an API becomes one sentence with its fix."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ServiceError, find_hint, parse_error_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.retry_policy import extract_claims
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_calls import refusal

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
