# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One emulator for all tests here, back at its seed before each."""

from __future__ import annotations

import typing as t

import pytest
import requests

from entra_emulator import seed

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from entra_emulator.client import Emulator


class Client:
    """A plain HTTP client that knows the emulator's CA and where its endpoints are."""

    GRAPH = "https://graph.microsoft.com/.default"
    ARM = "https://management.azure.com/.default"

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = emulator.ca

    def ask(
        self,
        *,
        tenant: str = "contoso.example",
        endpoint: str = "oauth2/v2.0/token",
        headers: dict[str, str] | None = None,
        timeout: float = 60,
        **fields: str | list[str] | None,
    ) -> requests.Response:
        """A token request of the seed's reader for Graph, with ``fields`` replaced or (None) left out."""
        form: dict[str, t.Any] = {
            "grant_type": "client_credentials",
            "client_id": seed.READER,
            "client_secret": seed.AWKWARD_SECRET,
            "scope": self.GRAPH,
            **fields,
        }
        url = f"{self.emulator.urls.login}/{tenant}/{endpoint}"
        return self.session.post(url, data=form, headers=headers, timeout=timeout, allow_redirects=False)

    def token(self, **fields: t.Any) -> str:
        """The access token of a request that must succeed."""
        answer = self.ask(**fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def operator_token(self, scope: str = GRAPH) -> str:
        """The token of the seed's app that may write."""
        return self.token(client_id=seed.OPERATOR, client_secret="made-up~secret-of-operator", scope=scope)

    @staticmethod
    def refused(answer: requests.Response, status: int, error: str, code: int) -> dict[str, t.Any]:
        """The body of a token endpoint's answer that must be this refusal."""
        body: dict[str, t.Any] = answer.json()
        assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [code])
        assert body["error_description"].startswith(f"AADSTS{code}: ")
        return body

    def get(
        self, path: str, token: str | None = None, headers: dict[str, str] | None = None, timeout: float = 60
    ) -> requests.Response:
        """``GET`` from the API; ``path`` may be an absolute link."""
        return self.send("GET", path, token, headers, timeout=timeout, allow_redirects=True)

    def send(
        self,
        method: str,
        path: str,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        *,
        timeout: float = 60,
        allow_redirects: bool = False,
        **body: t.Any,
    ) -> requests.Response:
        """Any request to the API, by default without following where it leads; ``body`` is ``json`` or ``data``."""
        url = path if path.startswith("https:") else self.emulator.urls.api + path
        bearer = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers = {**bearer, **(headers or {})}
        return self.session.request(
            method, url, headers=headers, timeout=timeout, allow_redirects=allow_redirects, **body
        )


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    """A client with a session of its own."""
    client = Client(emulator)
    with client.session:
        yield client
