# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A variable without the fact that replaced it. Real plays of hostile hosts: tests/integration/app_token/test_facts."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible import constants

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options import facts as facts_module
from ansible_collections.entra.auth.plugins.plugin_utils._options.facts import remove_fact
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import read_variable

if t.TYPE_CHECKING:
    from conftest import Messages

NAME = "app_token_scope"


def written(text: str) -> str:
    """A text as Ansible reads it from a file of the play."""
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return text
    return t.cast("str", trust_as_template(text))


def returned(text: str) -> str:
    """A text as Ansible takes it from the result of a module."""
    try:
        from ansible.template import trust_as_template as _newer  # noqa: F401 - tells the version of ansible-core
    except ImportError:
        from ansible.utils.unsafe_proxy import wrap_var

        return t.cast("str", wrap_var(text))
    return text


class Manager:
    """The variables of an inventory, as Ansible's own manager has them."""

    def __init__(self, inventory: dict[str, t.Any], facts: dict[str, t.Any]) -> None:
        self._inventory_variables = inventory
        self._fact_cache = {"h001": facts}

    def get_vars(
        self, host: str, *, play: t.Any = None, task: t.Any = None, include_hostvars: bool = True
    ) -> dict[str, t.Any]:
        assert (play is None) == (task is None) == (not include_hostvars)
        defaults, own = (play.defaults, play.own) if play else ({}, {})
        return {**defaults, **self._inventory_variables, **self._fact_cache[host], **own}


def variables(inventory: dict[str, t.Any], facts: dict[str, t.Any], **play: t.Any) -> dict[str, t.Any]:
    """What a task on h001 gets."""
    hostvars = types.SimpleNamespace(
        _inventory=types.SimpleNamespace(get_host=lambda name: name), _variable_manager=Manager(inventory, facts)
    )
    return {**inventory, **facts, **play, "ansible_facts": facts, "hostvars": hostvars, "inventory_hostname": "h001"}


class Task:
    """The task of a worker process, in a play with variables that are weaker and stronger than facts."""

    def __init__(self, defaults: dict[str, t.Any], own: dict[str, t.Any], loop_var: str = "item") -> None:
        self.loop_control = types.SimpleNamespace(loop_var=loop_var, index_var=None)
        self.get_play = lambda: types.SimpleNamespace(defaults=defaults, own=own)


def enter(task: Task, monkeypatch: pytest.MonkeyPatch, host: str = "h001") -> None:
    """Be the worker process of a task."""
    worker = types.SimpleNamespace(_host=host, _task=task)
    monkeypatch.setattr(facts_module.multiprocessing, "current_process", lambda: worker)


@pytest.fixture
def shown(messages: Messages, monkeypatch: pytest.MonkeyPatch) -> Messages:
    """The warnings that were shown."""
    monkeypatch.setattr(facts_module, "display", messages)
    return messages


@pytest.mark.parametrize("value", ["arm", 5, True, ["arm"], {"a": "b"}, None, float("nan"), [float("nan")]])
def test_a_fact_is_removed_with_a_warning(value: t.Any, shown: Messages) -> None:
    value = returned(value) if isinstance(value, str) else value
    assert remove_fact(NAME, "h001", variables({}, {NAME: value})) is None
    assert [text.partition(":")[0] for text in shown.on("warning")] == (
        [] if value is None else [f"The fact {NAME} of h001 is ignored"]
    )


def test_the_value_that_a_fact_replaced_is_restored(shown: Messages) -> None:
    assert remove_fact(NAME, "h001", variables({NAME: written("{{ x }}")}, {NAME: returned("arm")})) == "{{ x }}"
    assert len(shown.on("warning")) == 1


def test_what_the_play_sets_is_kept_and_nothing_is_shown(shown: Messages) -> None:
    for fact in ("graph", "arm"):
        play = {NAME: written("arm")}
        assert remove_fact(NAME, "h001", variables({}, {NAME: returned(fact)}, **play)) is play[NAME]
    assert remove_fact(NAME, "h001", variables({}, {NAME: returned("arm")}, **{NAME: 7})) == 7
    assert not shown.shown


def test_of_two_equal_values_that_of_the_inventory_counts(shown: Messages) -> None:
    """The fact is never evaluated; the inventory's template is."""
    own = written("{{ 'arm' }}")
    assert remove_fact(NAME, "h001", variables({NAME: own}, {NAME: returned("{{ 'arm' }}")})) is own
    assert not shown.shown


def test_a_fact_with_the_prefix_of_ansible_hides_no_other(shown: Messages) -> None:
    facts = {NAME: returned("arm"), f"ansible_{NAME}": returned("graph")}
    seen = {**variables({}, facts), "ansible_facts": {NAME: "graph"}}
    assert remove_fact(NAME, "h001", seen) is None
    assert len(shown.on("warning")) == 1


@pytest.mark.parametrize("value", ["arm", 5, True, ["arm"], [], {"a": 1}])
def test_a_host_hides_no_value_of_a_task_by_returning_it(
    value: t.Any, shown: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a task, the place decides: that of variables of the play beats facts, that of a role's defaults does not."""
    enter(Task({}, {NAME: value}), monkeypatch)
    assert remove_fact(NAME, "h001", variables({}, {NAME: value}, **{NAME: value})) is value
    enter(Task({NAME: value}, {}), monkeypatch)
    assert remove_fact(NAME, "h001", variables({}, {NAME: value})) == value
    assert not shown.shown
    assert remove_fact(NAME, "h001", variables({}, {NAME: "other"})) == value
    assert len(shown.on("warning")) == 1


def test_the_variable_of_a_loop_is_none_of_the_host(shown: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(Task({}, {}, loop_var=NAME), monkeypatch)
    assert remove_fact(NAME, "h001", variables({}, {NAME: 5}, **{NAME: 5})) == 5
    enter(Task({}, {}), monkeypatch)
    # Of an earlier item, or gone from the fact cache since then.
    seen = {**variables({}, {}), NAME: 5, "ansible_facts": {NAME: 5}}
    assert remove_fact(NAME, "h001", seen) is None


def test_the_task_of_another_host_says_nothing(shown: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(Task({}, {NAME: "graph"}), monkeypatch, host="h002")
    assert remove_fact(NAME, "h001", variables({}, {NAME: returned("arm")})) is None


def test_hostvars_have_the_value_of_the_inventory(shown: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are evaluated without hostvars; a fact of that name is none."""
    inner = variables({NAME: "graph"}, {NAME: returned("arm")})
    hostvars = inner.pop("hostvars")
    manager = hostvars._variable_manager
    manager._inventory = hostvars._inventory
    worker = types.SimpleNamespace(_host="h001", _task=Task({}, {NAME: "x"}), _variable_manager=manager)
    monkeypatch.setattr(facts_module.multiprocessing, "current_process", lambda: worker)
    assert remove_fact(NAME, "h001", inner) == "graph"
    assert remove_fact(NAME, "h001", {**inner, "hostvars": {"h001": {}}}) == "graph"


def test_without_an_inventory_the_fact_itself_is_compared(shown: Messages) -> None:
    seen = {NAME: returned("arm"), "ansible_facts": {NAME: returned("arm")}}
    assert remove_fact(NAME, "localhost", seen) is None
    assert remove_fact(NAME, "localhost", {**seen, NAME: "graph"}) == "graph"


def test_a_merged_mapping_is_refused(shown: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_HASH_BEHAVIOUR", "merge", raising=False)
    with pytest.raises(InputError, match=f"h001 returned the fact {NAME}"):
        remove_fact(NAME, "h001", variables({}, {NAME: {"a": "b"}}))
    assert remove_fact(NAME, "h001", variables({}, {NAME: returned("arm")})) is None


def test_a_variable_is_read_without_the_fact(shown: Messages) -> None:
    seen = variables({}, {NAME: returned("arm"), "app_token_timeout": 7}, app_token_timeout=5)
    assert read_variable(NAME, seen, lambda value: value) is None
    assert read_variable("app_token_timeout", seen, lambda value: value) == 5
