# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that plays write to files, where no core masks them: one file for each host, one line for each task."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

_DIRECTORY: t.Final = "ENTRA_TEST_VALUES"


def name_directory(directory: Path) -> dict[str, str]:
    """Return the environment that tells a play the directory."""
    return {_DIRECTORY: str(directory)}


def write_values(text: str, host: str) -> str:
    """Append a line of JSON to the file of a host, and return the line. Plays have it as a filter."""
    with Path(os.environ[_DIRECTORY], host).open("a", encoding="utf-8") as file:
        file.write(str(text) + "\n")
    return text


def read_values(directory: Path, host: str) -> list[dict[str, t.Any]]:
    """Return the lines of a host, decoded."""
    path = directory / host
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
