# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses that change, lead elsewhere or are not what they look like: no secret and no token goes there."""

from __future__ import annotations

import gzip
import json
import ssl
import typing as t
import urllib.parse
from pathlib import Path

import trustme
from attacks.attacker import expect_none, get_end
from canned_server import answer, json_answer
from jwts import build_jwt

from plays import role, uri

if t.TYPE_CHECKING:
    from attacks.attacker import Attack, AttackerServer, Received, Task

AUTH: t.Final = "entra.auth.app_token"
# More than a call evaluates its URL.
_POSITIONS: t.Final = 5
# More than a download may unpack to; see _MAX_UNPACKED_BYTES in destination.py.
_BOMB_BYTES: t.Final = 140 << 20
_SMALL_BYTES: t.Final = 16 << 20
_PLATFORM_SECRET: t.Final = "attack~platform~secret-0123456789"
_INSECURE: t.Final = "so a token would travel in clear text"


def test_a_url_that_changes_between_two_evaluations_is_evaluated_once(attack: Attack) -> None:
    """At each position one evaluation alone gives the API's own URL, or one alone a stranger's."""
    directory, urls = attack.directory, attack.emulator.urls
    flip = directory / "flip"
    flip.write_text(
        "#!/bin/sh\n# NAME POSITION THEN ELSE: THEN at that position of the calls of NAME, ELSE at each other one.\n"
        f'count={directory}/count-$1; printf x >> "$count"\n'
        '[ "$(wc -c < "$count")" -eq "$2" ] && echo "$3" || echo "$4"\n'
    )
    flip.chmod(0o755)
    good, bad = f"{urls.api}/v1.0/organization", f"{urls.foreign}/v1.0/organization"
    tasks: list[Task] = []
    for way, (then, otherwise) in {"good": (good, bad), "bad": (bad, good)}.items():
        for caller in ("role", "module", "api"):
            command = f"{flip} {way}-{caller}-{{{{ item }}}} {{{{ item }}}} {then} {otherwise}"
            url = "{{ lookup('ansible.builtin.pipe', command) }}"
            tasks.append(_call(directory, way, caller, url, command))
    attack.add_host("victim")
    attack.run([{"tasks": tasks}])
    strangers = attack.emulator.tokens_at_strangers()
    expect_none({f"request {entry['id']}": entry["path"] for entry in strangers})
    assert attack.emulator.requests(listener="api")
    evaluations = {path.name: path.stat().st_size for path in directory.glob("count-*")}
    assert len(evaluations) == len(tasks) * _POSITIONS
    assert max(evaluations.values()) < _POSITIONS, evaluations


def _call(directory: Path, way: str, caller: str, url: str, command: str) -> Task:
    if caller == "role":
        call = role("authorized_uri", authorized_uri_url=url, command=command, authorized_uri_retry_for=0)
    else:
        module = "authorized_uri" if caller == "module" else "api_request"
        call = {"name": module, f"entra.auth.{module}": {"url": url}, "vars": {"command": command}}
    file = directory / f"{way}-{caller}.yml"
    file.write_text(json.dumps([{"name": "Try", "block": [call], "rescue": [{"ansible.builtin.debug": {}}]}]))
    positions = list(range(1, _POSITIONS + 1))
    return {"name": f"{way} {caller}", "ansible.builtin.include_tasks": str(file), "loop": positions}


def test_no_platform_secret_goes_over_plain_http_to_another_host(attack: Attack) -> None:
    """Those of GitHub Actions, of Azure Pipelines, of another issuer, and of the platforms of managed identities.

    0.0.0.0 leads to this machine without being a loopback address.
    """
    attack.add_host("victim")
    names = ("github", "pipelines", "given", "identity", "msi", "arc", "proxied")
    servers = {name: attack.serve() for name in names}
    messages = {}
    for environment, cases in _describe_jobs(servers):
        tasks = [_get_by_platform(name, options) for name, options in cases.items()]
        play = attack.run([{"tasks": tasks}], env={**environment, "ENTRA_AUTH_TIMEOUT": "3"})
        assert _PLATFORM_SECRET not in play.output
        messages |= {name: play.result(name, "victim").get("msg", "") for name in cases}
    assert messages.keys() == servers.keys()
    expect_none({name: text for name, text in messages.items() if _INSECURE not in text})
    expect_none({name: server.seen() for name, server in servers.items() if server.received})


def _describe_jobs(servers: dict[str, AttackerServer]) -> list[tuple[dict[str, str], dict[str, dict[str, str]]]]:
    """Environments, each with the options of the tasks in it: of several platforms that leave each other alone."""
    urls = {name: f"http://0.0.0.0:{server.port}/token" for name, server in servers.items()}
    first = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": urls["github"],
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": _PLATFORM_SECRET,
        "SYSTEM_OIDCREQUESTURI": urls["pipelines"],
        "SYSTEM_ACCESSTOKEN": _PLATFORM_SECRET,
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "00000000-0000-4000-8000-000000000000",
        "IDENTITY_ENDPOINT": urls["identity"],
        "IDENTITY_HEADER": _PLATFORM_SECRET,
    }
    second = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "http://ci.example/token",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": _PLATFORM_SECRET,
        "ARM_OIDC_REQUEST_URL": urls["given"],
        "ARM_OIDC_REQUEST_TOKEN": _PLATFORM_SECRET,
        "MSI_ENDPOINT": urls["msi"],
        "MSI_SECRET": _PLATFORM_SECRET,
    }
    github, pipelines, given = (
        {"federated_token_source": source} for source in ("github_actions", "azure_pipelines", "request_url")
    )
    proxied = {**github, "proxy": servers["proxied"].url}
    return [
        (first, {"github": github, "pipelines": pipelines, "identity": {}}),
        (second, {"proxied": proxied, "given": given, "msi": {}}),
        ({"IDENTITY_ENDPOINT": urls["arc"], "IMDS_ENDPOINT": urls["arc"]}, {"arc": {}}),
    ]


def _get_by_platform(name: str, options: dict[str, str]) -> Task:
    credential = "federated" if "federated_token_source" in options else "managed_identity"
    return {"name": name, AUTH: {"cache": "none", "credential": credential, **options}, "ignore_errors": True}


def test_no_header_of_ours_follows_a_redirect_to_another_host(attack: Attack) -> None:
    """Those of extra_headers are secrets as often as not."""
    attack.add_host("victim")
    stranger = attack.serve(lambda _request: json_answer(200, {}))

    def redirect(_request: Received) -> bytes:
        return answer(302, "", Location=f"http://localhost:{stranger.port}/elsewhere")

    api = attack.serve(redirect)
    tasks = [
        role("app_token"),
        {**uri(f"{api.url}/v1.0/users", "app_token_uri"), "name": "Role", "ignore_errors": True},
        {**uri(f"{api.url}/v1.0/users", f"lookup('{AUTH}', output='uri')"), "name": "Lookup", "ignore_errors": True},
        {"name": "API", "entra.auth.api_request": {"url": "/v1.0/users"}, "ignore_errors": True},
        {
            "name": "Try",
            "block": [role("authorized_uri", authorized_uri_url="/v1.0/users")],
            "rescue": [{"ansible.builtin.debug": {}}],
        },
    ]
    setting = {
        "app_token_extra_headers": {"X-Api-Key": "attack~extra~header-0123456789"},
        "app_token_api_base_url": api.url,
    }
    play = attack.run([{"vars": setting, "tasks": tasks}])
    assert len(api.received) >= 4, play.output
    assert all("x-api-key" in one.headers for one in api.received)
    seen = stranger.seen()
    assert "attack~extra" not in seen
    assert "Bearer" not in seen


def test_no_path_in_an_authority_or_a_tenant_leads_to_another_tenant(attack: Attack) -> None:
    """What is checked is what is sent."""
    attack.add_host("victim")
    login, tenant = attack.emulator.urls.login, attack.emulator.tenant_id
    other = "22222222-2222-4222-8222-222222222222"
    authorities = {
        "dots": f"{login}/{tenant}/../{other}",
        "dots at the end": f"{login}/{other}/..",
        "encoded dots": f"{login}/{tenant}/%2e%2e/{other}",
        "encoded slash": f"{login}/{tenant}%2f..%2f{other}",
        "backslash": f"{login}/{tenant}\\..\\{other}",
        "two slashes": f"{login}//{other}",
        "parameters": f"{login}/{tenant};/../{other}",
        "query": f"{login}/{tenant}?/../{other}",
        "fragment": f"{login}/{other}#/{tenant}",
        "user": login.replace("//", "//login.microsoftonline.com@"),
        "blank": f"{login}/{tenant}/.. /{other}",
        "full width": f"{login}/{tenant}/\uff0e\uff0e/{other}",
    }
    tenants = {
        "tenant dots": f"{tenant}/../{other}",
        "tenant encoded": f"{tenant}%2f..%2f{other}",
        "tenant query": f"{other}?",
    }
    tasks = [{"name": name, AUTH: {"authority": value, "cache": "none"}} for name, value in authorities.items()]
    tasks += [{"name": name, AUTH: {"tenant_id": value, "cache": "none"}} for name, value in tenants.items()]
    tasks.append({"name": "own", AUTH: {"authority": f"{login}/{tenant}", "cache": "none"}})
    play = attack.run([{"tasks": [{**task, "ignore_errors": True} for task in tasks]}])
    assert get_end(play, "own", "victim") == "ok", play.output
    paths = {urllib.parse.urlsplit(entry["path"]).path for entry in attack.emulator.requests(listener="login")}
    assert paths == {f"/{tenant}/oauth2/v2.0/token"}


def test_an_answer_that_unpacks_to_far_more_than_it_is_does_not_fill_the_disk(attack: Attack) -> None:
    """Neither a file nor memory."""
    attack.add_host("victim")
    bomb = gzip.compress(bytes(_BOMB_BYTES), 6)
    api = attack.serve(
        lambda _request: answer(200, bomb, Content_Type="application/octet-stream", Content_Encoding="gzip")
    )
    file = attack.directory / "file"
    tasks = [
        {"name": "Save", "entra.auth.api_request": {"url": "/v1.0/x", "dest": str(file)}, "ignore_errors": True},
        {"name": "Read", "entra.auth.api_request": {"url": "/v1.0/x"}, "ignore_errors": True},
        {"name": "Token", AUTH: {"authority": api.url, "cache": "none"}, "ignore_errors": True},
    ]
    play = attack.run([{"tasks": tasks}], env={"ENTRA_AUTH_API_BASE_URL": api.url})
    sizes = {path.name: path.stat().st_size for path in attack.directory.iterdir() if path.is_file()}
    expect_none({name: size for name, size in sizes.items() if size > _SMALL_BYTES})
    assert [get_end(play, name, "victim") for name in ("Save", "Read", "Token")] == ["failed"] * 3, play.output


def test_no_response_leads_a_token_to_a_relay_of_another_customer(attack: Attack) -> None:
    """Below servicebus.windows.net every Azure customer may have a host, whose requests are forwarded to them."""
    attack.add_host("victim")
    own, foreign = "own.servicebus.windows.net", "attacker.servicebus.windows.net"
    ca = trustme.CA()
    bundle = attack.directory / "bundle.pem"
    bundle.write_bytes(Path(attack.emulator.ca).read_bytes() + ca.cert_pem.bytes())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(own, foreign, "graph.microsoft.com").configure_cert(tls)
    place = f"https://{foreign}/relay"
    replies = {
        "redirect": answer(307, "", Location=place),
        "link": json_answer(200, {"value": [], "@odata.nextLink": place}),
        "operation": answer(202, "", Location=place, Azure_AsyncOperation=place),
    }

    def reply(request: Received) -> bytes:
        return replies.get(request.target.strip("/"), json_answer(200, {}))

    proxy = attack.intercept(reply, tls)
    options = {"scope": "service_bus", "retry_for": 0}
    trust = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(bundle))
    through = {"HTTPS_PROXY": proxy.url, **trust}
    tasks: list[Task] = [{"name": "Token", AUTH: {"scope": "service_bus"}}]
    for name in replies:
        for module in ("api_request", "authorized_uri"):
            call = {"url": f"https://{own}/{name}", "method": "POST" if name == "operation" else "GET", **options}
            task = {"name": f"{module}, {name}", f"entra.auth.{module}": call, "environment": through}
            tasks.append({**task, "ignore_errors": True})
    for module in ("api_request", "authorized_uri"):
        graph = {"url": f"https://{foreign}/graph", **options, "scope": "graph"}
        tasks.append({"name": f"{module}, graph", f"entra.auth.{module}": graph, "ignore_errors": True})
    play = attack.run([{"tasks": tasks}], env={**through, "ENTRA_AUTH_API_BASE_URL": None})
    called = [(one.headers["host"], "authorization" in one.headers) for one in proxy.received]
    assert called.count((own, True)) == 2 * len(replies), play.output
    assert (foreign, True) not in called


def test_no_response_leads_to_a_service_of_the_control_node(attack: Attack) -> None:
    """Neither a download, nor an operation, nor a file that is uploaded goes to what listens here on loopback."""
    attack.add_host("victim")
    ca = trustme.CA()
    bundle = attack.directory / "bundle.pem"
    bundle.write_bytes(Path(attack.emulator.ca).read_bytes() + ca.cert_pem.bytes())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("graph.microsoft.com").configure_cert(tls)
    local = attack.serve(lambda _request: json_answer(200, {"name": "x"}))
    place = f"{local.url}/containers"
    replies = {
        "download": answer(302, "", Location=place),
        "operation": answer(202, "", Location=place),
        "createUploadSession": json_answer(200, {"uploadUrl": place}),
    }
    proxy = attack.intercept(lambda request: replies[request.target.rpartition("/")[2]], tls)
    source = attack.directory / "source"
    source.write_text("x")
    calls: dict[str, dict[str, t.Any]] = {
        "download": {"dest": str(attack.directory / "file")},
        "operation": {"method": "POST", "body": {}, "wait": True, "wait_timeout": 3},
        "createUploadSession": {"method": "POST", "src": str(source)},
    }
    token = {"access_token": build_jwt(aud="https://graph.microsoft.com"), "proxy": proxy.url, "ca_path": str(bundle)}
    tasks = [
        {"name": name, "entra.auth.api_request": {"url": f"/v1.0/{name}", **token, **call}, "ignore_errors": True}
        for name, call in calls.items()
    ]
    play = attack.run([{"tasks": tasks}], env={"ENTRA_AUTH_API_BASE_URL": None, "NO_PROXY": "127.0.0.1"})
    assert len(proxy.received) == len(calls), play.output
    assert local.connections == 0, local.seen()
    assert [get_end(play, name, "victim") for name in calls] == ["failed"] * len(calls)
