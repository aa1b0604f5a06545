# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed identity of each platform: what it is asked, by which order platforms are told apart, and off Azure."""

from __future__ import annotations

import contextlib
import os
import socket
import time
import typing as t
import urllib.parse

import pytest
from canned_server import CannedServer, answer, hang_up, json_answer, silence

from plays import Plays, role, show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Hosts, Play

GRAPH: t.Final = "https://graph.microsoft.com"
CLIENT_ID: t.Final = "aaaaaaaa-0000-4000-8000-000000000102"
OBJECT_ID: t.Final = "bbbbbbbb-0000-4000-8000-000000000102"
SYSTEM: t.Final = "aaaaaaaa-0000-4000-8000-000000000101"
RESOURCE_ID: t.Final = (
    "/subscriptions/c0000000-0000-4000-8000-000000000001/resourceGroups/web/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/deployer"
)
SELECTORS: t.Final = {
    "managed_identity_client_id": CLIENT_ID,
    "managed_identity_object_id": OBJECT_ID,
    "managed_identity_resource_id": RESOURCE_ID,
}
SECRET: t.Final = "made-up~platform-secret"
# The strongest first: each is found although the variables of all weaker ones are there as well.
ORDER: t.Final = ("service_fabric", "app_service", "arc", "azure_ml", "cloud_shell", "imds")
_PROXIES: t.Final = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
# For each status that passes, a scope to tell its requests by, and what of the scope is in their query.
BUSY: t.Final = {
    404: ("arm", "management"),
    410: ("key_vault", "vault"),
    429: ("storage", "storage"),
    500: ("sql", "database"),
}
Query = list[tuple[str, str]]


@pytest.fixture
def trap() -> t.Iterator[CannedServer]:
    """A proxy that no request may come to; it would answer with a token."""
    with CannedServer(json_answer(200, {"token_type": "Bearer", "access_token": "caught", "expires_in": 60})) as server:
        yield server
        assert server.received == []


class Machine:
    """Runs plays that ask for a managed identity, with a proxy in the environment that is not for it."""

    def __init__(self, plays: Plays, emulator: Emulator, trap: CannedServer) -> None:
        self._plays = plays
        self._emulator = emulator
        self._trap = trap

    def run(
        self, tasks: list[dict[str, t.Any]], env: t.Mapping[str, str | None], *arguments: str, hosts: int | Hosts = 1
    ) -> Play:
        """``env`` has the platform's variables."""
        for_all = {
            **{name: None for name in self._emulator.environment() if name.startswith("ENTRA_AUTH_")},
            **dict.fromkeys(_PROXIES, self._trap.url),
            "ENTRA_AUTH_CACHE": "none",
            "ENTRA_AUTH_CREDENTIAL": "managed_identity",
            # A test never asks the real address: what looks for it finds nobody.
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:9",
            **env,
            # The emulator's own variables would keep proxies away from it.
            "NO_PROXY": None,
            "no_proxy": None,
        }
        return self._plays.run([{"tasks": tasks}], *arguments, hosts=hosts, record=True, env=for_all)

    def on(self, platform: str, tasks: list[dict[str, t.Any]], *arguments: str, **env: str) -> Play:
        """The same on a platform of the emulator."""
        return self.run(tasks, {**self._emulator.managed_identity_environment(platform), **env}, *arguments)


@pytest.fixture
def machine(plays: Plays, emulator: Emulator, trap: CannedServer) -> Machine:
    """Runs plays on a platform."""
    return Machine(plays, emulator, trap)


def _get(task: str = "Get", /, **options: t.Any) -> dict[str, t.Any]:
    return {"name": task, "entra.auth.app_token": options, "register": "token", "ignore_errors": True}


def _each(**options: t.Any) -> list[dict[str, t.Any]]:
    """Tasks for the system-assigned identity, and for the other one by each selector."""
    selected = [_get(name, **{name: value}, **options) for name, value in SELECTORS.items()]
    return [_get("system", **options), *selected]


def _asked(emulator: Emulator) -> list[dict[str, t.Any]]:
    """All requests but those that ask a virtual machine's service whether it is there, which carry nothing."""
    log = emulator.requests()
    probes = [entry for entry in log if entry["path"].startswith("/metadata") and not entry["query"]]
    assert all(_headers(probe, "Metadata") == [None] and not probe["body"] for probe in probes)
    return [entry for entry in log if entry not in probes]


def _queries(emulator: Emulator) -> list[Query]:
    return [urllib.parse.parse_qsl(entry["query"]) for entry in _asked(emulator)]


def _headers(entry: dict[str, t.Any], *names: str) -> list[str | None]:
    found = {name.lower(): value for name, value in entry["headers"]}
    return [found.get(name.lower()) for name in names]


def _statuses(emulator: Emulator) -> list[int]:
    return [entry["status"] for entry in _asked(emulator)]


def test_a_virtual_machine_is_asked_for_the_identity_that_is_selected(machine: Machine, emulator: Emulator) -> None:
    """No tenant and no client are needed; the last slash of a resource's name is kept. All selectors name the same."""
    each = [{**task, "register": f"by_{number}"} for number, task in enumerate(_each())]
    ids = "[by_0, by_1, by_2, by_3] | map(attribute='claims.appid')"
    tasks = [*each, _get("storage", scope="storage"), show(token="token", ids=ids), _get("several", **SELECTORS)]
    play = machine.on("imds", tasks)
    shared = [("api-version", "2018-02-01"), ("resource", GRAPH)]
    assert _queries(emulator) == [
        shared,
        [*shared, ("client_id", CLIENT_ID)],
        [*shared, ("object_id", OBJECT_ID)],
        [*shared, ("msi_res_id", RESOURCE_ID)],
        [("api-version", "2018-02-01"), ("resource", "https://storage.azure.com/")],
    ]
    for entry in _asked(emulator):
        assert (entry["method"], entry["path"]) == ("GET", "/metadata/identity/oauth2/token")
        assert _headers(entry, "Metadata", "Authorization") == ["true", None]
    assert play.shown()["ids"] == [SYSTEM, CLIENT_ID, CLIENT_ID, CLIENT_ID]
    token = play.shown()["token"]
    assert (token["credential"], token["claims"]["appid"], token["claims"]["aud"]) == (
        *("managed_identity", SYSTEM),
        "https://storage.azure.com/",
    )
    assert 86000 < token["expires_in"] <= 86400
    # One identity at a time, by one name: the last task does not even ask whether the service is there.
    message = play.result("several")["msg"]
    assert "More than one of managed_identity_client_id, _object_id and _resource_id is given." in message
    assert len(emulator.requests()) == 2 * len(_asked(emulator))


# Those that other tests ask as well are left to make test-all.
@pytest.mark.parametrize(
    "platform",
    [
        *("service_fabric", "cloud_shell"),
        *(pytest.param(name, marks=pytest.mark.thorough) for name in ("app_service", "azure_ml", "imds")),
    ],
)
def test_each_platform_is_found_before_the_weaker_ones(machine: Machine, emulator: Emulator, platform: str) -> None:
    """By its variables, with a request of its own shape; what the platform's secret is, is shown nowhere."""
    weaker = ORDER[ORDER.index(platform) + 1 :]
    env: dict[str, str] = {}
    for name in (*reversed([one for one in weaker if not (platform == "cloud_shell" and one == "azure_ml")]), platform):
        env |= emulator.managed_identity_environment(name)
    play = machine.run([_get("system"), show(credential="token.credential")], env, "-vvv")
    assert play.returncode == 0, play.output
    assert play.shown() == {"credential": "managed_identity"}
    (entry,) = _asked(emulator)
    query = dict(urllib.parse.parse_qsl(entry["query"]))
    expected = {
        "service_fabric": ("GET", "2019-07-01-preview", ("Secret", SECRET)),
        "app_service": ("GET", "2019-08-01", ("X-IDENTITY-HEADER", SECRET)),
        "azure_ml": ("GET", "2017-09-01", ("secret", SECRET)),
        "cloud_shell": ("POST", None, ("Metadata", "true")),
        "imds": ("GET", "2018-02-01", ("Metadata", "true")),
    }
    method, version, (header, value) = expected[platform]
    assert urllib.parse.urlsplit(env.get("IDENTITY_ENDPOINT") or env.get("MSI_ENDPOINT") or "").path in (
        "",
        entry["path"],
    )
    assert (entry["method"], query.get("api-version"), *_headers(entry, header)) == (method, version, value)
    if platform == "cloud_shell":
        assert (entry["query"], entry["form"]) == ("", [["resource", GRAPH]])
    else:
        assert query == {"api-version": version, "resource": GRAPH}
        assert entry["body"] == ""
    assert SECRET not in play.output


def test_app_service_and_machine_learning_name_selectors_in_their_own_way(machine: Machine, emulator: Emulator) -> None:
    """And what a platform can't select by is refused by name before any request."""
    play = machine.on("app_service", _each())
    assert [query[2:] for query in _queries(emulator)] == [
        [],
        [("client_id", CLIENT_ID)],
        [("principal_id", OBJECT_ID)],
        [("mi_res_id", RESOURCE_ID)],
    ]
    assert _statuses(emulator) == [200] * 4, play.output
    emulator.forget_requests()
    play = machine.on("azure_ml", _each(), DEFAULT_IDENTITY_CLIENT_ID=SYSTEM)
    assert [query[2:] for query in _queries(emulator)] == [[("clientid", SYSTEM)], [("clientid", CLIENT_ID)]]
    assert _statuses(emulator) == [200] * 2, play.output
    for name in ("managed_identity_object_id", "managed_identity_resource_id"):
        assert "Azure Machine Learning does not let a task choose the identity" in play.result(name)["msg"]


@pytest.mark.parametrize(("platform", "name"), [("service_fabric", "Service Fabric"), ("cloud_shell", "Cloud Shell")])
def test_where_the_identity_can_t_be_chosen_a_selector_is_refused(
    machine: Machine, emulator: Emulator, platform: str, name: str
) -> None:
    """Rather than that another identity answers than the one asked for."""
    play = machine.on(platform, [*_each(), _get("client_id", client_id=CLIENT_ID)])
    for selector in (*SELECTORS, "client_id"):
        assert f"{name} does not let a task choose the identity" in play.result(selector)["msg"]
    for selector in SELECTORS:
        assert "managed_identity_*" in play.result(selector)["hint"]
    assert "client_id" in play.result("client_id")["hint"]
    assert [entry["status"] for entry in emulator.requests()] == [200]


def test_service_fabric_is_trusted_by_its_thumbprint_alone(machine: Machine, emulator: Emulator) -> None:
    """Another certificate gets nothing, not even by a CA that vouches for it; and none is needed for the right one."""
    with_ca = {"REQUESTS_CA_BUNDLE": emulator.ca, "SSL_CERT_FILE": emulator.ca}
    wrong = "0" * len(emulator.service_fabric_thumbprint)
    tasks = [_get(retry_for=0), _get("insecure", retry_for=0, validate_certs=False)]
    play = machine.on("service_fabric", tasks, **with_ca, IDENTITY_SERVER_THUMBPRINT=wrong)
    for name in ("Get", "insecure"):
        assert "TLS" in play.result(name)["msg"] or "ertificate" in play.result(name)["msg"]
        assert SECRET not in str(play.result(name))
    assert emulator.requests() == []
    play = machine.on("service_fabric", [_get()], REQUESTS_CA_BUNDLE="/dev/null", SSL_CERT_FILE="/dev/null")
    assert _statuses(emulator) == [200], play.output


@pytest.mark.skipif(os.geteuid() != 0, reason="the key files of Azure Arc are for root")
def test_azure_arc(machine: Machine, emulator: Emulator) -> None:
    """The challenge is answered with the content of the file that it names, if that is a file the agent may name."""
    control = "{{ lookup('env', 'ENTRA_EMULATOR_CONTROL') }}/settings"

    def having(**settings: t.Any) -> dict[str, t.Any]:
        arguments = {"url": control, "method": "PATCH", "body_format": "json", "body": settings}
        return {"name": "Arrange", "ansible.builtin.uri": arguments, "environment": dict.fromkeys(_PROXIES, "")}

    files = ("outside", "wrong_extension", "symlink", "too_big", "missing")
    env = {**emulator.managed_identity_environment("imds"), **emulator.managed_identity_environment("azure_ml")}
    tasks = [
        having(arc_key_file="good"),
        *_each(),
        having(arc_ignores_selector=True),
        _get("old agent", managed_identity_client_id=CLIENT_ID),
        *(task for kind in files for task in (having(arc_key_file=kind), _get(kind))),
    ]
    try:
        play = machine.run(tasks, {**env, **emulator.managed_identity_environment("arc")}, "-vvv")
        log = emulator.requests()
    finally:
        emulator.reset()  # removes the key files
    assert play.returncode == 0, play.output
    assert {entry["path"] for entry in log} == {"/arc/metadata/identity/oauth2/token"}
    good, refused = log[:10], log[10:]
    assert [entry["status"] for entry in good] == [401, 200] * 5
    assert [entry["query"] for entry in good[::2]] == [entry["query"] for entry in good[1::2]]
    assert [urllib.parse.parse_qsl(entry["query"]) for entry in good[:8:2]] == [
        [("api-version", "2020-06-01"), ("resource", GRAPH), *selector]
        for selector in ([], [("client_id", CLIENT_ID)], [("object_id", OBJECT_ID)], [("msi_res_id", RESOURCE_ID)])
    ]
    assert {tuple(_headers(entry, "Metadata", "Authorization")) for entry in good[::2]} == {("true", None)}
    keys = [str(_headers(entry, "Authorization")[0]) for entry in good[1::2]]
    assert all(key.startswith("Basic ") for key in keys)
    assert not [key for key in keys if key.removeprefix("Basic ") in play.output]
    assert "responded for another identity than the requested one" in play.result("old agent")["msg"]
    assert [entry["status"] for entry in refused] == [401] * len(files)
    for kind in ("outside", "wrong_extension", "symlink"):
        assert "does not name a key file where its key files are" in play.result(kind)["msg"]
    for kind in ("too_big", "missing"):
        assert "can't be read, is empty or is too large" in play.result(kind)["msg"]
    assert "himds" in play.result("missing")["hint"]


def test_a_virtual_machine_is_asked_again_while_its_service_is_busy(machine: Machine, emulator: Emulator) -> None:
    """Each of the statuses that pass, once; what does not pass is asked for once and says why."""
    for status, (_scope, word) in BUSY.items():
        emulator.fault("status", endpoint="imds", match=word, status=status)
    for status in (400, 401, 403):
        body = {"error": "made-up", "error_description": f"Made-up reason {status}."}
        emulator.fault("status", endpoint="imds", match=GRAPH.partition("//")[2], status=status, body=body)
    passing = [_get(str(status), scope=scope) for status, (scope, _word) in BUSY.items()]
    play = machine.on("imds", [*passing, *(_get(str(status)) for status in (400, 401, 403))])
    assert _statuses(emulator) == [404, 200, 410, 200, 429, 200, 500, 200, 400, 401, 403], play.output
    for status in (400, 401, 403):
        message = play.result(str(status))["msg"]
        assert (
            f"The managed identity endpoint (virtual machine) responded with {status}: Made-up reason {status}."
            in message
        )
        assert "has the requested identity" in message


def test_asking_again_ends_with_retry_for(machine: Machine, emulator: Emulator) -> None:
    """A few requests for each status, and what the last one said."""
    for status, (_scope, word) in BUSY.items():
        emulator.fault("status", endpoint="imds", match=word, status=status, times=None)
    hosts = {str(status): {"wanted": scope} for status, (scope, _word) in BUSY.items()}
    env = emulator.managed_identity_environment("imds")
    play = machine.run([_get(scope="{{ wanted }}", retry_for=5)], env, hosts=hosts)
    for status, (_scope, word) in BUSY.items():
        assert f"responded with {status}: It answered {status}." in play.result("Get", str(status))["msg"]
        assert 2 <= len([entry for entry in _asked(emulator) if word in entry["query"]]) <= 3


def test_no_such_identity_is_told_in_the_platform_s_words(machine: Machine, emulator: Emulator) -> None:
    """Whichever shape they have; and an API that the tenant does not have is named as well."""
    unknown = "99999999-0000-4000-8000-000000000001"
    for platform, name in (("imds", "virtual machine"), ("app_service", "App Service")):
        tasks = [_get("identity", managed_identity_client_id=unknown), _get("scope", scope="https://nowhere.example")]
        play = machine.on(platform, tasks)
        message = play.result("identity")["msg"]
        assert f"The managed identity endpoint ({name}) responded with 400" in message
        assert "Identity not found" in message
        assert "AADSTS500011" in play.result("scope")["msg"]
        assert play.result("scope")["error"] == "managed_identity_error"
    assert _statuses(emulator) == [400] * 4


def _closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _assert_off_azure(play: Play) -> str:
    message = str(play.result("Get")["msg"])
    assert message.startswith("No managed identity endpoint responds here.")
    assert "Run this on an Azure resource that has a managed identity, with run_on: target" in message
    assert "Requested with credential managed_identity" in message
    return message


def test_off_azure_nobody_listens(machine: Machine) -> None:
    """Said at once, although there would be time to try again."""
    play = machine.run(
        [_get(retry_for=300)], {"AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://127.0.0.1:{_closed_port()}"}
    )
    assert "Connection refused" in _assert_off_azure(play)


def test_off_azure_nobody_answers(machine: Machine) -> None:
    """Packets get lost, as where the address leads nowhere: given up long before timeout and retry_for."""
    with contextlib.ExitStack() as opened:
        server = opened.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        # Once its queue is full, the kernel drops whatever wants to connect.
        for _number in range(4):
            client = opened.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        begun = time.monotonic()
        play = machine.run([_get(timeout=300, retry_for=300)], {"AZURE_POD_IDENTITY_AUTHORITY_HOST": url})
    assert "was established within 0.8 s" in _assert_off_azure(play)
    assert time.monotonic() - begun < 200


@pytest.mark.parametrize(
    ("response", "requests"),
    [
        pytest.param(answer(404, "Not Found", Content_Type="text/plain", Server="EC2ws"), 2, id="is another cloud"),
        pytest.param(hang_up, 2, id="hangs up", marks=pytest.mark.thorough),
        pytest.param(
            answer(403, "<html>Forbidden</html>", Content_Type="text/html"),
            1,
            id="is a firewall",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_off_azure_something_else_answers(machine: Machine, response: t.Any, requests: int) -> None:
    """Two requests at most, long before timeout and retry_for, and none of them tells which identity is wanted."""
    begun = time.monotonic()
    with CannedServer(response) as server:
        get = _get(timeout=300, retry_for=300, managed_identity_client_id=CLIENT_ID)
        play = machine.run([get], {"AZURE_POD_IDENTITY_AUTHORITY_HOST": server.url})
    assert time.monotonic() - begun < 200
    _assert_off_azure(play)
    assert [request.target for request in server.received] == ["/metadata/identity/oauth2/token"] * requests


def test_off_azure_something_listens_and_says_nothing(machine: Machine) -> None:
    """It is given the timeout, because a service that is there may need it."""
    with CannedServer(silence) as server:
        play = machine.run([_get(timeout=0.5, retry_for=300)], {"AZURE_POD_IDENTITY_AUTHORITY_HOST": server.url})
    assert "did not respond completely" in _assert_off_azure(play)
    assert len(server.received) == 1


def test_a_virtual_machine_s_service_may_be_slow_lose_a_connection_or_be_updated(
    machine: Machine, emulator: Emulator
) -> None:
    """Its first response may take longer than one second; neither that nor one loss nor a 404 means "not on Azure"."""
    # Each for the first request of a task, which has no query.
    emulator.fault("slow", seconds=1.2, endpoint="imds", match=r"\?$")
    emulator.fault("drop", endpoint="imds", match=r"\?$")
    emulator.fault("status", status=404, endpoint="imds", match=r"\?$", after=1)
    names = ("slow", "lost", "updated")
    tasks = [{**_get(name, timeout=60), "register": name} for name in names]
    play = machine.on("imds", [*tasks, show(**{name: f"{name}.claims.appid" for name in names})])
    assert play.shown() == dict.fromkeys(names, SYSTEM)
    assert [entry["status"] for entry in emulator.requests()] == [400, 200, None, 400, 200, 404, 400, 200]


# --- client_id ---------------------------------------------------------------------------------------------------


def test_client_id_selects_the_identity(machine: Machine, emulator: Emulator) -> None:
    """As an option or a variable, by every entry point; and nothing that was not used is named anywhere."""
    lookup = "{{ lookup('entra.auth.app_token', client_id=wanted, output='token') }}"
    tasks = [
        {**_get("module", client_id="{{ wanted }}"), "register": "by_option"},
        {**_get("variable"), "register": "by_variable", "vars": {"app_token_client_id": "{{ wanted }}"}},
        role("app_token", app_token_client_id="{{ wanted }}", app_token_fact="by_role"),
        {"name": "lookup", "ansible.builtin.set_fact": {"by_lookup": lookup}, "no_log": True},
    ]
    names = ("by_option", "by_variable", "by_role", "by_lookup")
    shown = show(**{name: f"[{name}.claims.appid, {name}.client_id, {name}.tenant_id]" for name in names})
    wanted = {"name": "Name", "ansible.builtin.set_fact": {"wanted": CLIENT_ID}}
    play = machine.on("imds", [wanted, *tasks, shown], "-vvv", ENTRA_AUTH_TENANT_ID="of-another-app.example")
    assert play.returncode == 0, play.output
    assert list(play.shown().values()) == [[CLIENT_ID, CLIENT_ID, emulator.tenant_id]] * len(names)
    assert {query[-1] for query in _queries(emulator)} == {("client_id", CLIENT_ID)}
    lines = [line for line in play.output.splitlines() if line.startswith("entra.auth: token from")]
    assert lines
    assert not [line for line in lines if "tenant" in line]
    assert all(f"client {CLIENT_ID}" in line for line in lines)


def test_the_client_of_another_app_in_the_environment_is_neither_used_nor_named(
    machine: Machine, emulator: Emulator
) -> None:
    """As where AZURE_CLIENT_ID is there for other tools: the system-assigned identity answers, and is reported."""
    other = "99999999-0000-4000-8000-00000000dead"
    env = {"AZURE_CLIENT_ID": other, "AZURE_TENANT_ID": "of-another-app.example", "AZURE_AUTHORITY_HOST": "a.example"}
    tasks = [
        _get(),
        show(token="[token.client_id, token.claims.appid]"),
        _get("fails", scope="https://nowhere.example"),
    ]
    play = machine.on("imds", tasks, "-vvv", **env)
    assert play.shown()["token"] == [SYSTEM, SYSTEM]
    assert "AADSTS500011" in play.result("fails")["msg"]
    assert "client_id from environment AZURE_CLIENT_ID (not used by this credential)" in play.output
    for word in (other, "of-another-app.example", "a.example"):
        assert word not in play.output
    assert not [query for query in _queries(emulator) if "client_id" in dict(query)]


def test_it_is_chosen_by_itself_where_the_platform_says_so(machine: Machine, emulator: Emulator) -> None:
    """By a selector or by the platform's variables; the address of a virtual machine alone is no sign of one."""
    play = machine.on("app_service", [_get(credential="auto"), show(kind="token.credential")], "-v")
    assert play.shown() == {"kind": "managed_identity"}
    assert "credential by the variables of the platform" in play.output
    play = machine.on(
        "imds", [_get(credential="auto"), _get("chosen", credential="auto", managed_identity_client_id=CLIENT_ID)]
    )
    assert "Missing: " in play.result("Get")["msg"]
    assert "failed" not in {event["event"] for event in play.events() if event["task"] == "chosen"}
    assert _statuses(emulator) == [200, 200]


@pytest.mark.parametrize(
    "platform", ["imds", "service_fabric", pytest.param("app_service", marks=pytest.mark.thorough)]
)
def test_a_proxy_that_is_given_is_not_for_it_either(
    machine: Machine, emulator: Emulator, trap: CannedServer, platform: str
) -> None:
    """On every platform the way leads to this machine or its host."""
    play = machine.on(platform, [_get(proxy=trap.url)])
    assert _statuses(emulator) == [200], play.output
