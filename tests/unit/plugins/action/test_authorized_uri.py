# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action runs core's uri on the task's host, in time, and reads its options from the task or from the role."""

from __future__ import annotations

import signal
import sys
import threading
import time
import types
import typing as t

import pytest
from action_plugins import build_action
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError

from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token

Options = dict[str, t.Any]
HOST: t.Final = {"inventory_hostname": "h001"}
OK: t.Final = {"status": 200, "changed": False, "content": '{"a": 1}', "content_type": "application/json"}


class UriLoader:
    """Stands in for Ansible's loader of actions: each action that it gives runs ``run``."""

    def __init__(self, run: t.Callable[..., Options]) -> None:
        self.tasks: list[t.Any] = []
        self._run = run

    def get(self, name: str, *, task: t.Any, **_settings: t.Any) -> types.SimpleNamespace:
        """The action of a name for a task."""
        assert name == "ansible.builtin.uri"
        self.tasks.append(task)
        return types.SimpleNamespace(run=self._run)


def action(arguments: Options, run: t.Callable[..., Options] = lambda **_more: dict(OK), **keywords: t.Any) -> t.Any:
    """The action for a task with these arguments, whose uri does what ``run`` does."""
    plugin = build_action("entra.auth.authorized_uri", arguments, timeout=0, **keywords)
    task = plugin._task

    def copy() -> types.SimpleNamespace:
        return types.SimpleNamespace(**vars(task))

    task.copy = copy
    plugin._shared_loader_obj = types.SimpleNamespace(action_loader=UriLoader(run))
    return plugin


def in_role(name: str = "entra.auth.authorized_uri") -> types.SimpleNamespace:
    return types.SimpleNamespace(get_name=lambda: name)


def sent(plugin: t.Any) -> Options:
    """The arguments of the first uri task."""
    return t.cast("Options", plugin._shared_loader_obj.action_loader.tasks[0].args)


def test_uri_runs_with_the_token_and_its_fields_are_returned(reader: Options) -> None:
    plugin = action({"url": "/v1.0/users", **reader})
    result = plugin.run(task_vars=HOST)
    assert (result["status"], result["json"], result["result"]) == (200, {"a": 1}, {"a": 1})
    assert sent(plugin)["headers"]["Authorization"].startswith("Bearer ey")


def test_arguments_of_the_task_itself_hold_no_token(reader: Options) -> None:
    plugin = action({"url": "/v1.0/users", **reader})
    plugin.run(task_vars=HOST)
    assert "Authorization" not in str(plugin._task.args)
    assert "url_password" not in plugin._task.args


@pytest.mark.parametrize("check", [False, True])
def test_a_request_that_reads_is_sent_in_check_mode_too(reader: Options, check: bool) -> None:
    plugin = action({"url": "/v1.0/users", **reader}, check_mode=check)
    assert plugin.run(task_vars=HOST)["status"] == 200
    assert plugin._shared_loader_obj.action_loader.tasks[0].check_mode is False


def test_a_windows_host_is_told_what_to_use(reader: Options) -> None:
    plugin = action({"url": "/v1.0/users", **reader})
    plugin._connection._shell._IS_WINDOWS = True
    result = plugin.run(task_vars=HOST)
    assert result["failed"] is True
    assert "entra.auth.api_request" in result["msg"]
    assert plugin._shared_loader_obj.action_loader.tasks == []


def test_an_error_is_a_result(reader: Options) -> None:
    result = action({"url": "/users", **reader}).run(task_vars=HOST)
    assert (result["failed"], result["status"]) == (True, -1)
    assert "begin with /v1.0" in result["msg"]
    assert "To fix it" in result["msg"]


def test_the_host_in_messages_is_that_of_the_task(reader: Options) -> None:
    lost = {"status": -1, "failed": True, "msg": "refused"}
    arguments = {"url": "/v1.0/users", **reader, "retry_for": 0}
    assert "got no response on h001" in action(arguments, lambda **_more: lost).run(task_vars=HOST)["msg"]
    delegated = action(arguments, lambda **_more: lost, delegate_to="other")
    assert "got no response on other" in delegated.run(task_vars=HOST)["msg"]


# --- in the role ------------------------------------------------------------------------------------------------


def test_in_the_role_its_variables_are_the_options(reader: Options) -> None:
    variables = {f"authorized_uri_{name}": value for name, value in {"url": "/v1.0/users", **reader}.items()}
    more = {"authorized_uri_status_code": "200,404", "authorized_uri_dest": "/x", "authorized_uri_fact": "users"}
    plugin = action({}, _role=in_role())
    result = plugin.run(task_vars={**HOST, **variables, **more})
    assert (result["fact"], result["response"]["status"]) == ("users", 200)
    assert sent(plugin)["dest"] == "/x"
    assert sent(plugin)["status_code"] == [200, 404]


def test_defaults_of_the_play_concern_the_credential_alone_in_the_role(reader: Options) -> None:
    plugin = action({"method": "DELETE", "url": "/v1.0/elsewhere", **reader}, _role=in_role())
    plugin.run(task_vars={**HOST, "authorized_uri_url": "/v1.0/users"})
    assert sent(plugin)["method"] == "GET"
    assert sent(plugin)["url"].endswith("/v1.0/users")


def test_outside_of_the_role_its_variables_do_not_count(reader: Options) -> None:
    plugin = action({"url": "/v1.0/users", **reader}, _role=in_role("contoso.ops.authorized_uri"))
    result = plugin.run(task_vars={**HOST, "authorized_uri_method": "DELETE"})
    assert sent(plugin)["method"] == "GET"
    assert "response" not in result


def test_a_failure_in_the_role_has_the_response_for_the_fact(reader: Options) -> None:
    plugin = action(dict(reader), lambda **_more: {"status": 404, "failed": True, "content": "{}"}, _role=in_role())
    result = plugin.run(task_vars={**HOST, "authorized_uri_url": "/v1.0/x"})
    assert (result["failed"], result["status"], result["fact"]) == (True, 404, "authorized_uri_result")
    assert result["response"]["status"] == 404
    assert "To fix it" in result["msg"]


@pytest.mark.parametrize("variables", [{}, {"authorized_uri_fact": ""}])
def test_without_an_url_the_role_fails_with_the_module_s_message(variables: Options) -> None:
    result = action({}, _role=in_role()).run(task_vars={**HOST, **variables})
    assert result["msg"].startswith("authorized_uri needs a url. To fix it: ")
    assert result["status"] == result["response"]["status"] == -1
    assert result["fact"] == "authorized_uri_result"


def test_a_misspelt_variable_of_the_role_is_named(reader: Options) -> None:
    result = action(dict(reader), _role=in_role()).run(task_vars={**HOST, "authorized_uri_ulr": "/v1.0/users"})
    assert result["msg"].startswith("'ulr' is not an option of authorized_uri. To fix it: Write url instead of ulr")


# --- in time ----------------------------------------------------------------------------------------------------


def test_a_request_that_outlives_its_time_is_ended(reader: Options) -> None:
    ended: list[str] = []

    def drip(**_more: t.Any) -> Options:
        try:
            threading.Event().wait(60)
        finally:
            ended.append("cleaned up")
        return dict(OK)

    arguments = {"url": "/v1.0/users", **reader, "timeout": 0.2, "retry_for": 0}
    before, began = signal.getsignal(signal.SIGALRM), time.monotonic()
    result = action(arguments, drip).run(task_vars=HOST)
    assert (result["failed"], result["status"]) == (True, -1)
    assert "not complete in time" in result["msg"]
    assert ended == ["cleaned up"]
    assert time.monotonic() - began < 30
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_the_timeout_of_the_task_itself_is_left_to_ansible(reader: Options) -> None:
    handlers: list[t.Any] = []

    def note(**_more: t.Any) -> Options:
        handlers.append((signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)))
        return dict(OK)

    plugin = action({"url": "/v1.0/users", **reader}, note)
    plugin._task.timeout = 100
    plugin.run(task_vars=HOST)
    assert handlers == [(signal.SIG_DFL, (0, 0))]


# --- a response that is not UTF-8 -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        AnsibleError("Refusing to deserialize an invalid UTF8 string value."),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ],
)
def test_a_response_that_uri_can_not_return_is_named(reader: Options, error: Exception) -> None:
    def fail(**_more: t.Any) -> Options:
        raise error

    result = action({"url": "/v1.0/users", **reader}, fail).run(task_vars=HOST)
    assert "the response is not text in UTF-8" in result["msg"]
    assert "Use entra.auth.api_request, or write the response to a file with dest." in result["msg"]
    assert result["status"] == -1


# --- uri did not run --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("returns", [False, True], ids=["raised", "returned"])
def test_a_failure_of_ansible_says_what_ansible_says(reader: Options, method: str, returns: bool) -> None:
    """Before ansible-core 2.19 the action returns its own failure, with a traceback. Nothing was sent either way."""
    words = f"Could not find\n'/x.png' for {reader['client_secret']}"

    def fail(**_more: t.Any) -> Options:
        if returns:
            return {"failed": True, "msg": words, "exception": "Traceback (most recent call last):\n  File"}
        raise AnsibleActionFail(words)

    result = action({"url": "/v1.0/users", "method": method, **reader}, fail).run(task_vars=HOST)
    assert (result["failed"], result["status"]) == (True, -1)
    said = "was not sent, because ansible.builtin.uri did not run on h001: Could not find '/x.png' for ********."
    assert said in result["msg"]
    assert result["hint"].startswith("Correct what the message says: a file to send has to be beside the playbook")
    assert "took effect" not in result["hint"]
    assert "Traceback" not in str(result)


@pytest.mark.parametrize(
    "more",
    [{"exception": "Traceback", "_ansible_parsed": True}, {"exception": object()}],
    ids=["before 2.21", "since 2.21"],
)
def test_a_failure_that_the_module_returned_is_not_taken_for_one_of_ansible(reader: Options, more: Options) -> None:
    def fail(**_more: t.Any) -> Options:
        return {"failed": True, "msg": "x", **more}

    result = action({"url": "/v1.0/users", "method": "POST", **reader}, fail).run(task_vars=HOST)
    assert "ansible.builtin.uri failed on h001: x" in result["msg"]
    assert result["hint"].startswith("Check whether the request took effect")


def test_an_unreachable_host_is_left_to_ansible(reader: Options) -> None:
    def fail(**_more: t.Any) -> Options:
        raise AnsibleConnectionFailure("no route")

    with pytest.raises(AnsibleConnectionFailure):
        action({"url": "/v1.0/users", **reader}, fail).run(task_vars=HOST)


@pytest.mark.parametrize(("remote_src", "requests"), [(False, 0), ("no", 0), (True, 1), ("yes", 1)])
def test_a_missing_file_is_found_before_the_token_is_requested(
    reader: Options, monkeypatch: pytest.MonkeyPatch, remote_src: t.Any, requests: int
) -> None:
    acquired: list[object] = []

    def acquire(options: t.Any, *more: t.Any) -> t.Any:
        acquired.append(options)
        return get_app_token(options, *more)

    def find_nothing(_folder: str, _path: str) -> str:
        raise AnsibleError("not there")

    monkeypatch.setattr(sys.modules[type(action({})).__module__], "get_app_token", acquire)
    plugin = action({"url": "/v1.0/x", "method": "POST", "src": "missing.json", "remote_src": remote_src, **reader})
    plugin._find_needle = find_nothing
    result = plugin.run(task_vars=HOST)
    assert [len(acquired), len(plugin._shared_loader_obj.action_loader.tasks)] == [requests, requests]
    assert result.get("msg", "").startswith("src missing.json was not found. To fix it: ") is (requests == 0)
