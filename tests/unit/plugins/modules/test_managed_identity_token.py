# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module asks the host's platform as it is told, and returns the token or what the platform said."""

from __future__ import annotations

import json
import sys
import typing as t

import pytest
from ansible.module_utils import basic
from canned_server import CannedServer, json_answer

from ansible_collections.entra.auth.plugins.module_utils import _managed_identity
from ansible_collections.entra.auth.plugins.module_utils._http import transport
from ansible_collections.entra.auth.plugins.modules.managed_identity_token import main

ARM = "https://management.azure.com"
Result = dict[str, t.Any]
Run = t.Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the module with arguments, as Ansible does, and returns its result."""

    def run_module(no_log: bool = True, **arguments: t.Any) -> Result:
        given = {"resource": ARM, "retry_for": 0, "_ansible_no_log": no_log, **arguments}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        result = json.loads(capsys.readouterr().out)
        assert ended.value.code == (1 if result.get("failed") else 0)
        return t.cast("Result", result)

    return run_module


@pytest.fixture
def app_service(monkeypatch: pytest.MonkeyPatch) -> t.Callable[[CannedServer], None]:
    """Makes a server the identity endpoint of this host."""

    def serve(server: CannedServer) -> None:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "made-up-header")

    return serve


def token_of(**fields: t.Any) -> bytes:
    content = {"access_token": "canned-token", "expires_on": "4102444800", "resource": ARM, "token_type": "Bearer"}
    return json_answer(200, {**content, **fields})


def test_a_token_comes_back_with_its_lifetime(run: Run, app_service: t.Callable[[CannedServer], None]) -> None:
    with CannedServer(token_of()) as server:
        app_service(server)
        result = run(client_id="the-client")
    # By the last one, ansible-core 2.22 tells the control node what to mask.
    assert set(result) - {"invocation", "_ansible_new_secrets"} == {"changed", "token"}
    assert result["changed"] is False
    assert set(result["token"]) == {"access_token", "lifetime"}
    assert result["token"]["access_token"] == "canned-token"
    assert result["token"]["lifetime"] > 0
    (received,) = server.received
    assert "client_id=the-client" in received.target
    assert "resource=https%3A%2F%2Fmanagement.azure.com" in received.target


def test_a_missing_package_is_one_of_the_host(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HAS_REQUESTS", False)
    result = run()
    assert result["msg"] == "entra.auth needs the Python package requests on this host."
    assert result["failure"]["hint"] == f"On this host, run: {sys.executable} -m pip install requests"


def test_a_refusal_comes_back_with_what_the_platform_said(
    run: Run, app_service: t.Callable[[CannedServer], None]
) -> None:
    with CannedServer(json_answer(400, {"error": "invalid_request", "error_description": "Made-up words"})) as server:
        app_service(server)
        result = run()
    assert result["failed"] is True
    assert "Made-up words" in result["msg"]
    assert set(result["failure"]) == {"error_codes", "hint", "retry_after"}
    assert result["failure"]["hint"]


def test_without_no_log_nothing_is_requested(run: Run, app_service: t.Callable[[CannedServer], None]) -> None:
    with CannedServer(token_of()) as server:
        app_service(server)
        result = run(no_log=False)
    assert result["failed"] is True
    assert "use entra.auth.app_token with run_on: target, or no_log" in result["msg"]
    assert server.received == []


def test_an_unexpected_error_comes_back_by_its_kind_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> t.NoReturn:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(_managed_identity, "request_managed_identity_token", fail)
    result = run()
    assert "RuntimeError" in result["msg"]
    assert "hunter2" not in json.dumps(result)
