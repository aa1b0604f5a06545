# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A refresh token is redeemed with the proof of its app, and anything else in its place is named."""

from __future__ import annotations

import json
import typing as t

import pytest
from jwts import build_jwt

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.refresh_token import parse_refresh_token
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import create_credential
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

if t.TYPE_CHECKING:
    FormSent = t.Callable[..., dict[str, str]]

TOKEN = "1.AXkA-made_up.AgABAwEAAADW"


def test_a_public_app_sends_the_refresh_token_alone(form_sent: FormSent) -> None:
    sent = form_sent("refresh_token", refresh_token=TOKEN)
    sent.pop("URL")
    assert sent == {
        "grant_type": "refresh_token",
        "refresh_token": TOKEN,
        "client_id": "the-client",
        "scope": "the/.default",
    }


def test_the_proof_of_the_app_counts_in_the_cache() -> None:
    """A confidential app's refresh token is worth nothing without it."""
    found = {
        create_credential("refresh_token", AppTokenOptions(refresh_token=TOKEN, **more)).get_proof_fingerprint()
        for more in ({}, {"client_secret": "a"}, {"client_secret": "b"}, {"federated_token": build_jwt(sub="s")})
    }
    assert len(found) == 4


def test_its_tokens_are_those_of_a_user() -> None:
    credential = create_credential("refresh_token", AppTokenOptions(refresh_token=TOKEN))
    assert credential.delegated
    assert "delegated permissions" in credential.missing_roles_hint
    assert credential.get_entry_secret() == TOKEN


@pytest.mark.parametrize(
    "text",
    [TOKEN, f" {TOKEN}\r\n", f"\ufeff{TOKEN}", f'"{TOKEN}"', f"'{TOKEN}'\n"],
)
def test_a_refresh_token_is_taken_out_of_what_is_around_it(text: str) -> None:
    assert parse_refresh_token(text, "x") == TOKEN


@pytest.mark.parametrize("token", ["eyJraWQi.a.b.c.d", "eyJ", build_jwt(sub="s", typ="Refresh"), "{", "0.AS8A"])
def test_a_token_of_another_form_is_left_to_the_service(token: str) -> None:
    """Those of Azure AD B2C are encrypted JWTs."""
    assert parse_refresh_token(token, "x") == token


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (json.dumps({"refresh_token": TOKEN, "scope": "x"}), "JSON around the refresh token (with the keys"),
        (build_jwt(appid="a", aud="x"), "an access token"),
        (build_jwt(scp="User.Read"), "an access token"),
        (f"{TOKEN}\n{TOKEN}", "more than one word"),
        ("not a token", "more than one word"),
        (f"{TOKEN}\x00", "more than one word"),
    ],
)
def test_anything_else_is_named_and_not_sent(text: str, form: str, form_sent: FormSent) -> None:
    with pytest.raises(InputError) as refused:
        form_sent("refresh_token", refresh_token=text, origins={"refresh_token": "variable app_token_refresh_token"})
    source = "refresh_token (from variable app_token_refresh_token)"
    assert refused.value.message.startswith(f"{source} does not hold a refresh token: it holds ")
    assert form in refused.value.message
    assert TOKEN not in str(refused.value)
    assert refused.value.hint


def test_a_file_is_named_as_such(form_sent: FormSent) -> None:
    with pytest.raises(InputError, match="refresh_token_file /kept does not hold a refresh token"):
        form_sent("refresh_token", refresh_token="two words", refresh_token_file="/kept")
