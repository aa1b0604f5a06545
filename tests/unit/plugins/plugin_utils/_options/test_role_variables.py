# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a role: converted as options are, without facts, and misspelt ones are named."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options import facts as facts_module
from ansible_collections.entra.auth.plugins.plugin_utils._options import role_variables
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OptionSpec
from ansible_collections.entra.auth.plugins.plugin_utils._options.authorized_uri import URI_OPTIONS
from ansible_collections.entra.auth.plugins.plugin_utils._options.role_variables import (
    read_role_variables,
    warn_of_misspelt_variables,
)

if t.TYPE_CHECKING:
    from conftest import Messages

SPECS = {
    spec.name: spec
    for spec in (
        OptionSpec("url", "str"),
        OptionSpec("allowed_hosts", "list"),
        OptionSpec("retry_for", "float"),
        OptionSpec("client_secret", "str", secret=True),
    )
}


@pytest.fixture(autouse=True)
def shown(messages: Messages, monkeypatch: pytest.MonkeyPatch) -> Messages:
    """The warnings that were shown."""
    monkeypatch.setattr(role_variables, "display", messages)
    monkeypatch.setattr(facts_module, "display", messages)
    return messages


def read(**variables: t.Any) -> dict[str, t.Any]:
    return read_role_variables("role_", SPECS, variables, lambda value: value)


def test_variables_are_converted_and_others_left_out() -> None:
    assert read(role_url="/v1.0/users", role_allowed_hosts="a, b", role_retry_for="7", role_client_secret="", x=1) == {
        "url": "/v1.0/users",
        "allowed_hosts": ["a", "b"],
        "retry_for": 7.0,
    }


def test_a_value_of_another_type_is_refused_by_the_name_of_the_variable() -> None:
    with pytest.raises(InputError, match=r"retry_for \(from variable role_retry_for\)"):
        read(role_retry_for="soon")


def test_a_fact_is_no_variable_of_the_role(shown: Messages) -> None:
    assert read(role_url="https://attacker.example", ansible_facts={"role_url": "https://attacker.example"}) == {}
    assert "The fact role_url" in shown.on("warning")[0]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("role_ulr", "role_url"),
        ("role_alowed_hosts", "role_allowed_hosts"),
        ("role_client_secert", "role_client_secret"),
        ("role_allowed_hosts", None),
        ("role_fact", None),
        ("role_users", None),
        ("other_alowed_hosts", None),
    ],
)
def test_a_misspelt_variable_is_named(name: str, meant: str | None, shown: Messages) -> None:
    warn_of_misspelt_variables("role_", [*SPECS, "fact"], {name: "hunter2"})
    expected = [f"The variable {name} is not an option of the role. If it is misspelt, use {meant}."] if meant else []
    assert shown.on("warning") == expected


def test_a_misspelt_fact_is_passed_over(shown: Messages) -> None:
    name = "role_alowed_hosts"
    warn_of_misspelt_variables("role_", SPECS, {name: "x", "ansible_facts": {name: "x"}})
    assert not shown.shown


def test_lists_and_mappings_of_a_role_may_be_text() -> None:
    """As ``-e`` and AWX give them."""
    given = {
        "authorized_uri_url": "/echo",
        "authorized_uri_status_code": "200,404",
        "authorized_uri_allowed_hosts": "gateway.example",
        "authorized_uri_headers": '{"Prefer": "x"}',
        "authorized_uri_return_content": "yes",
        "authorized_uri_body": "{{ omit }}",
    }
    template = {"{{ omit }}": "__omit_place_holder__0123"}
    assert read_role_variables("authorized_uri_", URI_OPTIONS, given, lambda raw: template.get(raw, raw)) == {
        "url": "/echo",
        "status_code": [200, 404],
        "allowed_hosts": ["gateway.example"],
        "headers": {"Prefer": "x"},
        "return_content": True,
    }
    assert read_role_variables("authorized_uri_", URI_OPTIONS, {"authorized_uri_status_code": 200}, str) == {
        "status_code": [200]
    }
