# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the options of ``app_token`` come from: the order of the sources, seen at the wire."""

from __future__ import annotations

import itertools
import json
import typing as t
import uuid

import pytest

from plays import show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

GRAPH: t.Final = "https://graph.microsoft.com/.default"
# For each option all its sources, the strongest first.
SOURCES: t.Final = {
    "tenant_id": (
        *("option", "variable", "ENTRA_AUTH_TENANT_ID", "AZURE_TENANT_ID", "AZURE_TENANT", "ARM_TENANT_ID"),
        "ansible.cfg",
    ),
    "client_id": ("option", "variable", "ENTRA_AUTH_CLIENT_ID", "AZURE_CLIENT_ID", "ARM_CLIENT_ID", "ansible.cfg"),
    "client_secret": (
        *("option", "variable", "ENTRA_AUTH_CLIENT_SECRET"),
        *("AZURE_CLIENT_SECRET", "AZURE_SECRET", "ARM_CLIENT_SECRET"),
    ),
    "scope": ("option", "variable", "ENTRA_AUTH_SCOPE", "ansible.cfg"),
}
_PLACES: t.Final = ("option", "variable", "ansible.cfg")
_OWN: t.Final = dict.fromkeys(("ENTRA_AUTH_TENANT_ID", "ENTRA_AUTH_CLIENT_ID", "ENTRA_AUTH_CLIENT_SECRET"))
_GET: t.Final = {"name": "Get", "entra.auth.app_token": {}}

Given = dict[tuple[str, str], str]  # by option and source


def _run(plays: Plays, given: Given, *tasks: dict[str, t.Any], **variables: t.Any) -> Play:
    """A play that gets a token with values in the places that ``given`` names, and nowhere else."""
    at = {place: {option: value for (option, where), value in given.items() if where == place} for place in _PLACES}
    lines = [f"{option} = {value}" for option, value in at["ansible.cfg"].items()]
    plays.directory.joinpath("ansible.cfg").write_text("\n".join(["[entra_auth]", *lines, ""]))
    environment = {where: value for (_option, where), value in given.items() if where not in _PLACES}
    return plays.run(
        [{"tasks": [{**_GET, "entra.auth.app_token": at["option"]}, *tasks]}],
        record=True,
        env={**_OWN, **environment},
        **{f"app_token_{option}": value for option, value in at["variable"].items()},
        **variables,
    )


def _seen(entry: dict[str, t.Any]) -> dict[str, str]:
    form = dict(entry["form"])
    return {"tenant_id": entry["path"].split("/")[1], **{name: form[name] for name in SOURCES if name in form}}


@pytest.mark.parametrize(
    ("level", "stronger"),
    [*itertools.product(range(7), [""]), *itertools.product((1, 3, 6), [None]), (2, " \t")],
)
def test_the_strongest_source_that_is_not_empty_wins(
    plays: Plays, emulator: Emulator, level: int, stronger: str | None
) -> None:
    """All weaker sources are set as well; stronger ones are empty or absent."""
    values = {
        "tenant_id": [f"t{number}.example" for number in range(7)],
        "client_id": [str(uuid.uuid4()) for _number in range(6)],
        "client_secret": [f"made-up~secret-{number}" for number in range(6)],
        "scope": [f"api://s{number}.example/.default" for number in range(4)],
    }
    given: Given = {}
    expected = {}
    for option, sources in SOURCES.items():
        strongest = min(level, len(sources) - 1)
        expected[option] = values[option][strongest]
        for number, source in enumerate(sources):
            value = values[option][number] if number >= strongest else stronger
            if value is not None:
                given[option, source] = value
    tenant = emulator.add_tenant(domain=expected["tenant_id"])
    emulator.add_app(
        tenant_id=tenant["id"],
        client_id=expected["client_id"],
        secret=expected["client_secret"],
        identifier_uris=[expected["scope"].removesuffix("/.default")],
    )
    play = _run(plays, given)
    assert play.returncode == 0, play.output
    assert [_seen(entry) for entry in emulator.token_requests()] == [expected]


def test_sources_mix_and_both_faces_read_them_alike(plays: Plays, emulator: Emulator) -> None:
    """Each option from another place, the scope by default: module and lookup share one token."""
    app = emulator.add_app(secret="made-up~secret-of-elsewhere")
    given = {
        ("tenant_id", "ansible.cfg"): "contoso.example",
        ("client_id", "AZURE_CLIENT_ID"): app["client_id"],
        ("client_secret", "variable"): "made-up~{{ of_elsewhere }}",
    }
    shown = show(token="lookup('entra.auth.app_token', tenant_id='', scope='', output='token')")
    play = _run(plays, given, shown, of_elsewhere="{{ 'secret' }}-of-elsewhere")
    assert play.returncode == 0, play.output
    assert play.shown()["token"]["source"] == "cache"
    assert [_seen(entry) for entry in emulator.token_requests()] == [
        {
            "tenant_id": "contoso.example",
            "client_id": app["client_id"],
            "client_secret": "made-up~secret-of-elsewhere",
            "scope": GRAPH,
        }
    ]


def test_the_built_in_credential_of_awx_is_enough(plays: Plays, emulator: Emulator) -> None:
    """The variables it sets, and the empty ones its fields that were left out become."""
    awx = {
        "AZURE_SUBSCRIPTION_ID": "c0000000-0000-4000-8000-000000000001",
        "AZURE_CLIENT_ID": emulator.client_id,
        "AZURE_TENANT": emulator.tenant_id,
        "AZURE_SECRET": emulator.client_secret,
        "AZURE_CLOUD_ENVIRONMENT": "AzureCloud",
        "AZURE_TENANT_ID": "",
        "AZURE_CLIENT_SECRET": "",
        "AZURE_AD_USER": "",
        "AZURE_PASSWORD": "",
    }
    play = plays.run([{"tasks": [_GET]}], env={**_OWN, **awx})
    assert play.returncode == 0, play.output
    (sent,) = emulator.token_requests()
    assert _seen(sent)["client_secret"] == emulator.client_secret
    assert _seen(sent)["tenant_id"] == emulator.tenant_id


# What YAML, Jinja, INI files, shells, JSON and forms give a meaning to, and what is not ASCII.
SECRET: t.Final = "made-up~ {{ 7 * 7 }}{% if %}{# #} %41%s+&=# ; '\" \\n\\ $HOME ~ äß漢😀\nline two\t\n !"


def _client(emulator: Emulator) -> dict[str, str | None]:
    """An app with that secret, in the environment."""
    app = emulator.add_app(secret=SECRET)
    return {"ENTRA_AUTH_CLIENT_ID": app["client_id"], "ENTRA_AUTH_CLIENT_SECRET": None, "ENTRA_AUTH_CACHE": "none"}


def _assert_arrived(play: Play, emulator: Emulator, times: int) -> None:
    assert play.returncode == 0, play.output
    assert [_seen(entry)["client_secret"] for entry in emulator.token_requests()] == [SECRET] * times


_ROLE: t.Final = """
    - name: By the role
      ansible.builtin.include_role:
        name: entra.auth.app_token
        public: true
"""
_FACES: t.Final = """
- hosts: all
  gather_facts: false
  tasks:
    - name: By the module
      entra.auth.app_token:
    - name: By the lookup
      ansible.builtin.set_fact:
        made_up: "{{ lookup('entra.auth.app_token') }}"
      no_log: true
"""


def test_a_secret_survives_as_it_is_from_a_playbook(plays: Plays, emulator: Emulator) -> None:
    """As an option, by a variable in an option, as a keyword of the lookup, and as a parameter of the role."""
    literal = json.dumps(SECRET, ensure_ascii=False)
    playbook = f"""
- hosts: all
  gather_facts: false
  vars:
    secrets:
      here: !unsafe {literal}
  tasks:
    - entra.auth.app_token:
        client_secret: !unsafe {literal}
    - entra.auth.app_token:
        client_secret: "{{{{ secrets.here }}}}"
    - ansible.builtin.set_fact:
        made_up: "{{{{ lookup('entra.auth.app_token', client_secret=secrets.here) }}}}"
      no_log: true
{_ROLE}
      vars:
        app_token_client_secret: "{{{{ secrets.here }}}}"
    - ansible.builtin.set_fact:
        made_up: "{{{{ app_token_headers }}}}"
      no_log: true
"""
    _assert_arrived(plays.run(playbook, env=_client(emulator)), emulator, 5)


def test_a_secret_survives_as_it_is_from_an_inventory_variable(plays: Plays, emulator: Emulator) -> None:
    """Marked as no template, or by a template that leads to one that is."""
    variables = plays.directory / "host_vars"
    variables.mkdir()
    literal = json.dumps(SECRET, ensure_ascii=False)
    variables.joinpath("h001.yml").write_text(f"app_token_client_secret: !unsafe {literal}\n")
    variables.joinpath("h002.yml").write_text(
        f'app_token_client_secret: "{{{{ elsewhere["here"] }}}}"\nelsewhere: {{here: !unsafe {literal}}}\n'.replace(
            '"here"', "'here'"
        )
    )
    _assert_arrived(plays.run(_FACES + _ROLE, hosts=2, env=_client(emulator)), emulator, 6)


def test_a_secret_survives_as_it_is_from_the_environment(plays: Plays, emulator: Emulator) -> None:
    """No character of it has a meaning there, for any face."""
    play = plays.run(_FACES + _ROLE, env={**_client(emulator), "ENTRA_AUTH_CLIENT_SECRET": SECRET})
    _assert_arrived(play, emulator, 3)


def test_a_secret_survives_as_it_is_from_extra_vars(plays: Plays, emulator: Emulator) -> None:
    """In the form in which AWX hands them over."""
    extra = plays.directory / "extra.yml"
    extra.write_text(f"app_token_client_secret: !unsafe {json.dumps(SECRET, ensure_ascii=False)}\n")
    _assert_arrived(plays.run(_FACES + _ROLE, "-e", f"@{extra}", env=_client(emulator)), emulator, 3)


@pytest.mark.parametrize("name", ["app_token_client_secret", "vaulted"])
def test_a_secret_survives_as_it_is_from_a_vault(plays: Plays, emulator: Emulator, name: str) -> None:
    """A variable that is encrypted by itself, for every face, and one that leads to it."""
    from ansible.parsing.vault import VaultLib, VaultSecret

    password = plays.directory / "password"
    password.write_text("made-up-password")
    vault = VaultLib([("default", VaultSecret(b"made-up-password"))])
    lines = vault.encrypt(SECRET.encode()).decode().splitlines()
    variables = plays.directory / "group_vars"
    variables.mkdir()
    leads = [] if name == "app_token_client_secret" else [f'app_token_client_secret: "{{{{ {name} }}}}"\n']
    variables.joinpath("all.yml").write_text("".join([*leads, "\n  ".join([f"{name}: !vault |", *lines]), "\n"]))
    by_option = f'    - entra.auth.app_token:\n        client_secret: "{{{{ {name} }}}}"\n'
    play = plays.run(_FACES + by_option + _ROLE, "--vault-password-file", str(password), env=_client(emulator))
    _assert_arrived(play, emulator, 4)


def test_a_secret_is_never_read_from_ansible_cfg(plays: Plays, emulator: Emulator) -> None:
    """It is missing, and the message names the places where it was looked for."""
    given = {
        ("credential", "ansible.cfg"): "client_secret",
        ("tenant_id", "ansible.cfg"): emulator.tenant_id,
        ("client_id", "ansible.cfg"): emulator.client_id,
        ("client_secret", "ansible.cfg"): "made-up~secret-of-a-file",
        ("refresh_token", "ansible.cfg"): "made-up~refresh-token-of-a-file",
    }
    play = _run(plays, given)
    assert play.returncode == 2
    message = play.result("Get")["msg"]
    for place in ("option client_secret", "variable app_token_client_secret", *SOURCES["client_secret"][2:]):
        assert place in message
    assert "[entra_auth] client_secret" not in message
    assert "of-a-file" not in play.output
    assert emulator.requests() == []


def test_everything_that_is_missing_is_named_at_once(plays: Plays, emulator: Emulator) -> None:
    """With all places of each, before any request."""
    play = plays.run([{"tasks": [_GET]}], record=True, env=_OWN)
    assert play.returncode == 2
    message = play.result("Get")["msg"]
    for option in ("tenant_id", "client_id"):
        for source in SOURCES[option]:
            place = {"option": f"option {option}", "variable": f"variable app_token_{option}"}.get(source, source)
            assert place in message
    for place in ("client_secret", "app_token_<option>", "ENTRA_AUTH_<OPTION>", *SOURCES["client_secret"][3:]):
        assert place in message
    assert emulator.requests() == []


@pytest.mark.parametrize(
    ("env", "host", "cloud"),
    [
        ({"AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernment"}, "graph.microsoft.us", "usgov"),
        ({"ARM_ENVIRONMENT": "usgovernmentl5"}, "dod-graph.microsoft.us", "usgov_dod"),
        (
            {"AZURE_CLOUD_ENVIRONMENT": "AzureChinaCloud", "ARM_ENVIRONMENT": "public"},
            "microsoftgraph.chinacloudapi.cn",
            "china",
        ),
        ({"ENTRA_AUTH_CLOUD": "public", "AZURE_CLOUD_ENVIRONMENT": "AzureChinaCloud"}, "graph.microsoft.com", "public"),
    ],
    ids=["azure", "terraform", "azure-before-terraform", "own-before-azure"],
)
def test_other_tools_names_of_clouds_are_understood(
    plays: Plays, emulator: Emulator, env: dict[str, str], host: str, cloud: str
) -> None:
    """One variable chooses scope and API host."""
    play = plays.run(
        [{"tasks": [{**_GET, "register": "token"}, show(token="token")]}],
        record=True,
        env={**env, "ENTRA_AUTH_API_BASE_URL": None},
    )
    assert play.returncode == 0, play.output
    token = play.shown()["token"]
    assert (token["api_url"], token["cloud"]) == (f"https://{host}", cloud)
    assert [_seen(entry)["scope"] for entry in emulator.token_requests()] == [f"https://{host}/.default"]


def test_a_login_host_of_other_tools_serves_their_cloud_alone(plays: Plays, emulator: Emulator) -> None:
    """AZURE_AUTHORITY_HOST counts beside AZURE_CLOUD_ENVIRONMENT, and not where the call itself names the cloud."""
    env = {
        "ENTRA_AUTH_AUTHORITY": None,
        "AZURE_AUTHORITY_HOST": emulator.urls.login,
        "AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernment",
    }
    # Nobody listens there: the request for the cloud's own login host must not leave this machine.
    away = {"cloud": "china", "proxy": "http://127.0.0.1:9", "retry_for": 0}
    tasks = [_GET, {"name": "Get elsewhere", "entra.auth.app_token": away, "ignore_errors": True}]
    play = plays.run([{"tasks": tasks}], record=True, env=env)
    assert play.returncode == 0, play.output
    assert "login.partner.microsoftonline.cn" in play.result("Get elsewhere")["msg"]
    assert [_seen(entry)["scope"] for entry in emulator.token_requests()] == ["https://graph.microsoft.us/.default"]


def test_every_type_of_option_is_read_from_text(plays: Plays, emulator: Emulator) -> None:
    """Lists, mappings, numbers and switches, as the environment and ansible.cfg have them."""
    plays.directory.joinpath("ansible.cfg").write_text(
        "[entra_auth]\nrequired_roles = User.Read.All, Group.Read.All\ncache = none ; a comment\nproxy =\n"
    )
    env = {
        "ENTRA_AUTH_EXTRA_HEADERS": '{"X-Team": "50%"}',
        "ENTRA_AUTH_MIN_VALIDITY": "60",
        "ENTRA_AUTH_TIMEOUT": "2.5",
        "ENTRA_AUTH_FORCE_REFRESH": "no",
        "ENTRA_AUTH_VALIDATE_CERTS": "yes",
        "ENTRA_AUTH_CA_PATH": emulator.ca,
        "REQUESTS_CA_BUNDLE": None,
    }
    play = plays.run([{"tasks": [_GET, {**_GET, "register": "token"}, show(token="token")]}], record=True, env=env)
    assert play.returncode == 0, play.output
    assert play.shown()["token"]["headers"]["X-Team"] == "50%"
    assert len(emulator.token_requests()) == 2
    play = plays.run([{"tasks": [_GET]}], record=True, env={**env, "ENTRA_AUTH_TIMEOUT": "soon"})
    assert "timeout (from environment ENTRA_AUTH_TIMEOUT) has to be a number of seconds" in play.result("Get")["msg"]
