# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-in for the get-pip.py that ansible-test would download.

The pip wheel that the interpreter carries installs the pip version that ansible-test asks for.
"""

from __future__ import annotations

import ensurepip
import pathlib
import runpy
import sys

FOLDERS = (
    pathlib.Path(ensurepip.__file__).parent / "_bundled",
    pathlib.Path("/usr/share/python-wheels"),  # where distributions keep it
)

sys.path.insert(0, next(str(wheel) for folder in FOLDERS for wheel in folder.glob("pip-*.whl")))
sys.argv[1:] = ["install", "--quiet"] + [arg for arg in sys.argv[1:] if arg not in ("--no-setuptools", "--no-wheel")]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
