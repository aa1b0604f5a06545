# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of preflight, in every shape in which Ansible hands them over."""

from __future__ import annotations

import typing as t

import pytest
from api_calls import JSON, ends_in_value_or_error
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.preflight import (
    PREFLIGHT_OPTIONS,
    PreflightCall,
    PreflightOptions,
    parse_preflight_options,
)


def test_the_defaults_check_graph_and_arm() -> None:
    assert parse_preflight_options({}) == PreflightOptions()
    assert PreflightOptions().scopes == ["graph", "arm"]


@pytest.mark.parametrize(
    ("name", "given_", "value"),
    [
        ("scopes", "graph", ["graph"]),
        ("scopes", "graph, arm", ["graph", "arm"]),
        ("scopes", '["graph"]', ["graph"]),
        ("required_roles", {"graph": "User.Read.All"}, {"graph": ["User.Read.All"]}),
        ("required_roles", {"graph": ["A", "B"], "arm": "C, D"}, {"graph": ["A", "B"], "arm": ["C", "D"]}),
        ("required_roles", '{"graph": ["A"]}', {"graph": ["A"]}),
        ("calls", [{"url": "/a", "status_code": 200}], [PreflightCall("/a", "graph", [200])]),
        ("calls", [{"url": "/a", "status_code": "200,404", "scope": "arm"}], [PreflightCall("/a", "arm", [200, 404])]),
        ("calls", '[{"url": "/a"}]', [PreflightCall("/a")]),
        ("warn_days", "0", 0),
        ("fail", "no", False),
        ("default_calls", "", True),
    ],
)
def test_an_option_is_taken_in_each_shape(name: str, given_: t.Any, value: t.Any) -> None:
    assert getattr(parse_preflight_options({name: given_}), name) == value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scops": "graph"}, "'scops' is not an option of preflight"),
        ({"calls": [{"uri": "/a"}]}, "'uri' is not a part of a call"),
        ({"calls": [{"url": "/a", "method": "DELETE"}]}, "'method' is not a part of a call"),
        ({"calls": [{}]}, "a call has no url"),
        ({"calls": "x"}, "calls"),
        ({"required_roles": ["A"]}, "required_roles"),
        ({"required_roles": {"graph": {"A": "B"}}}, "required_roles"),
        ({"warn_days": "soon"}, "warn_days"),
    ],
)
def test_a_value_that_can_not_work_is_refused_by_name(arguments: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as failure:
        parse_preflight_options(arguments)
    assert failure.value.hint


def test_the_variable_of_the_role_is_named() -> None:
    with pytest.raises(InputError, match="variable preflight_warn_days"):
        parse_preflight_options({"warn_days": "soon"}, "preflight_")


@given(st.dictionaries(st.sampled_from(list(PREFLIGHT_OPTIONS)), JSON))
def test_any_arguments_end_in_options_or_an_error(arguments: dict[str, t.Any]) -> None:
    ends_in_value_or_error(lambda: parse_preflight_options(arguments))
