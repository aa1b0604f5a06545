# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opaque page markers, and the absolute link to the next page that Graph and ARM put them into.

A marker is bound to the query it came with, so a client that rebuilds the link instead of following it is found out.
"""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask import request

from .text import from_base64url, to_base64url

if t.TYPE_CHECKING:
    from collections.abc import Sequence

MARKER: t.Final = "$skiptoken"
DELTA: t.Final = "$deltatoken"
EMPTY: t.Final = "$empty"  # the number of an empty page a fault put before the one asked for
_Item = t.TypeVar("_Item")


class MarkerError(ValueError):
    """A page marker this emulator did not make, or not for this query."""


@dataclass(frozen=True)
class Page(t.Generic[_Item]):
    """One page of a listing; ``next_link`` is None on the last one."""

    items: Sequence[_Item]
    first: bool
    next_link: str | None


def page_of(items: Sequence[_Item], size: int, bound_to: str = "") -> Page[_Item]:
    """The page of ``items`` the request asks for; ``bound_to`` is what else must stay the same from page to page."""
    pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True)
    query = [(name, value) for name, value in pairs if name not in (MARKER, EMPTY)]
    seal = hashlib.sha256(f"{request.path}|{query}|{bound_to}".encode()).hexdigest()[:16]
    marker = dict(pairs).get(MARKER)
    start = 0 if marker is None else _offset(marker, seal)
    end = start + size
    link = None
    if end < len(items):
        following = [*query, (MARKER, to_base64url(f"{end}|{seal}".encode()))]
        link = f"{request.base_url}?{urlencode(following, safe='$')}"
    return Page(items[start:end], marker is None, link)


def _offset(marker: str, seal: str) -> int:
    try:
        offset, _dummy, found = from_base64url(marker).decode().partition("|")
    except ValueError:
        raise MarkerError(marker) from None
    if found != seal:
        raise MarkerError(marker)
    return int(offset)
