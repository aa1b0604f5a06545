# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One api_request from its options to its result.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.module_utils._http.body import iterate_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.address import build_holder, resolve_address
from ansible_collections.entra.auth.plugins.plugin_utils._api.batch import Batch, batch_items
from ansible_collections.entra.auth.plugins.plugin_utils._api.destination import Destination, file_mode, readable_file
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import (
    CONTENT_TYPES,
    decode_text,
    encode_body,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError, find_request_id
from ansible_collections.entra.auth.plugins.plugin_utils._api.long_running import Operation
from ansible_collections.entra.auth.plugins.plugin_utils._api.paging import is_listing, pages
from ansible_collections.entra.auth.plugins.plugin_utils._api.preview import difference, hides_values, shown_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.selection import build_selector
from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiRequest, ApiSession, read_bounded
from ansible_collections.entra.auth.plugins.plugin_utils._api.upload import upload
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import begins_upload
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token

if t.TYPE_CHECKING:  # pragma: no cover
    import requests

    from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import ApiRequestOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import Messages
    from ansible_collections.entra.auth.plugins.plugin_utils._token.target import Target

Result = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class TaskContext:
    """The circumstances of a task. ``find_file`` is where the task's own files are looked for."""

    messages: Messages
    target: Target
    check_mode: bool
    diff_mode: bool
    find_file: t.Callable[[str], str]

    def tell(self, text: str) -> None:
        """Progress, shown with -v."""
        self.messages.v(f"entra.auth: {text}")


def execute(call: ApiRequestOptions, options: AppTokenOptions, run: TaskContext) -> Result:
    """The result fields of a task. Raises EntraAuthError."""
    return ApiCall(call, options, run).result()


class ApiCall:
    def __init__(self, call: ApiRequestOptions, options: AppTokenOptions, run: TaskContext) -> None:
        self._call = call
        self._options = options
        self._run = run
        self._select = build_selector(call.jmespath)
        self._items = batch_items(call.requests)
        self._mode = file_mode(call.mode)
        self._src = readable_file(run.find_file(call.src)) if call.src else None
        self._encoded = encode_body(call.body, call.body_format) if "body" in call.given else None
        address = resolve_address(call.url, options, allowed_hosts=call.allowed_hosts, query=call.query)
        self._address = address
        self._url = address.url
        self._hides_values = hides_values(self._url, address.scope)

    def result(self) -> Result:
        with contextlib.ExitStack() as files:
            dest = self._call.dest
            destination = files.enter_context(Destination(dest, self._mode)) if dest else None
            return self._result(destination)

    def _result(self, destination: Destination | None) -> Result:

        def obtain(options: AppTokenOptions) -> t.Any:
            return get_app_token(options, self._run.messages, self._run.target)

        network = dataclasses.replace(
            self._options.get_network_settings(),
            on_pause=lambda seconds: self._run.tell(f"waits {seconds:g} s before it sends the request again"),
        )
        token = build_holder(None, self._options, obtain, self._address)
        session = ApiSession(
            token,
            self._address.pin,
            network,
            self._call.expects,
            is_graph=self._address.is_graph,
            log_progress=self._run.tell,
        )
        if self._call.is_safe:
            return self._asked(session, destination)
        # Check mode asks for the token, too: that tells whether it can be had, and changes nothing.
        token.get_token()
        diff = {"diff": self._difference(session)} if self._shows_difference() else {}
        if self._run.check_mode:
            body = {"requests": self._items} if self._items else self._call.body
            shown = shown_body(body, self._call.body_format, hide_values=self._hides_values)
            return {"changed": True, "method": self._call.method, "url": self._url, "body": shown, **diff}
        return {**self._asked(session, destination), "changed": True, **diff}

    def _shows_difference(self) -> bool:
        return self._run.diff_mode and self._call.method in ("PUT", "PATCH") and isinstance(self._call.body, dict)

    def _difference(self, session: ApiSession) -> Result:

        headers = {
            name: value for name, value in self._headers().items() if not name.lower().startswith(("if-", "content-"))
        }
        try:
            response = session.send(ApiRequest("GET", self._url, headers), accept=(200, 404))
            old = response.parse_json() if response.status == 200 else {}
        except EntraAuthError as exc:
            self._run.tell(f"no difference is shown, because the old value can't be read: {exc.message}")
            return {}
        return difference(self._url, self._call.method, old, self._call.body, hide_values=self._hides_values)

    def _headers(self) -> dict[str, str]:
        accept = "*/*" if self._call.dest else "application/json"
        own = {"Accept": accept}
        if {"body", "src"} & self._call.given:
            own["Content-Type"] = CONTENT_TYPES[self._body_format()]
        given = {**self._options.extra_headers, **self._call.headers}
        named = {name.lower() for name in given}
        return {**{name: value for name, value in own.items() if name.lower() not in named}, **given}

    def _body_format(self) -> str:
        return "raw" if self._src and not begins_upload(self._url) else self._call.body_format

    def _request(self, destination: Destination | None) -> ApiRequest:

        call = self._call
        body: t.Any = self._encoded
        path = self._src
        if path and begins_upload(self._url):
            body = body or b"{}"
        elif path:
            # Closed by the transport, which opens it for each attempt.
            body = functools.partial(open, path, "rb")
        return ApiRequest(
            call.method,
            self._url,
            self._headers(),
            body,
            is_download=destination is not None,
            read=self._reader(destination) if destination else None,
        )

    def _reader(self, destination: Destination) -> t.Callable[[requests.Response], bytes]:

        def read(response: requests.Response) -> bytes:
            is_json = "json" in response.headers.get("Content-Type", "")
            if not self._is_content(response.status_code) or (is_json and self._call.paginate):
                return read_bounded(response, "set paginate to false, so that it is written as it comes")
            destination.begin()
            for chunk in iterate_body(response):
                destination.write(chunk)
            return b""

        return read

    def _is_content(self, status: int) -> bool:
        # What a 404 or a 304 says, though it may be a good answer, is not what the file is to hold.
        return self._call.expects(status) and 200 <= status < 300

    def _asked(self, session: ApiSession, destination: Destination | None) -> Result:
        if self._call.requests:
            return self._batched(session)
        response = session.send(self._request(destination))
        if self._src and begins_upload(self._url):
            response = upload(session, response, self._src, retry_for=self._options.retry_for, tell=self._run.tell)
        if self._call.wait:
            response = Operation(session, response, self._call.wait_timeout, self._run.tell).result()
        writes = destination if self._is_content(response.status) else None
        content = response.parse_json() if response.is_json else None
        if self._call.paginate and is_listing(content):
            return self._listed(session, response, content, writes)
        if writes:
            if response.body:
                writes.begin()
                writes.write(response.body)
            return {**_described(response), **writes.commit(check_mode=self._run.check_mode)}
        whole = content if response.is_json else _text(response, any_kind=destination is not None)
        return self._selected({**_described(response), "json": content}, whole)

    def _selected(self, answered: Result, whole: t.Any) -> Result:
        """What is returned for an answer. Raises ApiError, with the answer, where the expression does not fit it."""
        try:
            return {"changed": False, **answered, "result": self._select(whole)}
        except ApiError as exc:
            failure = exc
        failure.result = {**answered, "changed": not self._call.is_safe}
        raise failure

    def _batched(self, session: ApiSession) -> Result:
        headers = {**self._headers(), "Content-Type": CONTENT_TYPES["json"]}
        batch = Batch(
            session,
            ApiRequest("POST", self._url, headers),
            retry_for=self._options.retry_for,
            expects=self._call.expects,
            paginate=self._call.paginate,
            tell=self._run.tell,
        )
        responses = batch.responses(self._items)
        whole = {"responses": responses} if self._call.jmespath else responses
        return self._selected({"responses": responses, "count": len(responses), "pages": batch.sent}, whole)

    def _listed(
        self, session: ApiSession, response: ApiResponse, content: t.Any, destination: Destination | None
    ) -> Result:
        rest: Result = {}
        items: list[t.Any] = []
        count = number = 0
        for page in pages(session, response, content, self._run.tell):
            # Without this the first page would be held to the end.
            content = None
            response, number = page.response, page.number
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
        described = {**_described(response), "json": rest, "count": count, "pages": number}
        if destination:
            return {**described, **destination.commit(check_mode=self._run.check_mode)}
        whole = {**rest, "value": items} if self._call.jmespath else items
        return self._selected({**described, "value": items}, whole)


def _described(response: ApiResponse) -> Result:

    headers = {name.lower(): value for name, value in response.headers.items() if name.lower() != "set-cookie"}
    return {"status": response.status, "headers": headers, "request_id": find_request_id(response.headers)}


def _text(response: ApiResponse, *, any_kind: bool) -> str | None:
    """What is not JSON, as text. Of what is none, and of the pages of portals and proxies, nothing if ``any_kind``.

    Raises ApiError otherwise.
    """

    if not response.body:
        return None
    kind = response.content_type
    if "html" not in kind and (kind.startswith("text/") or kind.endswith("xml")):
        return decode_text(response.body, response.headers.get("Content-Type", ""))
    if any_kind:
        return None
    if "html" in kind:
        raise ApiError(
            f"{response.request.safe_description} was answered {response.status} with HTML, so something else answered in its place.",
            hint="Look for a captive portal or an intercepting proxy; check url.",
        )
    raise ApiError(
        f"{response.request.safe_description} was answered {response.status} with {kind or 'data of no named type'}, not with JSON.",
        hint="Have it written to a file with dest.",
    )


__all__ = ("TaskContext", "execute")
