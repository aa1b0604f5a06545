# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that ``api_request`` has besides those of ``app_token``: one table, typed and checked before any request.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS, OptionSpec
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import define_option as _option
from ansible_collections.entra.auth.plugins.plugin_utils._options.headers import refuse_broken_headers
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert, is_blank, plain

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
METHODS = (*SAFE_METHODS, "POST", "PUT", "PATCH", "DELETE")
_BODY_FORMATS = ("json", "form", "raw")
_BATCH_URL = "/v1.0/$batch"
# What makes no sense beside a batch, whose requests have these themselves.
_NOT_WITH_REQUESTS = ("body", "src", "dest", "wait", "max_items", "query", "method")


@dataclasses.dataclass(frozen=True)
class ApiRequestOptions:
    """What to ask of the API. Seconds are floats; ``given`` are the names of the options that were given."""

    url: str = _option("str", "")
    method: str = _option("str", "GET", choices=METHODS)
    query: dict[str, t.Any] = _option("dict", {})
    headers: dict[str, str] = _option("dict", {})
    body: t.Any = _option("raw")
    body_format: str = _option("str", "json", choices=_BODY_FORMATS)
    src: str | None = _option("path")
    dest: str | None = _option("path")
    mode: t.Any = _option("raw", "0600")
    status_code: list[int] = _option("list", [])
    paginate: bool = _option("bool", True)
    max_items: int | None = _option("int")
    jmespath: str | None = _option("str")
    allowed_hosts: list[str] = _option("list", [])
    wait: bool = _option("bool", False)
    wait_timeout: float = _option("float", 1800.0)
    requests: list[dict[str, t.Any]] = _option("list", [])
    given: frozenset[str] = frozenset()

    @property
    def is_safe(self) -> bool:
        """Whether the request only reads (RFC 9110 section 9.2.1)."""
        if self.requests:
            return all(str(request.get("method", "GET")).upper() in SAFE_METHODS for request in self.requests)
        return self.method in SAFE_METHODS

    def expects(self, status: int) -> bool:
        """Whether an answer with this status is a good one."""
        return status in self.status_code if self.status_code else 200 <= status < 300


API_OPTIONS: t.Mapping[str, OptionSpec] = {
    option.name: OptionSpec(option.name, **option.metadata)
    for option in dataclasses.fields(ApiRequestOptions)
    if option.metadata
}
_OF_APP_TOKEN = frozenset(name for spec in OPTIONS.values() for name in (spec.name, *spec.aliases))
# Their elements, where they are not texts.
ELEMENTS = {"status_code": "int", "requests": "dict"}


def split_arguments(arguments: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """A task's arguments apart: those of api_request itself, with all that nobody knows, and those of app_token."""
    shared = {name: value for name, value in arguments.items() if name in _OF_APP_TOKEN}
    return {name: value for name, value in arguments.items() if name not in shared}, shared


def api_request_options(arguments: t.Mapping[str, t.Any]) -> ApiRequestOptions:
    """The options that a task's own arguments give.

    Raises InputError for an unknown option, a value of the wrong type and options that contradict each other.
    """
    _refuse_unknown(arguments)
    own = {name: value for name, value in arguments.items() if not is_blank(value)}
    values = {name: _converted(API_OPTIONS[name], value) for name, value in own.items()}
    options = ApiRequestOptions(**values, given=frozenset(own))
    if options.requests:
        options = dataclasses.replace(options, url=options.url or _BATCH_URL, method="POST")
    _refuse_contradictions(options)
    return options


def _converted(spec: OptionSpec, value: t.Any) -> t.Any:
    origin = f"option {spec.name}"
    if spec.name == "method":
        value = str(value).upper()
    if spec.name == "query":
        return _checked(spec, plain(value), t.Mapping, "a mapping of names to values")
    if spec.name == "requests":
        listed = _checked(spec, plain(value), list, "a list of mappings")
        return [_checked(spec, request, t.Mapping, "a list of mappings") for request in listed]
    if spec.name == "status_code":
        statuses = convert(spec, value if isinstance(value, (list, tuple, str)) else [value], origin)
        return [int(_checked(spec, int(s) if s.isdecimal() else s, int, "a list of numbers")) for s in statuses]
    return convert(spec, value, origin)


def _checked(spec: OptionSpec, value: t.Any, kind: type, wanted: str) -> t.Any:
    if isinstance(value, kind):
        return value
    raise InputError(f"{spec.name} has to be {wanted}.", hint=f"Correct the option {spec.name}.")


def begins_upload(url: str) -> bool:
    """Whether a POST to that URL answers with the address of an upload session."""
    return url.partition("?")[0].lower().endswith("/createuploadsession")


def _refuse_unknown(arguments: t.Mapping[str, t.Any]) -> None:
    known = [*API_OPTIONS, *sorted(_OF_APP_TOKEN)]
    for name in arguments:
        if name not in API_OPTIONS:
            close = difflib.get_close_matches(str(name), known, n=1)
            raise InputError(
                f"'{name}' is not an option of api_request.",
                hint=f"Did you mean '{close[0]}'?" if close else f"The options are {', '.join(known)}.",
            )


def _refuse_contradictions(options: ApiRequestOptions) -> None:
    if not options.url:
        raise InputError(
            "api_request needs a url.", hint="Give an absolute one, or a path of the API such as /v1.0/users."
        )
    pairs = [("dest", "jmespath"), ("dest", "wait"), ("src", "wait")]
    if not begins_upload(options.url):
        pairs.append(("body", "src"))
    for one, other in (*pairs, *((name, "requests") for name in _NOT_WITH_REQUESTS)):
        if {one, other} <= options.given:
            raise InputError(f"{one} and {other} exclude each other.", hint=f"Remove {one} or {other}.")
    if options.method in SAFE_METHODS and {"body", "src"} & options.given:
        raise InputError(f"A {options.method} has no body.", hint="Set method to POST, PUT or PATCH, or use query.")
    if options.max_items == 0:
        raise InputError(
            "max_items is 0, so there is nothing to ask for.", hint="Set it to 1 or more, or leave it out."
        )
    refuse_broken_headers("headers", options.headers)


__all__ = (
    "API_OPTIONS",
    "ELEMENTS",
    "METHODS",
    "SAFE_METHODS",
    "ApiRequestOptions",
    "api_request_options",
    "begins_upload",
    "split_arguments",
)
