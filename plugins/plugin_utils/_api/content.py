# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a response holds, as result fields.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError, find_request_id, parse_error_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.next_page import has_next_page
from ansible_collections.entra.auth.plugins.plugin_utils._api.operation_state import is_error

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiResponse

# Learn "List Blobs": an element with text names the next page.
_NEXT_MARKER = re.compile(r"<NextMarker>[^<\s]")


def describe_response(response: ApiResponse) -> dict[str, t.Any]:
    """Return the fields of every response: ``status``, ``headers`` with names in lower case, ``request_id``."""
    headers = {name.lower(): value for name, value in response.headers.items() if name.lower() != "set-cookie"}
    return {"status": response.status, "headers": headers, "request_id": find_request_id(response.headers)}


def refuse_error(response: ApiResponse, content: t.Any) -> None:
    """Raise ApiError if a response with a good status has an error as its whole content."""
    if 200 <= response.status < 300 and is_error(content):
        error = parse_error_body(content)
        raise _build_error(response, f"and an error: {error}", "Correct what the message says.")


def read_response_text(response: ApiResponse, *, paginate: bool, any_kind: bool) -> str | None:
    """Return the text of a response that is not JSON; None without a body.

    Args:
        response: The response.
        paginate: Whether to refuse a page of a listing in a format that can't be followed.
        any_kind: Whether to return None for a response that is not text, or for a page of a portal or proxy.

    Raises:
        ApiError: The response is not text, or not the whole listing.
    """
    if not response.body:
        return None
    kind = response.content_type
    if "html" not in kind and (kind.startswith("text/") or kind.endswith("xml")):
        text = response.decode_text()
        if paginate and (has_next_page(response.headers) or _NEXT_MARKER.search(text)):
            raise _build_error(
                response,
                "and one page of a listing in a format that entra.auth can't follow",
                "Set paginate to false, and request the next page in the way that the API documents.",
            )
        return text
    if any_kind:
        return None
    if "html" in kind:
        raise _build_error(
            response,
            "and HTML, so another program responded in its place",
            "Look for a captive portal or an intercepting proxy; check url.",
        )
    raise _build_error(response, f"and {kind or 'data of no named type'}, not JSON", "Write it to a file with dest.")


def _build_error(response: ApiResponse, what: str, hint: str) -> ApiError:
    failure = ApiError(f"{response.request.safe_description} responded with {response.status} {what}.", hint=hint)
    failure.result = describe_response(response)
    return failure


__all__ = ("describe_response", "read_response_text", "refuse_error")
