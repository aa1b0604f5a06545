# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each way to give a credential or a cloud, by each entry point, from each source: what arrives at the wire.

The emulator's record is compared, and no value that a play shows, because ansible-core 2.22 masks those.
"""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from certificates import issue
from tunnel import Tunnel

from entra_emulator import azure_cli
from plays import role

if t.TYPE_CHECKING:
    from certificates import Issued

    from entra_emulator.azure_cli import AzureCli
    from entra_emulator.client import Emulator
    from plays import Hosts, Play, Plays

AUDIENCE: t.Final = "api://AzureADTokenExchange"
ISSUER: t.Final = "https://ci.example"
SUBJECT: t.Final = "project:deploy"
GITHUB: t.Final = ("https://token.actions.githubusercontent.com", "repo:contoso/playbooks:ref:refs/heads/main")
SECRET: t.Final = "made-up~secret-of-the-matrix"
PASSWORD: t.Final = "made-up~pfx-password"
CP1: t.Final = '{"access_token":{"xms_cc":{"values":["cp1"]}}}'
GRAPH: t.Final = "https://graph.microsoft.com/.default"
PROOFS: t.Final = ("client_secret", "client_assertion")
# Per way, the variables of other tools by the options that they give; those of tenant and client are the same for all.
VENDOR: t.Final[dict[str, dict[str, str]]] = {
    "client_secret_file": {
        "client_id": "ARM_CLIENT_ID_FILE_PATH",
        "client_secret_file": "ARM_CLIENT_SECRET_FILE_PATH",
    },
    "client_certificate": {
        "client_certificate": "ARM_CLIENT_CERTIFICATE",
        "client_certificate_password": "ARM_CLIENT_CERTIFICATE_PASSWORD",
    },
    "client_certificate_path": {
        "client_certificate_path": "ARM_CLIENT_CERTIFICATE_PATH",
        "client_certificate_password": "ARM_CLIENT_CERTIFICATE_PASSWORD",
    },
    "federated_token": {"federated_token": "ARM_OIDC_TOKEN"},
    "federated_token_file": {"federated_token_file": "ARM_OIDC_TOKEN_FILE_PATH"},
    "request_url": {
        "federated_token_request_url": "ARM_OIDC_REQUEST_URL",
        "federated_token_request_token": "ARM_OIDC_REQUEST_TOKEN",
    },
    "client_capabilities": {},
    "bleu": {"cloud": "AZURE_CLOUD_ENVIRONMENT", "client_secret": "ARM_CLIENT_SECRET"},
    "delos": {"cloud": "ARM_ENVIRONMENT", "client_secret": "ARM_CLIENT_SECRET"},
    "govsg": {"cloud": "AZURE_CLOUD_ENVIRONMENT", "client_secret": "ARM_CLIENT_SECRET"},
}
SHARED: t.Final = {"tenant_id": "ARM_TENANT_ID", "client_id": "ARM_CLIENT_ID"}
# By the names of this collection, the one way that other tools have no variables for; each other one arrives alike.
BY_NAME: t.Final = [
    pytest.param(name, marks=pytest.mark.thorough) if variables else name for name, variables in VENDOR.items()
]
# The cloud that has a variable of its own in another row.
BY_OTHER_NAMES: t.Final = [
    pytest.param(name, marks=pytest.mark.thorough) if name == "govsg" else name
    for name, variables in VENDOR.items()
    if variables
]
# The module, the lookup, the role, the header that the role leaves behind, and a module for APIs.
ENTRY_POINTS: t.Final = 5
_SILENT: t.Final = dict.fromkeys(("ENTRA_AUTH_TENANT_ID", "ENTRA_AUTH_CLIENT_ID", "ENTRA_AUTH_CLIENT_SECRET"))

Options = dict[str, t.Any]


class Given(t.NamedTuple):
    """The options of one way, and the fields of the token request that they lead to; an assertion as its claims."""

    options: Options
    fields: dict[str, t.Any]


@pytest.fixture(scope="module")
def certificate() -> Issued:
    """Made once: keys take their time."""
    return issue("matrix.contoso.example")


@pytest.fixture
def ways(plays: Plays, emulator: Emulator, certificate: Issued) -> dict[str, Given]:
    """All ways, each with an app of its own, so that the record tells them apart."""
    assertion = emulator.mint_assertion(ISSUER, SUBJECT, AUDIENCE)
    directory = plays.directory
    (directory / "secret").write_text(f"{SECRET}\n")
    (directory / "app.pfx").write_bytes(certificate.pfx(PASSWORD))
    (directory / "assertion").write_text(f"{assertion}\n")
    github = emulator.ci_environment("github_actions")
    minted = {"iss": GITHUB[0], "sub": GITHUB[1], "aud": AUDIENCE}
    secret = {"client_secret": SECRET}
    password = {"client_certificate_password": PASSWORD}
    given: dict[str, tuple[Options, dict[str, t.Any]]] = {
        "client_secret_file": ({"client_secret_file": str(directory / "secret")}, secret),
        "client_certificate": (
            {"client_certificate": base64.b64encode(certificate.pfx(PASSWORD)).decode(), **password},
            {"client_assertion": "signed"},
        ),
        "client_certificate_path": (
            {"client_certificate_path": str(directory / "app.pfx"), **password},
            {"client_assertion": "signed"},
        ),
        "federated_token": ({"federated_token": assertion}, {"client_assertion": assertion}),
        "federated_token_file": (
            {"federated_token_file": str(directory / "assertion")},
            {"client_assertion": assertion},
        ),
        "request_url": (
            {
                "federated_token_source": "request_url",
                "federated_token_request_url": github["ACTIONS_ID_TOKEN_REQUEST_URL"],
                "federated_token_request_token": github["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
            },
            {"client_assertion": minted},
        ),
        "client_capabilities": ({**secret, "client_capabilities": ["cp1"]}, {**secret, "claims": CP1}),
        "bleu": ({**secret, "cloud": "bleu"}, {**secret, "scope": "https://graph.svc.sovcloud.fr/.default"}),
        "delos": ({**secret, "cloud": "delos"}, {**secret, "scope": "https://graph.svc.sovcloud.de/.default"}),
        # Of that cloud no API is known, so its scope is written in full.
        "govsg": ({**secret, "cloud": "govsg", "scope": [GRAPH]}, secret),
    }
    trusted = [
        {"issuer": issuer, "subject": subject, "audience": AUDIENCE} for issuer, subject in ((ISSUER, SUBJECT), GITHUB)
    ]
    ways = {}
    for name, (options, fields) in given.items():
        app = emulator.add_app(secret=SECRET, certificates=[certificate.certificate_pem], federated=trusted)
        identity = {"tenant_id": emulator.tenant_id, "client_id": app["client_id"]}
        ways[name] = Given({**identity, **options}, {"scope": GRAPH, "client_id": app["client_id"], **fields})
    return ways


def _name_variables(options: Options) -> Options:
    """The variables that give options."""
    return {f"app_token_{option}": value for option, value in options.items()}


def _build_tasks(name: str, options: Options) -> list[dict[str, t.Any]]:
    """Tasks that get a token by each entry point."""
    lookup = "{{ lookup('entra.auth.app_token', **direct) }}"
    call = {"url": "/v1.0/organization", "status_code": [200, 403], **options}
    return [
        {"name": f"Module {name}", "entra.auth.app_token": options},
        {
            "name": f"Lookup {name}",
            "ansible.builtin.set_fact": {"looked_up": lookup},
            "vars": {"direct": options},
            "no_log": True,
        },
        role("app_token", **_name_variables(options)),
        {
            "name": f"Header of the role {name}",
            "ansible.builtin.set_fact": {"header": "{{ app_token_headers }}"},
            "no_log": True,
        },
        {"name": f"API {name}", "entra.auth.api_request": call},
    ]


def _run(plays: Plays, tasks: dict[str, list[dict[str, t.Any]]], env: t.Mapping[str, str | None]) -> Play:
    """Play the tasks of each way on a host of its own, in turn; every request is made."""
    book = [{"hosts": f"h{number:03}", "tasks": tasks[name]} for number, name in enumerate(tasks, 1)]
    play = plays.run(book, "-vvv", hosts=len(tasks), record=True, env={**_SILENT, "ENTRA_AUTH_CACHE": "none", **env})
    assert play.returncode == 0, play.output
    assert not [secret for secret in (SECRET, PASSWORD) if secret in play.output]
    return play


def _read_fields(entry: dict[str, t.Any], expected: dict[str, t.Any]) -> dict[str, t.Any]:
    """The fields of a request that were expected and all proofs, with an assertion in the form that is expected."""
    assert entry["status"] == 200, entry
    form = dict(entry["form"])
    fields = {name: value for name, value in form.items() if name in (*expected, *PROOFS, "claims")}
    wanted = expected.get("client_assertion")
    claims = (entry["assertion"] or {}).get("claims", {})
    if wanted == "signed" and claims.get("iss") == form["client_id"]:
        fields["client_assertion"] = "signed"
    elif isinstance(wanted, dict):
        fields["client_assertion"] = {name: claims.get(name) for name in wanted}
    return fields


def _assert_sent(emulator: Emulator, given: t.Iterable[Given]) -> None:
    """Each entry point has made one token request for each way, and the API has received a token of that app."""
    log = emulator.token_requests()
    called = [entry["claims"]["appid"] for entry in emulator.requests(listener="api")]
    for way in given:
        client_id = way.fields["client_id"]
        sent = [entry for entry in log if dict(entry["form"])["client_id"] == client_id]
        assert [_read_fields(entry, way.fields) for entry in sent] == [way.fields] * ENTRY_POINTS
        assert called.count(client_id) == 1
        log = [entry for entry in log if entry not in sent]
    assert log == []


def test_given_directly(plays: Plays, emulator: Emulator, ways: dict[str, Given]) -> None:
    _run(plays, {name: _build_tasks(name, way.options) for name, way in ways.items()}, {})
    _assert_sent(emulator, ways.values())


def test_by_variables_of_the_inventory(plays: Plays, emulator: Emulator, ways: dict[str, Given]) -> None:
    directory = plays.directory / "host_vars"
    directory.mkdir()
    for number, way in enumerate(ways.values(), 1):
        (directory / f"h{number:03}.yml").write_text(json.dumps(_name_variables(way.options)))
    _run(plays, {name: _build_tasks(name, {}) for name in ways}, {})
    _assert_sent(emulator, ways.values())


def _build_environment(plays: Plays, options: Options, names: dict[str, str]) -> dict[str, str]:
    """The variables that give options; a variable for a file with a value names a new file."""
    env = {}
    for option, value in options.items():
        variable = names.get(option, f"ENTRA_AUTH_{option.upper()}")
        env[variable] = ",".join(value) if isinstance(value, list) else value
        if option == "client_id" and variable.endswith("_FILE_PATH"):
            path = plays.directory / "client-id"
            path.write_text(f"{value}\n")
            env[variable] = str(path)
    return env


@pytest.mark.parametrize("name", BY_NAME)
def test_by_the_environment(plays: Plays, emulator: Emulator, ways: dict[str, Given], name: str) -> None:
    _run(plays, {name: _build_tasks(name, {})}, _build_environment(plays, ways[name].options, {}))
    _assert_sent(emulator, [ways[name]])


@pytest.mark.parametrize("name", BY_OTHER_NAMES)
def test_by_the_environment_of_other_tools(plays: Plays, emulator: Emulator, ways: dict[str, Given], name: str) -> None:
    """By no name of this collection, except for what other tools have no variable for."""
    options = {option: value for option, value in ways[name].options.items() if option != "federated_token_source"}
    env = _build_environment(plays, options, {**SHARED, **VENDOR[name]})
    assert {variable for variable in env if variable.startswith("ENTRA_AUTH_")} <= {"ENTRA_AUTH_SCOPE"}
    _run(plays, {name: _build_tasks(name, {})}, env)
    _assert_sent(emulator, [ways[name]])


LOGIN_HOSTS: t.Final = {
    "login.sovcloud-identity.fr": "https://graph.svc.sovcloud.fr/.default",
    "login.sovcloud-identity.de": "https://graph.svc.sovcloud.de/.default",
    "login.sovcloud-identity.sg": "api://matrix.example/.default",
}


@pytest.fixture
def login_host_options(emulator: Emulator) -> dict[str, Options]:
    """The options that name each login host and an app, and no cloud."""
    app = emulator.add_app(secret=SECRET, identifier_uris=["api://matrix.example"])
    shared = {"tenant_id": emulator.tenant_id, "client_id": app["client_id"], "client_secret": SECRET}
    return {
        # Of the last cloud no API is known, and no alias.
        host: {"authority": f"https://{host}", **shared, **({"scope": [scope]} if scope.startswith("api:") else {})}
        for host, scope in LOGIN_HOSTS.items()
    }


def _run_through_proxy(
    plays: Plays, emulator: Emulator, book: list[dict[str, t.Any]], env: dict[str, str], hosts: Hosts
) -> list[str]:
    """The addresses that a play has reached, by a proxy only, in order."""
    with Tunnel(emulator.urls.login) as proxy:
        reach = {"ENTRA_AUTH_PROXY": proxy.url, "ENTRA_AUTH_VALIDATE_CERTS": "false", "ENTRA_AUTH_AUTHORITY": None}
        play = plays.run(book, hosts=hosts, record=True, env={**_SILENT, "ENTRA_AUTH_CACHE": "none", **reach, **env})
    assert play.returncode == 0, play.output
    return list(dict.fromkeys(proxy.hosts))


def _get_scopes(emulator: Emulator) -> list[str]:
    return [dict(entry["form"])["scope"] for entry in emulator.token_requests()]


def test_a_login_host_implies_its_cloud(
    plays: Plays, emulator: Emulator, login_host_options: dict[str, Options]
) -> None:
    """The scope is that of the cloud, whose login host alone is named, directly or by a variable."""
    hosts: dict[str, Options] = {}
    book = []
    # The API is called by none: it trusts its own cloud's host alone, which is not here.
    for name, given in login_host_options.items():
        hosts |= {f"directly-{name}": {}, f"variable-{name}": _name_variables(given)}
        book += [
            {"hosts": f"directly-{name}", "tasks": _build_tasks(name, given)[:-1]},
            {"hosts": f"variable-{name}", "tasks": _build_tasks(name, {})[:-1]},
        ]
    reached = _run_through_proxy(plays, emulator, book, {}, hosts)
    assert reached == [f"{name}:443" for name in LOGIN_HOSTS]
    assert _get_scopes(emulator) == [scope for scope in LOGIN_HOSTS.values() for _task in range(2 * 4)]


@pytest.mark.parametrize(
    "name",
    [
        "login.sovcloud-identity.fr",
        pytest.param("login.sovcloud-identity.de", marks=pytest.mark.thorough),
        pytest.param("login.sovcloud-identity.sg", marks=pytest.mark.thorough),
    ],
)
def test_a_login_host_of_the_environment_implies_its_cloud(
    plays: Plays, emulator: Emulator, login_host_options: dict[str, Options], name: str
) -> None:
    env = _build_environment(plays, login_host_options[name], {"authority": "AZURE_AUTHORITY_HOST"})
    book = [{"tasks": _build_tasks(name, {})[:-1]}]
    assert _run_through_proxy(plays, emulator, book, env, {"h001": {}}) == [f"{name}:443"]
    assert _get_scopes(emulator) == [LOGIN_HOSTS[name]] * 4


@pytest.mark.parametrize("sources", [("directly", "variable"), ("environment",)], ids=" and ".join)
def test_the_sign_in_of_the_azure_cli(
    plays: Plays, emulator: Emulator, cli: AzureCli, sources: tuple[str, ...]
) -> None:
    given = {"credential": "azure_cli", "tenant_id": emulator.tenant_id}
    hosts = {source: _name_variables(given) if source == "variable" else {} for source in sources}
    env = _build_environment(plays, given, {}) if "environment" in sources else {}
    book = [
        {"hosts": source, "tasks": _build_tasks("cli", given if source == "directly" else {})} for source in sources
    ]
    play = plays.run(
        book, hosts=hosts, record=True, env={**_SILENT, "ENTRA_AUTH_CACHE": "none", **cli.environment, **env}
    )
    assert play.returncode == 0, play.output
    asked = ["account", "get-access-token", "--output", "json", "--scope", GRAPH, "--tenant", emulator.tenant_id]
    assert [run["arguments"] for run in cli.runs()] == [asked] * ENTRY_POINTS * len(sources)
    called = [entry["claims"]["appid"] for entry in emulator.requests(listener="api")]
    assert called == [azure_cli.CLIENT_ID] * len(sources)


def test_a_token_from_elsewhere(plays: Plays, emulator: Emulator) -> None:
    """By each entry point that takes one, as an option and as a variable of the role; nothing else is requested."""
    get = {"name": "Get", "entra.auth.app_token": {}}
    assert plays.run([{"tasks": [get]}]).returncode == 0
    token = emulator.issued()["token"][-1]
    emulator.forget_requests()
    call = {"url": "/v1.0/organization", "access_token": token}
    tasks = [
        {"name": "Module authorized_uri", "entra.auth.authorized_uri": call},
        {"name": "Module api_request", "entra.auth.api_request": call},
        role("authorized_uri", **{f"authorized_uri_{option}": value for option, value in call.items()}),
        {**role("authorized_uri", authorized_uri_url=call["url"]), "name": "By a variable of the inventory"},
    ]
    play = plays.run([{"tasks": tasks}], "-vvv", record=True, env=_SILENT, authorized_uri_access_token=token)
    assert play.returncode == 0, play.output
    headers = [dict(entry["headers"])["Authorization"] for entry in emulator.requests(listener="api")]
    assert headers == [f"Bearer {token}"] * len(tasks)
    assert emulator.token_requests() == []
    assert token.rpartition(".")[2] not in play.output
