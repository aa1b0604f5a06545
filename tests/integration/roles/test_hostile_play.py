# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every role of the collection in one play that has everything set which could reach into a role.

Variables of other roles, module_defaults, become, any_errors_fatal, several hosts, a busy API, revoked tokens, skipped
tasks, failures that are rescued, and a fact cache.
"""

from __future__ import annotations

import typing as t

import pytest

from entra_emulator import seed
from plays import Plays, role, show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play

Task = dict[str, t.Any]
HOSTS: t.Final = ("h001", "h002", "h003")
OTHER_APP: t.Final = {
    "app_token_client_id": seed.OPERATOR,
    "app_token_client_secret": "made-up~secret-of-operator",
}
# As a play, an inventory or -e has them for later calls of its own.
VARIABLES: t.Final[Task] = {
    "authorized_uri_method": "DELETE",
    "authorized_uri_body": {"deleted": "everything"},
    "authorized_uri_body_format": "json",
    "authorized_uri_status_code": [200, 204, 404, 429],
    "authorized_uri_headers": {"X-Of-The-Play": "yes"},
    "authorized_uri_scope": "arm",
    "authorized_uri_allowed_hosts": ["*.example"],
    "authorized_uri_retry_for": 0,
    "authorized_uri_jmespath": "nothing",
    "authorized_uri_url": "/v1.0/users/of-the-play",
    "preflight_calls": [{"url": "/v1.0/users?$top=1"}],
    "preflight_scopes": "graph,arm",
    "preflight_required_roles": {"graph": "User.Read.All"},
    "app_token_min_validity": 100,
    "app_token_extra_headers": {"X-Extra": "yes"},
}
PLAY: t.Final[Task] = {
    "become": True,
    "become_user": "root",
    "any_errors_fatal": True,
    "ignore_unreachable": True,
    "environment": {"ENTRA_AUTH_CLIENT_ID": "of-a-host", "http_proxy": ""},
    "module_defaults": {
        "group/entra.auth.entra": {"timeout": 20},
        "ansible.builtin.debug": {"verbosity": 3},
        "ansible.builtin.set_fact": {"cacheable": True},
        "ansible.builtin.uri": {"method": "PUT", "headers": {"X-Default": "yes"}, "follow_redirects": "all"},
    },
}


def get_user(url: str = "/v1.0/users?$top=1", **more: t.Any) -> Task:
    """A task that calls the role authorized_uri with what differs from the variables of the play."""
    own = {"url": url, "method": "GET", "scope": "graph", "body": "", "status_code": 200, "retry_for": 60, **more}
    return role("authorized_uri", **{f"authorized_uri_{name}": value for name, value in own.items()})


def rescue(*tasks: Task, fact: str) -> Task:
    """A block whose failure is rescued, and the status of the fact afterwards kept under a name."""
    keep = {"ansible.builtin.set_fact": {fact: "{{ authorized_uri_result.status | default('none') }}"}}
    return {"block": list(tasks), "rescue": [keep]}


def build_tasks(emulator: Emulator) -> list[Task]:
    """All roles, each several times and under each circumstance."""
    control = "{{ lookup('env', 'ENTRA_EMULATOR_CONTROL') }}"
    revoke = {"client_id": emulator.client_id, "challenge": True}
    return [
        role("preflight"),
        role("app_token", app_token_fact="of_the_reader"),
        {**role("app_token", app_token_fact="of_the_operator", **OTHER_APP), "when": False},
        get_user(),
        {
            "name": "Revoke",
            "ansible.builtin.uri": {
                "url": f"{control}/revocations", "method": "POST", "body": revoke, "body_format": "json",
            },
            "run_once": True,
        },
        get_user(fact="after_revocation"),
        role("preflight", preflight_fact="checked_again", preflight_calls=[], preflight_default_calls=False),
        rescue(get_user("/v1.0/users/absent"), fact="absent"),
        rescue(get_user("http://127.0.0.1:1/x", allowed_hosts=["http://127.0.0.1:1"], retry_for=0), fact="unreachable"),
        {
            "name": "Use the header",
            "ansible.builtin.uri": {"url": "{{ of_the_reader.api_url }}/v1.0/organization", "method": "GET"},
            "module_defaults": {"ansible.builtin.uri": "{{ app_token_uri }}"},
        },
        {**show(
            checked="preflight_result.ok", again="checked_again.ok", reader="of_the_reader.client_id",
            operator="of_the_operator is defined", renewed="after_revocation.status", absent="absent",
            unreachable="unreachable",
        ), "module_defaults": {"ansible.builtin.debug": {"verbosity": 0}}},
    ]  # fmt: skip


@pytest.fixture
def play(plays: Plays, emulator: Emulator) -> Play:
    sudo = plays.directory / "fake-sudo"
    sudo.write_text(
        '#!/bin/bash\nwhile [ $# -gt 0 ]; do case $1 in -u) shift 2;; -*) shift;; *) break;; esac; done\nexec "$@"\n'
    )
    sudo.chmod(0o755)
    emulator.fault("status", endpoint="/subscriptions", status=429, retry_after=1, times=2)
    emulator.fault("status", endpoint="/v1.0/users", status=429, retry_after=1, match="top=1", times=2)
    emulator.fault("status", endpoint="/v1.0/organization", status=401)
    return plays.run(
        [{**PLAY, "vars": VARIABLES, "tasks": build_tasks(emulator)}],
        hosts=len(HOSTS),
        record=True,
        env={
            "ANSIBLE_BECOME_EXE": str(sudo),
            "ANSIBLE_BECOME_ALLOW_SAME_USER": "1",
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(plays.directory / "facts"),
        },
    )


def test_every_role_survives_a_hostile_play(play: Play, emulator: Emulator) -> None:
    assert play.returncode == 0, play.output
    for host in HOSTS:
        shown = play.shown(host)
        assert (shown["checked"], shown["again"], shown["renewed"]) == (True, True, 200), host
        assert (shown["reader"], shown["operator"]) == (emulator.client_id, False), host
        assert (int(shown["absent"]), int(shown["unreachable"])) == (404, -1), host
    log = emulator.requests(listener="api")
    assert {entry["method"] for entry in log} == {"GET"}
    assert not any(entry["body"] for entry in log)
    assert not any(name == "X-Default" for entry in log for name, _value in entry["headers"])
    assert {429, 401, 200} <= {entry["status"] for entry in log}
    assert emulator.tokens_at_strangers() == []
    tokens = [token for token in emulator.issued()["token"] if token]
    assert tokens
    kept = "".join(path.read_text() for path in (play.directory / "facts").rglob("*") if path.is_file())
    for secret in (*tokens, emulator.client_secret, OTHER_APP["app_token_client_secret"]):
        assert secret not in play.output
        assert secret not in kept
