# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client secret is sent as it is given, or as its file has it at the moment of the request."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.client_secret import ClientSecret
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

if t.TYPE_CHECKING:
    import pathlib

    FormSent = t.Callable[..., dict[str, str]]


@pytest.mark.parametrize("secret", ["made-up", " with blanks ", "é+&=%~#"])
def test_the_secret_is_sent_as_it_is(secret: str, form_sent: FormSent) -> None:
    sent = form_sent("client_secret", client_secret=secret)
    assert sent.pop("URL").endswith("/contoso.com/oauth2/v2.0/token")
    assert sent == {
        "grant_type": "client_credentials",
        "client_id": "the-client",
        "scope": "the/.default",
        "client_secret": secret,
    }


def test_a_file_is_read_again_at_each_request(form_sent: FormSent, tmp_path: pathlib.Path) -> None:
    """Without the line break that an editor adds; as UTF-16 too."""
    path = tmp_path / "secret"
    for content, secret in ((b"first\n", "first"), ("second \r\n".encode("utf-16"), "second ")):
        path.write_bytes(content)
        assert form_sent("client_secret", client_secret_file=str(path))["client_secret"] == secret


def test_a_changed_file_is_another_secret_for_the_cache(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "secret"
    credential = ClientSecret(AppTokenOptions(client_secret_file=str(path)))
    found = []
    for secret in ("first", "second"):
        path.write_text(f"{secret}\n")
        found.append(credential.get_entry_secret())
    assert found == ["first", "second"]


@pytest.mark.parametrize(
    ("origins", "sent"),
    [
        ({"client_secret": "option client_secret", "client_secret_file": "environment X"}, "given"),
        ({"client_secret": "environment AZURE_CLIENT_SECRET", "client_secret_file": "option x"}, "of-the-file"),
        ({"client_secret": "environment AZURE_CLIENT_SECRET", "client_secret_file": "variable x"}, "of-the-file"),
        ({"client_secret": "environment X", "client_secret_file": "environment Y"}, "given"),
        ({}, "given"),
    ],
)
def test_of_both_the_one_from_the_stronger_source_is_sent(
    origins: dict[str, str], sent: str, form_sent: FormSent, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "secret").write_text("of-the-file")
    given = {"client_secret": "given", "client_secret_file": str(tmp_path / "secret"), "origins": origins}
    assert form_sent("client_secret", **given)["client_secret"] == sent


def test_a_file_that_can_t_be_read_is_named(form_sent: FormSent, tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match=f"client_secret_file {tmp_path}/gone can't be read"):
        form_sent("client_secret", client_secret_file=str(tmp_path / "gone"))
