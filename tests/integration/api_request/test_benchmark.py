# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark of listings can be run: it calls the module's code without a play, so no play would tell."""

from __future__ import annotations

import os
import subprocess
import sys

from plays import ROOT

PAGES = 3


def test_each_way_gets_all_items() -> None:
    arguments = [f"--pages={PAGES}", "--rounds=1", f"--recursion-pages={PAGES}"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.api_request", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    *programs, plays = done.stdout.splitlines()
    assert [line.split(" items")[0].rsplit(maxsplit=1) for line in programs] == [
        ["bare", "300"],
        ["api_request", "300"],
        ["api_request dest", "300"],
    ]
    assert plays.startswith("plays, 3 pages: api_request ")
