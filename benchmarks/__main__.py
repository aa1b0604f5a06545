# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m benchmarks``: measure, store the results, print them."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import typing as t
from pathlib import Path

import yaml

from benchmarks import report
from benchmarks.cases import BENCHMARKS, OPT_IN
from benchmarks.figures import Case
from benchmarks.harness import ROOT, Bench
from entra_emulator.client import Emulator

_RESULTS: t.Final = ROOT / "benchmarks/results.json"
_LIBRARIES: t.Final = ("ansible-core", "requests", "cryptography", "msal", "azure-identity", "ansible")


def main() -> int:
    """Measure the requested cases; other cases in the results file stay as they are."""
    given = _arguments()
    cases, machine = _kept(given.results), _machine()
    with tempfile.TemporaryDirectory() as directory, Emulator() as emulator:
        bench = Bench(emulator, Path(directory), full=given.full)
        for name in given.names or BENCHMARKS:
            for case in {**BENCHMARKS, **OPT_IN}[name](bench):
                cases[case.name] = case
                print(report.text({case.name: case}), flush=True)
    results = {"machine": machine, "cases": [case.as_dict() for case in cases.values()]}
    given.results.parent.mkdir(parents=True, exist_ok=True)
    given.results.write_text(json.dumps(results, indent=1) + "\n")
    if given.results.resolve() == _RESULTS:
        for path, content in report.documents(ROOT, results).items():
            path.write_text(content)
    print(f"\nThe results are in {given.results}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="BENCHMARK",
        choices=[*BENCHMARKS, *OPT_IN],
        help=f"some of {', '.join((*BENCHMARKS, *OPT_IN))}; else all but {', '.join(OPT_IN)}",
    )
    parser.add_argument("--full", action="store_true", help="all hosts and rounds")
    parser.add_argument("--results", type=Path, default=ROOT / ".build/benchmarks.json", help="the file to write")
    return parser.parse_args()


def _kept(file: Path) -> dict[str, Case]:
    kept = json.loads(file.read_text())["cases"] if file.exists() else []
    return {case["name"]: Case.from_dict(case) for case in kept}


def _machine() -> dict[str, str]:
    installed = {found.metadata["Name"]: found.version for found in importlib.metadata.distributions()}
    collection = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    return {
        "entra.auth": collection["version"],
        "measured on": datetime.datetime.now(tz=datetime.timezone.utc).strftime("%Y-%m-%d"),
        "processors": str(os.cpu_count()),
        "load at the start": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: installed[name] for name in _LIBRARIES if name in installed},
    }


if __name__ == "__main__":
    sys.exit(main())
