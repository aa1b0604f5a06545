# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An error of an API as one sentence, with its ids and the fix.

Shapes: Learn "Microsoft Graph error responses and resource types", ARM RPC "Error response content", RFC 6749
section 5.2, and the plain ``message`` of Azure DevOps.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, ErrorResponse, printable
from ansible_collections.entra.auth.plugins.module_utils._http.body import parse_json

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import Holder
    from ansible_collections.entra.auth.plugins.plugin_utils._api.token_mask import TokenMask

_SHOWN_DETAILS = 3
_MAX_DEPTH = 5
# The headers of Graph, ARM, storage and DevOps that identify a response for their support, the most precise first.
_REQUEST_IDS = ("request-id", "x-ms-request-id", "x-ms-correlation-request-id", "activityid")
_CORRELATION_IDS = ("client-request-id", "x-ms-correlation-request-id", "x-ms-client-request-id")


class ApiError(EntraAuthError):
    """An API responded, but not with success. ``result`` holds more fields for the failed task."""

    result: t.Mapping[str, t.Any] = {}

    def to_fields(self) -> dict[str, t.Any]:
        """Return the error as result fields: those of every error, and ``result``."""
        return {**super().to_fields(), **self.result}


def add_result(failure: EntraAuthError, fields: t.Mapping[str, t.Any]) -> ApiError:
    """Return an error with more fields for the failed task, as an ApiError."""
    whole = failure
    if not isinstance(whole, ApiError):
        whole = ApiError(failure.message, hint=failure.hint, response=failure.response)
        whole.request_summary, whole.from_cache = failure.request_summary, failure.from_cache
        whole.retry_after = failure.retry_after
    whole.result = {**whole.result, **fields}
    return whole


@dataclasses.dataclass(frozen=True)
class ServiceError:
    """An error body, reduced to what may be shown. ``code`` holds the codes of inner errors too, divided by " / "."""

    code: str | None = None
    message: str | None = None
    details: tuple[str, ...] = ()

    @property
    def codes(self) -> list[str]:
        """The codes, from the outer error to the inner ones."""
        return (self.code or "").split(" / ")

    def __str__(self) -> str:
        said = (self.message or "it gave no reason that could be read").rstrip(". ")
        listed = f"; details: {'; '.join(self.details)}" if self.details else ""
        return f"{said}{f' ({self.code})' if self.code else ''}{listed}"


def parse_error_body(body: bytes | t.Mapping[str, t.Any]) -> ServiceError:
    """Return the error in a body; an empty one for a body in no known shape, such as HTML."""
    try:
        content = parse_json(body) if isinstance(body, bytes) else body
    except ValueError:
        return ServiceError()
    if not isinstance(content, dict):
        return ServiceError()
    error = content.get("error")
    if isinstance(error, str):
        return ServiceError(_shorten(error), _shorten(content.get("error_description") or content.get("message")))
    inner = error if isinstance(error, dict) else content
    codes = tuple(dict.fromkeys(_list_codes(inner)))
    message = inner.get("message") or inner.get("Message")
    # Some batches and directory errors of Graph have {"lang": ..., "value": ...} as their message.
    message = message.get("value") if isinstance(message, dict) else message
    return ServiceError(" / ".join(codes) or None, _shorten(message), _list_details(inner))


def _list_codes(error: t.Mapping[str, t.Any], depth: int = 0) -> t.Iterator[str]:
    """Iterate over the codes of an error and of its inner errors, from the outer to the inner ones."""
    code = _shorten(error.get("code") or (error.get("typeKey") if depth == 0 else None))
    if code:
        yield code
    for name in ("innerError", "innererror"):
        if isinstance(error.get(name), dict) and depth < _MAX_DEPTH:
            yield from _list_codes(error[name], depth + 1)


def _list_details(error: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    listed = error.get("details")
    found = [detail for detail in listed if isinstance(detail, dict)] if isinstance(listed, list) else []
    words = [_format_detail(detail) for detail in found[:_SHOWN_DETAILS]]
    more = [f"and {len(found) - _SHOWN_DETAILS} more"] if len(found) > _SHOWN_DETAILS else []
    return tuple(word for word in (*words, *more) if word)


def _format_detail(detail: t.Mapping[str, t.Any]) -> str:
    target = _shorten(detail.get("target"))
    message = (_shorten(detail.get("message")) or "").rstrip(". ")
    return ": ".join(filter(None, (_shorten(detail.get("code")), message))) + (f" at {target}" if target else "")


def _shorten(text: t.Any) -> str | None:
    """Return one line that is safe to show; None for anything but text."""
    return printable(text) or None


def find_request_id(headers: t.Mapping[str, str]) -> str | None:
    """Return the id of a response for the API's support; None if the response has none."""
    return next((_shorten(headers[name]) for name in _REQUEST_IDS if headers.get(name)), None)


def build_error_response(headers: t.Mapping[str, str], error: ServiceError) -> ErrorResponse:
    """Return an API's error as the fields that every error has."""
    return ErrorResponse(
        error=error.code,
        correlation_id=next((_shorten(headers[name]) for name in _CORRELATION_IDS if headers.get(name)), None),
        trace_id=find_request_id(headers),
        timestamp=_shorten(headers.get("Date")),
    )


def build_api_error(response: ApiResponse, token: Holder | None, reason: str = "") -> ApiError:
    """Return the error for a response that is not a success.

    Args:
        response: The response; its texts are masked here, after they have been decoded.
        token: The holder of the token that was sent; None for a request without a token.
        reason: A sentence why the request is not repeated.
    """
    mask = response.mask
    error = _mask_error(parse_error_body(response.body), mask)
    roles = token.describe_roles() if token and response.status in (401, 403) else ""
    ended = token.describe_end() if token and response.status == 401 else ""
    explained = "".join(f" {sentence}" for sentence in (roles, ended, reason) if sentence)
    failure = ApiError(
        f"{response.request.safe_description} responded with {response.status}: {error}.{explained}",
        hint=find_hint(response.status, error, response.request.url),
        response=build_error_response(mask.mask_headers(response.headers), error),
    )
    failure.request_summary = token.describe_request() if token else None
    failure.result = {"status": response.status, "request_id": failure.response.trace_id}
    return failure


def _mask_error(error: ServiceError, mask: TokenMask) -> ServiceError:
    return ServiceError(
        error.code and mask.mask_text(error.code),
        error.message and mask.mask_text(error.message),
        tuple(map(mask.mask_text, error.details)),
    )


def find_hint(status: int, error: ServiceError, url: str = "") -> str:
    """Return the fix for an error: by its code, by its words, or else by the status.

    Args:
        status: The status code.
        error: The error in the body.
        url: The URL that was requested; words that speak of its query count only if it has one.
    """
    by_code = next((_HINTS_BY_CODE[code] for code in error.codes if code in _HINTS_BY_CODE), None)
    if by_code is None and status in (400, 401, 404):
        by_code = next((hint for pattern, hint in _HINTS_BY_WORDS if pattern.search(error.message or "")), None)
    if by_code is None and status == 400 and "$count" in url:
        by_code = _COUNT_HINT
    hint = by_code or _HINTS.get(status) or _HINTS.get(status // 100 * 100) or _HINTS[300]
    return hint.replace("STATUS", str(status))


_HINTS: t.Mapping[int, str] = {
    200: "Check whether the request took effect before you repeat it; if the response is a success, add STATUS to "
    "status_code.",
    300: "Check url: the address has moved, or another service responds in place of the API.",
    400: "Correct the request as the message says.",
    401: "Check that scope names this API, and that the tenant is the one of the resource.",
    403: "Grant the app the permission that this call needs, with admin consent, or a role assignment in Azure; then "
    "run once with force_refresh, because a token keeps the roles it was issued with.",
    404: "Check url; if the response is a success for you, add 404 to status_code.",
    405: "Check method and url.",
    409: "Check what exists already, or wait for the other operation to end.",
    410: "The resource no longer exists, or a link has expired: start again without it.",
    412: "Read the resource again and send its new ETag in If-Match.",
    413: "Send less at once.",
    415: "Set body_format, or Content-Type in headers.",
    423: "Wait until the resource is unlocked, or remove its lock.",
    429: "Raise retry_for above the wait that the API asks for, or send requests less often.",
    500: "Try again later; with the ids the API's support can find the cause.",
}

_COUNT_HINT = (
    "Add ConsistencyLevel: eventual to headers. Microsoft Graph needs it for $count, $search and advanced filters, and "
    "for filters $count=true in query as well."
)

_HINTS_BY_CODE: t.Mapping[str, str] = {
    "MissingApiVersionParameter": "Add api-version to query, as in query: {api-version: '2022-12-01'}.",
    "InvalidApiVersionParameter": "Use an api-version that this kind of resource has.",
    "InvalidAuthenticationTokenAudience": "Set scope to the API that is called: arm for Azure Resource Manager.",
    "InvalidAuthenticationTokenTenant": "Set tenant_id to the tenant of the subscription.",
    "AuthorizationFailed": "Give the app a role assignment at that scope in Azure; it takes some minutes to work.",
    "LinkedAuthorizationFailed": "Give the app a role assignment on the linked resource, too.",
    "SubscriptionNotFound": "Check the subscription's id, the cloud, and that the app has a role assignment in it.",
    "Request_UnsupportedQuery": f"Check $filter. {_COUNT_HINT}",
}

# Graph and others report most mistakes with a general code.
_HINTS_BY_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\$count\b|ConsistencyLevel"), _COUNT_HINT),
    (re.compile(r"\baudience\b", re.IGNORECASE), "Set scope to the API that is called; the token is for another one."),
    (re.compile(r"\AInvalid version"), "Begin the path with /v1.0 or /beta, as in /v1.0/users."),
)


__all__ = (
    "ApiError",
    "ServiceError",
    "add_result",
    "build_api_error",
    "build_error_response",
    "find_hint",
    "find_request_id",
    "parse_error_body",
)
