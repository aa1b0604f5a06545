# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One play of many api_request tasks, each with faults of its own: what was returned, and what went over the wire."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import parse_qs

import pytest

from entra_emulator import seed
from plays import Plays

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from entra_emulator.client import Emulator
    from plays import Play

Task = dict[str, t.Any]
Entry = dict[str, t.Any]

OPERATOR: t.Final = {
    "app_token_client_id": seed.OPERATOR,
    "app_token_client_secret": "made-up~secret-of-operator",
    "app_token_tenant_id": seed.CONTOSO.id,
}


class ApiCalls:
    """A play to be: each case is a task whose requests carry its name in their query, as do its faults."""

    def __init__(self, emulator: Emulator, plays: Plays) -> None:
        self.emulator = emulator
        self.plays = plays
        self.tasks: list[Task] = []
        self._log: list[Entry] = []
        self.play: Play

    def add(self, name: str, *faults: Task, keywords: Task | None = None, **arguments: t.Any) -> None:
        """Add a task; a fault is the arguments of ``Emulator.fault``, for this case's requests alone."""
        assert re.fullmatch(r"\w+", name)
        for fault in faults:
            self.emulator.fault(**{"endpoint": "api", "match": f"case={name}(&|$)", **fault})
        marked = {**arguments, "query": {**arguments.get("query", {}), "case": name}}
        self.add_task(name, {"entra.auth.api_request": marked, **(keywords or {})})

    def add_task(self, name: str, task: Task) -> None:
        """Add a task as it is; its failure does not end the play."""
        self.tasks.append({"name": name, "ignore_errors": True, **task})

    def add_settings(self, **settings: t.Any) -> None:
        """Add a task that changes the emulator's settings in the middle of the play."""
        url = "{{ lookup('env', 'ENTRA_EMULATOR_CONTROL') }}/settings"
        request = {"url": url, "method": "PATCH", "body": settings, "body_format": "json"}
        self.tasks.append({"name": "Settings", "ansible.builtin.uri": request})

    def run(self, *arguments: str, env: dict[str, str | None] | None = None, **variables: t.Any) -> None:
        """Run it; the log is kept, so that other tests may empty the emulator's."""
        known = {**OPERATOR, **variables}
        self.play = self.plays.run([{"tasks": self.tasks}], *arguments, record=True, env=env, **known)
        assert self.play.events(), self.play.output
        self._log = self.emulator.requests()
        assert self.emulator.tokens_at_strangers() == []

    def get_result(self, name: str) -> Task:
        """What the task of a case returned."""
        return self.play.result(name)

    def get_success(self, name: str) -> Task:
        """The same, of a task that must not have failed."""
        assert self._event(name) == "ok", self.get_result(name)
        return self.get_result(name)

    def get_failure(self, name: str) -> str:
        """What the task of a case said as it failed, in one line and with its fix."""
        result = self.get_result(name)
        assert self._event(name) == "failed", result
        assert "Traceback" not in self.play.output
        assert "To fix it: " in result["msg"]
        assert "\n" not in result["msg"]
        return str(result["msg"])

    def _event(self, name: str) -> str:
        return str(next(event["event"] for event in self.play.events() if event["task"] == name))

    def list_requests(self, name: str, *, method: str = "") -> list[Entry]:
        """The requests of a case at any listener, in order."""
        return [e for e in self._log if parse_qs(e["query"]).get("case") == [name] and e["method"].startswith(method)]

    def list_statuses(self, name: str) -> list[int | None]:
        """How the requests of a case were answered."""
        return [entry["status"] for entry in self.list_requests(name)]

    def filter_log(self, **facts: t.Any) -> list[Entry]:
        """The requests of the whole play with these facts."""
        return [entry for entry in self._log if all(entry[name] == value for name, value in facts.items())]


@pytest.fixture(scope="module")
def new_calls(running_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], ApiCalls]:
    """Makes a calls at an emulator that is as at its start."""

    def make() -> ApiCalls:
        running_emulator.reset()
        return ApiCalls(running_emulator, Plays(tmp_path_factory.mktemp("calls"), running_emulator))

    return make
