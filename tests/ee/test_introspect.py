# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-builder finds in the collection is what the collection imports."""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

from plays import COLLECTIONS, ROOT

# requests brings urllib3 along and has it in its own interface; what ansible-core needs is in every environment.
_PACKAGES: t.Final = {"jwt": "PyJWT", "socks": "PySocks", "urllib3": "requests"}
_OF_ANSIBLE: t.Final = {"ansible", "ansible_collections", "yaml", "jinja2", "__future__"}
_IMPORT: t.Final = re.compile(r"^\s*(?:from|import) (\w+)", re.MULTILINE)


def introspected() -> dict[str, t.Any]:
    """The answer of ansible-builder."""
    program = Path(sys.executable).parent / "ansible-builder"
    done = subprocess.run([program, "introspect", COLLECTIONS], capture_output=True, text=True, check=True)
    return t.cast("dict[str, t.Any]", yaml.safe_load(done.stdout))


def imported() -> set[str]:
    """The packages that the plugins import, in functions too."""
    text = "\n".join(path.read_text() for path in (ROOT / "plugins").rglob("*.py"))
    found = set(_IMPORT.findall(re.sub(r'(?s)r?""".*?"""', "", text))) - set(sys.stdlib_module_names) - _OF_ANSIBLE
    return {_PACKAGES.get(name, name) for name in found}


def test_it_lists_exactly_what_is_needed() -> None:
    """The Python packages of the plugins, each without an upper bound, and no package of the system."""
    found = introspected()
    packages, sources = zip(*(line.split("  # from collection ") for line in found["python"]), strict=True)
    names = [re.fullmatch(r"(\w+)(?: >= [\d.]+)?", package) for package in packages]
    assert sorted(name[1] if name else "" for name in names) == sorted(imported())
    assert set(sources) == {"entra.auth"}
    assert found["system"] == []
