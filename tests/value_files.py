# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that plays write to files, where no core masks them: a file for each task and host."""

from __future__ import annotations

import json
import os
import re
import typing as t
import uuid
from pathlib import Path

_DIRECTORY: t.Final = "ENTRA_TEST_VALUES"
# With words before the JSON, of which ansible-core 2.18 and older would make data of other types.
_SHOWN: t.Final = re.compile(r"shown, file ([0-9a-f]{32}): ")


def name_directory(directory: Path) -> dict[str, str]:
    """Return the environment that tells a play the directory."""
    return {_DIRECTORY: str(directory)}


def write_values(text: str) -> str:
    """Write JSON to a new file, and return the name of the file and the JSON. Plays have it as a filter."""
    name = uuid.uuid4().hex
    Path(os.environ[_DIRECTORY], name).write_text(str(text), encoding="utf-8")
    return f"shown, file {name}: {text}"


def is_written(shown: object) -> bool:
    """Return whether a text that was shown names a file."""
    return isinstance(shown, str) and _SHOWN.match(shown) is not None


def read_values(directory: Path, shown: str) -> dict[str, t.Any]:
    """Return the values in the file that a text names."""
    name = _SHOWN.match(shown)
    assert name, shown
    return t.cast("dict[str, t.Any]", json.loads((directory / name[1]).read_text(encoding="utf-8")))
