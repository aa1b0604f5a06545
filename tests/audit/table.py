# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's result as a table: for people and for programs, in .build/audit."""

from __future__ import annotations

import json
import re
import sys
import typing as t

from ansible.release import __version__ as core_version
from audit.scenarios import SCENARIOS

from plays import ROOT

if t.TYPE_CHECKING:
    from audit.runs import Audited
    from leaks import Leak

_FIGURES: t.Final = ("scenarios", "events", "markers", "artifacts", "bytes", "hits")
_CHANNEL_FIGURES: t.Final = ("artifacts", "bytes", "hits")
_DIRECTORY: t.Final = ROOT / ".build/audit"
_ROWS: t.Final = _DIRECTORY / "rows"


def add(callback: str, audited: Audited, leaks: dict[str, list[Leak]], *, scenarios: int = len(SCENARIOS)) -> None:
    """Keep the figures of a run until the table is made."""
    channels = {
        name: {"artifacts": artifacts, "bytes": size, "hits": len(leaks.get(name, []))}
        for name, (artifacts, size) in audited.outlets.measured().items()
    }
    row = {
        "core": core_version,
        "callback": callback,
        "scenarios": scenarios,
        "events": len(audited.events),
        "markers": len(audited.markers),
        **{figure: sum(channel[figure] for channel in channels.values()) for figure in ("artifacts", "bytes", "hits")},
        "channels": channels,
    }
    _ROWS.mkdir(parents=True, exist_ok=True)
    (_ROWS / f"{core_version}-{callback}.json").write_text(json.dumps(row))


def main() -> int:
    """Make the table of all figures that were kept; 1 where anything was found, or nothing was searched."""
    rows = sorted((json.loads(path.read_text()) for path in _ROWS.glob("*.json")), key=_order)
    (_DIRECTORY / "table.json").write_text(json.dumps(rows, indent=1))
    text = _text(rows)
    (_DIRECTORY / "table.txt").write_text(text)
    print(text)
    return 0 if rows and not any(row["hits"] for row in rows) else 1


def _order(row: dict[str, t.Any]) -> tuple[list[int], str]:
    # A release candidate is counted as one more part: 2.22.0rc1.
    return [int(part) for part in re.findall(r"\d+", row["core"])], row["callback"]


def _text(rows: list[dict[str, t.Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row["channels"]))
    total = {
        name: {figure: sum(row["channels"].get(name, {}).get(figure, 0) for row in rows) for figure in _CHANNEL_FIGURES}
        for name in names
    }
    by_run = [_cells(row, ("core", "callback", *_FIGURES)) for row in rows]
    by_channel = [[name, *(f"{figures[figure]:,}" for figure in _CHANNEL_FIGURES)] for name, figures in total.items()]
    sums = ["all", "", *(f"{sum(row[figure] for row in rows):,}" for figure in _FIGURES)]
    first = _laid_out([["ansible-core", "callback", *_FIGURES], *by_run, sums])
    return f"{first}\n\n{_laid_out([['channel', *_CHANNEL_FIGURES], *by_channel])}\n"


def _cells(row: dict[str, t.Any], names: tuple[str, ...]) -> list[str]:
    return [f"{row[name]:,}" if isinstance(row[name], int) else row[name] for name in names]


def _laid_out(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


if __name__ == "__main__":
    sys.exit(main())
