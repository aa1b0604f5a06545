# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Queries and bodies as they go over the wire.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import json
import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "raw": "application/octet-stream",
}


def add_query(url: str, query: t.Mapping[str, t.Any]) -> str:
    """A URL with more in its query. Raises InputError for a value that is no text, number, truth or list of them."""
    pairs = [
        pair
        for name, value in query.items()
        for pair in _pairs(name, _filled(value), resolve_link=name.startswith("$"))
    ]
    if not pairs:
        return url
    text = urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote, safe="$")
    return f"{url}{'&' if '?' in url else '?'}{text}"


def _filled(value: t.Any) -> list[t.Any]:
    """The values that are sent in a query: an empty text is as good as none, as a template may well give it."""
    return [one for one in (value if isinstance(value, list) else [value]) if one != ""]


def _pairs(name: str, value: t.Any, *, resolve_link: bool = False) -> list[tuple[str, str]]:
    """One pair for each value of a list; one for all if ``joined``, as OData's own options take them."""
    values = value if isinstance(value, list) else [value]
    texts = [_text(name, one) for one in values if one is not None]
    return [(name, ",".join(texts))] if resolve_link and texts else [(name, text) for text in texts]


def _text(name: str, value: t.Any) -> str:
    if isinstance(value, (dict, list)):
        raise InputError(
            f"'{name}' is a mapping or a list of lists, which has no place in a query or form.",
            hint="Give a text, a number, true or false, or a list of them.",
        )
    return str(value).lower() if isinstance(value, bool) else str(value)


def encode_body(body: t.Any, body_format: str) -> bytes:
    """A body as bytes; text goes as it is. Raises InputError for what the format can't hold."""
    if isinstance(body, str):
        return body.encode()
    if body_format == "json":
        return json.dumps(body).encode()
    if body_format == "form" and isinstance(body, dict):
        return urllib.parse.urlencode([pair for name, value in body.items() for pair in _pairs(name, value)]).encode()
    wanted = "a mapping or text" if body_format == "form" else "text"
    raise InputError(
        f"With body_format: {body_format} the body has to be {wanted}.", hint="Correct body or body_format."
    )


def decode_text(text: bytes, content_type: str) -> str:
    """Text in the charset that its type names; in UTF-8 where that is none that is known."""
    named = re.search(r"""charset\s*=\s*["']?([\w.:+-]+)""", content_type, re.IGNORECASE)
    with contextlib.suppress(LookupError, ValueError):
        return text.decode(named[1] if named else "utf-8", "replace")
    return text.decode("utf-8", "replace")


def resolve_link(base: str, link: str, label: str) -> str:
    """Where a link leads that an answer to ``base`` holds. Raises ApiError, which calls it ``what``, for rot."""
    with contextlib.suppress(ValueError):
        url = urllib.parse.urljoin(base, link)
        # What no address can be taken from fails here, and so does what has no UTF-8 form.
        urllib.parse.urlsplit(url).netloc.encode()
        url.encode()
        return url
    raise ApiError(
        f"{label} is no address that can be read.",
        hint="Ask again; if it stays so, it is a fault of the API, or of a proxy that rewrites answers.",
    )


__all__ = ("CONTENT_TYPES", "add_query", "decode_text", "encode_body", "resolve_link")
