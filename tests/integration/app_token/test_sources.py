# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the options of ``app_token`` come from: the order of the sources, seen at the wire."""

from __future__ import annotations

import json
import typing as t
import uuid

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from plays import role, show

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


_FURTHER_LEVELS: t.Final = ((0, ""), (1, ""), (6, ""), (1, None), (6, None), (2, " \t"))


@pytest.mark.parametrize(
    ("level", "stronger"),
    [
        *((level, "") for level in (2, 3, 4, 5)),
        (3, None),
        *(pytest.param(*row, marks=pytest.mark.thorough) for row in _FURTHER_LEVELS),
    ],
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


# What YAML, Jinja, INI files, shells, JSON and forms give a meaning to, and what is not ASCII.
SECRET: t.Final = "made-up~ {{ 7 * 7 }}{% if %}{# #} %41%s+&=# ; '\" \\n\\ $HOME ~ äß漢😀 !"


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


# As an option, by a variable in an option, as a keyword of the lookup, and as a parameter of the role.
_IN_A_PLAYBOOK: t.Final = f"""
- hosts: playbook
  gather_facts: false
  vars:
    secrets:
      here: !unsafe {json.dumps(SECRET, ensure_ascii=False)}
  tasks:
    - entra.auth.app_token:
        client_secret: !unsafe {json.dumps(SECRET, ensure_ascii=False)}
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
_PASSWORD: t.Final = "made-up-password"


def _build_inventory_variables() -> dict[str, str]:
    """Return variables files by host: marked as no template, encrypted by itself, or by a template that leads there."""
    literal = json.dumps(SECRET, ensure_ascii=False)
    vault = VaultLib([("default", VaultSecret(_PASSWORD.encode()))])
    encrypted = "\n  ".join(["!vault |", *vault.encrypt(SECRET.encode()).decode().splitlines()])
    return {
        "unsafe": f"app_token_client_secret: !unsafe {literal}\n",
        "leads_to_unsafe": (
            f"app_token_client_secret: \"{{{{ elsewhere['here'] }}}}\"\nelsewhere: {{here: !unsafe {literal}}}\n"
        ),
        "vaulted": f"app_token_client_secret: {encrypted}\n",
        "leads_to_vaulted": f'app_token_client_secret: "{{{{ vaulted }}}}"\nvaulted: {encrypted}\n',
    }


def test_a_secret_survives_as_it_is_from_a_playbook_an_inventory_and_a_vault(plays: Plays, emulator: Emulator) -> None:
    """In each place of a playbook, and for every face in each form of an inventory variable."""
    files = _build_inventory_variables()
    directory = plays.directory / "host_vars"
    directory.mkdir()
    for host, content in files.items():
        directory.joinpath(f"{host}.yml").write_text(content)
    (plays.directory / "password").write_text(_PASSWORD)
    by_option = '    - entra.auth.app_token:\n        client_secret: "{{ app_token_client_secret }}"\n'
    faces = (_FACES + by_option + _ROLE).replace("hosts: all", "hosts: all:!playbook")
    play = plays.run(
        _IN_A_PLAYBOOK + faces,
        *("--vault-password-file", str(plays.directory / "password")),
        hosts={host: {} for host in ("playbook", *files)},
        env=_client(emulator),
    )
    _assert_arrived(play, emulator, 5 + 4 * len(files))


def test_a_secret_survives_as_it_is_from_the_environment(plays: Plays, emulator: Emulator) -> None:
    """No character of it has a meaning there, for any face."""
    play = plays.run(_FACES + _ROLE, env={**_client(emulator), "ENTRA_AUTH_CLIENT_SECRET": SECRET})
    _assert_arrived(play, emulator, 3)


def test_a_secret_survives_as_it_is_from_extra_vars(plays: Plays, emulator: Emulator) -> None:
    """In the form in which AWX hands them over."""
    extra = plays.directory / "extra.yml"
    extra.write_text(f"app_token_client_secret: !unsafe {json.dumps(SECRET, ensure_ascii=False)}\n")
    _assert_arrived(plays.run(_FACES + _ROLE, "-e", f"@{extra}", env=_client(emulator)), emulator, 3)


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
    assert play.result("Get")["msg"].startswith("Missing: client_secret")
    assert "of-a-file" not in play.output
    assert emulator.requests() == []


def test_all_that_is_missing_is_named_at_once_and_its_places_with_v(plays: Plays, emulator: Emulator) -> None:
    play = plays.run([{"tasks": [_GET]}], "-v", record=True, env=_OWN)
    assert play.returncode == 2
    assert play.result("Get")["msg"] == (
        "Missing: tenant_id, client_id and a credential (such as client_secret). To fix it: Set the options "
        "tenant_id, client_id and client_secret, the variables app_token_tenant_id, app_token_client_id and "
        "app_token_client_secret or the environment variables AZURE_TENANT_ID, AZURE_CLIENT_ID and "
        "AZURE_CLIENT_SECRET; -v lists every place that was searched."
    )
    searched = [line for line in play.stdout.splitlines() if " was searched in " in line]
    for option in ("tenant_id", "client_id", "client_secret"):
        (line,) = [line for line in searched if line.startswith(f"entra.auth: {option} was")]
        for source in SOURCES[option]:
            place = {"option": f"option {option}", "variable": f"variable app_token_{option}"}.get(source, source)
            assert place in line
    assert "ansible.cfg" not in next(line for line in searched if "client_secret was" in line)
    assert emulator.requests() == []


def test_a_user_s_password_is_named_as_not_supported(plays: Plays, emulator: Emulator) -> None:
    """The built-in credential type of AWX gives one if the client is left out."""
    play = plays.run(
        [{"tasks": [_GET]}], record=True, env={**_OWN, "AZURE_AD_USER": "me", "AZURE_PASSWORD": "made-up~pw"}
    )
    assert "AZURE_AD_USER and AZURE_PASSWORD were found, but user passwords are not supported." in play.output
    assert "made-up~pw" not in play.output
    assert emulator.requests() == []


_FURTHER_CLOUDS: t.Final[dict[str, tuple[dict[str, str], str, str]]] = {
    "azure": ({"AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernment"}, "graph.microsoft.us", "usgov"),
    "terraform": ({"ARM_ENVIRONMENT": "usgovernmentl5"}, "dod-graph.microsoft.us", "usgov_dod"),
}


@pytest.mark.parametrize(
    ("env", "host", "cloud"),
    [
        pytest.param(
            {"AZURE_CLOUD_ENVIRONMENT": "AzureChinaCloud", "ARM_ENVIRONMENT": "public"},
            "microsoftgraph.chinacloudapi.cn",
            "china",
            id="azure-before-terraform",
        ),
        pytest.param(
            {"ENTRA_AUTH_CLOUD": "public", "AZURE_CLOUD_ENVIRONMENT": "AzureChinaCloud"},
            "graph.microsoft.com",
            "public",
            id="own-before-azure",
        ),
        *(pytest.param(*row, marks=pytest.mark.thorough, id=name) for name, row in _FURTHER_CLOUDS.items()),
    ],
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


# --- forms of a value -------------------------------------------------------------------------------------------------

_PAIRS: t.Final = {"X-Team": "a", "X-Other": "b"}
# A list of texts, a mapping of texts and a number, each time the same ones.
FORMS: t.Final[dict[str, tuple[t.Any, t.Any, t.Any]]] = {
    "YAML": (["User.Read.All", "Group.Read.All"], _PAIRS, 20),
    "text": ("User.Read.All, Group.Read.All", "X-Team=a,X-Other=b", "20"),
    "JSON": ('["User.Read.All", "Group.Read.All"]', json.dumps(_PAIRS), "20.0"),
    "flow": ("[User.Read.All, Group.Read.All]", "{X-Team: a, X-Other: b}", 20.0),
    "lines": ("User.Read.All,Group.Read.All\n", "X-Team=a X-Other=b\n", "20\n"),
}


def _build_play_with_values(form: str) -> dict[str, t.Any]:
    """Return a play for the host of a form, which gives its values in each place and shows the headers."""
    given = dict(zip(("required_roles", "extra_headers", "timeout"), FORMS[form], strict=True))
    variables = {f"app_token_{name}": value for name, value in given.items()}
    wrong = {**given, "required_roles": "Mail.Send,User.Read.All"}
    shown = show(
        option="option.headers",
        variable="variable.headers",
        role="role.headers",
        lookup="lookup('entra.auth.app_token', output='headers', **given)",
    )
    tasks = [
        {"name": "Lack", "entra.auth.app_token": wrong, "ignore_errors": True},
        {**_GET, "entra.auth.app_token": given, "register": "option"},
        {**_GET, "vars": variables, "register": "variable"},
        role("app_token", **variables, app_token_fact="role"),
        {**shown, "vars": {"given": given}},
    ]
    return {"hosts": form, "tasks": tasks}


def test_a_value_is_read_in_any_form_from_any_place(plays: Plays) -> None:
    """As an option, a variable of the play, a variable of the role, and a keyword of the lookup."""
    playbook = [_build_play_with_values(form) for form in FORMS]
    play = plays.run(playbook, hosts={form: {} for form in FORMS}, record=True)
    assert play.returncode == 0, play.output
    for form in FORMS:
        assert "lacks the app roles Mail.Send." in play.result("Lack", form)["msg"], form
        for place, headers in play.shown(form).items():
            assert {name: headers.get(name) for name in _PAIRS} == _PAIRS, (form, place)


def test_a_value_is_read_from_the_command_line_as_text(plays: Plays) -> None:
    """Pairs of ``-e`` and the arguments of an ad hoc command are text in each type."""
    pairs = 'app_token_required_roles=User.Read.All,Group.Read.All app_token_extra_headers=\'{"X-Team": "a"}\''
    arguments = "min_validity=60 force_refresh=yes extra_headers=X-Other=b"
    tasks = [{"name": "Get", "entra.auth.app_token": arguments, "register": "one"}, {**_GET, "register": "other"}]
    shown = show(one="one.headers", other="other.headers")
    play = plays.run([{"tasks": [*tasks, shown]}], "-e", pairs, record=True)
    assert play.returncode == 0, play.output
    assert play.shown()["one"]["X-Other"] == "b"
    assert play.shown()["other"]["X-Team"] == "a"


def test_an_omitted_value_counts_as_not_given(plays: Plays, emulator: Emulator) -> None:
    omitted = {"scope": "{{ omit }}", "required_roles": "{{ omit }}", "timeout": "{{ nothing | default(omit) }}"}
    variables = {f"app_token_{name}": value for name, value in omitted.items()}
    headers = {"X-Team": "a", "X-Other": "{{ omit }}"}
    tasks = [
        {**_GET, "entra.auth.app_token": {**omitted, "extra_headers": headers}, "register": "token"},
        show(headers="token.headers"),
    ]
    play = plays.run([{"tasks": tasks}, {"tasks": [role("app_token")]}], record=True, **variables)
    assert play.returncode == 0, play.output
    assert {_seen(request)["scope"] for request in emulator.token_requests()} == {GRAPH}
    assert play.shown()["headers"].keys() == {"X-Team", "Authorization"}


@pytest.mark.parametrize(
    "ending", ["\r\n", *(pytest.param(ending, marks=pytest.mark.thorough) for ending in ("\n", "\n\n"))]
)
def test_a_line_break_at_the_end_is_not_part_of_a_value(plays: Plays, emulator: Emulator, ending: str) -> None:
    """From a YAML block, ``echo`` or an editor."""
    refresh_token = emulator.add_refresh_token(emulator.client_id)
    options = {
        "tenant_id": emulator.tenant_id + ending,
        "client_id": emulator.client_id + ending,
        "client_secret": emulator.client_secret + ending,
        "scope": f"graph{ending}",
        "authority": emulator.urls.login + ending,
        "cache": "none",
    }
    redeem = {"name": "Redeem", "entra.auth.app_token": {**options, "refresh_token": refresh_token + ending}}
    environment = {f"ENTRA_AUTH_{name.upper()}": value for name, value in options.items()}
    play = plays.run([{"tasks": [{**_GET, "entra.auth.app_token": options}, redeem]}], record=True)
    assert play.returncode == 0, play.output
    assert plays.run([{"tasks": [_GET]}], env=environment).returncode == 0
    first, second, third = (_seen(request) for request in emulator.token_requests())
    assert first == third
    assert first["client_secret"] == second["client_secret"] == emulator.client_secret


# --- scope and authority ----------------------------------------------------------------------------------------------


SCOPES: t.Final = {
    "https://graph.microsoft.com/User.Read.All": "graph",
    "https://graph.microsoft.com/v1.0/users": "graph",
    "https://management.azure.com/subscriptions": "arm",
    "https://contoso.vault.azure.net": "key_vault",
    "GRAPH": "graph",
    "azure": "arm",
    "User.Read.All": "graph",
}


def test_the_url_of_an_endpoint_is_understood_as_authority(plays: Plays, emulator: Emulator) -> None:
    login, tenant = emulator.urls.login, emulator.tenant_id
    paths = [
        f"{tenant}",
        f"{tenant}/v2.0",
        f"{tenant}/oauth2/v2.0/token",
        f"{tenant}/v2.0/.well-known/openid-configuration",
    ]
    tasks = [{**_GET, "entra.auth.app_token": {"authority": f"{login}/{path}", "cache": "none"}} for path in paths]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert {request["path"] for request in emulator.token_requests()} == {f"/{tenant}/oauth2/v2.0/token"}


AUTHORITIES: t.Final = {
    "common": "The authority ends in /common",
    "organizations/": "The authority ends in /organizations",
    "22222222-2222-4222-8222-222222222222/v2.0": "names the tenant 22222222-2222-4222-8222-222222222222",
    "a/../b": "not a URL of a login host",
    "?p=b2c_1_app": "has a query",
}


def _try(name: str, **options: str) -> dict[str, t.Any]:
    """Return a task that may fail."""
    return {"name": name, "entra.auth.app_token": options, "ignore_errors": True}


def test_a_scope_or_an_authority_that_can_t_be_meant_is_refused_with_the_fix(plays: Plays, emulator: Emulator) -> None:
    """A scope that is not an API with the alias, an authority by its name."""
    tasks = [
        *(_try(scope, scope=scope) for scope in SCOPES),
        *(_try(path, authority=f"{emulator.urls.login}/{path}") for path in AUTHORITIES),
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    for scope, alias in SCOPES.items():
        failure = play.result(scope)
        assert failure["hint"].startswith(f"Use scope: {alias}. The permissions of an application are granted to it")
        assert "az ad sp create" not in failure["msg"]
    for path, message in AUTHORITIES.items():
        failure = play.result(path)
        assert message in failure["msg"]
        assert "authority" in failure["msg"]
        assert not failure["hint"].startswith("Set tenant_id")
    assert emulator.requests() == []


def test_a_known_login_host_alone_decides_the_cloud(plays: Plays, emulator: Emulator) -> None:
    """As the webhook of AKS sets it in Azure Government. The request must not leave this machine."""
    env = {
        "ENTRA_AUTH_AUTHORITY": None,
        "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/",
        "ENTRA_AUTH_PROXY": "http://127.0.0.1:9",
        "ENTRA_AUTH_RETRY_FOR": "0",
    }
    devops = {**_GET, "entra.auth.app_token": {"scope": "devops"}}
    play = plays.run([{"tasks": [devops]}], record=True, env=env)
    assert "The API 'devops' is not known in the cloud 'usgov'." in play.result("Get")["msg"]
    env |= {"AZURE_CLOUD_ENVIRONMENT": "AzureCloud"}
    message = plays.run([{"tasks": [devops]}], record=True, env=env).result("Get")["msg"]
    assert "AZURE_AUTHORITY_HOST) is the login host of the cloud usgov, but cloud (from " in message
    assert "AZURE_CLOUD_ENVIRONMENT) is public" in message
