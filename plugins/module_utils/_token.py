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
import math
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._clock import Moment

# RFC 6750 section 2.1, b64token. What is outside of it could end the header line, or escape masking by value.
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_RENEW_AHEAD_SECONDS = 60
_MOMENTS = ("issued_on", "expires_on")
# By how much the clocks of machines that share a cache may differ, as much as Entra allows for.
_CLOCK_SKEW_SECONDS = 300


class Freshness(enum.Enum):
    """What may be done with a token found in the cache."""

    FRESH = "use it"
    DUE = "use it, while one caller renews it"
    STALE = "renew it first; use it only if that fails"
    EXPIRED = "of no use"


@dataclasses.dataclass(frozen=True)
class Token:
    """An access token as issued. Times are epoch seconds by this machine's clock.

    ``boot_id`` and ``issued_at_uptime`` are the moment of issue by the clock that nobody sets (see Moment).
    ``refresh_token`` is the newest one, where the grant gives any; ``correlation_id`` names the request in Entra's
    sign-in log.
    """

    access_token: str = dataclasses.field(repr=False)
    issued_on: float
    expires_on: float
    refresh_on: float | None = None
    boot_id: str | None = None
    issued_at_uptime: float | None = None
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

    def freshness(self, now: Moment, *, min_validity: float) -> Freshness:
        """What may be done with this token ``now``, when none with less than ``min_validity`` seconds left will do.

        A token issued with a shorter life than that is used for half its life. One caller renews at ``refresh_on``
        (the service's own wish), or a minute before the others would have to wait for it.
        """
        least, most = self.seconds_left(now)
        if most <= 0:
            return Freshness.EXPIRED
        if least <= 0 or least < self._floor(min_validity):
            return Freshness.STALE
        return Freshness.FRESH if self.fresh_seconds(now, min_validity=min_validity) > 0 else Freshness.DUE

    def fresh_seconds(self, now: Moment, *, min_validity: float) -> float:
        """How much longer than ``now`` this token will be FRESH by every clock; 0 or less where it is not."""
        floor = self._floor(min_validity)
        ahead = floor + min(_RENEW_AHEAD_SECONDS, (self._lifetime - floor) / 4)
        wished = self.expires_on - self.refresh_on if self.refresh_on is not None else 0
        return self.seconds_left(now)[0] - max(ahead, wished)

    def _floor(self, min_validity: float) -> float:
        return min_validity if self._lifetime > min_validity else self._lifetime / 2

    def seconds_left(self, now: Moment) -> tuple[float, float]:
        """The least and the most that may be left of its life, which differ where somebody has set a clock.

        The uptime of the same boot never counts too much. It counts too little where a hypervisor has stopped the
        machine for a while, and then the clock is set ahead, as it is for other reasons.
        """
        by_clock = now.epoch - self.issued_on
        if now.uptime is not None and self.boot_id == now.boot_id and now.uptime >= (self.issued_at_uptime or math.inf):
            age = now.uptime - (self.issued_at_uptime or 0)
            return self._lifetime - max(age, by_clock), self._lifetime - age
        if by_clock < -_CLOCK_SKEW_SECONDS:
            return -math.inf, self._lifetime
        return (self._lifetime - max(by_clock, 0),) * 2

    @property
    def _lifetime(self) -> float:
        return self.expires_on - self.issued_on

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

    @classmethod
    def from_dict(cls, content: t.Mapping[str, t.Any]) -> Token:
        """The inverse of dataclasses.asdict; ValueError, TypeError or NetworkError for anything else."""
        if not isinstance(content, dict) or any(not isinstance(content.get(name), float) for name in _MOMENTS):
            raise ValueError("not a token")
        return cls(**content)


__all__ = ("Freshness", "Token")
