# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that ``api_request`` has in addition to those of ``app_token``: one table, checked before any request.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
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
# Options of one request, which the requests of a batch have themselves.
_NOT_WITH_REQUESTS = ("body", "src", "dest", "wait", "max_items", "query", "method")
# The statuses whose body is the content that was asked for: not 202 (not yet), 204 and 205 (nothing), 206 (a part).
_CONTENT_STATUSES = (200, 201, 203)


@dataclasses.dataclass(frozen=True)
class ApiRequestOptions:
    """What to request from the API. Seconds are floats; ``given`` are the names of the options that were given."""

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


API_OPTIONS: t.Mapping[str, OptionSpec] = {
    option.name: OptionSpec(option.name, **option.metadata)
    for option in dataclasses.fields(ApiRequestOptions)
    if option.metadata
}
_APP_TOKEN_NAMES = frozenset(name for spec in OPTIONS.values() for name in (spec.name, *spec.aliases))
# The types of the elements of lists that are not texts.
ELEMENTS = {"status_code": "int", "requests": "dict"}


def split_arguments(arguments: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Split a task's arguments into those of api_request, with every unknown one, and those of app_token."""
    shared = {name: value for name, value in arguments.items() if name in _APP_TOKEN_NAMES}
    return {name: value for name, value in arguments.items() if name not in shared}, shared


def parse_api_request_options(arguments: t.Mapping[str, t.Any]) -> ApiRequestOptions:
    """Return the options that a task's own arguments give.

    Raises InputError for an unknown option, a value of the wrong type and options that contradict each other.
    """
    _refuse_unknown(arguments)
    own = {name: value for name, value in arguments.items() if not is_blank(value)}
    values = {name: _convert(API_OPTIONS[name], value) for name, value in own.items()}
    options = ApiRequestOptions(**values, given=frozenset(own))
    if options.requests:
        options = dataclasses.replace(options, url=options.url or _BATCH_URL, method="POST")
    _refuse_contradictions(options)
    return options


def _convert(spec: OptionSpec, value: t.Any) -> t.Any:
    converter = _OWN_CONVERTERS.get(spec.name)
    return converter(spec, value) if converter else convert(spec, value, f"option {spec.name}")


def _convert_method(spec: OptionSpec, value: t.Any) -> t.Any:
    return convert(spec, str(value).upper(), f"option {spec.name}")


def _convert_query(spec: OptionSpec, value: t.Any) -> t.Any:
    return _check_type(spec, _parse_json_text(value), t.Mapping, "a mapping of names to values")


def _convert_requests(spec: OptionSpec, value: t.Any) -> t.Any:
    wanted = "a list of mappings"
    parsed = _parse_json_text(value)
    listed = _check_type(spec, [parsed] if isinstance(parsed, dict) else parsed, list, wanted)
    return [_check_type(spec, request, t.Mapping, wanted) for request in listed]


def _convert_status_code(spec: OptionSpec, value: t.Any) -> list[int]:
    listed = convert(spec, value if isinstance(value, (list, tuple, str)) else [value], f"option {spec.name}")
    texts = [text for each in listed for text in each.strip("[]").split(",") if text.strip()]
    numbers = [int(text) if text.strip().isdecimal() else text for text in texts]
    return [int(_check_type(spec, number, int, "a list of numbers")) for number in numbers]


def _convert_max_items(spec: OptionSpec, value: t.Any) -> int:
    text = str(value).strip()
    number = int(text) if text.isdecimal() and not isinstance(value, bool) else 0
    if number >= 1:
        return number
    raise InputError("max_items has to be a whole number, 1 or more.", hint="Correct max_items, or remove it for all.")


def _parse_json_text(value: t.Any) -> t.Any:
    """Return data as it is, and text as the JSON that it holds. Ansible passes such data as text at times."""
    try:
        return json.loads(value) if isinstance(value, str) else plain(value)
    except (ValueError, TypeError, RecursionError):
        # Not of the type that is wanted, as the caller finds out.
        return None


def _check_type(spec: OptionSpec, value: t.Any, kind: type, wanted: str) -> t.Any:
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise InputError(f"{spec.name} has to be {wanted}.", hint=f"Correct the option {spec.name}.")


_OWN_CONVERTERS: t.Mapping[str, t.Callable[[OptionSpec, t.Any], t.Any]] = {
    "method": _convert_method,
    "query": _convert_query,
    "requests": _convert_requests,
    "status_code": _convert_status_code,
    "max_items": _convert_max_items,
}


def is_upload_session(url: str) -> bool:
    """Return whether a POST to that URL is answered with the address of an upload session."""
    return url.partition("?")[0].lower().endswith("/createuploadsession")


def _refuse_unknown(arguments: t.Mapping[str, t.Any]) -> None:
    known = [*API_OPTIONS, *sorted(_APP_TOKEN_NAMES)]
    unknown = [str(name) for name in arguments if name not in API_OPTIONS]
    if not unknown:
        return
    close = {name: difflib.get_close_matches(name.lower(), known, n=1) for name in unknown}
    suggested = [f"{match[0]} in place of {name}" for name, match in close.items() if match]
    raise InputError(
        f"{', '.join(map(repr, unknown))} {'is not an option' if len(unknown) == 1 else 'are not options'} of "
        "api_request.",
        hint=f"Write {', '.join(suggested)}." if suggested else f"Remove it; the options are {', '.join(known)}.",
    )


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
    "ELEMENTS",
    "METHODS",
    "SAFE_METHODS",
    "ApiRequestOptions",
    "is_upload_session",
    "parse_api_request_options",
    "split_arguments",
)
