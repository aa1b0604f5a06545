# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a role's call become one text that only this run can read, and come back as they were."""

from __future__ import annotations

import base64
import dataclasses
import re
import typing as t

import pytest
from leaks import Markers

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import stores
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import get_run_secret
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.role_call import decrypt_call, encrypt_call

if t.TYPE_CHECKING:
    import pathlib

pytestmark = pytest.mark.usefixtures("run_directory")

OPTIONS = AppTokenOptions(
    tenant_id="contoso.com",
    client_secret="hunter2-{{ 7 * 7 }}-\\é",
    scope=["arm"],
    extra_headers={"X-A": "b"},
    timeout=7.5,
    cache="none",
    validate_certs=False,
    origins={"client_secret": "variable app_token_client_secret", "scope": "option scope"},
)


def test_the_options_come_back_as_they_were() -> None:
    assert decrypt_call(encrypt_call(OPTIONS)) == OPTIONS
    assert decrypt_call(encrypt_call(AppTokenOptions())) == AppTokenOptions()


def test_to_force_a_request_is_for_the_call_itself() -> None:
    assert decrypt_call(encrypt_call(dataclasses.replace(OPTIONS, force_refresh=True))) == OPTIONS


def test_the_text_holds_nothing_that_was_given() -> None:
    text = encrypt_call(OPTIONS)
    assert re.fullmatch(r"entra\.auth\.app_token:[A-Za-z0-9+/=]+", text), "it must not look like a template"
    values = {"secret": str(OPTIONS.client_secret), "tenant": "contoso.com", "header": "X-A"}
    assert Markers(values).in_text(base64.b64decode(text.partition(":")[2]), "the text") == []
    assert encrypt_call(OPTIONS) != text


def test_without_a_call_the_role_has_not_run() -> None:
    with pytest.raises(InputError, match="has not run for this host") as refused:
        decrypt_call("")
    assert "Run the role" in refused.value.hint


def forge(content: bytes, name: str, secret: str) -> str:
    entry = EntryCipher(secret).encrypt(content, name)
    return f"entra.auth.app_token:{base64.b64encode(entry).decode()}"


@pytest.mark.parametrize(
    "text",
    [
        "made-up",
        "entra.auth.app_token:",
        "entra.auth.app_token:QUJD",
        "entra.auth.app_token:é",
        "{'a': 1}",
        # Named, because it differs between the processes of a test run.
        pytest.param(forge(b"{}", "call of the role app_token", "another secret"), id="of another secret"),
    ],
)
def test_a_text_of_other_origin_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="__app_token_call was not set by the role"):
        decrypt_call(text)


def test_an_entry_of_this_run_is_not_a_call() -> None:
    with pytest.raises(InputError, match="__app_token_call was not set by the role"):
        decrypt_call(forge(b"{}", "another name", get_run_secret()))


def test_a_changed_text_is_refused() -> None:
    text = encrypt_call(OPTIONS)
    changed = text[:-8] + ("AAAAAAAA" if text[-8:] != "AAAAAAAA" else "BBBBBBBB")
    with pytest.raises(InputError, match="__app_token_call was not set by the role"):
        decrypt_call(changed)


def test_another_run_can_t_read_it(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = encrypt_call(OPTIONS)
    monkeypatch.setattr(stores, "_RUN_DIRECTORY", str(tmp_path))
    with pytest.raises(InputError, match="__app_token_call was not set by the role"):
        decrypt_call(text)


class Later(t.Protocol):
    """The clock of conftest.py."""

    seconds: float


def test_it_can_be_read_as_long_as_the_run_lives(later: Later) -> None:
    text = encrypt_call(OPTIONS)
    later.seconds = 6 * 86400
    assert decrypt_call(text) == OPTIONS
