# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module on the task's host answers becomes a token by this machine's clock, or an error that names the host."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import TaskHost, UnreachableHost

TOKEN = {
    "access_token": "abc",
    "issued_on": 5000.0,
    "expires_on": 8600.0,
    "refresh_on": 6800.0,
    "scope": "s",
    "correlation_id": "c-1",
    "refresh_token": None,
}


class Action:
    """An action plugin whose module gives a prepared result, or fails on its way."""

    def __init__(self, result: dict[str, t.Any] | AnsibleError) -> None:
        self.result = result
        self.arguments: list[dict[str, t.Any]] = []

    def run_silently(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        self.arguments.append(arguments)
        if isinstance(self.result, AnsibleError):
            raise self.result
        return self.result


def on_target(result: dict[str, t.Any] | AnsibleError) -> tuple[TaskHost, Action]:
    action = Action(result)
    return TaskHost(action, {"inventory_hostname": "h001"}), action


def test_a_token_is_as_old_as_the_request_by_our_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    token = on_target({"token": TOKEN})[0].request_token({})
    assert (token.issued_on, token.refresh_on, token.expires_on) == (1000.0, 2800.0, 4600.0)
    assert (token.access_token, token.scope, token.correlation_id) == ("abc", "s", "c-1")


def test_a_token_without_a_wish_for_renewal_stays_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert on_target({"token": {**TOKEN, "refresh_on": None}})[0].request_token({}).refresh_on is None


def test_the_module_gets_what_was_given_and_no_empty_arguments() -> None:
    target, action = on_target({"token": TOKEN})
    target.request_token({"scope": ["s"], "proxy": None, "validate_certs": False, "timeout": 0.0})
    assert action.arguments == [{"scope": ["s"], "validate_certs": False, "timeout": 0.0}]


def test_a_refusal_there_is_told_with_the_host_and_all_that_was_said() -> None:
    result = {
        "failed": True,
        "msg": "Entra refused.",
        "hint": "Do.",
        "answer": {"error": "invalid_client", "error_codes": [7000215], "correlation_id": "c", "trace_id": "t"},
    }
    with pytest.raises(EntraAuthError) as refused:
        on_target(result)[0].request_token({})
    assert refused.value.message == "On h001: Entra refused."
    assert refused.value.to_fields() == {
        "error": "invalid_client",
        "error_codes": [7000215],
        "hint": "Do.",
        "correlation_id": "c",
        "trace_id": "t",
    }


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"failed": True, "msg": "MODULE FAILURE", "module_stderr": "hunter2", "exception": "hunter2"},
        {"failed": True, "msg": "hunter2"},
        {"failed": True, "msg": "x", "answer": "hunter2"},
        {"token": "hunter2"},
    ],
)
def test_a_module_that_did_not_run_is_told_without_what_it_said(result: dict[str, t.Any]) -> None:
    with pytest.raises(EntraAuthError) as failed:
        on_target(result)[0].request_token({})
    assert "the module did not run there" in failed.value.message
    assert "h001" in failed.value.message
    assert "hunter2" not in str(failed.value)
    assert failed.value.hint


def test_a_lookup_can_t_ask_from_a_host() -> None:
    target = UnreachableHost({"inventory_hostname": "h001"})
    assert target.name == "h001"
    with pytest.raises(InputError, match="only what a task has asked for") as refused:
        target.request_token({})
    assert refused.value.hint


def test_without_an_inventory_the_host_is_this_one() -> None:
    assert UnreachableHost({}).name == "localhost"


def test_a_module_that_never_ran_is_told_in_ansible_s_words() -> None:
    with pytest.raises(EntraAuthError, match="from h001: Incorrect sudo password") as failed:
        on_target(AnsibleError("Incorrect sudo\n password"))[0].request_token({})
    assert failed.value.__context__ is None
    assert failed.value.retry_after == 0, "another task may get there"


def test_a_host_that_is_not_reached_is_left_to_ansible() -> None:
    with pytest.raises(AnsibleConnectionFailure):
        on_target(AnsibleConnectionFailure("no route"))[0].request_token({})


@pytest.mark.parametrize("seconds", [None, 0, 7.5])
def test_when_a_failure_passes_is_known_here_too(seconds: float | None) -> None:
    result = {"msg": "busy", "answer": {"error": None}, "passes_after": seconds}
    with pytest.raises(EntraAuthError) as failed:
        on_target(result)[0].request_token({})
    assert failed.value.retry_after == seconds


def test_a_delegated_task_has_the_other_host_as_its_target() -> None:
    variables = {"inventory_hostname": "h001", "ansible_delegated_vars": {"h002": {}}}
    assert UnreachableHost(variables).name == TaskHost(Action({}), variables).name == "h002"
