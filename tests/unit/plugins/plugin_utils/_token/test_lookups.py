# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The normal path of a lookup: its token, its failure, and the record that it leaves for the lookups that follow."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from leaks import Markers

from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token import result_cache
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure
from ansible_collections.entra.auth.plugins.plugin_utils._token.lookups import get_item
from ansible_collections.entra.auth.plugins.plugin_utils._token.result_cache import LookupCall, load_result
from ansible_collections.entra.auth.plugins.plugin_utils._token.role_call import encrypt_call

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator

Options = dict[str, t.Any]


@pytest.fixture(autouse=True)
def same_directory(run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The run's directory for records as well."""
    monkeypatch.setattr(result_cache, "_DIRECTORY", str(run_directory / "entra_auth"))
    return run_directory


def call_with(direct: Options, variables: Options | None = None) -> LookupCall:
    return LookupCall(direct, variables or {}, lambda value: value)


def get(
    messages: t.Any, direct: Options, output: str = "authorization", *, keep: bool = True, **variables: t.Any
) -> t.Any:
    return get_item(call_with(direct, variables), output, messages, keep=keep)


def test_an_item_has_the_form_that_was_named(emulator: Emulator, reader: Options, messages: t.Any) -> None:
    assert get(messages, reader).startswith("Bearer ")
    assert get(messages, reader, "token")["credential"] == "client_secret"
    assert len(emulator.token_requests()) == 1


def test_an_unknown_form_is_refused_before_a_request(emulator: Emulator, reader: Options, messages: t.Any) -> None:
    outcome = get(messages, reader, "header")
    assert isinstance(outcome, Failure)
    assert "Use 'headers'." in outcome.msg
    assert emulator.requests() == []


def test_a_failure_is_a_value(reader: Options, messages: t.Any) -> None:
    outcome = get(messages, {**reader, "client_secret": "hunter2-is-wrong"})
    assert isinstance(outcome, Failure)
    assert "AADSTS7000215" in outcome.msg


def test_a_role_s_call_is_repeated(reader: Options, messages: t.Any) -> None:
    call = encrypt_call(AppTokenOptions(**{**reader, "scope": ["arm"]}))
    assert get(messages, {"_role_call": call}, "token", app_token_scope="graph")["scope"].startswith(
        "https://management"
    )


def test_a_lookup_leaves_a_record_for_the_same_lookup(reader: Options, messages: t.Any) -> None:
    authorization = get(messages, reader)
    found = load_result(call_with(reader))
    assert found
    assert found.token.authorization == authorization


def test_a_record_is_stored_on_request_alone(reader: Options, messages: t.Any) -> None:
    get(messages, reader, keep=False)
    assert load_result(call_with(reader)) is None


def test_nothing_of_a_record_can_be_read(
    emulator: Emulator, reader: Options, messages: t.Any, run_directory: pathlib.Path
) -> None:
    authorization = get(messages, reader)
    values = {"client secret": reader["client_secret"], "token": authorization.removeprefix("Bearer ")}
    assert Markers({**values, "client": reader["client_id"]}).in_tree(run_directory) == []
    modes = {path.stat().st_mode & 0o777 for path in (run_directory / "entra_auth").iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize(
    "change",
    [
        {"force_refresh": True},
        {"required_roles": ["User.Read.All"]},
        {"cache": "none"},
        {"client_secret": None, "client_secret_file": "secret"},
        {"origins": {"client_id": "environment ARM_CLIENT_ID_FILE_PATH"}},
        {"credential": "managed_identity", "run_on": "target"},
    ],
    ids=str,
)
def test_a_result_that_depends_on_more_than_its_inputs_leaves_no_record(
    change: Options, reader: Options, messages: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pathlib.Path("secret").write_text(reader["client_secret"])
    direct = {**reader, **change}
    origins = direct.pop("origins", {})
    if origins:
        pathlib.Path("client").write_text(direct.pop("client_id"))
        monkeypatch.setenv("ARM_CLIENT_ID_FILE_PATH", "client")
    get(messages, direct)
    assert load_result(call_with(direct)) is None


def test_a_disk_that_fails_is_no_failure_of_the_lookup(
    reader: Options, messages: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get(messages, reader, keep=False)

    def fail(*_arguments: t.Any, **_more: t.Any) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(
        "ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store.DirectoryStore.write", fail
    )
    assert get(messages, reader).startswith("Bearer ")
    assert load_result(call_with(reader)) is None


def test_inputs_that_have_no_order_are_no_failure_of_the_lookup(reader: Options, messages: t.Any) -> None:
    direct = {**reader, "extra_headers": {1: "x", "a": "y"}}
    assert get(messages, direct, "headers").keys() == {"Authorization", "1", "a"}
    assert load_result(call_with(direct)) is None


def test_variables_that_a_role_s_call_overrides_are_not_evaluated(reader: Options, messages: t.Any) -> None:
    def template(value: t.Any) -> t.Any:
        if value == "{{ undefined }}":
            raise ValueError(value)
        return value

    direct = {"_role_call": encrypt_call(AppTokenOptions(**{**reader, "scope": ["arm"]}))}
    call = LookupCall(direct, {"app_token_client_secret": "{{ undefined }}"}, template)
    authorization = get_item(call, "authorization", messages, keep=True)
    found = load_result(call)
    assert found
    assert found.token.authorization == authorization


def test_a_variable_that_changes_leads_to_no_token_of_another_api(reader: Options, messages: t.Any) -> None:
    """An expression may have another value each time; the record is for the value that the token was requested with."""
    values = iter(["graph", "arm", "graph"])

    def template(value: t.Any) -> t.Any:
        return next(values) if value == "{{ changing }}" else value

    call = LookupCall(reader, {"app_token_scope": "{{ changing }}"}, template)
    token = get_item(call, "token", messages, keep=True)
    assert token["scope"].startswith("https://graph")
    assert load_result(call) is None, "the variable is arm now, and no token for arm was requested"
    found = load_result(call)
    assert found
    assert found.token.access_token == token["access_token"]
