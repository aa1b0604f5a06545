# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URLs, queries and bodies: encode what is sent, decode what is received.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import codecs
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
# Every character that RFC 3986 does not allow in a URL, the #, and a percent sign that begins no escape.
_NOT_ENCODED = re.compile(r"[^A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]|%(?![0-9A-Fa-f]{2})")
_BOM = "\ufeff"
# Encodings of host names: the time to decode them grows with the square of the length.
_NOT_OF_BODIES = frozenset({"punycode", "idna"})


def add_query(url: str, query: t.Mapping[str, t.Any]) -> str:
    """Add names and values to the query of a URL.

    A list is sent as one value with commas for the options of OData, which begin with ``$``, and as several values for
    other names. Empty texts and None are not sent. Raises InputError for a mapping or a list of lists.
    """
    pairs = [
        pair
        for name, value in query.items()
        for pair in _build_pairs(name, _drop_empty(value), join=name.startswith("$"))
    ]
    if not pairs:
        return url
    text = urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote, safe="$")
    return f"{url}{'&' if '?' in url else '?'}{text}"


def set_query(url: str, parameters: t.Mapping[str, str]) -> str:
    """Set parameters in the query of a URL in place of those of the same name (without regard to case)."""
    base, _mark, query = url.partition("?")
    names = {name.lower() for name in parameters}
    kept = [
        part for part in query.split("&") if part and urllib.parse.unquote(part.partition("=")[0]).lower() not in names
    ]
    added = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote, safe="$")
    return f"{base}?{'&'.join([*kept, added])}"


def _drop_empty(value: t.Any) -> list[t.Any]:
    # A template may well give an empty text for a parameter that is not wanted.
    return [one for one in (value if isinstance(value, list) else [value]) if one != ""]


def _build_pairs(name: str, value: t.Any, *, join: bool = False) -> list[tuple[str, str]]:
    values = value if isinstance(value, list) else [value]
    texts = [_format_value(name, one) for one in values if one is not None]
    return [(name, ",".join(texts))] if join and texts else [(name, text) for text in texts]


def _format_value(name: str, value: t.Any) -> str:
    if isinstance(value, (dict, list)):
        raise InputError(
            f"'{name}' is a mapping or a list of lists, which a query or form can't hold.",
            hint="Give a text, a number, true or false, or a list of them.",
        )
    return str(value).lower() if isinstance(value, bool) else str(value)


def encode_body(body: t.Any, body_format: str) -> bytes:
    """Encode a body; text is sent as it is. Raises InputError for data that the format can't hold."""
    if isinstance(body, str):
        return body.encode()
    if body_format == "json":
        return json.dumps(body).encode()
    if body_format == "form" and isinstance(body, dict):
        pairs = [pair for name, value in body.items() for pair in _build_pairs(name, value)]
        return urllib.parse.urlencode(pairs).encode()
    wanted = "a mapping or text" if body_format == "form" else "text"
    raise InputError(
        f"With body_format: {body_format} the body has to be {wanted}.", hint="Correct body or body_format."
    )


def decode_body(text: bytes, content_type: str) -> str:
    """Decode text in the charset that its Content-Type names, or else in UTF-8, without a byte order mark."""
    named = re.search(r"""charset\s*=\s*["']?([\w.:+-]+)""", content_type, re.IGNORECASE)
    with contextlib.suppress(LookupError, ValueError):
        name = codecs.lookup(named[1] if named else "utf-8").name
        if name not in _NOT_OF_BODIES:
            return text.decode(name, "replace").removeprefix(_BOM)
    return text.decode("utf-8", "replace").removeprefix(_BOM)


def resolve_link(base: str, link: str, label: str) -> str:
    """Return the absolute URL of a link in a response to ``base``.

    Services leave characters unencoded that a URL can't hold: blanks, quotes, letters beyond ASCII, a ``#``. They are
    percent-encoded first, so that no part of the link is lost. Raises ApiError, which calls the link ``label``, if it
    is not a valid URL.
    """
    with contextlib.suppress(ValueError):
        url = urllib.parse.urljoin(base, _encode_link(link))
        # Splitting fails for hosts that are not valid.
        urllib.parse.urlsplit(url)
        return url
    raise ApiError(
        f"{label} is not a valid URL.",
        hint="Send the request again; if it stays so, it is a fault of the API, or of a proxy that rewrites responses.",
    )


def _encode_link(link: str) -> str:
    with contextlib.suppress(UnicodeError):
        # UTF-8 in a header arrives as Latin-1.
        link = link.encode("latin-1").decode("utf-8")
    return _NOT_ENCODED.sub(lambda match: urllib.parse.quote(match[0], safe=""), link.strip())


__all__ = (
    "CONTENT_TYPES",
    "add_query",
    "decode_body",
    "encode_body",
    "resolve_link",
    "set_query",
)
