# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The device code: what a person is shown, how the answer is waited for, and that nobody is needed afterwards."""

from __future__ import annotations

import itertools
import re
import stat
import typing as t

import pytest

from plays import role, show, wait_until

if t.TYPE_CHECKING:
    from pathlib import Path

    from entra_emulator.client import Emulator
    from plays import Play, Plays

PUBLIC_APP: t.Final = "aaaaaaaa-0000-4000-8000-000000000004"
ENV: t.Final = {
    "ENTRA_AUTH_CLIENT_ID": PUBLIC_APP,
    "ENTRA_AUTH_CLIENT_SECRET": None,
    "ENTRA_AUTH_CREDENTIAL": "device_code",
}
# What a person reads, wherever the output is shown.
_MESSAGE: t.Final = re.compile(r"entra\.auth: to sign in, open (\S+) and enter the code ([A-Z0-9]+)$", re.MULTILINE)


def _get(task: str = "Get", /, **options: t.Any) -> dict[str, t.Any]:
    return {"name": task, "entra.auth.app_token": options, "register": "token"}


def _asked_for_codes(emulator: Emulator) -> int:
    return len([entry for entry in emulator.requests(listener="login") if entry["path"].endswith("/devicecode")])


def _answers(emulator: Emulator) -> list[int]:
    return [entry["status"] for entry in emulator.token_requests()]


def _secrets(emulator: Emulator, play: Play) -> list[str]:
    """What of a sign-in nobody may read, as far as the output shows it."""
    forms = [dict(entry["form"]) for entry in emulator.token_requests()]
    values = [form[name] for form in forms for name in ("device_code", "refresh_token") if name in form]
    return [value for value in values if value in play.output]


def test_one_prompt_for_all_hosts_and_faces(plays: Plays, emulator: Emulator) -> None:
    """At verbosity 0 in the output that a terminal and AWX show; the code itself stays between the machines."""
    emulator.configure(device_code_approve_after=0)
    get = [_get(), role("app_token"), {"ansible.builtin.debug": {"msg": "{{ app_token_headers | length }}"}}]
    play = plays.run([{"tasks": get}], hosts=6, forks=6, env=ENV)
    assert play.returncode == 0, play.output
    (code,) = emulator.device_codes()
    assert _MESSAGE.findall(play.output) == [(f"{emulator.urls.login}/common/oauth2/deviceauth", code["user_code"])]
    assert _asked_for_codes(emulator) == 1
    assert _answers(emulator) == [200]
    assert code["scopes"] == [
        "https://graph.microsoft.com/User.Read",
        "https://graph.microsoft.com/User.Read.All",
        "offline_access",
    ]
    assert _secrets(emulator, play) == []


def test_the_server_s_interval_is_obeyed(plays: Plays, emulator: Emulator) -> None:
    """The emulator answers slow_down to whoever polls too early, and counts."""
    emulator.configure(device_code_approve_after=2, device_code_interval=1)
    # Far longer than the budget for retries: a person needs more time than a busy server.
    play = plays.run([{"tasks": [_get(retry_for=0.1), show(user="token.claims.upn")]}], record=True, env=ENV)
    assert play.returncode == 0, play.output
    assert play.shown() == {"user": "user0001@contoso.example"}
    polls = emulator.token_requests()
    assert [entry["status"] for entry in polls] == [400, 400, 200]
    assert all(later["time"] - earlier["time"] >= 0.9 for earlier, later in itertools.pairwise(polls))
    assert emulator.device_codes()[0]["polls"] == 3


@pytest.mark.parametrize(
    ("action", "error", "words"),
    [
        ("approve", None, []),
        ("decline", "authorization_declined", ["AADSTS65004", "declined"]),
        ("expire", "expired_token", ["device code has expired", "Run the play again for a new code"]),
    ],
)
def test_what_the_person_does_decides(
    plays: Plays, emulator: Emulator, action: str, error: str | None, words: list[str]
) -> None:
    """Read from the running play as the person does, in a file, as where output is piped."""
    emulator.configure(device_code_interval=1)
    tasks = [{**_get(), "ignore_errors": True}, show(user="token.claims.upn | default('')")]
    log = plays.directory / "run-0.log"
    with plays.start([{"tasks": tasks}], env=ENV) as running:
        wait_until(lambda: _MESSAGE.search(log.read_text()))
        _address, code = _MESSAGE.findall(log.read_text())[0]
        emulator.decide_device_code(code, action, user=7)
        play = running.finish()
    assert play.returncode == 0, play.output
    if error is None:
        assert play.shown() == {"user": "user0007@contoso.example"}
    else:
        result = play.result("Get")
        assert result["error"] == error
        assert [word for word in words if word not in result["msg"]] == []
        assert "credential device_code" in result["msg"]
    assert _asked_for_codes(emulator) == 1
    assert _secrets(emulator, play) == []


def test_nobody_comes(plays: Plays, emulator: Emulator) -> None:
    """When no time is left for another request the play ends, and says that nobody has used the code."""
    emulator.configure(device_code_interval=60, device_code_expires_in=50)
    play = plays.run([{"tasks": [_get()]}], hosts=3, record=True, env=ENV)
    assert play.returncode == 2
    assert "the user has not finished the sign-in yet" in play.result("Get")["msg"]
    assert set(_answers(emulator)) == {400}
    assert "Traceback" not in play.output


def test_the_next_run_needs_nobody(plays: Plays, emulator: Emulator) -> None:
    """The refresh token is kept for its owner alone, and each run leaves its successor."""
    emulator.configure(device_code_approve_after=0, refresh_token_rotation="strict")
    kept = plays.directory / "kept"
    tasks = [_get(refresh_token_file=str(kept)), show(kind="token.credential")]
    play = plays.run([{"tasks": tasks}], record=True, env=ENV)
    assert play.returncode == 0, play.output
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    first = kept.read_text().strip()
    assert first not in play.output
    emulator.forget_requests()
    presented = [first]
    for env in (ENV, {**ENV, "ENTRA_AUTH_CREDENTIAL": None}):
        play = plays.run([{"tasks": tasks}], hosts=3, record=True, env=env)
        assert play.returncode == 0, play.output
        assert _MESSAGE.search(play.output) is None
        presented.append(kept.read_text().strip())
    forms = [dict(entry["form"]) for entry in emulator.token_requests()]
    assert [(form["grant_type"], form["refresh_token"]) for form in forms] == [
        ("refresh_token", token) for token in presented[:2]
    ]
    assert len(set(presented)) == 3
    assert _asked_for_codes(emulator) == 0


@pytest.mark.parametrize("refused_with", [70008, pytest.param(50173, marks=pytest.mark.thorough)])
def test_a_kept_token_that_has_had_its_time_leads_to_a_new_sign_in(
    plays: Plays, emulator: Emulator, refused_with: int
) -> None:
    """Where somebody is there for it: the device code was asked for by name."""
    emulator.configure(device_code_approve_after=0)
    kept = plays.directory / "kept"
    old = emulator.add_refresh_token(PUBLIC_APP, refused_with=refused_with)
    kept.write_text(old)
    kept.chmod(0o600)
    play = plays.run([{"tasks": [_get(refresh_token_file=str(kept))]}], env=ENV)
    assert play.returncode == 0, play.output
    assert len(_MESSAGE.findall(play.output)) == 1
    assert _answers(emulator) == [400, 200]
    assert kept.read_text().strip() not in ("", old)


def test_a_file_that_can_t_be_written_is_refused_before_a_person_signs_in(plays: Plays, emulator: Emulator) -> None:
    """Else the sign-in would be lost."""
    missing: Path = plays.directory / "missing" / "kept"
    play = plays.run([{"tasks": [_get(refresh_token_file=str(missing))]}], record=True, env=ENV)
    assert play.returncode == 2
    assert str(missing.parent) in play.result("Get")["msg"]
    assert emulator.requests() == []
    assert _MESSAGE.search(play.output) is None


def test_it_is_never_chosen_by_itself_and_never_asked_for_from_a_target(plays: Plays, emulator: Emulator) -> None:
    """A play without a person in front of it must not wait for a sign-in."""
    tasks = [
        {**_get("auto", credential="auto"), "ignore_errors": True},
        {**_get("target", run_on="target"), "ignore_errors": True},
    ]
    play = plays.run([{"tasks": tasks}], record=True, env=ENV)
    assert "Missing: a credential" in play.result("auto")["msg"]
    assert "run_on: target is for the managed identity of the task's host" in play.result("target")["msg"]
    assert emulator.requests() == []


def test_an_app_that_is_not_public_says_what_to_change(plays: Plays, emulator: Emulator) -> None:
    """Entra finds that out at the end."""
    emulator.configure(device_code_approve_after=0)
    play = plays.run([{"tasks": [_get()]}], record=True, env={**ENV, "ENTRA_AUTH_CLIENT_ID": emulator.client_id})
    assert play.returncode == 2
    assert play.result("Get")["error_codes"] == [7000218]
    assert "allow public client flows" in play.result("Get")["msg"]


def test_two_people_who_keep_their_refresh_tokens_apart_get_tokens_of_their_own(
    plays: Plays, emulator: Emulator
) -> None:
    """App, tenant and scope are the same; whose token it is, is told by the file."""
    emulator.configure(device_code_approve_after=0)
    tasks: list[dict[str, t.Any]] = []
    for name in ("ann", "bob", "ann"):
        tasks.append(_get(refresh_token_file=str(plays.directory / name)))
        tasks.append(show(token="token.access_token", next="token.refresh_token"))
    play = plays.run([{"tasks": tasks}], record=True, env=ENV)
    assert play.returncode == 0, play.output
    assert _asked_for_codes(emulator) == 2
    _first, bob, ann = play.all_shown()
    assert ann["token"] != bob["token"]
    assert (plays.directory / "ann").read_text().strip() == ann["next"]
    assert (plays.directory / "bob").read_text().strip() == bob["next"]
