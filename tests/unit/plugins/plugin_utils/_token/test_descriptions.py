# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With -v it is shown what was requested, why, and where each option was found; never a secret."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import choose_kind
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.descriptions import log_failure
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly

if t.TYPE_CHECKING:
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
    from entra_emulator.client import Emulator

Options = dict[str, t.Any]


class Shown(t.Protocol):
    """The recorder of conftest.py."""

    shown: list[tuple[str, str]]

    def on(self, channel: str) -> list[str]:
        """What was shown there."""


def get(messages: t.Any, options: Options, **more: t.Any) -> AppToken:
    return get_app_token(AppTokenOptions(**{**options, **more}), messages, CachedTokensOnly({}))


def failure(messages: t.Any, options: Options, **more: t.Any) -> EntraAuthError:
    with pytest.raises(EntraAuthError) as failed:
        get(messages, options, **more)
    assert "hunter2" not in str(failed.value)
    return failed.value


def test_what_was_done_and_why_is_shown_with_v(emulator: Emulator, reader: Options, messages: Shown) -> None:
    origins = {"client_secret": "environment ENTRA_AUTH_CLIENT_SECRET", "tenant_id": "option tenant_id"}
    get(messages, reader, origins=origins)
    first, second = messages.on("v")
    assert first.startswith("entra.auth: token from network, valid until 2")
    for words in ("credential client_secret", f"tenant {emulator.tenant_id}", f"client {emulator.client_id}", "graph"):
        assert words in first
    assert "credential by environment ENTRA_AUTH_CLIENT_SECRET" in second
    assert "User.Read.All" in second
    assert "tenant_id from option tenant_id" in second
    assert messages.on("warning") == messages.on("vv") == messages.on("display") == []


UNUSED: t.Final = " (not used by this credential)"
SIGN_IN: t.Final = {"client_id": "c", "refresh_token": "r"}
BY_PROOF: t.Final = {
    # A public app's refresh token, and a secret of another app in the environment, which is not sent.
    "public app": (
        {**SIGN_IN, "client_secret": "s"},
        {"client_id": "option client_id", "refresh_token": "option refresh_token", "client_secret": "environment X"},
        {"client_secret"},
    ),
    "confidential app": (
        {**SIGN_IN, "client_secret": "s"},
        {"client_id": "environment Y", "refresh_token": "option refresh_token", "client_secret": "environment X"},
        set(),
    ),
    "secret in two places": (
        {"client_secret": "s", "client_secret_file": "/f"},
        {"client_secret": "option client_secret", "client_secret_file": "environment X"},
        {"client_secret_file"},
    ),
    "certificate": (
        {"client_certificate_path": "/f", "client_certificate_password": "p", "client_secret": "s"},
        {"client_certificate_path": "environment X", "client_certificate_password": "environment Y"}
        | {"client_secret": "environment Z"},
        {"client_secret"},
    ),
    "assertion of a platform": (
        {"federated_token_source": "github_actions", "federated_token": "a"},
        {"federated_token_source": "option federated_token_source", "federated_token": "environment X"},
        {"federated_token"},
    ),
    "given assertion": (
        {"federated_token_source": "given", "federated_token": "a", "federated_token_request_token": "b"},
        {"federated_token_source": "option federated_token_source", "federated_token": "environment X"}
        | {"federated_token_request_token": "environment Y"},
        {"federated_token_request_token"},
    ),
    "issuer with a URL": (
        {"federated_token_request_url": "https://i.test", "federated_token_request_token": "b"},
        {"federated_token_request_url": "environment X", "federated_token_request_token": "environment Y"},
        set(),
    ),
    "managed identity": (
        {"credential": "managed_identity", "managed_identity_client_id": "m", "client_secret": "s"},
        {"managed_identity_client_id": "option managed_identity_client_id", "client_secret": "environment X"},
        {"client_secret"},
    ),
    "managed identity as assertion": (
        {"federated_token_source": "managed_identity", "managed_identity_client_id": "m"},
        {"federated_token_source": "option federated_token_source", "managed_identity_client_id": "variable X"},
        set(),
    ),
    "device code": (
        {"credential": "device_code", "refresh_token_file": "/f", "client_certificate": "c"},
        {"refresh_token_file": "option refresh_token_file", "client_certificate": "environment X"},
        {"client_certificate"},
    ),
}


@pytest.mark.parametrize("case", BY_PROOF)
def test_an_option_that_is_not_used_is_marked(case: str, messages: Shown) -> None:
    given, origins, unused = BY_PROOF[case]
    options = AppTokenOptions(**{"tenant_id": "t", **given}, origins=origins)
    log_failure(messages, options, choose_kind(options))
    (line,) = messages.on("v")
    for name, origin in origins.items():
        assert f"{name} from {origin}" in line
        assert (f"{name} from {origin}{UNUSED}" in line) == (name in unused), line


def test_a_token_from_the_cache_is_shown_in_one_line(reader: Options, messages: Shown) -> None:
    get(messages, reader)
    messages.shown.clear()
    get(messages, reader)
    assert len(messages.on("v")) == 1
    assert messages.on("v")[0].startswith("entra.auth: token from cache")
    assert len(messages.on("vv")) == 1


@pytest.mark.parametrize(
    ("wrong", "by"),
    [
        ({"client_secret": "hunter2-is-wrong"}, "credential by environment ENTRA_AUTH_CLIENT_SECRET"),
        ({"required_roles": ["Mail.Send"]}, "credential by environment ENTRA_AUTH_CLIENT_SECRET"),
        ({"client_id": "has a space"}, "credential by environment ENTRA_AUTH_CLIENT_SECRET"),
        ({"client_secret": None}, "no credential"),
    ],
)
def test_where_everything_was_found_is_shown_of_a_failure_too(
    reader: Options, messages: Shown, wrong: Options, by: str
) -> None:
    origins = {"client_secret": "environment ENTRA_AUTH_CLIENT_SECRET", "tenant_id": "option tenant_id"}
    failure(messages, {**reader, **wrong}, origins=origins)
    found = ", ".join(f"{name} from {origin}" for name, origin in origins.items())
    assert messages.on("v")[-1] == f"entra.auth: {by}; {found}"


def test_no_text_is_a_secret_or_a_token(reader: Options, messages: Shown) -> None:
    token = get(messages, reader).token.access_token
    words = " ".join(msg for _dummy, msg in messages.shown)
    assert token not in words
    assert token.split(".")[2] not in words
    assert reader["client_secret"] not in words


def test_roles_that_can_t_be_read_are_shown_as_such(emulator: Emulator, reader: Options, messages: Shown) -> None:
    emulator.configure(opaque_tokens=True)
    get(messages, reader)
    assert "roles none that can be read in the token" in messages.on("v")[1]
