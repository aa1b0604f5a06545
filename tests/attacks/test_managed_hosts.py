# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A managed node answers the module of ``run_on: target``: it gets no other host's token, and gives no host its own."""

from __future__ import annotations

import shlex
import sys
import typing as t

from attacks.attacker import PING, STOLEN, STOLEN_DIGEST, expect_none, get_end, return_facts

from plays import role, show

if t.TYPE_CHECKING:
    from attacks.attacker import Attack, HostileNode, Task

AUTH: t.Final = "entra.auth.app_token"
DIGEST: t.Final = "| hash('sha256')"
_YEARS: t.Final = 27 * 365 * 86400
_DAY: t.Final = 86400


def get(name: str = "Get", **options: t.Any) -> Task:
    """Get the token of the task's host."""
    task: Task = {"name": name, AUTH: {"run_on": "target", **options}, "register": "token"}
    return {**task, "ignore_errors": True}


def add_victim(attack: Attack, name: str = "victim") -> None:
    """Put an Azure machine with a managed identity into the inventory."""
    environment = attack.emulator.managed_identity_environment("app_service")
    assigned = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
    python = attack.directory / f"{name}-python"
    python.write_text(f'#!/bin/sh\nexec env {assigned} {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    attack.add_host(name, ansible_connection="local", ansible_python_interpreter=str(python))


def add_forger(attack: Attack, name: str, facts: dict[str, t.Any] | None = None) -> HostileNode:
    """Put a node into the inventory that answers every module with a token of its own, which is valid for years."""
    long_lived = {"access_token": STOLEN, "lifetime": _YEARS}
    return attack.add_node(name, {"token": long_lived, **return_facts(**(facts or {}))})


def test_a_host_gets_no_other_hosts_token(attack: Attack) -> None:
    """Whatever it says about itself and about delegation."""
    add_victim(attack)
    names = {"victim": {"inventory_hostname": "victim"}}
    facts: dict[str, dict[str, t.Any]] = {
        "delegated": {"ansible_delegated_vars": names},
        "named": {"inventory_hostname": "victim", "ansible_host": "victim", "inventory_hostname_short": "victim"},
        "item": {"ansible_delegated_vars": {"victim": {"ansible_host": "victim"}}, "delegated_vars": names},
    }
    for name, each in facts.items():
        add_forger(attack, name, each)
    credential = {"credential": "managed_identity"}
    lookup = "lookup('" + AUTH + "', credential='managed_identity', run_on='target')"
    look_up: Task = {
        "name": "Look up",
        "ansible.builtin.set_fact": {"found": "{{ " + lookup + " }}"},
        "ignore_errors": True,
    }
    plays = [
        {"hosts": "victim", "tasks": [get(**credential)]},
        {"hosts": "all:!victim", "tasks": [PING, look_up, get(**credential)]},
        {"tasks": [show(token=f"token.access_token | default('') {DIGEST}", found=f"found | default('') {DIGEST}")]},
    ]
    play = attack.run(plays)
    victims = play.shown("victim")["token"]
    assert get_end(play, "Get", "victim") == "ok", play.output
    expect_none({name: "the victim's token" for name in facts if victims in play.shown(name).values()})


def test_a_host_gives_its_token_to_no_other_host(attack: Attack) -> None:
    """Neither in this run nor, by a cache that outlives it, in a later one; and it is valid for a day at most."""
    add_forger(attack, "forger")
    add_victim(attack)
    credential = {"credential": "managed_identity", "cache": "user", "cache_key": "0123456789abcdef" * 4}
    key = {"cache": "user", "cache_key": credential["cache_key"]}
    play = attack.run(
        [
            {"hosts": "forger", "tasks": [get(**credential), get("Again", **credential)]},
            {"hosts": "victim", "tasks": [get(**credential)]},
            {
                "tasks": [
                    show(token=f"token.access_token {DIGEST}", seconds="token.expires_in", client="token.client_id")
                ]
            },
        ]
    )
    assert play.returncode == 0, play.output
    forged = play.shown("forger")
    assert (forged["token"], play.shown("victim")["token"] == STOLEN_DIGEST) == (STOLEN_DIGEST, False)
    assert 0 < forged["seconds"] <= _DAY
    # A later run, from the controller.
    app = show(app=f"token.access_token {DIGEST}")
    controller = {"name": "App", AUTH: {**key, "min_validity": 0}, "register": "token"}
    later = attack.run([{"hosts": "victim", "tasks": [get(**credential), app, controller, app]}])
    shown = [values["app"] for values in later.all_shown("victim")]
    assert len(shown) == 2
    assert STOLEN_DIGEST not in shown
    # And from the hostile node itself, once it is honest.
    assert not [
        path for path in attack.plays.home.rglob("*") if "entra_auth" in str(path) and b"forger" in path.name.encode()
    ]


def test_no_credential_but_a_managed_identity_goes_to_a_host(attack: Attack) -> None:
    """Given or found in the environment: the secret stays here, and the node's answer counts for no app."""
    forger = add_forger(attack, "forger")
    attack.add_host("other")
    secret = attack.emulator.client_secret
    given = [
        get("Found"),
        get("Explicit", credential="client_secret"),
        get("Secret", client_secret=secret),
        get(
            "Refresh token",
            credential="refresh_token",
            refresh_token=attack.emulator.add_refresh_token(attack.emulator.client_id),
        ),
        get("Assertion", credential="federated", federated_token="made-up.federated.assertion-0123456789"),
        {
            "name": "Role",
            "block": [role("app_token", app_token_run_on="target", app_token_credential="client_secret")],
            "rescue": [{"ansible.builtin.debug": {}}],
        },
    ]
    own = {"name": "Own", AUTH: {"cache": "user"}, "register": "token"}
    plays = [
        {"hosts": "forger", "tasks": given},
        {"hosts": "other", "tasks": [own, show(token=f"token.access_token {DIGEST}")]},
    ]
    play = attack.run(plays)
    sent = forger.received()
    words = (secret, secret.split("+")[0].split(" ")[0], "made-up.federated", "client_secret", "refresh_token")
    expect_none({word: "sent to the node" for word in words if word.encode() in sent}, play)
    assert play.shown("other")["token"] != STOLEN_DIGEST
    assert get_end(play, "Explicit", "forger") == "failed"
    assert "client_secret" in play.result("Explicit", "forger")["msg"]
    assert "run_on" in play.result("Explicit", "forger")["msg"]


def test_what_a_host_says_about_a_failure_is_text_and_nothing_else(attack: Attack) -> None:
    """No template, no escape sequence, no size, no type does more than to be shown."""
    answers: dict[str, dict[str, t.Any]] = {
        "template": {"failure": {}, "msg": "{{ lookup('env', 'ENTRA_AUTH_CLIENT_SECRET') }}"},
        "hint": {
            "failure": {"hint": "{{ 6 * 7 }}\x1b[2J", "error_codes": ["{{ 1 }}", {}], "passes_after": "soon"},
            "msg": 5,
        },
        "long": {"failure": {"hint": "x" * 100000}, "msg": "y" * 1000000},
        "types": {"token": {"access_token": {"a": 1}, "lifetime": "1"}},
        "list": {"token": [STOLEN]},
        "control": {"token": {"access_token": "a\r\nX-Evil: 1", "lifetime": 60}},
        "negative": {"token": {"access_token": STOLEN, "lifetime": -1}},
        "infinite": {"token": {"access_token": STOLEN, "lifetime": 1e400}, "failed": False},
    }
    for name, answer in answers.items():
        attack.add_node(name, answer)
    play = attack.run([{"tasks": [get(credential="managed_identity")]}])
    expect_none({name: "taken" for name in answers if name != "infinite" and get_end(play, "Get", name) != "failed"})
    texts = {name: play.result("Get", name).get("msg", "") for name in answers}
    expect_none(
        {name: text for name, text in texts.items() if len(text) > 2000 or "Traceback" in text or "\x1b" in text}
    )
    assert attack.emulator.client_secret not in play.output
    assert "42" not in texts["hint"]
