# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are ended from outside while they wait for a token: nothing is printed on the way out, nothing stays."""

from __future__ import annotations

import dataclasses
import os
import signal
import typing as t

import pytest
from audit import table
from audit.scenarios import AUTH

from plays import wait_until

if t.TYPE_CHECKING:
    from audit.runs import Audit
    from channels import Channels

    from entra_emulator.client import Emulator


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_an_interrupted_run_leaks_nothing(
    audit: Audit, channels: Channels, emulator: Emulator, ended_by: signal.Signals
) -> None:
    """With tokens in the cache, others on their way, and a module on the target that asks for one."""
    scope = "{{ 'key_vault' if inventory_hostname == 'on_target' else 'arm' }}"
    tasks = [{"name": "First", AUTH: {}}, {"name": "Second", AUTH: {"scope": scope}}]
    playbook = audit.plays.write(
        [{"hosts": "client_secret,refresh_token,on_target", "tasks": tasks}], "interrupted.yml"
    )
    emulator.fault("slow", endpoint="token", seconds=60, times=None, after=2)
    with channels.watching() as watching:
        variables = channels.variables(watching)
        env = audit.environment("ansible.builtin.default")
        with audit.plays.start(playbook, *audit.world.arguments, "-vvvvv", env=env, **variables) as running:
            wait_until(lambda: len(emulator.token_requests()) >= 5)
            # As a terminal does it: to all of the group at once.
            os.killpg(running._process.pid, ended_by)
            play = running.finish()
            # Whom that has not reached goes on by itself for a while.
            emulator.forget_faults()
            running.wait_for_orphans()
    assert play.returncode != 0
    assert any(b"AnsiballZ_managed_identity_token" in arguments for arguments in watching.texts()["arguments"])
    audited = audit.audited(dataclasses.replace(play, stderr=""), watching)
    # What is on its way when the run is killed is in a module's file, as ever, and nobody is left to remove it.
    unfinished = list(audit.plays.home.rglob("AnsiballZ_managed_identity_token.py"))
    leaks = audited.leaks(but=unfinished)
    table.add(f"default, {ended_by.name}", audited, leaks, scenarios=len(tasks))
    assert not leaks, "\n".join(str(leak) for each in leaks.values() for leak in each)
    assert all(path.parent.stat().st_mode & 0o777 == 0o700 for path in unfinished)
