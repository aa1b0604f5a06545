# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follow a long-running operation to its end and its result.

An operation has ended only if a response says so. A state that is not known goes on until it changes or until
``wait_timeout``, which names it. Sources: Learn "Track asynchronous Azure operations", ARM RPC "Asynchronous
operations", Learn "Working with long-running actions" of Microsoft Graph, Learn "Long running operations" of Microsoft
Fabric, and "Create Certificate" of Key Vault.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._api.backoff import Backoff
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import resolve_link
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import (
    ApiError,
    build_error_response,
    find_request_id,
    parse_error_body,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import Origin
from ansible_collections.entra.auth.plugins.plugin_utils._api.operation_state import State, is_error, read_state

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiSession

_STATUS_URLS = ("Azure-AsyncOperation", "Operation-Location")
_ADDRESS = "The address of the operation"
_GRAPH_VERSION = re.compile(r"/(v1\.0|beta)(?=/)")
# If the service names an interval of zero.
_SHORTEST_PAUSE_SECONDS = 1.0
_ACCEPTED = 202
_GOOD = (200, 201, _ACCEPTED, 204)
_GONE = (404, 410)


class Operation:
    """The operation that ``response`` began. ``log_progress`` takes each state in words."""

    def __init__(
        self, session: ApiSession, response: ApiResponse, seconds: float, log_progress: t.Callable[[str], None]
    ) -> None:
        self._session = session
        self._first = response
        self._seconds = seconds
        self._backoff = Backoff(seconds)
        self._requested_pause: float | None = None
        self._log_progress = log_progress
        self._last_state = ""

    def wait(self) -> ApiResponse:
        """Return the response that holds the result, or the first one if it says that nothing is left to wait for.

        Raises:
            ApiError: The operation failed, goes on for too long, or can't be followed.
            EntraAuthError: Sending a request failed.
        """
        headers, method = self._first.headers, self._first.request.method
        status_url = next((headers[name] for name in _STATUS_URLS if headers.get(name)), None)
        if status_url:
            return self._poll_status(self._resolve(status_url))
        if headers.get("Location") and self._has_operation_in_location():
            return self._poll_location(self._resolve(headers["Location"]))
        if method == "DELETE" and self._first.status == _ACCEPTED:
            return self._poll_deleted(self._first)
        if method in ("GET", "PUT", "PATCH"):
            return self._poll_resource(self._first)
        return self._refuse_unfollowable()

    def _has_operation_in_location(self) -> bool:
        # A Location with 201 names what was created, unless ARM sends it for a PUT, PATCH or DELETE.
        return self._first.status == _ACCEPTED or (self._first.status == 201 and self._first.request.method != "POST")

    def _poll_status(self, url: str) -> ApiResponse:
        """Poll the address of a status document."""
        response = self._first
        while True:
            response = self._poll(url, response, accept=(*_GOOD, *_GONE))
            state = read_state(response)
            if response.status in _GONE or (state is None and response.status != _ACCEPTED):
                return self._conclude_without_state(response)
            if state and self._has_ended(response, state):
                return self._get_result(response)

    def _poll_location(self, url: str) -> ApiResponse:
        """Poll the address in Location: 202 until the end, or a document with a state."""
        response = self._first
        while True:
            response = self._poll(url, response, accept=(*_GOOD, *_GONE))
            if response.status in _GONE:
                return self._conclude_without_state(response)
            state = read_state(response)
            if state and (state.is_known or not state.is_of_resource or response.status == _ACCEPTED):
                if self._has_ended(response, state):
                    return self._get_result(response, url)
            elif response.status != _ACCEPTED:
                return self._get_result(response, url)
            url = self._resolve(response.headers.get("Location") or url)

    def _poll_resource(self, response: ApiResponse, *, has_ended: bool = False) -> ApiResponse:
        """Poll the resource itself until its state is final. ``has_ended`` is whether the operation said so."""
        may_be_missing = (404,) if self._first.request.method == "PUT" else ()
        while True:
            state = read_state(response)
            if response.status in (_ACCEPTED, *may_be_missing):
                self._last_state = f"that its resource responded with {response.status}"
            elif state is None:
                return self._refuse_unknown(response, is_known=has_ended)
            elif state.is_of_resource or (has_ended and not state.is_known):
                return response
            if state and self._has_ended(response, state):
                return response
            response = self._poll(self._first.request.url, response, accept=(*_GOOD, *may_be_missing))

    def _refuse_unknown(self, response: ApiResponse, *, is_known: bool) -> ApiResponse:
        # An accepted write may not have reached the resource yet, and nothing there would tell.
        if is_known or self._first.status != _ACCEPTED or self._first.request.method == "GET":
            return response
        raise self._build_unfollowable("was accepted (202)")

    def _poll_deleted(self, response: ApiResponse) -> ApiResponse:
        """Poll the resource of a DELETE until it is gone."""
        while response.status not in _GONE:
            state = read_state(response)
            self._last_state = f"that the resource responded with {response.status}"
            if state and state.has_failed and "delet" in state.word.lower():
                raise self._build_failure(response, state)
            response = self._poll(self._first.request.url, response, accept=(*_GOOD, *_GONE))
        self._log_progress(f"the resource is gone ({response.status})")
        # Not the error that says so.
        return dataclasses.replace(response, body=b"")

    def _conclude_without_state(self, response: ApiResponse) -> ApiResponse:
        """Find out how an operation ended whose address does not say it. Raises ApiError if that is not possible."""
        if self._first.request.method == "DELETE":
            self._log_progress(f"the address of the operation responded with {response.status}")
            return self._poll_deleted(self._get(self._first.request.url, accept=(*_GOOD, *_GONE)))
        error = f": {parse_error_body(response.body)}" if response.status in _GONE else ""
        what = "no longer exists" if response.status in _GONE else "does not say in which state the operation is"
        raise self._build_error(
            response,
            f"{_ADDRESS} {what}; {response.request.safe_description} responded with {response.status}{error}.",
            "Look at the resource itself; the operation may have ended or may be going on.",
        )

    def _refuse_unfollowable(self) -> ApiResponse:
        """Return the first response if it is the end. Raises ApiError if it says that something goes on or failed."""
        state = read_state(self._first)
        if state and state.has_failed and not state.is_of_resource:
            raise self._build_failure(self._first, state)
        if self._first.status == _ACCEPTED and not (state and state.has_succeeded):
            raise self._build_unfollowable("was accepted (202)")
        if state and (state.is_running or (state.is_provisioning and not state.has_succeeded)):
            raise self._build_unfollowable(f"began something that is {state.word}")
        return self._first

    def _build_unfollowable(self, what: str) -> ApiError:
        return self._build_error(
            self._first,
            f"{self._first.request.safe_description} {what}, and the response names no address to follow.",
            "Remove wait, and poll what the request began in the way that the API documents. Do not send it again.",
        )

    def _get_result(self, last: ApiResponse, url: str = "") -> ApiResponse:
        """Return what a succeeded operation leaves: the resource, or the response at the address that is named.

        ``url`` is the address that was polled if it came in Location, where the result of a POST is as well.
        """
        request, location = self._first.request, self._first.headers.get("Location")
        content = last.parse_json() if last.is_json else None
        named = content.get("resourceLocation") if isinstance(content, dict) else None
        if isinstance(named, str) and named:
            return self._fetch(self._resolve(named), last)
        if request.method in ("PUT", "PATCH"):
            return self._poll_resource(self._fetch(request.url, last), has_ended=True)
        if url:
            return self._follow_final_location(last, url)
        return self._fetch(self._resolve(location), last) if request.method == "POST" and location else last

    def _follow_final_location(self, last: ApiResponse, url: str) -> ApiResponse:
        # Fabric names the address of the result, if there is one, beside the final state.
        location = last.headers.get("Location")
        if not location or read_state(last) is None or self._resolve(location) == url:
            return last
        result = self._get(self._resolve(location), accept=(*_GOOD, *_GONE))
        return last if result.status in _GONE else result

    def _fetch(self, url: str, last: ApiResponse) -> ApiResponse:
        """Return the result, which may be visible only some time after the end of the operation."""
        response = self._get(url, accept=(*_GOOD, 404))
        while response.status in (_ACCEPTED, 404):
            self._last_state = f"succeeded, but its result responded with {response.status}"
            response = self._poll(url, last, accept=(*_GOOD, 404))
        return response

    def _poll(self, url: str, response: ApiResponse, accept: tuple[int, ...] = _GOOD) -> ApiResponse:
        """Return the next response of ``url``, after the pause that the last response asks for."""
        if response.retry_after is not None:
            # It holds until a response names another one.
            self._requested_pause = max(response.retry_after, _SHORTEST_PAUSE_SECONDS)
        pause = self._backoff.choose_pause(self._requested_pause)
        if pause is None:
            raise self._build_timeout(response)
        self._log_progress(f"the operation goes on; next poll in {pause:g} s")
        time.sleep(pause)
        return self._get(url, accept)

    def _get(self, url: str, accept: tuple[int, ...] = _GOOD) -> ApiResponse:
        headers = {"Accept": "application/json"}
        request = ApiRequest("GET", url, headers, label=_ADDRESS, origin="operation")
        leads = Origin.is_safe_lead(self._first.request.url, url)
        if self._session.is_graph and not self._session.pin.allows(url) and leads:
            # Some of Graph's monitors are elsewhere and want no token (Learn "Working with long-running actions").
            request = dataclasses.replace(request, headers={}, anonymous=True)
        try:
            response = self._session.send(request, accept=accept)
        except EntraAuthError as exc:
            failure = exc
        else:
            return self._refuse_error(response)
        failure.message = f"The state of the operation can't be read, and it may be going on: {failure.message}"
        raise failure

    def _refuse_error(self, response: ApiResponse) -> ApiResponse:
        """Return a response. Raises ApiError for an error that came with a good status."""
        content = response.parse_json() if response.is_json and response.status not in _GONE else None
        if isinstance(content, dict) and is_error(content):
            state = State("an error", is_provisioning=False, is_of_operation=True, progress="", error=content)
            raise self._build_failure(response, state)
        return response

    def _has_ended(self, response: ApiResponse, state: State) -> bool:
        """Return whether the operation succeeded. Raises ApiError if it failed."""
        if state.has_failed:
            raise self._build_failure(response, state)
        self._last_state = state.word if state.is_known else f"{state.word}, which entra.auth does not know"
        self._log_progress(f"the operation is {state.word}{state.progress}")
        return state.has_succeeded

    def _build_failure(self, response: ApiResponse, state: State) -> ApiError:
        error = parse_error_body(state.error)
        failure = self._build_error(
            response,
            f"The operation that {self._first.request.safe_description} began ended as {state.word}: {error}.",
            "Correct what the message says and send the request again.",
        )
        failure.response = build_error_response(response.headers, error)
        return failure

    def _build_timeout(self, response: ApiResponse) -> ApiError:
        state = f" Its last state was {self._last_state}." if self._last_state else ""
        return self._build_error(
            response,
            f"The operation that {self._first.request.safe_description} began has not ended within wait_timeout "
            f"({self._seconds:g} s); it goes on.{state}",
            "Raise wait_timeout, or look at the resource later.",
        )

    def _build_error(self, response: ApiResponse, message: str, hint: str) -> ApiError:
        failure = ApiError(message, hint=hint)
        failure.request_summary = self._session.token.describe_request()
        failure.result = {"status": response.status, "request_id": find_request_id(response.headers)}
        return failure

    def _resolve(self, url: str) -> str:
        """Return the absolute URL of an address; Graph leaves its version out of those without a host."""
        version = _GRAPH_VERSION.match(urllib.parse.urlsplit(self._first.request.url).path)
        if version and self._session.is_graph and url.startswith("/") and not _GRAPH_VERSION.match(url):
            url = version[0] + url
        return resolve_link(self._first.request.url, url, _ADDRESS)


__all__ = ("Operation",)
