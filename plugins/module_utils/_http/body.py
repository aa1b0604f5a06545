# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The body of an HTTP response: as it arrives, or as a whole within a bound of size.

The deadline of the exchange bounds the time (see deadline).

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import json
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    import requests

# A token response has a few kilobytes; tokens with very many groups reach some tens.
_MAX_RESPONSE_BYTES = 1024 * 1024
_PIECE_BYTES = 65536
# Beyond some 300 levels Ansible itself fails to handle a result.
_MAX_LEVELS = 200
# The codings that are asked for and unpacked. A piece of another one, or of several in a row, may unpack to any size,
# all of which urllib3 before 2.6 holds.
CODINGS = "gzip, deflate"
_UNPACKED = frozenset({"gzip", "x-gzip", "deflate"})


class ResponseTooLargeError(Exception):
    """A response is larger than anything that the service has to say."""


def iterate_body(response: requests.Response) -> t.Iterator[bytes]:
    """Yield the body of a response in pieces, as it arrives; unpacked if it is packed as it was asked for."""
    raw: t.Any = response.raw
    is_packed = response.headers.get("Content-Encoding", "").strip().lower() in _UNPACKED
    # Not the default before urllib3 2.0: a body that breaks off would pass for a complete one.
    raw.enforce_content_length = True
    pieces: t.Iterator[bytes] = raw.stream(_PIECE_BYTES, decode_content=is_packed)
    return pieces


def read_body(response: requests.Response, limit: int = _MAX_RESPONSE_BYTES) -> bytes:
    """Return the whole body of a response, of which nothing has been read.

    Raises:
        ResponseTooLargeError: The body has more than ``limit`` bytes.
    """
    pieces: list[bytes] = []
    size = 0
    for piece in iterate_body(response):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise ResponseTooLargeError(f"{limit} bytes")
    return b"".join(pieces)


def parse_json(text: str | bytes) -> t.Any:
    """Return the value of a JSON text. Raises ValueError for anything else, and beyond 200 levels of nesting."""
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [content]
    for _dummy in range(_MAX_LEVELS):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return content
    raise ValueError("nested too deeply")


__all__ = ("CODINGS", "ResponseTooLargeError", "iterate_body", "parse_json", "read_body")
