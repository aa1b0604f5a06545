# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task of ``authorized_uri``, from its options to its result.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._api.address import resolve_address
from ansible_collections.entra.auth.plugins.plugin_utils._api.content import read_response_text, refuse_error
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.next_page import names_next_page
from ansible_collections.entra.auth.plugins.plugin_utils._api.preview import has_secret_values
from ansible_collections.entra.auth.plugins.plugin_utils._api.selection import build_selector
from ansible_collections.entra.auth.plugins.plugin_utils._api.task import ApiTask, Write, execute_write, is_success
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import build_holder
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_result import (
    NOT_SENT,
    UriResponse,
    describe_uri_failure,
    describe_uri_response,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_session import UriSession

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_result import Result
    from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_session import RunUri
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._options.authorized_uri import AuthorizedUriOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken

# Options of uri that concern the main request alone, and not the one that reads the old value for a difference.
_OF_MAIN_REQUEST = ("creates", "dest", "removes", "body", "src", "body_format")


@dataclasses.dataclass(frozen=True)
class UriTask(ApiTask):
    """The circumstances of a task, and what runs on its host.

    Attributes:
        acquire: Gets a token for options.
        run_uri: Runs the action ansible.builtin.uri with arguments, and ends it after some seconds.
        host: The host on which uri runs.
    """

    acquire: t.Callable[[AppTokenOptions], AppToken]
    run_uri: RunUri
    host: str


class UriCall:
    """One call. Everything that can be refused is refused before any request."""

    def __init__(self, call: AuthorizedUriOptions, options: AppTokenOptions, task: UriTask) -> None:
        """Raises EntraAuthError."""
        self._options = options
        self._task = task
        self._select = build_selector(call.jmespath)
        self._address = resolve_address(call.url, options, allowed_hosts=call.allowed_hosts)
        self._holder = build_holder(call.access_token, options, task.acquire, self._address)
        self._request = ApiRequest(call.method, self._address.url, _merge(options.extra_headers, call.headers))
        # The option still counts for what is read: uri has to treat the content as it does without check mode.
        self._call = _keep_from_uri(call, "dest") if task.check_mode else call

    def run(self) -> Result:
        """Return the result of the task. Raises EntraAuthError."""
        if self._request.is_safe:
            return self._send()
        # Check mode acquires the token, too: that shows whether it can be had, and changes nothing.
        self._holder.get_token()
        hide = has_secret_values(self._address.url, self._address.scope)
        write = Write(self._request, self._call.body, self._call.body_format, hide)
        return execute_write(write, self._task, read=self._read_old, send=self._send)

    def _read_old(self, request: ApiRequest) -> ApiResponse:
        reading = dataclasses.replace(_without(self._call, *_OF_MAIN_REQUEST), status_code=[])
        return self._open_session(reading).send(request, accept=(404,))

    def _open_session(self, call: AuthorizedUriOptions) -> UriSession:
        return UriSession(
            self._holder,
            self._address.pin,
            call,
            self._options,
            self._task.run_uri,
            host=self._task.host,
            log_progress=self._task.log_progress,
        )

    def _send(self) -> Result:
        response = t.cast("UriResponse", self._open_session(self._call).send(self._request, accept=(NOT_SENT,)))
        changed = {"changed": self._is_change(response)}
        if response.status == NOT_SENT:
            return {**describe_uri_response(response, self._call), **changed, "result": None}
        return {**self._read_content(response, changed), **changed}

    def _is_change(self, response: UriResponse) -> bool:
        """Return whether the request changed something: by its method, or a file on the host."""
        is_write = not self._request.is_safe and is_success(response.status)
        return is_write or response.result.get("changed") is True

    def _read_content(self, response: UriResponse, changed: Result) -> Result:
        """Return the fields with ``result``. Raises ApiError, with the fields, if the content does not fit."""
        try:
            content = self._parse(response)
            result = self._select(content)
        except ApiError as exc:
            error = exc
        else:
            warning = self._warn_of_next_page(response, content)
            return {**describe_uri_response(response, self._call), "result": result, **warning}
        error.result = {**describe_uri_failure(response, self._call), **changed}
        raise error

    def _parse(self, response: UriResponse) -> t.Any:
        """Return the content: JSON parsed, or text. Raises ApiError for content of another kind."""
        any_kind = self._call.return_content or "dest" in self._call.given
        if not response.is_json:
            return read_response_text(response, paginate=False, any_kind=any_kind)
        content = response.parse_json()
        refuse_error(response, content)
        return content

    def _warn_of_next_page(self, response: UriResponse, content: t.Any) -> Result:
        if not names_next_page(content, response.headers):
            return {}
        warning = (
            "The response is only the first page of a listing: it names a next one. Use entra.auth.api_request, which "
            "reads all pages, or call the next page yourself."
        )
        others = response.result.get("warnings")
        return {"warnings": [*(others if isinstance(others, list) else ()), warning]}


def _merge(common: t.Mapping[str, str], own: t.Mapping[str, str]) -> dict[str, str]:
    """Return the headers of all calls and those of this one, which win in any letter case."""
    names = {name.lower() for name in own} | {"authorization"}
    return {**{name: value for name, value in common.items() if name.lower() not in names}, **own}


def _keep_from_uri(call: AuthorizedUriOptions, *names: str) -> AuthorizedUriOptions:
    """Return the options, of which some are not handed to uri."""
    return dataclasses.replace(call, passed={name: call.passed[name] for name in call.passed if name not in names})


def _without(call: AuthorizedUriOptions, *names: str) -> AuthorizedUriOptions:
    """Return the options as if some of them had not been given."""
    return dataclasses.replace(_keep_from_uri(call, *names), given=call.given.difference(names))


__all__ = ("UriCall", "UriTask")
