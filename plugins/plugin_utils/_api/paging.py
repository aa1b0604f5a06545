# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following a listing from page to page, each parsed once and let go of.

Learn "Paging Microsoft Graph data in your app" and ARM RPC "Resource API: pagination": a link is absolute and opaque,
a page may be empty, and only a page without a link is the last one.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import resolve_link
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiResponse, ApiSession

_ITEMS = "value"
# Graph and most of OData 4; ARM and the data planes of Azure; OData 3; Power BI and Fabric.
_LINKS = ("@odata.nextLink", "nextLink", "odata.nextLink", "continuationUri")
_TELL_EVERY_PAGES = 100


@dataclasses.dataclass(frozen=True)
class Page:
    """One page: its ``items``, and ``rest``, whatever its answer holds beside them and the link."""

    number: int
    items: list[t.Any]
    rest: dict[str, t.Any]
    response: ApiResponse


def is_listing(content: t.Any) -> bool:
    """Whether what an answer holds is a page of a listing."""
    return isinstance(content, dict) and (isinstance(content.get(_ITEMS), list) or _link(content) is not None)


def pages(
    session: ApiSession, response: ApiResponse, content: t.Any, tell: t.Callable[[str], None]
) -> t.Iterator[Page]:
    """All pages, from the ``content`` of the first answer on, asked for one by one as they are taken.

    ``tell`` is given the progress from time to time. Raises ApiError for a listing that is broken, InputError for a
    link that leads where the token must not go, and whatever asking raises.
    """
    seen: set[int] = set()
    number, count = 1, 0
    while True:
        link = _link(content)
        items = _items(content, number)
        count += len(items)
        yield Page(number, items, {name: value for name, value in content.items() if name not in _NOT_REST}, response)
        # Not held while the next page is fetched and parsed.
        del items, content
        if link is None:
            return
        number += 1
        if hash(link) in seen:
            raise ApiError(
                f"The listing goes round in a circle: page {number} was there before.",
                hint="Ask again; if it stays so, it is a fault of the API, which its support can look at.",
            )
        seen.add(hash(link))
        if number % _TELL_EVERY_PAGES == 0:
            tell(f"{count} items in {number - 1} pages so far")
        response, content = _next(session, response, link, number)


_NOT_REST = frozenset((_ITEMS, *_LINKS))


def _link(content: t.Mapping[str, t.Any]) -> str | None:
    # Null and the empty string mean the same as none: the end.
    return next((link for link in map(content.get, _LINKS) if isinstance(link, str) and link), None)


def _items(content: t.Any, number: int) -> list[t.Any]:
    items = content.get(_ITEMS)
    if isinstance(items, list):
        return items
    raise ApiError(
        f"Page {number} of the listing has no list of items.",
        hint="Set paginate to false if this is no listing; else it is a fault of the API.",
    )


def _next(session: ApiSession, response: ApiResponse, link: str, number: int) -> tuple[ApiResponse, dict[str, t.Any]]:
    """The next page's answer and content, asked for as the first was: with its method, headers and body."""
    label = f"Page {number} of the listing"
    what_link = f"The link to page {number}"
    request = dataclasses.replace(
        response.request, url=resolve_link(response.request.url, link, what_link), label=what_link
    )
    try:
        response = session.send(request)
        content = response.parse_json()
    except EntraAuthError as exc:
        failure: EntraAuthError = exc
    else:
        if isinstance(content, dict):
            return response, content
        failure = ApiError(
            f"{label} is not a JSON object.", hint="Ask again; look for a proxy that answers in its place."
        )
    if not failure.message.startswith("The link"):
        failure.message = f"{label}: {failure.message}"
    raise failure


__all__ = ("Page", "is_listing", "pages")
