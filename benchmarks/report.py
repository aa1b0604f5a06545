# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From results to what people read: a table in the terminal, tables in the guide and the README, and the plots."""

from __future__ import annotations

import re
import typing as t

from benchmarks import charts
from benchmarks.figures import Case

if t.TYPE_CHECKING:
    from pathlib import Path

Results = t.Mapping[str, t.Any]
Row = tuple[str, ...]

_GUIDE: t.Final = "docs/docsite/rst/guide_benchmarks.rst"
_IMAGES: t.Final = "docs/images"
_SENTENCE: t.Final = r"(<!-- begin figures -->).*?(<!-- end figures -->)"
_PROMISES: t.Final = ("what", "against", "ratio", "range", "of processor time", "promised")


def documents(root: Path, results: Results) -> dict[Path, str]:
    """Every file that shows results, with the content that it has to have."""
    cases = {kept["name"]: Case.from_dict(kept) for kept in results["cases"]}
    guide, readme = root / _GUIDE, root / "README.md"
    tables = {
        "promises": _rst(_PROMISES, promises(cases)),
        "requests": _rst(("what", "requests", "failed hosts"), requests(cases)),
        "cases": "\n".join(_rst_of(case) for case in cases.values()),
        "machine": _machine(results["machine"]) + "\n",
    }
    return {
        guide: _filled(guide.read_text(), tables, ".. {} {}"),
        readme: _fill_sentence(readme.read_text(), _first_token_sentence(cases)),
        **{root / _IMAGES / f"benchmark-{name}.svg": picture for name, picture in pictures(cases).items()},
    }


def _first_token_sentence(cases: t.Mapping[str, Case]) -> str:
    """What a first token costs for a hundred hosts, in one sentence."""
    found = [case for name, case in cases.items() if name.startswith("hosts_100_")]
    case = max(found, key=lambda one: one.conditions["forks"])
    ours, by_hand = (case.contenders[name].median / 10 for name in ("module, first task", "uri POST on each host"))
    return f"A first token for 100 hosts: {ours:.1f} s, where a `uri` task on each host takes {by_hand:.1f} s."


def _fill_sentence(document: str, sentence: str) -> str:
    """The document with the sentence between its marks."""
    filled, count = re.subn(_SENTENCE, lambda match: match[1] + sentence + match[2], document, flags=re.DOTALL)
    if count != 1:
        raise LookupError("no place for the sentence on the first token")
    return filled


def promises(cases: t.Mapping[str, Case]) -> list[Row]:
    """What the project promises about speed, and what was measured."""
    rows = []
    for case in cases.values():
        for ratio in case.ratios:
            if ratio.holds is not None:
                limit = f"≤ {ratio.at_most:g}" if ratio.at_most is not None else f"≥ {ratio.at_least:g}"
                kept = limit if ratio.holds else f"{limit}, missed"
                name = f"{case.title}: {ratio.of}"
                spent = "" if ratio.spent is None else f"{ratio.spent:.3g}"
                range_ = f"{ratio.low:.3g} to {ratio.high:.3g}"
                rows.append((name, ratio.to, f"{ratio.median:.3g}", range_, spent, kept))
    return rows


def requests(cases: t.Mapping[str, Case]) -> list[Row]:
    """What the token endpoint was asked."""
    return [
        (f"{case.title}: {name}", str(found.requests), str(found.failed))
        for case in cases.values()
        for name, found in case.contenders.items()
        if found.requests is not None
    ]


def text(cases: t.Mapping[str, Case]) -> str:
    """All of it for a terminal."""
    parts = []
    for case in cases.values():
        parts.append(f"\n{case.title}  ({case.unit}; {_conditions(case)})")
        for name, found in case.contenders.items():
            counted = f"  {found.requests} requests" if found.requests is not None else ""
            failed = f"  {found.failed} hosts failed" if found.failed else ""
            parts.append(f"  {name:32} {found.median:10.4g}{counted}{failed}")
        for ratio in case.ratios:
            kept = {None: "", True: "  as promised", False: "  NOT AS PROMISED"}[ratio.holds]
            spent = "" if ratio.spent is None else f"; of processor time {ratio.spent:.3g}"
            range_ = f"({ratio.low:.3g} to {ratio.high:.3g}{spent})"
            parts.append(f"  {ratio.of} / {ratio.to}: {ratio.median:.3g} {range_}{kept}")
    return "\n".join(parts)


def pictures(cases: t.Mapping[str, Case]) -> dict[str, str]:
    """The plots by name; those only for which there are results."""
    drawn = {"hosts": _hosts(cases), "floors": _floors(cases), "single-token": _single(cases)}
    return {name: picture for name, picture in drawn.items() if picture}


def _hosts(cases: t.Mapping[str, Case]) -> str:
    kinds = {
        "uri POST on each host": "hand",
        "uri POST once, set_fact": "other",
        "module, first task": "ours",
        "empty action": "floor",
    }
    found = [case for name, case in cases.items() if name.startswith("hosts_")]
    forks = max((case.conditions["forks"] for case in found), default=0)
    found = [case for case in found if case.conditions["forks"] == forks]
    its_lines = []
    for name, kind in kinds.items():
        points = [
            (case.conditions["hosts"], case.contenders[name].median * case.conditions["hosts"] / 1000)
            for case in found
            if name in case.contenders
        ]
        its_lines.append(charts.Line(name, tuple(points), kind))
    if not found:
        return ""
    title = "Until every host has a token"
    description = "; ".join(
        f"{line.name}: " + ", ".join(f"{y:.3g} s for {x:g} hosts" for x, y in line.points) for line in its_lines
    )
    return charts.lines(title, description, its_lines, f"hosts, {forks} forks", "seconds for the task")


def _floors(cases: t.Mapping[str, Case]) -> str:
    groups: dict[str, list[charts.Bar]] = {}
    for name in ("task", "task_vault", "lookup_vault", "lookup", "lookup_after_task", "call"):
        if case := cases.get(name):
            *floors, ours = (
                charts.Bar(contender, found.median, f"{found.median:.3g} ms", "floor")
                for contender, found in case.contenders.items()
            )
            text = f"{ours.text}, ratio {case.ratios[0].median:.3g}"
            bars = [*floors, charts.Bar(ours.name, ours.value, text, "ours")]
            groups[f"{case.title}, {case.conditions['hosts']} hosts"] = bars
    if not groups:
        return ""
    title = "Milliseconds for each host, against the same without the collection"
    said = [
        f"{heading}: " + ", ".join(f"{one.name} {one.text}" for one in its_bars) for heading, its_bars in groups.items()
    ]
    return charts.bars(title, "; ".join(said), groups)


def _single(cases: t.Mapping[str, Case]) -> str:
    groups: dict[str, list[charts.Bar]] = {}
    for state in ("worker", "all"):
        if case := cases.get(f"single_token_{state}"):
            groups[case.title] = [
                charts.Bar(
                    name,
                    found.median,
                    f"{found.median:.3g} ms, {found.requests} request{'s' if found.requests != 1 else ''}",
                    "ours" if name == "collection" else "floor" if name == "requests.post" else "other",
                )
                for name, found in case.contenders.items()
            ]
    if not groups:
        return ""
    said = [
        f"{heading}: " + ", ".join(f"{one.name} {one.text}" for one in its_bars) for heading, its_bars in groups.items()
    ]
    return charts.bars("One new token", "; ".join(said), groups)


def _conditions(case: Case) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in case.conditions.items())


def _rst_of(case: Case) -> str:
    heading = f"{case.title}\n{'~' * len(case.title)}\n\nIn {case.unit}; {_conditions(case)}.\n"
    rows: list[Row] = [
        (name, f"{found.median:.4g}", f"{min(found.samples):.4g} to {max(found.samples):.4g}", _count(found.requests))
        for name, found in case.contenders.items()
    ]
    return f"{heading}\n{_rst(('contender', 'median', 'range', 'token requests'), rows)}"


def _count(requests: int | None) -> str:
    return "" if requests is None else str(requests)


def _machine(machine: t.Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in machine.items()) + "."


def _rst(head: Row, rows: t.Iterable[Row]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        lines += [f"   {'* -' if not number else '  -'} {cell}".rstrip() for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def _filled(document: str, tables: t.Mapping[str, str], mark: str) -> str:
    """The document with each table between its two marks."""
    for name, table in tables.items():
        begin, end = (re.escape(mark.format(word, name)) for word in ("begin", "end"))
        pattern = re.compile(rf"({begin}\n\n).*?(\n{end}\n)", re.DOTALL)
        if not pattern.search(document):
            raise LookupError(f"no place for the table {name}")
        document = pattern.sub(lambda match, table=table: match[1] + table + match[2], document)
    return document
