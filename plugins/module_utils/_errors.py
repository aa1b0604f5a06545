# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors that a user can meet between a credential and an API's response.

An entry point turns them into a failed task or a failed expression. A message is one sentence for the reader of a
job's output, and ``hint`` is the sentence that says what to do. Neither holds a secret.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import sys
import typing as t

_SHOWN_CHARACTERS = 500
_ONCE = ", once for the whole run (force_refresh requests again)"


def printable(text: object, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return a peer's text as one line that is safe to show; empty for anything that is not text.

    Control characters would speak to the reader's terminal, so each run of them and of white space becomes one blank.

    Args:
        text: What the peer sent. Mask its secrets first.
        limit: The most characters to show. A longer text ends with an ellipsis.
    """
    if not isinstance(text, str):
        return ""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


@dataclasses.dataclass(frozen=True)
class ErrorResponse:
    """What the service said, reduced to what may be shown (RFC 6749 section 5.2, and Entra's additions)."""

    error: str | None = None
    suberror: str | None = None
    error_codes: tuple[int, ...] = ()
    correlation_id: str | None = None
    trace_id: str | None = None
    timestamp: str | None = None


class EntraAuthError(Exception):
    """Anything that this collection reports to a user.

    Attributes:
        message: One sentence of what happened, with its full stop.
        hint: One sentence of what to do.
        response: What the service said.
        request_summary: In words, what was requested; None if nothing was.
        retry_after: The seconds after which the same request may succeed; None if only a change helps.
        from_cache: Whether another caller of this run met the error first.
    """

    request_summary: str | None = None
    retry_after: float | None = None
    from_cache = False

    def __init__(self, message: str, *, hint: str, response: ErrorResponse | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.response = response or ErrorResponse()

    def __str__(self) -> str:
        """Return all parts in the order in which a reader needs them."""
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
            f"To fix it: {self.hint}",
            self.request_summary and f"Requested with {self.request_summary}{_ONCE if self.from_cache else ''}.",
            ids and f"For support: {', '.join(ids)}.",
        ]
        return " ".join(part for part in parts if part)

    def to_fields(self) -> dict[str, t.Any]:
        """Return the error as result fields: ``error``, ``error_codes``, ``hint``, ``correlation_id``, ``trace_id``."""
        return {
            "error": self.response.error,
            "error_codes": list(self.response.error_codes),
            "hint": self.hint,
            "correlation_id": self.response.correlation_id,
            "trace_id": self.response.trace_id,
        }


class InputError(EntraAuthError):
    """The input can't work; no request was sent."""


class NetworkError(EntraAuthError):
    """The service was not reached, or the response is not one of that service."""

    retry_after = 30.0


class TokenRequestRefused(EntraAuthError):
    """The service responded with a refusal."""


class MissingLibraryError(EntraAuthError):
    """A Python package is not installed where the code runs."""

    @classmethod
    def on_control_node(cls, package: str) -> MissingLibraryError:
        """Return the error for a package that the control node lacks."""
        return cls(
            f"entra.auth needs the Python package {package} on the control node.",
            hint=f"On the control node, run: {sys.executable} -m pip install {package}",
        )


__all__ = (
    "EntraAuthError",
    "ErrorResponse",
    "InputError",
    "MissingLibraryError",
    "NetworkError",
    "TokenRequestRefused",
    "printable",
)
