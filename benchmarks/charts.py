# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plots as SVG, for light and dark: bars in groups, and lines over logarithmic axes."""

from __future__ import annotations

import dataclasses
import math
import textwrap
import typing as t
from html import escape

# 440 units with letters of 14 are still 12 pixels high where a phone shows the picture 390 pixels wide.
_WIDTH: t.Final = 440
_MARGIN: t.Final = 20
_LINE: t.Final = 19
_LETTERS: t.Final = 46
_STYLE: t.Final = """
    .page { fill: #ffffff; stroke: #d0d7de; }
    .grid { stroke: #d0d7de; } .axis { stroke: #57606a; }
    .ours { fill: #1a7f4b; stroke: #1a7f4b; } .floor { fill: #8c959f; stroke: #8c959f; }
    .other { fill: #0b5cad; stroke: #0b5cad; } .hand { fill: #bc4c00; stroke: #bc4c00; }
    .line { fill: none; stroke-width: 2.4; }
    .t { fill: #1c2329; font-size: 17px; font-weight: 600; } .s { fill: #3d4650; font-size: 14px; stroke: none; }
    .v { fill: #1c2329; font-size: 14px; font-weight: 600; stroke: none; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #12171d; stroke: #38414b; }
      .grid { stroke: #38414b; } .axis { stroke: #98a4b0; }
      .ours { fill: #4cc27b; stroke: #4cc27b; } .floor { fill: #7d8894; stroke: #7d8894; }
      .other { fill: #6cb0f5; stroke: #6cb0f5; } .hand { fill: #f0883e; stroke: #f0883e; }
      .line { fill: none; }
      .t { fill: #eef2f6; } .s { fill: #c5ced7; } .v { fill: #eef2f6; }
    }"""


@dataclasses.dataclass(frozen=True)
class Bar:
    """A bar with its name, its value, the text of that, and ``kind``: ours, floor, other or hand."""

    name: str
    value: float
    text: str
    kind: str


@dataclasses.dataclass(frozen=True)
class Line:
    """Points of one contender; ``kind`` as of a bar."""

    name: str
    points: tuple[tuple[float, float], ...]
    kind: str


def bars(title: str, description: str, groups: t.Mapping[str, t.Sequence[Bar]]) -> str:
    """Draw horizontal bars from zero, each below its text, in groups that are each scaled to their longest bar."""
    longest, height = _WIDTH - 2 * _MARGIN, 12
    parts, y = _draw_title(title)
    for heading, its_bars in groups.items():
        y += 12
        for line in textwrap.wrap(heading, _LETTERS):
            parts.append(_text(_MARGIN, y + 14, line, "v"))
            y += _LINE
        most = max(one.value for one in its_bars)
        for one in its_bars:
            width = max(1.0, longest * one.value / most)
            parts.append(_text(_MARGIN, y + 16, f"{one.name}: {one.text}", "s"))
            y += 22
            parts.append(
                f'<rect class="{one.kind}" x="{_MARGIN}" y="{y:g}" width="{width:.1f}" height="{height}" rx="3"/>'
            )
            y += height + 4
    return _page(title, description, parts, y + 20)


def lines(title: str, description: str, its_lines: t.Sequence[Line], x_name: str, y_name: str) -> str:
    """Draw lines over two logarithmic axes, and below them the name of each with its last value."""
    parts, head = _draw_title(title)
    left, right, top = 64, _MARGIN + 10, head + 40
    bottom = top + 260
    xs = sorted({x for line in its_lines for x, _y in line.points})
    ys = [y for line in its_lines for _x, y in line.points]
    decades = range(math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys))) + 1)

    def x_of(value: float) -> float:
        return left + (_WIDTH - left - right) * math.log(value / xs[0]) / math.log(xs[-1] / xs[0])

    def y_of(value: float) -> float:
        return bottom - (bottom - top) * (math.log10(value) - decades[0]) / (decades[-1] - decades[0])

    parts += [_text(_MARGIN, head + 18, y_name, "s"), _text(x_of(xs[-1]), bottom + 44, x_name, "s", "end")]
    for decade in decades:
        y = y_of(10.0**decade)
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{x_of(xs[-1]):.1f}"/>')
        parts.append(_text(left - 8, y + 4, f"{10.0**decade:g}", "s", "end"))
    for value in xs:
        x = x_of(value)
        parts.append(f'<path class="axis" d="M{x:.1f} {bottom:g}v6"/>')
        parts.append(_text(x, bottom + 22, f"{value:g}", "s", "middle"))
    for line in its_lines:
        parts += _drawn(line, x_of, y_of)
    legend = bottom + 74
    parts += _draw_legend(its_lines, legend)
    return _page(title, description, parts, legend + 20 * len(its_lines))


def _draw_title(title: str) -> tuple[list[str], float]:
    """Return the lines of the title, and the height that they take."""
    found = textwrap.wrap(title, _LETTERS - 6)
    return [_text(_MARGIN, 34 + 22 * number, line, "t") for number, line in enumerate(found)], 22.0 + 22 * len(found)


def _draw_legend(its_lines: t.Sequence[Line], y: float) -> list[str]:
    """Return the names with their last values, from the highest down."""
    parts = []
    for number, line in enumerate(sorted(its_lines, key=lambda line: -line.points[-1][1])):
        middle = y + 20 * number
        parts.append(f'<circle class="{line.kind}" cx="{_MARGIN + 4}" cy="{middle - 5:.1f}" r="5"/>')
        parts.append(_text(_MARGIN + 16, middle, f"{line.name}: {line.points[-1][1]:.3g} s", "s"))
    return parts


def _drawn(line: Line, x_of: t.Callable[[float], float], y_of: t.Callable[[float], float]) -> list[str]:
    places = [(x_of(x), y_of(y)) for x, y in line.points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = [f'<circle class="{line.kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places]
    return [f'<path class="{line.kind} line" style="fill:none" d="M{path}"/>', *dots]


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


# In two parts, because a license checker would read it as the license of this file.
_LICENSE = "SPDX-License" + "-Identifier: GPL-3.0-or-later"


def _page(title: str, description: str, parts: t.Sequence[str], height: float) -> str:
    body = "\n  ".join(parts)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!--
Copyright (c) 2026, entra.auth contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
{_LICENSE}

Made by python -m benchmarks.
-->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" height="{height:g}"
     role="img" aria-labelledby="title desc"
     font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif">
  <title id="title">{escape(title)}</title>
  <desc id="desc">{escape(description)}</desc>
  <style>{_STYLE}
  </style>
  <rect class="page" x="1" y="1" width="{_WIDTH - 2}" height="{height - 2:g}" rx="12"/>
  {body}
</svg>
"""
