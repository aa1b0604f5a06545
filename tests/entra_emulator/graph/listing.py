# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A page of a listing with the query options of OData (Learn "Use query parameters to customize responses")."""

from __future__ import annotations

import typing as t

from flask import request

from .. import odata
from ..paging import DELTA, EMPTY, MARKER, MarkerError, page_of
from ..world import world
from .service import GraphError, base, eventual

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..odata import Filter

Body = dict[str, t.Any]
_Item = t.TypeVar("_Item")
_MOST_PER_PAGE: t.Final = 999
_OPTIONS: t.Final = frozenset({"$top", "$select", "$filter", "$count", MARKER, EMPTY, DELTA})


def listing(items: Sequence[_Item], kind: str, body_of: Callable[[_Item], Body], *, default: str = "") -> Body:
    """The page asked for; ``@odata.count`` only on the first (Learn "Paging Microsoft Graph data").

    ``body_of`` is the whole of an item, of which ``$select``, or else ``default``, is shown.
    """
    _check_options()
    wanted = _filter()
    if wanted is not None:
        items = [item for item in items if wanted.wants(body_of(item))]
    try:
        page = page_of(items, _page_size(), bound_to=f"eventual={eventual()}")
    except MarkerError:
        message = "The specified page token value has expired and can no longer be included in your request."
        raise GraphError(400, "Directory_ExpiredPageToken", message) from None
    body: Body = {"@odata.context": f"{base()}/$metadata#{kind}"}
    if page.first and _counting():
        body["@odata.count"] = len(items)
    if page.next_link:
        body["@odata.nextLink"] = page.next_link
    names = selected(default)
    return {**body, "value": [shown(body_of(item), names) for item in page.items]}


def selected(default: str = "") -> list[str]:
    """The properties to show; none for all."""
    return [name for name in request.args.get("$select", default).replace(" ", "").split(",") if name]


def shown(whole: Body, names: Sequence[str]) -> Body:
    """The properties of those names, and what OData itself says of the object."""
    if not names:
        return whole
    return {name: whole[name] for name in ("@odata.type", *names) if name in whole}


def _check_options() -> None:
    unknown = next((name for name in request.args if name.startswith("$") and name not in _OPTIONS), None)
    if unknown:
        raise GraphError(400, "Request_UnsupportedQuery", f"This emulator has no query option '{unknown}'.")
    if _counting() and not eventual() and MARKER not in request.args:  # else the marker is of another request
        message = "$count is only supported with the header 'ConsistencyLevel: eventual'."
        raise GraphError(400, "Request_UnsupportedQuery", message)


def _counting() -> bool:
    return request.args.get("$count") == "true"


def _page_size() -> int:
    top = request.args.get("$top")
    if top is None:
        return world().settings.page_size
    if not top.isdecimal():
        raise GraphError(400, "BadRequest", f"Invalid value '{top}' for $top query option found.")
    if not 1 <= int(top) <= _MOST_PER_PAGE:
        message = f"Invalid page size specified: '{top}'. Must be between 1 and {_MOST_PER_PAGE} inclusive."
        raise GraphError(400, "Request_BadRequest", message)
    return int(top)


def _filter() -> Filter | None:
    asked = request.args.get("$filter")
    if asked is None:
        return None
    try:
        found = odata.parse(asked)
    except odata.FilterError:
        message = f"Unsupported or invalid query filter clause: '{asked}'."
        raise GraphError(400, "Request_UnsupportedQuery", message) from None
    if found.advanced and not (eventual() and _counting()):
        message = "This operator needs $count=true and the header 'ConsistencyLevel: eventual'."
        raise GraphError(400, "Request_UnsupportedQuery", message)
    return found
