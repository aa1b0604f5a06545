# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody else has done to an entry of the cache: never is a token served that the credential did not buy."""

from __future__ import annotations

import os
import sys
import textwrap
import typing as t

from cache_tasks import get

from plays import show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays


# Does to the one entry of the run's cache what its argument says.
_TAMPER: t.Final = """
    import os, sys
    from pathlib import Path

    def flip(path, content):
        path.write_bytes(bytes([*content[:-20], content[-20] ^ 1, *content[-19:]]))

    def flip_nonce(path, content):
        at = content.index(b"{}\\n") + 4
        path.write_bytes(bytes([*content[:at], content[at] ^ 128, *content[at + 1:]]))

    def flip_label(path, content):
        path.write_bytes(content.replace(b"{}", b"[]", 1))

    def older_format(path, content):
        path.write_bytes(content.replace(b"cache 2", b"cache 1", 1))

    def truncate(path, content):
        path.write_bytes(content[:len(content) // 2])

    def empty(path, content):
        path.write_bytes(b"")

    def link(path, content):
        elsewhere = Path("elsewhere")
        elsewhere.write_bytes(content)
        path.unlink()
        path.symlink_to(elsewhere.resolve())

    def give_away(path, content):
        os.chown(path, 65534, 65534)

    def directory(path, content):
        path.unlink()
        path.mkdir()

    entries = [path for path in Path.home().rglob("entra_auth/*") if not path.suffix]
    assert len(entries) == 1, entries
    globals()[sys.argv[1]](entries[0], entries[0].read_bytes())
"""
_DAMAGES: t.Final = (
    *("flip", "flip_nonce", "flip_label", "older_format", "truncate", "empty", "link"),
    *(("give_away",) if os.geteuid() == 0 else ()),
)


def _tamper(plays: Plays, damage: str) -> dict[str, t.Any]:
    script = plays.directory / "tamper.py"
    script.write_text(textwrap.dedent(_TAMPER))
    return {"ansible.builtin.command": {"argv": [sys.executable, str(script), damage]}}


def test_a_tampered_entry_is_never_served(plays: Plays, emulator: Emulator) -> None:
    """Damaged, cut, replaced by a link or by another user's file, it is a miss, and is replaced."""
    tasks = [get("first")]
    for damage in _DAMAGES:
        tasks += [_tamper(plays, damage), get(damage), get(f"{damage}_again")]
    names = [f"{damage}{more}" for damage in _DAMAGES for more in ("", "_again")]
    shown = show(first="first.source", **{name: f"{name}.source" for name in names})
    play = plays.run([{"tasks": [*tasks, shown]}], record=True)
    assert play.returncode == 0, play.output
    values = play.shown()
    assert {name: values[name] for name in names} == {
        name: "cache" if name.endswith("_again") else "network" for name in names
    }
    assert len(emulator.token_requests()) == 1 + len(_DAMAGES)


def test_an_entry_that_can_not_be_replaced_is_a_warning(plays: Plays, emulator: Emulator) -> None:
    """The token is handed out all the same."""
    tasks = [get("first"), _tamper(plays, "directory"), get("second")]
    play = plays.run([{"tasks": [*tasks, show(source="second.source")]}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown()["source"] == "network"
    assert "could not be kept in the cache" in play.output
    assert len(emulator.token_requests()) == 2
