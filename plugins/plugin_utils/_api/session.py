# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking an API: one kept-alive session, a valid token for each exchange, and the token for that API alone.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import re
import time
import typing as t
import urllib.parse
import uuid

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http.body import read_body
from ansible_collections.entra.auth.plugins.module_utils._http.transport import (
    Request,
    Transport,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import resolve_link
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import (
    ApiError,
    build_error_response,
    find_hint,
    find_request_id,
    parse_error_body,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import Origin

if t.TYPE_CHECKING:  # pragma: no cover
    import requests

    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._http.transport import Response
    from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import HostPin
    from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import TokenHolder

# The largest answers known, those of Log Analytics queries, end at 100 MB.
_MAX_ANSWER_BYTES = 128 * 1024 * 1024
_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_SAFE = ("GET", "HEAD", "OPTIONS")
_IDEMPOTENT = (*_SAFE, "PUT", "DELETE")
# Learn "Microsoft Graph throttling guidance" and ARM RPC: what was refused for being too much may always be repeated;
# what may have taken effect only where that makes no difference.
_RETRIED = (429, 503)
_RETRIED_IF_IDEMPOTENT = (408, 429, 500, 502, 503, 504, 509)
_MASK = "********"
_TELLING_CHARACTERS = 20
_WITH_DEST = "have it written to a file with dest"

Reader = t.Callable[["requests.Response", float], bytes]


@dataclasses.dataclass(frozen=True)
class ApiRequest:
    """A request without its token. ``anonymous`` ones go out without one: their URL is signed itself.

    ``is_download`` may be answered by a redirect to such a URL, anywhere. ``what`` names it in a failure.
    """

    method: str
    url: str
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | t.Callable[[], t.BinaryIO] | None = dataclasses.field(default=None, repr=False)
    repeatable: bool = False
    anonymous: bool = False
    is_download: bool = False
    read: Reader | None = None
    label: str = "url"

    @property
    def is_idempotent(self) -> bool:
        """Whether sending it twice does what sending it once does (RFC 9110 section 9.2.2)."""
        return self.repeatable or self.method in _IDEMPOTENT

    @property
    def safe_description(self) -> str:
        """Method and URL in words, without the query, which may hold a signature."""
        parts = urllib.parse.urlsplit(self.url)
        return f"{self.method} {parts.scheme}://{parts.netloc}{parts.path}"


@dataclasses.dataclass(frozen=True)
class ApiResponse:
    """An answer that was expected, to the request that was sent last."""

    request: ApiRequest
    status: int
    headers: t.Mapping[str, str]
    body: bytes = dataclasses.field(repr=False)
    retry_after: float | None = None

    @functools.cached_property
    def content_type(self) -> str:
        """The media type in lower case, empty where none is named."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether the answer says that it is JSON, or says nothing and looks like it."""
        return bool(re.search(r"[/+]json$", self.content_type)) or (
            not self.content_type and self.body.lstrip()[:1] in (b"{", b"[")
        )

    def parse_json(self) -> t.Any:
        """What the answer holds, parsed anew; None without a body. Raises ApiError where it is not JSON."""
        if not self.body:
            return None
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(self.body)
        raise ApiError(
            f"{self.request.safe_description} was answered {self.status} with JSON that can't be read: it may be cut off.",
            hint="Ask again; if it stays so, look for a proxy that cuts answers short.",
        )


class ApiSession:
    """Sends requests with the token that is held; ``expects`` tells good statuses from bad ones."""

    def __init__(
        self,
        token: TokenHolder,
        pin: HostPin,
        network: NetworkSettings,
        expects: t.Callable[[int], bool],
        *,
        is_graph: bool,
    ) -> None:
        self.token = token
        self.pin = pin
        self.is_graph = is_graph
        self._network = network
        self._expects = expects
        self._transport = Transport(network)

    def send(self, request: ApiRequest, *, accept: t.Container[int] = ()) -> ApiResponse:
        """The answer to a request, redirects followed where they may be, good by its status or one of ``accept``.

        Raises ApiError for any other, NetworkError, and what asking for a token raises.
        """
        for _dummy in range(_MAX_REDIRECTS + 1):
            response = self._authorized(request, accept)
            following = self._following(request, response)
            if following is None:
                return self._good(request, response, accept)
            request = following
        raise ApiError(
            f"{request.safe_description}: more than {_MAX_REDIRECTS} redirects in a row.",
            hint="Check url; it leads in a circle.",
        )

    def _good(self, request: ApiRequest, response: Response, accept: t.Container[int]) -> ApiResponse:
        if not self._expects(response.status) and response.status not in accept:
            raise self._refusal(request, response)
        return ApiResponse(request, response.status, response.headers, response.body, response.retry_after)

    def _masked(self, response: Response) -> Response:
        """The answer without the token: some services send back what they were sent."""
        token = self.token.current_value
        if not token:
            return response
        headers: t.Any = response.headers
        for name in [name for name, value in headers.items() if token in value]:
            headers[name] = headers[name].replace(token, _MASK)
        return dataclasses.replace(response, body=response.body.replace(token.encode(), _MASK.encode()))

    def _authorized(self, request: ApiRequest, accept: t.Container[int]) -> Response:
        until = time.monotonic() + self._network.retry_for
        if request.anonymous:
            return self._send(request, {}, until, accept)
        self.pin.check(request.url, request.label)
        renewed: set[bool] = set()
        while True:
            headers = {"Authorization": self.token.get_token().token.authorization}
            response = self._send(request, headers, until, accept)
            if response.status != 401 or self._expects(401):
                return response
            claims = claims_challenge(response.headers.get("WWW-Authenticate", ""))
            if bool(claims) in renewed:
                return response
            renewed.add(bool(claims))
            self.token.renew(claims)

    def _send(
        self, request: ApiRequest, headers: t.Mapping[str, str], until: float, accept: t.Container[int]
    ) -> Response:
        retried = _RETRIED_IF_IDEMPOTENT if request.is_idempotent else _RETRIED
        wire = Request(
            request.url,
            request.method,
            {**_ids(), **request.headers, **headers},
            body=request.body,
            repeatable=request.is_idempotent,
            retried_statuses=tuple(one for one in retried if not self._expects(one) and one not in accept),
            read=request.read or read_bounded,
        )
        try:
            return self._masked(self._transport.send(wire, until=until))
        except NetworkError as exc:
            failure = exc
        if beginning := re.escape(self.token.current_value[:_TELLING_CHARACTERS]):
            # It may quote what came back, cut off anywhere.
            failure.message = re.sub(rf"{beginning}[\w.~+/=-]*", _MASK, failure.message)
        if not request.is_idempotent:
            failure.hint = f"Look whether it took effect before you repeat it. {failure.hint}"
        raise failure

    def _following(self, request: ApiRequest, response: Response) -> ApiRequest | None:
        """What a redirect leads to; None for an answer that is none. Raises InputError where it must not lead."""
        location = response.headers.get("Location")
        if response.status not in _REDIRECTS or not location or self._expects(response.status):
            return None
        if request.method not in _SAFE and response.status not in (307, 308):
            return None
        label = f"The redirect of {request.safe_description}"
        url = resolve_link(request.url, location, label)
        following = dataclasses.replace(request, url=url, label=label)
        if request.anonymous:
            return _private(following)
        if self.pin.allows(url):
            return following
        # What writes would take its body along.
        if request.is_download and request.method in _SAFE and Origin.is_private_at(url):
            # Nothing of the request travels along but the wish for the content: no token, no header.
            return dataclasses.replace(following, headers={}, anonymous=True)
        return following

    def _refusal(self, request: ApiRequest, response: Response) -> ApiError:
        complaint = parse_error_body(response.body)
        failure = ApiError(
            f"{request.safe_description} was answered {response.status}: {complaint}.{self._explained(response)}",
            hint=find_hint(response.status, complaint),
            response=build_error_response(response.headers, complaint),
        )
        failure.request_summary = self.token.describe_request()
        failure.result = {"status": response.status, "request_id": find_request_id(response.headers)}
        return failure

    def _explained(self, response: Response) -> str:
        if response.status in (401, 403):
            return f" {self.token.describe_roles()}"
        if response.status == 429 and response.retry_after:
            return (
                f" It asks to wait {response.retry_after:.0f} s, longer than retry_for ({self._network.retry_for:g} s)."
            )
        return ""


def _private(request: ApiRequest) -> ApiRequest:
    """A request without the token. Raises ApiError where it would travel in the clear."""
    if Origin.is_private_at(request.url):
        return request
    raise ApiError(
        f"{request.label} leads to {Origin.parse(request.url) or 'no plain URL'}, which is not https.",
        hint="Check url; it is the API, or a proxy, that names such an address.",
    )


def _ids() -> dict[str, str]:
    # Graph and ARM each repeat theirs in the answer and in their logs.
    unique = str(uuid.uuid4())
    return {"client-request-id": unique, "x-ms-client-request-id": unique, "x-ms-return-client-request-id": "true"}


def read_bounded(response: requests.Response, until: float, otherwise: str = _WITH_DEST) -> bytes:
    """The whole body; refused early where its announced length is too much already. Raises ApiError.

    ``otherwise`` is what helps besides asking for less.
    """
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > _MAX_ANSWER_BYTES:
        raise _too_large(response, f"{int(announced)} bytes", otherwise)
    too_large = _too_large(response, "no end", otherwise)
    return read_body(response, until, _MAX_ANSWER_BYTES, too_large)


def _too_large(response: requests.Response, size: str, otherwise: str) -> ApiError:
    parts = urllib.parse.urlsplit(str(response.url))
    return ApiError(
        f"The answer of {parts.netloc}{parts.path} has {size}, and {_MAX_ANSWER_BYTES} bytes are the most to be taken.",
        hint=f"Ask for less with $select, $top or a filter, or {otherwise}.",
    )


def claims_challenge(header: str) -> str | None:
    """The claims in a WWW-Authenticate header (Learn "Claims challenges, claims requests"), in base64; None without."""
    match = re.search(r'(?:^|[\s,])claims\s*=\s*(?:"([^"]+)"|([^\s,"]+))', header, re.IGNORECASE)
    return (match[1] or match[2]) if match else None


__all__ = ("ApiRequest", "ApiResponse", "ApiSession", "claims_challenge", "read_bounded")
