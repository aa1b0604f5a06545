# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module authorized_uri in a play: with what uri takes, and with what Ansible does with any task."""

from __future__ import annotations

import base64
import json
import time
import typing as t

import pytest

from plays import show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

Task = dict[str, t.Any]
USER: t.Final = "/v1.0/users/user0001@contoso.example"


def call(url: str = USER, *, keywords: Task | None = None, **arguments: t.Any) -> Task:
    """A task of the module whose failure does not end the play, registered as ``called``."""
    task = {"name": "Call", "entra.auth.authorized_uri": {"url": url, **arguments}, "register": "called"}
    return {**task, "ignore_errors": True, **(keywords or {})}


def calls(emulator: Emulator) -> list[Task]:
    """The requests of the API."""
    return emulator.requests(listener="api")


def get_tokens(emulator: Emulator) -> set[str]:
    """Every token that was sent to the API."""
    headers = [header for entry in calls(emulator) for header in entry["headers"]]
    return {value.removeprefix("Bearer ") for name, value in headers if name.lower() == "authorization"}


def assert_no_token(play: Play, emulator: Emulator) -> None:
    """No 20 characters of a token's payload or signature were shown."""
    tokens = get_tokens(emulator)
    assert tokens
    for token in tokens:
        secret = token.partition(".")[2]
        assert not [at for at in range(0, len(secret) - 20, 10) if secret[at : at + 20] in play.output]


def test_files_forms_and_destinations_are_those_of_uri(plays: Plays, emulator: Emulator) -> None:
    """A file of the control node, a form with a file, and a file on the host."""
    (plays.directory / "files").mkdir()
    (plays.directory / "files/sent.txt").write_text("from the control node")
    form = {"a": "1", "file": {"filename": "sent.txt", "mime_type": "text/plain"}}
    written = plays.directory / "written.json"
    emulator.fault("status", endpoint="/v1.0/forms", status=503, retry_after=1)
    tasks = [
        call("/v1.0/files", method="PUT", src="sent.txt", headers={"Content-Type": "text/plain"}, status_code=[404]),
        call("/v1.0/forms", method="POST", body=form, body_format="form-multipart", status_code=[404]),
        call(dest=str(written), mode="0600"),
        show(path="called.path", changed="called.changed", name="called.result.displayName"),
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown() == {"path": str(written), "changed": True, "name": "User 0001"}
    file, _busy, sent, _read = calls(emulator)
    assert file["body"] == "from the control node"
    # ansible-core 2.19 and newer encode files in base64.
    assert sent["body"].count("from the control node") + sent["body"].count("ZnJvbSB0aGUgY29udHJvbCBub2Rl") == 1
    assert 'filename="sent.txt"' in sent["body"]
    assert json.loads(written.read_text())["displayName"] == "User 0001"
    assert_no_token(play, emulator)


@pytest.mark.entry_point
def test_loops_until_delegation_and_environment_work(plays: Plays, emulator: Emulator) -> None:
    """As with any module; each attempt has a token that is valid then."""
    emulator.fault("status", endpoint="/v1.0/organization", status=404)
    emulator.fault("status", endpoint="/v1.0/organization", status=401)
    away = {"https_proxy": "http://127.0.0.1:9", "no_proxy": "", "NO_PROXY": ""}
    awaited = {"until": "called.status == 200", "retries": 3, "delay": 0}
    tasks = [
        call("/v1.0/users/user000{{ item }}@contoso.example", keywords={"loop": [1, 2], "register": "looped"}),
        call("/v1.0/organization", status_code=[200, 404], keywords=awaited),
        call(keywords={"delegate_to": "localhost", "register": "delegated"}),
        call(retry_for=0, keywords={"environment": away}),
        show(
            names="[looped.results[0].result.displayName, looped.results[1].result.displayName]",
            delegated="delegated.status",
            status="called.status",
        ),
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown() == {"names": ["User 0001", "User 0002"], "delegated": 200, "status": -1}
    assert [entry["status"] for entry in calls(emulator)] == [200, 200, 404, 401, 200, 200]
    assert_no_token(play, emulator)


def test_what_can_t_work_is_said_in_one_sentence(plays: Plays, emulator: Emulator) -> None:
    """Nothing is sent."""
    form = {"url": USER, "method": "POST", "body_format": "form-multipart", "body": {"file": {"filename": "no.txt"}}}
    cases: dict[str, tuple[Task, str]] = {
        "async": ({"async": 10, "poll": 1}, "does not support async"),
        "windows": ({"vars": {"ansible_connection": "winrm"}}, "entra.auth.api_request"),
        "no-python": ({"vars": {"ansible_python_interpreter": "/nonexistent/python"}}, "failed on h001"),
        "no-file": (
            {"entra.auth.authorized_uri": form},
            "was not sent, because ansible.builtin.uri did not run on h001",
        ),
    }
    tasks = [{**call(keywords=case[0]), "name": name, "ignore_errors": True} for name, case in cases.items()]
    play = plays.run([{"tasks": tasks}], record=True)
    for name, (_keywords, said) in cases.items():
        message = play.result(name)["msg"]
        assert said in message
        assert "To fix it: " in message, name
    assert "took effect" not in play.result("no-file")["msg"]
    assert "Traceback" not in play.output
    assert calls(emulator) == []


def test_check_mode_and_differences(plays: Plays, emulator: Emulator) -> None:
    """Reads are made and writes shown."""
    tasks = [call(), call(method="PATCH", body={"jobTitle": "Tester"}), show(result="called")]
    play = plays.run([{"tasks": tasks}], "--check", "--diff", record=True)
    assert play.returncode == 0, play.output
    result = play.shown()["result"]
    assert (result["changed"], result["method"], result["body"]) == (True, "PATCH", {"jobTitle": "Tester"})
    assert result["diff"]["before"] == {"jobTitle": "Operator"}
    assert [entry["method"] for entry in calls(emulator)] == ["GET", "GET"]


def test_a_token_that_the_api_sends_back_is_shown_nowhere(plays: Plays, emulator: Emulator) -> None:
    """At any verbosity; not in the result, and not in what other tasks read."""
    first = plays.run([{"tasks": [call()]}], record=True)
    assert first.returncode == 0, first.output
    (token,) = get_tokens(emulator)
    echo = {
        "plain": token,
        "escaped": "".join(f"\\u{ord(letter):04x}" for letter in token),
        "half": token[len(token) // 2 :],
    }
    emulator.forget_requests()
    tasks = []
    for spelling, text in echo.items():
        body = f'{{"echo": "{text}"}}'
        url = f"/v1.0/{spelling}"
        emulator.fault("status", endpoint=url, status=200, body=body, content_type="application/json")
        tasks += [call(url, access_token=token, return_content=True), show(result="called")]
    play = plays.run([{"tasks": tasks}], "-vvvv", record=True)
    assert play.returncode == 0, play.output
    shown_echo = {name: values["result"]["json"]["echo"] for name, values in zip(echo, play.all_shown(), strict=True)}
    assert shown_echo == dict.fromkeys(echo, "********")
    secret = token.partition(".")[2]
    shown = "".join(json.dumps(event["result"]) for event in play.events() if event["event"] == "ok")
    shown += json.dumps(play.all_shown())
    assert not [at for at in range(0, len(secret) - 20, 10) if secret[at : at + 20] in shown]
    assert echo["escaped"] not in shown


def test_a_token_from_elsewhere_is_pinned_checked_and_not_renewed(plays: Plays, emulator: Emulator) -> None:
    """Its audience and end are checked before anything is sent."""

    def build(**claims: t.Any) -> str:
        parts = ({"alg": "none"}, claims, "made-up")
        return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)

    end = int(time.time()) + 600
    given = {
        "expired": build(exp=1_000_000_000),
        "elsewhere": build(exp=end, aud="https://management.azure.com/"),
        "refused": build(exp=end, aud="https://graph.microsoft.com"),
    }
    tasks = [{**call(access_token=token, scope="graph"), "name": name} for name, token in given.items()]
    tasks.append({**call("https://stranger.example/", access_token=given["refused"]), "name": "pinned"})
    play = plays.run([{"tasks": tasks}], record=True)
    said = {name: play.result(name)["msg"] for name in (*given, "pinned")}
    assert "expired at 2001-09-09T01:46:40Z" in said["expired"]
    assert "is for https://management.azure.com/" in said["elsewhere"]
    assert "responded with 401" in said["refused"]
    assert "can't be renewed" in said["refused"]
    assert "gets no token" in said["pinned"]
    assert len(calls(emulator)) == 1
    assert emulator.token_requests() == []


def test_the_managed_identity_of_the_host_is_used(plays: Plays, emulator: Emulator) -> None:
    """With run_on: target, by a module on the host."""
    env = emulator.managed_identity_environment("imds")
    arguments = {"credential": "managed_identity", "run_on": "target", "scope": "graph", "status_code": [200, 403]}
    play = plays.run([{"tasks": [call(**arguments), show(status="called.status")]}], record=True, env=env)
    assert play.returncode == 0, play.output
    assert play.shown()["status"] in (200, 403)
    assert emulator.token_requests() == []
    assert_no_token(play, emulator)


def test_a_first_page_comes_with_a_warning(plays: Plays, emulator: Emulator) -> None:
    """That names api_request."""
    play = plays.run([{"tasks": [call("/v1.0/users?$top=2")]}], record=True)
    assert "entra.auth.api_request" in str(play.result("Call")["warnings"])
    assert_no_token(play, emulator)
