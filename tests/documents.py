# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation as a test reads it: which documents there are, and the code blocks in them.

A block is an example to be run, unless the line before it says otherwise: ``not run: REASON``, or ``shown by: NAME``
for a message that a play of that name shows. In Markdown that line is a comment ``<!-- … -->``, in reStructuredText
``.. …``.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import textwrap
import typing as t
from pathlib import Path

import yaml

ROOT: t.Final = Path(__file__).resolve().parents[1]
README: t.Final = ROOT / "README.md"
GUIDES: t.Final = tuple(sorted((ROOT / "docs/docsite/rst").glob("*.rst")))
ROLE_READMES: t.Final = tuple(sorted(ROOT.glob("roles/*/README.md")))

_FENCE = re.compile(r"^```(?P<language>[\w+-]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_DIRECTIVE = re.compile(r"^\.\. code-block:: (?P<language>[\w+-]+)\n\n(?P<text>(?:(?:   .*)?\n)+)", re.MULTILINE)
_MARK = re.compile(r"(?:<!--|\.\.) (?P<name>not run|shown by): (?P<value>.+?)(?: -->)?$")


@dataclasses.dataclass(frozen=True)
class Block:
    """A code block; ``place`` is file and line. ``not_run`` and ``shown_by`` are what its mark says."""

    place: str
    language: str
    text: str
    not_run: str = ""
    shown_by: str = ""

    @property
    def is_yaml(self) -> bool:
        """Whether it is YAML, with or without templates."""
        return self.language.startswith("yaml")

    @property
    def content(self) -> t.Any:
        """The YAML in it."""
        return yaml.safe_load(self.text)


def blocks(document: Path) -> list[Block]:
    """All code blocks of a Markdown, reStructuredText or plugin file."""
    text = document.read_text()
    name = document.relative_to(ROOT).as_posix()
    if document.suffix in (".py", ".yml"):
        return [Block(f"{name}: EXAMPLES", "yaml", _examples(document.suffix, text))]
    pattern = _FENCE if document.suffix == ".md" else _DIRECTIVE
    return [_block(name, text, match) for match in pattern.finditer(text)]


def plugins() -> list[Path]:
    """Every plugin file that documents itself with examples."""
    found = [path for kind in ("modules", "lookup", "filter") for path in (ROOT / "plugins" / kind).iterdir()]
    return sorted(path for path in found if path.suffix in (".py", ".yml") and _examples(path.suffix, path.read_text()))


def _block(name: str, text: str, match: re.Match[str]) -> Block:
    before = text[: match.start()].rstrip().rpartition("\n")[2]
    mark = _MARK.match(before)
    marks = {mark["name"].replace(" ", "_"): mark["value"]} if mark else {}
    line = text.count("\n", 0, match.start()) + 1
    return Block(f"{name}:{line}", match["language"], textwrap.dedent(match["text"]).strip() + "\n", **marks)


def _examples(suffix: str, text: str) -> str:
    if suffix == ".yml":
        return str(yaml.safe_load(text).get("EXAMPLES", ""))
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "EXAMPLES":
            return str(ast.literal_eval(node.value))
    return ""
