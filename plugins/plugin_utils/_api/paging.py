# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follow a listing from page to page. Each page is parsed once and released before the next one is fetched.

A page is the last one only if neither its body nor its headers say that there is more. Sources of the ways to say so:
Learn "Paging Microsoft Graph data in your app", ARM RPC "Resource API: pagination", Azure DevOps "Core: Projects -
List", "Query timeout and pagination" of Azure Table storage, "Common REST request headers" of Azure Cosmos DB,
"Office 365 Management Activity API reference", "Search Documents" of Azure AI Search, "Working with large data sets"
of Azure Resource Graph, and RFC 8288 for the header Link.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import resolve_link, set_query
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiSession

Headers = t.Mapping[str, str]

_VALUE = "value"
# Graph and most of OData 4; ARM and the data planes of Azure; OData 3; Power BI and Fabric.
_LINKS = ("@odata.nextLink", "nextLink", "odata.nextLink", "continuationUri")
# What other services call it; it counts beside a list only, because a single resource may have such a property.
_OTHER_LINK = re.compile(r"@?(odata\.)?next_?(page_?)?(link|uri|url)|@?continuation_?(link|url)", re.IGNORECASE)
_SEARCH_BODY = "@search.nextPageParameters"
_BODY_TOKEN = "continuationToken"  # noqa: S105 - the name of a property, not a secret
_SKIP_TOKEN = "$skipToken"  # noqa: S105 - the name of a property, not a secret
_MORE = ("hasMore", "hasMoreItems", "hasMoreResults", "has_more")
_NOT_REST = frozenset((*_LINKS, _SEARCH_BODY, _BODY_TOKEN, _SKIP_TOKEN))

_LINK_HEADER = "NextPageUri"
_TOKEN_HEADER = "x-ms-continuationtoken"  # noqa: S105 - the name of a header, not a secret
_COSMOS_HEADER = "x-ms-continuation"
_TABLE_HEADER = re.compile(r"x-ms-continuation-(next\w+)", re.IGNORECASE)
_RELATION = re.compile(r"""\brel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))""", re.IGNORECASE)
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


@dataclasses.dataclass(frozen=True)
class _Next:
    """How the request for the next page differs from the one before."""

    link: str | None = None
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


def is_listing(content: t.Any, headers: Headers) -> bool:
    """Return whether a response is a page of a listing: a list, a list in ``value``, or one with a next page."""
    if isinstance(content, list):
        return True
    if not isinstance(content, dict):
        return False
    if isinstance(content.get(_VALUE), list) or any(content.get(name) for name in _LINKS):
        return True
    # The other signs may have another meaning on a single resource.
    return _find_list_name(content) is not None and (
        any(content.get(name) for name in (_BODY_TOKEN, _SKIP_TOKEN, *_MORE))
        or _find_other_link(content) is not None
        or has_next_page(headers)
    )


def names_next_page(content: t.Any, headers: Headers) -> bool:
    """Return whether a response says, in its content or its headers, that a next page follows it."""
    members = content if isinstance(content, dict) else {}
    signs = (*_LINKS, *((_BODY_TOKEN, _SKIP_TOKEN, *_MORE) if is_listing(content, headers) else ()))
    return any(members.get(name) for name in signs) or has_next_page(headers)


def has_next_page(headers: Headers) -> bool:
    """Return whether the headers of a response name a next page."""
    return _find_next_in_headers(headers) is not None


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
            self._list_name = None if self._is_array else _find_list_name(content)
        if self._is_array and isinstance(content, list):
            return Page(number, content, None, {}, response)
        items = content.get(self._list_name) if isinstance(content, dict) else None
        if not self._is_array and isinstance(items, list):
            return Page(number, items, self._list_name, self._get_rest(content), response)
        raise ApiError(
            f"Page {number} of the listing has no list of items.",
            hint="Set paginate to false if this is not a listing; else look for a proxy that answers in its place.",
        )

    def _get_rest(self, content: dict[str, t.Any]) -> dict[str, t.Any]:
        return {
            name: value
            for name, value in content.items()
            if name != self._list_name and name not in _NOT_REST and not _OTHER_LINK.fullmatch(name)
        }

    def find_next(self, response: ApiResponse, content: t.Any, number: int) -> _Next | None:
        """Return how to request the page after this one; None for the last page. Raises ApiError."""
        members = content if isinstance(content, dict) else {}
        following = (
            _find_next_by_link(members, number) or _find_next_in_headers(response.headers) or self._find_token(members)
        )
        if following is None and any(members.get(name) is True for name in _MORE):
            raise ApiError(
                f"Page {number} of the listing says that there is more, but not where.",
                hint="Set paginate to false, and request the next page in the way that the API documents.",
            )
        return following

    def _find_token(self, content: dict[str, t.Any]) -> _Next | None:
        token = content.get(_BODY_TOKEN)
        if token and isinstance(token, str):
            return _Next(query=((_BODY_TOKEN, token),))
        token = content.get(_SKIP_TOKEN)
        return _Next(body=_add_skip_token(self._first.body, token)) if token and isinstance(token, str) else None

    def fetch(self, following: _Next, response: ApiResponse, number: int) -> tuple[ApiResponse, t.Any]:
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


def _find_list_name(content: dict[str, t.Any]) -> str | None:
    """Return the member that holds the items: ``value``, or else the only list."""
    if _VALUE in content:
        return _VALUE
    names = [name for name, value in content.items() if isinstance(value, list)]
    return names[0] if len(names) == 1 else None


def _find_other_link(content: dict[str, t.Any]) -> str | None:
    return next((name for name in content if content[name] and _OTHER_LINK.fullmatch(name)), None)


def _find_next_by_link(content: dict[str, t.Any], number: int) -> _Next | None:
    # Null and the empty text mean the same as no link: the end.
    name = next((name for name in _LINKS if content.get(name)), None) or _find_other_link(content)
    if name is None:
        return None
    link = content[name]
    if not isinstance(link, str):
        raise ApiError(
            f"Page {number} of the listing has a link to the next page that is not text ({name}).",
            hint="Set paginate to false if this is not a listing; else it is a fault of the API.",
        )
    search = content.get(_SEARCH_BODY)
    return _Next(link=link, body=json.dumps(search).encode() if isinstance(search, dict) else None)


def _find_next_in_headers(headers: Headers) -> _Next | None:
    """Return the next page that the headers of a response name."""
    link = headers.get(_LINK_HEADER) or _find_related(headers.get("Link", ""))
    if link:
        return _Next(link=link)
    if headers.get(_TOKEN_HEADER):
        return _Next(query=((_BODY_TOKEN, headers[_TOKEN_HEADER]),))
    if headers.get(_COSMOS_HEADER):
        return _Next(headers=((_COSMOS_HEADER, headers[_COSMOS_HEADER]),))
    found = {match[1]: value for name, value in headers.items() if value and (match := _TABLE_HEADER.fullmatch(name))}
    return _Next(query=tuple(found.items())) if found else None


def _find_related(header: str) -> str | None:
    """Return the target of ``rel="next"`` in a header Link (RFC 8288 section 3)."""
    for part in re.split(r",\s*(?=<)", header):
        target = re.match(r"\s*<([^>]*)>(.*)", part, re.DOTALL)
        relation = _RELATION.search(target[2]) if target else None
        if target and relation and "next" in (relation[1] or relation[2]).lower().split():
            return target[1]
    return None


def _add_skip_token(body: t.Any, token: str) -> bytes | None:
    """Return the body of a query of Azure Resource Graph with the token of the next page."""
    query: t.Any = None
    if isinstance(body, bytes):
        with contextlib.suppress(ValueError):
            query = json.loads(body)
    if not isinstance(query, dict):
        return None
    options = query.get("options")
    merged = {**(options if isinstance(options, dict) else {}), _SKIP_TOKEN: token}
    return json.dumps({**query, "options": merged}).encode()


def _apply(following: _Next, request: ApiRequest, label: str) -> ApiRequest:
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


__all__ = ("Page", "has_next_page", "is_listing", "iterate_pages", "names_next_page")
