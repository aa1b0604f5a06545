# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup ``app_token``: its outputs, its terms, and the header that a stock uri task then sends."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from app_hosts import AppHosts
from cores import CORE_MASK

from plays import role, show, uri

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Plays

LOOKUP: t.Final = "lookup('entra.auth.app_token'"
GRAPH: t.Final = "https://graph.microsoft.com/.default"
ARM: t.Final = "https://management.azure.com/.default"
USERS: t.Final = "{{ lookup('env', 'ENTRA_AUTH_API_BASE_URL') }}/v1.0/users?$top=1"


def _authorizations(entries: list[dict[str, t.Any]]) -> list[list[str]]:
    """All values of all Authorization headers of each request."""
    return [[value for name, value in entry["headers"] if name.lower() == "authorization"] for entry in entries]


@pytest.mark.entry_point
def test_every_output_has_its_shape(plays: Plays, emulator: Emulator) -> None:
    """One token request, five forms of the same token."""
    outputs = ("access_token", "authorization", "headers", "uri", "token")
    shown = {output: f"{LOOKUP}, output='{output}', extra_headers={{'X-Team': 'blue'}})" for output in outputs}
    play = plays.run(
        [
            {
                "tasks": [
                    {"entra.auth.app_token": {}, "register": "token"},
                    show(**shown, default=f"{LOOKUP})", task="token"),
                ]
            }
        ],
        record=True,
    )
    assert play.returncode == 0, play.output
    values = play.shown()
    access_token = values["task"]["access_token"]
    assert values["access_token"] == values["default"] == access_token
    assert values["authorization"] == f"Bearer {access_token}"
    assert values["headers"] == {"X-Team": "blue", "Authorization": f"Bearer {access_token}"}
    assert values["uri"] == {
        "headers": values["headers"],
        "url_password": access_token,
        "use_netrc": False,
        "unredirected_headers": ["X-Team", "Authorization"],
    }
    assert values["token"].keys() == values["task"].keys() - {"changed", "failed"}
    differing = {"source", "headers", "expires_in"}
    assert {name: values["token"][name] for name in values["token"].keys() - differing} == {
        name: values["task"][name] for name in values["token"].keys() - differing
    }
    assert (values["task"]["source"], values["token"]["source"]) == ("network", "cache")
    assert len(emulator.requests()) == 1


def test_terms_are_scopes_and_keywords_the_options_of_the_module(plays: Plays, emulator: Emulator) -> None:
    """None, one, several, an empty one, the keyword, and a term beside the keyword; tenant, client and secret."""
    app = emulator.add_app(secret="made-up~secret-of-the-call")
    keywords = f"tenant='contoso.example', client_id='{app['client_id']}', client_secret=secret"
    play = plays.run(
        [
            {
                "vars": {"secret": "made-up~secret-of-the-call"},
                "tasks": [
                    show(
                        none="query('entra.auth.app_token', output='token')",
                        keyword=f"{LOOKUP}, scope='arm', output='token')",
                        alias=f"{LOOKUP}, resource='arm', output='token')",
                        both=f"{LOOKUP}, 'graph', scope='arm', output='token')",
                        empty=f"{LOOKUP}, '', output='token')",
                        full=f"{LOOKUP}, '{ARM}', output='token')",
                        several="query('entra.auth.app_token', 'graph', 'arm', output='token')",
                        listed=f"{LOOKUP}, 'arm', 'graph', output='token', wantlist=True)",
                        joined=f"{LOOKUP}, 'graph', 'arm', output='authorization')",
                        identity=f"{LOOKUP}, {keywords}, output='token')",
                    ),
                ],
            }
        ],
        record=True,
    )
    assert play.returncode == 0, play.output
    values = play.shown()
    assert [token["scope"] for token in values["none"]] == [GRAPH]
    single = {name: values[name]["scope"] for name in ("keyword", "alias", "both", "empty", "full")}
    assert single == {"keyword": ARM, "alias": ARM, "both": GRAPH, "empty": GRAPH, "full": ARM}
    assert [token["scope"] for token in values["several"]] == [GRAPH, ARM]
    assert [token["scope"] for token in values["listed"]] == [ARM, GRAPH]
    assert values["joined"] == ",".join(token["authorization"] for token in values["several"])
    assert [values["identity"][name] for name in ("tenant_id", "client_id")] == ["contoso.example", app["client_id"]]
    *own, sent = emulator.requests()
    assert len(own) == 2
    assert sent["path"] == "/contoso.example/oauth2/v2.0/token"
    assert dict(sent["form"])["client_secret"] == "made-up~secret-of-the-call"


def test_module_defaults_put_the_header_on_uri_tasks(plays: Plays, emulator: Emulator) -> None:
    """Written once at any level, the header is on the wire exactly, and the response stays readable.

    An entry of a netrc file for the host replaces neither the header nor the credential.
    """
    netrc = plays.home / ".netrc"
    netrc.write_text("machine localhost login made-up-user password made-up-password\n")
    netrc.chmod(0o600)
    defaults = {"module_defaults": {"ansible.builtin.uri": "{{ " + LOOKUP + ", output='uri') }}"}}
    call = {"name": "Call", "ansible.builtin.uri": {"url": USERS}}
    levels: dict[str, dict[str, t.Any]] = {
        "task": {"tasks": [{**call, **defaults}]},
        "block": {"tasks": [{"block": [call], **defaults}]},
        "play": {"tasks": [call], **defaults},
    }
    hosts = AppHosts(emulator)
    for level in levels:
        hosts.add(level, roles={"graph": ["User.Read.All"]})
    playbook = [{"hosts": level, **keywords} for level, keywords in levels.items()]
    play = plays.run([*playbook, {"tasks": [show(token=f"{LOOKUP})")]}], hosts=hosts.variables, record=True)
    assert play.returncode == 0, play.output
    called = emulator.requests(listener="api")
    assert _authorizations(called) == [[f"Bearer {play.shown(level)['token']}"] for level in levels]
    assert _authorizations(emulator.token_requests()) == [[]] * len(levels)
    for level in levels:
        users = play.result("Call", level)["json"]["value"]
        assert users[0]["userPrincipalName"] == "user0001@contoso.example", level
    assert hosts.list_scopes() == {level: [GRAPH] for level in levels}


def test_a_redirect_elsewhere_carries_no_token(plays: Plays, emulator: Emulator) -> None:
    """With each method, the request to a stranger has neither the Authorization header nor the extra ones."""
    emulator.fault("redirect", endpoint="graph", times=None)
    emulator.fault("redirect", endpoint="arm", status=307, times=None)
    defaults = f"{LOOKUP}, output='uri', extra_headers={{'X-Key': 'made-up~key'}})"
    api = USERS.partition("/v1.0")[0]
    tasks = [
        uri(USERS, defaults),
        uri(f"{api}/v1.0/users", defaults, method="POST", body={"a": 1}, body_format="json", follow_redirects="all"),
        uri(f"{api}/subscriptions", defaults, follow_redirects="all"),
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    asked, followed = emulator.requests(listener="api"), emulator.requests(listener="foreign")
    assert [len(values) for values in _authorizations(asked)] == [1, 1, 1]
    assert _authorizations(followed) == [[], [], []]
    assert all(["X-key", "made-up~key"] in [[name.capitalize(), v] for name, v in entry["headers"]] for entry in asked)
    assert "made-up~key" not in json.dumps(followed)
    assert _tokens(asked).isdisjoint({value for entry in followed for _name, value in entry["headers"]})


def _tokens(entries: list[dict[str, t.Any]]) -> set[str]:
    return {value.removeprefix("Bearer ") for values in _authorizations(entries) for value in values}


def test_the_token_is_nowhere_in_what_uri_shows(plays: Plays, emulator: Emulator) -> None:
    """Not at -vvv, not when the call fails, not when the server sends the token back; the rest is readable."""
    echo = emulator.urls.foreign + "/echo/{{ " + LOOKUP + ") }}/end"
    defaults = f"{LOOKUP}, output='uri')"
    calls = [
        {**uri(USERS, defaults), "register": "users"},
        {**uri(USERS.replace("users", "nothing"), defaults), "name": "Refused", "ignore_errors": True},
        {**uri("https://localhost:9/", defaults), "name": "Unreached", "ignore_errors": True},
        {**uri(USERS, defaults), "name": "Looped", "loop": [1, 2]},
        {**uri(echo, defaults), "name": "Echoed"},
    ]
    play = plays.run([{"tasks": [*calls, show(users="users")]}], "-vvv", record=True)
    assert play.returncode == 0, play.output
    (token,) = _tokens(emulator.requests(listener="api"))
    assert [entry["path"] for entry in emulator.requests(listener="foreign")] == [f"/echo/{token}/end"]
    assert token not in play.output
    assert token not in json.dumps(play.shown()["users"])
    assert play.result("Echoed")["json"]["path"] == f"/echo/{CORE_MASK}/end"
    assert play.result("Refused")["json"]["error"]["code"] == "Request_ResourceNotFound"
    assert "refused" in play.result("Unreached")["msg"].lower()


@pytest.mark.entry_point
def test_it_serves_every_host_and_loop_item(plays: Plays, emulator: Emulator) -> None:
    """Variables of the host decide whose token it is."""
    other = emulator.add_app(secret="made-up~secret-of-h002")
    of_host = {
        "h001": [emulator.client_id, emulator.client_secret],
        "h002": [other["client_id"], "made-up~secret-of-h002"],
    }
    play = plays.run(
        [
            {
                "vars": {
                    "of_host": of_host,
                    "app_token_client_id": "{{ of_host[inventory_hostname][0] }}",
                    "app_token_client_secret": "{{ of_host[inventory_hostname][1] }}",
                },
                "tasks": [
                    {
                        "ansible.builtin.debug": {"msg": "{{ " + LOOKUP + ", item, output='token').client_id }}"},
                        "loop": ["graph", "arm"],
                        "register": "looped",
                    },
                    show(clients="looped.results | map(attribute='msg') | list"),
                ],
            }
        ],
        hosts=2,
        record=True,
    )
    assert play.returncode == 0, play.output
    assert play.shown("h001")["clients"] == [emulator.client_id] * 2
    assert play.shown("h002")["clients"] == [other["client_id"]] * 2
    assert len(emulator.token_requests()) == 4


def test_secrets_from_vaults_stay_apart_behind_the_same_template(plays: Plays, emulator: Emulator) -> None:
    """Each host gets the token of its own app, of which each is asked for once, in all tasks."""
    hosts = ("h001", "h002", "h003", "h004")
    secrets = ("made-up~secret-1", "made-up~secret-2")
    apps = [emulator.add_app(secret=secret)["client_id"] for secret in secrets]
    password, vault = plays.directory / "password", VaultLib([("default", VaultSecret(b"made-up-password"))])
    password.write_text("made-up-password")
    for number, host in enumerate(hosts):
        variables = {"vault_app_id": apps[number % 2], "vault_app_secret": secrets[number % 2]}
        path = plays.directory / "host_vars" / f"{host}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(vault.encrypt(json.dumps(variables)))
    names = {"app_token_client_id": "{{ vault_app_id }}", "app_token_client_secret": "{{ vault_app_secret }}"}
    tasks = [show(token=f"{LOOKUP})") for _number in range(3)]
    play = plays.run([{"tasks": tasks}], "--vault-password-file", str(password), hosts=len(hosts), record=True, **names)
    assert play.returncode == 0, play.output
    shown = {(host, values["token"]) for host in hosts for values in play.all_shown(host)}
    tokens = dict(shown)
    assert len(shown) == len(hosts)
    assert [tokens["h001"], tokens["h002"]] == [tokens["h003"], tokens["h004"]]
    assert [dict(request["form"])["client_id"] for request in emulator.token_requests()].count(apps[0]) == 1
    assert tokens["h001"] != tokens["h002"]
    assert len(emulator.token_requests()) == 2


def test_it_works_in_a_template_and_a_handler(plays: Plays, emulator: Emulator) -> None:
    """In each place where an expression may stand, and in the role's own variables too."""
    plays.directory.joinpath("headers.j2").write_text("{{ " + LOOKUP + ", output='headers') | to_json }}")
    play = plays.run(
        [
            {
                "tasks": [
                    role("app_token"),
                    {
                        "ansible.builtin.template": {"src": "headers.j2", "dest": "headers.json", "mode": "0600"},
                        "notify": "Call",
                        "no_log": True,
                    },
                ],
                "handlers": [uri(USERS, "app_token_uri")],
            }
        ],
        record=True,
    )
    assert play.returncode == 0, play.output
    written = json.loads(plays.directory.joinpath("headers.json").read_text())
    assert _authorizations(emulator.requests(listener="api")) == [[written["Authorization"]]]
    assert len(emulator.token_requests()) == 1
