# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A later task, from another host, reads the variables of all hosts: no secret of a credential is among them."""

from __future__ import annotations

import typing as t

from attacks.attacker import expect_none
from certificates import issue
from leaks import Markers

from plays import role, show

if t.TYPE_CHECKING:
    from attacks.attacker import Attack, Task


def dump(directory: str, name: str) -> list[Task]:
    """Write the variables of all hosts into a file of each host, and show what else of ours this host can see."""
    content = "{% for host in groups.all %}{{ hostvars[host] }}{% endfor %}"
    return [
        {
            "name": f"Dump {name}",
            "ansible.builtin.copy": {"content": content, "dest": f"{directory}/{name}-{{{{ inventory_hostname }}}}"},
            "delegate_to": "localhost",
        },
        {
            "name": f"Show all {name}",
            "ansible.builtin.debug": {"msg": "{{ lookup('ansible.builtin.vars', item, default='') }}"},
            "loop": "{{ query('ansible.builtin.varnames', '^(_|app_token|authorized_uri|preflight)') }}",
            "ignore_errors": True,
        },
    ]


def test_no_variable_of_any_host_holds_a_secret_of_a_credential(attack: Attack) -> None:
    """After each role, which goes on to renew by itself with what it was called with."""
    emulator, dumps = attack.emulator, attack.directory / "dumps"
    dumps.mkdir()
    certificate = issue("app")
    issuer, subject, audience = emulator.add_issuer("https://ci.attack.example"), "attack", "api://AzureADTokenExchange"
    federated = [{"issuer": issuer, "subject": subject, "audience": audience}]
    roles = {"graph": ["User.Read.All", "Organization.Read.All"]}
    proofs = {"certificates": [certificate.certificate_pem], "federated": federated}
    app = str(emulator.add_app(secret="attack~client~secret/0123456789", roles=roles, **proofs)["client_id"])
    secrets = {
        "client_secret": "attack~client~secret/0123456789",
        "client_certificate": certificate.pem("attack~certificate~password~0123456789"),
        "client_certificate_password": "attack~certificate~password~0123456789",
        "federated_token": emulator.mint_assertion(issuer, subject, audience),
        "cache_key": "attack~cache~key~0123456789abcdef0123456789",
        "refresh_token": emulator.add_refresh_token(app),
    }
    held = {name: "{{ lookup('env', 'HELD_" + name.upper() + "') }}" for name in secrets}
    kinds: dict[str, dict[str, str]] = {
        "client_secret": {"client_secret": held["client_secret"], "cache_key": held["cache_key"]},
        "client_certificate": {name: held[name] for name in ("client_certificate", "client_certificate_password")},
        "federated": {"federated_token": held["federated_token"]},
        "refresh_token": {"refresh_token": held["refresh_token"], "client_secret": held["client_secret"]},
    }
    tasks: list[Task] = []
    for kind, options in kinds.items():
        attack.add_host(kind.replace("_", "-"))
        named = {f"app_token_{name}": value for name, value in options.items()}
        called = {"app_token_credential": kind, "app_token_client_id": app, **named}
        here = {"when": f"inventory_hostname == '{kind.replace('_', '-')}'"}
        tasks.append({**role("app_token", **called), **here})
        call = role("authorized_uri", authorized_uri_url="/v1.0/organization", **called)
        tasks.append({"name": "Call", "block": [call], "rescue": [{"ansible.builtin.debug": {}}], **here})
        preflight = {"preflight_scopes": ["graph"], "preflight_fail": False}
        tasks.append({**role("preflight", **preflight, **called), **here})
    attack.add_host("observer")
    tasks += [
        *dump(str(dumps), "after"),
        {
            **show(
                client="app_token_uri.headers | length",
                same="app_token_headers.Authorization == app_token.authorization",
            ),
            "when": "inventory_hostname != 'observer'",
        },
        *dump(str(dumps), "later"),
    ]
    env = {f"HELD_{name.upper()}": value for name, value in secrets.items()}
    cache = {
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(dumps / "facts"),
    }
    play = attack.run([{"tasks": tasks}], env={**env, **cache, "ENTRA_AUTH_CLIENT_SECRET": None})
    assert play.returncode == 0, play.output[-3000:]
    for kind in kinds:
        assert play.shown(kind.replace("_", "-")) == {"client": 1, "same": True}
    written = [path for path in dumps.iterdir() if path.is_file()]
    assert len(written) == 10
    assert "app_token" in (dumps / "after-observer").read_text()
    markers = Markers({**secrets, "client_certificate": "".join(certificate.key_pem().splitlines()[1:-1])})
    expect_none(
        {f"{leak.marker} in {path.name}": leak for path in written for leak in markers.in_tree(path)}
        | {f"{leak.marker} in output": leak for leak in markers.in_text(play.output, "output")}
    )
