# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures that one caller met and the others of the same run need not meet again.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    ErrorResponse,
    NetworkError,
    TokenRequestRefused,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Store

# Whatever else goes wrong costs no request, or concerns one caller alone.
_SHARED = {cls.__name__: cls for cls in (NetworkError, TokenRequestRefused)}
_RUN_SECONDS = 7 * 86400


class SharedFailures:
    """What the run knows to be in vain, sealed as tokens are, by time.monotonic because a run has one machine."""

    def __init__(self, run: Store, seal: EntryCipher) -> None:
        self._run = run
        self._seal = seal

    def recall(self, subject: str, *, since: float = 0) -> EntraAuthError | None:
        """The failure that still holds for a subject, if any was met after ``since``."""
        name = self._name(subject)
        content = self._seal.open(self._run.read(name), name)
        with contextlib.suppress(ValueError, TypeError, KeyError):
            known = json.loads(content or b"")
            if since <= known["met_on"] <= time.monotonic() < known["until"]:
                return _failure(known)
        return None

    def remember(self, subject: str, failure: EntraAuthError, *, seconds: float | None) -> None:
        """Keep a failure for so long, or for the whole run; called by who holds the subject's lock."""
        if type(failure).__name__ not in _SHARED:
            return
        name = self._name(subject)
        keep_seconds = _RUN_SECONDS if seconds is None else seconds
        known = {
            "kind": type(failure).__name__,
            "message": failure.message,
            "hint": failure.hint,
            "answer": dataclasses.asdict(failure.response),
            "met_on": time.monotonic(),
            "until": time.monotonic() + keep_seconds,
        }
        with contextlib.suppress(OSError):
            self._run.write(name, self._seal.seal(json.dumps(known).encode(), name), keep_seconds=keep_seconds)

    def forget(self, subject: str) -> None:
        """Asking went well, so what was known is past; called by who holds the subject's lock."""
        name = self._name(subject)
        if self._run.read(name):
            with contextlib.suppress(OSError):
                self._run.write(name, b"", keep_seconds=0)

    def _name(self, subject: str) -> str:
        return self._seal.name(f"failure\n{subject}")


def _failure(known: t.Mapping[str, t.Any]) -> EntraAuthError:
    response = ErrorResponse(**{**known["answer"], "error_codes": tuple(known["answer"]["error_codes"])})
    failure = _SHARED[known["kind"]](known["message"], hint=known["hint"], response=response)
    failure.from_cache = True
    return failure


__all__ = ("SharedFailures",)
