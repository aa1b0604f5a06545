# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token endpoint: one POST, and its answer as a token or as an error that says what to do.

RFC 6749 sections 5.1 and 5.2, with what Entra adds (Learn, "Microsoft identity platform error codes").

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t
import uuid

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    ErrorResponse,
    NetworkError,
    TokenRequestRefused,
    printable,
)
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request, Transport
from ansible_collections.entra.auth.plugins.module_utils._token_response import (
    parse_json_object,
    parse_token_response,
    to_seconds,
)
from ansible_collections.entra.auth.plugins.plugin_utils._entra.aadsts import find_hint

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Response
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

# RFC 8628 section 3.5: poll every 5 seconds where the server names no interval; slow_down adds 5.
_DEFAULT_INTERVAL_SECONDS = 5
_SLOW_DOWN_SECONDS = 5
_ASK_AGAIN = frozenset({"authorization_pending", "slow_down", "temporarily_unavailable"})
# Entra ends the readable part of a description with its ids, after a line break or, in newer answers, a blank.
_IDS_IN_DESCRIPTION = re.compile(r"\s*(Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)
_CODE_IN_DESCRIPTION = re.compile(r"\bAADSTS(\d+)\b")
_SHOWN_CHARACTERS = 500
_READ_DESCRIPTION = "Correct what the service's message names."


@dataclasses.dataclass(frozen=True)
class PollPolicy:
    """When an answer means to ask again, and how.

    ``codes`` are AADSTS codes that pass by themselves. ``interval`` and ``seconds`` are the pause between two requests
    and the time for all; None leaves both to the endpoint. ``on_wait`` is told before each pause how many seconds are
    left.
    """

    codes: frozenset[int] = frozenset()
    interval: float = _DEFAULT_INTERVAL_SECONDS
    seconds: float | None = None
    on_wait: t.Callable[[float], None] = lambda seconds_left: None

    def is_for(self, said: ErrorResponse) -> bool:
        """Whether what the service said means to ask again."""
        return said.error in _ASK_AGAIN or not self.codes.isdisjoint(said.error_codes)


class TokenEndpoint:
    """The token endpoint of one tenant."""

    def __init__(self, url: str, network: NetworkSettings) -> None:
        self.url = url
        self._network = network

    def request_token(self, form: t.Callable[[], t.Mapping[str, str]], policy: PollPolicy | None = None) -> Token:
        """Ask for a token with the fields that ``form`` makes, anew for each request.

        Busy answers and lost connections are repeated within ``retry_for``. An answer that says to ask again
        (authorization_pending, slow_down: RFC 8628 section 3.5) is obeyed with its interval for as long.
        Raises TokenRequestRefused, NetworkError, MissingLibraryError.
        """
        policy = policy or PollPolicy()
        transport = Transport(self._network)
        seconds = self._network.retry_for if policy.seconds is None else policy.seconds
        until = time.monotonic() + seconds
        interval = policy.interval
        while True:
            response = transport.send(self._request(form()), until=until)
            body = _body(response)
            if response.status == 200:
                return parse_token_response(response)
            said = _error_response(body, response)
            interval = _interval(body, response, interval) + (_SLOW_DOWN_SECONDS if said.error == "slow_down" else 0)
            left = until - time.monotonic()
            if interval > left or not policy.is_for(said):
                raise _refusal(body, said, response)
            policy.on_wait(left)
            time.sleep(interval)

    def post(self, url: str, fields: t.Mapping[str, str]) -> dict[str, t.Any]:
        """The answer of another endpoint of the same authority to a form. Raises as request_token does."""
        until = time.monotonic() + self._network.retry_for
        response = Transport(self._network).send(self._request(fields, url), until=until)
        body = _body(response)
        if response.status == 200:
            return body
        raise _refusal(body, _error_response(body, response), response)

    def _request(self, fields: t.Mapping[str, str], url: str | None = None) -> Request:
        # Entra repeats the client-request-id as correlation id, in its answer and in the sign-in log.
        headers = {
            "Accept": "application/json",
            "client-request-id": str(uuid.uuid4()),
            "return-client-request-id": "true",
        }
        return Request(url or self.url, "POST", headers, form=fields)


def _body(response: Response) -> dict[str, t.Any]:
    body = parse_json_object(response)
    if not body and response.status == 429:
        raise _throttled(response)
    return body


def _throttled(response: Response) -> TokenRequestRefused:
    wait = f" It asks to wait {response.retry_after:g} s." if response.retry_after is not None else ""
    throttled = TokenRequestRefused(
        f"Entra has throttled this app's token requests (429 Too Many Requests) for longer than retry_for.{wait}",
        hint="Raise retry_for above that wait, and look for other jobs that ask for tokens without a cache.",
        response=ErrorResponse(
            error="too_many_requests", correlation_id=printable(response.headers.get("client-request-id")) or None
        ),
    )
    throttled.retry_after = _passes_after(response)
    return throttled


def _passes_after(response: Response) -> float:
    return response.retry_after or NetworkError.retry_after


def _interval(body: t.Mapping[str, t.Any], response: Response, current: float) -> float:
    named = to_seconds(body.get("interval")) or response.retry_after
    return max(named, 1.0) if named else current


def _refusal(
    body: t.Mapping[str, t.Any], said: ErrorResponse, response: Response
) -> TokenRequestRefused | NetworkError:
    hint = find_hint(said.error_codes, said.error)
    if said.error is None:
        return _unexplained(said, response)
    sentence = _first_sentence(str(body.get("error_description") or ""))
    cause = f": {hint.cause}" if hint else ""
    refusal = TokenRequestRefused(
        f"Entra refused the token request: {sentence or 'it gave no description'} ({said.error}){cause}.",
        hint=hint.fix if hint else _READ_DESCRIPTION,
        response=said,
    )
    if response.status == 429 or response.status >= 500 or said.error in _ASK_AGAIN:
        refusal.retry_after = _passes_after(response)
    return refusal


def _unexplained(said: ErrorResponse, response: Response) -> TokenRequestRefused | NetworkError:
    if response.status == 429:
        return _throttled(response)
    failure = NetworkError(
        f"The token endpoint answered {response.status} without a reason that could be read.",
        hint="Try again later; if it stays so, check authority and the proxy.",
        response=said,
    )
    failure.retry_after = _passes_after(response)
    return failure


def _error_response(body: t.Mapping[str, t.Any], response: Response) -> ErrorResponse:
    description = str(body.get("error_description") or "")
    listed = body.get("error_codes")
    codes = [code for code in listed if isinstance(code, int)] if isinstance(listed, list) else []
    codes += [int(code) for code in _CODE_IN_DESCRIPTION.findall(description[:_SHOWN_CHARACTERS])]
    return ErrorResponse(
        error=printable(body.get("error")) or None,
        suberror=printable(body.get("suberror")) or None,
        error_codes=tuple(dict.fromkeys(codes)),
        correlation_id=printable(body.get("correlation_id"))
        or printable(response.headers.get("client-request-id"))
        or None,
        trace_id=printable(body.get("trace_id")) or printable(response.headers.get("x-ms-request-id")) or None,
        timestamp=printable(body.get("timestamp")) or None,
    )


def _first_sentence(description: str) -> str:
    """The readable part of an error_description: without its ids, its line breaks, and at most some lines long."""
    readable = _IDS_IN_DESCRIPTION.sub("", description).split("\n")[0]
    sentence = re.split(r"(?<=[.!?])\s", readable, maxsplit=1)[0]
    return printable(sentence).rstrip(". ")


__all__ = ("PollPolicy", "TokenEndpoint")
