# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the action ``ansible.builtin.uri`` returns: a response, a lost connection, or a module that failed.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiResponse, Headers
from ansible_collections.entra.auth.plugins.plugin_utils._api.retry_policy import NO_RESPONSE
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_location import correct_location

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
    from ansible_collections.entra.auth.plugins.plugin_utils._api.token_mask import TokenMask
    from ansible_collections.entra.auth.plugins.plugin_utils._options.authorized_uri import AuthorizedUriOptions

Result = dict[str, t.Any]

# uri returns each header of the response as a field. These fields have a meaning for Ansible, so a service or a host
# could steer the run with them; or they repeat what was sent.
_STEERING = re.compile(
    r"_ansible_.*|ansible_.*|add_host|add_group|invocation|skipped|skip_reason|unreachable|failed|exception|module_std.*"
    r"|results|rc|retries|attempts"
)
# What the module prints about such a response is not UTF-8 either.
UNREADABLE = "the response is not text in UTF-8, and uri can't return any other"
# The status of a request that uri did not send, because of creates or removes.
NOT_SENT = 0
# How uri reports a connection that ended while it read the body, as no status is there: the name of the exception or,
# from ansible-core 2.19 on, its text alone. The request was sent by then.
_LOST = re.compile(
    r"HTTP Error while fetching|IncompleteRead|Connection(Reset|Aborted|Refused)?Error|RemoteDisconnected|BadStatusLine"
    r"|timed out|TimeoutError|BrokenPipe|SSL(EOF|ZeroReturn)?Error|LineTooLong"
    r"|connection (reset|aborted|abort\b|refused)|broken pipe|closed connection|EOF occurred|\[SSL[:\]]"
    r"|gzipped file|compressed file ended|while decompressing",
    re.IGNORECASE,
)
_TRACEBACK = "Traceback (most recent call last)"
_FRAME = re.compile(rf"\s|{re.escape(_TRACEBACK)}|During handling of the above|The above exception was")


@dataclasses.dataclass(frozen=True)
class UriResponse(ApiResponse):
    """A response as ``ansible.builtin.uri`` returned it. ``result`` has its fields, without those that steer Ansible.

    ``failure`` are the words of uri about a request that got no response or was not sent.
    """

    result: Result = dataclasses.field(default_factory=dict, repr=False)
    failure: str = ""


@dataclasses.dataclass(frozen=True)
class UriNotRun:
    """The action uri failed before it ran its module, so nothing was sent. ``said`` is Ansible's text, unmasked."""

    said: str = dataclasses.field(repr=False)


def read_response(request: ApiRequest, result: Result, mask: TokenMask) -> UriResponse | str:
    """Return the response in a result of uri, without tokens; for a module that failed by itself, its words."""
    clean = {name: value for name, value in result.items() if not _STEERING.fullmatch(str(name).lower())}
    shown = mask.mask_data({name: value for name, value in clean.items() if name not in ("content", "json")})
    status = _find_status(result)
    headers = _find_headers(request, shown)
    body = mask.mask_bytes(_find_body(result))
    said = mask.mask_text(_join_words(result))
    return said if status is None else UriResponse(request, status, _in_utf8(headers), body, mask, shown, said)


def describe_uri_response(response: UriResponse, call: AuthorizedUriOptions) -> Result:
    """Return the fields of uri for a response: those that it returned, and the content as JSON or as text."""
    content: Result = {"content": response.decode_text()} if call.return_content else {}
    try:
        parsed = {"json": response.parse_json()} if response.is_json and response.body else {}
    except ApiError:
        parsed = {}
    return {**response.result, **content, **parsed}


def describe_uri_failure(response: UriResponse, call: AuthorizedUriOptions) -> Result:
    """Return the same for a response that is not a success.

    Without the words of uri itself, which say less than the error, and may quote what a peer sent.
    """
    fields = {name: value for name, value in describe_uri_response(response, call).items() if name != "msg"}
    return {**fields, "result": None}


def _find_status(result: Result) -> int | None:
    """Return the status in a result of uri; None if the module failed for a reason of its own."""
    status = result.get("status")
    if isinstance(status, int) and not isinstance(status, bool):
        return status if status >= 100 else NO_RESPONSE
    if not result.get("failed"):
        return NOT_SENT
    return NO_RESPONSE if _LOST.search(_join_words(result)) else None


def _join_words(result: Result) -> str:
    """Return all that a failed module says, once."""
    fields = [result.get(name) for name in ("msg", "exception", "module_stderr", "module_stdout")]
    return " ".join(dict.fromkeys(_read_words(field) for field in fields if field))


def _read_words(field: t.Any) -> str:
    """Return the words of a field. From ansible-core 2.19 on, an exception is a summary: an event for each cause."""
    words: list[str] = []
    event = getattr(field, "event", None)
    while event is not None:
        words.append(str(getattr(event, "msg", "")))
        event = getattr(getattr(event, "chain", None), "event", None)
    return " ".join(words) or _drop_frames(str(field))


def _drop_frames(text: str) -> str:
    """Return a text without the frames of its tracebacks: of these, the lines that name the exceptions stay."""
    if _TRACEBACK not in text:
        return text
    return "\n".join(line for line in text.splitlines() if line and not _FRAME.match(line))


def _find_headers(request: ApiRequest, result: Result) -> Headers:
    fields = {name.replace("_", "-"): value for name, value in result.items() if isinstance(value, str)}
    if "location" in fields:
        fields["location"] = correct_location(request.url, fields["location"])
    return Headers(fields)


def _find_body(result: Result) -> bytes:
    content = result.get("content")
    if isinstance(content, str):
        return content.encode("utf-8", "surrogatepass")
    return json.dumps(result["json"]).encode() if "json" in result else b""


def _in_utf8(headers: Headers) -> Headers:
    """Return the headers for a body that uri has decoded, and that is UTF-8 here."""
    fields = dict(headers)
    name = next((name for name in fields if name.lower() == "content-type"), None)
    if name:
        fields[name] = f"{fields[name].partition(';')[0]}; charset=utf-8"
    return Headers(fields)


__all__ = (
    "NOT_SENT",
    "UNREADABLE",
    "Result",
    "UriNotRun",
    "UriResponse",
    "describe_uri_failure",
    "describe_uri_response",
    "read_response",
)
