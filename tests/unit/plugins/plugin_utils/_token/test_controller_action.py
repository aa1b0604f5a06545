# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the actions hides a task's secrets before all else, returns errors as results, and silences modules."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import types
import typing as t

import pytest
from action_plugins import action_settings, build_action, build_connection
from ansible import constants
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._token.controller_action import ControllerAction

if t.TYPE_CHECKING:
    import pathlib

    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

SECRET = "hunter2-and-more"
MASK = "********"
FAILURE_FIELDS = {"failed", "changed", "msg", "error", "error_codes", "hint", "correlation_id", "trace_id"}
ACTIONS = ("app_token", "app_token_cache", "api_request", "authorized_uri")
Result = dict[str, t.Any]


class Echo(ControllerAction):
    """Returns what it was given, or raises it."""

    async_advice = "Use wait."
    raises: BaseException | None = None

    def execute(self, options: AppTokenOptions, variables: Result) -> Result:
        if self.raises:
            raise self.raises
        return {"client_secret": str(options.client_secret), "variables": variables}


def echo(arguments: Result, raises: BaseException | None = None, **keywords: t.Any) -> Echo:
    plugin = Echo(**action_settings("entra.auth.echo", arguments, **keywords))
    plugin.raises = raises
    return plugin


def shown_arguments(plugin: t.Any) -> t.Any:
    """The arguments of a task as Ansible sends them to its main process."""
    return pickle.loads(pickle.dumps(plugin._task.args))  # noqa: S301 - made by this test


def test_the_work_gets_options_and_variables() -> None:
    result = echo({"client_secret": SECRET}).run(task_vars={"inventory_hostname": "h001"})
    assert result == {"client_secret": SECRET, "variables": {"inventory_hostname": "h001"}}


def test_variables_and_templates_count() -> None:
    assert echo({}).run(task_vars={"app_token_client_secret": SECRET})["client_secret"] == SECRET


def test_without_variables_the_arguments_are_enough() -> None:
    assert echo({"client_secret": SECRET}).run()["variables"] == {}


@pytest.mark.parametrize(
    ("keywords", "arguments", "raises"),
    [
        ({}, {}, None),
        ({"async_val": 10}, {}, None),
        ({}, {"no_such_option": "x"}, None),
        ({}, {"timeout": "soon"}, None),
        ({}, {}, InputError("no", hint="Do.")),
        ({}, {}, RuntimeError(SECRET)),
        ({}, {}, OSError(SECRET)),
        ({}, {}, AnsibleError(SECRET)),
    ],
    ids=str,
)
def test_arguments_are_hidden_whatever_follows(
    keywords: Result, arguments: Result, raises: BaseException | None
) -> None:
    plugin = echo({"client_secret": SECRET, **arguments}, raises, **keywords)
    result = plugin.run(task_vars={})
    assert shown_arguments(plugin) == {"client_secret": MASK, **arguments}
    if keywords or arguments or raises:
        assert result["failed"] is True
        assert set(result) == FAILURE_FIELDS
        assert SECRET not in str(result)


@pytest.mark.parametrize("raises", [AnsibleConnectionFailure("no route"), KeyboardInterrupt(), SystemExit(1)], ids=str)
def test_arguments_are_hidden_when_an_exception_leaves_the_action(raises: BaseException) -> None:
    plugin = echo({"client_secret": SECRET}, raises)
    with pytest.raises(type(raises)):
        plugin.run(task_vars={})
    assert shown_arguments(plugin) == {"client_secret": MASK}


class BrokenConnection:
    @property
    def _shell(self) -> t.NoReturn:
        raise AttributeError("no shell")


def test_arguments_are_hidden_when_the_core_s_part_fails() -> None:
    plugin = echo({"client_secret": SECRET})
    plugin._connection = BrokenConnection()
    with pytest.raises(AttributeError):
        plugin.run(task_vars={})
    assert shown_arguments(plugin) == {"client_secret": MASK}


@pytest.mark.parametrize("name", ACTIONS)
def test_async_is_refused_with_the_task_s_secrets_hidden(name: str) -> None:
    plugin = build_action(f"entra.auth.{name}", {"client_secret": SECRET}, async_val=10)
    result = plugin.run(task_vars={})
    assert set(result) >= FAILURE_FIELDS
    assert result["failed"] is True
    assert result["msg"].startswith(f"{name} does not support async, because its work needs the control node. ")
    assert shown_arguments(plugin) == {"client_secret": MASK}


def test_what_to_do_instead_of_async_is_said() -> None:
    assert echo({}, async_val=10).run(task_vars={})["hint"] == "Remove async. Use wait."


# --- the task's host --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("delegate_to", "name"), [(None, "h001"), ("h002", "h002")])
def test_the_task_says_on_which_host_modules_run(delegate_to: str | None, name: str) -> None:
    plugin = echo({}, delegate_to=delegate_to)
    assert plugin.find_target({"inventory_hostname": "h001"}).name == name


def test_a_variable_that_names_another_host_is_not_believed() -> None:
    hostile = {"inventory_hostname": "h001", "ansible_delegated_vars": {"victim": {}}, "delegate_to": "victim"}
    assert echo({}).find_target(hostile).name == "h001"


class OfRole:
    """A role by its name, as a task knows it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def get_name(self) -> str:
        return self._name


@pytest.mark.parametrize(
    ("role", "is_own"),
    [
        (None, False),
        (OfRole("entra.auth.echo"), True),
        (OfRole("entra.auth.app_token"), False),
        (OfRole("echo"), False),
        (OfRole("other.entra.auth.echo"), False),
    ],
)
def test_the_task_says_whether_it_is_in_the_role_of_its_module(role: OfRole | None, is_own: bool) -> None:
    assert echo({}, _role=role).is_in_role() is is_own


# --- modules that are run silently ------------------------------------------------------------------------------


def silenced(connection: t.Any, raises: BaseException | None = None) -> tuple[Echo, list[Result]]:
    """An action whose module is a stand-in, and what could have been logged while that ran."""
    plugin = echo({})
    plugin._connection = connection
    seen: list[Result] = []

    def execute_module(module_name: str, module_args: Result, task_vars: Result) -> Result:
        contexts = [plugin._task, plugin._play_context, getattr(connection, "_play_context", plugin._task)]
        debug = vars(constants)["DEFAULT_DEBUG"]
        seen.append({"module": module_name, "no_log": [context.no_log for context in contexts], "debug": debug})
        if raises:
            raise raises
        return {"arguments": module_args, "variables": task_vars}

    plugin._execute_module = execute_module
    return plugin, seen


@pytest.mark.parametrize("no_log", [None, True, False])
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("raises", [None, RuntimeError("unexpected")], ids=str)
def test_a_module_runs_silently_and_all_is_as_before_afterwards(
    no_log: bool | None, debug: bool, raises: BaseException | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(constants), "DEFAULT_DEBUG", debug)
    connection = build_connection(_play_context=types.SimpleNamespace(no_log=no_log))
    plugin, seen = silenced(connection, raises)
    plugin._task.no_log = plugin._play_context.no_log = no_log
    if raises:
        with pytest.raises(RuntimeError, match="unexpected"):
            plugin.run_silently("the.module", {"a": 1}, {})
    else:
        result = plugin.run_silently("the.module", {"a": 1}, {"b": 2})
        assert result == {"arguments": {"a": 1}, "variables": {"b": 2}}
    assert seen == [{"module": "the.module", "no_log": [True] * 3, "debug": False}]
    contexts = (plugin._task, plugin._play_context, connection._play_context)
    assert [context.no_log for context in contexts] == [no_log] * 3
    assert vars(constants)["DEFAULT_DEBUG"] is debug


def test_a_connection_without_a_context_of_its_own_is_no_obstacle() -> None:
    plugin, seen = silenced(build_connection())
    plugin.run_silently("the.module", {}, {})
    assert seen == [{"module": "the.module", "no_log": [True] * 3, "debug": False}]
    assert plugin._task.no_log is None


# --- a worker -------------------------------------------------------------------------------------------------------

WORKERS: t.Final = """
import json, os, sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
from action_plugins import build_action
directory, options = sys.argv[1], json.loads(sys.argv[2])
build_action("entra.auth.app_token", {})
from ansible_collections.entra.auth.plugins.plugin_utils._cache import stores
stores._RUN_DIRECTORY = directory
for _number in range(2):
    if not os.fork():
        before = set(sys.modules)
        result = build_action("entra.auth.app_token", options).run(task_vars={"inventory_hostname": "h001"})
        loaded = [name for name in set(sys.modules) - before if ".entra." in name]
        print(json.dumps([result.get("source"), loaded]), flush=True)
        os._exit(0)
    os.wait()
"""


def test_a_worker_loads_nothing_for_a_cached_token(reader: Result, run_directory: pathlib.Path) -> None:
    """Ansible loads the action in the main process; what a worker loads, each worker compiles again."""
    done = subprocess.run(
        [sys.executable, "-c", WORKERS, str(run_directory), json.dumps(reader)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": "/usr/bin:/bin", "HOME": str(run_directory)},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    (first, loaded_by_first), second = (json.loads(line) for line in done.stdout.splitlines()[-2:])
    assert (first, bool(loaded_by_first)) == ("network", True)
    assert second == ["cache", []]
