# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A managed node returns facts with the names of options: it must decide nothing for the controller."""

from __future__ import annotations

import json
import ssl
import typing as t

import trustme
from attacks.attacker import PING, expect_none, read_shown, return_facts

from plays import role, show

if t.TYPE_CHECKING:
    from attacks.attacker import Attack, AttackerServer, Task

    from plays import Play

AUTH: t.Final = "entra.auth.app_token"
USERS: t.Final = "/v1.0/users?$top=1"
MODULE: t.Final[Task] = {"name": "Module", AUTH: {}, "register": "token", "ignore_errors": True}
LOOKUP: t.Final[Task] = {
    "name": "Lookup",
    "ansible.builtin.debug": {"msg": "{{ lookup('" + AUTH + "') | length }}"},
    "ignore_errors": True,
}
API: t.Final[Task] = {"name": "API", "entra.auth.api_request": {"url": USERS, "max_items": 1}, "ignore_errors": True}


def include(name: str, **variables: t.Any) -> Task:
    """Include a role whose tasks run on the controller, and go on if it fails."""
    task = {"name": f"Include {name}", "delegate_to": "localhost", "block": [role(name, **variables)]}
    return {
        **task,
        "rescue": [{"name": f"Failed {name}", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}],
    }


def run_on_nodes(attack: Attack, *tasks: Task, arguments: t.Sequence[str] = ()) -> Play:
    """Gather the facts of all nodes, then run tasks on all of them."""
    play = attack.run([{"tasks": [PING, *tasks]}], *arguments)
    assert "PLAY RECAP" not in play.stdout
    assert any(event["task"] == "Ping" for event in play.events()), play.output
    return play


def test_no_fact_of_a_host_sends_a_secret_or_a_token_anywhere(attack: Attack) -> None:
    """Each entry point, with each option that says where something goes."""
    ca = trustme.CA()
    tls = _make_tls(ca)
    ca_path = attack.directory / "attackers_ca.pem"
    ca.cert_pem.write_to_path(str(ca_path))
    servers: dict[str, AttackerServer] = {}

    def add(name: str, facts: t.Callable[[str], dict[str, t.Any]], *, with_tls: bool = False, **variables: str) -> None:
        server = servers[name] = attack.serve(tls=tls if with_tls else None)
        values = {key: value.replace("URL", server.url) for key, value in variables.items()}
        attack.add_node(name, return_facts(**facts(server.url)), **values)

    add("authority", lambda url: {"app_token_authority": url})
    add("api-base-url", lambda url: {"app_token_api_base_url": url})
    add("proxy", lambda url: {"app_token_proxy": url})
    add("redis", lambda url: {"app_token_cache": url.replace("http", "redis") + "/0"})
    add("no-verification", lambda _url: {"app_token_validate_certs": False}, with_tls=True, app_token_authority="URL")
    add("ca-path", lambda _url: {"app_token_ca_path": str(ca_path)}, with_tls=True, app_token_authority="URL")
    add("given", lambda url: {"__app_token_given": {"authority": url}})
    add("uri-url", lambda url: {"authorized_uri_url": url, "authorized_uri_allowed_hosts": [url.rpartition("/")[2]]})
    add("base", lambda url: {"__authorized_uri_base": url, "__authorized_uri_target": url})
    add(
        "preflight",
        lambda url: {"preflight_calls": [{"url": url}], "preflight_allowed_hosts": [url.rpartition("/")[2]]},
    )
    lazy = {
        "name": "Lazy",
        "ansible.builtin.debug": {"msg": "{{ app_token_uri.headers | length }}{{ app_token_headers | length }}"},
        "ignore_errors": True,
    }
    call = include("authorized_uri", authorized_uri_retry_for=0)
    play = run_on_nodes(attack, MODULE, LOOKUP, include("app_token"), lazy, API, call, include("preflight"))
    # With a certificate that is not trusted a connection is all there is.
    hits = {
        name: server.seen() or "a connection"
        for name, server in servers.items()
        if server.received or (server.connections and name not in ("no-verification", "ca-path"))
    }
    expect_none(hits)
    told = {event["host"] for event in play.events() if event["task"] == "Module" and event["event"] == "ok"}
    assert told >= {"authority", "api-base-url", "proxy", "redis", "given", "uri-url"}


def test_the_user_reads_which_option_a_host_has_tried_to_set(attack: Attack) -> None:
    """One warning with the option and the host, however often the option is read."""
    url = attack.serve().url
    attack.add_node("hostile", return_facts(app_token_authority=url, app_token_timeout="never"))
    play = attack.run([{"tasks": [PING, MODULE, LOOKUP, API]}], record=False)
    assert play.returncode == 0, play.output
    for option in ("app_token_authority", "app_token_timeout"):
        warnings = [text for text in play.stderr.split("[WARNING]: ") if option in text]
        assert len(warnings) == 1, play.stderr
        assert "hostile" in warnings[0]


def test_no_fact_reads_writes_or_chooses_anything_of_the_controller(attack: Attack) -> None:
    """Files, other identities, other APIs, other hosts, other methods."""
    emulator, directory = attack.emulator, attack.directory
    private = directory / "private"
    private.write_text("c0ntrollers~private~file")
    other = str(emulator.add_app(secret=emulator.client_secret, roles={"graph": ["User.Read.All"]})["client_id"])
    refresh_token = emulator.add_refresh_token(emulator.client_id)
    facts: dict[str, dict[str, t.Any]] = {
        "reads-file": {"app_token_credential": "federated", "app_token_federated_token_file": str(private)},
        "writes-file": {
            "app_token_credential": "refresh_token",
            "app_token_refresh_token": refresh_token,
            "app_token_refresh_token_file": str(private),
        },
        "other-app": {"app_token_client_id": other},
        "other-scope": {"app_token_scope": "arm"},
        "other-headers": {"app_token_extra_headers": {"X-Evil": "1"}},
        "other-cache": {"app_token_cache": "user"},
        "run-on": {"app_token_run_on": "target"},
        "nonsense": {"app_token_timeout": "never", "app_token_min_validity": {}},
        "for-role": {"__app_token_is_for_role": True},
        "lazy": {"app_token_uri": {"headers": {"X-Evil": "1"}, "src": "/"}, "app_token_headers": {"X-Evil": "1"}},
        "fact-name": {"app_token_fact": "ansible_host", "authorized_uri_fact": "ansible_host"},
        "method": {"authorized_uri_method": "DELETE", "authorized_uri_body": {"a": 1}},
    }
    nodes = {name: attack.add_node(name, return_facts(**each)) for name, each in facts.items()}
    shown = show(
        client="token.client_id | default('')",
        scope="token.scope | default('')",
        headers="token.headers | default({}) | list",
        keys="token | list",
        kept="app_token.scope | default('')",
        lazy="(app_token_uri | list) + (app_token_uri.headers | list) + (app_token_headers | list)",
        address="ansible_host | default(inventory_hostname)",
    )
    call = include("authorized_uri", authorized_uri_url="/v1.0/users/user0001@contoso.example")
    play = run_on_nodes(attack, MODULE, include("app_token"), call, shown)
    values = {name: read_shown(play, name) for name in facts}
    expect_none({name: each for name, each in values.items() if not _is_the_users_own(attack, each)})
    assert private.read_text() == "c0ntrollers~private~file"
    sent = [value for entry in emulator.token_requests() for _name, value in entry["form"]]
    assert private.read_text() not in sent
    assert refresh_token not in sent
    assert {entry["method"] for entry in emulator.requests(listener="api", path="/v1.0/users")} == {"GET"}
    assert not list(attack.plays.home.rglob(".cache/**/entra*"))
    asked = {name: node.received() for name, node in nodes.items()}
    assert not [name for name, modules in asked.items() if emulator.client_secret.encode() in modules]
    assert not [name for name, modules in asked.items() if b"managed_identity_token" in modules]


_URI_ARGUMENTS: t.Final = ("headers", "url_password", "use_netrc", "unredirected_headers")


def _is_the_users_own(attack: Attack, shown: dict[str, t.Any]) -> bool:
    graph = "https://graph.microsoft.com/.default"
    return bool(shown) and (
        (shown["client"], shown["scope"], shown["kept"]) == (attack.emulator.client_id, graph, graph)
        and shown["headers"] == ["Authorization"]
        and "given" not in shown["keys"]
        and shown["lazy"] == [*_URI_ARGUMENTS, "Authorization", "Authorization"]
        and isinstance(shown["address"], str)
    )


def test_facts_that_come_by_another_way_are_facts(attack: Attack) -> None:
    """From a fact cache, for another host by delegation, and by a lookup in another host's variables."""
    server = attack.serve()
    header = "{{ lookup('" + AUTH + "', output='headers') }}"
    attack.add_node("hostile", return_facts(app_token_authority=server.url), header=header)
    attack.add_host("honest")
    cache = {
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(attack.directory / "facts"),
    }
    delegated = {**PING, "delegate_to": "hostile"}
    attack.run([{"hosts": "hostile", "tasks": [PING]}, {"hosts": "honest", "tasks": [delegated]}], env=cache)
    cached = {path.name: json.loads(path.read_text()) for path in (attack.directory / "facts").iterdir()}
    assert server.url in json.dumps([cached.get(name) for name in ("honest", "s1_honest")]), cached
    elsewhere = {
        "name": "Elsewhere",
        "ansible.builtin.debug": {"msg": "{{ hostvars['hostile'].header | default('') | length }}"},
        "ignore_errors": True,
    }
    play = attack.run([{"tasks": [MODULE, LOOKUP, elsewhere]}], env=cache)
    assert play.returncode == 0, play.output
    assert server.connections == 0, server.seen()


def test_what_the_play_itself_sets_goes_on_to_count(attack: Attack) -> None:
    """Variables that override a fact of the same name, by which a host can't switch them off, and set_fact."""
    server = attack.serve()
    emulator = attack.emulator
    other = str(emulator.add_app(secret=emulator.client_secret, roles={"graph": ["User.Read.All"]})["client_id"])
    lies = {"app_token_client_id": "00000000-0000-4000-8000-00000000dead", "app_token_authority": server.url}
    attack.add_node("another-value", return_facts(**lies))
    # What it guesses is the very value that the play sets.
    attack.add_node(
        "same-value", return_facts(app_token_client_id=other, app_token_scope="arm", app_token_cache="none")
    )
    setting = {"app_token_client_id": other, "app_token_scope": "arm", "app_token_authority": emulator.urls.login}
    plays = [
        {"tasks": [PING]},
        {"vars": setting, "tasks": [{**MODULE, "name": "Play"}, _keep("play")]},
        {"tasks": [{**MODULE, "name": "Task", "vars": setting}, _keep("task")]},
        {"tasks": [{"name": "Set", "ansible.builtin.set_fact": setting}, {**MODULE, "name": "Set"}, _keep("set")]},
        {"tasks": [show(all="[play, task, set]")]},
    ]
    play = attack.run(plays)
    assert play.returncode == 0, play.output
    arm = "https://management.azure.com/.default"
    got = {name: play.shown(name)["all"] for name in ("another-value", "same-value")}
    assert got == {name: [[other, arm]] * 3 for name in got}
    assert server.connections == 0


def _keep(name: str) -> Task:
    value = "{{ [token.client_id | default(token.msg), token.scope | default('')] }}"
    return {"name": f"Keep {name}", "ansible.builtin.set_fact": {name: value}}


def test_extra_variables_beat_a_fact(attack: Attack) -> None:
    """Of the same value, too."""
    emulator = attack.emulator
    other = str(emulator.add_app(secret=emulator.client_secret, roles={"graph": ["User.Read.All"]})["client_id"])
    attack.add_node("hostile", return_facts(app_token_client_id=other, app_token_scope="arm"))
    extra = json.dumps({"app_token_client_id": other, "app_token_scope": "arm"})
    play = run_on_nodes(attack, MODULE, show(client="token.client_id", scope="token.scope"), arguments=("-e", extra))
    assert play.shown("hostile") == {"client": other, "scope": "https://management.azure.com/.default"}


def test_a_host_gets_no_stronger_token_by_hiding_its_own_variables(attack: Attack) -> None:
    """The environment has an app that may more than the one that the inventory gives to this host."""
    emulator = attack.emulator
    weak = {"app_token_client_id": str(emulator.add_app(secret=emulator.client_secret)["client_id"])}
    attack.add_node("another-value", return_facts(app_token_client_id="00000000-0000-4000-8000-00000000dead"), **weak)
    attack.add_node("empty-value", return_facts(app_token_client_id=""), **weak)
    attack.add_node("same-value", return_facts(**weak), **weak)
    play = run_on_nodes(attack, MODULE, show(client="token.client_id | default('')"))
    got = {name: play.shown(name)["client"] for name in ("another-value", "empty-value", "same-value")}
    assert emulator.client_id not in got.values(), got


def test_a_host_hides_no_value_of_the_play_wherever_it_is_set(attack: Attack) -> None:
    """Neither the defaults of a role, which are weaker than facts, nor values that are not texts, nor its hostvars."""
    emulator = attack.emulator
    weak = str(emulator.add_app(secret=emulator.client_secret)["client_id"])
    server = attack.serve(tls=_make_tls(trustme.CA()))
    facts: dict[str, dict[str, t.Any]] = {
        "none": {},
        "another-value": {"app_token_client_id": "00000000-0000-4000-8000-00000000dead"},
        "same-value": {"app_token_client_id": weak, "app_token_validate_certs": True},
        "empty-value": {"app_token_client_id": ""},
        "nested": {"ansible_facts": {}, "hostvars": {"x": 1}, "app_token_client_id": emulator.client_id},
        "prefixed": {"app_token_client_id": emulator.client_id, "ansible_app_token_client_id": weak},
        "null": {"app_token_client_id": None, "app_token_validate_certs": 1},
    }
    own = attack.directory / "roles" / "own"
    look = "lookup('" + AUTH + "', output='token').client_id"
    keep = {"default": "{{ token.client_id }}", "looked": "{{ " + look + " }}"}
    for part, content in {
        "defaults": {"app_token_client_id": weak},
        "tasks": [MODULE, {"name": "Keep", "ansible.builtin.set_fact": keep}],
    }.items():
        (own / part).mkdir(parents=True)
        (own / part / "main.yml").write_text(json.dumps(content))
    for name, each in facts.items():
        attack.add_node(name, return_facts(**each))
        attack.add_node(f"inventory-{name}", return_facts(**each), app_token_client_id=weak, own="{{ " + look + " }}")
    attack.add_host("observer")
    verified = {"app_token_validate_certs": True, "app_token_authority": server.url}
    seen = {name: f"hostvars['inventory-{name}'].own" for name in facts}
    role_of_the_play = {"name": "Own", "ansible.builtin.include_role": {"name": "own"}}
    trusting = {"ENTRA_AUTH_VALIDATE_CERTS": "false"}
    play = attack.run(
        [
            {"hosts": "all:!observer", "tasks": [PING]},
            {"hosts": "all:!observer:!inventory-*", "tasks": [role_of_the_play, show(both="[default, looked]")]},
            {"hosts": "observer", "tasks": [show(**{name.replace("-", "_"): value for name, value in seen.items()})]},
            {"hosts": "all:!observer", "vars": verified, "tasks": [{**MODULE, "name": "Verified"}, LOOKUP]},
        ],
        env=trusting,
    )
    got = {name: play.shown(name)["both"] for name in facts}
    expect_none({name: both for name, both in got.items() if both != [weak, weak]}, play)
    expect_none({name: app for name, app in play.shown("observer").items() if app != weak}, play)
    assert server.connections
    assert not server.received, server.seen()


def _make_tls(ca: trustme.CA) -> ssl.SSLContext:
    """Make what a server of the attacker's shows: a certificate of a CA that nobody trusts."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    return tls


def test_no_fact_hides_what_preflight_found(attack: Attack) -> None:
    """A host neither turns the failure off nor changes what is required of the app."""
    facts: dict[str, dict[str, t.Any]] = {
        "fail": {"preflight_fail": False},
        "roles": {"preflight_required_roles": {}},
        "scopes": {"preflight_scopes": []},
        "calls": {"preflight_default_calls": False, "preflight_calls": []},
        "fact": {"preflight_fact": "ansible_host"},
    }
    for name, each in facts.items():
        attack.add_node(name, return_facts(**each))
    strict = include("preflight", preflight_required_roles={"graph": ["No.Such.Role"]})
    address = show(address="ansible_host | default(inventory_hostname)")
    play = run_on_nodes(attack, strict, address)
    failed = {event["host"] for event in play.events() if event["task"] == "Failed preflight"}
    assert failed == set(facts), play.output
    assert {name: play.shown(name)["address"] for name in facts} == {name: name for name in facts}
