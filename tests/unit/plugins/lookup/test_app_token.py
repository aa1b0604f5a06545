# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An expression becomes what it names, term by term, and fails with a text that may be shown."""

from __future__ import annotations

import sys
import typing as t

import pytest
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import lookup_loader
from ansible.template import Templar
from as_template import as_template

from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.role_call import encrypt_call

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator

Options = dict[str, t.Any]


def look_up(*terms: t.Any, variables: Options | None = None, **options: t.Any) -> list[t.Any]:
    templar = Templar(loader=DataLoader(), variables=variables or {})
    lookup = lookup_loader.get("entra.auth.app_token", loader=DataLoader(), templar=templar)
    return t.cast("list[t.Any]", lookup.run(list(terms), variables=variables or {}, **options))


def test_without_terms_it_is_the_access_token_for_graph(emulator: Emulator, reader: Options) -> None:
    (token,) = look_up(**reader)
    assert token.count(".") == 2
    (request,) = emulator.token_requests()
    assert dict(request["form"])["scope"] == "https://graph.microsoft.com/.default"


@pytest.mark.parametrize(
    ("output", "is_it"),
    [
        (None, lambda item: item.count(".") == 2),
        ("", lambda item: item.count(".") == 2),
        ("access_token", lambda item: item.count(".") == 2),
        ("authorization", lambda item: item.startswith("Bearer ")),
        ("headers", lambda item: set(item) == {"Authorization"}),
        ("uri", lambda item: set(item) == {"headers", "url_password", "use_netrc", "unredirected_headers"}),
        ("token", lambda item: item["credential"] == "client_secret"),
    ],
)
def test_it_becomes_what_output_names(output: str | None, is_it: t.Callable[[t.Any], bool], reader: Options) -> None:
    (item,) = look_up(**reader, output=output)
    assert is_it(item)


def test_each_term_is_a_scope_and_gives_one_item(emulator: Emulator, reader: Options) -> None:
    items = look_up("graph", "arm", "graph", **reader, output="token")
    assert [item["api_url"] for item in items] == [
        "https://graph.microsoft.com",
        "https://management.azure.com",
        "https://graph.microsoft.com",
    ]
    assert len(emulator.token_requests()) == 2


def test_a_term_beats_the_option_scope(reader: Options) -> None:
    (item,) = look_up("arm", **reader, scope="graph", output="token")
    assert item["scope"] == "https://management.azure.com/.default"


def test_variables_are_evaluated(reader: Options) -> None:
    variables = {f"app_token_{name}": value for name, value in reader.items() if name != "client_id"}
    variables |= {"app_token_client_id": as_template("{{ the_app }}"), "the_app": reader["client_id"]}
    assert len(look_up(variables=variables)) == 1


def test_a_lookup_that_is_used_without_a_play_takes_variables_as_they_are(reader: Options) -> None:
    lookup = lookup_loader.get("entra.auth.app_token")
    variables = {f"app_token_{name}": value for name, value in reader.items()}
    assert len(lookup.run([], variables=variables)) == 1
    assert len(lookup.run([], **reader)) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"client_secret": "hunter2-is-wrong"}, "AADSTS7000215"),
        ({"tenant_id": ""}, "tenant_id"),
        ({"client_secert": "hunter2"}, "Write client_secret instead of client_secert."),
        ({"output": "header"}, "To fix it: Use 'headers'."),
        ({"output": ["json"]}, "output is not one of access_token, authorization, headers, uri, token."),
        ({"credential": "managed_identity", "run_on": "target"}, "only a token that a task has requested"),
    ],
)
def test_a_failure_is_one_text_that_holds_no_secret(change: Options, words: str, reader: Options) -> None:
    with pytest.raises(AnsibleLookupError) as failed:
        look_up(**{**reader, **change})
    assert words in str(failed.value)
    assert "To fix it: " in str(failed.value)
    error: BaseException | None = failed.value
    while error:
        assert "hunter2" not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("output", [["json"], {"headers": 1}, 5])
def test_an_output_that_is_not_text_is_refused_by_a_process_that_has_done_no_lookup_yet(
    output: t.Any, reader: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ansible_collections.entra.auth.plugins.plugin_utils._token.lookups", False)
    with pytest.raises(AnsibleLookupError, match="output is not one of access_token"):
        look_up(**reader, output=output)


# --- the variables that the role app_token leaves behind --------------------------------------------------------


def test_a_role_s_call_is_repeated_whatever_the_variables_say(emulator: Emulator, reader: Options) -> None:
    call = encrypt_call(AppTokenOptions(**{**reader, "scope": ["arm"]}))
    variables = {"app_token_scope": "graph", "app_token_client_id": "made-up~other-app"}
    (item,) = look_up(variables=variables, output="token", _role_call=call)
    assert (item["scope"], item["client_id"]) == ("https://management.azure.com/.default", reader["client_id"])
    assert len(emulator.token_requests()) == 1


@pytest.mark.parametrize("call", ["", "made-up", None])
def test_without_a_role_s_call_nothing_is_requested(emulator: Emulator, reader: Options, call: str | None) -> None:
    with pytest.raises(AnsibleLookupError, match="the role entra"):
        look_up(**reader, _role_call=call)
    assert emulator.token_requests() == []
