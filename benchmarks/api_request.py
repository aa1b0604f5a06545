# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m benchmarks.api_request``: a listing of 1,000 pages by the ways there are to get it, taken in turn.

In a process of its own each: the module's own code, with and without ``dest``, and a bare loop over a session of
requests that does no more than follow links and collect items. As plays: the module, and a file of tasks that includes
itself for each page with ``ansible.builtin.uri``, over fewer pages, because that is what patience allows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from entra_emulator.client import Emulator
from plays import Plays

ROOT: t.Final = Path(__file__).resolve().parents[1]
_PAGE_SIZE: t.Final = 100


# What every program ends with: seconds and CPU seconds for the listing, kilobytes of memory at the peak, before it
# began, and afterwards with all items at hand, and how many items there were.
_MEASURED: t.Final = """
import gc, json, resource, sys, time

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def measured(work):
    gc.collect()
    before, began, cpu = resident(), time.perf_counter(), time.process_time()
    items = work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    top = peak()
    gc.collect()
    print(json.dumps({"seconds": seconds, "cpu": cpu, "before": before, "after": resident(), "peak": top,
                      "items": items if isinstance(items, int) else len(items)}))
"""

_BARE: t.Final = """
import os, requests

url, token = sys.argv[1:3]

def open_session():
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    return session

def work():
    # Opened here, because each task of the module opens one too.
    session, items, link = open_session(), [], url
    while link:
        response = session.get(link, timeout=30)
        response.raise_for_status()
        page = response.json()
        items += page["value"]
        link = page.get("@odata.nextLink")
    return items

open_session().get(url, timeout=30).json()
measured(work)
"""

_OURS: t.Final = """
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import parse_api_request_options
from ansible_collections.entra.auth.plugins.plugin_utils._api.call import TaskContext, execute
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import resolve_options
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly

class Silent:
    verbosity = 0
    def display(self, msg, **options): pass
    v = vv = warning = display

def call(arguments):
    options = resolve_options({}, {}, str)
    run = TaskContext(Silent(), CachedTokensOnly({}), check_mode=False, diff_mode=False, find_file=str)
    return execute(parse_api_request_options(arguments), options, run)

url, dest = sys.argv[1], sys.argv[3]
more = {"dest": dest} if dest else {}
call({"url": url, "max_items": 1})
measured(lambda: (lambda result: result["count"] if dest else result["value"])(call({"url": url, **more})))
"""

# What people write: the first page, and the same file again for as long as there is a link.
_RECURSION: t.Final = """
- name: Ask for a page
  ansible.builtin.uri:
    url: "{{ link }}"
  register: page
- name: Add its items
  ansible.builtin.set_fact:
    users: "{{ users | default([]) + page.json.value }}"
- name: Go on
  when: "'@odata.nextLink' in page.json"
  ansible.builtin.include_tasks: page.yml
  vars:
    link: "{{ page.json['@odata.nextLink'] }}"
"""


class Bench:
    """Programs and plays against one emulator."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        self._emulator = emulator
        self._directory = directory
        self._plays = Plays(directory, emulator)
        self.url = f"{emulator.urls.api}/v1.0/users"

    def program(self, name: str) -> dict[str, float]:
        """One run of ``bare``, ``api_request`` or ``api_request dest``."""
        source = _MEASURED + (_BARE if name == "bare" else _OURS)
        dest = str(self._directory / "users.jsonl") if name.endswith("dest") else ""
        done = subprocess.run(
            [sys.executable, "-c", source, self.url, self._token(), dest],
            env={**self._plays.environment(), "PYTHONPATH": str(ROOT / ".build")},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        return t.cast("dict[str, float]", json.loads(done.stdout.splitlines()[-1]))

    def play(self, task: dict[str, t.Any], **variables: t.Any) -> float:
        """Seconds of a play with one task, or with one that goes on including itself."""
        began = time.perf_counter()
        done = self._plays.run([{"tasks": [task]}], **variables)
        if done.returncode:
            raise SystemExit(done.output)
        return time.perf_counter() - began

    def recursion(self) -> float:
        """Seconds of the recursion over ``uri``."""
        (self._directory / "page.yml").write_text(_RECURSION)
        defaults = {"ansible.builtin.uri": "{{ lookup('entra.auth.app_token', output='uri') }}"}
        include = {"ansible.builtin.include_tasks": "page.yml", "vars": {"link": self.url}}
        return self.play({"block": [include], "module_defaults": defaults})

    def connections(self) -> int:
        """Over how many connections the API was asked since the log was emptied."""
        return len({entry["connection"] for entry in self._emulator.requests(listener="api")})

    def _token(self) -> str:
        play = self._plays.run(
            [{"tasks": [{"ansible.builtin.copy": {"content": "{{ lookup('entra.auth.app_token') }}", "dest": "t"}}]}]
        )
        if play.returncode:
            raise SystemExit(play.output)
        return (self._directory / "t").read_text()


def main() -> int:
    """Measure and say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api_request", description=__doc__)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recursion-pages", type=int, default=100)
    given = parser.parse_args()
    os.environ.pop("REQUESTS_CA_BUNDLE", None)
    with tempfile.TemporaryDirectory() as directory, Emulator(users=given.pages * _PAGE_SIZE) as emulator:
        bench = Bench(emulator, Path(directory))
        _programs(bench, emulator, given.rounds)
        if given.recursion_pages:
            _as_plays(bench, emulator, given.recursion_pages)
    return 0


def _programs(bench: Bench, emulator: Emulator, rounds: int) -> None:
    names = ("bare", "api_request", "api_request dest")
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    connections: dict[str, int] = {}
    for number in range(rounds):
        for name in names[:: 1 if number % 2 else -1]:
            emulator.forget_requests()
            runs[name].append(bench.program(name))
            connections[name] = bench.connections()
    bare = runs["bare"]
    for name in names:
        middle = {key: statistics.median(run[key] for run in runs[name]) for key in bare[0]}
        size = statistics.median(run["after"] - run["before"] for run in runs["api_request"])
        peak = middle["peak"] - middle["before"]
        print(
            f"{name:18} {middle['items']:7.0f} items",
            f"{middle['seconds']:6.2f} s {_compare(runs[name], bare, 'seconds')}",
            f"{middle['cpu']:6.2f} s CPU {_compare(runs[name], bare, 'cpu')}",
            f"peak {peak / 1024:6.1f} MB above the start (x {peak / size:.2f} of the result's {size / 1024:.1f} MB)",
            f"{connections[name]} connections",
            flush=True,
        )


def _compare(ours: list[dict[str, float]], theirs: list[dict[str, float]], what: str) -> str:
    """Return the median of the ratios of the rounds, with the least and the greatest."""
    ratios = [mine[what] / other[what] for mine, other in zip(ours, theirs, strict=True)]
    return f"(x {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f})"


def _as_plays(bench: Bench, emulator: Emulator, pages: int) -> None:
    emulator.configure(users=pages * _PAGE_SIZE)
    module = bench.play({"entra.auth.api_request": {"url": bench.url}, "register": "users"})
    recursion = bench.recursion()
    print(f"plays, {pages} pages: api_request {module:.2f} s, recursion over uri {recursion:.2f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
