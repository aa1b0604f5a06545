# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Graph: what clients create, change and delete, and the queries over it."""

from __future__ import annotations

import typing as t

import pytest

from entra_emulator import resources, seed

if t.TYPE_CHECKING:
    import requests
    from conftest import Client

_NEW = {
    "accountEnabled": True,
    "displayName": "New One",
    "mailNickname": "new",
    "userPrincipalName": "new@contoso.example",
    "passwordProfile": {"password": "made-up"},
}
_EVENTUAL = {"ConsistencyLevel": "eventual"}


def code(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


def members(client: Client, token: str, group: str) -> list[str]:
    """The object ids of a group's members."""
    return [one["id"] for one in client.get(f"/v1.0/groups/{group}/members", token).json()["value"]]


def test_a_user_comes_changes_and_goes(client: Client) -> None:
    token = client.operator_token()
    made = client.send("POST", "/v1.0/users", token, json=_NEW)
    assert (made.status_code, "passwordProfile" in made.json()) == (201, False)
    assert client.get(made.headers["Location"], token).json()["displayName"] == "New One"
    patched = client.send("PATCH", "/v1.0/users/new@contoso.example", token, json={"jobTitle": "Auditor"})
    assert (patched.status_code, patched.text) == (204, "")
    assert client.get(f"/v1.0/users/{made.json()['id']}", token).json()["jobTitle"] == "Auditor"
    asked = "/v1.0/users?$filter=userPrincipalName eq 'NEW@contoso.example'"
    assert [one["id"] for one in client.get(asked, token).json()["value"]] == [made.json()["id"]]
    assert client.send("DELETE", f"/v1.0/users/{made.json()['id']}", token).status_code == 204
    assert client.get(made.headers["Location"], token).status_code == 404


def test_seeded_users_are_written_to_like_any(client: Client) -> None:
    token = client.operator_token()
    client.send("PATCH", "/v1.0/users/user0001@contoso.example", token, json={"jobTitle": "Chair"})
    client.send("DELETE", "/v1.0/users/user0002@contoso.example", token)
    listed = client.get("/v1.0/users?$top=2&$select=userPrincipalName,jobTitle", token).json()["value"]
    assert listed == [
        {"userPrincipalName": "user0001@contoso.example", "jobTitle": "Chair"},
        {"userPrincipalName": "user0003@contoso.example", "jobTitle": "Tester"},
    ]
    assert client.get("/v1.0/users/$count", token, _EVENTUAL).text == "249"
    client.emulator.reset()
    assert client.get("/v1.0/users/user0002@contoso.example", client.token()).status_code == 200


def test_delta_tells_what_became_of_users(client: Client) -> None:
    token, pages = client.operator_token(), []
    link = "/v1.0/users/delta?$top=200&$select=id"
    while link:
        pages.append(client.get(link, token).json())
        link = pages[-1].get("@odata.nextLink")
    assert [len(page["value"]) for page in pages] == [200, 50]
    assert ["@odata.deltaLink" in page for page in pages] == [False, True]
    client.send("PATCH", "/v1.0/users/user0001@contoso.example", token, json={"jobTitle": "Chair"})
    client.send("DELETE", "/v1.0/users/user0002@contoso.example", token)
    changes = client.get(pages[-1]["@odata.deltaLink"], token).json()
    assert [one.get("jobTitle", one.get("@removed")) for one in changes["value"]] == ["Chair", {"reason": "changed"}]
    assert client.get(changes["@odata.deltaLink"], token).json()["value"] == []
    assert client.get("/v1.0/users/delta?$deltatoken=latest", token).json()["value"] == []
    gone = client.get("/v1.0/users/delta?$deltatoken=99", token)
    assert (*code(gone), gone.headers["Location"][-12:]) == (410, "syncStateNotFound", "/users/delta")


def test_users_it_does_not_take(client: Client) -> None:
    token = client.operator_token()
    incomplete = {name: value for name, value in _NEW.items() if name != "passwordProfile"}
    taken = {**_NEW, "userPrincipalName": "User0001@contoso.example"}
    for body in (incomplete, taken, {**_NEW, "shoeSize": 43}):
        assert code(client.send("POST", "/v1.0/users", token, json=body)) == (400, "Request_BadRequest")
    assert code(client.send("POST", "/v1.0/users", token, data="{")) == (400, "BadRequest")
    missing = client.send("PATCH", "/v1.0/users/nobody@contoso.example", token, json={})
    assert code(missing) == (404, "Request_ResourceNotFound")
    forbidden = client.send("POST", "/v1.0/users", client.token(), json=_NEW)
    assert code(forbidden) == (403, "Authorization_RequestDenied")


def test_members_are_bound_by_twenty_at_most_and_all_or_none(client: Client) -> None:
    token = client.operator_token()
    users = [one["id"] for one in client.get("/v1.0/users?$top=22", token).json()["value"]]
    group = client.get("/v1.0/groups?$top=1", token).json()["value"][0]["id"]
    references = [f"https://graph.microsoft.com/v1.0/directoryObjects/{user}" for user in users]

    def bind(some: list[str]) -> requests.Response:
        return client.send("PATCH", f"/v1.0/groups/{group}", token, json={"members@odata.bind": some})

    assert code(bind(references[:21])) == (400, "Request_BadRequest")
    assert bind(references[:20]).status_code == 204
    assert "already exist" in bind([references[20], references[0]]).json()["error"]["message"]
    assert code(bind([references[20], references[0][:-4] + "9999"])) == (404, "Request_ResourceNotFound")
    assert members(client, token, group) == users[:20]


def test_members_come_and_go_one_by_one(client: Client) -> None:
    token = client.operator_token()
    body = {"displayName": "Admins", "mailEnabled": False, "mailNickname": "admins", "securityEnabled": True}
    made = client.send("POST", "/v1.0/groups", token, json=body)
    group, user = made.json()["id"], client.get("/v1.0/users/user0007@contoso.example", token).json()["id"]
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{user}"}
    path = f"/v1.0/groups/{group}/members"
    assert [client.send("POST", f"{path}/$ref", token, json=reference).status_code for _dummy in "ab"] == [204, 400]
    of_user = client.get("/v1.0/users/user0007@contoso.example/memberOf", token).json()["value"]
    assert [one["displayName"] for one in of_user] == ["Admins"]
    assert client.send("DELETE", f"{path}/{user}/$ref", token).status_code == 204
    assert client.send("DELETE", f"{path}/{user}/$ref", token).status_code == 404
    client.send("POST", f"{path}/$ref", token, json=reference)
    client.send("DELETE", f"/v1.0/users/{user}", token)
    assert members(client, token, group) == []
    assert client.send("DELETE", f"/v1.0/groups/{group}", token).status_code == 204
    assert client.get(f"/v1.0/groups/{group}", token).status_code == 404


def test_a_group_changes(client: Client) -> None:
    token = client.operator_token()
    group = client.get("/v1.0/groups?$filter=displayName eq 'Group 03'", token).json()["value"][0]["id"]
    assert client.send("PATCH", f"/v1.0/groups/{group}", token, json={"description": "Third"}).status_code == 204
    assert client.get(f"/v1.0/groups/{group}?$select=description", token).json()["description"] == "Third"
    assert client.send("PATCH", f"/v1.0/groups/{group}", token, json={"colour": "red"}).status_code == 400
    assert client.send("POST", "/v1.0/groups", token, json={"displayName": "half"}).status_code == 400
    bad = {"@odata.id": "user0001@contoso.example"}
    assert client.send("POST", f"/v1.0/groups/{group}/members/$ref", token, json=bad).status_code == 400


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("startswith(displayName,'user 01') and accountEnabled eq true", 90),
        ("displayName ge 'User 0249'", 2),
        ("mobilePhone eq null", 250),
        ("mobilePhone lt 'z'", 0),
    ],
)
def test_clauses_are_joined_by_and(client: Client, asked: str, count: int) -> None:
    listed = client.get(f"/v1.0/users?$filter={asked}&$top=999", client.token()).json()["value"]
    assert len(listed) == count


@pytest.mark.parametrize("asked", ["endswith(mail,'1@contoso.example')", "jobTitle ne 'Tester'"])
def test_advanced_queries_need_header_and_count(client: Client, asked: str) -> None:
    token, path = client.token(), f"/v1.0/users?$filter={asked}"
    assert client.get(f"{path}&$count=true", token, _EVENTUAL).json()["@odata.count"] in (25, 167)
    for headers, more in ((_EVENTUAL, ""), ({}, "&$count=true"), ({}, "")):
        assert code(client.get(path + more, token, headers)) == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize("option", ["$orderby=mail", "$search=x", "$expand=members", "$filter=a eq 'b' or c eq 'd'"])
def test_what_it_does_not_have_is_refused(client: Client, option: str) -> None:
    assert code(client.get(f"/v1.0/users?{option}", client.token())) == (400, "Request_UnsupportedQuery")


def test_apps_and_service_principals_by_either_id(client: Client) -> None:
    token = client.token()
    by_app = client.get(f"/v1.0/applications(appId='{seed.READER}')?$select=id,passwordCredentials", token).json()
    assert by_app["passwordCredentials"][0]["endDateTime"]
    assert client.get(f"/v1.0/applications/{by_app['id']}", token).json()["appId"] == seed.READER
    principal = client.get(f"/v1.0/servicePrincipals(appId='{seed.READER}')", token).json()
    assert client.get(f"/v1.0/servicePrincipals/{principal['id']}", token).json() == {
        **principal,
        "@odata.context": principal["@odata.context"],
    }
    assert client.get(f"/v1.0/applications(appId='{seed.SYSTEM_IDENTITY}')", token).status_code == 404
    listed = client.get("/v1.0/servicePrincipals", token).json()["value"]
    assert seed.NO_SERVICE_PRINCIPAL not in [one["appId"] for one in listed]


def test_roles_given_are_named_by_graphs_own_service_principal(client: Client) -> None:
    token = client.token()
    own = client.get(f"/v1.0/servicePrincipals(appId='{resources.GRAPH.app_id}')", token).json()
    given = client.get(f"/v1.0/servicePrincipals(appId='{seed.READER}')/appRoleAssignments", token).json()["value"]
    names = {role["id"]: role["value"] for role in own["appRoles"]}
    assert {names[one["appRoleId"]] for one in given} == {
        *("User.Read.All", "Organization.Read.All", "Application.Read.All", "Group.Read.All")
    }
