# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit itself: it finds what was planted, in every form and in every channel."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import textwrap
import typing as t
import urllib.parse

import pytest
from channels import secrets
from cores import CORE_MASKS
from leaks import Markers

from plays import role

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from channels import Channels

    from entra_emulator.client import Emulator

# A character of each kind that some form writes in a way of its own.
SECRET: t.Final = "pl4nted~ é+&=%41#'\"{ }<>\\|;/n?"
TOKEN: t.Final = f"{'eyJhbGciOi' * 5}.{'abcDEF0123' * 30}.{'SIGnature-' * 30}"

# With a command after it, for which the shell stays.
_LONG_ENOUGH_TO_BE_SEEN: t.Final = "sleep 2; true"

WAYS: t.Final[dict[str, Callable[[str], str]]] = {
    "raw": str,
    "wrapped": lambda text: "\n    ".join(textwrap.wrap(text, 7)),
    "JSON": json.dumps,
    "JSON, UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON, all escaped": lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    "JSON, symbols escaped": lambda text: re.sub(r"(?a)\W|_", lambda match: f"\\u{ord(match[0]):04X}", text),
    "hex": lambda text: text.encode().hex(),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"stdout": text})),
    "wrapped in JSON": lambda text: json.dumps("\r\n".join(textwrap.wrap(text, 7))),
    "Python": lambda text: repr([text]),
    "Python in JSON": lambda text: json.dumps(repr({"key": text})),
    "bytes": lambda text: repr(text.encode()),
    "shell": lambda text: f"curl -d {shlex.quote(text)}",
    "XML": html.escape,
    "URL": lambda text: f"https://host/?a={urllib.parse.quote(text)}",
    "URL, lower case": lambda text: re.sub("%..", lambda escape: escape[0].lower(), urllib.parse.quote(text)),
    "form": lambda text: urllib.parse.urlencode({"client_secret": text}),
    "Basic authorization": lambda text: base64.b64encode(f"{'a' * 36}:{text}".encode()).decode(),
    "base64, second alignment": lambda text: base64.b64encode(f"a{text}b".encode()).decode(),
    "base64, third alignment": lambda text: base64.b64encode(f"ab{text}bc".encode()).decode(),
    "base64url in a JWT": lambda text: base64.urlsafe_b64encode(json.dumps({"a": text}).encode()).decode(),
    "wrapped base64": lambda text: base64.encodebytes(f"ab{text * 3}".encode()).decode(),
}


@pytest.mark.parametrize("value", [SECRET, TOKEN], ids=["secret", "token"])
@pytest.mark.parametrize("way", WAYS)
def test_every_form_is_found(way: str, value: str) -> None:
    """Whatever a program did to a value before it wrote it down."""
    leaks = Markers({"it": value}).in_text(f"before {WAYS[way](value)} after", "here")
    assert {(leak.marker, leak.where) for leak in leaks} == {("it", "here")}


@pytest.mark.parametrize("cut", [slice(0, 330), slice(-200, None), slice(100, 250)], ids=["head", "tail", "middle"])
def test_a_token_cut_short_is_found(cut: slice) -> None:
    """Half a token is no less of a leak; the header that all tokens share is none."""
    markers = Markers({"it": TOKEN})
    assert markers.in_text(TOKEN[cut], "here")
    assert not markers.in_text(TOKEN.partition(".")[0], "here")


def test_what_is_masked_is_not_found() -> None:
    """A text without the value, or with one that only resembles it, is clean."""
    markers = Markers({"it": SECRET, "other": TOKEN})
    assert not markers.in_text("Bearer ******** and pl4nted", "here")
    assert not markers.in_text(TOKEN.swapcase(), "here")


def test_files_names_and_links_are_searched(tmp_path: Path) -> None:
    """Content, names and link targets, at any depth; a file that was excepted is not."""
    deep = tmp_path / "a/.hidden"
    deep.mkdir(parents=True)
    (deep / "content").write_bytes(b"\xff\x00" + SECRET.encode())
    (deep / "pl4nted-name").touch()
    (tmp_path / "link").symlink_to("/nowhere/pl4nted-name")
    (tmp_path / "excepted").write_text(SECRET)
    markers = Markers({"it": SECRET, "name": "pl4nted-name"})
    leaks = markers.in_tree(tmp_path, but=[tmp_path / "excepted"])
    assert [(leak.marker, leak.where) for leak in leaks] == [
        ("it", str(deep / "content")),
        ("name", f"the name {deep / 'pl4nted-name'}"),
        ("name", str(tmp_path / "link")),
    ]


# ansible-core 2.22 and newer mask a token in all that they show, and do not know it in base64.
_LEAKED: t.Final = "{{ app_token.access_token }} {{ app_token.access_token | b64encode }}"
_SHOWN: t.Final = {"stdout", "stderr", "logs", "junit", "tree", "syslog"}


def test_every_channel_is_searched(channels: Channels, emulator: Emulator) -> None:
    """A play that leaks its token in all the ways there are: each channel gives it away.

    The channels that show something have the token itself only before ansible-core 2.22.
    """
    token = _LEAKED
    headers = "{{ app_token.headers }}"
    warning = "{{ lookup('file', leaked, errors='warn') }}"
    home = "{{ lookup('env', 'HOME') }}/token"
    scratch = "{{ lookup('env', 'TMPDIR') }}/scratch"
    outlets = channels.run(
        [
            role("app_token"),
            {"name": "Print", "ansible.builtin.debug": {"msg": token}},
            {"name": "Log", "ansible.builtin.uri": {"url": f"{emulator.urls.api}/v1.0/users", "headers": headers}},
            {
                "name": "Pass on",
                "ansible.builtin.command": {"argv": ["sh", "-c", _LONG_ENOUGH_TO_BE_SEEN, token]},
                "environment": {"TOKEN": token},
            },
            {"name": "Write down", "ansible.builtin.copy": {"content": token, "dest": scratch}},
            {"name": "Leave at home", "ansible.builtin.copy": {"content": token, "dest": home}},
            {"name": "Cache", "ansible.builtin.copy": {"content": token, "dest": "{{ channel_cache }}/token"}},
            {"name": "Fact", "ansible.builtin.set_fact": {"token": token, "cacheable": True}},
            {"name": "Warn", "ansible.builtin.debug": {"msg": warning}, "vars": {"leaked": token}},
            {"name": "Fail", "ansible.builtin.fail": {"msg": token}},
        ],
        "-vvv",
    )
    leaks = outlets.leaks(Markers(secrets(emulator)))
    outlets.assert_used()
    assert set(leaks) == {*outlets.texts, *outlets.trees}
    with_token = {channel for channel, each in leaks.items() if "raw" in {leak.form for leak in each}}
    assert with_token == leaks.keys() - (_SHOWN if CORE_MASKS else set())
