# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Graph's $batch: its limits, its order, and items that fail by themselves."""

from __future__ import annotations

import typing as t

import pytest

from entra_emulator.client import EmulatorError

if t.TYPE_CHECKING:
    import requests
    from conftest import Client

_ONE_USER = "/users/user0001@contoso.example"


def item(id_: str, url: str = _ONE_USER, method: str = "GET", **more: object) -> dict[str, object]:
    """One request of a batch."""
    return {"id": id_, "method": method, "url": url, **more}


def post(client: Client, items: object) -> requests.Response:
    """A batch of the app that may write."""
    return client.send("POST", "/v1.0/$batch", client.operator_token(), json={"requests": items})


def answers(client: Client, *items: dict[str, object]) -> dict[str, dict[str, t.Any]]:
    """The answers of a batch that is taken, by id."""
    answer = post(client, list(items))
    assert answer.status_code == 200, answer.text
    return {one["id"]: one for one in answer.json()["responses"]}


def test_each_item_has_its_own_answer_in_no_order_to_rely_on(client: Client) -> None:
    body = {"jobTitle": "Chair"}
    headers = {"Content-Type": "application/json"}
    got = answers(
        client,
        item("write", method="PATCH", headers=headers, body=body),
        item("read", f"{_ONE_USER}?$select=jobTitle", dependsOn=["write"]),
        item("nobody", "/users/nobody"),
        item("counted", "/users?$count=true&$top=1", headers={"ConsistencyLevel": "eventual"}),
    )
    assert list(got) == ["counted", "nobody", "read", "write"]
    assert (got["write"]["status"], "body" in got["write"]) == (204, False)
    assert got["read"]["body"]["jobTitle"] == "Chair"
    assert (got["nobody"]["status"], got["nobody"]["body"]["error"]["code"]) == (404, "Request_ResourceNotFound")
    assert got["counted"]["body"]["@odata.count"] == 250
    logged = client.emulator.requests(path="/v1.0/$batch")[0]["batch"]
    assert [(one["id"], one["status"]) for one in logged][:2] == [("write", 204), ("read", 200)]


def test_a_failed_dependency_fails_those_behind_it(client: Client) -> None:
    chain = [item("1", "/users/nobody"), item("2", dependsOn=["1"]), item("3", dependsOn=["2"]), item("4")]
    got = answers(client, *chain)
    assert [got[id_]["status"] for id_ in "1234"] == [404, 424, 424, 200]


def test_items_are_throttled_one_by_one(client: Client) -> None:
    client.emulator.fault(
        "status", endpoint="batch_item", status=429, retry_after=3, match="GET /users/user0002", times=2
    )
    users = [item(str(number), f"/users/user000{number}@contoso.example") for number in (1, 2, 3)]
    for _dummy in range(2):
        got = answers(client, *users)
        assert [got[id_]["status"] for id_ in "123"] == [200, 429, 200]
        assert got["2"]["headers"]["Retry-After"] == "3"
        assert got["2"]["body"]["error"]["code"] == "TooManyRequests"
    assert answers(client, *users)["2"]["status"] == 200


def test_other_faults_are_about_the_batch_not_its_items(client: Client) -> None:
    client.emulator.fault("status", endpoint="/v1.0/users", times=None)
    assert answers(client, item("1"))["1"]["status"] == 200
    with pytest.raises(EmulatorError, match="batch_item"):
        client.emulator.fault("drop", endpoint="batch_item")


@pytest.mark.parametrize(
    "items",
    [
        "none",
        [item(str(number)) for number in range(21)],
        [item("1"), item("1")],
        [item("1", dependsOn=["2"])],
        [item("1", dependsOn=["2"]), item("2", dependsOn=["1"])],
        [item("1", "https://graph.microsoft.com/v1.0/users")],
        [item("1", method="PATCH", body={})],
        [{"id": 1, "method": "GET", "url": "/users"}],
    ],
)
def test_batches_it_does_not_take(client: Client, items: object) -> None:
    answer = post(client, items)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_twenty_items_are_taken(client: Client) -> None:
    assert len(answers(client, *[item(str(number)) for number in range(20)])) == 20
