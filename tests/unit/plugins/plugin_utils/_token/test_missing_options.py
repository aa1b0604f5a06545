# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A call that lacks something gets one sentence about it, one about what to set, and with -v every place."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import CREDENTIALS
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS, AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.validation import refuse_missing


def missing(kind: str | None, **options: t.Any) -> tuple[InputError, list[str]]:
    """The error for options that lack something, and the lines that -v shows."""
    lines: list[str] = []
    with pytest.raises(InputError) as refused:
        refuse_missing(AppTokenOptions(**options), kind, lines.append)
    return refused.value, lines


def test_without_anything_one_sentence_says_what_is_missing_and_one_what_to_set() -> None:
    error, _lines = missing(None)
    assert str(error) == (
        "Missing: tenant_id, client_id and a credential (such as client_secret). To fix it: Set the options "
        "tenant_id, client_id and client_secret, the variables app_token_tenant_id, app_token_client_id and "
        "app_token_client_secret or the environment variables AZURE_TENANT_ID, AZURE_CLIENT_ID and "
        "AZURE_CLIENT_SECRET; -v lists every place that was searched."
    )


def test_with_v_every_place_is_shown_that_was_searched() -> None:
    _error, lines = missing(None)
    names = ["tenant_id", "client_id", *(name for cls in CREDENTIALS.values() for name in cls.selecting_options)]
    assert [line.split()[1] for line in lines] == names
    for name, line in zip(names, lines, strict=True):
        assert OPTIONS[name].describe_places() in line
        assert line.endswith("an empty value does not count")


@pytest.mark.parametrize("name", ["tenant_id", "client_id"])
def test_one_missing_option_is_named_alone(name: str) -> None:
    given_ones = {"tenant_id": "contoso.com", "client_id": "c", "client_secret": "s"}
    del given_ones[name]
    error, lines = missing("client_secret", **given_ones)
    assert error.message == f"Missing: {name}."
    assert str(error.hint).startswith(
        f"Set the option {name}, the variable app_token_{name} or the environment variable AZURE_{name.upper()}; "
    )
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("kind", "variable"),
    [
        ("client_secret", "AZURE_CLIENT_SECRET"),
        ("client_certificate", "AZURE_CLIENT_CERTIFICATE_PATH"),
        ("federated", "AZURE_FEDERATED_TOKEN"),
        ("refresh_token", "ENTRA_AUTH_REFRESH_TOKEN"),
    ],
)
def test_a_chosen_credential_that_is_not_given_is_named(kind: str, variable: str) -> None:
    error, lines = missing(kind, tenant_id="contoso.com", client_id="c", credential=kind)
    assert error.message == f"Missing: {' or '.join(CREDENTIALS[kind].selecting_options)}."
    assert f" or the environment variable {variable};" in str(error.hint)
    assert len(lines) == len(CREDENTIALS[kind].selecting_options)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (["AZURE_AD_USER", "AZURE_PASSWORD"], "AZURE_AD_USER and AZURE_PASSWORD were found"),
        (["AZURE_AD_USER"], "AZURE_AD_USER was found"),
    ],
)
def test_a_user_s_password_is_said_to_be_not_supported(
    variables: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in variables:
        monkeypatch.setenv(name, "hunter2")
    error, _lines = missing(None, tenant_id="contoso.com", client_id="c")
    assert error.message == (
        f"Missing: a credential (such as client_secret). {sentence}, but user passwords are not supported."
    )
    other, _lines = missing("client_secret", client_id="c", client_secret="s")
    assert "password" not in other.message
