# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A text in place of a client secret is named: before a request if it can't be one, else after the refusal."""

from __future__ import annotations

import json

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import ErrorResponse, InputError, TokenRequestRefused
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.client_secret import ClientSecret
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.secret_format import (
    refuse_other_form,
    suggest_secret,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

GUID = "5f0f6c0e-1111-4222-8333-444455556666"


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (GUID, "most probably the Secret ID"),
        (GUID.upper(), "most probably the Secret ID"),
        ('"made-up"', "quotes around it"),
        ("'made-up'", "quotes around it"),
        (" made-up", "a blank at its beginning or end"),
        ("made-up ", "a blank at its beginning or end"),
        ("/run/secrets/app", "client_secret_file takes"),
        ("~/secret", "client_secret_file takes"),
        ("made%7Eup", None),
        ("made-up~secret", None),
        ('a"b', None),
        ("", None),
    ],
)
def test_a_wrong_secret_that_looks_like_something_else_is_said_to_be_that(secret: str, words: str | None) -> None:
    advice = suggest_secret(secret, "client_secret_file")
    assert (words in str(advice)) if words else advice is None
    assert not advice or advice.startswith("Give the secret's Value as the content of client_secret_file. ")
    assert not secret or secret not in str(advice)


@pytest.mark.parametrize(
    ("secret", "form"),
    [
        (json.dumps({"value": "made-up"}), "JSON around the secret (with the keys 'value')"),
        (json.dumps({"appId": "a", "password": "made-up"}, indent=1), "JSON around the secret (with the keys 'appId'"),
        ("-----BEGIN PRIVATE KEY-----\nmade-up", "PEM, which client_certificate takes"),
        ("made-up\nother", "2 lines"),
        ("\nmade-up", "2 lines"),
        ("made-up\u2028other", "2 lines"),
        ("made\tup", "control characters"),
        ("made\x00up", "control characters"),
    ],
)
def test_a_text_that_no_secret_can_be_is_refused_by_its_form(secret: str, form: str) -> None:
    options = AppTokenOptions(client_secret=secret, origins={"client_secret": "environment AZURE_CLIENT_SECRET"})
    with pytest.raises(InputError) as refused:
        ClientSecret(options).get_entry_secret()
    assert refused.value.message.startswith(
        "client_secret (from environment AZURE_CLIENT_SECRET) does not hold a client secret: it holds "
    )
    assert form in refused.value.message
    assert "made" not in str(refused.value)


@pytest.mark.parametrize("secret", ["made-up", "{made-up", "\xa0made-up", "é", ""])
def test_any_other_text_may_be_a_secret(secret: str) -> None:
    refuse_other_form(secret, "x")
    assert ClientSecret(AppTokenOptions(client_secret=secret)).get_entry_secret() == secret


@pytest.mark.parametrize(("code", "explained"), [(7000215, True), (7000222, False)])
def test_only_a_wrong_secret_is_looked_at(code: int, explained: bool) -> None:
    refusal = TokenRequestRefused("refused", hint="hint", response=ErrorResponse("invalid_client", None, (code,)))
    found = ClientSecret(AppTokenOptions(client_secret=GUID)).explain_refusal(refusal)
    assert ("Secret ID" in found.hint) is explained
