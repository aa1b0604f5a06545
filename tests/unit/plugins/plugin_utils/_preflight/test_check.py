# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What preflight finds: tokens, roles, calls and the app's credentials."""

from __future__ import annotations

import sys
import time
import typing as t

import pytest
from canned_server import CannedServer, answer, json_answer

from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Identity
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import load_class
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._options.preflight import parse_preflight_options
from ansible_collections.entra.auth.plugins.plugin_utils._preflight.check import build_failed_report, check
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator

    from ...conftest import Clock

Report = dict[str, t.Any]
ORGANIZATION: t.Final = json_answer(200, {"value": [{"displayName": "Contoso"}]})


class Checker(t.Protocol):
    """Checks the emulator's app."""

    def __call__(self, server: CannedServer | None = None, changes: Report | None = None, **checks: t.Any) -> Report:
        """Return the report; API calls go to the server if there is one."""


@pytest.fixture
def run(reader: Report, messages: t.Any, emulator: Emulator) -> Checker:
    def run(server: CannedServer | None = None, changes: Report | None = None, **checks: t.Any) -> Report:
        base = server.url if server else emulator.urls.api
        options = AppTokenOptions(**{**reader, "api_base_url": base, **(changes or {})})
        given = {"scopes": ["graph"], "warn_days": 0, **checks}
        return check(parse_preflight_options(given), options, messages, CachedTokensOnly({}))

    return run


def test_an_app_that_works_has_no_problem(run: Checker, emulator: Emulator) -> None:
    report = run(scopes=["graph", "arm"], warn_days=30)
    assert (report["ok"], report["problems"]) == (True, [])
    assert [api["scope"] for api in report["apis"]] == ["graph", "arm"]
    assert [call["response"] for api in report["apis"] for call in api["calls"]] == [
        "Contoso (made up)",
        "contoso-production, contoso-test",
    ]
    assert report["credentials"]["read"]
    assert len(emulator.token_requests()) == 2
    assert {entry["method"] for entry in emulator.requests(listener="api")} == {"GET"}


def test_one_token_serves_all_calls_even_without_a_cache(run: Checker, emulator: Emulator) -> None:
    run(changes={"cache": "none"}, warn_days=30, calls=[{"url": "/v1.0/users?$top=1"}])
    assert len(emulator.requests(listener="api")) == 3
    # One for each holder would be four; the first token is handed on.
    assert len(emulator.token_requests()) == 1


def test_missing_roles_are_named(run: Checker) -> None:
    report = run(required_roles={"graph": ["User.Read.All", "Mail.Send"]}, default_calls=False)
    assert report["apis"][0]["missing_roles"] == ["Mail.Send"]
    (problem,) = report["problems"]
    assert "lacks the app roles Mail.Send. It has " in problem
    assert "To fix it: Grant them to the app as application permissions" in problem


@pytest.mark.parametrize("kind", ["device_code", "refresh_token", "azure_cli"])
def test_missing_roles_of_a_user_are_not_granted_to_the_app(
    run: Checker, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def get_users_token(options: AppTokenOptions, *_more: object) -> AppToken:
        token = Token("made-up-token-of-a-user", issued_on=time.time(), expires_on=time.time() + 3600)
        return AppToken(token, options, kind, Identity(), "s", None, "network")

    monkeypatch.setattr(sys.modules[check.__module__], "get_app_token", get_users_token)
    (problem,) = run(required_roles={"graph": ["Mail.Send"]}, default_calls=False)["problems"]
    assert "lacks the app roles Mail.Send" in problem
    assert "as application permissions" not in problem
    assert load_class(kind).missing_roles_hint in problem


def test_equal_causes_are_told_once_with_the_apis_they_concern(run: Checker) -> None:
    report = run(changes={"client_secret": None}, scopes=["graph", "arm", "key_vault"])
    (problem,) = report["problems"]
    assert "client_secret" in problem
    assert problem.endswith("This concerns graph, arm, key_vault.")
    assert [api["calls"] for api in report["apis"]] == [[], [], []]


def test_a_wrong_secret_is_one_problem_without_the_secret(run: Checker, emulator: Emulator) -> None:
    report = run(changes={"client_secret": "hunter2-is-wrong"}, scopes=["graph", "arm"])
    (problem,) = report["problems"]
    assert "AADSTS7000215" in problem
    assert "hunter2" not in str(report)
    names = ("cloud", "tenant_id", "client_id", "credential", "expires_at")
    known = ("public", emulator.tenant_id, emulator.client_id, "client_secret", None)
    assert [tuple(api[name] for name in names) for api in report["apis"]] == [known] * 2
    # The table names them too.
    assert report["table"][1].split()[:3] == ["graph", emulator.client_id, emulator.tenant_id]


def test_the_app_is_named_if_it_has_no_credential(run: Checker, emulator: Emulator) -> None:
    report = run(changes={"client_secret": None})
    names = ("tenant_id", "client_id", "credential")
    assert [report["apis"][0][name] for name in names] == [emulator.tenant_id, emulator.client_id, None]


def test_different_causes_are_all_told(run: Checker) -> None:
    with CannedServer(json_answer(403, {"error": {"code": "Denied", "message": "No."}})) as server:
        report = run(server, calls=[{"url": "/v1.0/a"}, {"url": "https://other.example/b"}, {"url": "/v1.0/a b"}])
    assert len(report["problems"]) == 4
    joined = "\n".join(report["problems"])
    for part in ("/v1.0/organization responded with 403", "other.example/b: url leads to", "blank"):
        assert part in joined
    assert [call["response"] for call in report["apis"][0]["calls"]] == ["403 Denied"] * 2 + ["no response"] * 2


def test_a_status_that_the_call_names_is_a_success(run: Checker) -> None:
    with CannedServer(json_answer(404, {})) as server:
        report = run(server, default_calls=False, calls=[{"url": "/v1.0/a", "status_code": 404}])
    assert report["ok"]
    assert report["apis"][0]["calls"][0]["status"] == 404


def test_a_busy_api_and_a_refused_token_are_no_problem(run: Checker, emulator: Emulator, clock: Clock) -> None:
    responses = [json_answer(429, {}, Retry_After="3"), json_answer(401, {}), ORGANIZATION]
    with CannedServer(*responses) as server:
        report = run(server, changes={"retry_for": 60})
    assert report["ok"], report["problems"]
    assert [received.method for received in server.received] == ["GET"] * 3
    assert clock.slept == [3.0]
    assert len({received.headers["authorization"] for received in server.received}) == 2


def test_an_api_that_is_not_reached_is_a_problem(run: Checker) -> None:
    with CannedServer(b"") as server:
        report = run(server)
    assert not report["ok"]
    assert report["apis"][0]["calls"][0]["response"] == "no response"


def test_an_app_that_sees_no_subscription_is_warned_of(run: Checker) -> None:
    with CannedServer(json_answer(200, {"value": []})) as server:
        report = run(server, scopes=["arm"])
    assert report["ok"]
    assert "sees no subscription. To fix it: Give it a role assignment" in report["warnings"][0]


@pytest.mark.parametrize(
    ("status", "note"),
    [(403, "Application.Read.All allows it"), (404, "in another tenant than"), (500, "Graph responded with 500")],
)
def test_a_registration_that_can_not_be_read_is_no_problem(run: Checker, status: int, note: str) -> None:
    with CannedServer(json_answer(status, {})) as server:
        report = run(server, default_calls=False, warn_days=30)
    assert report["ok"]
    assert note in report["credentials"]["note"]


@pytest.mark.parametrize(
    ("checks", "note"),
    [
        ({"warn_days": 0}, "warn_days is 0"),
        ({"scopes": ["arm"], "warn_days": 30}, "graph is not among the scopes"),
    ],
)
def test_the_reason_why_nothing_was_read_is_told(run: Checker, checks: Report, note: str) -> None:
    with CannedServer(ORGANIZATION) as server:
        assert run(server, **checks)["credentials"]["note"] == note


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"value": [{"name": "a"}, {"id": "b"}, {}, {}]}, "a, b, 2 more"),
        ({"value": []}, "nothing"),
        ({"displayName": "d\x1b[31m"}, "d [31m"),
        ({"displayName": {"a": 1}}, "200"),
        ([1], "200"),
    ],
)
def test_a_response_is_shown_in_a_few_words(run: Checker, content: t.Any, words: str) -> None:
    with CannedServer(json_answer(200, content)) as server:
        assert run(server)["apis"][0]["calls"][0]["response"] == words


def test_text_is_a_response_too(run: Checker) -> None:
    with CannedServer(answer(200, "893", Content_Type="text/plain")) as server:
        assert run(server)["apis"][0]["calls"][0]["response"] == "200"


def test_no_token_is_in_the_report(run: Checker, emulator: Emulator) -> None:
    text = str(run(scopes=["graph", "arm"], warn_days=30))
    for token in emulator.issued()["token"]:
        assert token not in text


def test_a_failure_before_any_check_is_a_report_too() -> None:
    report = build_failed_report("tenant_id is not valid. To fix it: Correct it.")
    assert (report["ok"], report["problems"][0][:9], report["apis"]) == (False, "tenant_id", [])
    assert "nothing could be checked" in report["table"][-1]
