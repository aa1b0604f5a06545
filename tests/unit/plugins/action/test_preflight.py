# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action returns the report, and fails with all problems unless it is told not to."""

from __future__ import annotations

import types
import typing as t

import pytest
from action_plugins import build_action

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator

Options = dict[str, t.Any]
VARIABLES: t.Final = {"inventory_hostname": "h001"}
ROLE: t.Final = types.SimpleNamespace(get_name=lambda: "entra.auth.preflight")


@pytest.fixture
def options(reader: Options, emulator: Emulator) -> Options:
    return {**reader, "api_base_url": emulator.urls.api}


def run(arguments: Options, variables: Options | None = None, **keywords: t.Any) -> Options:
    action = build_action("entra.auth.preflight", arguments, **keywords)
    result: Options = action.run(task_vars={**VARIABLES, **(variables or {})})
    return result


def test_the_report_is_the_result(options: Options) -> None:
    result = run({**options, "scopes": "graph"})
    assert (result["ok"], result["changed"], result.get("failed")) == (True, False, None)
    assert result["apis"][0]["calls"][0]["response"] == "Contoso (made up)"
    assert result["table"][0].startswith("API")


def test_every_problem_is_in_the_message_of_the_failure(options: Options) -> None:
    result = run({**options, "scopes": "graph", "required_roles": {"graph": "Mail.Send"}, "calls": [{"url": "/x"}]})
    assert result["failed"]
    assert result["msg"].startswith("Preflight found 2 problems:\n1. ")
    assert "\n2. " in result["msg"]
    assert result["apis"][0]["missing_roles"] == ["Mail.Send"]


@pytest.mark.parametrize("fail", [False, "no"])
def test_without_fail_the_problems_are_only_reported(options: Options, fail: t.Any) -> None:
    result = run({**options, "scopes": "graph", "required_roles": {"graph": "Mail.Send"}, "fail": fail})
    assert (result["ok"], "failed" in result, len(result["problems"])) == (False, False, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scops": "graph"}, "'scops' is not an option of preflight. To fix it: Write scopes instead of scops."),
        ({"tenant_id": "a b"}, "tenant_id"),
        ({"warn_days": "soon"}, "warn_days"),
    ],
)
def test_bad_input_is_a_problem_like_any_other(options: Options, arguments: Options, message: str) -> None:
    result = run({**options, **arguments})
    assert result["failed"]
    assert message in result["msg"]
    reported = run({**options, **arguments, "fail": False})
    assert (reported["ok"], "failed" in reported) == (False, False)
    assert message in reported["problems"][0]


def test_in_the_role_its_variables_are_the_options(options: Options) -> None:
    variables = {
        **{f"app_token_{name}": value for name, value in options.items()},
        "preflight_scopes": "graph",
        "preflight_required_roles": {"graph": "Mail.Send"},
        "preflight_fail": False,
        "preflight_fact": "checked",
    }
    result = run({}, variables, _role=ROLE)
    assert (result["fact"], result["report"]["ok"], result["message"]) == ("checked", False, "")
    assert [api["scope"] for api in result["report"]["apis"]] == ["graph"]
    assert result["table"][-1].startswith("Problem: ")


def test_in_the_role_the_message_is_for_its_last_task(options: Options) -> None:
    variables = {f"app_token_{name}": value for name, value in options.items()}
    result = run({}, {**variables, "preflight_scopes": "graph", "preflight_calls": [{"url": "/x"}]}, _role=ROLE)
    assert "failed" not in result
    assert result["message"].startswith("Preflight found 1 problem:\n1. GET ")


def test_in_the_role_bad_variables_are_a_report(options: Options) -> None:
    result = run({}, {"preflight_warn_days": "soon"}, _role=ROLE)
    assert (result["fact"], result["report"]["ok"]) == ("preflight_result", False)
    assert "variable preflight_warn_days" in result["message"]


def test_outside_of_the_role_its_variables_do_not_count(options: Options) -> None:
    result = run({**options, "scopes": "graph"}, {"preflight_required_roles": {"graph": "Mail.Send"}})
    assert result["ok"]


def test_async_is_refused(options: Options) -> None:
    result = run(options, async_val=10)
    assert "does not support async" in result["msg"]
