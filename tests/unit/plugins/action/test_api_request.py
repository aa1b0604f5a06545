# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action returns the response, or a failure with a status, and hides the result if it is told to."""

from __future__ import annotations

import json
import pickle
import typing as t

import pytest
from action_plugins import build_action
from canned_server import CannedServer, answer, json_answer

if t.TYPE_CHECKING:
    import pathlib

Options = dict[str, t.Any]
Result = dict[str, t.Any]
PERSONAL: t.Final = json_answer(200, {"displayName": "Ann"})
BATCH: t.Final = json_answer(200, {"responses": [{"id": "1", "status": 404, "body": {"name": "Ann"}}]})


class Runner(t.Protocol):
    """Runs the action against a server."""

    def __call__(self, server: CannedServer, keywords: Options | None = None, **arguments: t.Any) -> Result:
        """Return the result of the task."""


@pytest.fixture
def run(reader: Options) -> Runner:
    def run(server: CannedServer, keywords: Options | None = None, **arguments: t.Any) -> Result:
        options = {"url": "/v1.0/things", **reader, "api_base_url": server.url, **arguments}
        action = build_action("entra.auth.api_request", options, **(keywords or {}))
        result: Result = action.run(task_vars={"inventory_hostname": "h001"})
        return result

    return run


def test_a_response_is_shown(run: Runner) -> None:
    with CannedServer(PERSONAL) as server:
        result = run(server)
    assert (result["result"], result["status"], result["changed"]) == ({"displayName": "Ann"}, 200, False)
    assert "_ansible_no_log" not in result


@pytest.mark.parametrize("value", [True, "yes", "true"])
def test_a_hidden_result_is_whole_for_register(run: Runner, value: t.Any) -> None:
    with CannedServer(PERSONAL) as server:
        result = run(server, hide_result=value)
    assert result["_ansible_no_log"] is True
    assert result["result"] == {"displayName": "Ann"}


def test_the_responses_of_a_failed_batch_are_hidden_too(run: Runner) -> None:
    with CannedServer(BATCH) as server:
        result = run(server, url=None, requests=[{"url": "/users/ann"}], hide_result=True)
    assert (result["failed"], result["_ansible_no_log"], result["responses"][0]["status"]) == (True, True, 404)


def test_a_failure_without_a_response_of_an_api_is_not_hidden(run: Runner) -> None:
    with CannedServer(json_answer(403, {"error": {"code": "Denied"}})) as server:
        result = run(server, hide_result=True)
    assert "_ansible_no_log" not in result
    assert "Denied" in result["msg"]


def test_a_hide_result_that_can_not_be_read_hides_nothing_but_fails(run: Runner) -> None:
    with CannedServer(PERSONAL) as server:
        result = run(server, hide_result="perhaps")
    assert "hide_result" in result["msg"]
    assert server.received == []


@pytest.mark.parametrize(
    ("response", "arguments", "status"),
    [
        (json_answer(404, {}), {}, 404),
        (answer(200, "<p>", Content_Type="text/html"), {}, 200),
        (json_answer(200, {"value": [], "nextLink": 5}), {}, 200),
        (b"", {"retry_for": 0}, -1),
        (PERSONAL, {"url": "/v1.0/a b"}, -1),
        (PERSONAL, {"client_secret": "wrong"}, -1),
        (PERSONAL, {"metod": "GET"}, -1),
        (BATCH, {"url": None, "requests": [{"url": "/x"}]}, 404),
    ],
)
def test_every_failure_has_a_status(run: Runner, response: bytes, arguments: Options, status: int) -> None:
    with CannedServer(response) as server:
        result = run(server, **arguments)
    assert (result["failed"], result["status"]) == (True, status)
    assert "To fix it: " in result["msg"]


def test_a_token_from_elsewhere_leaves_the_process_as_a_mask(reader: Options) -> None:
    action = build_action("entra.auth.api_request", {**reader, "url": "https://x.example/", "access_token": "a.b.c"})
    action.run(task_vars={"inventory_hostname": "h001"})
    assert b"a.b.c" not in pickle.dumps(action._task.args)


def test_a_source_that_is_not_there_is_named(run: Runner, tmp_path: pathlib.Path) -> None:
    with CannedServer(PERSONAL) as server:
        result = run(server, {"get_search_path": list}, method="PUT", src="absent.bin")
    assert "src absent.bin was not found" in result["msg"]
    assert (result["status"], server.received) == (-1, [])


def test_async_is_refused(run: Runner) -> None:
    with CannedServer(PERSONAL) as server:
        result = run(server, {"async_val": 10})
    assert "does not support async" in result["msg"]
    assert "wait" in result["hint"]
    assert json.dumps(result)
