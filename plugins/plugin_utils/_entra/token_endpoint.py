# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token endpoint: one POST, and its response as a token or as an error that says what to do.

RFC 6749 sections 5.1 and 5.2, with the additions of Entra (Learn, "Microsoft identity platform error codes").

A service may repeat what it was sent. So the secrets of a request are masked in its response before anything reads it,
and no error, warning, field or cache entry can hold them.

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
from ansible_collections.entra.auth.plugins.module_utils._secrets import register_secrets
from ansible_collections.entra.auth.plugins.module_utils._token_response import (
    find_error_codes,
    mask_response,
    parse_json_object,
    parse_token_response,
    to_seconds,
)
from ansible_collections.entra.auth.plugins.plugin_utils._entra.aadsts_requests import VAGUE
from ansible_collections.entra.auth.plugins.plugin_utils._entra.hints import find_code_hint, find_hint, identify_issuer

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Response
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

Form = t.Mapping[str, str]

# Of a token request. Any other field is taken for a secret.
_PUBLIC_FIELDS = frozenset({"grant_type", "client_id", "scope", "client_assertion_type", "claims"})
# RFC 8628 section 3.5: poll every 5 seconds if the server names no interval; slow_down adds 5.
_DEFAULT_INTERVAL_SECONDS = 5
_SLOW_DOWN_SECONDS = 5
_PENDING_ERRORS = frozenset({"authorization_pending", "slow_down", "temporarily_unavailable"})
# Entra ends the readable part of a description with its ids. Without the white space before them, for which the time to
# search a description of nothing else would grow with the square of its length.
_IDS_IN_DESCRIPTION = re.compile(r"(Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)
_SHOWN_CHARACTERS = 1000


@dataclasses.dataclass(frozen=True)
class PollPolicy:
    """How to repeat a request while its response is that the user has not finished a sign-in.

    Attributes:
        interval: The seconds between two requests, if the endpoint names no other.
        seconds: The seconds for all requests; None for ``retry_for``.
        on_wait: Is called before each pause with the seconds that are left.
    """

    interval: float = _DEFAULT_INTERVAL_SECONDS
    seconds: float | None = None
    on_wait: t.Callable[[float], None] = lambda seconds_left: None


class TokenEndpoint:
    """The token endpoint of one tenant."""

    def __init__(self, url: str, network: NetworkSettings, proof: str = "?") -> None:
        """Take the endpoint's URL, how to reach it, and where the app's proof comes from (see hints.PROOFS)."""
        self.url = url
        self._network = network
        self._proof = proof

    def request_token(self, build_form: t.Callable[[], Form], policy: PollPolicy | None = None) -> Token:
        """Request a token, for as long as the response is to try again (RFC 8628 section 3.5).

        Args:
            build_form: Returns the fields of the request; it is called for each request.
            policy: How to repeat the request.

        Returns:
            The token. Its secrets are registered with ansible-core.

        Raises:
            TokenRequestRefused: The service refuses the request.
            NetworkError: There is no response, or not one of a token endpoint.
            MissingLibraryError: requests is not installed.
        """
        policy = policy or PollPolicy()
        transport = Transport(self._network)
        until = time.monotonic() + (self._network.retry_for if policy.seconds is None else policy.seconds)
        interval = policy.interval
        while True:
            response = self._post(transport, self.url, build_form(), until)
            if response.status == 200:
                token = parse_token_response(response)
                register_secrets(token.access_token, token.refresh_token)
                return token
            refusal = self._build_refusal(response)
            error = refusal.response.error
            interval = _choose_interval(response, interval) + (_SLOW_DOWN_SECONDS if error == "slow_down" else 0)
            left = until - time.monotonic()
            if interval > left or error not in _PENDING_ERRORS:
                raise refusal
            policy.on_wait(left)
            time.sleep(interval)

    def post(self, url: str, form: Form) -> dict[str, t.Any]:
        """Return the response of another endpoint of the same authority to a form. Raises as request_token does."""
        response = self._post(Transport(self._network), url, form, time.monotonic() + self._network.retry_for)
        if response.status == 200:
            return parse_json_object(response)
        raise self._build_refusal(response)

    def _post(self, transport: Transport, url: str, form: Form, until: float) -> Response:
        """Send a form, and return the response without the secrets that were sent."""
        secrets = [value for name, value in form.items() if name not in _PUBLIC_FIELDS]
        register_secrets(*secrets)
        # Entra repeats the client-request-id as correlation id, in its response and in the sign-in log.
        headers = {
            "Accept": "application/json",
            "client-request-id": str(uuid.uuid4()),
            "return-client-request-id": "true",
        }
        return mask_response(transport.send(Request(url, "POST", headers, form=form), until=until), secrets)

    def _build_refusal(self, response: Response) -> TokenRequestRefused | NetworkError:
        body = parse_json_object(response)
        parsed = _parse_error(body, response)
        description = _get_text(body, "error_description")
        if parsed.error is None and not parsed.error_codes:
            return _build_unexplained(parsed, response)
        issuer = identify_issuer(self.url, description)
        hint = find_hint(parsed.error_codes, parsed.error, issuer, self._proof)
        known = find_code_hint(parsed.error_codes) is not None and VAGUE.isdisjoint(parsed.error_codes)
        reason = _shorten(description, to_first_sentence=known) or "it gave no description"
        refusal = TokenRequestRefused(
            f"{issuer.value} refused the token request: {reason} ({parsed.error or response.status})"
            f"{f': {hint.cause}' if hint.cause else ''}.",
            hint=hint.fix,
            response=parsed,
        )
        if response.status == 429 or response.status >= 500 or parsed.error in _PENDING_ERRORS:
            refusal.retry_after = _choose_retry_after(response)
        return refusal


def _build_unexplained(parsed: ErrorResponse, response: Response) -> TokenRequestRefused | NetworkError:
    failure: TokenRequestRefused | NetworkError
    if response.status == 429:
        wait = f" It asks to wait {response.retry_after:g} s." if response.retry_after is not None else ""
        failure = TokenRequestRefused(
            f"Entra has throttled this app's token requests (429 Too Many Requests) for longer than retry_for.{wait}",
            hint="Raise retry_for above that wait, and look for other jobs that request tokens without a cache.",
            response=dataclasses.replace(parsed, error="too_many_requests"),
        )
    else:
        failure = NetworkError(
            f"The token endpoint responded with {response.status} and no reason that could be read.",
            hint="Try again later; if it stays so, check authority and the proxy."
            if response.status >= 500
            else "Find out what responded there: check authority and the proxy.",
            response=parsed,
        )
    failure.retry_after = _choose_retry_after(response)
    return failure


def _choose_retry_after(response: Response) -> float:
    return response.retry_after or NetworkError.retry_after


def _choose_interval(response: Response, current: float) -> float:
    named = to_seconds(parse_json_object(response).get("interval")) or response.retry_after
    return max(named, 1.0) if named else current


def _parse_error(body: t.Mapping[str, t.Any], response: Response) -> ErrorResponse:
    listed = body.get("error_codes")
    codes = (
        [code for code in listed if isinstance(code, int) and not isinstance(code, bool)]
        if isinstance(listed, list)
        else []
    )
    found = find_error_codes(_get_text(body, "error_description")[:_SHOWN_CHARACTERS])
    shown = {name: printable(body.get(name)) or None for name in ("error", "suberror", "timestamp")}
    headers = response.headers
    return ErrorResponse(
        **shown,
        error_codes=tuple(dict.fromkeys([*codes, *found])),
        correlation_id=printable(body.get("correlation_id")) or printable(headers.get("client-request-id")) or None,
        trace_id=printable(body.get("trace_id")) or printable(headers.get("x-ms-request-id")) or None,
    )


def _get_text(body: t.Mapping[str, t.Any], name: str) -> str:
    """Return a field that is a text; empty for anything else."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _shorten(description: str, *, to_first_sentence: bool) -> str:
    """Return the readable part of an error_description: in one line and without its ids, at most some lines long."""
    readable = _IDS_IN_DESCRIPTION.sub("", description)
    if to_first_sentence:
        readable = re.split(r"(?<=[.!?])\s", readable.split("\n")[0], maxsplit=1)[0]
    return printable(readable, _SHOWN_CHARACTERS).rstrip(". ")


__all__ = ("PollPolicy", "TokenEndpoint")
