# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action runs the module as Ansible does, and never as a job, which would keep the token on the host."""

from __future__ import annotations

import typing as t

from action_plugins import build_action

NAME: t.Final = "entra.auth.managed_identity_token"
ARGUMENTS: t.Final = {"resource": "https://graph.microsoft.com"}


def build_recording_action(**keywords: t.Any) -> tuple[t.Any, list[dict[str, t.Any]]]:
    """Return the action, and the settings with which it has run the module."""
    plugin = build_action(NAME, ARGUMENTS, **keywords)
    plugin._connection.has_native_async = False
    plugin._remove_tmp_path = lambda _path: None
    runs: list[dict[str, t.Any]] = []

    def run(**settings: t.Any) -> dict[str, t.Any]:
        runs.append(settings)
        return {"token": {"lifetime": 1}}

    plugin._execute_module = run
    return plugin, runs


def test_the_module_runs_on_the_host() -> None:
    plugin, runs = build_recording_action()
    assert plugin.run(task_vars={})["token"] == {"lifetime": 1}
    assert not runs[0].get("wrap_async")


def test_async_is_refused_before_the_module_runs() -> None:
    plugin, runs = build_recording_action(async_val=20)
    result = plugin.run(task_vars={})
    assert result["failed"] is True
    assert result["msg"].startswith("managed_identity_token does not support async")
    assert result["hint"].startswith("Remove async")
    assert runs == []
