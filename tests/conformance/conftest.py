# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One emulator for Microsoft's clients, which find it by the ways they offer for other clouds and machines."""

from __future__ import annotations

import dataclasses
import os
import typing as t

import pytest
import requests

from entra_emulator import certificates, seed

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from entra_emulator.certificates import Made
    from entra_emulator.client import Emulator

_PASSWORD = "made-up pa$$word"
_OTHERS = ("AZURE_", "IDENTITY_", "MSI_", "IMDS_", "SYSTEM_", "ACTIONS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclasses.dataclass(frozen=True)
class Files:
    """One app's key and certificate in every form the clients read."""

    made: Made
    directory: Path
    password: str = _PASSWORD

    @property
    def pem(self) -> str:
        """Key and chain in one file."""
        return self._file("plain.pem", (self.made.key_pem() + self.made.chain_pem).encode())

    @property
    def encrypted_pem(self) -> str:
        """The same with the key encrypted."""
        return self._file("encrypted.pem", (self.made.key_pem(self.password) + self.made.chain_pem).encode())

    @property
    def pfx(self) -> str:
        """Key and chain in PKCS#12."""
        return self._file("encrypted.pfx", self.made.pfx(self.password))

    def _file(self, name: str, content: bytes) -> str:
        path = self.directory / name
        path.write_bytes(content)
        return str(path)


@pytest.fixture
def emulator(running_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator at its seed, trusted by this process; nothing else in the environment leads the clients anywhere."""
    for name in [name for name in os.environ if name.upper().startswith(_OTHERS)]:
        monkeypatch.delenv(name)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, running_emulator.environment()[name])
    running_emulator.reset()
    return running_emulator


@pytest.fixture
def on_platform(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let this process believe it runs on a platform."""

    def move(platform: str) -> None:
        for name, value in emulator.managed_identity_environment(platform).items():
            monkeypatch.setenv(name, value)

    return move


@pytest.fixture(scope="session")
def root() -> Made:
    """A CA that apps trust subject names of."""
    return certificates.make("root", is_ca=True)


@pytest.fixture
def trust(issued: Files) -> dict[str, str]:
    """Trust in the certificate's subject, by an Entra that knows the CA's intermediates."""
    assert issued.made.issuer
    return {"issuer_pem": issued.made.issuer.chain_pem, "subject": "app.contoso.example"}


@pytest.fixture(scope="session")
def issued(root: Made, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A certificate of that CA, with an intermediate."""
    made = certificates.make("app.contoso.example", certificates.make("middle", root, is_ca=True))
    return Files(made, tmp_path_factory.mktemp("issued"))


@pytest.fixture
def certificate_app(emulator: Emulator, issued: Files) -> str:
    """An app the certificate was uploaded to."""
    return str(emulator.add_app(certificates=[issued.made.pem], roles={"graph": ["User.Read.All"]})["client_id"])


@pytest.fixture
def federated_app(emulator: Emulator) -> str:
    """An app that trusts the subject "job" of https://issuer.example."""
    emulator.add_issuer("https://issuer.example")
    trust = {"issuer": "https://issuer.example", "subject": "job", "audience": "api://AzureADTokenExchange"}
    return str(emulator.add_app(federated=[trust], roles={"graph": ["User.Read.All"]})["client_id"])


@pytest.fixture
def graph_says(emulator: Emulator) -> Callable[[str], int]:
    """Graph's status for a token."""

    def get(token: str) -> int:
        answer = requests.get(
            f"{emulator.urls.api}/v1.0/users",
            headers={"Authorization": f"Bearer {token}"},
            verify=emulator.ca,
            timeout=60,
        )
        return answer.status_code

    return get


@pytest.fixture
def user_identity() -> dict[str, str]:
    """The ids of the user-assigned identity."""
    return {
        "client_id": seed.USER_IDENTITY,
        "object_id": seed.USER_IDENTITY.replace("aaaaaaaa", "bbbbbbbb"),
        "resource_id": seed.resource_id("Microsoft.ManagedIdentity/userAssignedIdentities/deployer"),
    }
