# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a module on the task's host becomes a token by this machine's clock, or an error of that host."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.module_utils._managed_identity import Selector
from ansible_collections.entra.auth.plugins.plugin_utils._token.task_host import TaskHost

if t.TYPE_CHECKING:
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

Result = dict[str, t.Any]
ARM = "https://management.azure.com"
NETWORK = NetworkSettings(timeout=7.5, retry_for=0.0, proxy="http://proxy", ca_path="/ca", validate_certs=False)


class Action:
    """An action plugin whose module returns a prepared result, or raises on its way."""

    def __init__(self, result: Result | AnsibleError) -> None:
        self.result = result
        self.calls: list[tuple[str, Result, Result]] = []

    def run_silently(self, module: str, arguments: Result, task_vars: Result) -> Result:
        self.calls.append((module, arguments, task_vars))
        if isinstance(self.result, AnsibleError):
            raise self.result
        return self.result


def request(result: Result | AnsibleError) -> Token:
    return TaskHost("h001", Action(result), {}).request_token(ARM, Selector(), NETWORK)


def failure(result: Result | AnsibleError) -> EntraAuthError:
    with pytest.raises(EntraAuthError) as failed:
        request(result)
    return failed.value


def token_of(**fields: t.Any) -> Result:
    return {"token": {"access_token": "abc", "lifetime": 3600.0, **fields}}


def test_the_host_gets_the_resource_the_selector_and_times_alone() -> None:
    action = Action(token_of())
    host = TaskHost("h001", action, {"inventory_hostname": "h001"})
    host.request_token(ARM, Selector(client_id="the-client"), NETWORK)
    arguments = {"resource": ARM, "client_id": "the-client", "timeout": 7.5, "retry_for": 0.0}
    assert action.calls == [("entra.auth.managed_identity_token", arguments, {"inventory_hostname": "h001"})]


def test_a_token_is_as_old_as_the_request_by_this_machine_s_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    token = request(token_of(issued_on=5.0, expires_on=9e9, refresh_on=9e9, refresh_token="forged", scope="forged"))
    assert (token.access_token, token.issued_on, token.expires_on) == ("abc", 1000.0, 4600.0)
    assert (token.refresh_on, token.refresh_token, token.scope, token.correlation_id) == (None, None, "", None)


@pytest.mark.parametrize(
    ("lifetime", "seconds"), [(1, 1), (86399, 86399), (86401, 86400), (9e9, 86400), (float("inf"), 86400)]
)
def test_a_token_lives_for_a_day_at_most(lifetime: float, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert request(token_of(lifetime=lifetime)).expires_on == 1000.0 + seconds


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"failed": True, "msg": "MODULE FAILURE", "module_stderr": "hunter2", "exception": "hunter2"},
        {"failed": True, "msg": "hunter2"},
        {"failed": True, "msg": "x", "failure": "hunter2"},
        {"token": "hunter2"},
        token_of(access_token=["hunter2"]),
        token_of(access_token="h" * 100_001),
        token_of(lifetime=0),
        token_of(lifetime=-1),
        token_of(lifetime=float("nan")),
        token_of(lifetime=True),
        token_of(lifetime="3600"),
        {"token": {"access_token": "hunter2", "issued_on": 0.0, "expires_on": 9e9}},
    ],
    ids=lambda result: str(result)[:60],
)
def test_any_other_result_is_not_quoted(result: Result) -> None:
    error = failure(result)
    assert error.message == "No token was requested from the managed identity of h001: the module did not run there."
    assert "hunter2" not in str(error)
    assert error.hint


def test_a_token_that_no_header_can_carry_is_refused() -> None:
    assert "hunter2" not in str(failure(token_of(access_token="hunter2\r\nX-Evil: 1")))


def refused(msg: t.Any = "The identity was not found.", **fields: t.Any) -> Result:
    return {"failed": True, "msg": msg, "failure": {"error_codes": [], "hint": None, "retry_after": None, **fields}}


def test_a_refusal_is_shown_as_the_words_of_the_host() -> None:
    error = failure(refused(hint="Assign one."))
    assert error.message == "On h001: The identity was not found."
    assert error.to_fields() == {
        "error": "managed_identity_error",
        "error_codes": [],
        "hint": "h001 says: Assign one.",
        "correlation_id": None,
        "trace_id": None,
    }


def test_without_a_hint_of_the_host_there_is_a_fix() -> None:
    assert failure(refused()).hint == "Check that the host has the managed identity that was requested."


def test_the_fix_of_a_known_code_is_this_collection_s_own() -> None:
    assert "says" not in failure(refused(error_codes=[700016], hint="Run my script.")).hint


def test_the_words_of_a_host_are_short_and_plain() -> None:
    error = failure(refused("\x1b[2J" + "x" * 5000, error_codes=[*range(1, 5000), "x"], hint=["x"]))
    assert str(error).isprintable()
    assert len(str(error)) < 1000
    assert len(error.response.error_codes) == 10


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        *((None, None), (0, 0), (7.5, 7.5), (9e9, 86400), (10**400, 86400)),
        *((float("nan"), None), (-1, None), (-(10**400), None), ("7", None), (True, None)),
    ],
)
def test_when_to_retry_is_a_number_of_seconds(seconds: t.Any, expected: float | None) -> None:
    assert failure(refused(retry_after=seconds)).retry_after == expected


def test_a_module_that_did_not_start_is_described_in_ansible_s_words() -> None:
    error = failure(AnsibleError("Incorrect sudo\n password"))
    assert error.message == "No token was requested from the managed identity of h001: Incorrect sudo password"
    assert error.__context__ is None


def test_the_words_about_such_a_module_are_bounded_and_can_be_shown() -> None:
    message = failure(AnsibleError("\x1b[2J" + "x" * 5000)).message
    assert message.isprintable()
    assert len(message) < 400


@pytest.mark.parametrize("codes", [[True, 700016], [-1, 0, 700016], [10**400, 700016]])
def test_a_code_is_a_number_that_entra_may_use(codes: list[int]) -> None:
    assert failure(refused(error_codes=codes)).response.error_codes == (700016,)


def test_an_unreachable_host_stays_unreachable() -> None:
    with pytest.raises(AnsibleConnectionFailure, match="no route"):
        request(AnsibleConnectionFailure("no route"))
