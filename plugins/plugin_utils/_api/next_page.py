# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell whether a response is a page of a listing, and whether and where there is a next one.

A page is the last one only if neither its body nor its headers say that there is more. Sources of the ways to say so:
Learn "Paging Microsoft Graph data in your app", ARM RPC "Resource API: pagination", Azure DevOps "Core: Projects -
List", "Query timeout and pagination" of Azure Table storage, "Common REST request headers" of Azure Cosmos DB,
"Office 365 Management Activity API reference", "Search Documents" of Azure AI Search, "Working with large data sets"
of Azure Resource Graph, and RFC 8288 for the header Link.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

HeaderFields = t.Mapping[str, str]

_VALUE = "value"
# Graph and most of OData 4; ARM and the data planes of Azure; OData 3; Power BI and Fabric.
_LINKS = ("@odata.nextLink", "nextLink", "odata.nextLink", "continuationUri")
# What other services call it; it counts beside a list only, because a single resource may have such a property.
_OTHER_LINK = re.compile(
    r"@?(odata\.)?next_?(page_?)?(link|uri|url)|@?continuation_?(link|url)|(__)?next(_?page)?", re.IGNORECASE
)
# Members that hold such a link in other services' listings.
_LINK_HOLDERS = ("links", "_links", "paging", "pagination")
_URL = re.compile(r"(https?:/)?/|\?", re.IGNORECASE)
_SEARCH_BODY = "@search.nextPageParameters"
# Of several lists in a body.
_ITEM_NAMES = ("data", "items", "results")
BODY_TOKEN = "continuationToken"  # noqa: S105 - the name of a property, not a secret
SKIP_TOKEN = "$skipToken"  # noqa: S105 - the name of a property, not a secret
# Members that say that there is more, but not where: by a truth, by its opposite, and by a token of an unknown use.
_MORE = re.compile(
    r"has_?(more|next)_?\w*|more_?(items|results|data|available)\w*|(is|result|results)?_?truncated", re.IGNORECASE
)
_END = re.compile(r"(is_?)?last(_?page)?", re.IGNORECASE)
_OTHER_TOKEN = re.compile(r"next_?(page_?)?(token|cursor|marker|key)|next_?page|skip_?token", re.IGNORECASE)
_NOT_REST = frozenset((*_LINKS, _SEARCH_BODY, BODY_TOKEN, SKIP_TOKEN))

_LINK_HEADER = "NextPageUri"
_TOKEN_HEADER = "x-ms-continuationtoken"  # noqa: S105 - the name of a header, not a secret
_COSMOS_HEADER = "x-ms-continuation"
_OTHER_HEADER = re.compile(
    r"(x-(ms-)?)?(continuation-?token|next-?(page|link|marker|cursor|token|page-token))", re.IGNORECASE
)
_TABLE_HEADER = re.compile(r"x-ms-continuation-(next\w+)", re.IGNORECASE)
_RELATION = re.compile(r"""\brel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))""", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Next:
    """How the request for the next page differs from the one before."""

    link: str | None = None
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


def is_listing(content: t.Any, headers: HeaderFields) -> bool:
    """Return whether a response is a page of a listing: a list, a list in ``value``, or one with a next page."""
    if isinstance(content, list):
        return True
    if not isinstance(content, dict):
        return False
    if isinstance(content.get(_VALUE), list) or any(content.get(name) for name in _LINKS) or _is_verbose(content):
        return True
    # The other signs may have another meaning on a single resource.
    return find_list_name(content) is not None and _names_more(content, headers)


def _is_verbose(content: dict[str, t.Any]) -> bool:
    """Return whether a page has the verbose format of OData 2, which is not followed, and names a next one."""
    inner = content.get("d")
    return isinstance(inner, dict) and bool(inner.get("__next"))


def _names_more(content: dict[str, t.Any], headers: HeaderFields) -> bool:
    """Return whether a listing says, in a way that a single resource might as well, that a next page follows it."""
    return (
        any(content.get(name) for name in (BODY_TOKEN, SKIP_TOKEN))
        or _find_other_link(content) is not None
        or find_sign(content, headers) is not None
        or has_next_page(headers)
    )


def names_next_page(content: t.Any, headers: HeaderFields) -> bool:
    """Return whether a response says, in its content or its headers, that a next page follows it."""
    members = content if isinstance(content, dict) else {}
    if any(members.get(name) for name in _LINKS) or has_next_page(headers):
        return True
    return is_listing(content, headers) and (_names_more(members, headers) or _is_verbose(members))


def has_next_page(headers: HeaderFields) -> bool:
    """Return whether the headers of a response name a next page."""
    return find_next_in_headers(headers) is not None


def find_list_name(content: dict[str, t.Any]) -> str | None:
    """Return the member that holds the items: ``value``, or else the only list, or the one that is called so."""
    if _VALUE in content:
        return _VALUE
    names = [name for name, value in content.items() if isinstance(value, list)]
    return names[0] if len(names) == 1 else next((name for name in _ITEM_NAMES if name in names), None)


def _find_other_link(content: dict[str, t.Any]) -> tuple[str, t.Any] | None:
    """Return the name and the value of a link to the next page that few services call so."""
    nested = (content[name] for name in _LINK_HOLDERS if isinstance(content.get(name), dict))
    found = ((name, value) for members in (content, *nested) for name, value in members.items() if value)
    for name, value in found:
        if _OTHER_LINK.fullmatch(name):
            link = value.get("href") if isinstance(value, dict) else value
            # A token or the number of a page is a sign without an address.
            if name.lower().endswith(("link", "uri", "url")) or (isinstance(link, str) and _URL.match(link)):
                return name, link
    return None


def find_sign(content: dict[str, t.Any], headers: HeaderFields) -> str | None:
    """Return the member or header that says that there is more, and that nothing here knows how to follow."""
    for name, value in content.items():
        says = str(value).lower() if isinstance(value, (bool, str)) else ""
        if (says == "true" and _MORE.fullmatch(name)) or (says == "false" and _END.fullmatch(name)):
            return name
        if _is_token(value) and _OTHER_TOKEN.fullmatch(name):
            return name
    return next((name for name, value in headers.items() if value.strip() and _OTHER_HEADER.fullmatch(name)), None)


def _is_token(value: t.Any) -> bool:
    return bool(value) and isinstance(value, (str, int)) and not isinstance(value, bool)


def find_next_by_link(content: dict[str, t.Any], number: int) -> Next | None:
    """Return the next page that a link in the body names. Raises ApiError for a broken link."""
    # Null and the empty text mean the same as no link: the end.
    known = next(((name, content[name]) for name in _LINKS if content.get(name)), None)
    found = known or _find_other_link(content)
    if found is None:
        return None
    name, link = found
    if not isinstance(link, str):
        raise ApiError(
            f"Page {number} of the listing has a link to the next page that is not text ({name}).",
            hint="Set paginate to false if this is not a listing; else it is a fault of the API.",
        )
    search = content.get(_SEARCH_BODY)
    return Next(link=link, body=json.dumps(search).encode() if isinstance(search, dict) else None)


def find_next_in_headers(headers: HeaderFields) -> Next | None:
    """Return the next page that the headers of a response name."""
    link = headers.get(_LINK_HEADER) or _find_related(headers.get("Link", ""))
    if link:
        return Next(link=link)
    if headers.get(_TOKEN_HEADER):
        return Next(query=((BODY_TOKEN, headers[_TOKEN_HEADER]),))
    if headers.get(_COSMOS_HEADER):
        return Next(headers=((_COSMOS_HEADER, headers[_COSMOS_HEADER]),))
    found = {match[1]: value for name, value in headers.items() if value and (match := _TABLE_HEADER.fullmatch(name))}
    return Next(query=tuple(found.items())) if found else None


def _find_related(header: str) -> str | None:
    """Return the target of ``rel="next"`` in a header Link (RFC 8288 section 3)."""
    for part in re.split(r",\s*(?=<)", header):
        target = re.match(r"\s*<([^>]*)>(.*)", part, re.DOTALL)
        relation = _RELATION.search(target[2]) if target else None
        if target and relation and "next" in (relation[1] or relation[2]).lower().split():
            return target[1]
    return None


def is_link(name: str) -> bool:
    """Return whether a member of a page is about the next page, and no content of the listing."""
    return name in _NOT_REST or _OTHER_LINK.fullmatch(name) is not None


__all__ = (
    "BODY_TOKEN",
    "SKIP_TOKEN",
    "Next",
    "find_list_name",
    "find_next_by_link",
    "find_next_in_headers",
    "find_sign",
    "has_next_page",
    "is_link",
    "is_listing",
    "names_next_page",
)
