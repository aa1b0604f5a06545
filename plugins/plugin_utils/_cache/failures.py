# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures that all callers of a run share.

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
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.base import Store
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher

# Other errors cost no request, or concern one caller alone.
_SHARED = {cls.__name__: cls for cls in (NetworkError, TokenRequestRefused)}
_RUN_SECONDS = 7 * 86400


class SharedFailures:
    """The failures that a run knows, encrypted as tokens are. Times are time.monotonic, as a run is on one machine."""

    def __init__(self, run: Store, cipher: EntryCipher) -> None:
        self._run = run
        self._cipher = cipher

    def load(self, key: str, *, since: float = 0) -> EntraAuthError | None:
        """Load the failure that still holds for ``key``, if it happened after ``since``."""
        name = self._derive_name(key)
        content = self._cipher.decrypt(self._run.read(name), name)
        with contextlib.suppress(ValueError, TypeError, KeyError):
            known = json.loads(content or b"")
            if since <= known["met_on"] <= time.monotonic() < known["until"]:
                return _build_failure(known)
        return None

    def store(self, key: str, failure: EntraAuthError, *, seconds: float | None) -> None:
        """Store a failure for ``seconds``, or for the whole run. The caller holds the lock of ``key``."""
        if type(failure).__name__ not in _SHARED:
            return
        name = self._derive_name(key)
        keep_seconds = _RUN_SECONDS if seconds is None else seconds
        known = {
            "kind": type(failure).__name__,
            "message": failure.message,
            "hint": failure.hint,
            "response": dataclasses.asdict(failure.response),
            "met_on": time.monotonic(),
            "until": time.monotonic() + keep_seconds,
        }
        with contextlib.suppress(OSError):
            self._run.write(name, self._cipher.encrypt(json.dumps(known).encode(), name), keep_seconds=keep_seconds)

    def remove(self, key: str) -> None:
        """Remove a failure after a successful request. The caller holds the lock of ``key``."""
        name = self._derive_name(key)
        if self._run.read(name):
            with contextlib.suppress(OSError):
                self._run.write(name, b"", keep_seconds=0)

    def _derive_name(self, key: str) -> str:
        return self._cipher.derive_name(f"failure\n{key}")


def _build_failure(known: t.Mapping[str, t.Any]) -> EntraAuthError:
    response = ErrorResponse(**{**known["response"], "error_codes": tuple(known["response"]["error_codes"])})
    failure = _SHARED[known["kind"]](known["message"], hint=known["hint"], response=response)
    failure.from_cache = True
    return failure


__all__ = ("SharedFailures",)
