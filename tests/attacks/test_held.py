# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attacks that never succeeded: they are here so that they never will."""

from __future__ import annotations

import json
import ssl
import typing as t
import urllib.parse

import trustme
from attacks.attacker import expect_none, get_end, read_answer_number
from canned_server import answer, json_answer, token_answer
from jwts import build_jwt

from entra_emulator import seed
from plays import role, show

if t.TYPE_CHECKING:
    from attacks.attacker import Attack, Received, Task

AUTH: t.Final = "entra.auth.app_token"
TEMPLATE: t.Final = "{{ 'inj' ~ 'ected' }}{% set a = lookup('pipe', 'touch TOUCHED') %}"


def rescue(name: str, *tasks: Task) -> Task:
    """Run tasks, and show why if one fails."""
    shown = {"name": "Rescue", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result }}"}}
    return {"name": name, "block": list(tasks), "rescue": [shown]}


def test_nothing_that_a_service_returns_is_a_template(attack: Attack) -> None:
    """Claims, roles, errors, ids, headers, places and names, as they are shown and as they are used later."""
    touched = attack.directory / "touched"
    text = TEMPLATE.replace("TOUCHED", str(touched))
    token = build_jwt(roles=[text], aud=text, appid=text, tid=text, **{text: text})
    fields = {"scope": text, text: text, "correlation_id": text}

    def issue(request: Received) -> bytes:
        if "graph" in request.body:
            return token_answer(access_token=token, client_request_id=text, **fields)
        error = {"error": text, "error_description": text, "error_codes": [text], "trace_id": text, "claims": text}
        return json_answer(400, error, client_request_id=text)

    def reply(request: Received) -> bytes:
        number = read_answer_number(request.target) if "answer" in request.target else 0
        body = {"value": [{"displayName": text, "id": text, "subscriptionId": text, text: text}], "displayName": text}
        error = {"error": {"code": text, "message": text, "innerError": {"request-id": text}}}
        answers = [
            json_answer(200, body, X_Echo=text, request_id=text),
            json_answer(403, error, X_Echo=text),
            answer(302, "", Location=text),
            json_answer(200, {**body, "@odata.nextLink": text}),
            answer(202, "", Location=text, Azure_AsyncOperation=text),
            answer(401, "", WWW_Authenticate=f'Bearer error="insufficient_claims", claims="{text}"'),
        ]
        return answers[number]

    login, api = attack.serve(issue), attack.serve(reply)
    numbers = list(range(6))
    used = {"name": "Used", "ansible.builtin.debug": {"msg": "{{ token }} {{ again | default('') }}"}}
    tasks: list[Task] = [
        {"name": "Token", AUTH: {}, "register": "token"},
        {
            "name": "Again",
            "ansible.builtin.set_fact": {"again": "{{ token.claims }}{{ token.scope }}{{ token.headers }}"},
        },
        used,
        {"name": "Refused", AUTH: {"scope": "arm"}, "register": "token", "ignore_errors": True},
        used,
        {"name": "Roles", AUTH: {"required_roles": ["No.Such.Role"]}, "register": "token", "ignore_errors": True},
        used,
        {
            "name": "API",
            "entra.auth.api_request": {"url": "/v1.0/answer-{{ item }}"},
            "loop": numbers,
            "register": "token",
            "ignore_errors": True,
        },
        used,
        *(
            rescue("Role", role("authorized_uri", authorized_uri_url=f"/v1.0/answer-{number}"), used)
            for number in numbers[:3]
        ),
        rescue("Preflight", role("preflight", preflight_scopes=["graph"])),
        rescue("Token role", role("app_token"), used),
    ]
    attack.add_host("victim")
    env = {"ENTRA_AUTH_AUTHORITY": login.url, "ENTRA_AUTH_API_BASE_URL": api.url}
    play = attack.run([{"tasks": tasks}], env=env)
    assert len(api.received) >= 10, play.output
    assert "'inj' ~ 'ected'" in play.output
    assert "injected" not in play.output
    assert not touched.exists()


# H is the API's host, F a stranger's, each with its port.
URLS: t.Final = (
    *("https://F/v1.0/users", "https://H@F/v1.0/users", "https://H%40F/v1.0/users", "https://F\\@H/v1.0/users"),
    *("https://H\\@F/v1.0/users", "https://F#@H/v1.0/users", "https://F?@H/v1.0/users", "https://H:x@F/v1.0/users"),
    *("//F/v1.0/users", "/\\F/v1.0/users", "\\\\F\\v1.0\\users", "///F/v1.0/users", "https:/F/v1.0/users"),
    *(
        "https:///F/v1.0/users",
        "https:F/v1.0/users",
        "HTTPS://F/v1.0/users",
        "http://H/v1.0/users",
        "http://F/v1.0/users",
    ),
    *("https://H\t@F/v1.0/users", "https://H\n@F/v1.0/users", "https://H @F/v1.0/users", " https://F/v1.0/users"),
    *(
        "https://F\uff0f@H/v1.0/users",
        "https://H\u3002F/v1.0/users",
        "https://H;@F/v1.0/users",
        "https://H%2f@F/v1.0/users",
    ),
    *("https://H%00@F/v1.0/users", "https://F%2523@H/v1.0/users", "F/v1.0/users", "@F/v1.0/users", ":443@F/v1.0/users"),
    *(".F/v1.0/users", "?@F/v1.0/users", "https://H.F/v1.0/users", "ftp://F/v1.0/users", "file:///etc/hostname"),
    *(
        "gopher://F/v1.0/users",
        "data:text/plain,x",
        "javascript:x",
        "https://[::1]:P/v1.0/users",
        "https://2130706433:P/",
    ),
    *(
        "https://0x7f000001:P/v1.0/users",
        "https://127.1:P/v1.0/users",
        "https://0:P/v1.0/users",
        "https://H,F/v1.0/users",
    ),
)
_CODES: t.Final = (301, 302, 303, 307, 308)


def test_no_url_is_read_in_two_ways(attack: Attack) -> None:
    """Given directly, by a redirect, by a next link and by the address of an operation, to each caller."""
    urls = attack.emulator.urls
    api_host, foreign_host = (urllib.parse.urlsplit(url).netloc for url in (urls.api, urls.foreign))
    forms = [url.replace("F", foreign_host).replace("P", foreign_host.rpartition(":")[2]) for url in URLS]
    here: list[str] = []

    def lead(request: Received) -> bytes:
        number = read_answer_number(request.target)
        # A header holds one line of Latin-1.
        url = forms[number % 100].replace("H", here[0]).replace("https://" + here[0], "http://" + here[0])
        place = url.encode("latin-1", "replace").decode("latin-1").replace("\n", "%0A").replace("\t", "%09")
        if number < 100:
            return answer(_CODES[number % len(_CODES)], "", Location=place)
        if number < 200:
            return json_answer(200, {"value": [], "@odata.nextLink": url})
        return answer(202, "", Location=place, Azure_AsyncOperation=place)

    server = attack.serve(lead)
    here.append(urllib.parse.urlsplit(server.url).netloc)
    given = [form.replace("H", api_host) for form in forms]
    through = {"api_base_url": server.url}
    # Each form by one of the two ways; the code that judges is the same.
    kinds = [f"/v1.0/answer-{number + 100 * (number % 2)}" for number in range(len(forms))]
    operations = [f"/v1.0/answer-{number + 200}" for number in range(0, len(forms), 5)]
    call = {"url": "{{ item }}", "retry_for": 0, "timeout": 5}
    wait = {**call, **through, "method": "POST", "body": {}}
    files = attack.directory / "role.yml"
    included = rescue("Try", role("authorized_uri", authorized_uri_url="{{ item }}", authorized_uri_retry_for=0))
    files.write_text(json.dumps([included]))
    looped: dict[str, t.Any] = {"ignore_errors": True}
    tasks: list[Task] = [
        {"name": "Given", "entra.auth.api_request": call, "loop": given, **looped},
        {"name": "Led", "entra.auth.api_request": {**call, **through}, "loop": kinds, **looped},
        {"name": "Operation", "entra.auth.api_request": wait, "loop": operations, **looped},
        {"name": "Role", "ansible.builtin.include_tasks": str(files), "loop": given[::7]},
        {
            "name": "Role led",
            "ansible.builtin.include_tasks": str(files),
            "loop": kinds[::10],
            "vars": {"app_token_api_base_url": server.url},
        },
        rescue(
            "Preflight",
            role(
                "preflight",
                preflight_default_calls=False,
                preflight_scopes=["graph"],
                preflight_calls=[{"url": url} for url in given],
            ),
        ),
    ]
    attack.add_host("victim")
    play = attack.run([{"tasks": tasks}])
    assert len(server.received) >= len(kinds) + len(operations), play.output
    strangers = {
        f"{entry['method']} {entry['path']}": entry["headers"] for entry in attack.emulator.tokens_at_strangers()
    }
    expect_none(strangers)
    with_token = [dict(entry["headers"]) for entry in attack.emulator.requests(listener="api")]
    hosts = {headers.get("Host") for headers in with_token if "Authorization" in headers}
    assert hosts <= {api_host}


def test_no_value_adds_a_field_or_a_header_to_a_request(attack: Attack) -> None:
    """What a value holds is that field's value, or the task is refused."""
    server = attack.serve()
    evil = ("x&scope=evil", "x\r\nX-Evil: 1", "x\nX-Evil: 1", "x\x00y", "x;y", "x%26scope=evil", "x#y")
    tasks: list[Task] = []
    for option in ("client_id", "client_secret", "scope", "claims_challenge", "federated_token"):
        for number, value in enumerate(evil):
            more = {"credential": "federated"} if option == "federated_token" else {}
            options = {option: value, "cache": "none", **more}
            tasks.append({"name": f"{option} {number}", AUTH: options, "ignore_errors": True})
    for number, value in enumerate(evil):
        headers = {"X-Fine": value, value: "x"}
        tasks.append(
            {
                "name": f"header {number}",
                "entra.auth.api_request": {"url": "/x", "headers": headers},
                "ignore_errors": True,
            }
        )
        tasks.append({"name": f"extra {number}", AUTH: {"extra_headers": headers}, "ignore_errors": True})
        tasks.append(
            {
                "name": f"query {number}",
                "entra.auth.api_request": {"url": "/x", "query": {value: value}},
                "ignore_errors": True,
            }
        )
    attack.add_host("victim")
    attack.run([{"tasks": tasks}], env={"ENTRA_AUTH_AUTHORITY": server.url, "ENTRA_AUTH_API_BASE_URL": server.url})
    assert server.received
    for request in server.received:
        assert "x-evil" not in request.headers
        names = [name for name, _value in urllib.parse.parse_qsl(request.body)]
        assert len(names) == len(set(names))
        assert dict(urllib.parse.parse_qsl(request.body)).get("scope") != "evil"


def test_dest_replaces_a_symlink(attack: Attack) -> None:
    """The file that it leads to stays as it is, with api_request and with authorized_uri's own arguments."""
    precious = attack.directory / "precious"
    precious.write_text("precious")
    # The app that may read files. Their redirect is for api_request alone.
    app = {"client_id": seed.OPERATOR, "client_secret": "made-up~secret-of-operator"}
    urls = {"api_request": "/v1.0/drives/me/items/readme.txt/content", "authorized_uri": "/v1.0/organization"}
    links = {module: attack.directory / f"link-{module}" for module in urls}
    tasks: list[Task] = []
    for module, link in links.items():
        link.symlink_to(precious)
        tasks.append({"name": module, f"entra.auth.{module}": {"url": urls[module], "dest": str(link), **app}})
    attack.add_host("victim")
    play = attack.run([{"tasks": tasks}])
    assert play.returncode == 0, play.output
    assert precious.read_text() == "precious"
    assert not [module for module, link in links.items() if link.is_symlink()]
    assert links["api_request"].read_text() == "Nothing in here is real.\n"
    assert "Contoso" in links["authorized_uri"].read_text()


def test_an_empty_variable_does_not_turn_verification_off(attack: Attack) -> None:
    """CURL_CA_BUNDLE= and its like, as AWX and shells leave them."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    server = attack.serve(tls=tls)
    attack.add_host("victim")
    get = {"name": "Get", AUTH: {"authority": server.url}, "ignore_errors": True}
    empty = dict.fromkeys(("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"), "")
    names = ("ENTRA_AUTH_VALIDATE_CERTS", "ENTRA_AUTH_CA_PATH")
    play = attack.run([{"tasks": [get]}], env={**empty, **dict.fromkeys(names, "")})
    assert get_end(play, "Get", "victim") == "failed"
    assert (server.connections > 0, server.received) == (True, [])


def test_each_host_and_item_gets_the_token_of_its_own_variables(attack: Attack) -> None:
    """However deep they are nested, and though one process evaluates them one after the other."""
    emulator = attack.emulator
    apps = {name: str(emulator.add_app(secret=emulator.client_secret)["client_id"]) for name in ("one", "two", "three")}
    nested = {
        "app_token_client_id": "{{ chosen }}",
        "chosen": "{{ apps[which | default(inventory_hostname)] }}",
        "apps": apps,
    }
    for name in apps:
        attack.add_host(name)
    look = "lookup('" + AUTH + "', output='token').client_id"
    tasks = [
        {"name": "Get", AUTH: {}, "register": "token"},
        {"name": "Items", AUTH: {}, "register": "items", "loop": list(apps), "vars": {"which": "{{ item }}"}},
        {
            "name": "Looked",
            "ansible.builtin.set_fact": {"looked": "{{ " + look + " }}"},
            "loop": list(apps),
            "vars": {"which": "{{ item }}"},
            "register": "looks",
        },
        show(
            own="token.client_id",
            items="items.results | map(attribute='client_id') | list",
            looked="looks.results | map(attribute='ansible_facts.looked') | list",
            again=look,
        ),
    ]
    play = attack.run([{"vars": nested, "tasks": tasks}], forks=1)
    assert play.returncode == 0, play.output
    for name, app in apps.items():
        every = list(apps.values())
        assert play.shown(name) == {"own": app, "items": every, "looked": every, "again": app}
