# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action hands the token to register alone, and shows why there is none."""

from __future__ import annotations

import typing as t

import pytest
from action_plugins import build_action

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator

Options = dict[str, t.Any]
FIELDS = {"error", "error_codes", "hint", "correlation_id", "trace_id"}
VARIABLES = {"inventory_hostname": "h001"}


def action(**arguments: t.Any) -> t.Any:
    """The action for a task with these arguments."""
    return build_action("entra.auth.app_token", arguments)


def test_a_token_is_hidden_from_everything_but_register(reader: Options) -> None:
    result = action(**reader).run(task_vars=VARIABLES)
    assert result["_ansible_no_log"] is True
    assert result["changed"] is False
    assert result["authorization"] == f"Bearer {result['access_token']}"
    assert "failed" not in result


def test_a_failure_is_shown_with_its_fields(reader: Options) -> None:
    result = action(**{**reader, "client_secret": "hunter2-is-wrong"}).run(task_vars=VARIABLES)
    assert set(result) == {"failed", "changed", "msg", *FIELDS}
    assert (result["failed"], result["changed"]) == (True, False)
    assert "AADSTS7000215" in result["msg"]
    assert "hunter2" not in str(result)


def test_variables_of_the_host_count(reader: Options) -> None:
    variables = {f"app_token_{name}": value for name, value in reader.items()}
    assert action().run(task_vars={**VARIABLES, **variables})["credential"] == "client_secret"


def test_many_hosts_share_one_request(reader: Options, emulator: Emulator) -> None:
    results = [action(**reader).run(task_vars={"inventory_hostname": f"h{number}"}) for number in range(5)]
    assert [result["source"] for result in results] == ["network", *["cache"] * 4]
    assert len({result["access_token"] for result in results}) == 1
    assert len(emulator.token_requests()) == 1


@pytest.mark.parametrize("change", [{"client_secret": "hunter2-is-wrong"}, {"scope": "arm"}, {"force_refresh": True}])
def test_another_task_does_not_get_the_cached_token(change: Options, reader: Options) -> None:
    cached = action(**reader).run(task_vars=VARIABLES)
    result = action(**{**reader, **change}).run(task_vars=VARIABLES)
    assert result.get("access_token") != cached["access_token"]


def test_with_run_on_target_the_module_runs_on_the_host(emulator: Emulator) -> None:
    """And nothing is requested from here."""
    plugin = action(run_on="target", credential="managed_identity", scope="arm")
    ran: list[tuple[str, Options]] = []

    def execute_module(module_name: str, module_args: Options, task_vars: Options) -> Options:
        ran.append((module_name, module_args))
        return {"token": {"access_token": "token-of-h001", "lifetime": 3600.0}}

    plugin._execute_module = execute_module
    result = plugin.run(task_vars=VARIABLES)
    assert result["access_token"] == "token-of-h001"
    assert result["_ansible_no_log"] is True
    assert ran == [
        (
            "entra.auth.managed_identity_token",
            {"resource": "https://management.azure.com", "timeout": 30.0, "retry_for": 120.0},
        )
    ]
    assert emulator.requests() == []
