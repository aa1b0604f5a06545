# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store that is not used says why and what to do, as a warning or as an error."""

from __future__ import annotations

import grp
import pwd
import types

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache.store_errors import (
    build_directory_error,
    build_store_error,
    convert_store_error,
    is_private_group,
)


def test_an_error_of_a_store_has_the_reason_and_the_fix_as_sentences() -> None:
    error = build_store_error("Redis can't be used: it could not be reached.", "Check the server.")
    assert error.strerror == "Redis can't be used: it could not be reached. To fix it: Check the server."


def test_an_error_of_a_store_becomes_one_of_the_task_with_the_fix_as_its_hint() -> None:
    error = convert_store_error("The cache can't be used.", build_store_error("It is away.", "Wait."))
    assert isinstance(error, InputError)
    assert (error.message, error.hint) == ("The cache can't be used. It is away.", "Wait.")


@pytest.mark.parametrize(
    ("shared_parent", "fix"),
    [
        (None, "Remove it, or run: chmod 700 /c, or set X to another directory."),
        ("/p", "Run: chmod go-w /p (or, if users share it, chmod +t /p), or set X to another directory."),
    ],
)
def test_a_directory_is_named_with_the_command_that_helps(shared_parent: str | None, fix: str) -> None:
    error = build_directory_error("/c", "X", "is bad", shared_parent)
    assert error.strerror == f"The cache directory /c is bad. To fix it: {fix}"


def test_a_group_or_user_without_an_entry_is_not_private(monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_key_error(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(grp, "getgrgid", lambda gid: types.SimpleNamespace(gr_name="me", gr_mem=[]))
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: types.SimpleNamespace(pw_name="me"))
    assert is_private_group(4711)
    monkeypatch.setattr(pwd, "getpwuid", raise_key_error)
    assert not is_private_group(4711)
    assert is_private_group(0)
    monkeypatch.undo()
    monkeypatch.setattr(grp, "getgrgid", raise_key_error)
    assert not is_private_group(4711)
