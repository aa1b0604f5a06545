# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Uploading a file piece by piece to the address an upload session names, which is signed and gets no token.

Learn "driveItem: createUploadSession".

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import os
import re
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import Origin
from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiRequest

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiResponse, ApiSession

# The pieces have to be multiples of 320 KiB and of less than 60 MiB.
_PIECE_BYTES = 32 * 320 * 1024
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


def upload(
    session: ApiSession, begun: ApiResponse, path: str, *, retry_for: float, tell: t.Callable[[str], None]
) -> ApiResponse:
    """The answer to the last piece of the file at ``path``.

    Pieces that do not get it on are repeated for ``retry_for`` seconds. Raises ApiError, InputError and whatever
    asking raises.
    """
    content = begun.parse_json()
    url = content.get("uploadUrl") if isinstance(content, dict) else None
    if not isinstance(url, str) or not Origin.is_private_at(url):
        raise ApiError(
            f"{begun.request.safe_description} was answered without an https address to upload to.",
            hint="Check url: it has to be that of a createUploadSession.",
        )
    size = os.path.getsize(path)
    if size == 0:
        raise InputError("src is an empty file, which an upload session does not take.", hint="PUT it to …/content.")
    position = 0
    policy = _Patience(retry_for)
    with open(path, "rb") as file:
        while True:
            file.seek(position)
            response = _put(session, url, position, size, file.read(_PIECE_BYTES))
            if response.status in (200, 201):
                return response
            # A piece that has arrived although its answer got lost is refused the second time.
            is_refused = response.status == 416
            position = _next_position(session.send(_anonymous("GET", url)) if is_refused else response, size)
            tell(f"{position} of {size} bytes are uploaded")
            policy.await_next(position, response.retry_after)


class _Patience:
    """How long pieces are repeated that do not get an upload on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._furthest = 0
        self._begin()

    def _begin(self) -> None:
        self._until = time.monotonic() + self._seconds
        self._pause = _FIRST_PAUSE_SECONDS

    def await_next(self, position: int, asked: float | None) -> None:
        """Return at once after progress, and after a pause without. Raises ApiError where none is left."""
        if position > self._furthest:
            self._furthest = position
            self._begin()
            return
        pause = asked or self._pause
        if time.monotonic() + pause > self._until:
            raise ApiError(
                f"The upload does not get on at {position} bytes.",
                hint="Send the request again, which begins a new upload session; raise retry_for if that is too short.",
            )
        time.sleep(pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)


def _anonymous(
    method: str, url: str, headers: t.Mapping[str, str] | None = None, body: bytes | None = None
) -> ApiRequest:
    return ApiRequest(method, url, headers or {}, body, anonymous=True)


def _put(session: ApiSession, url: str, position: int, size: int, piece: bytes) -> ApiResponse:
    headers = {"Content-Range": f"bytes {position}-{position + len(piece) - 1}/{size}"}
    return session.send(_anonymous("PUT", url, headers, piece), accept=(200, 201, 202, 416))


def _next_position(response: ApiResponse, size: int) -> int:
    content = response.parse_json()
    ranges = content.get("nextExpectedRanges") if isinstance(content, dict) else None
    match = re.match(r"[0-9]{1,15}", str(ranges[0])) if isinstance(ranges, list) and ranges else None
    if match and int(match[0]) < size:
        return int(match[0])
    raise ApiError("The upload session does not say which bytes are missing.", hint="Send the request again.")


__all__ = ("upload",)
