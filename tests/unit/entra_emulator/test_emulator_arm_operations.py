# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ARM: resources, and every shape of a long-running operation on them."""

from __future__ import annotations

import typing as t

import pytest

from entra_emulator import seed

if t.TYPE_CHECKING:
    import requests
    from conftest import Client

_VERSION = "?api-version=2024-07-01"
_HOME = f"/subscriptions/{seed.CONTOSO.subscriptions[0].id}"
_MACHINES = "providers/Microsoft.Compute/virtualMachines"
_MACHINE = f"{_HOME}/resourceGroups/web/{_MACHINES}/web-2"
_ACCOUNT = f"{_HOME}/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/mine"


@pytest.fixture
def token(client: Client) -> str:
    """ARM's token of the app that may write."""
    return client.operator_token(client.ARM)


class Arm:
    """Requests to ARM with one token."""

    def __init__(self, client: Client, token: str) -> None:
        self._client = client
        self._token = token

    def __call__(self, method: str, path: str, **body: t.Any) -> requests.Response:
        """The answer to one request."""
        path = path if "api-version" in path else path + _VERSION
        return self._client.send(method, path, self._token, **body)

    def state(self, path: str) -> str:
        """The provisioning state of a resource."""
        return str(self("GET", path).json()["properties"]["provisioningState"])

    def power(self) -> str:
        """The power state of the machine."""
        return str(self("GET", f"{_MACHINE}/instanceView").json()["statuses"][1]["code"])


@pytest.fixture
def arm(client: Client, token: str) -> Arm:
    """ARM with a good token."""
    return Arm(client, token)


def test_machines_and_all_resources_are_listed(client: Client, arm: Arm) -> None:
    client.emulator.configure(page_size=2)
    arm("PUT", _ACCOUNT, json={"tags": {"a": "b"}})
    link, names = f"{_HOME}/resources", []
    while link:
        page = arm("GET", link).json()
        names += [one["name"] for one in page["value"]]
        link = page.get("nextLink")
    assert names == [*(f"{group}-{n}" for group in ("web", "data", "network") for n in (1, 2, 3)), "mine"]
    client.emulator.configure(page_size=100)
    assert len(arm("GET", f"{_HOME}/{_MACHINES}").json()["value"]) == 9
    assert len(arm("GET", f"{_HOME}/resourcegroups/web/{_MACHINES}").json()["value"]) == 3
    asked = f"{_HOME}/resources{_VERSION}&$filter=resourceType eq 'Microsoft.Storage/storageAccounts'"
    listed = arm("GET", asked).json()["value"]
    assert listed == [
        {"id": _ACCOUNT, "name": "mine", "type": "Microsoft.Storage/storageAccounts", "location": "westeurope"}
        | {"tags": {"a": "b"}}
    ]


def test_a_machine_is_found_in_any_letter_case(arm: Arm) -> None:
    one = arm("GET", _MACHINE.replace("resourceGroups/web", "RESOURCEGROUPS/WEB")).json()
    assert (one["id"], "instanceView" in one["properties"]) == (_MACHINE, False)
    expanded = arm("GET", f"{_MACHINE}{_VERSION}&$expand=instanceView").json()
    assert expanded["properties"]["instanceView"]["statuses"][1]["code"] == "PowerState/deallocated"


def test_start_by_a_status_document(client: Client, arm: Arm) -> None:
    client.emulator.configure(operation_retry_after=7)
    begun = arm("POST", f"{_MACHINE}/start")
    assert (begun.status_code, begun.headers["Retry-After"], "Location" in begun.headers) == (202, "7", False)
    assert begun.headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"
    polls = [arm("GET", begun.headers["Azure-AsyncOperation"]) for _dummy in range(3)]
    assert [poll.json()["status"] for poll in polls] == ["InProgress", "InProgress", "Succeeded"]
    assert [poll.headers.get("Retry-After") for poll in polls] == ["7", "7", None]
    assert arm.power() == "PowerState/running"


def test_addresses_to_poll_that_lead_astray(client: Client, arm: Arm) -> None:
    client.emulator.configure(operation_style="both")
    client.emulator.fault("operation_link", endpoint="arm", to="foreign")
    headers = arm("POST", f"{_MACHINE}/start").headers
    for name in ("Azure-AsyncOperation", "Location"):
        assert headers[name].startswith(f"{client.emulator.urls.foreign}{_HOME}/providers/")
    client.emulator.fault("operation_link", endpoint="graph", to="foreign_http")
    team = client.send("POST", "/v1.0/teams", client.operator_token(), json={})
    assert team.headers["Location"].startswith(f"{client.emulator.urls.foreign_http}/teams('")


def test_a_result_at_the_end_of_an_action(client: Client, arm: Arm) -> None:
    client.emulator.configure(operation_style="both", operation_polls=0)
    begun = arm("POST", f"{_MACHINE}/runCommand", json={"commandId": "RunShellScript"})
    status = arm("GET", begun.headers["Azure-AsyncOperation"]).json()
    result = arm("GET", begun.headers["Location"])
    assert (result.status_code, status["properties"]["output"]) == (200, result.json())


def test_location_answers_202_until_it_is_done(client: Client, arm: Arm) -> None:
    client.emulator.configure(operation_style="location")
    assert statuses(arm, arm("PUT", _ACCOUNT, json={})) == [202, 202, 202, 200]
    assert statuses(arm, arm("POST", f"{_MACHINE}/start")) == [202, 202, 202, 200]
    assert statuses(arm, arm("DELETE", _ACCOUNT)) == [202, 202, 202, 204]
    assert arm("GET", _ACCOUNT).status_code == 404
    assert arm("DELETE", _ACCOUNT).status_code == 204


def statuses(arm: Arm, begun: requests.Response) -> list[int]:
    """The status of the first answer and of three polls of its ``Location``."""
    assert "Azure-AsyncOperation" not in begun.headers
    return [begun.status_code, *(arm("GET", begun.headers["Location"]).status_code for _dummy in range(3))]


def test_state_in_the_resource_itself(client: Client, arm: Arm) -> None:
    client.emulator.configure(operation_style="provisioning_state")
    made = arm("PUT", _ACCOUNT, json={"properties": {"a": 1}})
    assert (made.status_code, made.json()["properties"]) == (201, {"a": 1, "provisioningState": "Creating"})
    assert not {"Location", "Azure-AsyncOperation"} & set(made.headers)
    assert [arm.state(_ACCOUNT) for _dummy in range(3)] == ["Creating", "Creating", "Succeeded"]
    assert arm("PATCH", _ACCOUNT, json={"tags": {"b": "c"}}).status_code == 200
    assert [arm.state(_ACCOUNT) for _dummy in range(3)] == ["Updating", "Updating", "Succeeded"]
    assert arm("DELETE", _ACCOUNT).headers["Location"]


def test_a_put_with_a_status_document_and_a_final_get(client: Client, arm: Arm) -> None:
    for status in (201, 200):
        put = arm("PUT", _ACCOUNT, json={"location": "northeurope"})
        assert put.status_code == status
        for _dummy in range(3):
            arm("GET", put.headers["Azure-AsyncOperation"])
        assert (arm.state(_ACCOUNT), arm("GET", _ACCOUNT).json()["location"]) == ("Succeeded", "northeurope")
    client.emulator.configure(operation_status=202, operation_retry_after=None)
    put = arm("PUT", _ACCOUNT, json={})
    assert (put.status_code, put.text, "Retry-After" in put.headers) == (202, "", False)


def test_at_once(client: Client, arm: Arm) -> None:
    client.emulator.configure(operation_style="none")
    made = arm("PUT", _ACCOUNT, json={})
    assert (made.status_code, made.json()["properties"]["provisioningState"]) == (201, "Succeeded")
    assert arm("POST", f"{_MACHINE}/start").status_code == 200
    assert arm.power() == "PowerState/running"
    assert arm("DELETE", _ACCOUNT).headers["x-ms-ratelimit-remaining-subscription-deletes"] == "199"


def test_writes_meant_for_another_state_are_refused(client: Client, arm: Arm) -> None:
    client.emulator.configure(operation_style="none")
    new, old = {"If-None-Match": "*"}, {"If-Match": arm("GET", _MACHINE).headers["ETag"]}
    assert [arm("PUT", _ACCOUNT, json={}, headers=new).status_code for _dummy in "ab"] == [201, 412]
    assert [arm("PATCH", _MACHINE, json={"tags": {"a": "b"}}, headers=old).status_code for _dummy in "ab"] == [200, 412]
    assert arm("DELETE", _MACHINE, headers=old).json()["error"]["code"] == "PreconditionFailed"
    assert arm("DELETE", _MACHINE, headers={"If-Match": "*"}).status_code == 200
    assert arm("PUT", _MACHINE, json={}, headers={"If-Match": "*"}).status_code == 412


@pytest.mark.parametrize(("result", "code"), [("Failed", "AllocationFailed"), ("Canceled", "OperationPreempted")])
def test_operations_that_come_to_nothing(client: Client, arm: Arm, result: str, code: str) -> None:
    client.emulator.configure(operation_style="both", operation_polls=1, operation_result=result)
    begun = arm("POST", f"{_MACHINE}/start")
    document = [arm("GET", begun.headers["Azure-AsyncOperation"]).json() for _dummy in range(2)][-1]
    assert (document["status"], document["error"]["code"]) == (result, code)
    last = arm("GET", begun.headers["Location"])
    assert (last.status_code, last.json()["error"]["code"]) == (409, code)
    assert arm.power() == "PowerState/deallocated"
    client.emulator.configure(operation_style="provisioning_state")
    arm("PUT", _ACCOUNT, json={})
    assert [arm.state(_ACCOUNT) for _dummy in range(2)] == ["Creating", result]
    client.emulator.configure(operation_style="none")
    assert arm("PATCH", _ACCOUNT, json={}).json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", _MACHINE.replace("web-2", "web-99"), 404, "ResourceNotFound"),
        ("POST", f"{_MACHINE}/dance", 404, "NotFound"),
        ("GET", _MACHINE.replace("resourceGroups/web", "resourceGroups/none"), 404, "ResourceGroupNotFound"),
        ("GET", f"{_HOME}/resourceGroups/none", 404, "ResourceGroupNotFound"),
        ("PUT", _ACCOUNT, 400, "InvalidRequestContent"),
        ("PUT", _ACCOUNT.replace(seed.CONTOSO.subscriptions[0].id, seed.CONTOSO.subscriptions[2].id), 403, None),
        ("GET", f"{_HOME}/providers/Microsoft.Compute/locations/westeurope/operations/x", 404, "NotFound"),
        ("GET", f"{_HOME}/resources{_VERSION}&$filter=a or b", 400, "InvalidFilterInQueryString"),
    ],
)
def test_refusals(arm: Arm, method: str, path: str, status: int, code: str | None) -> None:
    answer = arm(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code or "AuthorizationFailed")


def test_a_listing_of_any_length_is_made_as_it_is_read(client: Client, arm: Arm) -> None:
    client.emulator.configure(resources=100_000)
    page = arm("GET", f"{_HOME}/resources").json()
    assert [len(page["value"]), page["value"][99]["name"]] == [100, "web-100"]
    assert arm("DELETE", _MACHINE).status_code == 202
