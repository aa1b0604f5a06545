# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following an operation that goes on after the answer, to its end and its result.

Learn "Track asynchronous Azure operations", ARM RPC "Asynchronous operations", Learn "Working with long-running
actions" of Microsoft Graph.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import resolve_link
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import (
    ApiError,
    build_error_response,
    find_request_id,
    parse_error_body,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import Origin
from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiRequest, ApiResponse

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiSession

_STATUS_URLS = ("Azure-AsyncOperation", "Operation-Location")
_SUCCEEDED = frozenset({"succeeded", "completed"})
_FAILED = frozenset({"failed", "canceled", "cancelled"})
_ADDRESS = "The address of the operation"
_GRAPH_VERSION = re.compile(r"/(v1\.0|beta)(?=/)")
# Where the service names no interval: from one second, doubled, to what the Azure SDKs poll with.
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
# Where it names none at all: zero.
_SHORTEST_PAUSE_SECONDS = 0.2
# What tells the state of an operation of Graph from a resource that has a status of its own.
_OF_GRAPH_OPERATIONS = frozenset({"operation", "operationType", "percentageComplete", "resourceId", "targetResourceId"})


class Operation:
    """The operation that ``answer`` began. ``tell`` is given each state it is seen in."""

    def __init__(
        self, session: ApiSession, response: ApiResponse, seconds: float, tell: t.Callable[[str], None]
    ) -> None:
        self._session = session
        self._first = response
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._tell = tell
        self._pause = _FIRST_PAUSE_SECONDS
        self._asked: float | None = None

    def result(self) -> ApiResponse:
        """The answer that holds the result, once it is there; the first one where there is nothing to wait for.

        Raises ApiError for an operation that failed or goes on for too long, and whatever asking raises.
        """
        headers = self._first.headers
        status_url = next((headers[name] for name in _STATUS_URLS if headers.get(name)), None)
        if status_url:
            return self._by_status(self._resolved(status_url))
        if headers.get("Location") and self._is_accepted():
            return self._by_location(self._resolved(headers["Location"]))
        if self._first.request.method in ("PUT", "PATCH") and _provisioning_state(self._first):
            return self._by_resource()
        return self._first

    def _is_accepted(self) -> bool:
        # A Location with 201 names what was created, unless it is ARM's for a PUT, PATCH or DELETE.
        return self._first.status == 202 or (self._first.status == 201 and self._first.request.method != "POST")

    def _by_status(self, url: str) -> ApiResponse:
        response = self._first
        while True:
            response = self._look(url, response)
            content = response.parse_json()
            state = content.get("status") if isinstance(content, dict) else None
            if not isinstance(state, str):
                raise ApiError(
                    f"{response.request.safe_description} does not say in which state the operation is.",
                    hint="Look at the resource itself; the operation may be going on.",
                )
            if self._has_ended(response, state, content):
                return self._final(response, content)

    def _final(self, last: ApiResponse, content: t.Mapping[str, t.Any]) -> ApiResponse:
        """What a succeeded operation leaves: the resource, or the answer at the address that was named for it."""
        request, location = self._first.request, self._first.headers.get("Location")
        named = content.get("resourceLocation")
        if isinstance(named, str) and named:
            return self._get(self._resolved(named))
        if request.method in ("PUT", "PATCH"):
            return self._get(request.url)
        return self._get(self._resolved(location)) if request.method == "POST" and location else last

    def _by_location(self, url: str) -> ApiResponse:
        response = self._first
        while True:
            response = self._look(url, response)
            # Graph's monitors tell a state, most of them with 200 all the time; ARM's answer 202 until the end.
            state = _graph_state(response)
            if state and self._has_ended(response, state, response.parse_json()):
                return response
            if state is None and response.status != 202:
                break
            url = self._resolved(response.headers.get("Location") or url)
        return self._get(self._first.request.url) if self._first.request.method in ("PUT", "PATCH") else response

    def _by_resource(self) -> ApiResponse:
        response = self._first
        while True:
            state = _provisioning_state(response)
            if state is None or self._has_ended(response, state, response.parse_json()):
                return response
            response = self._look(self._first.request.url, response)

    def _look(self, url: str, response: ApiResponse) -> ApiResponse:
        """The next look at ``url``, after the pause that the last answer asks for."""
        if response.retry_after is not None:
            # It holds until another one is named.
            self._asked = max(response.retry_after, _SHORTEST_PAUSE_SECONDS)
        pause = self._asked or self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        if time.monotonic() + pause > self._until:
            raise self._too_long()
        self._tell(f"the operation goes on; next look in {pause:g} s")
        time.sleep(pause)
        return self._get(url)

    def _get(self, url: str) -> ApiResponse:
        headers = {"Accept": "application/json"}
        request = ApiRequest("GET", url, headers, label=_ADDRESS)
        if self._session.is_graph and not self._session.pin.allows(url) and Origin.is_private_at(url):
            # Some of Graph's monitors are elsewhere and want no token (Learn "Working with long-running actions").
            request = dataclasses.replace(request, headers={}, anonymous=True)
        try:
            return self._session.send(request, accept=(200, 201, 202, 204))
        except EntraAuthError as exc:
            failure = exc
        failure.message = f"The state of the operation could not be read, which may be going on: {failure.message}"
        raise failure

    def _has_ended(self, response: ApiResponse, state: str, content: t.Any) -> bool:
        """Whether the operation is done. Raises ApiError where it failed."""
        if state.lower() in _FAILED:
            raise self._failure(response, state, content)
        self._tell(f"the operation is {state}{_percentage(content)}")
        return state.lower() in _SUCCEEDED

    def _failure(self, response: ApiResponse, state: str, content: t.Any) -> ApiError:
        properties = content.get("properties") if isinstance(content, dict) else None
        inner = properties if isinstance(properties, dict) and "error" in properties else content
        complaint = parse_error_body(inner if isinstance(inner, dict) else {})
        failure = ApiError(
            f"The operation that {self._first.request.safe_description} began ended as {state}: {complaint}.",
            hint="Correct what the message says and send the request again.",
            response=build_error_response(response.headers, complaint),
        )
        failure.request_summary = self._session.token.describe_request()
        failure.result = {"status": response.status, "request_id": find_request_id(response.headers)}
        return failure

    def _too_long(self) -> ApiError:
        return ApiError(
            f"The operation that {self._first.request.safe_description} began has not ended within wait_timeout "
            f"({self._seconds:g} s); it goes on.",
            hint="Raise wait_timeout, or look at the resource later.",
        )

    def _resolved(self, url: str) -> str:
        """An address of the operation in full; Graph leaves its version out of those without a host."""
        version = _GRAPH_VERSION.match(urllib.parse.urlsplit(self._first.request.url).path)
        if version and url.startswith("/") and not _GRAPH_VERSION.match(url):
            url = version[0] + url
        return resolve_link(self._first.request.url, url, _ADDRESS)


def _graph_state(response: ApiResponse) -> str | None:
    content = response.parse_json() if response.is_json else None
    if not isinstance(content, dict) or _OF_GRAPH_OPERATIONS.isdisjoint(content):
        return None
    return content["status"] if isinstance(content.get("status"), str) else None


def _percentage(content: t.Any) -> str:
    if not isinstance(content, dict):
        return ""
    percentage = content.get("percentComplete", content.get("percentageComplete"))
    return f", {percentage:g} %" if isinstance(percentage, (int, float)) else ""


def _provisioning_state(response: ApiResponse) -> str | None:
    content = response.parse_json() if response.is_json else None
    properties = content.get("properties") if isinstance(content, dict) else None
    state = properties.get("provisioningState") if isinstance(properties, dict) else None
    return state if isinstance(state, str) else None


__all__ = ("Operation",)
