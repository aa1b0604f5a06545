# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An access token, and when it is due for renewal.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import enum
import math
import re
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._clock import Moment

# RFC 6750 section 2.1, b64token. Other characters could end the header line, or escape masking by value.
B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_RENEW_AHEAD_SECONDS = 60
_MOMENTS = ("issued_on", "expires_on")
# By how much the clocks of machines that share a cache may differ, as much as Entra allows.
_CLOCK_SKEW_SECONDS = 300


class Freshness(enum.Enum):
    """What may be done with a token found in the cache."""

    FRESH = "use it"
    DUE = "use it, while one caller renews it"
    STALE = "renew it first; use it only if that fails"
    EXPIRED = "of no use"


@dataclasses.dataclass(frozen=True)
class Token:
    """An access token as it was issued.

    Attributes:
        access_token: The token, of characters that a header may hold.
        issued_on: When it was issued, in epoch seconds by this machine's clock.
        expires_on: When it expires, in epoch seconds by this machine's clock.
        refresh_on: When the service wants it to be renewed; None if it says nothing about that.
        boot_id: The boot in which it was issued (see Moment).
        issued_at_uptime: When it was issued, in seconds since that boot.
        scope: The scope for which it was issued, as the service says.
        correlation_id: The name of the request in Entra's sign-in log.
        refresh_token: The newest refresh token, if the grant gives one.
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
        if not B64TOKEN.fullmatch(self.access_token):
            # Not at the top: a lookup of a cached token loads this file and nothing that it does not need.
            from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError

            raise NetworkError(
                "An access token has characters that no bearer token has.",
                hint="Find out what rewrites responses between here and the service that issued it.",
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

    def judge_freshness(self, now: Moment, *, min_validity: float) -> Freshness:
        """Return what may be done with this token.

        One caller renews it when the service wants that, or a minute before the others would have to wait for it.

        Args:
            now: The present moment.
            min_validity: The seconds that a token must have left. A token that was issued with a shorter life than
                that is used for half its life.
        """
        least, most = self.measure_seconds_left(now)
        if most <= 0:
            return Freshness.EXPIRED
        floor = min_validity if self._lifetime > min_validity else self._lifetime / 2
        if least <= 0 or least < floor:
            return Freshness.STALE
        ahead = floor + min(_RENEW_AHEAD_SECONDS, (self._lifetime - floor) / 4)
        wanted = self.expires_on - self.refresh_on if self.refresh_on is not None else 0
        return Freshness.FRESH if least > max(ahead, wanted) else Freshness.DUE

    def measure_seconds_left(self, now: Moment) -> tuple[float, float]:
        """Return the least and the most that may be left of the token's life, in seconds.

        The two differ if a clock was set. The uptime of the same boot never counts too much. It counts too little if a
        hypervisor has stopped the machine for a while; then the clock is set ahead, as it may be for other reasons.
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

    def decode_claims(self) -> dict[str, t.Any]:
        """Return the claims of the token, unverified; empty if it is not a readable JWT.

        For diagnostics only: tokens are for the API alone (Learn, "Access tokens"), so nothing may depend on this.
        """
        from ansible_collections.entra.auth.plugins.module_utils._http.body import parse_json

        segments = self.access_token.split(".")
        if len(segments) != 3:
            return {}
        try:
            claims = parse_json(base64.urlsafe_b64decode(segments[1] + "=" * (-len(segments[1]) % 4)))
        except ValueError:
            return {}
        return claims if isinstance(claims, dict) else {}

    def list_roles(self) -> list[str]:
        """Return the app roles in the claims, and then the scopes of a user, for diagnostics only."""
        claims = self.decode_claims()
        roles, scopes = claims.get("roles"), claims.get("scp")
        named = [str(role) for role in roles] if isinstance(roles, list) else []
        return list(dict.fromkeys([*named, *(scopes.split() if isinstance(scopes, str) else ())]))

    @classmethod
    def from_dict(cls, content: t.Mapping[str, t.Any]) -> Token:
        """Return the token that dataclasses.asdict has described.

        Raises:
            ValueError, TypeError, NetworkError: The content describes no token.
        """
        if not isinstance(content, dict) or any(not isinstance(content.get(name), float) for name in _MOMENTS):
            raise ValueError("not a token")
        return cls(**content)


__all__ = ("B64TOKEN", "Freshness", "Token")
