# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls of the code of ``api_request`` without a play, against servers that send canned responses."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t

from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._api.call import TaskContext, execute
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse, Headers
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import parse_api_request_options
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._options.arguments import split_arguments
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from canned_server import CannedServer

Result = dict[str, t.Any]

JSON: t.Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def json_with(*names: str) -> st.SearchStrategy[t.Any]:
    """JSON in which these names occur more often than by chance."""
    words = st.sampled_from(["Running", "Succeeded", "Failed", "http://127.0.0.1:1/x", "/next", "0-", "", "\ud83d"])
    values = st.recursive(
        JSON | words,
        lambda inner: st.dictionaries(st.sampled_from(names), inner, max_size=4) | st.lists(inner, max_size=3),
        max_leaves=12,
    )
    return values | st.dictionaries(st.sampled_from(names), values, max_size=5)


def headers_with(*names: str) -> st.SearchStrategy[dict[str, str]]:
    """Header fields of these names with values that a server may send."""
    values = st.text(st.characters(max_codepoint=255), max_size=30) | st.sampled_from(
        ["http://127.0.0.1:1/x", "/next", "0", "1", "<x>; rel=next", "9" * 30]
    )
    return st.dictionaries(st.sampled_from(names), values, max_size=4)


@dataclasses.dataclass
class ApiCaller:
    """Executes an ``api_request`` with the options of the emulator's app, against any server."""

    options: Result
    messages: t.Any

    def __call__(
        self, server: CannedServer, *, check_mode: bool = False, diff_mode: bool = False, **arguments: t.Any
    ) -> Result:
        """Return the result fields of the task."""
        own, shared = split_arguments({"url": "/v1.0/things", **arguments})
        options = AppTokenOptions(**{**self.options, "api_base_url": server.url, **shared})
        context = TaskContext(
            self.messages, CachedTokensOnly({}), find_file=str, check_mode=check_mode, diff_mode=diff_mode
        )
        return execute(parse_api_request_options(own), options, context)


class _Pin:
    def allows(self, url: str) -> bool:
        return url.startswith("http://127.0.0.1:1/")


class _Token:
    def describe_request(self) -> None:
        return None


class ScriptedSession:
    """A session that gives each request the next of its responses, and the last one to all that follow.

    A response is its status, headers and body; a body that is not bytes is sent as JSON.
    """

    pin = _Pin()
    token = _Token()
    is_graph = False

    def __init__(self, responses: Iterable[tuple[int, dict[str, str], t.Any]]) -> None:
        self._responses = list(responses)
        self.requests: list[ApiRequest] = []

    def send(self, request: ApiRequest, *, accept: t.Container[int] = (), until: float | None = None) -> ApiResponse:
        """Return the next response, or raise the error that a session raises for a bad status."""
        self.requests.append(request)
        status, headers, body = self._responses.pop(0) if len(self._responses) > 1 else self._responses[0]
        if not 200 <= status < 300 and status not in accept:
            raise EntraAuthError(f"responded with {status}.", hint="Correct it.")
        return build_response(request, status, headers, body)


def build_response(request: ApiRequest, status: int, headers: dict[str, str], body: t.Any) -> ApiResponse:
    """Return a response as a session does."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
    return ApiResponse(request, status, Headers({**kind, **headers}), content)


def ends_in_value_or_error(work: Callable[[], object]) -> None:
    """Run the work, which may raise nothing except the collection's own error."""
    with contextlib.suppress(EntraAuthError):
        work()
