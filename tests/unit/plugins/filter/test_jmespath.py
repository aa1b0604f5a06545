# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath selects from any data that a play may hold, and says readably where it can't."""

from __future__ import annotations

import types
import typing as t

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.utils.unsafe_proxy import wrap_var
from as_template import as_template

from ansible_collections.entra.auth.plugins.filter import jmespath as module
from ansible_collections.entra.auth.plugins.filter.jmespath import FilterModule
from ansible_collections.entra.auth.plugins.plugin_utils._api import selection

select = FilterModule().filters()["jmespath"]

ANSWER = {
    "value": [
        {"displayName": "Ann", "accountEnabled": True, "age": 40},
        {"displayName": "Bob", "accountEnabled": False, "age": 50},
    ]
}


class Text(str):
    """Stands in for Ansible's own strings."""

    __slots__ = ()


class Items(list):  # type: ignore[type-arg]  # of anything
    """Stands in for Ansible's own lists."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("data", "expression", "expected"),
    [
        (ANSWER, "value[?accountEnabled].displayName", ["Ann"]),
        (ANSWER, "value[].age | max(@)", 50),
        (ANSWER, "length(value)", 2),
        (ANSWER, "value[0]", ANSWER["value"][0]),
        (ANSWER, "nothing.here", None),
        (ANSWER, "sort_by(value, &age)[-1].displayName", "Bob"),
        ([1, 2.5, None, True], "[0]", 1),
        ((1, 2), "[1]", 2),
        ("text", "length(@)", 4),
        (None, "a", None),
        ({"a": {1: "x"}}, 'a."1"', "x"),
        ({"ü": "ä"}, '"ü"', "ä"),
    ],
)
def test_an_expression_selects(data: t.Any, expression: str, expected: t.Any) -> None:
    assert select(data, expression) == expected


class Whole(int):
    """Stands in for Ansible's own whole numbers."""

    __slots__ = ()


class Real(float):
    """Stands in for Ansible's own other numbers."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("data", "expression", "expected"),
    [
        ({"a": Text("x,y")}, "contains(a, 'x')", True),
        ({"a": Items([Text("x"), Text("y")])}, "join('+', a)", "x+y"),
        ({Text("a"): Text("x")}, "starts_with(a, 'x')", True),
        (types.MappingProxyType({"a": Items([3, 1, 2])}), "sort(a)", [1, 2, 3]),
        (ANSWER, Text("length(value)"), 2),
        ({"a": [Whole(1), Real(2.5)]}, "sum(a)", 3.5),
        ([True, Whole(7)], "[?@ == `7`]", [7]),
    ],
)
def test_ansible_s_own_types_are_no_obstacle(data: t.Any, expression: str, expected: t.Any) -> None:
    assert select(data, expression) == expected


def test_what_is_selected_is_plain_data() -> None:
    (selected,) = select(Items([{Text("a"): Text("b"), "c": Whole(1)}]), "[*]")
    assert [type(part) for pair in selected.items() for part in pair] == [str, str, str, int]
    assert select([True, Real(1.5), None], "[*]") == [True, 1.5]


@pytest.mark.parametrize(
    ("data", "expression"),
    [
        (ANSWER, "value["),
        (ANSWER, ""),
        (ANSWER, "no_such_function(@)"),
        (ANSWER, "max(value)"),
        ({"a": 1}, "length(a)"),
    ],
)
def test_what_can_t_be_applied_is_told_with_the_expression(data: t.Any, expression: str) -> None:
    with pytest.raises(AnsibleFilterError, match="JMESPath expression") as refused:
        select(data, expression)
    assert f"'{expression}'" in str(refused.value)
    assert "To fix it: " in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "HAS_JMESPATH", False)
    with pytest.raises(AnsibleFilterError, match="-m pip install jmespath"):
        select({}, "a")


def test_the_documented_example_does_what_it_says() -> None:
    (task,) = yaml.safe_load(module.EXAMPLES)
    templar = Templar(loader=DataLoader(), variables=task["vars"])
    assert templar.template(as_template(task["ansible.builtin.debug"]["msg"])) == ["User 0001"]


def test_it_takes_the_numbers_of_a_play() -> None:
    variables = DataLoader().load("a: [1, 2.5]")
    templar = Templar(loader=DataLoader(), variables={"numbers": variables})
    assert float(templar.template(as_template("{{ numbers | entra.auth.jmespath('sum(a)') }}"))) == 3.5


def test_it_takes_what_a_play_registered() -> None:
    answer = wrap_var({"value": [{"id": "1"}, {"id": "2"}]})
    assert select(answer, wrap_var("value[].join('', ['/users/', id])")) == ["/users/1", "/users/2"]
    assert select(answer, "value[0].id").__class__ is str
