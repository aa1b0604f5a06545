# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ``Retry-After`` header (RFC 9110 section 10.2.3).

Not in the transport, so that reading the header does not load an HTTP library.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import email.utils
import re
import time

# About thirty years: a wait that exceeds every budget, and that every clock and timer can still count.
_LONGEST_WAIT_SECONDS = 1e9


def parse_retry_after(retry_after: str, date: str = "") -> float | None:
    """Return the seconds that a Retry-After header asks to wait; None for a value that can't be read.

    Args:
        retry_after: The header's value, in seconds or as an HTTP date.
        date: The Date header of the same response. A Retry-After date is compared with it, because the clock of this
            machine may be wrong.
    """
    seconds = re.fullmatch(r"\s*([0-9]+)\s*", retry_after)
    if seconds:
        return min(float(seconds[1]), _LONGEST_WAIT_SECONDS)
    until, now = _parse_date(retry_after), _parse_date(date)
    if until is None:
        return None
    return min(max(0.0, until - (time.time() if now is None else now)), _LONGEST_WAIT_SECONDS)


def _parse_date(date: str) -> float | None:
    """Return an HTTP date as seconds since the epoch; None for a text that is not a date of the calendar."""
    with contextlib.suppress(ValueError, OverflowError, IndexError):
        moment = email.utils.parsedate_tz(date)
        return float(email.utils.mktime_tz(moment)) if moment else None
    return None


__all__ = ("parse_retry_after",)
