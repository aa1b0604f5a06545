# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints the execution environment of extensions/awx/execution-environment.yml with another base and the artifact.

The collection comes from a file in place of Galaxy, since what is tested is what is here, not what was released.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

import yaml

SHIPPED = pathlib.Path("extensions/awx/execution-environment.yml")


def main() -> None:
    """Write the definition to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="the base image")
    parser.add_argument("--artifact", required=True, type=pathlib.Path, help="the collection's tarball")
    parser.add_argument("--package-manager", help="the base's, where it is not the one of Fedora and Red Hat")
    asked = parser.parse_args()
    definition = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    definition["images"]["base_image"]["name"] = asked.base
    (collection,) = definition["dependencies"]["galaxy"]["collections"]
    collection.update(name=f"/build/collections/{asked.artifact.name}", type="file")
    definition["additional_build_files"] = [{"src": str(asked.artifact), "dest": "collections"}]
    if asked.package_manager:
        definition["options"] = {"package_manager_path": asked.package_manager, "skip_pip_install": True}
    yaml.safe_dump(definition, sys.stdout)


if __name__ == "__main__":
    main()
