# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks of the tests of the cache, and how they read the requests."""

from __future__ import annotations

import itertools
import stat
import typing as t

if t.TYPE_CHECKING:
    from pathlib import Path

LOOKUP: t.Final = "lookup('entra.auth.app_token'"
USERS: t.Final = "{{ lookup('env', 'ENTRA_AUTH_API_BASE_URL') }}/v1.0/users?$top=1"


def get(register: str = "token", /, **options: t.Any) -> dict[str, t.Any]:
    """A task that gets a token and registers it."""
    return {"name": f"Get {register}", "entra.auth.app_token": options, "register": register}


def look_up(options: str = "") -> dict[str, t.Any]:
    """A task that gets a token by the lookup, of which it shows nothing."""
    return {"name": "Look up", "ansible.builtin.assert": {"that": f"{LOOKUP}{options}) is match('ey')"}}


def work(seconds: int) -> dict[str, t.Any]:
    """A task that takes as long as a longer play would."""
    return {"name": "Work", "ansible.builtin.wait_for": {"timeout": seconds}, "run_once": True}


def gaps(entries: list[dict[str, t.Any]]) -> list[float]:
    """Seconds between the arrivals of requests."""
    times = [entry["time"] for entry in entries]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def open_to_others(directory: Path) -> list[str]:
    """What another user could read below a directory, or below one that it makes for a token."""
    seen = [path for path in (directory, *directory.rglob("*")) if not path.is_symlink()]
    return [str(path) for path in seen if stat.S_IMODE(path.stat().st_mode) != (0o700 if path.is_dir() else 0o600)]


__all__ = ("LOOKUP", "USERS", "gaps", "get", "look_up", "open_to_others", "work")
