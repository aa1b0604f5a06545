# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From results to what people read: a table in the terminal, lists in the guide, and the plots."""

from __future__ import annotations

import re
import typing as t

from benchmarks import charts
from benchmarks.figures import Case

if t.TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.figures import Measured, Ratio

Results = t.Mapping[str, t.Any]
Entry = tuple[str, str]

_GUIDE: t.Final = "docs/docsite/rst/guide_benchmarks.rst"
_IMAGES: t.Final = "docs/images"
_MARK: t.Final = ".. {} {}"


def documents(root: Path, results: Results) -> dict[Path, str]:
    """Return every file that shows results, with the content that it must have."""
    cases = {kept["name"]: Case.from_dict(kept) for kept in results["cases"]}
    guide = root / _GUIDE
    lists = {
        "promises": _define(promises(cases)),
        "requests": _define(requests(cases)),
        "cases": _define(medians(cases)),
        "machine": _machine(results["machine"]) + "\n",
    }
    return {
        guide: _fill(guide.read_text(), lists),
        **{root / _IMAGES / f"benchmark-{name}.svg": picture for name, picture in pictures(cases).items()},
    }


def promises(cases: t.Mapping[str, Case]) -> list[Entry]:
    """Return each limit: its title, and the ratio with its limit, range and processor time."""
    found = []
    for case in cases.values():
        limited = [ratio for ratio in case.ratios if ratio.holds is not None]
        titles = [case.title] if len(limited) == 1 else [f"{case.title}: {ratio.of}" for ratio in limited]
        found += [(title, _describe_promise(ratio)) for title, ratio in zip(titles, limited, strict=True)]
    return found


def _describe_promise(ratio: Ratio) -> str:
    sign, limit = ("≤", ratio.at_most) if ratio.at_most is not None else ("≥", ratio.at_least)
    missed = "" if ratio.holds else ", missed"
    spent = "" if ratio.spent is None else f", processor time {ratio.spent:.3g}"
    measured = f"range {ratio.low:.3g} to {ratio.high:.3g}{spent}"
    return f"**{ratio.median:.3g}** (limit {sign} {limit:g}{missed}): {ratio.of} ÷ {ratio.to}; {measured}"


def requests(cases: t.Mapping[str, Case]) -> list[Entry]:
    """Return each case with counted token requests: its title, and the requests of each contender."""
    found = []
    for case in cases.values():
        counted = [_describe_requests(name, one) for name, one in case.contenders.items() if one.requests is not None]
        if counted:
            found.append((case.title, "; ".join(counted)))
    return found


def _describe_requests(name: str, found: Measured) -> str:
    failed = f" ({found.failed} hosts failed)" if found.failed else ""
    return f"{name}: {found.requests}{failed}"


def medians(cases: t.Mapping[str, Case]) -> list[Entry]:
    """Return each case: its title, its unit and conditions, and the median of each contender."""
    found = []
    for case in cases.values():
        measured = "; ".join(f"{name}: {one.median:.4g}" for name, one in case.contenders.items())
        found.append((case.title, f"{measured} ({case.unit}; {_conditions(case)})"))
    return found


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
    shown = {name: value for name, value in case.conditions.items() if not isinstance(value, dict)}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items())


def _machine(machine: t.Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in machine.items()) + "."


def _define(entries: t.Iterable[Entry]) -> str:
    """Format a definition list: unlike a table, it never scrolls sideways on a narrow screen."""
    return "\n".join(f"{term}\n   {definition}\n" for term, definition in entries)


def _fill(document: str, lists: t.Mapping[str, str]) -> str:
    """Return the document with each list between its two marks."""
    for name, content in lists.items():
        begin, end = (re.escape(_MARK.format(word, name)) for word in ("begin", "end"))
        pattern = re.compile(rf"({begin}\n\n).*?(\n{end}\n)", re.DOTALL)
        if not pattern.search(document):
            raise LookupError(f"no place for the list {name}")
        document = pattern.sub(lambda match, content=content: match[1] + content + match[2], document)
    return document
