# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows a response of an API: a wait, a renewed token, a redirect, or nothing more.

One policy for all entry points that call APIs, whichever machine sends the requests. It does no I/O and reads no clock.
Sources: Learn "Microsoft Graph throttling guidance", "Claims challenges, claims requests and client capabilities",
ARM RPC "Common API details", RFC 9110 sections 9.2.2, 10.2.3 and 15.4.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._http.pauses import get_pause
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import parse_error_body

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiResponse

# The status of a request that got no response, as ansible.builtin.uri reports it.
NO_RESPONSE = -1
MAX_REDIRECTS = 5
_MAX_LOST_RESPONSES = 3
# A service that refuses a request as too many has not processed it. A request that may have been processed is repeated
# only if that makes no difference.
_BUSY = frozenset({429, 503})
_BUSY_IF_IDEMPOTENT = _BUSY | {408, 500, 502, 504, 509}
_REDIRECTS_OF_ANY_METHOD = frozenset({307, 308})
_REDIRECTS_OF_READS = _REDIRECTS_OF_ANY_METHOD | {301, 302, 303}
_WRONG_AUDIENCE = re.compile(
    r"(wrong|invalid|incorrect)\W+audience|audience\b.{0,200}\bis\W+invalid|TokenAudience\b", re.IGNORECASE
)
# The responses to a repeated DELETE or PUT whose first attempt has taken effect.
_AFTER_EFFECT = frozenset({404, 409, 410, 412})
_TAKEN_EFFECT = (
    "The request was repeated after an attempt without a complete response, and that attempt may have taken effect."
)
_CLAIMS = re.compile(r'(?:^|[\s,])claims\s*=\s*(?:"([^"]+)"|([^\s,"]+))', re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Wait:
    """Send the request again after ``seconds``, under ``policy``."""

    seconds: float
    policy: RetryPolicy


@dataclasses.dataclass(frozen=True)
class Renew:
    """Send the request again with a new token, under ``policy``. ``claims`` are those of the challenge, in base64."""

    claims: str | None
    policy: RetryPolicy


@dataclasses.dataclass(frozen=True)
class Follow:
    """Send the request to ``location``, as the Location header gives it, under ``policy``."""

    location: str
    policy: RetryPolicy


@dataclasses.dataclass(frozen=True)
class Stop:
    """Take the response as it is. ``reason`` tells why a failed request is not repeated, if there is more to tell."""

    reason: str = ""


Step = Wait | Renew | Follow | Stop


@dataclasses.dataclass(frozen=True)
class RetryPolicy:
    """The policy for one request, and what has happened to it so far.

    Attributes:
        is_safe: Whether the request only reads, so that any redirect may be followed.
        is_idempotent: Whether the request may be repeated after it may have been processed.
        accepts: Whether a status is a good response, which is never retried.
        retry_for: Seconds for all repetitions together; only for the reason.
        deadline: When they end, by the clock of ``now`` in ``next``.
        can_renew: Whether a refused token can be replaced.
        waits: How often the request was sent again after a wait.
        lost_responses: How often it got no response.
        redirects: How many redirects were followed.
        renewed_with_claims: Whether the token was replaced by one with the claims of a challenge.
        renewed_without_claims: Whether it was replaced by one of the same kind.
        is_uncertain: Whether an earlier attempt may have taken effect although its response was no success.
    """

    is_safe: bool
    is_idempotent: bool
    accepts: t.Callable[[int], bool]
    retry_for: float
    deadline: float
    can_renew: bool = True
    waits: int = 0
    lost_responses: int = 0
    redirects: int = 0
    renewed_with_claims: bool = False
    renewed_without_claims: bool = False
    is_uncertain: bool = False

    def next(self, response: ApiResponse, *, now: float, is_wrong_audience: bool = False) -> Step:
        """Return what to do after a response.

        Args:
            response: The response to the request that was sent last.
            now: The current time in seconds, by the clock of ``deadline``.
            is_wrong_audience: Whether the token is known to be for another API than the one that was called.
        """
        status = response.status
        if self.accepts(status):
            return Stop()
        if status == NO_RESPONSE:
            return self._repeat_lost(now)
        if status in (_BUSY_IF_IDEMPOTENT if self.is_idempotent else _BUSY):
            return self._note(uncertain=status not in _BUSY)._wait(response.retry_after, now)
        if status == 401 and self.can_renew:
            return self._renew(response, is_wrong_audience)
        if status in (_REDIRECTS_OF_READS if self.is_safe else _REDIRECTS_OF_ANY_METHOD):
            return self._follow(response)
        return Stop(_TAKEN_EFFECT if self.is_uncertain and status in _AFTER_EFFECT and not self.is_safe else "")

    def _note(self, *, uncertain: bool) -> RetryPolicy:
        return dataclasses.replace(self, is_uncertain=self.is_uncertain or uncertain)

    def _repeat_lost(self, now: float) -> Step:
        if not self.is_idempotent or self.lost_responses >= _MAX_LOST_RESPONSES:
            return Stop()
        policy = dataclasses.replace(self._note(uncertain=True), lost_responses=self.lost_responses + 1)
        return policy._wait(None, now)

    def _wait(self, retry_after: float | None, now: float) -> Step:
        seconds = retry_after or get_pause(self.waits)
        if now + seconds > self.deadline:
            asked = "It asks to wait" if retry_after else "The next attempt is due in"
            return Stop(f"{asked} {seconds:.0f} s, longer than is left of retry_for ({self.retry_for:g} s).")
        return Wait(seconds, dataclasses.replace(self, waits=self.waits + 1))

    def _renew(self, response: ApiResponse, is_wrong_audience: bool) -> Step:
        claims = extract_claims(response.headers.get("WWW-Authenticate", ""))
        if claims:
            if self.renewed_with_claims:
                return Stop("A token with the claims that the API asks for was refused as well.")
            return Renew(claims, dataclasses.replace(self, renewed_with_claims=True))
        if is_wrong_audience or blames_audience(response):
            return Stop("The token is for another API, so a new one of the same kind would be refused as well.")
        if self.renewed_without_claims:
            return Stop("A new token was refused as well.")
        return Renew(None, dataclasses.replace(self, renewed_without_claims=True))

    def _follow(self, response: ApiResponse) -> Step:
        location = response.headers.get("Location")
        if not location:
            return Stop()
        if self.redirects >= MAX_REDIRECTS:
            return Stop(f"There were more than {MAX_REDIRECTS} redirects in a row.")
        return Follow(location, dataclasses.replace(self, redirects=self.redirects + 1))


def extract_claims(header: str) -> str | None:
    """Return the claims of a WWW-Authenticate header, in base64 as they are there; None without claims.

    Source: Learn "Claims challenges, claims requests and client capabilities".
    """
    match = _CLAIMS.search(header)
    return (match[1] or match[2]) if match else None


def blames_audience(response: ApiResponse) -> bool:
    """Return whether a 401 says that the token is for another API.

    Services word it differently: ``InvalidAuthenticationTokenAudience`` (Azure Resource Manager), "Invalid audience"
    (Microsoft Graph, Key Vault), ``error_description="The audience '…' is invalid"`` (ASP.NET).
    """
    error = parse_error_body(response.body)
    said = f"{response.headers.get('WWW-Authenticate', '')} {error.code} {error.message}"
    return bool(_WRONG_AUDIENCE.search(said))


__all__ = (
    "MAX_REDIRECTS",
    "NO_RESPONSE",
    "Follow",
    "Renew",
    "RetryPolicy",
    "Step",
    "Stop",
    "Wait",
    "blames_audience",
    "extract_claims",
)
