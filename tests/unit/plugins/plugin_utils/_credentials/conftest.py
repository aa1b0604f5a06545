# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a credential really sends: the form that arrives at a token endpoint."""

from __future__ import annotations

import typing as t
import urllib.parse

import pytest
from canned_server import CannedServer, token_answer

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import create_credential
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

FormSent = t.Callable[..., dict[str, str]]


@pytest.fixture
def form_sent() -> FormSent:
    """Creates a credential of a kind with options, has it ask, and gives the form that arrived, by field."""

    def sent(kind: str, *, path: str = "", claims: str | None = None, **options: t.Any) -> dict[str, str]:
        with CannedServer(token_answer()) as server:
            given = {"tenant_id": "contoso.com", "client_id": "the-client", "authority": server.url + path, **options}
            asked = AppTokenOptions(**{"retry_for": 30.0, **given})
            credential = create_credential(kind, asked)
            request = credential.build_request("the/.default", claims)
            token = credential.request_token(request, asked.get_network_settings())
        assert token.access_token == "canned-token"
        (request,) = server.received
        pairs = urllib.parse.parse_qsl(request.body, strict_parsing=True, keep_blank_values=True)
        assert all(text for _dummy, text in pairs), "an empty field counts as missing"
        assert len(dict(pairs)) == len(pairs)
        return {**dict(pairs), "URL": server.url + request.target}

    return sent
