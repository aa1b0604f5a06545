# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token becomes headers, or the arguments of a uri task, in exactly the documented shapes."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._token.forms import FORMS, build_headers, build_uri_arguments

TOKEN = Token("abc", 1000, 2000)


def test_a_uri_task_gets_exactly_the_arguments_that_keep_token_and_headers_to_the_host() -> None:
    assert build_uri_arguments(TOKEN, {"X-A": "b"}) == {
        "headers": {"X-A": "b", "Authorization": "Bearer abc"},
        "url_password": "abc",
        "use_netrc": False,
        "unredirected_headers": ["X-A", "Authorization"],
    }


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_no_other_header_takes_the_place_of_the_token(name: str) -> None:
    assert build_headers(TOKEN, {name: "Basic x", "X-A": "b"}) == {"X-A": "b", "Authorization": "Bearer abc"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("access_token", "abc"),
        ("authorization", "Bearer abc"),
        ("headers", {"Authorization": "Bearer abc"}),
        ("uri", build_uri_arguments(TOKEN, {})),
    ],
)
def test_a_form_is_what_its_name_says(name: str, expected: t.Any) -> None:
    assert FORMS[name](TOKEN, {}) == expected


def test_there_are_no_other_forms() -> None:
    assert set(FORMS) == {"access_token", "authorization", "headers", "uri"}
