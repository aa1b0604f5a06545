# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An operation that takes its time, in each shape the APIs have, to its result, its failure or the end of patience."""

from __future__ import annotations

import collections
import typing as t

import pytest

from entra_emulator import seed

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import ApiCalls

GROUP: t.Final = f"/subscriptions/{seed.CONTOSO.subscriptions[0].id}/resourceGroups/web"
MACHINES: t.Final = f"{GROUP}/providers/Microsoft.Compute/virtualMachines"
ARM: t.Final = {"scope": "arm", "query": {"api-version": "2024-07-01"}, "wait": True}
BODY: t.Final = {"location": "westeurope", "properties": {"size": "small"}}
STYLES: t.Final = ("azure_async", "location", "both", "provisioning_state", "none")
# How often an operation is seen running. Each poll waits a second, so one case alone has more than one of them.
POLLS: t.Final = 1
MANY_POLLS: t.Final = 3
ENDS: t.Final = {"azure_async": "Failed", "location": "Failed", "provisioning_state": "Canceled"}


@pytest.fixture(scope="module")
def calls(new_calls: Callable[[], ApiCalls]) -> ApiCalls:
    """One play with all cases of this file."""
    calls = new_calls()
    calls.add_settings(operation_polls=MANY_POLLS)
    calls.add("long", url=f"{MACHINES}/m-0", method="PUT", body=BODY, **ARM)
    calls.add_settings(operation_polls=POLLS)
    for style in STYLES:
        machine = f"{MACHINES}/m-{style}"
        calls.add_settings(operation_style=style)
        calls.add(f"put_{style}", url=machine, method="PUT", body=BODY, **ARM)
        calls.add(f"patch_{style}", url=machine, method="PATCH", body={"tags": {"a": "b"}}, **ARM)
        calls.add(f"post_{style}", url=f"{machine}/start", method="POST", **ARM)
        calls.add(f"delete_{style}", url=machine, method="DELETE", **ARM)
        if style == "provisioning_state":
            calls.add(
                "unread",
                {"action": "status", "status": 500, "match": r"GET /subscriptions/.*/m-4\?"},
                url=f"{MACHINES}/m-4",
                method="PUT",
                body=BODY,
                **ARM,
            )
    calls.add_settings(operation_style="azure_async")
    calls.add("impatient", url=f"{MACHINES}/m-1", method="PUT", body=BODY, **{**ARM, "wait": False})
    calls.add_settings(operation_polls=1000, operation_retry_after=2)
    calls.add("too_long", url=f"{MACHINES}/m-2", method="PUT", body=BODY, **ARM, wait_timeout=1)
    calls.add_settings(operation_polls=POLLS, operation_retry_after=0)
    for style, result in ENDS.items():
        calls.add_settings(operation_result=result, operation_style=style)
        calls.add(f"bad_{style}", url=f"{MACHINES}/f-{style}", method="PUT", body=BODY, **ARM)
    calls.add_settings(operation_result="Succeeded", operation_style="azure_async")
    calls.add(
        "astray", {"action": "operation_link", "to": "foreign"}, url=f"{MACHINES}/m-3", method="PUT", body=BODY, **ARM
    )
    calls.add("team", url="/v1.0/teams", method="POST", body={"displayName": "Team"}, wait=True, status_code=[202])
    calls.add("copy", url="/v1.0/drives/d/items/readme.txt/copy", method="POST", body={"name": "copied.txt"}, wait=True)
    calls.run("-v")
    return calls


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_written_resource_is_returned_in_its_final_state(calls: ApiCalls, style: str, method: str) -> None:
    result = calls.get_success(f"{method}_{style}")
    assert result["changed"] is True
    assert result["json"]["properties"]["provisioningState"] == "Succeeded"
    assert result["json"]["name"] == f"m-{style}"
    assert result["json"].get("tags", {}) == ({"a": "b"} if method == "patch" else {})


@pytest.mark.parametrize("style", STYLES)
def test_an_action_and_a_deletion_are_awaited(calls: ApiCalls, style: str) -> None:
    assert calls.get_success(f"post_{style}")["changed"] is True
    assert calls.get_success(f"delete_{style}")["status"] in (200, 204)


def test_each_operation_is_polled_until_it_has_ended(calls: ApiCalls) -> None:
    polls = [
        e
        for e in calls.filter_log(listener="api", method="GET")
        if "/operations/" in e["path"] and "team" not in e["path"]
    ]
    # The long one, the four of each of two styles and the one that failed: each is seen ended once.
    counts = collections.Counter(entry["path"] for entry in polls)
    assert sorted(counts.values()) == [POLLS + 1] * 9 + [MANY_POLLS + 1]
    assert "entra.auth: the operation is InProgress, 50 %" in calls.play.output


def test_without_wait_the_first_response_is_the_result(calls: ApiCalls) -> None:
    assert len(calls.list_requests("impatient")) == 1
    assert calls.get_success("impatient")["json"]["properties"]["provisioningState"] != "Succeeded"


def test_wait_timeout_ends_the_wait(calls: ApiCalls) -> None:
    said = calls.get_failure("too_long")
    assert "has not ended within wait_timeout (1 s); it goes on." in said


def test_a_state_that_can_not_be_read_is_requested_again(calls: ApiCalls) -> None:
    assert calls.get_success("unread")["json"]["properties"]["provisioningState"] == "Succeeded"
    assert 500 in [entry["status"] for entry in calls.filter_log(path=f"{MACHINES}/m-4")]


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("azure_async", ("ended as Failed: Allocation failed.", "(AllocationFailed)")),
        ("location", ("responded with 409: Allocation failed.", "(AllocationFailed)")),
        ("provisioning_state", ("ended as Canceled",)),
    ],
)
def test_a_failed_operation_fails_the_task(calls: ApiCalls, style: str, said: tuple[str, ...]) -> None:
    for words in said:
        assert words in calls.get_failure(f"bad_{style}")


def test_an_operation_elsewhere_gets_no_token(calls: ApiCalls) -> None:
    said = calls.get_failure("astray")
    assert "The address of the operation leads to https://127.0.0.1" in said
    assert "gets no token" in said


def test_operations_of_graph_are_awaited(calls: ApiCalls) -> None:
    assert calls.get_success("team")["json"]["status"] == "succeeded"
    monitors = [entry for entry in calls.filter_log(listener="storage") if entry["path"].startswith("/monitor")]
    assert len(monitors) == POLLS + 1
    assert calls.get_success("copy")["json"]["resourceId"] == "copied.txt"
