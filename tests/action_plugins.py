# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugins outside of a play: with as much of a task and a connection as they read."""

from __future__ import annotations

import types
import typing as t

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import action_loader
from ansible.template import Templar


def build_connection(**more: t.Any) -> types.SimpleNamespace:
    """A connection that nothing runs on."""
    return types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir=None), **more)


def build_task(name: str, arguments: dict[str, t.Any], **keywords: t.Any) -> types.SimpleNamespace:
    """A task with these arguments; ``keywords`` as in a play."""
    defaults = {
        "async_val": 0, "check_mode": False, "diff": False, "no_log": None, "collections": [], "environment": None,
        "delegate_to": None, "become": False, "loop": None, "_role": None,
    }  # fmt: skip
    return types.SimpleNamespace(args=arguments, action=name, **{**defaults, **keywords})


def action_settings(name: str, arguments: dict[str, t.Any], **keywords: t.Any) -> dict[str, t.Any]:
    """All that an action plugin is created with."""
    loader = DataLoader()
    return {
        "task": build_task(name, arguments, **keywords),
        "connection": build_connection(),
        "play_context": types.SimpleNamespace(no_log=None, check_mode=False),
        "loader": loader,
        "templar": Templar(loader=loader, variables={}),
        "shared_loader_obj": None,
    }


def build_action(name: str, /, arguments: dict[str, t.Any], **keywords: t.Any) -> t.Any:
    """The action plugin of a name for a task with these arguments."""
    return action_loader.get(name, **action_settings(name, arguments, **keywords))
