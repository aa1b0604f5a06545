# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an API says when it says no, as one sentence with its ids and the fix.

Shapes: Learn "Microsoft Graph error responses and resource types", ARM RPC "Error response content", RFC 6749
section 5.2, and the plain ``message`` of Azure DevOps.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, ErrorResponse, printable

_SHOWN_DETAILS = 3
_DEEPEST = 5
# Graph, ARM, storage and DevOps: what names an answer for their support, the most telling first.
_REQUEST_IDS = ("request-id", "x-ms-request-id", "x-ms-correlation-request-id", "activityid")
_CORRELATION_IDS = ("client-request-id", "x-ms-correlation-request-id", "x-ms-client-request-id")


class ApiError(EntraAuthError):
    """The API answered, and not as was hoped. ``result`` are more fields for the failed task."""

    result: t.Mapping[str, t.Any] = {}

    def to_fields(self) -> dict[str, t.Any]:
        """The error as result fields, those of every error and ``result``."""
        return {**super().to_fields(), **self.result}


@dataclasses.dataclass(frozen=True)
class ServiceError:
    """An error body reduced to what may be shown."""

    code: str | None = None
    message: str | None = None
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = (self.message or "it gave no reason that could be read").rstrip(". ")
        listed = f"; details: {'; '.join(self.details)}" if self.details else ""
        return f"{said}{f' ({self.code})' if self.code else ''}{listed}"


def parse_error_body(body: bytes | t.Mapping[str, t.Any]) -> ServiceError:
    """The complaint in an error body; an empty one where there is none in a known shape, as in HTML."""
    try:
        content = json.loads(body) if isinstance(body, bytes) else body
    except (ValueError, RecursionError):
        return ServiceError()
    if not isinstance(content, dict):
        return ServiceError()
    error = content.get("error")
    if isinstance(error, str):
        return ServiceError(_shown(error), _shown(content.get("error_description") or content.get("message")))
    inner = error if isinstance(error, dict) else content
    codes = tuple(dict.fromkeys(_codes(inner)))
    message = inner.get("message") or inner.get("Message")
    # Graph's batch and directory answers have {"lang": ..., "value": ...} for a message at times.
    message = message.get("value") if isinstance(message, dict) else message
    return ServiceError(" / ".join(codes) or None, _shown(message), _details(inner))


def _codes(error: t.Mapping[str, t.Any], depth: int = 0) -> t.Iterator[str]:
    """The code of an error and of the errors within, from the outside in."""
    code = _shown(error.get("code") or (error.get("typeKey") if depth == 0 else None))
    if code:
        yield code
    for name in ("innerError", "innererror"):
        if isinstance(error.get(name), dict) and depth < _DEEPEST:
            yield from _codes(error[name], depth + 1)


def _details(error: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    listed = error.get("details")
    found = [detail for detail in listed if isinstance(detail, dict)] if isinstance(listed, list) else []
    words = [_detail(detail) for detail in found[:_SHOWN_DETAILS]]
    more = [f"and {len(found) - _SHOWN_DETAILS} more"] if len(found) > _SHOWN_DETAILS else []
    return tuple(word for word in (*words, *more) if word)


def _detail(detail: t.Mapping[str, t.Any]) -> str:
    target = _shown(detail.get("target"))
    message = (_shown(detail.get("message")) or "").rstrip(". ")
    return ": ".join(filter(None, (_shown(detail.get("code")), message))) + (f" at {target}" if target else "")


def _shown(text: t.Any) -> str | None:
    """Return one line that is safe to show; None for anything that is not text."""
    return printable(text) or None


def find_request_id(headers: t.Mapping[str, str]) -> str | None:
    """What names an answer for the API's support."""
    return next((_shown(headers[name]) for name in _REQUEST_IDS if headers.get(name)), None)


def build_error_response(headers: t.Mapping[str, str], complaint: ServiceError) -> ErrorResponse:
    """What the API said, as the fields every error has."""
    return ErrorResponse(
        error=complaint.code,
        correlation_id=next((_shown(headers[name]) for name in _CORRELATION_IDS if headers.get(name)), None),
        trace_id=find_request_id(headers),
        timestamp=_shown(headers.get("Date")),
    )


def find_hint(status: int, complaint: ServiceError) -> str:
    """What to do about an answer."""
    codes = (complaint.code or "").split(" / ")
    by_code = next((_HINTS_BY_CODE[code] for code in codes if code in _HINTS_BY_CODE), None)
    hint = by_code or _HINTS.get(status) or _HINTS.get(status // 100 * 100) or _HINTS[300]
    return hint.replace("STATUS", str(status))


_HINTS: t.Mapping[int, str] = {
    200: "Look whether it took effect before you repeat it; where the answer is a good one too, add STATUS to "
    "status_code.",
    300: "Check url: the address has moved, or something else answers in the API's place.",
    400: "Correct the request as the message says.",
    401: "Check that scope names this API, and that the tenant is the one of the resource.",
    403: "Grant the app the permission that this call needs, with admin consent, or a role assignment in Azure; then "
    "ask once with force_refresh, because a token keeps the roles it was issued with.",
    404: "Check url; where the answer is a good one too, add 404 to status_code.",
    405: "Check method and url.",
    409: "Look at what is there already, or wait for the other operation to end.",
    410: "Start anew without the link: what it stood for has ended.",
    412: "Read the resource again and send its new ETag in If-Match.",
    413: "Send less at once.",
    415: "Set body_format, or Content-Type in headers.",
    423: "Wait until the resource is unlocked, or remove its lock.",
    429: "Raise retry_for above the wait that the API asks for, or ask less often.",
    500: "Try again later; with the ids the API's support can tell what went wrong.",
}

_HINTS_BY_CODE: t.Mapping[str, str] = {
    "MissingApiVersionParameter": "Add api-version to query, as in query: {api-version: '2022-12-01'}.",
    "InvalidApiVersionParameter": "Use an api-version that this kind of resource has.",
    "InvalidAuthenticationTokenAudience": "Set scope to the API that is called: arm for Azure Resource Manager.",
    "InvalidAuthenticationTokenTenant": "Set tenant_id to the tenant of the subscription.",
    "AuthorizationFailed": "Give the app a role assignment at that scope in Azure; it takes some minutes to work.",
    "LinkedAuthorizationFailed": "Give the app a role assignment on the linked resource, too.",
    "SubscriptionNotFound": "Check the subscription's id, the cloud, and that the app has a role assignment in it.",
    "Request_UnsupportedQuery": "Check $filter; advanced queries need the header ConsistencyLevel: eventual and "
    "$count=true in query.",
}


__all__ = ("ApiError", "ServiceError", "build_error_response", "find_hint", "find_request_id", "parse_error_body")
