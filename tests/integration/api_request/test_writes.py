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

    from .conftest import Scene

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
def scene(new_scene: Callable[[], Scene]) -> Scene:
    """One play with all cases of this file."""
    scene = new_scene()
    directory = scene.plays.directory
    (directory / "large.bin").write_bytes(bytes(range(250)) * (SIZE // 250))
    (directory / "empty.bin").write_bytes(b"")
    post = {"url": "/v1.0/users", "method": "POST"}
    patch = {
        "url": USER,
        "method": "PATCH",
        "body": {"jobTitle": "Operator", "passwordProfile": {"password": PASSWORD}},
    }
    scene.case("checked", **post, body=new_user(1), keywords=CHECK)
    scene.case("checked_read", url="/v1.0/organization", keywords=CHECK)
    scene.case("checked_form", **post, body=f"secret={PASSWORD}", body_format="form", keywords=CHECK)
    scene.case("checked_file", url="/v1.0/users", dest="checked.jsonl", keywords=CHECK)
    scene.case("created", **post, body=new_user(2))
    scene.case("busy", {"action": "status", "status": 429, "times": 2}, **post, body=new_user(3))
    scene.case("unavailable", {"action": "status", "status": 503}, **post, body=new_user(4))
    scene.case("failed", {"action": "status", "status": 500}, **post, body=new_user(5))
    scene.case("lost", {"action": "drop"}, **post, body=new_user(6))
    scene.case("patch_lost", {"action": "drop"}, **patch)
    scene.case(
        "put_lost", {"action": "drop"}, url=f"{DRIVE}/put.txt/content", method="PUT", body="text", body_format="raw"
    )
    scene.case("delete_500", {"action": "status", "status": 500}, url=f"{DRIVE}/put.txt", method="DELETE")
    scene.case("diff", **patch, keywords={"diff": True})
    scene.case("diff_checked", **patch, keywords={"diff": True, "check_mode": True})
    scene.case("redirected", {"action": "redirect", "status": 307}, **post, body=new_user(8))
    scene.case("download", url=f"{DRIVE}/readme.txt/content", dest="readme.txt", mode="0640")
    scene.case("download_large", url=f"{DRIVE}/zeros-{SIZE}.bin/content", dest="zeros.bin")
    scene.case("download_broken", {"action": "reset_mid_body", "endpoint": "storage", "match": "readme"},
               url=f"{DRIVE}/readme.txt/content", dest="again.txt")  # fmt: skip
    scene.case("download_unasked", url=f"{DRIVE}/readme.txt/content")
    scene.case("upload", url=f"{DRIVE}/large.bin/createUploadSession", method="POST", src="large.bin")
    scene.case("upload_small", url=f"{DRIVE}/small.bin/content", method="PUT", src="large.bin")
    scene.case("upload_empty", url=f"{DRIVE}/empty.bin/createUploadSession", method="POST", src="empty.bin")
    scene.case("uploaded", url=f"{DRIVE}/large.bin/content", dest="back.bin")
    scene.task("batch", {"entra.auth.api_request": {"requests": list(batch())}})
    scene.task("batch_checked", {"entra.auth.api_request": {"requests": list(batch())}, "check_mode": True})
    scene.task(
        "batch_reads", {"entra.auth.api_request": {"requests": [{"url": "/users?$top=100"}, {"url": "/organization"}]}}
    )
    scene.task(
        "batch_failed", {"entra.auth.api_request": {"requests": [{"url": "/users/nobody"}, {"url": "/organization"}]}}
    )
    selected = {"requests": [{"url": "/users/nobody"}], "status_code": 404, "jmespath": "responses[].body.error.code"}
    scene.task("batch_selected", {"entra.auth.api_request": selected})
    scene.emulator.fault("status", endpoint="batch_item", status=429, retry_after=1, match=r"PATCH /users/.*004\d@")
    scene.run()
    return scene


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


def test_check_mode_sends_no_write_and_shows_it_without_secrets(scene: Scene) -> None:
    result = scene.good("checked")
    assert scene.asked("checked") == []
    assert (result["changed"], result["method"]) == (True, "POST")
    assert result["url"] == f"{scene.emulator.urls.api}/v1.0/users?case=checked"
    assert result["body"] == {**new_user(1), "passwordProfile": "********"}
    assert scene.good("checked_form")["body"] == f"({len(PASSWORD) + 7} bytes)"


def test_check_mode_reads_and_writes_no_file(scene: Scene) -> None:
    assert scene.good("checked_read")["value"][0]["displayName"] == seed.CONTOSO.name
    result = scene.good("checked_file")
    assert (result["changed"], result["count"]) == (True, 250)
    assert not (scene.play.directory / "checked.jsonl").exists()


def test_a_body_is_sent_and_in_no_result(scene: Scene) -> None:
    (entry,) = scene.asked("created")
    assert json.loads(entry["body"]) == new_user(2)
    assert ("Content-Type", "application/json") in map(tuple, entry["headers"])
    result = scene.good("created")
    assert (result["changed"], result["status"], result["json"]["displayName"]) == (True, 201, "New 2")
    assert PASSWORD not in scene.play.output


@pytest.mark.parametrize(
    ("case", "statuses"),
    [("busy", [429, 429, 201]), ("unavailable", [503, 201]), ("put_lost", [None, 201]), ("delete_500", [500, 204])],
)
def test_what_may_be_repeated_is(scene: Scene, case: str, statuses: list[int | None]) -> None:
    scene.good(case)
    assert scene.statuses(case) == statuses


@pytest.mark.parametrize(("case", "statuses"), [("failed", [500]), ("lost", [None]), ("patch_lost", [None])])
def test_what_may_have_taken_effect_is_not_repeated(scene: Scene, case: str, statuses: list[int | None]) -> None:
    said = scene.failure(case)
    assert scene.statuses(case) == statuses
    if case != "failed":
        assert "Check whether the request took effect before you repeat it" in said


def test_a_difference_is_shown_with_diff_alone(scene: Scene) -> None:
    diff = scene.good("diff")["diff"]
    assert diff["before"] == {"jobTitle": "Tester"}
    assert diff["after"] == {"jobTitle": "Operator", "passwordProfile": "********"}
    assert [entry["method"] for entry in scene.asked("diff")] == ["GET", "PATCH"]
    assert [entry["method"] for entry in scene.asked("diff_checked")] == ["GET"]
    assert scene.good("diff_checked")["diff"]["before"] == {"jobTitle": "Operator"}
    assert [entry["method"] for entry in scene.asked("created")] == ["POST"]


def test_a_write_that_is_redirected_elsewhere_fails_by_name(scene: Scene) -> None:
    assert "The redirect of POST https://localhost" in scene.failure("redirected")
    assert scene.log(listener="foreign") == []


def test_a_download_is_followed_without_the_token(scene: Scene) -> None:
    path = scene.play.directory / "readme.txt"
    assert path.read_bytes() == b"Nothing in here is real.\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert (scene.play.directory / "zeros.bin").read_bytes() == bytes(SIZE)
    assert (scene.play.directory / "again.txt").read_bytes() == path.read_bytes()
    result = scene.good("download_large")
    assert (result["changed"], result["size"]) == (True, SIZE)
    downloads = [entry for entry in scene.log(listener="storage") if entry["path"].startswith("/download")]
    assert len(downloads) == 5
    for entry in downloads:
        assert "authorization" not in {name.lower() for name, _value in entry["headers"]}


def test_without_dest_a_redirect_to_a_download_is_not_followed(scene: Scene) -> None:
    assert "gets no token" in scene.failure("download_unasked")


def test_an_upload_session_is_fed_without_the_token(scene: Scene) -> None:
    result = scene.good("upload")
    assert (result["changed"], result["status"], result["json"]["size"]) == (True, 201, SIZE)
    pieces = [entry for entry in scene.log(listener="storage") if entry["method"] == "PUT"]
    assert [entry["length"] for entry in pieces] == [10485760, 10485760, SIZE - 2 * 10485760]
    sent = (scene.play.directory / "large.bin").read_bytes()
    assert (scene.play.directory / "back.bin").read_bytes() == sent
    assert scene.good("upload_small")["json"]["size"] == SIZE
    assert "empty file" in scene.failure("upload_empty")


def test_a_batch_goes_in_twenties_and_what_was_throttled_alone(scene: Scene) -> None:
    result = scene.good("batch")
    assert [answer["id"] for answer in result["responses"]] == [request["id"] for request in batch()]
    assert {answer["status"] for answer in result["responses"]} <= {200, 204}
    assert result["responses"][-2]["body"]["jobTitle"] == "New"
    sent = [entry["batch"] for entry in scene.log(path="/v1.0/$batch")][: result["pages"]]
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


def test_a_batch_that_writes_waits_for_check_mode_to_end(scene: Scene) -> None:
    result = scene.good("batch_checked")
    assert (result["changed"], len(result["body"]["requests"])) == (True, 52)
    assert scene.good("batch")["changed"] is True


def test_listings_in_a_batch_are_followed(scene: Scene) -> None:
    users, organization = scene.good("batch_reads")["responses"]
    assert len(users["body"]["value"]) > 250
    assert "@odata.nextLink" not in users["body"]
    assert organization["body"]["value"][0]["displayName"] == seed.CONTOSO.name
    assert scene.good("batch_reads")["changed"] is False


def test_a_batch_fails_by_the_names_of_its_requests_and_keeps_the_others(scene: Scene) -> None:
    said = scene.failure("batch_failed")
    assert "1 of 2 requests of the batch failed: 1 (GET /users/nobody) was answered 404: Resource 'nobody'" in said
    assert scene.result("batch_failed")["responses"][1]["status"] == 200
    assert scene.good("batch_selected")["result"] == ["Request_ResourceNotFound"]
