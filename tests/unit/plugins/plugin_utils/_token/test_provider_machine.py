# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine is identified by its name and its id, of which the id may be missing."""

from __future__ import annotations

import builtins
import io
import os
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import identify_machine


@pytest.mark.parametrize(("content", "expected"), [("0123abcd\n", "node 0123abcd"), (None, "node")])
def test_a_machine_has_a_name_and_perhaps_an_id(
    content: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_file(path: str, **_how: t.Any) -> io.StringIO:
        assert path == "/etc/machine-id"
        if content is None:
            raise FileNotFoundError
        return io.StringIO(content)

    uname = os.uname()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((uname.sysname, "node", *uname[2:])))
    monkeypatch.setattr(builtins, "open", open_file)
    identified = identify_machine()
    monkeypatch.undo()
    assert identified == expected
