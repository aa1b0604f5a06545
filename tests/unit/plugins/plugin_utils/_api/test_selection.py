# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A JMESPath expression is checked before any request; the filter and the modules apply it in the same way."""

from __future__ import annotations

import typing as t

import pytest
from canned_server import CannedServer, json_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._api import selection
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.selection import build_selector, select

if t.TYPE_CHECKING:
    from api_calls import ApiCaller

CREATED: t.Final = json_answer(201, {"id": "7"})
DATA: t.Final = {"value": [{"name": "Ann", "age": 40}, {"name": "Bob", "age": 50}]}


def test_without_an_expression_all_is_selected() -> None:
    assert build_selector(None)(DATA) is DATA


@pytest.mark.parametrize(
    ("expression", "selected"),
    [("value[?age > `45`].name", ["Bob"]), ("length(value)", 2), ("nothing.here", None), ("max(value[].age)", 50)],
)
def test_an_expression_selects(expression: str, selected: t.Any) -> None:
    assert build_selector(expression)(DATA) == select(DATA, expression) == selected


@pytest.mark.parametrize(
    ("expression", "reason"),
    [("value[", "is not a JMESPath expression"), ("", "is not a JMESPath expression"), ("a..b", "JMESPath expression")],
)
def test_a_text_that_is_not_an_expression_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        build_selector(expression)
    assert f"'{expression}'" in refused.value.message
    assert "jmespath.org" in refused.value.hint


@pytest.mark.parametrize("expression", ["value[].nothing(@)", "sort_by(value, &nothing(a))", "[?nothing(a) == `1`]"])
def test_an_unknown_function_costs_no_request(call: ApiCaller, expression: str) -> None:
    with CannedServer(CREATED) as server, pytest.raises(InputError, match=r"there is no function nothing\(\)"):
        call(server, method="POST", body={}, jmespath=expression)
    assert server.received == []


@pytest.mark.parametrize("expression", ["length(value[0].age)", "max(value)", "abs('a')"])
def test_an_expression_that_does_not_fit_the_data_is_an_error_of_one_line(expression: str) -> None:
    with pytest.raises(ApiError, match="can't be applied to the data") as failed:
        build_selector(expression)(DATA)
    assert f"'{expression}'" in failed.value.message
    assert "\n" not in failed.value.message
    assert failed.value.__cause__ is None


def test_a_missing_package_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "HAS_JMESPATH", False)
    with pytest.raises(MissingLibraryError, match="Python package jmespath on the control node") as failed:
        build_selector("a")
    assert failed.value.hint.endswith("-m pip install jmespath")
