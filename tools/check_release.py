# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold that the version in galaxy.yml is ready to be released: changelog, fragments and ``version_added`` agree."""

from __future__ import annotations

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
ADDED = re.compile(r"^\s*version_added: [\"']?([0-9.]+)[\"']?$", re.MULTILINE)


def read_yaml(path: str) -> dict[str, object]:
    """Return the mapping in a YAML file of the repository."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def find_problems() -> list[str]:
    """Return a sentence for each thing that has to be done before the release."""
    version = str(read_yaml("galaxy.yml")["version"])
    problems = []
    if version not in read_yaml("changelogs/changelog.yaml").get("releases", {}):
        problems.append(f"changelogs/changelog.yaml has no release {version}: run antsibull-changelog release.")
    if fragments := sorted(path.name for path in (ROOT / "changelogs/fragments").glob("*.y*ml")):
        problems.append(f"These fragments are not released: {', '.join(fragments)}.")
    for name in ("CHANGELOG.md", "CHANGELOG.rst"):
        # antsibull-changelog escapes punctuation in Markdown.
        if version not in (ROOT / name).read_text(encoding="utf-8").replace("\\", ""):
            problems.append(f"{name} does not name {version}.")
    return problems + find_future_additions(version)


def find_future_additions(version: str) -> list[str]:
    """Return a sentence for each file with a ``version_added`` that is later than the release."""
    problems = []
    for folder in ("plugins", "roles"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".yml"):
                added = ADDED.findall(path.read_text(encoding="utf-8"))
                if any(to_numbers(one) > to_numbers(version) for one in added):
                    problems.append(f"{path.relative_to(ROOT)} has a version_added after {version}.")
    return problems


def to_numbers(version: str) -> list[int]:
    """Return a version as numbers that compare."""
    return [int(part) for part in version.split(".")]


def main() -> int:
    """Print the problems; the exit status is their number."""
    problems = find_problems()
    print("\n".join(problems) or "Version, changelog and version_added agree.")
    return len(problems)


if __name__ == "__main__":
    sys.exit(main())
