# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An answer a fault makes an API give: its own error body and headers, so that it looks like any of its refusals."""

from __future__ import annotations

import http.client
import math
import typing as t

from werkzeug.http import http_date

from .fields import take, take_number

if t.TYPE_CHECKING:
    from collections.abc import Mapping

REFUSAL: t.Final = "entra_emulator.refusal"  # where in the environment of a request the API finds what to refuse with
Options = t.Mapping[str, object]


class Refusal(t.NamedTuple):
    """What to refuse with; an empty ``code`` or ``message`` leaves the choice to the API."""

    status: int
    code: str
    message: str
    headers: dict[str, str]


def phrase(status: int) -> str:
    """The status in words."""
    return http.client.responses.get(status, f"Status {status}")


def headers_of(options: Options, now: float) -> dict[str, str]:
    """``headers`` and ``Retry-After`` (RFC 9110 section 10.2.3) as a fault's options ask for them."""
    headers: dict[str, str] = {}
    wait = take_number(options, "retry_after")
    if wait is not None:
        as_date = options.get("retry_after_as") == "date"
        headers["Retry-After"] = http_date(math.ceil(now + wait)) if as_date else f"{wait:g}"
    return {**headers, **take(options, "headers", dict, {})}


def of(options: Options, now: float) -> Refusal:
    """The refusal that a fault's options describe."""
    return Refusal(
        take(options, "status", int, 503),
        take(options, "error_code", str, ""),
        take(options, "message", str, ""),
        headers_of(options, now),
    )


def named(refusal: Refusal, codes: Mapping[int, tuple[str, str]]) -> tuple[str, str]:
    """Code and message: those given, else the API's for that status, else the status in words."""
    words = phrase(refusal.status)
    code, message = codes.get(refusal.status, (words.replace(" ", ""), f"The service answered {refusal.status}."))
    return refusal.code or code, refusal.message or message
