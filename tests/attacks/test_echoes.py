# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service repeats what it was sent: no secret of it gets into results, warnings, output at -vvv or the log."""

from __future__ import annotations

import base64
import codecs
import html
import json
import re
import textwrap
import typing as t
import urllib.parse

from attacks.attacker import expect_none, get_end, read_answer_number
from canned_server import answer, json_answer, token_answer
from certificates import issue
from cores import CORE
from jwts import build_jwt
from leaks import Markers

from plays import ROOT, role

if t.TYPE_CHECKING:
    from pathlib import Path

    from attacks.attacker import Attack, AttackerServer, Received, Task

    from plays import Play

AUTH: t.Final = "entra.auth.app_token"
# What each of the ways of the list below is to be told apart by: the scope asks for an answer by its number.
_SECRETS: t.Final = {
    "client_secret": "attack~client %20+&=\"'<>\\/secret-0123456789",
    "federated_token": build_jwt(iss="https://attack.example", sub="attack", aud="api://AzureADTokenExchange"),
    "refresh_token": "1.attackRefreshToken-_0123456789/+=~%2F",
    "request_token": "attack~request~token/0123456789+=",
    "proxy_password": "attack~proxy~password-0123456789",
    "redis_password": "attack~redis~password-0123456789",
    "identity_header": "attack~identity~header-0123456789",
}
_SECRET_FIELDS: t.Final = ("client_secret", "client_assertion", "refresh_token")


def get(name: str, **options: t.Any) -> Task:
    """Get a token without the cache, and go on if that fails."""
    return {"name": name, AUTH: {"cache": "none", **options}, "ignore_errors": True}


def search(play: Play, log: Path, names: t.Sequence[str] = (), **secrets: str) -> dict[str, object]:
    """Where one of these secrets, or of those above, is found; by the item of a loop, ``names`` of which are given."""
    markers = Markers({**_SECRETS, **secrets})
    found: dict[str, object] = {}
    for event in play.events():
        for leak in markers.in_text(json.dumps(event), "")[:1]:
            item = event["result"].get("item")
            found[f"{event['task']} {names[item] if isinstance(item, int) and names else item or ''}"] = leak
    printed = "\n".join(line for line in play.output.splitlines() if not line.startswith('{"event"'))
    for where, text in (("output", printed), ("log", log.read_text())):
        # One of each kind: the values of the same name differ by a number.
        kinds = {re.sub(r"\d+", "", leak.marker): leak for leak in markers.in_text(text, where)}
        found |= {f"{where}: {kind}": leak for kind, leak in kinds.items()}
    return found


# --- what a token endpoint says ---------------------------------------------------------------------------------


SPELLINGS: t.Final[dict[str, t.Callable[[str], str]]] = {
    "raw": str,
    "quoted": lambda text: urllib.parse.quote(text, safe=""),
    "quoted but for slashes": urllib.parse.quote,
    "plus-quoted": urllib.parse.quote_plus,
    "JSON in JSON": lambda text: json.dumps(text)[1:-1],
    "HTML": html.escape,
    "lines": lambda text: "\n".join(textwrap.wrap(text, 64, break_on_hyphens=False)),
    "first part": lambda text: text[: max(12, len(text) // 3)],
    "base64": lambda text: base64.b64encode(f"POST /token {text}".encode()).decode(),
}


def _describe(text: str) -> dict[str, object]:
    return {"error": "invalid_client", "error_description": f"AADSTS7000215: Invalid: {text}", "error_codes": [7000215]}


# By the place in which a refusal repeats it.
REFUSALS: t.Final[dict[str, t.Callable[[str], bytes]]] = {
    "description": lambda text: json_answer(401, _describe(text)),
    "description of an unknown code": lambda text: json_answer(400, {"error": "x", "error_description": text}),
    "error": lambda text: json_answer(400, {"error": text}),
    "codes": lambda text: json_answer(400, {**_describe("x"), "error_codes": [text]}),
    "ids": lambda text: json_answer(
        400, {**_describe("x"), "trace_id": text, "correlation_id": text, "timestamp": text}
    ),
    "claims": lambda text: json_answer(400, {**_describe("x"), "claims": text, "suberror": text, "error_uri": text}),
    "no object": lambda text: json_answer(400, [text]),
    "text": lambda text: answer(400, text, Content_Type="text/plain"),
    "page": lambda text: answer(200, f"<html><title>{text}</title>", Content_Type="text/html"),
    "content type": lambda text: answer(400, "x", Content_Type=text.encode("ascii", "replace").decode()),
    "redirect": lambda text: answer(302, "", Location=f"https://elsewhere.example/{urllib.parse.quote(text)}"),
    # A search for the ids after it must not take time by the square of its length.
    "description of blanks": lambda text: json_answer(400, {"error": "x", "error_description": " " * 900_000 + text}),
    "wait": lambda text: answer(429, "", Retry_After=text.encode("ascii", "replace").decode()),
    "token type": lambda text: token_answer(token_type=text),
    "life": lambda text: token_answer(expires_in=text),
    "token": lambda text: token_answer(access_token=f"{text}\u0007"),
    "truncated": lambda text: answer(200, f'{{"access_token": "{text}', Content_Type="application/json"),
    "cut": lambda text: answer(200, text, Content_Type="application/json", Content_Length="99999"),
    "reason": lambda text: f"HTTP/1.1 400 {text}\r\nContent-Length: 0\r\n\r\n".encode(),
    "no status line": str.encode,
    "no status": lambda text: f"HTTP/1.1 {text}\r\n\r\n".encode(),
    "version": lambda text: f"HTTP/{text} 200 OK\r\n\r\n".encode(),
    "header": lambda text: f"HTTP/1.1 200 OK\r\n{text}\r\n\r\n".encode(),
    "length": lambda text: f"HTTP/1.1 200 OK\r\nContent-Length: {text}\r\n\r\n{{}}".encode(),
    "chunk": lambda text: f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{text}\r\n".encode(),
    "encoding": lambda text: (
        f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3000\r\n\r\n{text}".encode()
    ),
    "charset": lambda text: answer(400, "{}", Content_Type=f"application/json; charset={urllib.parse.quote(text)}"),
}
_ANSWERS: t.Final = [(place, spelling) for place in REFUSALS for spelling in ("raw", "quoted")] + [
    ("description", spelling) for spelling in SPELLINGS
]
# The raw form has each secret quoted as well. The code is the same for all credentials.
_FEWER_ANSWERS: t.Final = [
    number for number, answer in enumerate(_ANSWERS) if answer[1] == "raw" or answer == ("description", "quoted")
]


def _echo(request: Received) -> bytes:
    """Repeat every secret of the form, and the form itself, in the place and the spelling that the scope asks for."""
    form = dict(urllib.parse.parse_qsl(request.body))
    place, spelling = _ANSWERS[read_answer_number(form["scope"])]
    texts = [form[name] for name in _SECRET_FIELDS if name in form]
    return REFUSALS[place](
        " ".join(map(SPELLINGS[spelling], texts)) + (f" {request.body}" if spelling == "raw" else "")
    )


def test_no_refusal_of_a_token_request_shows_what_was_sent(attack: Attack) -> None:
    """In any place and spelling, of each credential that sends something secret."""
    server = attack.serve(_echo)
    directory = attack.directory
    certificate = directory / "app.pem"
    certificate.write_text(issue("app").pem())
    for name in ("refresh_token", "federated_token", "client_secret"):
        (directory / name).write_text(_SECRETS[name])
        (directory / name).chmod(0o600)
    credentials: dict[str, dict[str, t.Any]] = {
        "client_secret": {"client_secret": "{{ attack.client_secret }}"},
        "certificate": {"client_certificate_path": str(certificate), "credential": "client_certificate"},
        "federated": {"federated_token_file": str(directory / "federated_token"), "credential": "federated"},
        "refresh_token": {
            "refresh_token_file": str(directory / "refresh_token"),
            "client_secret": "{{ attack.client_secret }}",
            "credential": "refresh_token",
        },
    }
    loops = dict.fromkeys(credentials, _FEWER_ANSWERS) | {"client_secret": list(range(len(_ANSWERS)))}
    scope = "api://answer-{{ item }}"
    tasks = [
        {**get(name, scope=scope, **each), "loop": loops[name], "register": "answers"}
        for name, each in credentials.items()
    ]
    # Of a success it is for the user to see the token.
    refused = "{{ answers.results | rejectattr('access_token', 'defined') }}"
    shown = {"name": "Registered", "ansible.builtin.debug": {"msg": refused}}
    env = {"ENTRA_AUTH_AUTHORITY": server.url, "ANSIBLE_LOG_PATH": str(directory / "ansible.log")}
    attack.add_host("victim")
    play = attack.run([{"vars": {"attack": _SECRETS}, "tasks": [*tasks, shown]}], "-vvv", env=env)
    sent = [dict(urllib.parse.parse_qsl(one.body)) for one in server.received]
    assertions = {
        f"assertion {n}": form["client_assertion"] for n, form in enumerate(sent) if "client_assertion" in form
    }
    assert len(sent) >= sum(map(len, loops.values()))
    names = [f"{place}, {spelling}" for place, spelling in _ANSWERS]
    expect_none(search(play, directory / "ansible.log", names, **assertions))
    assert all(get_end(play, name, "victim") == "failed" for name in credentials)
    assert "To fix it" in play.output


def test_no_refused_renewal_shows_what_was_sent(attack: Attack) -> None:
    """The token that is still valid is used; the warning says why the renewal failed, without the secret."""
    directory = attack.directory

    def reply(request: Received) -> bytes:
        form = dict(urllib.parse.parse_qsl(request.body))
        if len(server.received) == 1:
            return token_answer(access_token="first~token~0123456789", refresh_in=0.001)
        return json_answer(
            401, _describe(" ".join(f(form["client_secret"]) for f in SPELLINGS.values()) + request.body)
        )

    server = attack.serve(reply)
    attack.add_host("victim")
    tasks = [
        {"name": "First", AUTH: {}},
        {"name": "Renew", AUTH: {}},
        {"name": "Look up", "ansible.builtin.debug": {"msg": "{{ lookup('" + AUTH + "') | length }}"}},
    ]
    env = {"ENTRA_AUTH_AUTHORITY": server.url, "ANSIBLE_LOG_PATH": str(directory / "ansible.log")}
    setting = {"app_token_client_secret": _SECRETS["client_secret"]}
    play = attack.run([{"vars": setting, "tasks": tasks}], "-vvv", env=env)
    assert play.returncode == 0, play.output
    assert len(server.received) >= 2
    expect_none(search(play, directory / "ansible.log"))
    assert "AADSTS7000215" in play.output


# --- what others say --------------------------------------------------------------------------------------------

_PROXY_REPLIES: t.Final[dict[str, t.Callable[[str], bytes]]] = {
    "reason": lambda text: f"HTTP/1.1 407 {text}\r\nContent-Length: 0\r\n\r\n".encode(),
    "no status line": lambda text: f"{text}\r\n\r\n".encode(),
    "no status": lambda text: f"HTTP/1.1 {text}\r\n\r\n".encode(),
    "header": lambda text: f"HTTP/1.1 407 No\r\nProxy-Authenticate: {text}\r\n\r\n".encode(),
}


_REPLIES: t.Final = {**_PROXY_REPLIES, "description": REFUSALS["description"], "page": REFUSALS["page"]}


def _repeat(header: str, make: t.Callable[[str], bytes]) -> t.Callable[[Received], bytes]:
    return lambda request: make(request.headers.get(header, "none"))


def test_no_proxy_platform_or_store_gets_its_secret_shown(attack: Attack) -> None:
    """Each repeats in its answer the password or header that it was sent."""
    directory = attack.directory
    attack.add_host("victim")
    proxies = {name: attack.serve(_repeat("proxy-authorization", make)) for name, make in _PROXY_REPLIES.items()}
    issuers = {name: attack.serve(_repeat("authorization", make)) for name, make in _REPLIES.items()}
    makers = list(_REPLIES.values())
    # A play has one platform: the scope asks for one of its replies.
    platform = attack.serve(
        lambda request: makers[read_answer_number(request.target)](request.headers.get("x-identity-header", "none"))
    )
    redis = attack.listen(lambda sent: b"-ERR invalid: " + sent.replace(b"\r\n", b" ") + b"\r\n")
    redis_url = f"redis://:{urllib.parse.quote(_SECRETS['redis_password'])}@127.0.0.1:{redis.port}/0"
    login = {"authority": "https://login.example", "credential": "client_secret"}
    tasks = [
        *(get(f"Proxy: {name}", proxy=_add_password(proxy.url), **login) for name, proxy in proxies.items()),
        *(get(f"Issuer: {name}", **_request_at(issuer.url)) for name, issuer in issuers.items()),
        *(
            get(f"Platform: {name}", credential="managed_identity", scope=f"api://answer-{number}")
            for number, name in enumerate(_REPLIES)
        ),
        get("Redis", cache=redis_url),
        get("Redis that says nothing known", cache=redis_url.replace("//:", "//default:")),
    ]
    platform_env = {"IDENTITY_ENDPOINT": platform.url, "IDENTITY_HEADER": _SECRETS["identity_header"]}
    env = {"ANSIBLE_LOG_PATH": str(directory / "ansible.log"), **platform_env}
    play = attack.run([{"vars": {"attack": _SECRETS}, "tasks": tasks}], "-vvv", env=env)
    assert redis.connections
    assert all(_got("proxy-authorization", proxy) for proxy in proxies.values()), play.output
    assert all(_got("authorization", issuer) for issuer in issuers.values()), play.output
    assert _got("x-identity-header", platform) >= len(_REPLIES), play.output
    expect_none(search(play, directory / "ansible.log"))


def _add_password(url: str) -> str:
    return url.replace("//", "//someone:" + urllib.parse.quote(_SECRETS["proxy_password"]) + "@")


def _request_at(url: str) -> dict[str, str]:
    """The options of an issuer that mints assertions at a URL."""
    return {
        "credential": "federated",
        "federated_token_source": "request_url",
        "federated_token_request_url": url,
        "federated_token_request_token": "{{ attack.request_token }}",
    }


def _got(header: str, server: AttackerServer) -> int:
    """How many requests with the secret header arrived."""
    return sum(header in request.headers for request in server.received)


# --- what an API says -------------------------------------------------------------------------------------------


def _escape(token: str) -> bytes:
    return ('{"echo": "' + "".join(f"\\u{ord(letter):04x}" for letter in token) + '"}').encode()


API_ECHOES: t.Final[dict[str, t.Callable[[str], bytes]]] = {
    "raw": lambda token: json_answer(200, {"echo": token}),
    "escaped": lambda token: answer(200, _escape(token), Content_Type="application/json"),
    "key": lambda token: json_answer(200, {token: {token: [token]}}),
    "key, escaped": lambda token: answer(200, b"{" + _escape(token)[9:-1] + b": 1}", Content_Type="application/json"),
    "base64": lambda token: json_answer(200, {"body": base64.b64encode(f"GET / Bearer {token}".encode()).decode()}),
    "name of a header": lambda token: json_answer(200, {}, **{f"X-{token}": "x"}),
    "UTF-16": lambda token: answer(
        200,
        codecs.BOM_UTF16_LE + json.dumps({"echo": token}).encode("utf-16-le"),
        Content_Type="application/json; charset=utf-16",
    ),
    "first half": lambda token: json_answer(200, {"echo": token[: len(token) // 2]}),
    "second half": lambda token: json_answer(200, {"echo": token[len(token) // 2 :]}),
    "halves": lambda token: json_answer(200, {"echo": [token[: len(token) // 2], token[len(token) // 2 :]]}),
    "text": lambda token: answer(200, f"echo {token}", Content_Type="text/plain"),
    "header": lambda token: json_answer(200, {}, X_Echo=token, request_id=token, Location=f"/{token}"),
    "refusal": lambda token: json_answer(
        403, {"error": {"code": token, "message": token, "innerError": {"request-id": token}}}
    ),
    "refusal, escaped": lambda token: answer(
        403, b'{"error": ' + _escape(token) + b"}", Content_Type="application/json"
    ),
    "refusal, page": lambda token: answer(500, f"<html><title>{token}</title>{token}", Content_Type="text/html"),
    "no status line": lambda token: f"{token}\r\n\r\n".encode(),
    "truncated": lambda token: answer(200, f'{{"echo": "{token}', Content_Type="application/json"),
    "next link": lambda token: json_answer(
        200, {"value": [], "@odata.nextLink": f"https://elsewhere.example/?{token}"}
    ),
    "redirect": lambda token: answer(307, "", Location=f"https://elsewhere.example/?{token}"),
    "operation": lambda token: answer(202, "", Location=f"https://elsewhere.example/?{token}"),
}


# One of each kind for the role, whose code is that of the module authorized_uri.
_ROLE_ECHOES: t.Final = ("raw", "base64", "header", "refusal", "no status line", "redirect")


def test_no_api_gets_the_token_shown_by_repeating_it(attack: Attack) -> None:
    """By the module api_request and by authorized_uri, with each answer it could repeat it in."""
    directory = attack.directory
    echoes = list(API_ECHOES.values())

    def reply(request: Received) -> bytes:
        number = read_answer_number(request.target)
        return echoes[number](request.headers.get("authorization", "").partition(" ")[2])

    server = attack.serve(reply)
    attack.add_host("victim")
    numbers: dict[str, t.Any] = {"loop": list(range(len(echoes))), "register": "answers", "ignore_errors": True}
    registered = {"name": "Registered", "ansible.builtin.debug": {"msg": "{{ answers.results | length }}"}}
    role_numbers = [list(API_ECHOES).index(name) for name in _ROLE_ECHOES]
    call = {"url": "/answer-{{ item }}", "method": "GET", "retry_for": 0}
    tasks: list[Task] = [
        {"name": "API", "entra.auth.api_request": {**call, "status_code": [200, 202]}, **numbers},
        {"name": "Write", "entra.auth.api_request": {**call, "method": "POST", "body": {"a": 1}}, **numbers},
        {"name": "Save", "entra.auth.api_request": {**call, "dest": f"{directory}/saved-{{{{ item }}}}"}, **numbers},
        registered,
        {"name": "Role", "ansible.builtin.include_tasks": str(directory / "role.yml"), "loop": role_numbers},
    ]
    included = role("authorized_uri", authorized_uri_url="/answer-{{ item }}", authorized_uri_retry_for=0)
    (directory / "role.yml").write_text(json.dumps([{"name": "Try", "block": [included], "rescue": [registered]}]))
    env = {"ENTRA_AUTH_API_BASE_URL": server.url, "ANSIBLE_LOG_PATH": str(directory / "ansible.log")}
    play = attack.run([{"tasks": tasks}], "-vvv", env=env)
    assert len(server.received) >= 3 * len(echoes) + len(role_numbers)
    tokens = {f"token {number}": token for number, token in enumerate(attack.emulator.issued()["token"])}
    expect_none(search(play, directory / "ansible.log", list(API_ECHOES), **tokens))


# --- what Ansible says ------------------------------------------------------------------------------------------


_BROKEN: t.Final = {
    "client_secret": "brokenSecret0123456789{{ no",
    "refresh_token": "{{ 'brokenRefresh0123456789' | no_such_filter }}",
    "federated_token": "{{ ('brokenAssertion0123456789' | int).nothing.there }}",
    "client_certificate": "{{ 'brokenCertificate0123456789' | from_json }}",
    "client_certificate_password": "{% brokenPassword0123456789 %}",
    "cache_key": "{{ lookup('file', 'brokenKey0123456789') }}",
    "proxy": "http://someone:brokenProxy0123456789{{ no@localhost:9",
    "cache": "redis://:brokenRedis0123456789{{ no@localhost:9/0",
    "federated_token_request_token": "brokenRequestToken0123456789{{ no",
    "access_token": "brokenAccessToken0123456789{{ no",
}


def test_no_secret_is_quoted_because_it_can_t_be_evaluated(attack: Attack) -> None:
    """It holds what looks like a template, or an expression of it fails."""
    attack.add_host("victim")
    tasks = []
    for name, value in _BROKEN.items():
        # From the inventory, as from a vault: what stands in a playbook is the playbook's own.
        attack.add_host(f"victim-{name.replace('_', '-')}", **{f"app_token_{name}": value})
    tasks += [
        get("Module"),
        {
            "name": "Lookup",
            "ansible.builtin.debug": {"msg": "{{ lookup('" + AUTH + "') | length }}"},
            "ignore_errors": True,
        },
    ]
    tasks.append({"name": "API", "entra.auth.api_request": {"url": "/v1.0/users"}, "ignore_errors": True})
    play = attack.run([{"tasks": tasks}], "-vvv", env={"ANSIBLE_LOG_PATH": str(attack.directory / "ansible.log")})
    texts = play.output + (attack.directory / "ansible.log").read_text()
    expect_none({name: "quoted" for name, value in _BROKEN.items() if _word_of(value) in texts})
    assert "app_token_client_secret" in play.output


def test_the_validation_of_a_role_quotes_no_secret_beyond_the_limits(attack: Attack) -> None:
    """It is ansible-core's own: before 2.19 it quotes a broken value, since then a tag or the argument of a lookup."""
    for name, value in _BROKEN.items():
        attack.add_host(f"victim-{name.replace('_', '-')}", **{f"app_token_{name}": value})
    attack.add_host("victim-call", authorized_uri_access_token=_BROKEN["access_token"])
    tasks = [
        {"name": name, "block": [role(name, **more)], "rescue": [{"ansible.builtin.debug": {}}]}
        for name, more in {"app_token": {}, "authorized_uri": {"authorized_uri_url": "/x"}, "preflight": {}}.items()
    ]
    play = attack.run([{"tasks": tasks}], "-vvv", env={"ANSIBLE_LOG_PATH": str(attack.directory / "ansible.log")})
    texts = play.output + (attack.directory / "ansible.log").read_text()
    quoted = {name: "quoted" for name, value in _BROKEN.items() if _word_of(value) in texts}
    limits = _BROKEN if CORE < (2, 19) else ("client_certificate_password", "cache_key")
    expect_none({name: hit for name, hit in quoted.items() if name not in limits})
    assert "!unsafe" in (ROOT / "docs/docsite/rst/guide_threat_model.rst").read_text()


def _word_of(value: str) -> str:
    at = value.index("broken")
    return value[at : value.index("0123456789") + 10]
