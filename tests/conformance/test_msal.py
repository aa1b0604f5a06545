# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MSAL Python, unmodified, gets tokens from the emulator and is refused where it must be."""

from __future__ import annotations

import base64
import functools
import json
import os
import typing as t

import jwt
import msal
import pytest
import requests

from entra_emulator import seed
from entra_emulator.app_credentials import Certificate

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Files

    from entra_emulator.client import Emulator

_SCOPES = ["https://graph.microsoft.com/.default"]
_RESOURCE = "https://graph.microsoft.com"
_AUDIENCE = "api://AzureADTokenExchange"


def confidential(emulator: Emulator, credential: object, client_id: str = seed.READER) -> dict[str, t.Any]:
    """The answer to a client credentials request."""
    app = msal.ConfidentialClientApplication(client_id, credential, **authority(emulator))
    return t.cast("dict[str, t.Any]", app.acquire_token_for_client(_SCOPES))


def authority(emulator: Emulator, tenant: str = "contoso.example") -> dict[str, t.Any]:
    """Where the emulator is; discovery would ask Microsoft whether it knows that host."""
    return {"authority": f"{emulator.urls.login}/{tenant}", "instance_discovery": False}


def codes(answer: dict[str, t.Any]) -> tuple[str, list[int]]:
    """What a refusal says."""
    assert "access_token" not in answer
    return answer["error"], answer["error_codes"]


def test_secret(emulator: Emulator, graph_says: Callable[[str], int]) -> None:
    answer = confidential(emulator, seed.AWKWARD_SECRET)
    assert (answer["token_type"], answer["token_source"]) == ("Bearer", "identity_provider")
    assert 3500 < answer["expires_in"] <= 3600
    assert graph_says(answer["access_token"]) == 200


@pytest.mark.parametrize(
    ("client_id", "secret", "error", "code"),
    [
        (seed.READER, "wrong", "invalid_client", 7000215),
        (seed.EXPIRED, "made-up~secret-of-expired", "invalid_client", 7000222),
        (seed.DISABLED, "made-up~secret-of-disabled", "unauthorized_client", 7000112),
        (seed.FABRIKAM_READER, "x", "unauthorized_client", 700016),
        (seed.PUBLIC, "x", "invalid_client", 700025),
        (seed.SYSTEM_IDENTITY, "x", "invalid_client", 7000232),
    ],
)
def test_refused_secrets(emulator: Emulator, client_id: str, secret: str, error: str, code: int) -> None:
    assert codes(confidential(emulator, secret, client_id)) == (error, [code])


def certificate(files: Files, form: str) -> dict[str, t.Any]:
    """The credential in one of the forms MSAL takes."""
    made, password = files.made, {"passphrase": files.password}
    thumbprint = {"private_key": made.key_pem(), "thumbprint": Certificate(made.pem).digest().hex()}
    pfx = {"private_key_pfx_path": files.pfx, **password}
    return {
        "pem": {"private_key": made.key_pem(), "public_certificate": made.chain_pem},
        "encrypted pem": {"private_key": made.key_pem(files.password), "public_certificate": made.pem, **password},
        "thumbprint": thumbprint,
        "thumbprint with chain": {**thumbprint, "public_certificate": made.chain_pem},
        "pfx": pfx,
        "pfx with certificate": {**pfx, "public_certificate": True},
    }[form]


_FORMS = {
    "pem": 1,
    "encrypted pem": 1,
    "thumbprint": 0,
    "thumbprint with chain": 3,
    "pfx": 0,
    "pfx with certificate": 1,
}


@pytest.mark.parametrize("form", _FORMS)
def test_certificate(
    emulator: Emulator, issued: Files, certificate_app: str, graph_says: Callable[[str], int], form: str
) -> None:
    answer = confidential(emulator, certificate(issued, form), certificate_app)
    assert "access_token" in answer, answer
    assert graph_says(answer["access_token"]) == 200
    header = emulator.token_requests()[-1]["assertion"]["header"]
    assert header["alg"] == ("RS256" if form.startswith("thumbprint") else "PS256")
    assert len(header.get("x5c", [])) == _FORMS[form]


@pytest.mark.parametrize("form", [form for form, certificates in _FORMS.items() if certificates])
def test_subject_name_and_issuer(emulator: Emulator, issued: Files, trust: dict[str, str], form: str) -> None:
    app = emulator.add_app(trusted_subjects=[trust])["client_id"]
    assert "access_token" in confidential(emulator, certificate(issued, form), app)
    emulator.add_app(client_id=app, trusted_subjects=[{**trust, "subject": "another"}])
    assert codes(confidential(emulator, certificate(issued, form), app)) == ("invalid_client", [700030])
    assert codes(confidential(emulator, certificate(issued, "pfx"), app)) == ("invalid_client", [700027])


def test_refused_certificates(emulator: Emulator, issued: Files, certificate_app: str) -> None:
    assert codes(confidential(emulator, certificate(issued, "pem"))) == ("invalid_client", [700027])
    emulator.configure(clock_offset=3600)
    late = confidential(emulator, certificate(issued, "pem"), certificate_app)
    assert codes(late) == ("invalid_client", [700024])


def federated(emulator: Emulator, app: str, subject: str = "job", **more: t.Any) -> dict[str, t.Any]:
    """The answer to a request with an assertion that is minted when it is needed."""
    named = {"issuer": "https://issuer.example", "subject": subject, "audience": _AUDIENCE, **more}
    return confidential(emulator, {"client_assertion": functools.partial(emulator.mint_assertion, **named)}, app)


def test_assertion(emulator: Emulator, federated_app: str, graph_says: Callable[[str], int]) -> None:
    assert graph_says(federated(emulator, federated_app)["access_token"]) == 200


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"issuer": "https://other.example"}, 700211),
        ({"audience": "x"}, 700212),
        ({"subject": "x"}, 700213),
        ({"subject": "JOB"}, 7002138),
        ({"forged": True}, 5000811),
        ({"lifetime": -1}, 700024),
    ],
)
def test_refused_assertions(emulator: Emulator, federated_app: str, more: dict[str, t.Any], code: int) -> None:
    assert codes(federated(emulator, federated_app, **more)) == ("invalid_client", [code])


def public(emulator: Emulator, client_id: str = seed.PUBLIC) -> t.Any:
    """A public client."""
    return msal.PublicClientApplication(client_id, **authority(emulator))


def test_refresh_token(emulator: Emulator, graph_says: Callable[[str], int]) -> None:
    old = emulator.add_refresh_token(seed.PUBLIC)
    answer = public(emulator).acquire_token_by_refresh_token(old, ["User.Read.All"])
    assert answer["id_token_claims"]["preferred_username"] == "user0001@contoso.example"
    assert answer["refresh_token"] != old
    assert graph_says(answer["access_token"]) == 200


def test_refresh_token_of_a_confidential_client(emulator: Emulator) -> None:
    value = emulator.add_refresh_token(seed.CONFIDENTIAL)
    secret = "made-up~secret-of-confidential"
    app = msal.ConfidentialClientApplication(seed.CONFIDENTIAL, secret, **authority(emulator))
    assert "access_token" in app.acquire_token_by_refresh_token(value, ["User.Read"])
    without = public(emulator, seed.CONFIDENTIAL).acquire_token_by_refresh_token(value, ["User.Read"])
    assert codes(without) == ("invalid_client", [7000218])


@pytest.mark.parametrize("code", [50173, 700082, 50076])
def test_refused_refresh_tokens(emulator: Emulator, code: int) -> None:
    value = emulator.add_refresh_token(seed.PUBLIC, refused_with=code)
    answer = public(emulator).acquire_token_by_refresh_token(value, ["User.Read"])
    assert codes(answer)[1] == [code]


def test_device_code(emulator: Emulator, graph_says: Callable[[str], int]) -> None:
    emulator.configure(device_code_interval=1, device_code_approve_after=1)
    app = public(emulator)
    flow = app.initiate_device_flow(["User.Read.All"])
    assert flow["user_code"] in flow["message"]
    answer = app.acquire_token_by_device_flow(flow)
    assert graph_says(answer["access_token"]) == 200
    account = app.get_accounts()[0]
    assert account["username"] == "user0001@contoso.example"
    again = app.acquire_token_silent(["User.Read.All"], account, force_refresh=True)
    assert again["access_token"] != answer["access_token"]


@pytest.mark.parametrize(
    ("action", "error", "code"), [("decline", "authorization_declined", 65004), ("expire", "expired_token", 70020)]
)
def test_device_code_that_nobody_approves(emulator: Emulator, action: str, error: str, code: int) -> None:
    app = public(emulator)
    flow = app.initiate_device_flow(["User.Read"])
    emulator.decide_device_code(flow["user_code"], action)
    assert codes(app.acquire_token_by_device_flow(flow)) == (error, [code])


def test_device_code_of_a_confidential_client(emulator: Emulator) -> None:
    app = public(emulator, seed.CONFIDENTIAL)
    answer = app.acquire_token_by_device_flow(app.initiate_device_flow(["User.Read"]))
    assert codes(answer) == ("invalid_client", [7000218])


def test_claims_challenge(emulator: Emulator, graph_says: Callable[[str], int]) -> None:
    app = msal.ConfidentialClientApplication(
        seed.READER, seed.AWKWARD_SECRET, client_capabilities=["cp1"], **authority(emulator)
    )
    token = app.acquire_token_for_client(_SCOPES)["access_token"]
    emulator.revoke(seed.READER, challenge=True)
    assert graph_says(token) == 401

    def answer_to(claims: dict[str, t.Any]) -> str:
        challenge = json.dumps({"access_token": claims})
        return str(app.acquire_token_for_client(_SCOPES, claims_challenge=challenge)["access_token"])

    assert graph_says(answer_to({"nbf": {"essential": True, "value": "1"}})) == 401
    assert graph_says(answer_to(graph_challenge(emulator, token)["access_token"])) == 200
    asked = emulator.token_requests()[-1]["requested_claims"]["access_token"]
    assert asked["xms_cc"]["values"] == ["cp1"]


def graph_challenge(emulator: Emulator, token: str) -> dict[str, t.Any]:
    """The claims Graph asks for."""
    bearer = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{emulator.urls.api}/v1.0/users", headers=bearer, verify=emulator.ca, timeout=60)
    encoded = answer.headers["WWW-Authenticate"].partition('claims="')[2].rstrip('"')
    return t.cast("dict[str, t.Any]", json.loads(base64.b64decode(encoded)))


def identity(which: t.Any = None) -> t.Any:
    """A client for managed identities."""
    return msal.ManagedIdentityClient(which or msal.SystemAssignedManagedIdentity(), http_client=requests.Session())


_PLATFORMS = ["imds", "app_service", "azure_ml", "service_fabric", "arc"]


def move(emulator: Emulator, on_platform: Callable[[str], None], platform: str) -> None:
    """Run on that platform; Arc's keys need root."""
    if platform == "arc":
        if os.geteuid() != 0:
            pytest.skip("the directory of Arc's key files is root's")
        emulator.configure(arc_key_file="good")
    on_platform(platform)


@pytest.mark.parametrize("platform", _PLATFORMS)
def test_managed_identity(
    emulator: Emulator, on_platform: Callable[[str], None], graph_says: Callable[[str], int], platform: str
) -> None:
    move(emulator, on_platform, platform)
    answer = identity().acquire_token_for_client(resource=_RESOURCE)
    assert "access_token" in answer, answer
    assert 86000 < answer["expires_in"] <= 86400
    assert graph_says(answer["access_token"]) == 200
    refused = identity().acquire_token_for_client(resource="https://nothing.example")
    assert "error" in refused
    assert "access_token" not in refused


@pytest.mark.parametrize("selector", ["client_id", "object_id", "resource_id"])
@pytest.mark.parametrize("platform", ["imds", "app_service", "arc"])
def test_user_assigned_identity(
    emulator: Emulator,
    on_platform: Callable[[str], None],
    user_identity: dict[str, str],
    platform: str,
    selector: str,
) -> None:
    move(emulator, on_platform, platform)
    client = identity(msal.UserAssignedManagedIdentity(**{selector: user_identity[selector]}))
    token = client.acquire_token_for_client(resource=_RESOURCE)["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["appid"] == seed.USER_IDENTITY


def test_user_assigned_identity_of_azure_ml(on_platform: Callable[[str], None]) -> None:
    on_platform("azure_ml")
    client = identity(msal.UserAssignedManagedIdentity(client_id=seed.USER_IDENTITY))
    token = client.acquire_token_for_client(resource=_RESOURCE)["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["appid"] == seed.USER_IDENTITY


def test_no_managed_identity(emulator: Emulator, on_platform: Callable[[str], None]) -> None:
    on_platform("imds")
    emulator.forget_identities()
    answer = identity().acquire_token_for_client(resource=_RESOURCE)
    assert (answer["error"], answer["error_description"]) == ("invalid_request", "Identity not found")


def test_service_fabric_of_another_thumbprint(
    on_platform: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_platform("service_fabric")
    monkeypatch.setenv("IDENTITY_SERVER_THUMBPRINT", "00" * 20)
    with pytest.raises(requests.exceptions.SSLError, match="thumbprint does not match"):
        identity().acquire_token_for_client(resource=_RESOURCE)


@pytest.mark.skipif(os.geteuid() != 0, reason="the directory of Arc's key files is root's")
@pytest.mark.parametrize(("kind", "refusal"), [("too_big", "larger than 4KB"), ("outside", "No such file")])
def test_arc_key_files_not_to_be_trusted(
    emulator: Emulator, on_platform: Callable[[str], None], kind: str, refusal: str
) -> None:
    on_platform("arc")
    emulator.configure(arc_key_file=kind)
    with pytest.raises((msal.ManagedIdentityError, OSError), match=refusal):
        identity().acquire_token_for_client(resource=_RESOURCE)


@pytest.mark.skipif(os.geteuid() != 0, reason="the directory of Arc's key files is root's")
def test_arc_agent_that_ignores_the_selector(emulator: Emulator, on_platform: Callable[[str], None]) -> None:
    on_platform("arc")
    emulator.configure(arc_key_file="good", arc_ignores_selector=True)
    client = identity(msal.UserAssignedManagedIdentity(client_id=seed.USER_IDENTITY))
    with pytest.raises(msal.ManagedIdentityError, match="did not confirm"):
        client.acquire_token_for_client(resource=_RESOURCE)


def test_managed_identity_as_assertion(emulator: Emulator, on_platform: Callable[[str], None]) -> None:
    on_platform("imds")
    issuer = f"{emulator.urls.login}/{emulator.tenant_id}/v2.0"
    trust = {"issuer": issuer, "subject": seed.SYSTEM_IDENTITY.replace("aaaaaaaa", "bbbbbbbb"), "audience": _AUDIENCE}
    app = emulator.add_app(federated=[trust])["client_id"]
    token = identity().acquire_token_for_client(resource=_AUDIENCE)["access_token"]
    assert "access_token" in confidential(emulator, {"client_assertion": lambda: token}, app)
    secret = "made-up~secret-of-confidential"
    ordinary = msal.ConfidentialClientApplication(seed.CONFIDENTIAL, secret, **authority(emulator))
    of_an_app = ordinary.acquire_token_for_client([f"{_AUDIENCE}/.default"])["access_token"]
    assert codes(confidential(emulator, {"client_assertion": lambda: of_an_app}, app)) == ("invalid_client", [700222])
