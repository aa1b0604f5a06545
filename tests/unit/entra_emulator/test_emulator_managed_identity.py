# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed identity endpoints: each platform's request, answer and refusals."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import socket
import ssl
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import pytest

from entra_emulator import arc_keys, seed

if t.TYPE_CHECKING:
    import requests
    from conftest import Client

_GRAPH = "https://graph.microsoft.com"
_ARM = "https://management.azure.com/"
_UNKNOWN = "99999999-0000-4000-8000-000000000000"
_IMDS = ("/metadata/identity/oauth2/token", "2018-02-01", {"Metadata": "true"})
_HEADER = {"X-IDENTITY-HEADER": "made-up~platform-secret"}
_SECRET = {"secret": "made-up~platform-secret"}
_ARC = ("/arc/metadata/identity/oauth2/token", "2020-06-01", {"Metadata": "true"})


def ask(
    client: Client, where: tuple[str, str, dict[str, str]], resource: str = _GRAPH, **query: str
) -> requests.Response:
    """``GET`` from the platform."""
    path, version, headers = where
    url = client.emulator.urls.platform + path
    full = {"api-version": version, "resource": resource, **query}
    return client.session.get(url, params=full, headers=headers, timeout=60)


def claims(answer: requests.Response) -> dict[str, t.Any]:
    """The claims of a success."""
    assert answer.status_code == 200, answer.text
    return jwt.decode(answer.json()["access_token"], options={"verify_signature": False})


def test_imds_answers_in_strings_with_a_token_the_apis_take(client: Client) -> None:
    answer = ask(client, _IMDS)
    body = answer.json()
    assert set(body) == {
        *("access_token", "client_id", "expires_in", "expires_on", "ext_expires_in"),
        *("not_before", "resource", "token_type"),
    }
    assert all(isinstance(value, str) for value in body.values())
    assert int(body["expires_on"]) - int(body["not_before"]) == int(body["expires_in"]) == 86400
    found = claims(answer)
    assert (found["appid"], found["idtyp"], found["appidacr"]) == (seed.SYSTEM_IDENTITY, "app", "2")
    assert "/virtualMachines/" in found["xms_mirid"]
    assert client.get("/v1.0/organization", body["access_token"]).status_code == 200
    arm = ask(client, _IMDS, _ARM).json()["access_token"]
    assert len(client.get("/subscriptions?api-version=2022-12-01", arm).json()["value"]) == 2


@pytest.mark.parametrize("attribute", ["client_id", "object_id", "resource_id"])
def test_selectors(client: Client, attribute: str) -> None:
    added = client.emulator.add_identity(name="other", roles={"graph": ["User.Read.All"]})
    name = {"resource_id": "msi_res_id"}.get(attribute, attribute)
    found = claims(ask(client, _IMDS, **{name: added[attribute].upper()}))
    assert (found["appid"], found["oid"]) == (added["client_id"], added["object_id"])
    assert (found["xms_mirid"], found["roles"]) == (added["resource_id"], ["User.Read.All"])


def test_which_identity_without_a_selector(client: Client) -> None:
    client.emulator.forget_identities()
    assert ask(client, _IMDS).json()["error_description"] == "Identity not found"
    only = client.emulator.add_identity()["client_id"]
    assert claims(ask(client, _IMDS))["appid"] == only
    client.emulator.add_identity()
    assert ask(client, _IMDS).json()["error_description"].startswith("Multiple user assigned")
    system = client.emulator.add_identity(system_assigned=True)["client_id"]
    assert claims(ask(client, _IMDS))["appid"] == system
    assert len(client.emulator.control("GET", "/identities")) == 3


@pytest.mark.parametrize(
    ("headers", "resource", "query", "error"),
    [
        ({}, _GRAPH, {}, "bad_request_102"),
        ({"Metadata": "false"}, _GRAPH, {}, "bad_request_102"),
        ({"Metadata": "true"}, "", {}, "invalid_request"),
        ({"Metadata": "true"}, "https://nothing.example", {}, "invalid_resource"),
        ({"Metadata": "true"}, _GRAPH, {"client_id": _UNKNOWN}, "invalid_request"),
        ({"Metadata": "true"}, _GRAPH, {"client_id": seed.USER_IDENTITY, "object_id": "x"}, "invalid_request"),
        ({"Metadata": "true"}, _GRAPH, {"api-version": "1999-01-01"}, "InvalidApiVersion"),
    ],
)
def test_imds_refusals(
    client: Client, headers: dict[str, str], resource: str, query: dict[str, str], error: str
) -> None:
    answer = ask(client, (*_IMDS[:2], headers), resource, **query)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize("status", [404, 410, 429, 500])
def test_imds_faults(client: Client, status: int) -> None:
    client.emulator.fault("status", endpoint="imds", status=status)
    answer = ask(client, _IMDS)
    assert (answer.status_code, set(answer.json())) == (status, {"error", "error_description"})
    assert ask(client, _IMDS).status_code == 200
    first, second = client.emulator.requests(listener="platform")
    assert (first["fault"], second["fault"]) == ("status", None)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("app_service", "{platform}/msi/token"),
        ("azure_ml", "{platform}/ml/token"),
        ("arc", "{platform}/arc/metadata/identity/oauth2/token"),
        ("cloud_shell", "{platform}/cloudshell/oauth2/token"),
        ("github_actions", "{platform}/github/idtoken"),
        ("azure_pipelines", "{platform}/pipelines/oidc"),
        ("platform", "{platform}/anything"),
        ("devicecode", "{login}/contoso.example/oauth2/v2.0/devicecode"),
    ],
)
def test_each_endpoint_can_fail(client: Client, endpoint: str, url: str) -> None:
    client.emulator.fault("status", endpoint=endpoint, status=418)
    urls = dataclasses.asdict(client.emulator.urls)
    assert client.session.get(url.format(**urls), timeout=60).status_code == 418


def test_app_service(client: Client) -> None:
    where = ("/msi/token", "2019-08-01", _HEADER)
    body = ask(client, where).json()
    assert set(body) == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert body["expires_on"].isdecimal()
    user = {"principal_id": seed.USER_IDENTITY.replace("aaaaaaaa", "bbbbbbbb")}
    assert ask(client, where, **user).json()["client_id"] == seed.USER_IDENTITY
    denied = ask(client, ("/msi/token", "2019-08-01", {}))
    assert (denied.status_code, set(denied.json())) == (401, {"statusCode", "message", "correlationId"})
    assert ask(client, where, mi_res_id="/nothing").json()["statusCode"] == 400


def test_old_app_service_tells_the_end_as_a_date(client: Client) -> None:
    where = ("/msi/token", "2017-09-01", _SECRET)
    body = ask(client, where, clientid=seed.USER_IDENTITY).json()
    assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d \+00:00", body["expires_on"])
    assert body["client_id"] == seed.USER_IDENTITY
    assert ask(client, ("/msi/token", "2017-09-01", _HEADER)).status_code == 401


def test_azure_ml(client: Client) -> None:
    where = ("/ml/token", "2017-09-01", _SECRET)
    body = ask(client, where, clientid=seed.USER_IDENTITY).json()
    assert (body["client_id"], body["expires_on"].isdecimal()) == (seed.USER_IDENTITY, True)
    assert ask(client, ("/ml/token", "2017-09-01", {})).status_code == 401


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_service_fabric_by_thumbprint(client: Client) -> None:
    variables = client.emulator.managed_identity_environment("service_fabric")
    address = urlsplit(client.emulator.urls.service_fabric)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((address.hostname, address.port)) as plain, context.wrap_socket(plain) as tls:
        thumbprint = hashlib.sha1(tls.getpeercert(binary_form=True) or b"").hexdigest()  # noqa: S324
    assert thumbprint.upper() == variables["IDENTITY_SERVER_THUMBPRINT"] == client.emulator.service_fabric_thumbprint
    query = {"api-version": "2019-07-01-preview", "resource": _GRAPH}
    client.session.verify = False

    def get(secret: str, **more: str) -> requests.Response:
        return client.session.get(
            variables["IDENTITY_ENDPOINT"], params={**query, **more}, headers={"Secret": secret}, timeout=60
        )

    body = get(variables["IDENTITY_HEADER"]).json()
    assert isinstance(body["expires_on"], int)
    assert get("wrong").json()["error"]["code"] == "SecretHeaderNotFound"
    wrong = get(variables["IDENTITY_HEADER"], resource="https://nothing.example").json()["error"]
    assert set(wrong) == {"correlationId", "code", "message"}
    client.emulator.forget_identities()
    gone = get(variables["IDENTITY_HEADER"])
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "ManagedIdentityNotFound")


def test_cloud_shell_is_its_user(client: Client) -> None:
    url = client.emulator.managed_identity_environment("cloud_shell")["MSI_ENDPOINT"]
    answer = client.session.post(url, data={"resource": _ARM}, headers={"Metadata": "true"}, timeout=60)
    assert (claims(answer)["idtyp"], claims(answer)["scp"]) == ("user", "user_impersonation")
    token = answer.json()["access_token"]
    assert len(client.get("/subscriptions?api-version=2022-12-01", token).json()["value"]) == 3
    wrong = client.session.post(url, data={"resource": "x"}, headers={"Metadata": "true"}, timeout=60)
    assert wrong.json()["error"]["code"] == "AudienceNotSupported"
    assert client.session.post(url, data={"resource": _ARM}, timeout=60).status_code == 400


def key_file(client: Client) -> Path:
    """The file a challenge names."""
    answer = ask(client, _ARC)
    assert answer.status_code == 401
    return Path(answer.headers["WWW-Authenticate"].removeprefix("Basic realm="))


def test_arc_challenge_without_a_file(client: Client) -> None:
    path = key_file(client)
    assert (path.parent, path.suffix, path.exists()) == (arc_keys.DIRECTORY, ".key", False)
    guess = (*_ARC[:2], {**_ARC[2], "Authorization": "Basic guess"})
    assert ask(client, guess).json()["error"] == "access_denied"
    assert ask(client, (*_ARC[:2], {})).json()["error"] == "bad_request_102"


@pytest.mark.skipif(os.geteuid() != 0, reason="the directory of Arc's key files is root's")
def test_arc_key_is_good_for_one_answer(client: Client) -> None:
    client.emulator.configure(arc_key_file="good")
    path = key_file(client)
    key = path.read_text()
    answered = (*_ARC[:2], {**_ARC[2], "Authorization": f"Basic {key}"})
    body = ask(client, answered, client_id=seed.USER_IDENTITY).json()
    assert body["client_id"] == seed.USER_IDENTITY
    assert not path.exists()
    assert ask(client, answered).status_code == 403
    client.emulator.configure(arc_ignores_selector=True)
    again = (*_ARC[:2], {**_ARC[2], "Authorization": f"Basic {key_file(client).read_text()}"})
    assert ask(client, again, client_id=seed.USER_IDENTITY).json()["client_id"] == seed.SYSTEM_IDENTITY


@pytest.mark.skipif(os.geteuid() != 0, reason="the directory of Arc's key files is root's")
@pytest.mark.parametrize(
    ("kind", "is_so"),
    [
        ("outside", lambda path: path.parent == arc_keys.DIRECTORY.parent),
        ("too_big", lambda path: path.stat().st_size > 4096),
        ("wrong_extension", lambda path: path.suffix == ".txt"),
        ("symlink", lambda path: path.is_symlink()),
    ],
)
def test_arc_files_a_client_must_not_trust(client: Client, kind: str, is_so: t.Callable[[Path], bool]) -> None:
    client.emulator.configure(arc_key_file=kind)
    path = key_file(client)
    assert path.exists()
    assert is_so(path)
    client.emulator.reset()
    assert not path.is_symlink()
    assert not path.exists()


@pytest.mark.parametrize("platform", ["imds", "app_service", "app_service_2017", "azure_ml", "arc"])
def test_environment_of_each_platform(client: Client, platform: str) -> None:
    variables = client.emulator.managed_identity_environment(platform)
    addresses = [value for value in variables.values() if value.startswith("http")]
    assert addresses
    assert all(one.startswith(client.emulator.urls.platform) for one in addresses)


def test_an_identity_has_no_secret_and_no_application(client: Client) -> None:
    answer = client.ask(client_id=seed.SYSTEM_IDENTITY)
    client.refused(answer, 401, "invalid_client", 7000232)
    listed = client.get("/v1.0/applications", client.token()).json()["value"]
    assert seed.SYSTEM_IDENTITY not in [one["appId"] for one in listed]
