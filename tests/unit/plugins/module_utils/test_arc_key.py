# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A challenge of the Azure Arc agent yields the content of a key file of the agent, and of no other file."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils import _arc_key
from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError

if t.TYPE_CHECKING:
    import pathlib


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> pathlib.Path:
    """The directory of the agent's key files."""
    monkeypatch.setattr(_arc_key, "_KEY_DIRECTORY", str(tmp_path))
    return tmp_path


def read_error(challenge: str) -> NetworkError:
    with pytest.raises(NetworkError) as failed:
        _arc_key.read_arc_key(challenge)
    return failed.value


def test_the_key_files_are_where_the_agent_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert _arc_key._KEY_DIRECTORY == "/var/opt/azcmagent/tokens"


@pytest.mark.parametrize("form", ["Basic realm={}", 'Basic realm="{}"', 'basic  Realm="{}" '])
def test_the_content_of_the_key_file_is_returned(form: str, keys: pathlib.Path) -> None:
    (keys / "a.key").write_text("k" * 4096)
    assert _arc_key.read_arc_key(form.format(keys / "a.key")) == "k" * 4096


@pytest.mark.parametrize("challenge", ["", "Bearer x", "Basic", "Basic realm=", 'Digest realm="/a.key"'])
def test_a_challenge_without_a_file_is_an_error(challenge: str) -> None:
    assert "does not name a key file" in read_error(challenge).message


@pytest.mark.parametrize(
    "path", ["/etc/shadow", "{}/../a.key", "{}/sub/a.key", "{}/a.pem", "{}/", "a.key", "{}/link.key"]
)
def test_a_file_that_is_not_a_key_file_is_refused(path: str, keys: pathlib.Path) -> None:
    for name in ("a.key", "a.pem", "target"):
        (keys / name).write_text("hunter2")
    (keys / "link.key").symlink_to(keys / "target")
    assert "does not name a key file" in read_error(f'Basic realm="{path.format(keys)}"').message


@pytest.mark.parametrize("content", [None, "", "k" * 4097, "\u00e9"])
def test_a_key_file_without_a_usable_key_is_an_error(content: str | None, keys: pathlib.Path) -> None:
    if content is not None:
        (keys / "a.key").write_text(content)
    error = read_error(f'Basic realm="{keys / "a.key"}"')
    assert "can't be read, is empty or is too large" in error.message
    assert "himds" in str(error.hint)


def test_a_path_with_a_null_character_is_an_error(keys: pathlib.Path) -> None:
    assert "can't be read" in read_error(f'Basic realm="{keys}/a\x00.key"').message
