# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors a user can meet on the way from a credential to a header.

One small tree; the faces turn it into a failed task or a failed expression. A message is written for the person who
reads a job's output: one sentence of what happened, and where known the fix. It never holds a secret.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t

_ONCE = ", once for the whole run (force_refresh asks again)"


@dataclasses.dataclass(frozen=True)
class ErrorResponse:
    """What the token endpoint said, reduced to what may be shown (RFC 6749 section 5.2 and Entra's additions)."""

    error: str | None = None
    suberror: str | None = None
    error_codes: tuple[int, ...] = ()
    correlation_id: str | None = None
    trace_id: str | None = None
    timestamp: str | None = None


class EntraAuthError(Exception):
    """Anything this collection reports to a user.

    ``hint`` is one sentence that says what to do, ``answer`` what the service said, where it said something, and
    ``asked`` in words what was asked of it. ``passes_after`` are the seconds after which asking the same again may go
    better; None where only a change helps. ``is_shared`` is whether another caller met it.
    """

    request_summary: str | None = None
    retry_after: float | None = None
    from_cache = False

    def __init__(self, message: str, *, hint: str | None = None, response: ErrorResponse | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.response = response or ErrorResponse()

    def __str__(self) -> str:
        """The whole of it, as a user reads it."""
        ids = [
            f"{name} {value}"
            for name, value in (
                ("correlation id", self.response.correlation_id),
                ("trace id", self.response.trace_id),
                ("at", self.response.timestamp),
            )
            if value
        ]
        parts = [
            self.message,
            self.hint and f"To fix it: {self.hint}",
            self.request_summary and f"Asked with {self.request_summary}{_ONCE if self.from_cache else ''}.",
            ids and f"For support: {', '.join(ids)}.",
        ]
        return " ".join(part for part in parts if part)

    def fields(self) -> dict[str, t.Any]:
        """The error as result fields: ``error``, ``error_codes``, ``hint``, ``correlation_id``, ``trace_id``."""
        return {
            "error": self.response.error,
            "error_codes": list(self.response.error_codes),
            "hint": self.hint,
            "correlation_id": self.response.correlation_id,
            "trace_id": self.response.trace_id,
        }


class InputError(EntraAuthError):
    """What was given can't work; no request was made."""


class NetworkError(EntraAuthError):
    """The service was not reached, or what came back was not an answer of Entra."""

    retry_after = 30.0


class TokenRequestRefused(EntraAuthError):
    """Entra answered and said no."""


class MissingLibraryError(EntraAuthError):
    """A Python package is not installed where the code runs."""


__all__ = (
    "EntraAuthError",
    "ErrorResponse",
    "InputError",
    "MissingLibraryError",
    "NetworkError",
    "TokenRequestRefused",
)
