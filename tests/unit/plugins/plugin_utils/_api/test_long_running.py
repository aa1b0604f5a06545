# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An operation ends when a response says so, and its failure fails the task."""

from __future__ import annotations

import typing as t

import pytest
from api_calls import ScriptedSession, build_response, ends_in_value_or_error, headers_with, json_with
from canned_server import CannedServer, answer, json_answer
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.long_running import Operation

if t.TYPE_CHECKING:
    from api_calls import ApiCaller

    from ...conftest import Clock

LOCATION: t.Final = answer(202, Location="/op")
STATUS_URL: t.Final = answer(202, Azure_AsyncOperation="/op")
ACCEPTED: t.Final = answer(202)
DONE: t.Final = json_answer(200, {"status": "Succeeded"})
MISSING: t.Final = json_answer(404, {"error": {"code": "ResourceNotFound", "message": "It is not there."}})


def status(word: str, **more: t.Any) -> bytes:
    return json_answer(200, {"status": word, "percentComplete": 10, **more})


def provisioning(word: str, code: int = 200, **headers: str) -> bytes:
    return json_answer(code, {"properties": {"provisioningState": word}}, **headers)


def list_requests(server: CannedServer) -> list[str]:
    return [f"{received.method} {received.target}" for received in server.received]


@pytest.mark.parametrize(
    ("method", "responses", "requests", "result"),
    [
        pytest.param(
            "POST", [LOCATION, status("Running"), status("Succeeded"), ],
            ["GET /op"] * 2, {"status": "Succeeded", "percentComplete": 10}, id="a status document at Location",
        ),
        pytest.param(
            "POST",
            [LOCATION, status("Running"), json_answer(200, {"status": "Succeeded"}, Location="/op/result"),
             json_answer(200, {"displayName": "made"})],
            ["GET /op", "GET /op", "GET /op/result"], {"displayName": "made"}, id="Fabric names its result at the end",
        ),
        pytest.param(
            "POST", [LOCATION, json_answer(200, {"status": "Succeeded"}, Location="/op/result"), MISSING],
            ["GET /op", "GET /op/result"], {"status": "Succeeded"}, id="a Fabric operation without a result",
        ),
        pytest.param(
            "POST",
            [json_answer(202, {"status": "inProgress"}, Location="/op"), json_answer(200, {"status": "inProgress"}),
             json_answer(200, {"status": "completed", "target": "t"})],
            ["GET /op"] * 2, {"status": "completed", "target": "t"}, id="a certificate of a vault",
        ),
        pytest.param(
            "POST", [LOCATION, provisioning("Updating"), provisioning("Succeeded")],
            ["GET /op"] * 2, {"properties": {"provisioningState": "Succeeded"}}, id="a provisioningState at Location",
        ),
        pytest.param(
            "POST", [LOCATION, ACCEPTED, json_answer(200, {"id": "x", "status": "enabled"})],
            ["GET /op"] * 2, {"id": "x", "status": "enabled"}, id="a result with a status of its own",
        ),
        pytest.param("POST", [LOCATION, ACCEPTED, answer(204)], ["GET /op"] * 2, None, id="202 until 204"),
        pytest.param(
            "POST", [LOCATION, json_answer(202, {"status": "completed"})],
            ["GET /op"], {"status": "completed"}, id="a final state that comes with 202",
        ),
        pytest.param(
            "POST", [STATUS_URL, ACCEPTED, json_answer(200, {"status": "MadeUpWord"}), DONE],
            ["GET /op"] * 3, {"status": "Succeeded"}, id="an unknown state goes on",
        ),
        pytest.param(
            "POST",
            [answer(202, Azure_AsyncOperation="/op", Location="/result"), DONE, ACCEPTED, json_answer(200, {"n": 1})],
            ["GET /op", "GET /result", "GET /result"], {"n": 1}, id="a result that is not ready at the end",
        ),
        pytest.param(
            "PUT",
            [provisioning("Accepted", 201, Azure_AsyncOperation="/op"), DONE, MISSING, provisioning("Succeeded")],
            ["GET /op", "GET /things", "GET /things"], {"properties": {"provisioningState": "Succeeded"}},
            id="a resource that is visible some time after the end",
        ),
        pytest.param(
            "PUT", [provisioning("Accepted", 201, Azure_AsyncOperation="/op"), DONE, provisioning("Updating"),
                    provisioning("Succeeded")],
            ["GET /op", "GET /things", "GET /things"], {"properties": {"provisioningState": "Succeeded"}},
            id="a resource that is updated after the end",
        ),
        pytest.param(
            "PUT", [provisioning("Creating", 201), provisioning("MadeUpWord"), provisioning("Succeeded")],
            ["GET /things"] * 2, {"properties": {"provisioningState": "Succeeded"}}, id="the resource alone",
        ),
        pytest.param(
            "GET", [provisioning("Updating"), provisioning("Succeeded")],
            ["GET /things"], {"properties": {"provisioningState": "Succeeded"}}, id="a resource that is only read",
        ),
        pytest.param("GET", [ACCEPTED, ACCEPTED, json_answer(200, {"a": 1})], ["GET /things"] * 2, {"a": 1},
                     id="a report that is being made"),
        pytest.param("PATCH", [json_answer(200, {"status": "enabled"})], [], {"status": "enabled"}, id="no operation"),
        pytest.param("DELETE", [answer(204)], [], None, id="a deletion at once"),
        pytest.param("DELETE", [LOCATION, ACCEPTED, answer(204)], ["GET /op"] * 2, None, id="a deletion by Location"),
        pytest.param(
            "DELETE", [LOCATION, ACCEPTED, MISSING, MISSING], ["GET /op", "GET /op", "GET /things"], None,
            id="a deletion whose operation is deleted too",
        ),
        pytest.param(
            "DELETE", [LOCATION, MISSING, provisioning("Deleting"), MISSING],
            ["GET /op", "GET /things", "GET /things"], None, id="a resource that goes after its operation",
        ),
        pytest.param("DELETE", [ACCEPTED, provisioning("Deleting"), answer(410)], ["GET /things"] * 2, None,
                     id="a deletion without an address"),
    ],
)  # fmt: skip
def test_an_operation_is_followed_to_its_end(
    call: ApiCaller, clock: Clock, method: str, responses: list[bytes], requests: list[str], result: t.Any
) -> None:
    body = {"body": {}} if method in ("POST", "PUT", "PATCH") else {}
    with CannedServer(*responses) as server:
        returned = call(server, url="/things", method=method, scope=["arm"], wait=True, **body)
    assert list_requests(server) == [f"{method} /things", *requests]
    assert returned["json"] == result
    assert returned["changed"] is (method != "GET")


@pytest.mark.parametrize(
    ("method", "responses", "message"),
    [
        pytest.param(
            "DELETE", [LOCATION, status("Failed", error={"code": "ExecutionFailure", "message": "It broke."})],
            r"ended as Failed: It broke \(ExecutionFailure\)", id="a status document at Location",
        ),
        pytest.param(
            "POST", [LOCATION, status("Failed", error={"errorCode": "ItemTooLarge", "message": "It is too large."})],
            "ended as Failed: It is too large", id="Fabric",
        ),
        pytest.param("POST", [LOCATION, status("deleteFailed")], "ended as deleteFailed", id="another final state"),
        pytest.param("POST", [STATUS_URL, status("Canceled")], "ended as Canceled", id="canceled"),
        pytest.param("POST", [LOCATION, json_answer(202, {"status": "Failed"})], "ended as Failed", id="with 202"),
        pytest.param("PUT", [provisioning("Failed")], "ended as Failed", id="a resource at once"),
        pytest.param(
            "PUT", [provisioning("Accepted", 201, Azure_AsyncOperation="/op"), DONE, provisioning("Failed")],
            "ended as Failed", id="a resource after its operation",
        ),
        pytest.param("DELETE", [ACCEPTED, provisioning("DeletionFailed")], "ended as DeletionFailed", id="a deletion"),
        pytest.param("POST", [status("Failed", error={"message": "No."})], "ended as Failed: No", id="a POST at once"),
    ],
)  # fmt: skip
def test_a_failed_operation_fails_the_task_with_its_reason(
    call: ApiCaller, clock: Clock, method: str, responses: list[bytes], message: str
) -> None:
    with CannedServer(*responses) as server, pytest.raises(ApiError, match=message) as failure:
        call(server, url="/things", method=method, scope=["arm"], wait=True)
    assert failure.value.to_fields()["changed"] is True
    assert failure.value.to_fields()["status"] in (200, 202)


@pytest.mark.parametrize(
    ("method", "responses", "message"),
    [
        pytest.param("POST", [ACCEPTED], r"was accepted \(202\), and the response names no address", id="202"),
        pytest.param("PATCH", [ACCEPTED, json_answer(200, {"a": 1})], r"was accepted \(202\)", id="202 of a PATCH"),
        pytest.param(
            "POST",
            [json_answer(201, {"id": "job", "status": "pending"})],
            "began something that is pending",
            id="a job",
        ),
        pytest.param("POST", [provisioning("Creating", 201)], "something that is Creating", id="a resource"),
        pytest.param(
            "POST",
            [STATUS_URL, json_answer(200, {"a": 1})],
            "does not say in which state",
            id="no state at its address",
        ),
        pytest.param("POST", [STATUS_URL, answer(204)], "responded with 204", id="nothing at its address"),
        pytest.param("POST", [LOCATION, MISSING], "no longer exists; GET .* 404: It is not there", id="404"),
        pytest.param("PUT", [LOCATION, answer(410)], "no longer exists; GET .* 410", id="410"),
    ],
)
def test_an_end_that_is_not_told_is_not_a_success(
    call: ApiCaller, clock: Clock, method: str, responses: list[bytes], message: str
) -> None:
    with CannedServer(*responses) as server, pytest.raises(ApiError, match=message) as failure:
        call(server, url="/things", method=method, scope=["arm"], wait=True)
    assert failure.value.hint
    assert failure.value.to_fields()["changed"] is True


def test_a_state_that_never_changes_is_named_at_the_end(call: ApiCaller, clock: Clock) -> None:
    with CannedServer(STATUS_URL, status("MadeUpWord")) as server, pytest.raises(ApiError) as failure:
        call(server, url="/things", method="POST", wait=True, wait_timeout=60)
    assert "has not ended within wait_timeout (60 s)" in failure.value.message
    assert "Its last state was MadeUpWord, which entra.auth does not know." in failure.value.message


def test_a_retry_after_of_zero_does_not_flood_the_api(call: ApiCaller, clock: Clock) -> None:
    running = json_answer(200, {"status": "Running"}, Retry_After="0")
    with CannedServer(answer(202, Location="/op", Retry_After="0"), running, running, DONE) as server:
        call(server, url="/things", method="POST", wait=True)
    assert clock.slept == [1.0, 1.0, 1.0]


def test_without_an_interval_the_pauses_grow(call: ApiCaller, clock: Clock) -> None:
    with CannedServer(LOCATION, *[status("Running")] * 6, DONE) as server:
        call(server, url="/things", method="POST", wait=True)
    assert clock.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_an_interval_holds_until_another_one_is_named(call: ApiCaller, clock: Clock) -> None:
    slower = json_answer(200, {"status": "Running"}, Retry_After="7")
    with CannedServer(answer(202, Location="/op", Retry_After="3"), status("Running"), slower, DONE) as server:
        call(server, url="/things", method="POST", wait=True)
    assert clock.slept == [3.0, 3.0, 7.0]


def test_each_state_is_shown_with_v(call: ApiCaller, clock: Clock) -> None:
    with CannedServer(LOCATION, status("Running"), DONE) as server:
        call(server, url="/things", method="POST", wait=True)
    shown = call.messages.on("v")
    assert "entra.auth: the operation is Running, 10 %" in shown
    assert "entra.auth: the operation is Succeeded" in shown


@pytest.mark.parametrize("header", ["Location", "Azure_AsyncOperation"])
def test_a_broken_address_is_named(call: ApiCaller, header: str) -> None:
    with (
        CannedServer(answer(202, **{header: "http://["})) as server,
        pytest.raises(ApiError, match="The address of the operation is not a valid URL"),
    ):
        call(server, url="/things", method="POST", wait=True)


def test_an_address_keeps_its_hash(call: ApiCaller, clock: Clock) -> None:
    with CannedServer(answer(202, Location="/op?token=RT:1#TRC"), DONE) as server:
        call(server, url="/things", method="POST", wait=True)
    assert server.received[1].target == "/op?token=RT:1%23TRC"


def test_graph_leaves_its_version_out_of_addresses_without_a_host(call: ApiCaller, clock: Clock) -> None:
    with CannedServer(LOCATION, DONE) as server:
        call(server, url="/beta/teams", method="POST", wait=True)
    assert list_requests(server) == ["POST /beta/teams", "GET /beta/op"]


@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    st.lists(
        st.tuples(
            st.sampled_from([200, 201, 202, 204, 404, 410]),
            headers_with("Location", "Azure-AsyncOperation", "Operation-Location", "Retry-After"),
            json_with("status", "properties", "provisioningState", "error", "percentComplete", "resourceLocation")
            | st.binary(max_size=9),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_any_responses_end_in_a_result_or_an_error(
    method: str, responses: list[tuple[int, dict[str, str], t.Any]]
) -> None:
    first = build_response(ApiRequest(method, "http://127.0.0.1:1/v1.0/things"), *responses[0])
    operation = Operation(ScriptedSession(responses), first, 0.0, lambda _text: None)
    ends_in_value_or_error(operation.wait)


@pytest.mark.parametrize("first", [LOCATION, STATUS_URL])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_address_that_answers_with_an_error_has_failed(
    call: ApiCaller, clock: Clock, method: str, first: bytes
) -> None:
    error = json_answer(200, {"error": {"code": "Bad", "message": "boom"}})
    with CannedServer(first, error) as server, pytest.raises(ApiError, match=r"ended as an error: boom \(Bad\)"):
        call(server, url="/things", method=method, wait=True)


def test_a_job_status_is_a_state(call: ApiCaller, clock: Clock) -> None:
    jobs = [json_answer(200, {"jobStatus": word}) for word in ("Running", "Failed")]
    with CannedServer(LOCATION, *jobs) as server, pytest.raises(ApiError, match="ended as Failed"):
        call(server, url="/things", method="POST", wait=True)
