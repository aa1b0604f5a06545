# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arithmetic of the benchmarks, and that documents show what was measured."""

from __future__ import annotations

import ast
import importlib
import json
import re
import typing as t

import pytest

from benchmarks import charts, report
from benchmarks.figures import Case, Measured, ratio
from benchmarks.harness import ROOT, in_turn, read_laps

if t.TYPE_CHECKING:
    from pathlib import Path

_COLLECTION = "ansible_collections.entra.auth."
_RESULTS = ROOT / "benchmarks/results.json"


def case(*ours: float, **promise: float) -> Case:
    """Two contenders; the floor is 10, 20, 40 in its rounds."""
    found = {
        "floor": Measured((10, 20, 40), spent=(1, 1, 1)),
        "ours": Measured(ours, requests=1, spent=(1.5, 1.5, 2)),
    }
    return Case("name", "Title", "ms per host", {"hosts": 3}, found, (ratio(found, "ours", "floor", **promise),))


def test_a_ratio_compares_within_rounds() -> None:
    """A machine that gets slower from round to round does not matter."""
    found = case(11, 22, 44).ratios[0]
    assert (found.median, found.low, found.high) == (1.1, 1.1, 1.1)


def test_a_ratio_is_the_middle_one() -> None:
    """One disturbed round does not decide."""
    found = case(11, 24, 400).ratios[0]
    assert (found.median, found.low, found.high, found.spent) == (1.2, 1.1, 10, 1.5)


@pytest.mark.parametrize(
    ("promise", "holds"),
    [
        ({}, None),
        ({"at_most": 1.2}, True),
        ({"at_most": 1.19}, False),
        ({"at_least": 1.2}, True),
        ({"at_least": 1.21}, False),
    ],
)
def test_a_promise_is_kept_or_not(promise: dict[str, float], holds: bool | None) -> None:
    """By the median."""
    assert case(11, 24, 400, **promise).ratios[0].holds is holds


def test_results_survive_their_file() -> None:
    """What was kept is what was measured."""
    kept = case(11, 24, 400, at_most=1.15)
    assert Case.from_dict(json.loads(json.dumps(kept.as_dict()))) == kept


def test_contenders_take_turns() -> None:
    """After a warm-up, each second round backwards."""
    tasks = in_turn({"a": [{"x": 1}, {"y": 1}], "b": [{"z": 1}]}, 2)
    names = [task.get("name", "") for task in tasks]
    assert names == [
        *("lap warm-up of a", "", "lap warm-up of b"),
        *("lap a", "", "lap b"),
        *("lap b", "lap a", ""),
    ]


def test_a_lap_lasts_until_the_next_begins(tmp_path: Path) -> None:
    """With all tasks in it that have names of their own; a failure counts for its lap."""
    lines: list[dict[str, t.Any]] = [
        {"task": "before", "at": 1, "times": [0, 0]},
        {"task": "lap a", "at": 2, "times": [1, 1]},
        {"task": "Get the token", "at": 3, "times": [2, 1]},
        {"failed": "why", "at": 4, "times": [2, 2]},
        {"task": "lap b", "at": 7, "times": [3, 6]},
        {"task": "lap a", "at": 8, "times": [3, 7]},
        {"task": "", "at": 10, "times": [4, 7]},
    ]
    file = tmp_path / "laps"
    file.write_text("\n".join(map(json.dumps, lines)))
    laps, failed = read_laps(file)
    assert {name: laps[name] for name in "ab"} == {"a": [(5, 7), (2, 1)], "b": [(1, 1)]}
    assert (failed["a"], failed["b"]) == (1, 0)


def test_a_missed_promise_is_shown() -> None:
    """In the terminal and in the guide."""
    cases = {"name": case(11, 24, 400, at_most=1.15)}
    assert "NOT AS PROMISED" in report.text(cases)
    expected = "**1.2** (limit ≤ 1.15, missed): ours ÷ floor; range 1.1 to 10, processor time 1.5"
    assert report.promises(cases) == [("Title", expected)]


def test_the_guide_counts_requests_and_failed_hosts() -> None:
    """Of the contenders whose requests were counted."""
    found = {"ours": Measured((1,), requests=1), "uri": Measured((2,), requests=100, failed=3), "floor": Measured((1,))}
    cases = {"name": Case("name", "Title", "ms", {}, found), "other": Case("other", "Other", "ms", {}, {})}
    assert report.requests(cases) == [("Title", "ours: 1; uri: 100 (3 hosts failed)")]


def test_the_guide_has_the_medians_and_their_conditions() -> None:
    """With no table, so that nothing scrolls sideways on a phone."""
    assert report.medians({"name": case(11, 24, 400)}) == [("Title", "floor: 20; ours: 24 (ms per host; hosts 3)")]


def test_results_are_of_cases_that_exist() -> None:
    """A result that no benchmark writes again would stay on the page for ever."""
    tree = ast.parse((ROOT / "benchmarks/cases.py").read_text())
    patterns = {
        "".join(part.value if isinstance(part, ast.Constant) else ".*" for part in node.values)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
    }
    names = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    for found in json.loads(_RESULTS.read_text())["cases"]:
        name = found["name"]
        assert name in names or any(re.fullmatch(one, name) for one in patterns if "_" in one and " " not in one), name


def test_names_of_lines_do_not_cover_each_other() -> None:
    """Also if the lines end at the same place."""
    same = [charts.Line(name, ((1, 1.0), (10, 5.0)), "ours") for name in ("one", "two")]
    picture = charts.lines("Title", "Description", same, "hosts", "seconds")
    first, second = (float(line.split('y="')[1].split('"')[0]) for line in picture.splitlines() if ": 5 s" in line)
    assert second - first >= 19


def test_a_plot_can_be_read_on_a_phone() -> None:
    """Where it is shown 390 pixels wide, letters are at least 11 pixels high, and none leaves the picture."""
    contender = charts.Bar("a contender", 3, "3 ms, ratio 1.08", "ours")
    picture = charts.bars(
        "A title that is much longer than one line of it has room for", "", {"a heading " * 9: [contender]}
    )
    width = int(re.findall(r'viewBox="0 0 (\d+)', picture)[0])
    assert min(map(int, re.findall(r"font-size: (\d+)px", picture))) * 390 / width >= 11
    longest = max(len(text) for text in re.findall(r"<text[^>]*>([^<]*)<", picture))
    assert longest * 8 + 20 <= width


def test_documents_show_the_results() -> None:
    """Guide and plots are those that the results file gives; make bench-full writes all of them."""
    for path, content in report.documents(ROOT, json.loads(_RESULTS.read_text())).items():
        assert path.read_text() == content, path


def list_imports(source: str) -> t.Iterator[ast.ImportFrom]:
    """What a source imports of the collection, programs in its texts included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(_COLLECTION):
            yield node
        elif isinstance(node, ast.Constant) and f"\nfrom {_COLLECTION}" in str(node.value):
            yield from list_imports(str(node.value))


@pytest.mark.parametrize("name", ["api_request.py", "programs/cold.py"])
def test_a_benchmark_imports_what_the_collection_has(name: str) -> None:
    found = list(list_imports((ROOT / "benchmarks" / name).read_text(encoding="utf-8")))
    assert found
    for node in found:
        module = importlib.import_module(str(node.module))
        assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []
