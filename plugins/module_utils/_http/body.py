# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The body of an HTTP answer as it arrives, or whole within bounds of time and size.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import time
import typing as t

# Where it is missing, no answer comes this far.
with contextlib.suppress(ImportError):
    import requests

# A token answer has a few kilobytes; tokens with very many groups reach some tens.
_MAX_ANSWER_BYTES = 1024 * 1024
# How much one read of an old urllib3 takes at most, and when it took long.
_PIECE_BYTES = 8192
_SLOW_READ_SECONDS = 0.05


def iterate_body(response: requests.Response) -> t.Iterator[bytes]:
    """The body of an answer as it arrives, each piece whatever one read of the socket gave."""
    raw = response.raw
    if hasattr(raw, "read1"):
        return iter(lambda: raw.read1(65536, decode_content=True), b"")
    return _pieces(raw)


def _pieces(raw: t.Any) -> t.Iterator[bytes]:
    """The same with urllib3 before 2.1, whose reads wait until they have all they were asked for.

    So a body that drips is read byte by byte, for its reader to look at the time, and one that flows in large pieces.
    """
    # Not the default before 2.0: a body that breaks off would pass for a whole one.
    raw.enforce_content_length = True
    size = 1
    while True:
        began = time.monotonic()
        piece = raw.read(size, decode_content=True)
        is_slow = time.monotonic() - began > _SLOW_READ_SECONDS
        # Nothing may also be what a few packed bytes unpack to.
        if not piece and raw.closed:
            return
        yield piece
        size = 1 if is_slow else min(2 * size, _PIECE_BYTES)


def read_body(
    response: requests.Response, until: float, limit: int = _MAX_ANSWER_BYTES, too_large: Exception | None = None
) -> bytes:
    """The whole body, if it ends in time, though it may be dripping in for ever.

    Raises ``too_large`` for one of more than ``limit`` bytes.
    """
    body = bytearray()
    for chunk in iterate_body(response):
        body += chunk
        if len(body) > limit:
            raise too_large or requests.RequestException(f"the answer is larger than {limit} bytes")
        if time.monotonic() > until:
            raise requests.Timeout("the answer did not end in time")
    return bytes(body)


__all__ = ("iterate_body", "read_body")
