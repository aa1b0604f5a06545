# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of a task are told apart from those of app_token, converted, and refused if they are not known."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OptionSpec
from ansible_collections.entra.auth.plugins.plugin_utils._options.arguments import (
    convert_arguments,
    refuse_unknown_arguments,
    split_arguments,
)

SPECS = {"method": OptionSpec("method", "str", choices=("GET", "POST")), "wait": OptionSpec("wait", "bool", False)}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ((), ({"url": "/x", "unknown": 1}, {"tenant": "t", "required_roles": {}})),
        ({"required_roles"}, ({"url": "/x", "unknown": 1, "required_roles": {}}, {"tenant": "t"})),
    ],
    ids=["app_token has it", "the module has it too"],
)
def test_the_options_of_app_token_are_split_off(own: t.Container[str], expected: t.Any) -> None:
    assert split_arguments({"url": "/x", "tenant": "t", "unknown": 1, "required_roles": {}}, own) == expected


def test_arguments_are_converted_and_blank_ones_left_out() -> None:
    assert convert_arguments(SPECS, {"method": "post", "wait": " ", "other": 1}) == {"method": "POST"}
    assert convert_arguments(SPECS, {"wait": "yes"}) == {"wait": True}


def test_a_value_of_another_type_is_named_with_its_origin() -> None:
    with pytest.raises(InputError, match=r"wait \(from variable my_wait\) has to be true or false"):
        convert_arguments(SPECS, {"wait": "soon"}, "variable my_")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ({"metod": "GET"}, "'metod' is not an option of echo.", "Write method instead of metod."),
        (
            {"metod": "GET", "WAIT": "x"},
            "'metod' and 'WAIT' are not options of echo.",
            "Write method instead of metod and wait instead of WAIT.",
        ),
        ({"xyzzy": 1}, "'xyzzy' is not an option of echo.", "The options are method, wait."),
        ({1: 1}, "'1' is not an option of echo.", "The options are method, wait."),
    ],
)
def test_every_unknown_argument_is_named(arguments: dict[t.Any, t.Any], message: str, hint: str) -> None:
    with pytest.raises(InputError) as failure:
        refuse_unknown_arguments("echo", {"wait": True, **arguments}, tuple(SPECS))
    assert (failure.value.message, failure.value.hint) == (message, hint)


def test_known_arguments_are_not_refused() -> None:
    refuse_unknown_arguments("echo", {"wait": True}, tuple(SPECS))
