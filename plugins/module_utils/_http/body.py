# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The body of an HTTP response: as it arrives, as a whole within a bound of size, or as JSON within a bound of depth.

The deadline of the exchange bounds the time (see deadline).

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import gc
import json
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    import requests

# A token response has a few kilobytes; tokens with very many groups reach some tens.
_MAX_RESPONSE_BYTES = 1024 * 1024
_PIECE_BYTES = 65536
# Ansible itself fails with results that are nested more deeply than about 300 levels.
MAX_LEVELS = 200
# The codings that are asked for and unpacked. A piece of another one, or of several in a row, may unpack to any size,
# all of which urllib3 before 2.6 holds.
CODINGS = "gzip, deflate"
_UNPACKED = frozenset({"gzip", "x-gzip", "deflate"})


class ResponseTooLargeError(Exception):
    """A response is larger than anything that the service has to say."""


class NestedTooDeeplyError(ValueError):
    """JSON has more than MAX_LEVELS levels."""


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
    """Return the value of a JSON text.

    Raises:
        NestedTooDeeplyError: It has more levels than Ansible can process.
        ValueError: It is not JSON.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise NestedTooDeeplyError("nested too deeply") from None
    if _is_deeper(content, MAX_LEVELS):
        raise NestedTooDeeplyError("nested too deeply")
    return content


def _is_deeper(content: t.Any, levels: int) -> bool:
    """Return whether parsed JSON is nested more deeply than a number of levels.

    The garbage collector lists what is in a list or mapping, and tracks all of them except mappings of plain values.
    That takes a third of the time of a loop over the values.
    """
    layer = [content]
    for _dummy in range(levels - 1):
        layer = list(filter(gc.is_tracked, gc.get_referents(*layer)))
        if not layer:
            return False
    return any(isinstance(child, (dict, list)) for child in gc.get_referents(*layer))


__all__ = (
    "CODINGS",
    "MAX_LEVELS",
    "NestedTooDeeplyError",
    "ResponseTooLargeError",
    "iterate_body",
    "parse_json",
    "read_body",
)
