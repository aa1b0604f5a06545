# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token endpoint: one POST, and its answer as a token or as an error that says what to do.

RFC 6749 sections 5.1 and 5.2, with what Entra adds (Learn, "Microsoft identity platform error codes").

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import math
import re
import time
import typing as t
import uuid

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    NetworkError,
    ServiceAnswer,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.module_utils._hints import hint_for
from ansible_collections.entra.auth.plugins.module_utils._http import Request, Transport
from ansible_collections.entra.auth.plugins.module_utils._token import Token

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http import Answer, NetworkSettings

# What some answers leave out; MSAL assumes the same.
_DEFAULT_LIFETIME_SECONDS = 600
_MAX_LIFETIME_SECONDS = 400 * 86400
# RFC 8628 section 3.5: poll every 5 seconds where the server names no interval; slow_down adds 5.
_DEFAULT_INTERVAL_SECONDS = 5
_SLOW_DOWN_SECONDS = 5
_ASK_AGAIN = frozenset({"authorization_pending", "slow_down", "temporarily_unavailable"})
# Entra ends the readable part of a description with its ids, after a line break or, in newer answers, a blank.
_IDS_IN_DESCRIPTION = re.compile(r"\s*(Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)
_CODE_IN_DESCRIPTION = re.compile(r"\bAADSTS(\d+)\b")
_SHOWN_CHARACTERS = 500


@dataclasses.dataclass(frozen=True)
class Patience:
    """When an answer means to ask again, and how.

    ``codes`` are AADSTS codes that pass by themselves. ``interval`` and ``seconds`` are the pause between two requests
    and the time for all; None leaves both to the endpoint. ``on_wait`` is told before each pause how many seconds are
    left.
    """

    codes: frozenset[int] = frozenset()
    interval: float = _DEFAULT_INTERVAL_SECONDS
    seconds: float | None = None
    on_wait: t.Callable[[float], None] = lambda seconds_left: None

    def is_for(self, said: ServiceAnswer) -> bool:
        """Whether what the service said means to ask again."""
        return said.error in _ASK_AGAIN or not self.codes.isdisjoint(said.error_codes)


class TokenEndpoint:
    """The token endpoint of one tenant."""

    def __init__(self, url: str, network: NetworkSettings) -> None:
        self.url = url
        self._network = network

    def request_token(self, form: t.Callable[[], t.Mapping[str, str]], patience: Patience | None = None) -> Token:
        """Ask for a token with the fields that ``form`` makes, anew for each request.

        Busy answers and lost connections are repeated within ``retry_for``. An answer that says to ask again
        (authorization_pending, slow_down: RFC 8628 section 3.5) is obeyed with its interval for as long.
        Raises TokenRequestRefused, NetworkError, MissingLibraryError.
        """
        patience = patience or Patience()
        transport = Transport(self._network)
        seconds = self._network.retry_for if patience.seconds is None else patience.seconds
        until = time.monotonic() + seconds
        interval = patience.interval
        while True:
            answer = transport.send(self._request(form()), until=until)
            body = json_object(answer)
            if answer.status == 200:
                return token_from(answer)
            said = _service_answer(body, answer)
            interval = _interval(body, answer, interval) + (_SLOW_DOWN_SECONDS if said.error == "slow_down" else 0)
            left = until - time.monotonic()
            if interval > left or not patience.is_for(said):
                raise _refusal(body, said, answer)
            patience.on_wait(left)
            self._network.pause(interval)

    def post(self, url: str, fields: t.Mapping[str, str]) -> dict[str, t.Any]:
        """The answer of another endpoint of the same authority to a form. Raises as request_token does."""
        until = time.monotonic() + self._network.retry_for
        answer = Transport(self._network).send(self._request(fields, url), until=until)
        body = json_object(answer)
        if answer.status == 200:
            return body
        raise _refusal(body, _service_answer(body, answer), answer)

    def _request(self, fields: t.Mapping[str, str], url: str | None = None) -> Request:
        # Entra repeats the client-request-id as correlation id, in its answer and in the sign-in log.
        headers = {
            "Accept": "application/json",
            "client-request-id": str(uuid.uuid4()),
            "return-client-request-id": "true",
        }
        return Request(url or self.url, "POST", headers, form=fields)


def json_object(answer: Answer) -> dict[str, t.Any]:
    """The JSON object in an answer; an empty one for an error without. Raises NetworkError where one has to be."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    if answer.status == 200:
        raise NetworkError(
            "The token endpoint answered 200, but not with a JSON object, so something else answered in its place.",
            hint="Look for a captive portal or an intercepting proxy; check authority.",
        )
    if answer.status == 429:
        raise _throttled(answer)
    if 300 <= answer.status < 400:
        raise NetworkError(
            f"The token endpoint answered with a redirect ({answer.status}), which a token request must not follow.",
            hint="Check authority; look for a captive portal or a proxy that wants a sign-in.",
        )
    return {}


def _throttled(answer: Answer) -> TokenRequestRefused:
    wait = f" It asks to wait {answer.retry_after:g} s." if answer.retry_after is not None else ""
    throttled = TokenRequestRefused(
        f"Entra has throttled this app's token requests (429 Too Many Requests) for longer than retry_for.{wait}",
        hint="Raise retry_for above that wait, and look for other jobs that ask for tokens without a cache.",
        answer=ServiceAnswer(error="too_many_requests", correlation_id=_text(answer.headers.get("client-request-id"))),
    )
    throttled.passes_after = _passes_after(answer)
    return throttled


def _passes_after(answer: Answer) -> float:
    return answer.retry_after or NetworkError.passes_after


def _interval(body: t.Mapping[str, t.Any], answer: Answer, current: float) -> float:
    named = _seconds(body.get("interval")) or answer.retry_after
    return max(named, 1.0) if named else current


def token_from(answer: Answer) -> Token:
    """The token in a 200 answer of a token endpoint (RFC 6749 section 5.1) or of a managed identity endpoint.

    Raises NetworkError for an answer that holds none.
    """
    body = json_object(answer)
    access_token, token_type = body.get("access_token"), body.get("token_type")
    if not isinstance(access_token, str) or not access_token:
        raise NetworkError(
            "The token endpoint answered 200 without an access token.",
            hint="Check authority: the answer is not one of Entra.",
        )
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise NetworkError(
            "The token endpoint issued a token that is not of the type Bearer.",
            hint="Turn off proof-of-possession for this app; this collection sends bearer tokens.",
        )
    asked_on = answer.asked_on
    refresh_in = _seconds(body.get("refresh_in"))
    refresh_token = body.get("refresh_token")
    return Token(
        access_token=access_token,
        issued_on=asked_on.epoch,
        expires_on=asked_on.epoch + _lifetime(body, asked_on.epoch),
        refresh_on=asked_on.epoch + refresh_in if refresh_in and refresh_in > 0 else None,
        boot_id=asked_on.boot_id,
        issued_at_uptime=asked_on.uptime,
        scope=str(body.get("scope") or ""),
        correlation_id=_text(answer.headers.get("client-request-id")),
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
    )


def _lifetime(body: t.Mapping[str, t.Any], asked_on: float) -> float:
    lifetime = _seconds(body.get("expires_in"))
    if lifetime is None:
        expires_on = _epoch(body.get("expires_on"))
        lifetime = expires_on - asked_on if expires_on else _DEFAULT_LIFETIME_SECONDS
    if lifetime <= 0:
        raise NetworkError(
            "The token endpoint issued a token that has already expired.",
            hint="Set this machine's clock, or check authority.",
        )
    return min(lifetime, _MAX_LIFETIME_SECONDS)


def _seconds(value: t.Any) -> float | None:
    """A number of seconds as int, float or numeric text, as the endpoints of Entra and its relatives send it."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _epoch(value: t.Any) -> float | None:
    """A point in time as seconds since the epoch, or as a date as App Service and Azure ML write it."""
    seconds = _seconds(value)
    if seconds is not None or not isinstance(value, str):
        return seconds
    for layout in ("%m/%d/%Y %H:%M:%S %z", "%m/%d/%Y %I:%M:%S %p %z"):
        with contextlib.suppress(ValueError, OverflowError):
            return datetime.datetime.strptime(value, layout).astimezone().timestamp()
    return None


def _refusal(body: t.Mapping[str, t.Any], said: ServiceAnswer, answer: Answer) -> TokenRequestRefused | NetworkError:
    hint = hint_for(said.error_codes, said.error)
    if said.error is None:
        return _unexplained(said, answer)
    sentence = _first_sentence(str(body.get("error_description") or ""))
    cause = f": {hint.cause}" if hint else ""
    refusal = TokenRequestRefused(
        f"Entra refused the token request: {sentence or 'it gave no description'} ({said.error}){cause}.",
        hint=hint.fix if hint else None,
        answer=said,
    )
    if answer.status == 429 or answer.status >= 500 or said.error in _ASK_AGAIN:
        refusal.passes_after = _passes_after(answer)
    return refusal


def _unexplained(said: ServiceAnswer, answer: Answer) -> TokenRequestRefused | NetworkError:
    if answer.status == 429:
        return _throttled(answer)
    failure = NetworkError(
        f"The token endpoint answered {answer.status} without a reason that could be read.",
        hint="Try again later; if it stays so, check authority and the proxy.",
        answer=said,
    )
    failure.passes_after = _passes_after(answer)
    return failure


def _service_answer(body: t.Mapping[str, t.Any], answer: Answer) -> ServiceAnswer:
    description = str(body.get("error_description") or "")
    listed = body.get("error_codes")
    codes = [code for code in listed if isinstance(code, int)] if isinstance(listed, list) else []
    codes += [int(code) for code in _CODE_IN_DESCRIPTION.findall(description[:_SHOWN_CHARACTERS])]
    return ServiceAnswer(
        error=_text(body.get("error")),
        suberror=_text(body.get("suberror")),
        error_codes=tuple(dict.fromkeys(codes)),
        correlation_id=_text(body.get("correlation_id")) or _text(answer.headers.get("client-request-id")),
        trace_id=_text(body.get("trace_id")) or _text(answer.headers.get("x-ms-request-id")),
        timestamp=_text(body.get("timestamp")),
    )


def _first_sentence(description: str) -> str:
    """The readable part of an error_description: without its ids, its line breaks, and at most some lines long."""
    readable = _IDS_IN_DESCRIPTION.sub("", description).split("\n")[0]
    sentence = re.split(r"(?<=[.!?])\s", readable, maxsplit=1)[0]
    return "".join(c for c in sentence if c.isprintable())[:_SHOWN_CHARACTERS].rstrip(". ")


def _text(value: t.Any) -> str | None:
    if not isinstance(value, str):
        return None
    return "".join(c for c in value if c.isprintable())[:_SHOWN_CHARACTERS] or None


__all__ = ("Patience", "TokenEndpoint", "json_object", "token_from")
