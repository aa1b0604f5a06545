# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sizes that keep the plugins readable: fails with the name of each file and function that is too long."""

from __future__ import annotations

import ast
import pathlib
import statistics
import sys

FILE_LINES = 300
FUNCTION_LINES = 60
NINE_OF_TEN_LINES = 30
MEDIAN_LINES = 10


def texts(tree: ast.Module) -> int:
    """The lines of docstrings and of the documentation that plugins keep in strings."""
    strings = (node.value for node in ast.walk(tree) if isinstance(node, (ast.Expr, ast.Assign)))
    return sum(s.value.count("\n") for s in strings if isinstance(s, ast.Constant) and isinstance(s.value, str))


def main() -> int:
    """How many things are too long."""
    complaints, sizes = [], []
    for path in sorted(pathlib.Path("plugins").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        if (lines := source.count("\n") - texts(tree)) > FILE_LINES:
            complaints.append(f"{path}: {lines} lines without documentation, {FILE_LINES} at most")
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                sizes.append(size := (node.end_lineno or 0) - node.lineno + 1)
                if size > FUNCTION_LINES:
                    complaints.append(f"{path}:{node.lineno}: {node.name} has {size} lines, {FUNCTION_LINES} at most")
    median, ninth = statistics.median(sizes), statistics.quantiles(sizes, n=10)[-1]
    if median > MEDIAN_LINES or ninth > NINE_OF_TEN_LINES:
        complaints.append(f"functions: median {median:g} ({MEDIAN_LINES}), 90 % up to {ninth:g} ({NINE_OF_TEN_LINES})")
    print("\n".join(complaints) or f"{len(sizes)} functions, median {median:g} lines, 90 % up to {ninth:g}")
    return len(complaints)


if __name__ == "__main__":
    sys.exit(main())
