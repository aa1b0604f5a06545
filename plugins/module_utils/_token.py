# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An access token and when it is due for renewal.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime
import enum
import json
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError

# RFC 6750 section 2.1, b64token. What is outside of it could end the header line, or escape masking by value.
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_RENEW_AHEAD_SECONDS = 60
_MOMENTS = ("issued_on", "expires_on")


class Freshness(enum.Enum):
    """What may be done with a token found in the cache."""

    FRESH = "use it"
    DUE = "use it, while one caller renews it"
    STALE = "renew it first; use it only if that fails"
    EXPIRED = "of no use"


@dataclasses.dataclass(frozen=True)
class Token:
    """An access token as issued. Times are epoch seconds by this machine's clock.

    ``refresh_token`` is the newest one, where the grant gives any; ``correlation_id`` names the request in Entra's
    sign-in log.
    """

    access_token: str = dataclasses.field(repr=False)
    issued_on: float
    expires_on: float
    refresh_on: float | None = None
    scope: str = ""
    correlation_id: str | None = None
    refresh_token: str | None = dataclasses.field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _B64TOKEN.fullmatch(self.access_token):
            raise NetworkError(
                "The token endpoint's answer holds an access token with characters that no bearer token has.",
                hint="Look for a proxy that rewrites answers between here and the token endpoint.",
            )

    @property
    def authorization(self) -> str:
        """The value of the Authorization header (RFC 6750 section 2.1)."""
        return f"Bearer {self.access_token}"

    @property
    def expires_at(self) -> str:
        """``expires_on`` as ISO 8601 in UTC, whole seconds."""
        moment = datetime.datetime.fromtimestamp(int(self.expires_on), tz=datetime.timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def freshness(self, now: float, *, min_validity: float) -> Freshness:
        """What may be done with this token ``now``, when none with less than ``min_validity`` seconds left will do.

        A token issued with a shorter life than that is used for half its life. One caller renews at ``refresh_on``
        (the service's own wish), or a minute before the others would have to wait for it.
        """
        lifetime = self.expires_on - self.issued_on
        floor = min_validity if lifetime > min_validity else lifetime / 2
        left = self.expires_on - now
        if left <= 0:
            return Freshness.EXPIRED
        if left < floor:
            return Freshness.STALE
        ahead = floor + min(_RENEW_AHEAD_SECONDS, (lifetime - floor) / 4)
        due = left < ahead or (self.refresh_on is not None and now >= self.refresh_on)
        return Freshness.DUE if due else Freshness.FRESH

    def claims(self) -> dict[str, t.Any]:
        """The claims of the token, unverified, for diagnostics only; empty when it is not a readable JWT.

        Tokens are for the API alone (Learn, "Access tokens"), so nothing may depend on this.
        """
        segments = self.access_token.split(".")
        if len(segments) != 3:
            return {}
        try:
            claims = json.loads(base64.urlsafe_b64decode(segments[1] + "=" * (-len(segments[1]) % 4)))
        except (binascii.Error, ValueError, RecursionError):
            return {}
        return claims if isinstance(claims, dict) else {}

    def roles(self) -> list[str]:
        """The app roles in the claims, for diagnostics only; B2C puts them into ``scp``."""
        claims = self.claims()
        roles = claims.get("roles") or str(claims.get("scp") or "").split()
        return [str(role) for role in roles] if isinstance(roles, list) else []

    def to_json(self) -> str:
        """All of it as text, for the sealed cache."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Token:
        """The inverse of to_json; ValueError or TypeError for anything else."""
        content = json.loads(text)
        if not isinstance(content, dict) or any(not isinstance(content.get(name), float) for name in _MOMENTS):
            raise ValueError("not a token")
        return cls(**content)


__all__ = ("Freshness", "Token")
