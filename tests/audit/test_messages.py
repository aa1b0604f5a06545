# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an operator reads on the screen at the commonest failures: messages.txt, whole and word for word.

After a change of words, ``UPDATE_MESSAGES=1`` writes the file again. Read it as a newcomer.
"""

from __future__ import annotations

import json
import os
import re
import textwrap
import typing as t
from pathlib import Path

from audit.scenarios import AUTH, FAILURES

if t.TYPE_CHECKING:
    from audit.runs import Audit

_MESSAGES: t.Final = Path(__file__).parent / "messages.txt"
_COMMONEST: t.Final = (
    *("wrong secret", "secret ID for a value", "expired secret", "unknown app", "wrong tenant", "unknown API"),
    *("missing roles", "throttled", "unknown host", "network refused", "proxy refused", "unknown CA"),
)
_SHOWN: t.Final = re.compile(r"^fatal: \[[a-z_]+\]: FAILED! => (\{.*\})$", re.MULTILINE)
_WIDTH: t.Final = 110
# What differs from run to run.
_DIFFERS: t.Final = {
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "(an id)",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ": "(a time)",
    r"localhost:\d{2,}": "localhost:(port)",
    r" \(_ssl\.c:\d+\)": "",
    r"(Name or service not known|Temporary failure in name resolution)": "(what the resolver says)",
}


def test_the_commonest_failures_read_so(audit: Audit) -> None:
    """With the callback default and no -v: what happened, why, and what to do, and nothing more."""
    tasks = [{"name": what, AUTH: FAILURES[what][0], "ignore_errors": True} for what in _COMMONEST]
    plays = [{"hosts": "client_secret", "gather_facts": False, "tasks": tasks}]
    audited = audit.play("ansible.builtin.default", plays=plays, ANSIBLE_DISPLAY_TRACEBACK="never")
    shown = [json.loads(text)["msg"] for text in _SHOWN.findall(audited.outlets.play.stdout)]
    text = "\n".join(_section(*each) for each in zip(_COMMONEST, shown, strict=True))
    if os.environ.get("UPDATE_MESSAGES"):
        _MESSAGES.write_text(text)
    assert text == _MESSAGES.read_text()
    assert not audited.leaks()


def _section(what: str, message: str) -> str:
    for pattern, instead in _DIFFERS.items():
        message = re.sub(pattern, instead, message)
    return f"{what.upper()}\n{textwrap.fill(message, _WIDTH, break_on_hyphens=False)}\n"
