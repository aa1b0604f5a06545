# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure-identity, unmodified, gets tokens from the emulator and is refused where it must be."""

from __future__ import annotations

import asyncio
import os
import typing as t

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    AzurePipelinesCredential,
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    CredentialUnavailableError,
    DeviceCodeCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.identity.aio import CertificateCredential as AsyncCertificateCredential

from entra_emulator import ci, seed

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Files

    from entra_emulator.client import Emulator

_SCOPE = "https://graph.microsoft.com/.default"
_AUDIENCE = "api://AzureADTokenExchange"


def where(emulator: Emulator) -> dict[str, t.Any]:
    """Where the emulator is; discovery would ask Microsoft whether it knows that host."""
    return {"authority": emulator.urls.login, "disable_instance_discovery": True}


def app_of(token: str) -> object:
    """The app a token was issued to."""
    return jwt.decode(token, options={"verify_signature": False})["appid"]


def test_secret(emulator: Emulator, graph_says: Callable[[str], int]) -> None:
    credential = ClientSecretCredential(seed.CONTOSO.id, seed.READER, seed.AWKWARD_SECRET, **where(emulator))
    assert graph_says(credential.get_token(_SCOPE).token) == 200


@pytest.mark.parametrize(
    ("client_id", "secret", "code"),
    [(seed.READER, "wrong", 7000215), (seed.EXPIRED, "made-up~secret-of-expired", 7000222)],
)
def test_refused_secrets(emulator: Emulator, client_id: str, secret: str, code: int) -> None:
    credential = ClientSecretCredential("contoso.example", client_id, secret, **where(emulator))
    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{code}:"):
        credential.get_token(_SCOPE)


def test_environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"TENANT_ID": seed.CONTOSO.id, "CLIENT_ID": seed.READER, "CLIENT_SECRET": seed.AWKWARD_SECRET}
    for name, value in {**variables, "AUTHORITY_HOST": emulator.urls.login}.items():
        monkeypatch.setenv(f"AZURE_{name}", value)
    assert app_of(EnvironmentCredential(disable_instance_discovery=True).get_token(_SCOPE).token) == seed.READER


def certificate(files: Files, form: str) -> dict[str, t.Any]:
    """The arguments for a file of that form."""
    path = {"pem": files.pem, "encrypted pem": files.encrypted_pem, "pfx": files.pfx}[form]
    return {"certificate_path": path, **({} if form == "pem" else {"password": files.password})}


@pytest.mark.parametrize("form", ["pem", "encrypted pem", "pfx"])
def test_certificate(
    emulator: Emulator, issued: Files, certificate_app: str, graph_says: Callable[[str], int], form: str
) -> None:
    arguments = {**certificate(issued, form), **where(emulator)}
    credential = CertificateCredential("contoso.example", certificate_app, **arguments)
    assert graph_says(credential.get_token(_SCOPE).token) == 200
    assert emulator.token_requests()[-1]["assertion"]["header"]["alg"] == "RS256"


def test_certificate_without_msal(emulator: Emulator, issued: Files, certificate_app: str) -> None:
    async def get() -> str:
        arguments = {**certificate(issued, "pem"), **where(emulator), "connection_verify": emulator.ca}
        async with AsyncCertificateCredential("contoso.example", certificate_app, **arguments) as credential:
            return str((await credential.get_token(_SCOPE)).token)

    assert app_of(asyncio.run(get())) == certificate_app
    assert emulator.token_requests()[-1]["assertion"]["header"]["alg"] == "PS256"
    presented = dict(emulator.token_requests()[-1]["form"])["client_assertion"]
    assert "=" in presented  # as RFC 7515 does not have it


def test_subject_name_and_issuer(emulator: Emulator, issued: Files, trust: dict[str, str]) -> None:
    app = emulator.add_app(trusted_subjects=[trust])["client_id"]

    def get(**more: t.Any) -> str:
        arguments = {**certificate(issued, "pem"), **where(emulator), **more}
        return str(CertificateCredential("contoso.example", app, **arguments).get_token(_SCOPE).token)

    assert app_of(get(send_certificate_chain=True)) == app
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027:"):
        get()
    emulator.add_app(client_id=app, trusted_subjects=[{**trust, "subject": "another"}])
    with pytest.raises(ClientAuthenticationError, match="AADSTS700030:"):
        get(send_certificate_chain=True)


def assertion(emulator: Emulator, **more: t.Any) -> str:
    """An assertion the app trusts, or not."""
    return emulator.mint_assertion(
        **{"issuer": "https://issuer.example", "subject": "job", "audience": _AUDIENCE, **more}
    )


def test_assertion(emulator: Emulator, federated_app: str, graph_says: Callable[[str], int]) -> None:
    credential = ClientAssertionCredential(
        "contoso.example", federated_app, lambda: assertion(emulator), **where(emulator)
    )
    assert graph_says(credential.get_token(_SCOPE).token) == 200


@pytest.mark.parametrize(
    ("more", "code"), [({"subject": "x"}, 700213), ({"forged": True}, 5000811), ({"lifetime": -1}, 700024)]
)
def test_refused_assertions(emulator: Emulator, federated_app: str, more: dict[str, t.Any], code: int) -> None:
    credential = ClientAssertionCredential(
        "contoso.example", federated_app, lambda: assertion(emulator, **more), **where(emulator)
    )
    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{code}:"):
        credential.get_token(_SCOPE)


def test_workload_identity(emulator: Emulator, federated_app: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(assertion(emulator))
    credential = WorkloadIdentityCredential(
        tenant_id=seed.CONTOSO.id, client_id=federated_app, token_file_path=str(file), **where(emulator)
    )
    assert app_of(credential.get_token(_SCOPE).token) == federated_app


def test_azure_pipelines(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = emulator.ci_environment("azure_pipelines")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    subject = emulator.control("GET", "/settings")["azure_pipelines_subject"]
    trust = {"issuer": ci.PIPELINES_ISSUER, "subject": subject, "audience": _AUDIENCE}
    app = emulator.add_app(federated=[trust])["client_id"]

    def get(system_access_token: str) -> str:
        credential = AzurePipelinesCredential(
            tenant_id=seed.CONTOSO.id,
            client_id=app,
            service_connection_id=variables["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
            system_access_token=system_access_token,
            **where(emulator),
        )
        return str(credential.get_token(_SCOPE).token)

    assert app_of(get(variables["SYSTEM_ACCESSTOKEN"])) == app
    with pytest.raises(ClientAuthenticationError, match="TF400813"):
        get("wrong")


def device_code(emulator: Emulator, action: str) -> str:
    """A token by device code, with a person who does that."""
    credential = DeviceCodeCredential(
        seed.PUBLIC,
        tenant_id="contoso.example",
        prompt_callback=lambda _address, user_code, _ends: emulator.decide_device_code(user_code, action),
        **where(emulator),
    )
    return str(credential.get_token(_SCOPE).token)


def test_device_code(emulator: Emulator, graph_says: Callable[[str], int]) -> None:
    assert graph_says(device_code(emulator, "approve")) == 200
    with pytest.raises(ClientAuthenticationError, match="AADSTS65004:"):
        device_code(emulator, "decline")
    with pytest.raises(ClientAuthenticationError):
        device_code(emulator, "expire")


def test_claims_challenge(emulator: Emulator, graph_says: Callable[[str], int]) -> None:
    credential = ClientSecretCredential("contoso.example", seed.READER, seed.AWKWARD_SECRET, **where(emulator))
    emulator.revoke(seed.READER, challenge=True)
    assert graph_says(credential.get_token(_SCOPE, enable_cae=True).token) == 401
    claims = f'{{"access_token": {{"nbf": {{"essential": true, "value": "{2**40}"}}}}}}'
    assert graph_says(credential.get_token(_SCOPE, claims=claims, enable_cae=True).token) == 200
    asked = emulator.token_requests()[-1]["requested_claims"]["access_token"]
    assert [value.lower() for value in asked["xms_cc"]["values"]] == ["cp1"]


def move(emulator: Emulator, on_platform: Callable[[str], None], platform: str) -> None:
    """Run on that platform; Arc's keys need root."""
    if platform == "arc":
        if os.geteuid() != 0:
            pytest.skip("the directory of Arc's key files is root's")
        emulator.configure(arc_key_file="good")
    on_platform(platform)


@pytest.mark.parametrize("platform", ["imds", "app_service", "azure_ml", "service_fabric", "arc"])
def test_managed_identity(
    emulator: Emulator, on_platform: Callable[[str], None], graph_says: Callable[[str], int], platform: str
) -> None:
    move(emulator, on_platform, platform)
    assert graph_says(ManagedIdentityCredential().get_token(_SCOPE).token) == 200
    with pytest.raises(ClientAuthenticationError):
        ManagedIdentityCredential().get_token("https://nothing.example/.default")


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
    credential = ManagedIdentityCredential(identity_config={selector: user_identity[selector]})
    assert app_of(credential.get_token(_SCOPE).token) == seed.USER_IDENTITY


def test_cloud_shell(on_platform: Callable[[str], None]) -> None:
    on_platform("cloud_shell")
    token = ManagedIdentityCredential().get_token("https://management.azure.com/.default").token
    assert app_of(token) == seed.CLOUD_SHELL


def test_no_managed_identity(emulator: Emulator, on_platform: Callable[[str], None]) -> None:
    on_platform("imds")
    emulator.forget_identities()
    with pytest.raises(CredentialUnavailableError, match="Identity not found"):
        ManagedIdentityCredential().get_token(_SCOPE)


def test_imds_that_is_busy(emulator: Emulator, on_platform: Callable[[str], None]) -> None:
    on_platform("imds")
    for status in (404, 500):
        emulator.fault("status", endpoint="imds", status=status)
    assert ManagedIdentityCredential().get_token(_SCOPE).token
    assert [one["status"] for one in emulator.requests(listener="platform")] == [404, 500, 200]


@pytest.mark.skipif(os.geteuid() != 0, reason="the directory of Arc's key files is root's")
@pytest.mark.parametrize("kind", ["missing", "outside", "too_big", "wrong_extension"])
def test_arc_key_files_not_to_be_trusted(emulator: Emulator, on_platform: Callable[[str], None], kind: str) -> None:
    on_platform("arc")
    emulator.configure(arc_key_file=kind)
    with pytest.raises((ClientAuthenticationError, OSError)):
        ManagedIdentityCredential().get_token(_SCOPE)
