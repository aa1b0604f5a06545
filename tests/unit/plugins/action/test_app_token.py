# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action hands the token to register alone, shows why there is none, and runs the module without a word."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import action_loader
from ansible.template import Templar

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator

Options = dict[str, t.Any]
FIELDS = {"error", "error_codes", "hint", "correlation_id", "trace_id"}


def a_connection(**more: t.Any) -> types.SimpleNamespace:
    """As much of a connection as Ansible looks at before anything runs on it."""
    return types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir=None), **more)


def action(**arguments: t.Any) -> t.Any:
    """The action for a task with these arguments."""
    loader = DataLoader()
    task = types.SimpleNamespace(
        args=arguments, async_val=0, check_mode=False, diff=False, action="entra.auth.app_token", no_log=None,
        collections=[], environment=None, delegate_to=None, become=False, loop=None,
    )  # fmt: skip
    return action_loader.get(
        "entra.auth.app_token",
        task=task,
        connection=a_connection(),
        play_context=types.SimpleNamespace(no_log=None, check_mode=False),
        loader=loader,
        templar=Templar(loader=loader, variables={}),
        shared_loader_obj=None,
    )


def test_a_token_is_hidden_from_everything_but_register(reader: Options) -> None:
    result = action(**reader).run(task_vars={})
    assert result["_ansible_no_log"] is True
    assert result["changed"] is False
    assert result["authorization"] == f"Bearer {result['access_token']}"
    assert "failed" not in result


def test_a_failure_is_shown_with_its_fields(reader: Options) -> None:
    result = action(**{**reader, "client_secret": "hunter2-is-wrong"}).run(task_vars={})
    assert set(result) == {"failed", "changed", "msg", *FIELDS}
    assert (result["failed"], result["changed"]) == (True, False)
    assert "AADSTS7000215" in result["msg"]
    assert "hunter2" not in str(result)


def test_variables_of_the_host_count(reader: Options) -> None:
    variables = {f"app_token_{name}": value for name, value in reader.items()}
    assert action().run(task_vars=variables)["credential"] == "client_secret"


def test_without_variables_the_arguments_are_enough(reader: Options) -> None:
    assert action(**reader).run()["credential"] == "client_secret"


def test_an_async_task_is_refused(reader: Options) -> None:
    plugin = action(**reader)
    plugin._task.async_val = 10
    with pytest.raises(AnsibleError, match="async"):
        plugin.run(task_vars={})


# --- what it remembers ------------------------------------------------------------------------------------------


def test_the_result_is_remembered_for_the_next_hosts(reader: Options, went: list[str], emulator: Emulator) -> None:
    results = [action(**reader).run(task_vars={"inventory_hostname": f"h{number}"}) for number in range(5)]
    assert [result["source"] for result in results] == ["network", *["cache"] * 4]
    assert len({result["access_token"] for result in results}) == 1
    assert all(result.keys() == results[0].keys() for result in results)
    assert (len(went), len(emulator.token_requests())) == (2, 1)


@pytest.mark.parametrize("change", [{"client_secret": "hunter2-is-wrong"}, {"scope": "arm"}, {"force_refresh": True}])
def test_another_task_is_not_given_what_is_remembered(change: Options, reader: Options, went: list[str]) -> None:
    known = [action(**reader).run(task_vars={}) for _number in range(3)][-1]
    went.clear()
    assert action(**{**reader, **change}).run(task_vars={}).get("access_token") != known["access_token"]
    assert went


def test_another_value_of_a_variable_is_not_given_what_is_remembered(reader: Options, went: list[str]) -> None:
    variables = {f"app_token_{name}": value for name, value in reader.items()}
    for _number in range(3):
        assert "access_token" in action().run(task_vars=variables)
    assert len(went) == 2
    assert "failed" in action().run(task_vars={**variables, "app_token_client_secret": "hunter2-is-wrong"})


def test_a_forced_token_is_handed_out_from_then_on(reader: Options, went: list[str]) -> None:
    for _number in range(3):
        action(**reader).run(task_vars={})
    forced = action(**reader, force_refresh=True).run(task_vars={})["access_token"]
    assert {action(**reader).run(task_vars={})["access_token"] for _number in range(3)} == {forced}


# --- run_on: target ---------------------------------------------------------------------------------------------


def silenced(connection: t.Any = None, **arguments: t.Any) -> tuple[t.Any, list[Options]]:
    """An action whose module is a stand-in, and what could be logged while that ran."""
    plugin = action(run_on="target", **arguments)
    plugin._connection = connection or a_connection()
    seen: list[Options] = []

    def execute(module_name: str, module_args: Options, task_vars: Options) -> Options:
        contexts = [plugin._task, plugin._play_context]
        contexts += [connection._play_context] if hasattr(connection, "_play_context") else []
        seen.append(
            {
                "module": module_name,
                "arguments": module_args,
                "silent": all(context.no_log for context in contexts),
                "debug": constants.DEFAULT_DEBUG,  # type: ignore[attr-defined]  # it fills itself at run time
            }
        )
        if module_args.get("timeout") == 9:
            raise RuntimeError("unforeseen")
        token = {"access_token": "abc", "issued_on": 0.0, "expires_on": 3600.0, "refresh_on": None}
        return {"token": token}

    plugin._execute_module = execute
    return plugin, seen


@pytest.mark.parametrize("no_log", [None, True, False])
@pytest.mark.parametrize("debug", [True, False])
def test_the_module_runs_without_a_word_and_everything_is_as_before_afterwards(
    no_log: bool | None, debug: bool, reader: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(constants), "DEFAULT_DEBUG", debug)
    connection = a_connection(_play_context=types.SimpleNamespace(no_log=no_log))
    plugin, seen = silenced(connection, **reader)
    plugin._task.no_log = plugin._play_context.no_log = no_log
    result = plugin.run(task_vars={"inventory_hostname": "h001"})
    assert result["access_token"] == "abc"
    assert result["_ansible_no_log"] is True
    (call,) = seen
    assert (call["module"], call["silent"], call["debug"]) == ("entra.auth.app_token", True, False)
    assert call["arguments"]["client_secret"] == reader["client_secret"]
    contexts = (plugin._task, plugin._play_context, connection._play_context)
    assert [context.no_log for context in contexts] == [no_log] * 3
    assert vars(constants)["DEFAULT_DEBUG"] is debug


def test_everything_is_as_before_after_a_failure_too(reader: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(constants), "DEFAULT_DEBUG", True)
    plugin, seen = silenced(a_connection(), **{**reader, "timeout": 9})
    result = plugin.run(task_vars={})
    assert len(seen) == 1
    assert result["failed"] is True
    assert "RuntimeError" in result["msg"]
    assert plugin._task.no_log is None
    assert vars(constants)["DEFAULT_DEBUG"] is True


def test_nothing_runs_on_the_target_unless_it_is_asked_to(emulator: Emulator, reader: Options) -> None:
    plugin, seen = silenced(**reader)
    plugin._task.args["run_on"] = "controller"
    plugin.run(task_vars={})
    assert seen == []
    assert len(emulator.token_requests()) == 1
