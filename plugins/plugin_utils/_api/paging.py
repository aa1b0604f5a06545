# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follow a listing from page to page. Each page is parsed once and released before the next one is fetched.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import resolve_link, set_query
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.next_page import (
    BODY_TOKEN,
    SKIP_TOKEN,
    Next,
    find_list_name,
    find_next_by_link,
    find_next_in_headers,
    find_sign,
    is_link,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiSession

_LOG_EVERY_PAGES = 100


@dataclasses.dataclass(frozen=True)
class Page:
    """One page of a listing.

    Attributes:
        number: The number of the page, from 1.
        items: Its items.
        list_name: The member of its body that holds the items; None if the body itself is the list.
        rest: The other members of its body except links.
        response: The response that it came with.
    """

    number: int
    items: list[t.Any]
    list_name: str | None
    rest: dict[str, t.Any]
    response: ApiResponse


def iterate_pages(
    session: ApiSession, response: ApiResponse, content: t.Any, log_progress: t.Callable[[str], None]
) -> t.Iterator[Page]:
    """Yield all pages of a listing; each is requested when it is asked for.

    Args:
        session: Sends the requests for further pages.
        response: The response that is the first page.
        content: Its body, parsed.
        log_progress: Takes a sentence about the progress from time to time.

    Raises:
        ApiError: The listing is broken, or says that there is more without saying where.
        InputError: A link leads to a host that must not get the token.
        EntraAuthError: Sending a request failed.
    """
    listing = _Listing(session, response.request)
    number, count = 1, 0
    while True:
        page = listing.read_page(response, content, number)
        count += len(page.items)
        yield page
        following = listing.find_next(response, content, number)
        # Released while the next page is fetched and parsed.
        del page, content
        if following is None:
            return
        number += 1
        if number % _LOG_EVERY_PAGES == 0:
            log_progress(f"{count} items in {number - 1} pages so far")
        response, content = listing.fetch(following, response, number)


class _Listing:
    """The listing that a request began."""

    def __init__(self, session: ApiSession, request: ApiRequest) -> None:
        self._session = session
        self._first = request
        self._is_array = False
        self._list_name: str | None = None
        self._seen = {_get_key(request)}

    def read_page(self, response: ApiResponse, content: t.Any, number: int) -> Page:
        """Return the page that a response is. Raises ApiError if it has no list of items."""
        if number == 1:
            self._is_array = isinstance(content, list)
            self._list_name = None if self._is_array else find_list_name(content)
        if self._is_array and isinstance(content, list):
            return Page(number, content, None, {}, response)
        items = content.get(self._list_name) if isinstance(content, dict) else None
        if not self._is_array and isinstance(items, list):
            return Page(number, items, self._list_name, self._get_rest(content), response)
        raise ApiError(
            f"Page {number} of the listing has no list of items.",
            hint="Set paginate to false if this is not a listing; else look for a proxy that responds in its place.",
        )

    def _get_rest(self, content: dict[str, t.Any]) -> dict[str, t.Any]:
        return {name: value for name, value in content.items() if name != self._list_name and not is_link(name)}

    def find_next(self, response: ApiResponse, content: t.Any, number: int) -> Next | None:
        """Return how to request the page after this one; None for the last page. Raises ApiError."""
        members = content if isinstance(content, dict) else {}
        following = (
            find_next_by_link(members, number) or find_next_in_headers(response.headers) or self._find_token(members)
        )
        sign = None if following else find_sign(members, response.headers)
        if sign:
            raise ApiError(
                f"Page {number} of the listing says that there is more ({sign}), but not where.",
                hint="Set paginate to false, and request the next page in the way that the API documents.",
            )
        return following

    def _find_token(self, content: dict[str, t.Any]) -> Next | None:
        token = content.get(BODY_TOKEN)
        if token and isinstance(token, str):
            return Next(query=((BODY_TOKEN, token),))
        token = content.get(SKIP_TOKEN)
        return Next(body=_add_skip_token(self._first.body, token)) if token and isinstance(token, str) else None

    def fetch(self, following: Next, response: ApiResponse, number: int) -> tuple[ApiResponse, t.Any]:
        """Return the response that is page ``number``, and its content. Raises EntraAuthError."""
        label = f"Page {number} of the listing"
        link_label = f"The link to page {number}"
        request = _apply(following, response.request, link_label)
        self._refuse_circle(request, number)
        try:
            response = self._session.send(request)
            content = response.parse_json()
        except EntraAuthError as exc:
            failure = exc
        else:
            return response, content
        if not failure.message.startswith("The link"):
            failure.message = f"{label}: {failure.message}"
        raise failure

    def _refuse_circle(self, request: ApiRequest, number: int) -> None:
        key = _get_key(request)
        if key in self._seen:
            raise ApiError(
                f"The listing goes round in a circle: page {number} was there before.",
                hint="Send the request again; if it stays so, report it to the API's support.",
            )
        self._seen.add(key)


def _get_key(request: ApiRequest) -> int:
    return hash((request.url, request.body, tuple(request.headers.items())))


def _add_skip_token(body: t.Any, token: str) -> bytes | None:
    """Return the body of a query of Azure Resource Graph with the token of the next page."""
    query: t.Any = None
    if isinstance(body, bytes):
        with contextlib.suppress(ValueError):
            query = json.loads(body)
    if not isinstance(query, dict):
        return None
    options = query.get("options")
    merged = {**(options if isinstance(options, dict) else {}), SKIP_TOKEN: token}
    return json.dumps({**query, "options": merged}).encode()


def _apply(following: Next, request: ApiRequest, label: str) -> ApiRequest:
    """Return the request for the next page: like the one before, with its method, headers and body."""
    url = request.url
    if following.link:
        url = resolve_link(url, following.link, label)
    if following.query:
        url = set_query(url, dict(following.query))
    return dataclasses.replace(
        request,
        url=url,
        headers={**request.headers, **dict(following.headers)},
        body=request.body if following.body is None else following.body,
        label=label,
        origin="next_link",
    )


__all__ = ("Page", "iterate_pages")
