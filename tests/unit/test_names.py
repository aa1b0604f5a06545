# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and words: a function begins with a verb, and every text is plain technical English."""

from __future__ import annotations

import ast
import pathlib
import re
import typing as t

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
SUFFIXES = (".py", ".yml", ".yaml", ".md", ".rst", ".j2", ".sh", ".toml", "")

_VERBS = """
accept acquire add append apply assert attach await begin bind build cache calculate cancel canonicalize check
choose clean clear close collect combine commit compare compute configure connect consume convert copy count create
cut decide decode decrypt define delay delete derive describe detect determine discard display do drain drop dump encode
encrypt end ensure enter escape estimate evaluate exchange exclude execute exit expand expect explain extract fail
fetch filter find finish fit follow forget format freeze gather generate get give guess handle has hash hide hold
identify ignore increment init insert invoke is iterate join judge keep limit list load lock log look
make mark mask match matches measure merge mint mount move name need needs normalize note notify open order pad
parse pass pause pick plan post predict prepare preserve print probe promise protect prove provide prune
publish push put raise reach read receive recognize record redact redeem reduce refresh refuse register release
reload remove rename renew repeat replace report represent request require reserve reset resolve respond restore
retry return reuse run sanitize save say scan schedule select send serialize serve set shorten show sign skip sleep
sort split start stat stop store strip substitute suggest summarize suppress sweep swap take tell template test
throw trim truncate try unlink unlock unpack unquote update upload use validate verify wait walk warn wrap write
allows belongs can covers expires owns shows succeeds supports uses as to from main
"""
VERBS = frozenset(_VERBS.split())
# Names that Ansible, Python or a library prescribes.
PRESCRIBED = frozenset({"filters", "main", "v", "vv"})

UNWANTED = (
    "whoever|anew|somebody|nobody|meanwhile|besides|in vain|lie about|lies about|lying about|but for|to be had|of yours"
    "|foresaw"
)


def functions(path: pathlib.Path) -> t.Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a file, properties and special methods aside."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
            if "property" not in decorators and not node.name.startswith("__"):
                yield node


def begins_with_verb(name: str) -> bool:
    return name in PRESCRIBED or name.lstrip("_").partition("_")[0] in VERBS


def test_nine_of_ten_functions_begin_with_a_verb() -> None:
    names = [(path, node.name) for path in PLUGINS for node in functions(path)]
    others = [f"{path.relative_to(ROOT)}: {name}" for path, name in names if not begins_with_verb(name)]
    assert len(others) <= len(names) * 0.1, "\n".join(others)


def texts() -> t.Iterator[pathlib.Path]:
    """Every file in which a person may read a sentence, as far as it is written by people."""
    for folder in ("plugins", "roles", "playbooks", "docs", "extensions", "tools", "benchmarks", "meta", "changelogs"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in SUFFIXES and "__pycache__" not in path.parts:
                yield path
    yield from sorted(ROOT.glob("*.md"))


@pytest.mark.parametrize("path", list(texts()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_text_has_no_word_that_needs_a_second_reading(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = re.findall(rf"^.*\b(?:{UNWANTED})\b.*$", text, re.IGNORECASE | re.MULTILINE)
    assert not found, "\n".join(found)
