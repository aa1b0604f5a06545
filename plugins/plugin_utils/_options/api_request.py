# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that ``api_request`` has in addition to those of ``app_token``: one table, checked before any request.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTION_NAMES, list_options
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import define_option as _option
from ansible_collections.entra.auth.plugins.plugin_utils._options.arguments import (
    convert_arguments,
    refuse_unknown_arguments,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.headers import refuse_broken_headers
from ansible_collections.entra.auth.plugins.plugin_utils._options.uri import find_hint

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
METHODS = (*SAFE_METHODS, "POST", "PUT", "PATCH", "DELETE")
_BODY_FORMATS = ("json", "form", "raw")
_BATCH_URL = "/v1.0/$batch"
# Options of one request, which the requests of a batch have themselves.
_NOT_WITH_REQUESTS = ("body", "src", "dest", "wait", "max_items", "query", "method")
# The statuses whose body is the content that was asked for: not 202 (not yet), 204 and 205 (nothing), 206 (a part).
_CONTENT_STATUSES = (200, 201, 203)


@dataclasses.dataclass(frozen=True)
class ApiRequestOptions:
    """What to request from the API. Seconds are floats; ``given`` are the names of the options that were given."""

    url: str = _option("str", "")
    method: str = _option("str", "GET", choices=METHODS)
    query: dict[str, t.Any] = _option("dict", {}, elements="raw")
    headers: dict[str, str] = _option("dict", {})
    body: t.Any = _option("raw")
    body_format: str = _option("str", "json", choices=_BODY_FORMATS)
    src: str | None = _option("path")
    dest: str | None = _option("path")
    mode: t.Any = _option("raw", "0600")
    status_code: list[int] = _option("list", [], elements="int")
    paginate: bool = _option("bool", True)
    max_items: int | None = _option("int")
    jmespath: str | None = _option("str")
    allowed_hosts: list[str] = _option("list", [])
    wait: bool = _option("bool", False)
    wait_timeout: float = _option("float", 1800.0)
    requests: list[dict[str, t.Any]] = _option("list", [], elements="dict")
    access_token: str | None = _option("str", secret=True)
    hide_result: bool = _option("bool", False)
    given: frozenset[str] = frozenset()

    @property
    def is_safe(self) -> bool:
        """Whether the request only reads (RFC 9110 section 9.2.1)."""
        if self.requests:
            return all(str(request.get("method", "GET")).upper() in SAFE_METHODS for request in self.requests)
        return self.method in SAFE_METHODS

    def expects(self, status: int) -> bool:
        """Return whether a response with this status is a good one."""
        return status in self.status_code if self.status_code else 200 <= status < 300

    def has_content(self, status: int) -> bool:
        """Return whether a response with this status holds the whole content that was asked for."""
        return self.expects(status) and status in _CONTENT_STATUSES


API_OPTIONS = list_options(ApiRequestOptions)


def parse_api_request_options(arguments: t.Mapping[str, t.Any]) -> ApiRequestOptions:
    """Return the options that a task's own arguments give.

    Raises InputError for an unknown option, a value of the wrong type and options that contradict each other.
    """
    _refuse_unknown(arguments)
    values = convert_arguments(API_OPTIONS, arguments)
    options = ApiRequestOptions(**values, given=frozenset(values))
    if options.max_items == 0:
        raise InputError("max_items is 0.", hint="Set max_items to 1 or more, or remove it to get all.")
    if options.requests:
        options = dataclasses.replace(options, url=options.url or _BATCH_URL, method="POST")
    _refuse_contradictions(options)
    return options


def is_upload_session(url: str) -> bool:
    """Return whether the response to a POST to that URL has the address of an upload session."""
    return url.partition("?")[0].lower().endswith("/createuploadsession")


def _refuse_unknown(arguments: t.Mapping[str, t.Any]) -> None:
    known = (*API_OPTIONS, *OPTION_NAMES)
    try:
        refuse_unknown_arguments("api_request", arguments, known)
    except InputError as exc:
        unknown = [name for name in arguments if name not in known]
        exc.hint = find_hint(unknown) or exc.hint
        raise


def _refuse_contradictions(options: ApiRequestOptions) -> None:
    if not options.url:
        raise InputError("api_request needs a url.", hint="Give a whole URL, or a path of the API such as /v1.0/users.")
    pairs = [("dest", "jmespath"), ("dest", "wait"), ("src", "wait")]
    if not is_upload_session(options.url):
        pairs.append(("body", "src"))
    for one, other in (*pairs, *((name, "requests") for name in _NOT_WITH_REQUESTS)):
        if {one, other} <= options.given:
            raise InputError(f"{one} and {other} exclude each other.", hint=f"Remove {one} or {other}.")
    if options.method in SAFE_METHODS and {"body", "src"} & options.given:
        raise InputError(f"A {options.method} has no body.", hint="Set method to POST, PUT or PATCH, or use query.")
    refuse_broken_headers("headers", options.headers)


__all__ = (
    "API_OPTIONS",
    "METHODS",
    "SAFE_METHODS",
    "ApiRequestOptions",
    "is_upload_session",
    "parse_api_request_options",
)
