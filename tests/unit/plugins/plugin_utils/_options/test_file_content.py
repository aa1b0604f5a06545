# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files are read whole and in their encoding, or refused by the name of their option."""

from __future__ import annotations

import codecs
import errno
import os
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.file_content import (
    decode_text,
    describe_json,
    read_file,
    read_text,
)

if t.TYPE_CHECKING:
    import pathlib


def test_a_file_is_read_as_it_is(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_bytes(b"\x00content\n")
    assert read_file("an_option", str(tmp_path / "file")) == b"\x00content\n"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone", "No such file or directory"),
        ("empty", "it is empty"),
        ("blank", "it is empty"),
        ("large", "it is larger than 1 MiB"),
        ("", "Is a directory"),
        ("pipe", "it is not a regular file"),
        ("locked", "Permission denied"),
        ("nu\0ll", "it contains a null character"),
    ],
)
def test_a_file_that_can_t_be_used_is_named_with_its_option(
    name: str, reason: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A named pipe that no program writes to is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "blank").write_text(" \n")
    (tmp_path / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    if name == "locked":
        # The tests may run as root, to whom no file is locked.
        monkeypatch.setattr(os, "open", _refuse_to_open)
    with pytest.raises(InputError) as refused:
        read_file("an_option", str(tmp_path / name))
    assert refused.value.message.startswith(f"an_option {tmp_path / name}".partition("\0")[0])
    assert reason in refused.value.message
    assert "an_option" in str(refused.value.hint)


def _refuse_to_open(path: str, flags: int) -> int:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@pytest.mark.parametrize(
    "content",
    [
        "-----BEGIN PRIVATE KEY-----\\nhunter2",
        "eyJhbGciOiJSUzI1NiJ9.hunter2.c2ln",
        "hunter2\n",
        f"MIIhunter2{'a/' * 60}",
        f"1.Ahunter2{'a' * 300}",
        f"/a/1.Ahunter2{'a' * 300}/b",
    ],
)
def test_a_content_in_the_place_of_a_path_is_not_shown(content: str) -> None:
    with pytest.raises(InputError, match="an_option holds the content of a file instead of its path") as refused:
        read_file("an_option", content)
    assert "hunter2" not in str(refused.value)


def test_a_secret_in_the_place_of_a_path_is_not_shown(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the form of a long file name, so a file of that name is read."""
    secret = "abC8Q~hunter2-made-up.secret_of~40-letters"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="an_option does not name a file that exists") as refused:
        read_file("an_option", secret)
    assert "hunter2" not in str(refused.value)
    (tmp_path / secret).write_text("content")
    assert read_file("an_option", secret) == b"content"


@pytest.mark.parametrize(
    "content",
    [
        b"text",
        codecs.BOM_UTF8 + b"text",
        "text".encode("utf-16"),
        codecs.BOM_UTF16_BE + "text".encode("utf-16-be"),
        "text".encode("utf-16-le"),
        "text".encode("utf-16-be"),
        "text".encode("utf-32"),
        codecs.BOM_UTF32_BE + "text".encode("utf-32-be"),
    ],
)
def test_text_is_decoded_by_its_mark_or_its_zero_bytes(content: bytes) -> None:
    assert decode_text(content) == "text"


def test_letters_beyond_ascii_are_kept() -> None:
    assert decode_text("Zürich ä".encode()) == "Zürich ä"
    assert decode_text("Zürich ä".encode("utf-16")) == "Zürich ä"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"\xd8\x00\xd8", b"a\xffb", b"\x00"])
def test_what_is_not_text_is_decoded_without_an_error(content: bytes) -> None:
    assert isinstance(decode_text(content), str)


def test_line_breaks_at_its_end_are_no_part_of_a_text(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_bytes(" text of\r\ntwo lines \r\n\r\n".encode("utf-16"))
    assert read_text("an_option", str(tmp_path / "file")) == " text of\r\ntwo lines "


@pytest.mark.parametrize(
    ("text", "described"),
    [
        ('{"a": 1, "b": 2}', "JSON around it (with the keys 'a', 'b')"),
        ("{}", "an empty JSON object"),
        ("[1]", None),
        ("text", None),
        ("[" * 100000, None),
    ],
)
def test_json_is_described_by_its_keys(text: str, described: str | None) -> None:
    assert describe_json(text, "it") == described
