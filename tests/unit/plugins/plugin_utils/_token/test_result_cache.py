# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lookup finds the token of an earlier one by its inputs alone, and only while the cache has it."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible.errors import AnsibleError

from ansible_collections.entra.auth.plugins.plugin_utils._cache import stores
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import is_blank
from ansible_collections.entra.auth.plugins.plugin_utils._token import result_cache
from ansible_collections.entra.auth.plugins.plugin_utils._token.lookups import get_item
from ansible_collections.entra.auth.plugins.plugin_utils._token.result_cache import (
    LookupCall,
    is_overridden,
    load_result,
)

if t.TYPE_CHECKING:
    import pathlib

    from entra_emulator.client import Emulator

Options = dict[str, t.Any]


class AnsibleValueOmittedError(AnsibleError):
    """As ansible-core 2.19 and newer names it."""


@pytest.fixture(autouse=True)
def same_directory(run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The run's directory for records as well."""
    path = run_directory / "entra_auth"
    monkeypatch.setattr(result_cache, "_DIRECTORY", str(path))
    return path


def test_records_are_in_the_store_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert f"{stores._RUN_DIRECTORY}/entra_auth" == result_cache._DIRECTORY


def call_with(direct: Options, variables: Options | None = None) -> LookupCall:
    return LookupCall(direct, variables or {}, lambda value: value() if callable(value) else value)


def get(messages: t.Any, direct: Options, **variables: t.Any) -> t.Any:
    """The access token by the normal path, which leaves a record."""
    return get_item(call_with(direct, variables), "access_token", messages, keep=True)


def found(direct: Options, **variables: t.Any) -> str | None:
    """The access token by a record."""
    result = load_result(call_with(direct, variables))
    return result.token.access_token if result else None


def test_the_same_inputs_find_the_token_and_its_headers(reader: Options, messages: t.Any) -> None:
    direct = {**reader, "extra_headers": {"X-A": "b"}}
    token = get(messages, direct)
    result = load_result(call_with(direct))
    assert result
    assert (result.token.access_token, result.extra_headers) == (token, {"X-A": "b"})


def test_variables_are_evaluated_each_time(reader: Options, messages: t.Any) -> None:
    present = {"secret": reader.pop("client_secret")}
    variables = {"app_token_client_secret": lambda: present["secret"]}
    token = get(messages, reader, **variables)
    assert found(reader, **variables) == token
    present["secret"] = "hunter2-is-wrong"
    assert found(reader, **variables) is None


@pytest.mark.parametrize(
    ("direct", "variables", "environment"),
    [
        ({"client_secret": "hunter2-is-wrong"}, {}, {}),
        ({"scope": "arm"}, {}, {}),
        ({"extra_headers": {"X-A": "b"}}, {}, {}),
        ({"force_refresh": True}, {}, {}),
        ({}, {"app_token_scope": "arm"}, {}),
        ({}, {"app_token_force_refresh": True}, {}),
        ({}, {}, {"ENTRA_AUTH_SCOPE": "arm"}),
        ({}, {}, {"HTTPS_PROXY": "http://127.0.0.1:9"}),
    ],
)
def test_other_inputs_find_nothing(
    direct: Options,
    variables: Options,
    environment: dict[str, str],
    reader: Options,
    messages: t.Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert get(messages, reader)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert found({**reader, **direct}, **variables) is None


def test_a_changed_configuration_file_is_another_input(
    reader: Options, messages: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "ansible.cfg"
    config.write_text("")
    monkeypatch.setattr(result_cache, "_CONFIG_FILE", str(config))
    token = get(messages, reader)
    assert found(reader) == token
    os.utime(config, (1, 1))
    assert found(reader) is None


def test_variables_that_are_no_options_do_not_matter(reader: Options, messages: t.Any) -> None:
    """Neither are they evaluated: one of them may be a lookup of this collection."""

    def fail() -> t.NoReturn:
        raise AssertionError

    token = get(messages, reader)
    assert found(reader, app_token_headers=fail, app_token_of_my_own=fail, inventory_hostname="h002") == token


def test_a_fact_is_left_to_the_normal_path(reader: Options, messages: t.Any) -> None:
    facts = {"app_token_scope": "graph", "ansible_facts": {"app_token_scope": "graph"}}
    get(messages, reader, **facts)
    assert found(reader, **facts) is None


def test_an_input_that_can_t_be_evaluated_is_left_to_the_normal_path(reader: Options, messages: t.Any) -> None:
    def fail() -> t.NoReturn:
        raise ValueError("hunter2")

    get(messages, reader)
    assert found(reader, app_token_scope=fail) is None


@pytest.mark.parametrize("value", ["x", 0, False, [], {}, None, "", " \n", "__omit_place_holder__0123"])
def test_a_keyword_takes_the_place_of_a_variable_unless_it_counts_as_not_given(value: t.Any) -> None:
    assert is_overridden("app_token_scope", {"scope": value}) is not is_blank(value)
    assert not is_overridden("app_token_scope", {"client_id": value})


def test_a_variable_that_a_keyword_overrides_is_not_evaluated(reader: Options, messages: t.Any) -> None:
    def fail() -> t.NoReturn:
        raise ValueError("undefined")

    token = get(messages, reader, app_token_client_secret=fail)
    assert found(reader, app_token_client_secret=fail) == token


def test_an_omitted_variable_is_none(reader: Options, messages: t.Any) -> None:
    def omit() -> t.NoReturn:
        raise AnsibleValueOmittedError

    token = get(messages, reader, app_token_scope=omit)
    assert found(reader, app_token_scope=omit) == token


def test_a_token_that_was_replaced_is_not_found_again(emulator: Emulator, reader: Options, messages: t.Any) -> None:
    first = get(messages, reader)
    second = get(messages, {**reader, "force_refresh": True})
    assert first != second
    assert found(reader) == second


def test_a_token_that_was_removed_is_not_found(reader: Options, messages: t.Any, same_directory: pathlib.Path) -> None:
    get(messages, reader)
    for path in same_directory.iterdir():
        path.write_bytes(b"")
    assert found(reader) is None


def test_each_file_counts(reader: Options, messages: t.Any, same_directory: pathlib.Path) -> None:
    """Whichever of them is missing, changed or a link, the normal path is taken."""
    token = get(messages, reader)
    paths = [path for path in same_directory.iterdir() if not path.name.endswith(".lock")]
    used = 0
    for path in paths:
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        used += found(reader) is None
        path.unlink()
        (same_directory / "elsewhere").write_bytes(content)
        path.symlink_to("elsewhere")
        used += found(reader) is None
        path.unlink()
        path.write_bytes(content)
        assert found(reader) == token
    assert used == 6, "the names of the variables, the record and the token"


class Later(t.Protocol):
    """The clock of conftest.py."""

    seconds: float


def test_a_token_that_is_due_for_renewal_is_left_to_the_normal_path(
    emulator: Emulator, reader: Options, messages: t.Any, later: Later
) -> None:
    first = get(messages, {**reader, "min_validity": 600})
    later.seconds = 3599 - 700
    assert found({**reader, "min_validity": 600}) == first
    later.seconds = 3599 - 500
    assert found({**reader, "min_validity": 600}) is None


def test_the_token_of_another_run_is_not_found(
    reader: Options, messages: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get(messages, reader)
    monkeypatch.setattr(result_cache, "_DIRECTORY", str(tmp_path))
    assert found(reader) is None


def test_what_is_found_is_registered_with_ansible(
    reader: Options, messages: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: list[str] = []
    monkeypatch.setattr(result_cache, "register_secrets", registered.extend)
    token = get(messages, reader)
    assert found(reader) == token
    assert registered == [reader["client_secret"], token]
