# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module on a target asks as it is told, and answers with nothing but the token or what was said."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils import basic
from canned_server import CannedServer, json_answer, token_answer

from ansible_collections.entra.auth.plugins.modules import app_token
from ansible_collections.entra.auth.plugins.modules.app_token import main

SECRET = "hunter2-of-the-app"
Result = dict[str, t.Any]
Run = t.Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the module with arguments, as Ansible does, and gives what it prints."""

    def ran(**arguments: t.Any) -> Result:
        given = {"tenant_id": "contoso.com", "client_id": "c", "scope": ["the/.default"], "retry_for": 0, **arguments}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        result = json.loads(capsys.readouterr().out)
        assert ended.value.code == (1 if result.get("failed") else 0)
        return t.cast("Result", result)

    return ran


def test_a_token_comes_back_with_its_times(run: Run) -> None:
    with CannedServer(token_answer(expires_in=100)) as server:
        result = run(credential="client_secret", client_secret=SECRET, authority=server.url)
    assert set(result) - {"invocation"} == {"changed", "token"}
    assert result["changed"] is False
    token = result["token"]
    assert token["access_token"] == "canned-token"
    assert token["expires_on"] - token["issued_on"] == pytest.approx(100)
    assert server.received[0].target == "/contoso.com/oauth2/v2.0/token"
    assert SECRET not in json.dumps(result)


def test_claims_are_sent_as_they_are(run: Run) -> None:
    with CannedServer(token_answer()) as server:
        run(credential="client_secret", client_secret=SECRET, authority=server.url, claims_challenge='{"a":1}')
    assert "claims=%7B%22a%22%3A1%7D" in server.received[0].body


def test_a_refusal_comes_back_with_what_was_said(run: Run) -> None:
    refused = {
        "error": "invalid_client",
        "error_codes": [7000215],
        "error_description": "AADSTS7000215: No.",
        "trace_id": "t",
    }
    with CannedServer(json_answer(401, refused)) as server:
        result = run(credential="client_secret", client_secret=SECRET, authority=server.url)
    assert result["failed"] is True
    assert "AADSTS7000215" in result["msg"]
    assert result["hint"]
    assert result["answer"]["error_codes"] == [7000215]
    assert result["answer"]["trace_id"] == "t"
    assert SECRET not in json.dumps(result)


def test_what_nobody_foresaw_comes_back_by_its_kind_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(params: object) -> Result:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(app_token, "request_token", fail)
    result = run(credential="client_secret", client_secret=SECRET)
    assert "RuntimeError" in result["msg"]
    assert "hunter2" not in json.dumps(result)


def test_a_refresh_token_that_stays_the_same_comes_back_whole(run: Run) -> None:
    # The controller keeps what comes back: a masked value would end the sign-in.
    with CannedServer(token_answer(refresh_token="0.the-same-one")) as server:
        result = run(credential="refresh_token", refresh_token="0.the-same-one", authority=server.url)
    assert result["token"]["refresh_token"] == "0.the-same-one"


def test_a_secret_that_is_part_of_the_token_by_chance_does_not_damage_it(run: Run) -> None:
    with CannedServer(token_answer(access_token="eyJ0.abc.sig")) as server:
        result = run(credential="client_secret", client_secret="abc", authority=server.url)
    assert result["token"]["access_token"] == "eyJ0.abc.sig"
