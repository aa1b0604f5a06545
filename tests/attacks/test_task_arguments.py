# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reader of output and job events looks for the arguments of tasks."""

from __future__ import annotations

import json
import typing as t

from attacks.attacker import expect_none
from cores import CORE
from leaks import Markers
from runner_jobs import Runner

from plays import ROOT, role

if t.TYPE_CHECKING:
    from attacks.attacker import Attack, Task

AUTH: t.Final = "entra.auth.app_token"
SECRETS: t.Final = {
    "client_secret": "attackClientSecret~0123456789",
    "refresh_token": "1.attackRefreshToken-0123456789",
    "federated_token": "attackHeader.attackAssertion-0123456789.attackSignature",
    "client_certificate": "attackCertificate~0123456789",
    "client_certificate_password": "attackCertificatePassword~0123456789",
    "cache_key": "attackCacheKey~0123456789abcdef0123456789abcdef",
    "federated_token_request_token": "attackRequestToken~0123456789",
    "access_token": "attackAccessToken~0123456789",
}
PASSWORDS: t.Final = {
    "proxy": "http://someone:attackProxyPassword0123456789@localhost:9",
    "cache": "redis://:attackRedisPassword0123456789@localhost:9/0",
}
# Other arguments of each module.
MODULES: t.Final[dict[str, dict[str, t.Any]]] = {
    "app_token": {},
    "api_request": {"url": "/v1.0/users", "access_token": "{{ held.access_token }}"},
    "authorized_uri": {"url": "/v1.0/users", "access_token": "{{ held.access_token }}"},
    "preflight": {"scopes": ["graph"]},
}
MARKERS: t.Final = Markers(
    {
        **SECRETS,
        "proxy": "attackProxyPassword0123456789",
        "cache": "attackRedisPassword0123456789",
    }
)


def make_tasks() -> list[Task]:
    """Each module with every secret there is: as it is, with async, and with an option that is not known."""
    options = {name: "{{ held." + name + " }}" for name in (*SECRETS, *PASSWORDS) if name != "access_token"}
    tasks = []
    for module, more in MODULES.items():
        arguments = {**options, **more}
        tasks += [
            {"name": module, f"entra.auth.{module}": arguments},
            {"name": f"{module}, async", f"entra.auth.{module}": arguments, "async": 10},
            {"name": f"{module}, async without poll", f"entra.auth.{module}": arguments, "async": 10, "poll": 0},
            {
                "name": f"{module}, unknown",
                f"entra.auth.{module}": {**arguments, "client_secrets": "{{ held.client_secret }}"},
            },
            {"name": f"{module}, loop", f"entra.auth.{module}": arguments, "loop": [1]},
            {"name": f"{module}, check", f"entra.auth.{module}": arguments, "check_mode": True, "diff": True},
            {"name": f"{module}, until", f"entra.auth.{module}": arguments, "until": "false", "retries": 1, "delay": 0},
        ]
    return [{**task, "ignore_errors": True} for task in tasks]


def test_no_task_shows_its_secrets_with_its_arguments(attack: Attack) -> None:
    """With display_args_to_stdout, at -vvv, whatever becomes of the task and by each strategy."""
    attack.add_host("victim")
    held = {"held": {**SECRETS, **PASSWORDS}}
    play = attack.run(
        [{"strategy": strategy, "vars": held, "tasks": make_tasks()} for strategy in ("linear", "free")],
        "-vvv",
        record=False,
        env={"ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true", "ENTRA_AUTH_TIMEOUT": "1"},
    )
    assert play.output.count("TASK [app_token, async without poll") == 2
    lines = play.output.split("TASK [")
    hits = {line[:40].partition("]")[0]: leaks for line in lines if (leaks := MARKERS.in_text(line, "output"))}
    expect_none(hits)


def test_no_job_event_has_secrets_among_the_arguments(attack: Attack) -> None:
    """With the same switch, which AWX turns on for some: by the strategy that shows the evaluated arguments."""
    variables = {"held": {**SECRETS, **PASSWORDS}}
    job = Runner(attack.plays, attack.emulator).run(
        make_tasks(),
        env={"ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true"},
        strategy="free",
        **t.cast("dict[str, str]", variables),
    )
    events = [json.loads(path.read_text()) for path in (job.artifacts / "job_events").glob("*.json")]
    names = {event.get("event_data", {}).get("task") for event in events}
    assert {"app_token, async", "api_request, loop"} <= names, job.printed[-3000:]
    found = {}
    for event in events:
        if leaks := MARKERS.in_text(json.dumps(event), "event"):
            found[f"{event.get('event')} {event.get('event_data', {}).get('task')}"] = leaks[0]
    expect_none(found)


def test_module_defaults_put_a_token_into_the_arguments_of_uri_alone(attack: Attack) -> None:
    """For callbacks that send the arguments of each task. Older cores put them into every task of the block."""
    attack.add_host("victim")
    api = attack.emulator.urls.api
    tasks = [
        {"name": "Debug", "ansible.builtin.debug": {"msg": "x"}},
        {"name": "Command", "ansible.builtin.command": {"argv": ["true"]}},
        {"name": "Call", "ansible.builtin.uri": {"url": f"{api}/v1.0/users?$top=1"}},
    ]
    block = {"module_defaults": {"ansible.builtin.uri": "{{ app_token_uri }}"}, "block": tasks}
    play = attack.run(
        [{"tasks": [role("app_token"), block]}], env={"ANSIBLE_STDOUT_CALLBACK": "record_arguments"}, record=False
    )
    assert play.returncode == 0, play.output
    markers = Markers({"token": attack.emulator.issued()["token"][0]})
    seen = [json.loads(line) for line in play.stdout.splitlines() if line.startswith('{"task"')]
    tokens_in = {one["task"] for one in seen if markers.in_text(json.dumps(one), "fields")}
    others = {"Debug", "Command"} & tokens_in
    if CORE < (2, 19):
        assert others == {"Debug", "Command"}, "this core shows less: shorten the limits in guide_secrecy"
        assert "module_defaults" in (ROOT / "docs/docsite/rst/guide_secrecy.rst").read_text().partition("Limits")[2]
    else:
        assert not others
