# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states of operations in the words of the services."""

from __future__ import annotations

import typing as t

import pytest
from api_calls import JSON, build_response, json_with
from hypothesis import given

from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.operation_state import State, is_error, read_state

REQUEST: t.Final = ApiRequest("GET", "https://x/operation")


def read(content: t.Any) -> State | None:
    return read_state(build_response(REQUEST, 200, {}, content))


@pytest.mark.parametrize(
    "word", ["Succeeded", "completed", "SUCCESS", "Done", "CompletedWithWarnings", "Finished", "complete"]
)
def test_these_states_are_a_success(word: str) -> None:
    state = read({"status": word})
    assert state
    assert (state.has_succeeded, state.has_failed, state.is_running) == (True, False, False)


@pytest.mark.parametrize(
    "word",
    ["Failed", "Canceled", "cancelled", "deleteFailed", "ProvisioningFailed", "Error", "UserError", "skipped",
     "TimedOut", "PartiallySucceeded", "Completed with errors", "aborted", "rejected", "expired"],
)  # fmt: skip
def test_these_states_are_a_failure(word: str) -> None:
    state = read({"status": word})
    assert state
    assert (state.has_succeeded, state.has_failed, state.is_running) == (False, True, False)


@pytest.mark.parametrize(
    "word", ["Running", "inProgress", "In Progress", "notStarted", "Accepted", "Updating", "deletePending", "queued"]
)
def test_these_states_go_on(word: str) -> None:
    state = read({"status": word})
    assert state
    assert (state.has_succeeded, state.has_failed, state.is_running) == (False, False, True)


def test_a_provisioning_state_may_be_settled_in_the_words_of_its_provider() -> None:
    settled, status = read({"properties": {"provisioningState": "Ready"}}), read({"status": "Ready"})
    assert settled
    assert status
    assert (settled.has_succeeded, status.has_succeeded) == (True, False)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({"status": "Running", "properties": {"provisioningState": "Succeeded"}}, "Running"),
        ({"status": None, "properties": {"provisioningState": "Updating"}}, "Updating"),
        ({"provisioningState": "Updating"}, "Updating"),
        ({"state": "Running", "percentComplete": 5}, "Running"),
        ({"properties": {"state": "Failed"}, "startTime": "…"}, "Failed"),
    ],
)
def test_a_state_is_found_under_the_names_of_the_services(content: t.Any, word: str) -> None:
    state = read(content)
    assert state
    assert state.word == word


@pytest.mark.parametrize(
    "content",
    [{}, {"status": 5}, {"status": " "}, {"status": {"code": 1}}, {"state": "Ohio"}, {"state": "Running"}, []],
)
def test_other_members_are_no_state(content: t.Any) -> None:
    assert read(content) is None


@pytest.mark.parametrize(
    ("percentage", "progress"),
    [(40.0, ", 40 %"), (0, ", 0 %"), (10**400, ""), (float("nan"), ""), (float("inf"), ""), (True, ""), ("40", "")],
)
def test_a_percentage_is_shown_if_it_is_one(percentage: t.Any, progress: str) -> None:
    state = read({"status": "Running", "percentComplete": percentage})
    assert state
    assert state.progress == progress


def test_the_reason_of_a_failure_is_found_inside_properties_too() -> None:
    state = read({"status": "Failed", "properties": {"error": {"code": "Quota"}}})
    assert state
    assert state.error == {"error": {"code": "Quota"}}


@given(JSON | json_with("status", "properties", "provisioningState", "state", "error", "percentComplete"))
def test_any_document_tells_a_printable_state_or_none(content: t.Any) -> None:
    state = read(content)
    if state:
        assert state.word.isprintable()
        assert len(state.word) <= 60
        assert state.has_succeeded + state.has_failed + state.is_running <= 1


@pytest.mark.parametrize(
    ("content", "running"),
    [
        ({"jobStatus": "Running"}, True),
        ({"operationState": "InProgress"}, True),
        ({"properties": {"executionStatus": "Queued"}}, True),
        ({"job_status": "Failed"}, False),
    ],
)
def test_a_state_may_be_named_after_what_it_is_of(content: t.Any, running: bool) -> None:
    state = read(content)
    assert state
    assert (state.is_running, state.has_failed) == (running, not running)


@pytest.mark.parametrize(
    "content", [{"powerState": "Starting"}, {"jobStatus": "Blue"}, {"jobStatus": 5}, {"shopStatus": "Failed"}]
)
def test_other_states_of_a_resource_are_its_own(content: t.Any) -> None:
    assert read(content) is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"error": {"code": "Bad"}}, True),
        ({"@odata.context": "x", "error": {"message": "boom"}}, True),
        ({"error": {"code": "Bad"}, "status": "Succeeded"}, False),
        ({"error": None}, False),
        ({"error": {}}, False),
        ({"error": "Bad"}, False),
        ([{"error": {"code": "Bad"}}], False),
    ],
)
def test_content_that_is_nothing_but_an_error_is_one(content: t.Any, expected: bool) -> None:
    assert is_error(content) is expected
