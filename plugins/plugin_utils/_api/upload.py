# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Upload a file in pieces to the address of an upload session, which is signed and gets no token.

An upload has ended only if every byte was sent and the session names no range that is missing. Sources: Learn
"driveItem: createUploadSession" and "attachment: createUploadSession".

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import os
import re
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.backoff import Backoff
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import Origin

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiSession

# Drives take pieces that are multiples of 320 KiB and smaller than 60 MiB; Outlook takes at most 4 MB.
_UNIT_BYTES = 320 * 1024
_DRIVE_PIECE_BYTES = 32 * _UNIT_BYTES
_OTHER_PIECE_BYTES = 12 * _UNIT_BYTES
_CREATED = (200, 201)
_ACCEPTED = 202
_NOT_SATISFIABLE = 416


def upload(
    session: ApiSession, begun: ApiResponse, path: str, *, retry_for: float, log_progress: t.Callable[[str], None]
) -> ApiResponse:
    """Upload a file to the session that a response began.

    Args:
        session: Sends the pieces.
        begun: The response with the address of the upload session.
        path: The file.
        retry_for: Seconds for which pieces without progress are repeated.
        log_progress: Takes a sentence about the progress.

    Returns:
        The response that says that the file is complete.

    Raises:
        ApiError: The response names no address, or the upload makes no progress.
        InputError: The file is empty.
        EntraAuthError: Sending a request failed.
    """
    url = _get_upload_url(begun)
    size = os.path.getsize(path)
    if size == 0:
        raise InputError("src is an empty file, which an upload session does not take.", hint="PUT it to …/content.")
    return _Upload(session, url, path, size, _choose_piece_bytes(begun.request.url)).run(retry_for, log_progress)


def _get_upload_url(begun: ApiResponse) -> str:
    content = begun.parse_json()
    url = content.get("uploadUrl") if isinstance(content, dict) else None
    if isinstance(url, str) and Origin.is_safe_lead(begun.request.url, url):
        return url
    raise ApiError(
        f"{begun.request.safe_description} responded without an https address to upload to.",
        hint="Check url: it has to be that of a createUploadSession.",
    )


def _choose_piece_bytes(url: str) -> int:
    path = url.partition("?")[0].lower()
    is_drive = re.search(r"/drives?[/(']|/driveitem", path) and "/attachments/" not in path
    return _DRIVE_PIECE_BYTES if is_drive else _OTHER_PIECE_BYTES


class _Upload:
    """One file on its way to an upload session."""

    def __init__(self, session: ApiSession, url: str, path: str, size: int, piece_bytes: int) -> None:
        self._session = session
        self._url = url
        self._path = path
        self._size = size
        self._piece_bytes = piece_bytes

    def run(self, retry_for: float, log_progress: t.Callable[[str], None]) -> ApiResponse:
        """Send the pieces, and return the response that ends the upload."""
        deadline = ProgressDeadline(retry_for)
        position = 0
        with open(self._path, "rb") as file:
            while True:
                file.seek(position)
                piece = file.read(self._piece_bytes)
                response = self._put(position, piece)
                missing = self._find_missing(response)
                is_last = position + len(piece) >= self._size
                if missing is None and is_last and response.status != _NOT_SATISFIABLE:
                    return self._finish(response)
                # A piece whose response got lost is refused the second time; the session knows what is missing.
                position = missing if missing is not None else self._request_position()
                log_progress(f"{position} of {self._size} bytes are uploaded")
                deadline.await_next(position, response.retry_after)

    def _put(self, position: int, piece: bytes) -> ApiResponse:
        if not piece:
            raise InputError("src became shorter while it was sent.", hint="Send it when nothing writes to it.")
        headers = {"Content-Range": f"bytes {position}-{position + len(piece) - 1}/{self._size}"}
        request = self._build_request("PUT", headers, piece)
        return self._session.send(request, accept=(*_CREATED, _ACCEPTED, _NOT_SATISFIABLE))

    def _build_request(
        self, method: str, headers: t.Mapping[str, str] | None = None, body: bytes | None = None
    ) -> ApiRequest:
        return ApiRequest(method, self._url, headers or {}, body, anonymous=True)

    def _find_missing(self, response: ApiResponse) -> int | None:
        """Return the first byte that a response names as missing; None if it names none."""
        content = response.parse_json() if response.is_json else None
        ranges = content.get("nextExpectedRanges") if isinstance(content, dict) else None
        if not isinstance(ranges, list) or not ranges:
            return None
        match = re.match(r"[0-9]{1,15}", str(ranges[0]))
        if match and int(match[0]) < self._size:
            return int(match[0])
        raise _build_unknown(response)

    def _request_position(self) -> int:
        response = self._session.send(self._build_request("GET"))
        missing = self._find_missing(response)
        if missing is None:
            raise _build_unknown(response)
        return missing

    def _finish(self, response: ApiResponse) -> ApiResponse:
        """Return the end of the upload, after every byte was sent. Raises ApiError if the session does not say so."""
        if response.status in _CREATED:
            return response
        if response.status == _ACCEPTED:
            # With deferCommit, the file comes into being only by a request of its own.
            response = self._session.send(self._build_request("POST", body=b""), accept=(*_CREATED, _ACCEPTED))
            if response.status in _CREATED:
                return response
        raise ApiError(
            f"Every byte was sent, but the upload session responded with {response.status} and does not say that the "
            "file is complete.",
            hint="Look at the file before you send the request again.",
        )


def _build_unknown(response: ApiResponse) -> ApiError:
    return ApiError(
        f"The upload session does not say which bytes are missing; it responded with {response.status}.",
        hint="Send the request again, which begins a new upload session.",
    )


class ProgressDeadline:
    """How long to repeat pieces that make no progress. ``seconds`` count from the last progress."""

    def __init__(self, seconds: float) -> None:
        self._backoff = Backoff(seconds)
        self._furthest = 0

    def await_next(self, position: int, retry_after: float | None) -> None:
        """Return at once after progress, and after a pause without. Raises ApiError if there is no time for it."""
        if position > self._furthest:
            self._furthest = position
            self._backoff.restart()
            return
        pause = self._backoff.choose_pause(retry_after)
        if pause is None:
            raise ApiError(
                f"The upload makes no progress at {position} bytes.",
                hint="Send the request again, which begins a new upload session; raise retry_for if that is too short.",
            )
        time.sleep(pause)


__all__ = ("ProgressDeadline", "upload")
