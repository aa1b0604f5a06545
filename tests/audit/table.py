# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's result as a table: for people and for programs, in .build/audit."""

from __future__ import annotations

import json
import sys
import typing as t

from ansible.release import __version__ as core_version
from audit.scenarios import SCENARIOS

from plays import ROOT

if t.TYPE_CHECKING:
    from audit.runs import Audited
    from leaks import Leak

_DIRECTORY: t.Final = ROOT / ".build/audit"
_ROWS: t.Final = _DIRECTORY / "rows"


def add(callback: str, audited: Audited, leaks: dict[str, list[Leak]]) -> None:
    """Keep the figures of a run until the table is made."""
    channels = {
        name: {"artifacts": artifacts, "bytes": size, "hits": len(leaks.get(name, []))}
        for name, (artifacts, size) in audited.outlets.measured().items()
    }
    row = {
        "core": core_version,
        "callback": callback,
        "scenarios": len(SCENARIOS),
        "events": len(audited.events),
        "markers": len(audited.markers),
        **{figure: sum(channel[figure] for channel in channels.values()) for figure in ("artifacts", "bytes", "hits")},
        "channels": channels,
    }
    _ROWS.mkdir(parents=True, exist_ok=True)
    (_ROWS / f"{core_version}-{callback}.json").write_text(json.dumps(row))
