# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role ``authorized_uri``: one call of an API, with the header set, renewed and throttled properly."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from app_hosts import AppHosts

from plays import role, show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

USERS: t.Final = "/v1.0/users?$top=2"
LOCKED: t.Final = "/subscriptions/c0000000-0000-4000-8000-000000000003?api-version=2022-12-01"


def call(url: str, **variables: t.Any) -> dict[str, t.Any]:
    """A task that includes the role; its options by their short names."""
    return role("authorized_uri", authorized_uri_url=url, **{f"authorized_uri_{k}": v for k, v in variables.items()})


def control(path: str, **body: t.Any) -> dict[str, t.Any]:
    """A task that changes something at the emulator in the middle of a play."""
    url = "{{ lookup('env', 'ENTRA_EMULATOR_CONTROL') }}" + path
    request = {"url": url, "method": "POST", "body": body, "body_format": "json"}
    return {"name": "Control", "ansible.builtin.uri": request}


def message(play: Play) -> str:
    """What the one failure of a play said, its white space as one blank each."""
    (said,) = messages(play)
    return said


def messages(play: Play) -> list[str]:
    """What the failures of a play said, in order, white space as one blank each."""
    said = [event["result"]["msg"] for event in play.events() if event["event"] == "failed"]
    return [" ".join(str(one).split()) for one in said]


def statuses(emulator: Emulator) -> list[int]:
    """The answers of the API, in order."""
    return [entry["status"] for entry in emulator.requests(listener="api")]


def assert_secret(play: Play, emulator: Emulator) -> None:
    """No token that any API was sent, and no client secret, is in anything a callback saw or the screen showed."""
    headers = [header for entry in emulator.requests(listener="api") for header in entry["headers"]]
    tokens = {value.removeprefix("Bearer ") for name, value in headers if name.lower() == "authorization"}
    assert tokens
    for secret in (*tokens, emulator.client_secret, json.dumps(emulator.client_secret)[1:-1]):
        assert secret not in play.output


@pytest.mark.entry_point
def test_a_path_and_a_url_reach_the_api(plays: Plays, emulator: Emulator) -> None:
    """Headers are merged, JMESPath selects, the fact has the name asked for, another scope goes elsewhere."""
    tasks = [
        call(USERS, headers={"ConsistencyLevel": "eventual"}, jmespath="value[].userPrincipalName"),
        call(emulator.urls.api + "/v1.0/organization", fact="organization"),
        call("/subscriptions?api-version=2022-12-01", scope="arm", fact="arm", jmespath="value[?displayName=='none']"),
        show(users="authorized_uri_result", organization="organization", arm="arm.result"),
    ]
    play = plays.run([{"tasks": tasks}], "-vvv", record=True)
    assert play.returncode == 0, play.output
    users, organization = play.shown()["users"], play.shown()["organization"]
    assert users["result"] == ["user0001@contoso.example", "user0002@contoso.example"]
    assert users["status"] == 200
    assert users["json"]["value"][0]["userPrincipalName"] == users["result"][0]
    assert organization["result"] == organization["json"]
    assert organization["json"]["value"][0]["displayName"].startswith("Contoso")
    assert play.shown()["arm"] == []
    sent = emulator.requests(listener="api")
    assert [(entry["method"], entry["path"]) for entry in sent] == [
        ("GET", "/v1.0/users"),
        ("GET", "/v1.0/organization"),
        ("GET", "/subscriptions"),
    ]
    assert "eventual" in {name.lower(): value for name, value in sent[0]["headers"]}["consistencylevel"]
    assert [entry["claims"]["aud"].split("/")[2] for entry in sent] == [
        *("graph.microsoft.com", "graph.microsoft.com", "management.azure.com"),
    ]
    assert len(emulator.token_requests()) == 2
    assert_secret(play, emulator)


def test_a_call_can_use_the_response_to_the_one_before(plays: Plays, emulator: Emulator) -> None:
    """The variables of the role are evaluated while it runs, so the fact is there until the new response is."""
    next_page = call("{{ authorized_uri_result.json['@odata.nextLink'] }}")
    play = plays.run([{"tasks": [call(USERS), next_page, show(users="authorized_uri_result.json.value")]}], record=True)
    assert play.returncode == 0, play.output
    assert [user["displayName"] for user in play.shown()["users"]] == ["User 0003", "User 0004"]


def test_the_fact_is_not_that_of_the_call_before_if_the_host_is_unreachable(plays: Plays, emulator: Emulator) -> None:
    """The action of the role has no result then, whatever the name of the fact is."""
    ssh = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_ssh_retries": 0}
    facts, tasks = ("authorized_uri_result", "users"), []
    for fact in facts:
        lost = call(USERS, fact=fact)
        lost["ansible.builtin.include_role"]["apply"] = {"ignore_unreachable": True}
        lost["vars"] |= ssh
        shown = show(status=f"{fact}.status | default('none')", lost=f"{fact}.unreachable")
        tasks += [call(USERS, fact=fact), lost, shown]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert play.all_shown() == [{"status": "none", "lost": True}] * len(facts)
    assert statuses(emulator) == [200] * len(facts)


def test_bodies_are_sent_in_the_form_asked_for(plays: Plays, emulator: Emulator) -> None:
    """JSON by default, raw, a form; a status code of one's own is success."""
    text = {"Content-Type": "text/plain"}
    tasks = [
        call("/v1.0/things", method="post", body={"a": [1, True, "ä"]}, status_code=[404]),
        call("/v1.0/things", method="PATCH", body="plain text", body_format="raw", headers=text, status_code=404),
        call("/v1.0/things", method="PUT", body={"a": "1 +&"}, body_format="form-urlencoded", status_code=[200, 404]),
        call("/v1.0/things", method="DELETE", status_code=[404]),
        show(status="authorized_uri_result.status"),
    ]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown()["status"] == 404
    as_json, raw, form, bodiless = emulator.requests(listener="api")
    assert [entry["method"] for entry in (as_json, raw, form, bodiless)] == ["POST", "PATCH", "PUT", "DELETE"]
    assert json.loads(as_json["body"]) == {"a": [1, True, "ä"]}
    assert (raw["body"], form["form"], bodiless["body"]) == ("plain text", [["a", "1 +&"]], "")


def test_any_other_status_fails_readably(plays: Plays, emulator: Emulator) -> None:
    """With what the API said and its ids, in Graph's words and in ARM's; a rescue has the answer in the fact."""
    tasks = [
        {"block": [call("/v1.0/things?$search=hidden")], "rescue": [show(graph="authorized_uri_result")]},
        {"block": [call("/subscriptions", scope="arm", fact="arm")], "rescue": [show(arm="arm")]},
        {"block": [call("/v1.0/groups", fact="html")], "rescue": [show(html="html.status")]},
    ]
    emulator.fault("status", endpoint="/v1.0/groups", status=501, body="<html>broken</html>", content_type="text/html")
    play = plays.run([{"tasks": tasks}], "-vvv", record=True)
    assert play.returncode == 0, play.output
    graph, arm, html = messages(play)
    assert graph.startswith(f"GET {emulator.urls.api}/v1.0/things responded with 404: ")
    for part in ("(Request_ResourceNotFound)", "add 404 to status_code", "trace id", "correlation id"):
        assert part in graph
    assert f"client {emulator.client_id}, scope https://graph.microsoft.com/.default." in graph
    assert "hidden" not in graph
    assert "(MissingApiVersionParameter)" in arm
    assert "To fix it: Add api-version" in arm
    assert f"GET {emulator.urls.api}/v1.0/groups responded with 501: it gave no reason that could be read." in html
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [404, 400, 501]
    refused = play.all_shown()[0]["graph"]
    assert refused["json"]["error"]["code"] == "Request_ResourceNotFound"
    assert refused["result"] in (None, "")  # by core
    assert_secret(play, emulator)


ELSEWHERE: t.Final = (
    "{foreign}/v1.0/users",
    "https://graph.microsoft.com@{foreign_host}/v1.0/users",
    "{api}@{foreign_host}/v1.0/users",
    "{foreign}\\@{api_host}/v1.0/users",
    "http://graph.microsoft.com/v1.0/users",
    "ftp://{api_host}/v1.0/users",
)


def test_the_token_goes_nowhere_else(plays: Plays, emulator: Emulator) -> None:
    """Another host, however it is spelled, and plain http are refused by name, before anything is sent."""
    urls = emulator.urls
    names = {"foreign": urls.foreign, "api": urls.api, "foreign_host": urls.foreign[8:], "api_host": urls.api[8:]}
    spelled = [url.format(**names) for url in ELSEWHERE]
    any_status = list(range(200, 500))
    tasks = [{"block": [call(url, status_code=any_status)], "rescue": [show(none="none")]} for url in spelled]
    # A path that looks like a host stays a path under the base URL.
    play = plays.run(
        [{"tasks": [*tasks, call(f"//{names['foreign_host']}/users", status_code=any_status)]}], record=True
    )
    assert play.returncode == 0, play.output
    assert emulator.requests(listener="foreign") == []
    assert len(emulator.requests(listener="api")) == 1
    said = [event["result"]["msg"] for event in play.events() if event["event"] == "failed"]
    assert len(said) == len(spelled)
    assert all(one.startswith("url ") for one in said)
    assert f"leads to {names['foreign']}, which gets no token" in said[0]
    assert "name it in allowed_hosts" in said[0]
    assert all("is not a plain http or https URL" in said[number] for number in (1, 2, 3, 5))
    assert "not https" in said[4]


def test_allowed_hosts_are_let_in_by_name_over_https_only(plays: Plays, emulator: Emulator) -> None:
    """In any letter case, with their port; http to a host elsewhere stays refused."""
    foreign = emulator.urls.foreign
    tasks = [call(f"{foreign}/things", allowed_hosts=[foreign[8:].upper()]), show(json="authorized_uri_result.json")]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown()["json"]["path"] == "/things"
    insecure = call("http://api.contoso.example/things", allowed_hosts=["api.contoso.example"])
    play = plays.run([{"tasks": [insecure]}], record=True)
    assert "leads to http://api.contoso.example, which is not https" in message(play)


def test_headers_for_all_calls_are_sent_too(plays: Plays, emulator: Emulator) -> None:
    """Those of app_token, from a variable before the environment; the role's own win."""
    common = {"X-Gateway": "environment", "Prefer": "return=minimal"}
    own = {"prefer": "return=representation", "ConsistencyLevel": "eventual"}
    hosts = {"h001": {}, "h002": {"app_token_extra_headers": {**common, "X-Gateway": "variable"}}}
    env = {"ENTRA_AUTH_EXTRA_HEADERS": json.dumps(common)}
    play = plays.run([{"tasks": [call(USERS, headers=own), call(USERS)]}], hosts=hosts, forks=1, record=True, env=env)
    assert play.returncode == 0, play.output
    names = ("x-gateway", "prefer", "consistencylevel")
    sent = [{name.lower(): value for name, value in one["headers"]} for one in emulator.requests(listener="api")]
    assert [[headers.get(name) for name in names] for headers in sent] == [
        ["environment", "return=representation", "eventual"],
        ["variable", "return=representation", "eventual"],
        ["environment", "return=minimal", None],
        ["variable", "return=minimal", None],
    ]
    assert_secret(play, emulator)


# --- an API that refuses ----------------------------------------------------------------------------------------


def test_a_refused_token_is_renewed_once(plays: Plays, emulator: Emulator) -> None:
    """With the claims that the API asks for; later calls go on with the renewed token."""
    tasks = [
        call(USERS),
        control("/revocations", client_id=emulator.client_id, challenge=True),
        call(USERS),
        call(USERS),
    ]
    play = plays.run([{"tasks": tasks}], "-vvv", record=True)
    assert play.returncode == 0, play.output
    without, claims = (dict(entry["form"]).get("claims") for entry in emulator.token_requests())
    assert without is None
    (asked,) = json.loads(claims)["access_token"].items()
    assert asked[0] == "nbf"
    assert asked[1]["essential"] is True
    assert statuses(emulator) == [200, 401, 200, 200]
    assert_secret(play, emulator)


def test_hosts_whose_token_is_refused_renew_it_once(plays: Plays, emulator: Emulator) -> None:
    """One after the other, too: what one of them got is what all others take."""
    revocation = {**control("/revocations", client_id=emulator.client_id), "run_once": True}
    play = plays.run([{"tasks": [call(USERS), revocation, call(USERS)]}], hosts=3, forks=1, record=True)
    assert play.returncode == 0, play.output
    assert statuses(emulator) == [200] * 3 + [401] + [200] * 3
    assert len(emulator.token_requests()) == 2
    assert_secret(play, emulator)


def test_a_token_that_is_refused_after_a_wait_is_replaced_by_that_of_another_host(
    plays: Plays, emulator: Emulator
) -> None:
    """Another host has got a new one during the wait, so no third one is requested."""
    emulator.fault("status", endpoint="graph", status=429, retry_after=8)
    emulator.fault("status", endpoint="graph", status=401)
    other = "inventory_hostname == 'h002'"
    tasks = [
        {**call(USERS), "when": f"not {other}"},
        {"ansible.builtin.wait_for": {"timeout": 4}, "when": other},
        {"entra.auth.app_token": {"force_refresh": True}, "when": other},
    ]
    play = plays.run([{"strategy": "free", "tasks": tasks}], hosts=2, record=True)
    assert play.returncode == 0, play.output
    assert statuses(emulator) == [429, 401, 200]
    assert len(emulator.token_requests()) == 2


def test_claims_are_asked_for_where_no_token_is_kept(plays: Plays, emulator: Emulator) -> None:
    """The call holds its token, so there is one request without and one with the claims."""
    claims = base64.b64encode(b'{"access_token": {"acrs": {"essential": true, "value": "c1"}}}').decode()
    header = f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
    emulator.fault("status", endpoint="graph", status=401, headers={"WWW-Authenticate": header})
    emulator.fault("status", endpoint="graph", status=429, retry_after=1)
    play = plays.run([{"tasks": [call(USERS)]}], record=True, app_token_cache="none")
    assert play.returncode == 0, play.output
    assert statuses(emulator) == [401, 429, 200]
    asked = ["claims" in dict(entry["form"]) for entry in emulator.token_requests()]
    assert asked == [False, True]


FORBIDDEN: t.Final = {
    "some-roles": (
        ["Organization.Read.All", "Group.Read.All"],
        {"url": USERS, "scope": "graph"},
        ("has the roles: Group.Read.All, Organization.Read.All.", "admin consent", "Insufficient privileges"),
    ),
    "no-role": (
        [],
        {"url": USERS, "scope": "graph"},
        ("No roles can be read from the token.", "admin consent", "Insufficient privileges"),
    ),
    "arm": (
        [],
        {"url": LOCKED, "scope": "arm"},
        ("No roles can be read from the token.", "role assignment", "does not have authorization"),
    ),
}


def test_a_403_names_the_roles_the_token_has(plays: Plays, emulator: Emulator) -> None:
    """And what the API said, and what to grant; nothing is renewed or repeated."""
    hosts = AppHosts(emulator)
    for name, (roles, options, _said) in FORBIDDEN.items():
        hosts.add(name, roles={"graph": roles}, options=options)
    play = plays.run(
        [{"tasks": [call("{{ options.url }}", scope="{{ options.scope }}")]}],
        "-vvv",
        hosts=hosts.variables,
        record=True,
    )
    assert play.returncode == 2
    failed = {event["host"]: event["result"]["msg"] for event in play.events() if event["event"] == "failed"}
    assert failed.keys() == FORBIDDEN.keys()
    for name, (_roles, options, said) in FORBIDDEN.items():
        url = f"{emulator.urls.api}{options['url'].partition('?')[0]}"
        for part in (f"GET {url} responded with 403", hosts.variables[name]["app_token_client_id"], *said):
            assert part in failed[name]
    assert statuses(emulator) == [403] * len(FORBIDDEN)
    assert {name: len(forms) for name, forms in hosts.list_forms().items()} == dict.fromkeys(FORBIDDEN, 1)
    assert_secret(play, emulator)


# --- among other tasks ------------------------------------------------------------------------------------------


def test_it_works_in_a_loop_on_many_hosts(plays: Plays, emulator: Emulator) -> None:
    """What one call met is no matter of the next one, nor of another host."""
    emulator.fault("status", endpoint="/v1.0/organization", status=429, retry_after=1)
    emulator.fault("status", endpoint="/v1.0/groups", status=401)
    looped = {**call("/v1.0/{{ item }}"), "loop": ["organization", "groups", "users/user0001@contoso.example"]}
    play = plays.run([{"tasks": [looped, show(user="authorized_uri_result.json")]}], hosts=2, record=True)
    assert play.returncode == 0, play.output
    for host in ("h001", "h002"):
        assert play.shown(host)["user"]["userPrincipalName"] == "user0001@contoso.example"
    assert sorted(statuses(emulator)) == [200] * 6 + [401, 429]
    assert len(emulator.token_requests()) == 2


def test_check_mode_reads_and_does_not_write(plays: Plays, emulator: Emulator) -> None:
    """A play that holds a write gets to its end without it."""
    write = call("/v1.0/things", method="POST", body={}, status_code=[404], fact="written")
    play = plays.run(
        [{"tasks": [call(USERS), write, show(read="authorized_uri_result.status")]}], "--check", record=True
    )
    assert play.returncode == 0, play.output
    assert play.shown()["read"] == 200
    assert [entry["method"] for entry in emulator.requests(listener="api")] == ["GET"]


def test_it_runs_on_the_tasks_host(plays: Plays, emulator: Emulator) -> None:
    """The call is a stock uri task there: its environment counts, and delegation moves it."""
    away = {"https_proxy": "http://127.0.0.1:9", "no_proxy": "", "NO_PROXY": ""}
    play = plays.run([{"environment": away, "tasks": [call(USERS, retry_for=0)]}], record=True)
    assert play.returncode == 2
    assert len(emulator.token_requests()) == 1
    assert emulator.requests(listener="api") == []
