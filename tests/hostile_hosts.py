# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of an attacker: their interpreter gives every module the result that the attacker chooses."""

from __future__ import annotations

import json
import typing as t

if t.TYPE_CHECKING:
    from plays import Plays


def add_hostile_host(plays: Plays, name: str, result: dict[str, t.Any]) -> None:
    """Let the host ``name`` of the next run print ``result`` in place of every module that is to run there."""
    node = plays.directory / f"hostile-python-of-{name}"
    node.write_text(f"#!/bin/sh\ncat > /dev/null\ncat <<'END'\n{json.dumps({'changed': False, **result})}\nEND\n")
    node.chmod(0o755)
    variables = plays.directory / "host_vars"
    variables.mkdir(exist_ok=True)
    (variables / f"{name}.yml").write_text(json.dumps({"ansible_python_interpreter": str(node)}))
