# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles judge hosts and answers as ``api_request`` does."""

from __future__ import annotations

import base64
import email.utils
import time
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_calls import (
    challenge,
    objection,
    pause,
    refusal,
    roles_of,
)

GRAPH = "https://graph.microsoft.com"
SCOPE = f"{GRAPH}/.default"


def token(api_url: str | None = GRAPH, cloud: str = "public", **claims: t.Any) -> dict[str, t.Any]:
    """What of a token the filters look at."""
    asked = {"credential": "client_secret", "tenant_id": "t", "client_id": "c", "scope": SCOPE}
    return {**asked, "api_url": api_url, "cloud": cloud, "claims": claims}


@pytest.mark.parametrize(
    ("url", "scope", "given"),
    [
        (f"{GRAPH}/v1.0/users", "graph", token()),
        ("https://westeurope.management.azure.com/x", "arm", token("https://management.azure.com")),
        ("https://mine.vault.azure.net/secrets", "key_vault", token(None)),
        ("https://graph.microsoft.us/beta", "graph", token("https://graph.microsoft.us", "usgov")),
        ("https://gateway.contoso.example:8443/v1.0", "graph", token("https://gateway.contoso.example:8443/graph")),
        ("https://api.contoso.example/x", "https://api.contoso.example", token(None)),
    ],
)
def test_a_host_of_the_api_may_have_the_token(url: str, scope: str, given: dict[str, t.Any]) -> None:
    assert objection(url, given, scope) == ""


@pytest.mark.parametrize(
    ("url", "scope", "given"),
    [
        ("https://graph.microsoft.us/v1.0", "graph", token()),
        (f"{GRAPH}/v1.0", "graph", token("https://gateway.contoso.example")),
        ("https://management.azure.com/", "graph", token()),
        ("https://vault.azure.net.contoso.example/", "key_vault", token(None)),
    ],
)
def test_any_other_may_not(url: str, scope: str, given: dict[str, t.Any]) -> None:
    said = objection(url, given, scope, label="role_url", prefix="role_")
    assert said.startswith("role_url leads to ")
    assert "name it in role_allowed_hosts" in said


def test_allowed_hosts_are_hosts() -> None:
    url = "https://a.contoso.example/"
    assert objection(url, token(), "graph", ["*.contoso.example"]) == ""
    said = objection(url, token(), "graph", ["https://a.contoso.example"], prefix="role_")
    assert said.startswith("role_allowed_hosts: 'https://a.contoso.example' is not the name of a host.")


def test_a_refusal_has_the_words_the_ids_and_the_roles() -> None:
    error = {"error": {"code": "Authorization_RequestDenied", "message": "No."}}
    answer = {"status": 403, "json": error, "request_id": "r", "client_request_id": "q", "date": "D", "elapsed": 1}
    said = refusal(answer, token(roles=["B", "A"]), f"GET {GRAPH}/v1.0/users?$search=hidden", "More.")
    assert said.startswith(f"GET {GRAPH}/v1.0/users was answered 403: No (Authorization_RequestDenied). The token has")
    assert " The token has the roles: A, B. More. To fix it: Grant the app" in said
    assert said.endswith(f"scope {SCOPE}. For support: correlation id q, trace id r, at D.")


def test_a_refusal_without_a_body_names_the_options_of_the_role() -> None:
    said = refusal({"status": 404}, token(), "GET https://a/", prefix="role_")
    assert "it gave no reason that could be read. To fix it: Check role_url; " in said
    assert "add 404 to role_status_code" in said


def test_a_user_has_scopes_for_roles() -> None:
    assert roles_of(token(scp="User.Read Mail.Send")) == ["Mail.Send", "User.Read"]
    assert roles_of(token()) == []


def test_a_challenge_that_nobody_can_read_is_none() -> None:
    claims = base64.b64encode(b'{"access_token": {}}').decode().rstrip("=")
    assert challenge({"www_authenticate": f'Bearer realm="", claims="{claims}", error="insufficient_claims"'}) == claims
    assert challenge({"www_authenticate": 'Bearer claims="%%"'}) == ""
    assert challenge({"www_authenticate": 'Bearer realm="claims=none"'}) == ""
    assert challenge({"status": 401}) == ""


def test_a_pause_is_whole_seconds() -> None:
    assert pause({"retry_after": "7"}, 2) == 7
    assert pause({"retry_after": email.utils.formatdate(time.time() + 50, usegmt=True)}, 2) in range(30, 52)
    assert pause({"retry_after": "soon"}, 2) == 2
    assert pause({}, 0.5) == 1


def test_an_answer_that_asks_for_no_pause_gets_one() -> None:
    past = email.utils.formatdate(time.time() - 50, usegmt=True)
    for retry_after in ("0", past, "Mon, 01 Jan 99999 00:00:00 GMT", f"Mon, 01 Jan {'9' * 40} 00:00:00 GMT"):
        assert pause({"retry_after": retry_after}, 2) == 2


def test_a_date_is_by_the_clock_of_who_wrote_it() -> None:
    date, until = "Mon, 05 Jan 2026 10:00:00 GMT", "Mon, 05 Jan 2026 10:00:07 GMT"
    assert pause({"retry_after": until, "date": date}, 2) == 7
    assert pause({"retry_after": date, "date": until}, 2) == 2
    assert pause({"retry_after": "3", "date": date}, 2) == 3


@pytest.mark.parametrize("url", [f"{GRAPH}/v1.0/users/ann#EXT#@b.example", f"{GRAPH}#", "#"])
def test_a_url_that_would_be_cut_short_is_refused(url: str) -> None:
    assert objection(url, token(), "graph", label="role_url").startswith("role_url holds a #")


@pytest.mark.parametrize(
    "url", ["http://[", "https://[:]/", "https://[::zz]/", "https://\u2100.example", "https://h:x/"]
)
def test_a_url_that_is_none_is_refused_readably(url: str) -> None:
    assert objection(url, token(), "graph", label="role_url").startswith("role_url is not a plain http or https URL")
