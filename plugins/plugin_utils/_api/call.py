# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Execute one task of api_request, from its options to its result.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._api.address import resolve_address
from ansible_collections.entra.auth.plugins.plugin_utils._api.batch import Batch, build_items
from ansible_collections.entra.auth.plugins.plugin_utils._api.content import (
    describe_response,
    read_response_text,
    refuse_error,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.destination import (
    Destination,
    check_readable,
    open_source,
    parse_file_mode,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import CONTENT_TYPES, encode_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError, add_result
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.long_running import Operation
from ansible_collections.entra.auth.plugins.plugin_utils._api.next_page import is_listing
from ansible_collections.entra.auth.plugins.plugin_utils._api.paging import iterate_pages
from ansible_collections.entra.auth.plugins.plugin_utils._api.preview import has_secret_values
from ansible_collections.entra.auth.plugins.plugin_utils._api.selection import build_selector
from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiSession, read_bounded
from ansible_collections.entra.auth.plugins.plugin_utils._api.task import (
    ApiTask,
    Result,
    Write,
    execute_write,
    is_success,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import build_holder
from ansible_collections.entra.auth.plugins.plugin_utils._api.upload import upload
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import is_upload_session
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token

if t.TYPE_CHECKING:  # pragma: no cover
    import requests

    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import ApiRequestOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._token.target import Target


@dataclasses.dataclass(frozen=True)
class TaskContext(ApiTask):
    """The circumstances of a task, and what it needs of Ansible.

    Attributes:
        target: The task's host.
        find_file: Returns the path of a file of the task, or raises InputError.
    """

    target: Target
    find_file: t.Callable[[str], str]


def execute(call: ApiRequestOptions, options: AppTokenOptions, context: TaskContext) -> Result:
    """Return the result fields of a task. Raises EntraAuthError."""
    return ApiCall(call, options, context).execute()


class ApiCall:
    """One task. Everything that can be checked without a request is checked when it is built."""

    def __init__(self, call: ApiRequestOptions, options: AppTokenOptions, context: TaskContext) -> None:
        self._call = call
        self._options = options
        self._context = context
        self._select = build_selector(call.jmespath)
        self._items = build_items(call.requests)
        self._mode = parse_file_mode(call.mode)
        self._src = check_readable(context.find_file(call.src)) if call.src else None
        self._encoded = encode_body(call.body, call.body_format) if "body" in call.given else None
        self._address = resolve_address(call.url, options, allowed_hosts=call.allowed_hosts, query=call.query)
        self._url = self._address.url
        self._sends_session = bool(self._src) and is_upload_session(self._url)

    def execute(self) -> Result:
        """Return the result fields. Raises EntraAuthError."""
        with contextlib.ExitStack() as files:
            dest = self._call.dest
            destination = files.enter_context(Destination(dest, self._mode)) if dest else None
            session = self._build_session()
            if self._call.is_safe:
                return self._send(session, destination)
            # Check mode gets the token too: that shows whether there is one, and changes nothing.
            session.token.get_token()
            return execute_write(
                self._build_write(),
                self._context,
                read=lambda request: session.send(request, accept=(200, 404)),
                send=lambda: self._send(session, destination),
            )

    def _build_session(self) -> ApiSession:
        token = build_holder(
            self._call.access_token,
            self._options,
            lambda options: get_app_token(options, self._context.messages, self._context.target),
            self._address,
        )
        return ApiSession(
            token,
            self._address.pin,
            self._options.get_network_settings(),
            self._expects,
            is_graph=self._address.is_graph,
            log_progress=self._context.log_progress,
        )

    def _expects(self, status: int) -> bool:
        """Return whether a status is a good one. With dest, one without content has to be named in status_code."""
        if self._call.dest and not self._call.status_code:
            return self._call.has_content(status)
        return self._call.expects(status)

    def _build_write(self) -> Write:
        body = {"requests": self._items} if self._items else self._call.body
        request = ApiRequest(self._call.method, self._url, self._build_headers())
        hide = has_secret_values(self._url, self._address.scope)
        return Write(request, body, self._call.body_format, hide)

    def _build_headers(self) -> dict[str, str]:
        own = {"Accept": "*/*" if self._call.dest else "application/json"}
        if {"body", "src"} & self._call.given:
            is_file = self._src and not self._sends_session
            own["Content-Type"] = CONTENT_TYPES["raw" if is_file else self._call.body_format]
        given = {**self._options.extra_headers, **self._call.headers}
        named = {name.lower() for name in given}
        return {**{name: value for name, value in own.items() if name.lower() not in named}, **given}

    def _build_request(self, destination: Destination | None) -> ApiRequest:
        body: t.Any = self._encoded
        if self._sends_session:
            body = body or b"{}"
        elif self._src:
            # Opened for each attempt and closed by the transport.
            body = functools.partial(open_source, self._src)
        return ApiRequest(
            self._call.method,
            self._url,
            self._build_headers(),
            body,
            is_download=destination is not None,
            read=functools.partial(self._read_to, destination) if destination else None,
        )

    def _read_to(self, destination: Destination, response: requests.Response) -> bytes:
        """Write a response to dest as it arrives; return the body of one that is not written, or not like that."""
        is_json = "json" in response.headers.get("Content-Type", "")
        if not self._call.has_content(response.status_code) or (is_json and self._call.paginate):
            return read_bounded(response, "set paginate to false, so that it is written as it comes")
        destination.write_response(response)
        return b""

    def _send(self, session: ApiSession, destination: Destination | None) -> Result:
        """Send what the task asks for, and return its result. A failure after a write took effect says so."""
        if self._items:
            return self._send_batch(session)
        response = session.send(self._build_request(destination))
        changed = not self._call.is_safe and is_success(response.status)
        try:
            result = self._finish(session, response, destination)
            return {**result, "changed": changed or result.get("changed", False)}
        except ApiError as exc:
            failure: EntraAuthError = add_result(exc, {"status": response.status, **exc.result})
        except EntraAuthError as exc:
            failure = exc
        raise add_result(failure, {"changed": True}) if changed else failure

    def _finish(self, session: ApiSession, response: ApiResponse, destination: Destination | None) -> Result:
        log_progress = self._context.log_progress
        if self._src and self._sends_session:
            retry_for = self._options.retry_for
            response = upload(session, response, self._src, retry_for=retry_for, log_progress=log_progress)
        if self._call.wait:
            response = Operation(session, response, self._call.wait_timeout, log_progress).wait()
        writes = destination if self._call.has_content(response.status) else None
        content = response.parse_json() if response.is_json else None
        refuse_error(response, content)
        if self._call.paginate and is_listing(content, response.headers):
            return self._list(session, response, content, writes)
        if writes:
            return self._write(response, writes)
        described = describe_response(response)
        if response.is_json:
            return self._apply_selection({**described, "json": content}, content)
        text = read_response_text(response, paginate=self._call.paginate, any_kind=destination is not None)
        return self._apply_selection({**described, "json": None}, text)

    def _write(self, response: ApiResponse, destination: Destination) -> Result:
        if response.body:
            destination.begin()
            destination.write(response.body)
        return {**describe_response(response), **destination.commit(check_mode=self._context.check_mode)}

    def _list(
        self, session: ApiSession, response: ApiResponse, content: t.Any, destination: Destination | None
    ) -> Result:
        """Return the result of a listing, whose first page is ``content``."""
        rest: Result = {}
        items: list[t.Any] = []
        count = number = 0
        name: str | None = None
        for page in iterate_pages(session, response, content, self._context.log_progress):
            # Otherwise the first page would be held to the end.
            content = None
            response, number, name = page.response, page.number, page.list_name
            rest.update(page.rest)
            left = None if self._call.max_items is None else self._call.max_items - count
            taken = page.items if left is None else page.items[:left]
            count += len(taken)
            if destination:
                destination.write_lines(taken)
            else:
                items += taken
            if count == self._call.max_items:
                break
        described = {**describe_response(response), "json": rest, "count": count, "pages": number}
        if destination:
            return {**described, **destination.commit(check_mode=self._context.check_mode)}
        whole = items if name is None else {**rest, name: items}
        wanted = whole if self._call.jmespath or name not in (None, "value") else items
        return self._apply_selection({**described, "value": items}, wanted)

    def _send_batch(self, session: ApiSession) -> Result:
        batch = Batch(
            session,
            ApiRequest("POST", self._url, {**self._build_headers(), "Content-Type": CONTENT_TYPES["json"]}),
            retry_for=self._options.retry_for,
            expects=self._call.expects,
            paginate=self._call.paginate,
            log_progress=self._context.log_progress,
        )
        responses = batch.send(self._items)
        known = {"responses": responses, "count": len(responses), "pages": batch.sent, "changed": batch.has_written}
        return self._apply_selection(known, {"responses": responses} if self._call.jmespath else responses)

    def _apply_selection(self, known: Result, content: t.Any) -> Result:
        """Return the result with what jmespath selects. Raises ApiError, with the result, if it can't be applied."""
        try:
            return {**known, "result": self._select(content)}
        except ApiError as exc:
            failure = exc
        raise add_result(failure, known)


__all__ = ("TaskContext", "execute")
