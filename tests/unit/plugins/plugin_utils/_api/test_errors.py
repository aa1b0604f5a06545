# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An error of an API becomes one sentence with its fix."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import (
    ServiceError,
    add_result,
    build_api_error,
    find_hint,
    parse_error_body,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse, build_response
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_mask import TokenMask

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
    found = parse_error_body(json.dumps(body).encode())
    assert (found.code, str(found)) == (code, said)


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


def test_a_good_status_is_named_as_an_option() -> None:
    assert "add 204 to status_code" in find_hint(204, ServiceError())


COUNT: t.Final = "Add ConsistencyLevel: eventual to headers"


@pytest.mark.parametrize(
    ("status", "code", "message", "url", "hint"),
    [
        (400, "Request_BadRequest", "$count is not currently supported.", "", COUNT),
        (400, "Request_UnsupportedQuery", "'ConsistencyLevel:eventual' header is missing.", "", COUNT),
        (400, "BadRequest", None, "https://graph.microsoft.com/v1.0/users/$count", COUNT),
        (400, "BadRequest", "Bad filter.", "https://graph.microsoft.com/v1.0/users", "Correct the request"),
        (400, "BadRequest", "Invalid version: users", "", "Begin the path with /v1.0 or /beta"),
        (401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.", "", "Set scope"),
        (401, "InvalidAuthenticationTokenAudience", None, "", "Set scope to the API that is called: arm"),
        (403, "Authorization_RequestDenied", "No.", "", "admin consent"),
        (403, "AuthorizationFailed", "No.", "", "role assignment"),
        (404, "ResourceNotFound", "Not there.", "", "add 404 to status_code"),
        (400, "MissingApiVersionParameter", None, "", "Add api-version to query"),
    ],
)
def test_the_fix_depends_on_code_words_and_status(
    status: int, code: str, message: str | None, url: str, hint: str
) -> None:
    assert hint in find_hint(status, ServiceError(code, message), url)


def test_the_codes_of_inner_errors_count_for_the_fix() -> None:
    found = parse_error_body(json.dumps(error(innerError={"code": "SubscriptionNotFound"})).encode())
    assert "Check the subscription's id" in find_hint(404, found)


TOKEN: t.Final = "made-up-token-of-this-test-0123456789"
REQUEST: t.Final = ApiRequest("GET", "https://graph.microsoft.com/v1.0/users?$search=hidden")


def respond(status: int, body: t.Any, **headers: str) -> ApiResponse:
    """A response of Graph; an underscore in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return build_response(REQUEST, status, named, json.dumps(body).encode(), TokenMask([TOKEN]))


class Held:
    """A holder that describes its token."""

    def describe_request(self) -> str:
        """What the token was requested with."""
        return "client c"

    def describe_roles(self) -> str:
        """The roles."""
        return "The token has the roles: A."

    def describe_end(self) -> str:
        """When it ends."""
        return "It ends soon."


def test_an_error_has_words_ids_fix_and_what_was_asked() -> None:
    ids = {"request_id": "r", "client_request_id": "q", "Date": "D"}
    failure = build_api_error(respond(403, error(), **ids), t.cast("t.Any", Held()), "Never again.")
    said = str(failure)
    assert said.startswith(
        "GET https://graph.microsoft.com/v1.0/users responded with 403: m (A). The token has the roles"
    )
    assert "The token has the roles: A. Never again. To fix it: Grant the app" in said
    assert said.endswith("Requested with client c. For support: correlation id q, trace id r, at D.")
    assert "hidden" not in said
    assert failure.to_fields()["status"] == 403
    assert failure.to_fields()["request_id"] == "r"


@pytest.mark.parametrize(("status", "roles", "end"), [(401, True, True), (403, True, False), (404, False, False)])
def test_roles_and_end_of_the_token_are_named_where_they_matter(status: int, roles: bool, end: bool) -> None:
    said = build_api_error(respond(status, {}), t.cast("t.Any", Held())).message
    assert ("The token has the roles" in said, "It ends soon" in said) == (roles, end)


def test_an_error_of_a_request_without_a_token_does_not_speak_of_one() -> None:
    failure = build_api_error(respond(403, error()), None)
    assert "token has" not in failure.message
    assert failure.request_summary is None


@pytest.mark.parametrize("spelled", [TOKEN, TOKEN.replace("e", "\\u0065"), TOKEN[5:30], f"%20{TOKEN}"])
def test_a_token_in_an_error_is_masked_after_decoding(spelled: str) -> None:
    body = {"error": {"code": spelled, "message": spelled, "details": [{"message": spelled}]}}
    raw = json.dumps(body).replace("\\\\u", "\\u").encode()
    response = dataclasses.replace(respond(400, {}, request_id=TOKEN), body=raw)
    failure = build_api_error(response, None)
    assert TOKEN[5:30] not in f"{failure} {failure.to_fields()}"
    assert failure.message.count("********") >= 3


def test_a_result_is_added_to_any_error() -> None:
    added = add_result(InputError("No.", hint="Yes."), {"status": -1})
    assert added.to_fields()["status"] == -1
