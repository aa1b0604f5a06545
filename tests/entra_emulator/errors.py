# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An error answer of the token endpoint: Learn "Error response" of the client credentials and refresh token pages."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from flask import Response

from . import aadsts
from .text import dump, is_guid, new_guid

if t.TYPE_CHECKING:
    from datetime import datetime

    from .settings import Separator

_SEPARATORS: t.Final[dict[Separator, str]] = {"space": " ", "crlf": "\r\n"}


class EntraError(Exception):
    """The token endpoint refuses with an AADSTS code.

    ``fields`` fill the code's text; ``extra`` members (``suberror``, ``claims``, ``interval`` …) join the body;
    ``status`` and ``error`` replace the table's, for a code the service answers in several ways.
    """

    def __init__(
        self,
        code: int,
        *,
        status: int | None = None,
        error: str | None = None,
        extra: dict[str, object] | None = None,
        **fields: str,
    ) -> None:
        row = aadsts.TABLE.get(code, aadsts.UNKNOWN)
        self.code = code
        self.status = status or row.status
        self.error = error or row.error
        self.extra = extra or {}
        self.text = row.text.format_map(defaultdict(lambda: "unknown", fields))
        super().__init__(f"AADSTS{code}: {self.text}")


class Circumstances(t.NamedTuple):
    """What an error answer quotes besides the error: ids, the service's time and address, the separator style."""

    trace_id: str
    client_request_id: str
    now: datetime
    origin: str
    separator: Separator


def correlation_id(client_request_id: str) -> str:
    """The id the caller sent if it is a GUID, else a new one."""
    return client_request_id if is_guid(client_request_id) else new_guid()


def body(refused: EntraError, around: Circumstances) -> dict[str, object]:
    """The JSON members a client sees."""
    trace = {"Trace ID": around.trace_id, "Correlation ID": correlation_id(around.client_request_id)}
    timestamp = f"{around.now:%Y-%m-%d %H:%M:%S}Z"
    notes = [f"{name}: {value}" for name, value in {**trace, "Timestamp": timestamp}.items()]
    return {
        "error": refused.error,
        "error_description": _SEPARATORS[around.separator].join([str(refused), *notes]),
        "error_codes": [refused.code],
        "timestamp": timestamp,
        "trace_id": trace["Trace ID"],
        "correlation_id": trace["Correlation ID"],
        "error_uri": f"{around.origin}/error?code={refused.code}",
        **refused.extra,
    }


def response(refused: EntraError, around: Circumstances) -> Response:
    """The whole HTTP answer."""
    return Response(
        dump(body(refused, around)),
        refused.status,
        content_type="application/json; charset=utf-8",
        headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache", "x-ms-request-id": around.trace_id},
    )
