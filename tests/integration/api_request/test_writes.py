# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent: bodies, repetitions, check mode and differences, files up and down, batches."""

from __future__ import annotations

import json
import typing as t

import pytest

from entra_emulator import seed

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import ApiCalls

USER: t.Final = "/v1.0/users/user0006@contoso.example"
DRIVE: t.Final = "/v1.0/drives/d/items"
PASSWORD: t.Final = "made-up~initial-passw0rd"
SIZE: t.Final = 25_000_000
CHECK: t.Final = {"check_mode": True}


def new_user(number: int) -> dict[str, t.Any]:
    return {
        "accountEnabled": True,
        "displayName": f"New {number}",
        "mailNickname": f"new{number}",
        "userPrincipalName": f"new{number}@contoso.example",
        "passwordProfile": {"password": PASSWORD},
    }


@pytest.fixture(scope="module")
def calls(new_calls: Callable[[], ApiCalls]) -> ApiCalls:
    """One play with all cases of this file."""
    calls = new_calls()
    directory = calls.plays.directory
    (directory / "large.bin").write_bytes(bytes(range(250)) * (SIZE // 250))
    (directory / "empty.bin").write_bytes(b"")
    post = {"url": "/v1.0/users", "method": "POST"}
    patch = {
        "url": USER,
        "method": "PATCH",
        "body": {"jobTitle": "Operator", "passwordProfile": {"password": PASSWORD}},
    }
    calls.add("checked", **post, body=new_user(1), keywords=CHECK)
    calls.add("checked_read", url="/v1.0/organization", keywords=CHECK)
    calls.add("checked_form", **post, body=f"secret={PASSWORD}", body_format="form", keywords=CHECK)
    calls.add("checked_file", url="/v1.0/users", dest="checked.jsonl", keywords=CHECK)
    calls.add("created", **post, body=new_user(2))
    calls.add("busy", {"action": "status", "status": 429, "times": 2}, **post, body=new_user(3))
    calls.add("unavailable", {"action": "status", "status": 503}, **post, body=new_user(4))
    calls.add("failed", {"action": "status", "status": 500}, **post, body=new_user(5))
    calls.add("lost", {"action": "drop"}, **post, body=new_user(6))
    calls.add("patch_lost", {"action": "drop"}, **patch)
    calls.add(
        "put_lost", {"action": "drop"}, url=f"{DRIVE}/put.txt/content", method="PUT", body="text", body_format="raw"
    )
    calls.add("delete_500", {"action": "status", "status": 500}, url=f"{DRIVE}/put.txt", method="DELETE")
    calls.add("diff", **patch, keywords={"diff": True})
    calls.add("diff_checked", **patch, keywords={"diff": True, "check_mode": True})
    calls.add("redirected", {"action": "redirect", "status": 307}, **post, body=new_user(8))
    calls.add("download", url=f"{DRIVE}/readme.txt/content", dest="readme.txt", mode="0640")
    calls.add("download_large", url=f"{DRIVE}/zeros-{SIZE}.bin/content", dest="zeros.bin")
    calls.add(
        "download_broken",
        {"action": "reset_mid_body", "endpoint": "storage", "match": "readme"},
        url=f"{DRIVE}/readme.txt/content",
        dest="again.txt",
    )
    calls.add("download_unasked", url=f"{DRIVE}/readme.txt/content")
    calls.add("upload", url=f"{DRIVE}/large.bin/createUploadSession", method="POST", src="large.bin")
    calls.add("upload_small", url=f"{DRIVE}/small.bin/content", method="PUT", src="large.bin")
    calls.add("upload_empty", url=f"{DRIVE}/empty.bin/createUploadSession", method="POST", src="empty.bin")
    calls.add("uploaded", url=f"{DRIVE}/large.bin/content", dest="back.bin")
    calls.add_task("batch", {"entra.auth.api_request": {"requests": list(batch())}})
    calls.add_task("batch_checked", {"entra.auth.api_request": {"requests": list(batch())}, "check_mode": True})
    calls.add_task(
        "batch_reads", {"entra.auth.api_request": {"requests": [{"url": "/users?$top=100"}, {"url": "/organization"}]}}
    )
    calls.add_task(
        "batch_failed", {"entra.auth.api_request": {"requests": [{"url": "/users/nobody"}, {"url": "/organization"}]}}
    )
    selected = {"requests": [{"url": "/users/nobody"}], "status_code": 404, "jmespath": "responses[].body.error.code"}
    calls.add_task("batch_selected", {"entra.auth.api_request": selected})
    calls.emulator.fault("status", endpoint="batch_item", status=429, retry_after=1, match=r"PATCH /users/.*004\d@")
    calls.run()
    return calls


def batch() -> t.Iterator[dict[str, t.Any]]:
    """Fifty changes, and two after them that wait for one that will be throttled."""
    for number in range(1, 51):
        yield {
            "id": f"c{number}",
            "method": "PATCH",
            "url": f"/users/user{number:04}@contoso.example",
            "body": {"jobTitle": "New"},
        }
    yield {"id": "after", "url": "/users/user0045@contoso.example?$select=jobTitle", "dependsOn": ["c45"]}
    yield {"id": "last", "url": "/users/user0001@contoso.example?$select=jobTitle", "dependsOn": "after"}


def test_check_mode_sends_no_write_and_shows_it_without_secrets(calls: ApiCalls) -> None:
    result = calls.get_success("checked")
    assert calls.list_requests("checked") == []
    assert (result["changed"], result["method"]) == (True, "POST")
    assert result["url"] == f"{calls.emulator.urls.api}/v1.0/users?case=checked"
    assert result["body"] == {**new_user(1), "passwordProfile": "********"}
    assert calls.get_success("checked_form")["body"] == f"({len(PASSWORD) + 7} bytes)"


def test_check_mode_reads_and_writes_no_file(calls: ApiCalls) -> None:
    assert calls.get_success("checked_read")["value"][0]["displayName"] == seed.CONTOSO.name
    result = calls.get_success("checked_file")
    assert (result["changed"], result["count"]) == (True, 250)
    assert not (calls.play.directory / "checked.jsonl").exists()


def test_a_body_is_sent_and_in_no_result(calls: ApiCalls) -> None:
    (entry,) = calls.list_requests("created")
    assert json.loads(entry["body"]) == new_user(2)
    assert ("Content-Type", "application/json") in map(tuple, entry["headers"])
    result = calls.get_success("created")
    assert (result["changed"], result["status"], result["json"]["displayName"]) == (True, 201, "New 2")
    assert PASSWORD not in calls.play.output


@pytest.mark.parametrize(
    ("case", "statuses"),
    [("busy", [429, 429, 201]), ("unavailable", [503, 201]), ("put_lost", [None, 201]), ("delete_500", [500, 204])],
)
def test_an_idempotent_request_is_repeated(calls: ApiCalls, case: str, statuses: list[int | None]) -> None:
    calls.get_success(case)
    assert calls.list_statuses(case) == statuses


@pytest.mark.parametrize(("case", "statuses"), [("failed", [500]), ("lost", [None]), ("patch_lost", [None])])
def test_other_writes_are_not_repeated(calls: ApiCalls, case: str, statuses: list[int | None]) -> None:
    said = calls.get_failure(case)
    assert calls.list_statuses(case) == statuses
    if case != "failed":
        assert "Check whether the request took effect before you repeat it" in said


def test_a_difference_is_shown_with_diff_alone(calls: ApiCalls) -> None:
    diff = calls.get_success("diff")["diff"]
    assert diff["before"] == {"jobTitle": "Tester"}
    assert diff["after"] == {"jobTitle": "Operator", "passwordProfile": "********"}
    assert [entry["method"] for entry in calls.list_requests("diff")] == ["GET", "PATCH"]
    assert [entry["method"] for entry in calls.list_requests("diff_checked")] == ["GET"]
    assert calls.get_success("diff_checked")["diff"]["before"] == {"jobTitle": "Operator"}
    assert [entry["method"] for entry in calls.list_requests("created")] == ["POST"]


def test_a_write_that_is_redirected_elsewhere_fails_by_name(calls: ApiCalls) -> None:
    assert "The redirect of POST https://localhost" in calls.get_failure("redirected")
    assert calls.filter_log(listener="foreign") == []


def test_a_download_is_followed_without_the_token(calls: ApiCalls) -> None:
    path = calls.play.directory / "readme.txt"
    assert path.read_bytes() == b"Nothing in here is real.\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert (calls.play.directory / "zeros.bin").read_bytes() == bytes(SIZE)
    assert (calls.play.directory / "again.txt").read_bytes() == path.read_bytes()
    result = calls.get_success("download_large")
    assert (result["changed"], result["size"]) == (True, SIZE)
    downloads = [entry for entry in calls.filter_log(listener="storage") if entry["path"].startswith("/download")]
    assert len(downloads) == 5
    for entry in downloads:
        assert "authorization" not in {name.lower() for name, _value in entry["headers"]}


def test_without_dest_a_redirect_to_a_download_is_not_followed(calls: ApiCalls) -> None:
    assert "gets no token" in calls.get_failure("download_unasked")


def test_an_upload_session_is_fed_without_the_token(calls: ApiCalls) -> None:
    result = calls.get_success("upload")
    assert (result["changed"], result["status"], result["json"]["size"]) == (True, 201, SIZE)
    pieces = [entry for entry in calls.filter_log(listener="storage") if entry["method"] == "PUT"]
    assert [entry["length"] for entry in pieces] == [10485760, 10485760, SIZE - 2 * 10485760]
    sent = (calls.play.directory / "large.bin").read_bytes()
    assert (calls.play.directory / "back.bin").read_bytes() == sent
    assert calls.get_success("upload_small")["json"]["size"] == SIZE
    assert "empty file" in calls.get_failure("upload_empty")


def test_a_batch_goes_in_twenties_and_throttled_requests_again(calls: ApiCalls) -> None:
    result = calls.get_success("batch")
    assert [answer["id"] for answer in result["responses"]] == [request["id"] for request in batch()]
    assert {answer["status"] for answer in result["responses"]} <= {200, 204}
    assert result["responses"][-2]["body"]["jobTitle"] == "New"
    sent = [entry["batch"] for entry in calls.filter_log(path="/v1.0/$batch")][: result["pages"]]
    assert [len(one) for one in sent][:2] == [20, 20]
    assert all(len(one) <= 20 for one in sent)
    for one in sent:
        ids = {item["id"] for item in one}
        assert all(set(item.get("dependsOn", ())) <= ids for item in one)
    throttled = [item["id"] for one in sent for item in one if item["status"] == 429]
    assert throttled
    counts = [item["id"] for one in sent for item in one]
    assert all(counts.count(id_) == 2 for id_ in throttled)
    assert counts.count("c1") == 1


def test_a_batch_that_writes_waits_for_check_mode_to_end(calls: ApiCalls) -> None:
    result = calls.get_success("batch_checked")
    assert (result["changed"], len(result["body"]["requests"])) == (True, 52)
    assert calls.get_success("batch")["changed"] is True


def test_listings_in_a_batch_are_followed(calls: ApiCalls) -> None:
    users, organization = calls.get_success("batch_reads")["responses"]
    assert len(users["body"]["value"]) > 250
    assert "@odata.nextLink" not in users["body"]
    assert organization["body"]["value"][0]["displayName"] == seed.CONTOSO.name
    assert calls.get_success("batch_reads")["changed"] is False


def test_a_batch_fails_by_the_names_of_its_requests_and_keeps_the_others(calls: ApiCalls) -> None:
    said = calls.get_failure("batch_failed")
    assert "1 of 2 requests of the batch failed: 1 (GET /users/nobody) responded with 404: Resource 'nobody'" in said
    assert calls.get_result("batch_failed")["responses"][1]["status"] == 200
    assert calls.get_success("batch_selected")["result"] == ["Request_ResourceNotFound"]
