# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw the end of a run of the demo as a terminal.

``make demo | python3 tools/picture_demo.py > docs/images/demo.svg`` renews the picture that the README shows.
"""

from __future__ import annotations

import re
import sys
import textwrap
from html import escape

# 440 units with letters of 14 are still 12 pixels high where a phone shows the picture 390 pixels wide.
WIDTH = 440
LETTERS = 47
LINE = 19
TASKS = 2
# In two parts, because a license checker would read it as the license of this file.
LICENSE = "SPDX-License" + "-Identifier: GPL-3.0-or-later"
HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<!--
Copyright (c) 2026, entra.auth contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
{LICENSE}

Made by tools/picture_demo.py.
-->
"""
STYLE = """
    .page { fill: #f6f8fa; stroke: #d0d7de; }
    .s { fill: #1c2329; } .ok { fill: #136239; } .task { fill: #0b4f96; font-weight: 600; }
    text { font-size: 14px; white-space: pre; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #12171d; stroke: #38414b; }
      .s { fill: #d7dee5; } .ok { fill: #7fdca3; } .task { fill: #9bcbff; }
    }"""


def select_tasks(output: str) -> list[str]:
    """Return the lines of the last tasks, without the stars that fill a heading up."""
    tasks = re.split(r"^(?=TASK |PLAY RECAP)", output, flags=re.MULTILINE)
    shown = [task.strip() for task in tasks if task.startswith("TASK ")][-TASKS:]
    return re.sub(r" \*+$", "", "\n\n".join(shown), flags=re.MULTILINE).splitlines()


def wrap_line(line: str) -> list[str]:
    """Return the line in pieces that fit; the next ones begin a little further in."""
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, LETTERS, subsequent_indent=indent, break_on_hyphens=False) or [""]


def choose_class(line: str) -> str:
    """Return the colour of a line, as Ansible shows it."""
    return "task" if line.startswith("TASK") else "ok"


def draw(output: str) -> str:
    """Return the picture of the output of a run."""
    rows = [(choose_class(line), piece) for line in select_tasks(output) for piece in wrap_line(line)]
    height = LINE * len(rows) + 36
    texts = "\n".join(
        f'  <text class="{kind}" x="20" y="{34 + LINE * number}" xml:space="preserve">'
        f"{escape(piece, quote=False)}</text>"
        for number, (kind, piece) in enumerate(rows)
        if piece
    )
    return f"""{HEAD}<svg xmlns="http://www.w3.org/2000/svg"
     viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc"
     font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace">
  <title id="title">The end of make demo</title>
  <desc id="desc">{escape(" ".join(" ".join(select_tasks(output)).split()), quote=False)}</desc>
  <style>{STYLE}
  </style>
  <rect class="page" x="1" y="1" width="{WIDTH - 2}" height="{height - 2}" rx="12"/>
{texts}
</svg>
"""


if __name__ == "__main__":
    sys.stdout.write(draw(sys.stdin.read()))
