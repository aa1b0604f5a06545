# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that is played while everything is searched for secrets: each face and credential, with success and failure.

A new entry point gets its scenarios here, in FACES; the rest of the audit takes them up by itself.
"""

from __future__ import annotations

import dataclasses
import typing as t

from audit.crashes import POINTS, TRIGGER
from audit.echoes import REPEATED_BY_API, REPEATED_BY_ENTRA
from audit.world import CREDENTIALS, PUBLIC_APP
from cores import CORE_MASKS

from plays import role, uri

AUTH: t.Final = "entra.auth.app_token"
Task = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Scenario:
    """Tasks, of which the one called ``name`` has to end on each host with the event ``ends``.

    ``says`` is a text that a reader of the output has to find, in spite of all masking.
    """

    name: str
    tasks: tuple[Task, ...]
    ends: str = "ok"
    says: str = ""
    hosts: tuple[str, ...] = ("client_secret",)
    strategy: str = "linear"


# --- how a face is called ---------------------------------------------------------------------------------------


def module(what: str, ends: str = "ok", says: str = "", *, hosts: t.Sequence[str] = (), **task: t.Any) -> Scenario:
    """The module with ``options``, and keywords of the task."""
    options = task.pop("options", {})
    return _scenario(f"module: {what}", {AUTH: options, **task}, ends, says, hosts)


def lookup(what: str, ends: str = "ok", says: str = "", *, hosts: t.Sequence[str] = (), **task: t.Any) -> Scenario:
    """The lookup with ``options``, in an expression that shows how long the token is."""
    expression = "{{ lookup('" + AUTH + "', **options) | length }}"
    variables = {"options": task.pop("options", {})}
    return _scenario(
        f"lookup: {what}", {"ansible.builtin.debug": {"msg": expression}, "vars": variables, **task}, ends, says, hosts
    )


def stock_uri(what: str, path: str, ends: str = "ok", says: str = "", **more: t.Any) -> Scenario:
    """The stock uri module with what the role's variable, or another expression, gives it."""
    hosts, defaults = more.pop("hosts", ()), more.pop("defaults", "app_token_uri")
    keywords = {name: more.pop(name) for name in ("loop", "async", "poll", "until", "retries", "delay") if name in more}
    url = path if path.startswith("http") else "{{ places.api }}" + path
    return _scenario(f"uri: {what}", {**uri(url, defaults, **more), **keywords}, ends, says, hosts)


def in_role(name: str, what: str, says: str = "", *, fails: bool = False, **variables: t.Any) -> Scenario:
    """A role, and a task that shows how it ended."""
    hosts = variables.pop("hosts", ("client_secret",))
    called = f"role {name}: {what}"
    shown: Task = {"name": called, "ansible.builtin.debug": {"msg": "done"}}
    tasks: list[Task] = [role(name, **{f"{name}_{option}": value for option, value in variables.items()})]
    if fails:
        shown["ansible.builtin.debug"] = {"msg": "{{ ansible_failed_result.msg }}"}
        tasks = [{"name": "Fail", "block": tasks, "rescue": [shown]}]
    else:
        tasks.append(shown)
    return Scenario(called, tuple(tasks), "ok", says, tuple(hosts))


def _scenario(name: str, task: Task, ends: str, says: str, hosts: t.Sequence[str]) -> Scenario:
    # However it ends, the next one has its turn.
    called = {**task, "name": name, "ignore_errors": True, "ignore_unreachable": True}
    return Scenario(name, (called,), ends, says, tuple(hosts) or ("client_secret",))


# --- what can go wrong ------------------------------------------------------------------------------------------

_REFUSED: t.Final = "Can't connect"
_AT_ONCE: t.Final = {"retry_for": 0, "cache": "none"}
# Options of app_token by the stage at which they fail, and a text that says why.
FAILURES: t.Final[dict[str, tuple[dict[str, t.Any], str]]] = {
    "mistyped secret": ({"client_secret": {"value": "{{ given.wrong_secret }}"}}, "has to be text, not a mapping"),
    "unknown option": (
        {"client_secrets": "{{ given.wrong_secret }}"},
        "Write client_secret instead of client_secrets.",
    ),
    "unusable secret": ({"client_secret": "{{ given.broken_secret }}"}, "client_secret"),
    "wrong secret": ({"client_secret": "{{ given.wrong_secret }}"}, "AADSTS7000215"),
    "secret ID for a value": ({"client_secret": "{{ given.secret_id }}"}, "most often the secret ID was pasted"),
    "expired secret": (
        {"client_id": "{{ apps.expired }}", "client_secret": "{{ given.expired_secret }}"},
        "AADSTS7000222",
    ),
    "secret in the answer": ({"client_id": "{{ apps.echo }}"}, "AADSTS7000215: Invalid client secret provided: ****"),
    "answer that is no JSON": ({"client_id": "{{ apps.html }}", **_AT_ONCE}, "JSON"),
    "throttled": ({"client_id": "{{ apps.throttled }}", **_AT_ONCE}, "429"),
    "connection lost": ({"client_id": "{{ apps.dropped }}", **_AT_ONCE}, "To fix it"),
    "token that breaks out": ({"client_id": "{{ apps.broken }}", **_AT_ONCE}, "token"),
    "unknown app": ({"client_id": "00000000-0000-4000-8000-00000000dead"}, "AADSTS700016"),
    "wrong tenant": ({"tenant_id": "00000000-0000-4000-8000-00000000dead"}, "AADSTS90002"),
    "unknown API": ({"scope": "https://api.nobody.example"}, "AADSTS500011"),
    "missing roles": ({"required_roles": ["No.Such.Role"]}, "lacks the app roles No.Such.Role"),
    "unknown host": ({"authority": "https://login.invalid", **_AT_ONCE}, "login.invalid"),
    "network refused": ({"authority": "https://localhost:9", **_AT_ONCE}, "localhost"),
    "proxy refused": (
        {
            "proxy": "http://someone:{{ given.proxy_password }}@localhost:9",
            "authority": "https://login.example",
            **_AT_ONCE,
        },
        "proxy",
    ),
    "unknown CA": ({"ca_path": "{{ places.other_ca }}", **_AT_ONCE}, "certificate"),
    "wrong password": (
        {
            "credential": "client_certificate",
            "client_certificate": "{{ given.pem }}",
            "client_certificate_password": "{{ given.wrong_password }}",
        },
        "password",
    ),
    "damaged key": (
        {"credential": "client_certificate", "client_certificate": "{{ given.damaged_pem }}"},
        "client_certificate",
    ),
    "wrong assertion": (
        {"credential": "federated", "federated_token": "{{ given.wrong_federated_token }}", **_AT_ONCE},
        "To fix it",
    ),
    "missing file": (
        {"credential": "federated", "federated_token_file": "/nonexistent/assertion", **_AT_ONCE},
        "/nonexistent/assertion",
    ),
    "wrong refresh token": (
        {
            "credential": "refresh_token",
            "client_id": PUBLIC_APP,
            "client_secret": "",
            "refresh_token": "{{ given.wrong_refresh_token }}",
        },
        "AADSTS",
    ),
}

# --- the scenarios ----------------------------------------------------------------------------------------------

_UNTIL: t.Final = {"register": "tried", "until": "tried is success", "retries": 1, "delay": 0}
_WRONG: t.Final = FAILURES["wrong secret"][0]
# One with a secret, one with none, and one that acts for a user.
_SEVERAL: t.Final = ("client_secret", "managed_identity", "refresh_token")
_KEEP_VARIABLES: t.Final = "variables kept: {{ lookup('keep_variables', inventory_hostname) }}"
_ROLE_VARIABLES: t.Final[dict[str, dict[str, t.Any]]] = {
    "app_token": {},
    "authorized_uri": {"authorized_uri_url": "/v1.0/users?$top=1"},
    "preflight": {"preflight_scopes": ["graph"]},
}
_LOOKED_UP: t.Final = f"lookup('{AUTH}', output='uri')"


def _each_credential() -> t.Iterator[Scenario]:
    everywhere: dict[str, t.Any] = {"hosts": CREDENTIALS}
    yield module("success", **everywhere, register="token")
    yield module("loop", **everywhere, options={"scope": "{{ item }}"}, loop=["graph", "arm"])
    yield module("check mode and diff", check_mode=True, diff=True)
    yield module("until", **_UNTIL)
    yield module("delegate_to", hosts=_SEVERAL, delegate_to="localhost")
    yield module("asked anew", **everywhere, options={"force_refresh": True})
    yield lookup("success", **everywhere)
    yield lookup("loop", loop=[1, 2])
    yield in_role("app_token", "success", **everywhere)
    yield stock_uri("app_token_uri", "/v1.0/users?$top=1", says="user0001@contoso.example", **everywhere)
    yield in_role("authorized_uri", "success", hosts=_SEVERAL, url="/v1.0/users?$top=1")
    shown = {"ansible.builtin.debug": {"msg": "{{ token | entra.auth.jmespath('claims.aud') }}"}}
    yield _scenario("filter: success", shown, "ok", "", ())
    broken = {"ansible.builtin.debug": {"msg": "{{ token | entra.auth.jmespath('claims[') }}"}}
    yield _scenario("filter: failure", broken, "failed", "jmespath", ())


def _token_failures() -> t.Iterator[Scenario]:
    for what, (options, says) in FAILURES.items():
        yield module(what, "failed", says, options=options)
        yield lookup(what, "failed", says, options=options)
    for face in (module, lookup):
        options = {"credential": "client_secret"}
        yield face("missing input", "failed", "Missing: tenant_id", hosts=("bare",), options=options)
    yield module("until in vain", "failed", "AADSTS7000215", options=_WRONG, **_UNTIL)
    yield module("loop with a failure", "failed", options={"scope": "{{ item }}"}, loop=["graph", "https://no.such"])
    yield module("no_log", "failed", options=_WRONG, no_log=True)
    yield module("async", "failed", "async", **{"async": 10})
    yield module("unreachable", "unreachable", hosts=("nowhere",), options=_AT_ONCE)
    yield in_role("app_token", "wrong secret", "AADSTS7000215", fails=True, **_WRONG)


def _shared_caches() -> t.Iterator[Scenario]:
    for name, cache in (("user", "user"), ("Redis", "{{ given.redis_url }}")):
        for host in ("client_secret", "managed_identity"):
            options = {"cache": cache, "cache_key": "{{ given.cache_key }}"}
            yield module(f"cache of {name}, {host}", options=options, hosts=(host,))
    wrong = {"cache": "{{ given.wrong_redis_url }}"}
    yield module("cache of Redis, wrong password", options=wrong)
    yield lookup("cache of Redis, wrong password", options=wrong)


def _calls() -> t.Iterator[Scenario]:
    yield in_role("app_token", "before calls")
    yield stock_uri("lookup", "/v1.0/users?$top=1", says="user0001@contoso.example", defaults=_LOOKED_UP)
    yield stock_uri("not found", "/v1.0/missing", "failed", "ResourceNotFound")
    yield stock_uri("refused token", "/subscriptions?api-version=2022-12-01", "failed", "401")
    yield stock_uri("network refused", "https://localhost:9/", "failed", "refused")
    yield stock_uri("redirect", "/v1.0/drives/me/items/readme.txt/content")
    yield stock_uri("loop", "/v1.0/users?$top={{ item }}", loop=[1, 2])
    yield stock_uri("until in vain", "/v1.0/missing", "failed", "ResourceNotFound", until="false", retries=1, delay=0)
    yield stock_uri("async", "/v1.0/users?$top=1", **{"async": 60, "poll": 0})
    yield stock_uri(
        "unreachable", "/", "unreachable", defaults=_LOOKED_UP[:-1] + ", run_on='controller')", hosts=("nowhere",)
    )
    call = "authorized_uri"
    yield in_role(call, "renewed token", url="/v1.0/users?audit=revoked")
    yield in_role(call, "not found", "404", fails=True, url="/v1.0/missing")
    yield in_role(call, "throttled", "responded with 429", fails=True, url="/v1.0/users?audit=busy", retry_for=0)
    yield in_role(call, "elsewhere", "which gets no token", fails=True, url="https://elsewhere.example/")


def api(what: str, url: str, ends: str = "ok", says: str = "", **task: t.Any) -> Scenario:
    """The module api_request with ``options``, and keywords of the task."""
    options = {"url": url, **task.pop("options", {})}
    hosts = task.pop("hosts", ())
    return _scenario(f"api_request: {what}", {"entra.auth.api_request": options, **task}, ends, says, hosts)


def _api_requests() -> t.Iterator[Scenario]:
    users = "/v1.0/users?$top=1"
    yield api("success", users, says="user0001@contoso.example", hosts=_SEVERAL, options={"max_items": 1})
    yield api("loop", users, loop=[1, 2], options={"max_items": 1})
    yield api("not found", "/v1.0/missing", "failed", "ResourceNotFound")
    yield api("until in vain", "/v1.0/missing", "failed", "ResourceNotFound", **_UNTIL)
    yield api("elsewhere", "https://elsewhere.example/", "failed", "elsewhere.example")
    yield api("throttled", "/v1.0/users?audit=busy", "failed", "429", options={"retry_for": 0})
    yield api("async", users, "failed", "async", **{"async": 10})
    change = {"method": "PATCH", "body": {"jobTitle": "Auditor"}}
    yield api("check mode and diff", "/v1.0/users/{{ apps.good }}", "ok", options=change, check_mode=True, diff=True)
    several = {"requests": [{"url": "/organization"}, {"url": "/users?$top=1"}]}
    yield _scenario("api_request: several", {"entra.auth.api_request": several}, "ok", "", ())
    for what in ("wrong secret", "secret in the answer", "network refused", "mistyped secret"):
        options, says = FAILURES[what]
        yield api(what, users, "failed", says, options=options)
    for point in ("response", "provider"):
        options = {"extra_headers": {TRIGGER: point}, "force_refresh": True}
        yield api(f"crash at {point}", users, "failed", "Unexpected error in entra.auth", options=options)


def _authorized_uri() -> t.Iterator[Scenario]:
    module, users = "entra.auth.authorized_uri", "/v1.0/users?$top=1"

    def scenario(what: str, url: str, ends: str = "ok", says: str = "", **task: t.Any) -> Scenario:
        options = {"url": url, **task.pop("options", {})}
        return _scenario(f"authorized_uri: {what}", {module: options, **task}, ends, says, task.pop("hosts", ()))

    yield scenario("success", users, says="user0001@contoso.example")
    yield scenario("loop", users, loop=[1, 2])
    yield scenario("not found", "/v1.0/missing", "failed", "ResourceNotFound")
    yield scenario("elsewhere", "https://elsewhere.example/", "failed", "elsewhere.example")
    yield scenario("throttled", "/v1.0/users?audit=busy", "failed", "429", options={"retry_for": 0})
    yield scenario("async", users, "failed", "async", **{"async": 10})
    yield scenario("until", "/v1.0/missing", "failed", "ResourceNotFound", **_UNTIL)
    for what in ("wrong secret", "secret in the answer", "network refused", "mistyped secret"):
        options, says = FAILURES[what]
        yield scenario(what, users, "failed", says, options=options)
    given = "{{ lookup('" + AUTH + "') }}"
    for name in ("api_request", "authorized_uri"):
        task = {f"entra.auth.{name}": {"url": "/v1.0/missing", "access_token": given}}
        yield _scenario(f"{name}: token from elsewhere", task, "failed", "ResourceNotFound", ())


def _variables() -> t.Iterator[Scenario]:
    """What later tasks and a rescue can see of a failure: printed, where that holds no token by design."""
    seen = {"ansible.builtin.debug": {"msg": "{{ ansible_failed_task }} {{ ansible_failed_result }}"}}
    options = FAILURES["secret in the answer"][0]
    tried = {"name": "Try", "block": [{AUTH: options}], "rescue": [{"name": "rescue: failed task", **seen}]}
    yield Scenario("rescue: failed task", (tried,), "ok", "AADSTS7000215")
    # Read from each of the hosts, all of which see each other's.
    called = {"client_secret": "{{ given.client_secret }}", "cache_key": "{{ given.cache_key }}"}
    own = {f"app_token_{name}": value for name, value in called.items()}
    for name, variables in _ROLE_VARIABLES.items():
        kept: Task = {"name": f"variables after {name}", "ansible.builtin.debug": {"msg": _KEEP_VARIABLES}}
        yield Scenario(kept["name"], (role(name, **variables, **own), kept), "ok", "variables kept")


def _free() -> t.Iterator[Scenario]:
    """With the strategy free, the arguments of a task are shown as they were evaluated.

    Those of a stock uri task hold the token, as documented, so that none is here.
    """
    given: dict[str, t.Any] = {"hosts": _SEVERAL, "options": {"cache_key": "{{ given.cache_key }}"}}
    wrong, says = FAILURES["wrong secret"]
    users = {"url": "/v1.0/users?$top=1"}
    scenarios = (
        module("free", **given),
        module("free, loop", hosts=_SEVERAL, options={"scope": "{{ item }}"}, loop=["graph", "arm"]),
        module("free, wrong secret", "failed", says, options=wrong),
        lookup("free", **given),
        lookup("free, wrong secret", "failed", says, options=wrong),
        in_role("app_token", "free", hosts=_SEVERAL),
        in_role("app_token", "free, wrong secret", says, fails=True, **wrong),
        in_role("authorized_uri", "free", hosts=_SEVERAL, **users),
        in_role("preflight", "free", scopes=["graph"]),
        api("free", users["url"], options={"client_secret": "{{ given.client_secret }}"}),
        api("free, token from elsewhere", users["url"], options={"access_token": "{{ lookup('" + AUTH + "') }}"}),
    )
    yield from (dataclasses.replace(scenario, strategy="ansible.builtin.free") for scenario in scenarios)


def _masked_by_core() -> t.Iterator[Scenario]:
    """What shows a token by design, and which ansible-core 2.22 and newer mask."""
    if not CORE_MASKS:
        return
    debug = "ansible.builtin.debug"
    registered = {"name": "Register", AUTH: {}, "register": "graph"}
    in_a_variable: Task = {"name": "core: debug of a variable", debug: {"var": "graph"}}
    yield Scenario(in_a_variable["name"], (registered, in_a_variable), hosts=_SEVERAL)
    texts = {
        "token": "{{ graph.access_token }}",
        "header": "{{ graph.authorization }}",
        "lookup": "{{ lookup('" + AUTH + "') }}",
        "lookup of headers": "{{ lookup('" + AUTH + "', output='headers') }}",
        "secret": "{{ given.client_secret }}",
    }
    for what, text in texts.items():
        yield _scenario(f"core: debug of a {what}", {debug: {"msg": text}}, "ok", "", ())
    of_role: Task = {"name": "core: debug of a variable of the role", debug: {"var": "app_token_headers"}}
    yield Scenario(of_role["name"], (role("app_token"), of_role))
    yield _scenario("core: set_fact", {"ansible.builtin.set_fact": {"graph_copy": "{{ graph }}"}}, "ok", "", ())
    headers = {"Authorization": "{{ graph.authorization }}"}
    for path, ends in (("/v1.0/users?$top=1", "ok"), ("/v1.0/missing", "failed")):
        call = {"ansible.builtin.uri": {"url": "{{ places.api }}" + path, "headers": headers}}
        yield _scenario(f"core: bare headers, {ends}", call, ends, "", ())


def _warnings() -> t.Iterator[Scenario]:
    """What only a warning says, on the screen and in the log."""
    renewed = {
        "authority": "{{ places.echo }}",
        "scope": "api://renewed",
        "client_secret": "{{ given.renewed_secret }}",
    }
    yield module("before a refused renewal", options=renewed)
    yield module("refused renewal", options=renewed)
    yield lookup("refused renewal", options=renewed)


def _echoes() -> t.Iterator[Scenario]:
    """A token endpoint and an API that repeat what they were sent, in each place of an answer and each spelling."""
    asked = {"authority": "{{ places.echo }}", "scope": "api://answer-{{ item }}", **_AT_ONCE}
    refusals: dict[str, t.Any] = {"loop": list(range(len(REPEATED_BY_ENTRA)))}
    yield module("echoing endpoint", "failed", "AADSTS7000215", options=asked, **refusals)
    for host in ("client_certificate", "federated", "refresh_token"):
        yield module(f"echoing endpoint, {host}", "failed", hosts=(host,), options=asked, **refusals)
    answers: dict[str, t.Any] = {"loop": list(range(len(REPEATED_BY_API)))}
    there = {"api_base_url": "{{ places.echo }}", "retry_for": 0}
    yield api("echoing API", "/answer-{{ item }}", "failed", options={**there, "status_code": [200, 202]}, **answers)
    written = {**there, "method": "POST", "body": {"a": 1}}
    yield api("echoing API, POST", "/answer-{{ item }}", "failed", options=written, **answers)
    called = {"entra.auth.authorized_uri": {"url": "/answer-{{ item }}", **there, "return_content": True}}
    yield _scenario("authorized_uri: echoing API", {**called, **answers}, "failed", "", ())


def _preflight() -> t.Iterator[Scenario]:
    yield in_role("preflight", "success", hosts=("client_secret",), scopes=["graph"])
    strict = {"scopes": ["graph"], "required_roles": {"graph": ["No.Such.Role"]}}
    yield _scenario("preflight: success", {"entra.auth.preflight": {"scopes": ["graph"]}}, "ok", "", ())
    yield _scenario("preflight: missing roles", {"entra.auth.preflight": strict}, "failed", "No.Such.Role", ())
    yield _scenario("preflight: async", {"entra.auth.preflight": {}, "async": 10}, "failed", "async", ())
    yield in_role("preflight", "missing roles", "No.Such.Role", fails=True, required_roles={"graph": ["No.Such.Role"]})


def _crashes() -> t.Iterator[Scenario]:
    for point in POINTS:
        options = {"extra_headers": {TRIGGER: point}, "force_refresh": True}
        yield module(f"crash at {point}", "failed", "Unexpected error in entra.auth", options=options)
        yield lookup(
            f"crash at {point}", "failed", "Unexpected error in entra.auth", options={**options, "output": "token"}
        )


FACES: t.Final = (
    _each_credential,
    _token_failures,
    _shared_caches,
    _calls,
    _api_requests,
    _authorized_uri,
    _preflight,
    _variables,
    _free,
    _masked_by_core,
    _warnings,
    _echoes,
    _crashes,
)
SCENARIOS: t.Final = tuple(scenario for face in FACES for scenario in face())


def playbook(keep: Task, scenarios: t.Iterable[Scenario] = SCENARIOS) -> list[dict[str, t.Any]]:
    """The scenarios as plays, one after the other, and ``keep`` as the last task that counts."""
    plays: list[dict[str, t.Any]] = []
    for scenario in scenarios:
        head = {"hosts": ",".join(scenario.hosts), "gather_facts": False, "strategy": scenario.strategy}
        if not plays or {**plays[-1], "tasks": []} != {**head, "tasks": []}:
            plays.append({**head, "tasks": []})
        plays[-1]["tasks"] += scenario.tasks
    # The callback `tree` keeps the last result of a host only.
    last = [keep, {"name": "End", AUTH: {}}]
    return [*plays, {"hosts": "client_secret", "gather_facts": False, "tasks": last}]
