# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The loop of an authorized request: a valid token, the host pin, one exchange, the retry policy, and again.

The same for both machines that send requests: the control node (``session``) and the task's host (``uri_session``).

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import abc
import dataclasses
import time
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import resolve_link
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError, build_api_error
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import Origin
from ansible_collections.entra.auth.plugins.plugin_utils._api.retry_policy import Follow, Renew, RetryPolicy, Stop, Wait
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import read_audience
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_mask import TokenMask

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import HostPin
    from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import Holder


class AuthorizedSession(abc.ABC):
    """Sends requests with the token of a holder to the hosts of a pin.

    ``has_lost_response`` is set by an exchange that repeated the request itself, after a lost connection.
    """

    def __init__(
        self,
        token: Holder,
        pin: HostPin,
        expects: t.Callable[[int], bool],
        *,
        retry_for: float,
        log_progress: t.Callable[[str], object],
    ) -> None:
        """Prepare a session.

        Args:
            token: The token of the call.
            pin: The hosts that may receive the token.
            expects: Whether a status is a success.
            retry_for: Seconds for all repetitions of a request together.
            log_progress: Takes a sentence before each wait.
        """
        self.token = token
        self.pin = pin
        self._expects = expects
        self._retry_for = retry_for
        self._log_progress = log_progress
        self.has_lost_response = False
        self._mask = TokenMask(())
        self._masked_values: tuple[str, ...] = ()

    def send(self, request: ApiRequest, *, accept: t.Container[int] = (), until: float | None = None) -> ApiResponse:
        """Return the response to a request, after redirects, waits and a renewal of the token.

        Args:
            request: The request, without its token.
            accept: Statuses that are a success in addition to those that the session expects.
            until: When repetitions end, by time.monotonic; None for ``retry_for`` seconds from now.

        Raises:
            ApiError: The response is not a success, or a redirect leads where the request must not go.
            InputError: The host pin refuses the URL.
            NetworkError: There was no response.
            EntraAuthError: No token could be acquired.
        """
        if not request.anonymous:
            # Before the time of the request itself begins. A foreign host is refused without it.
            self.pin.check(request.url, request.label, request.origin)
            self.token.get_token()
        policy = self._build_policy(request, accept, until)
        while True:
            self.has_lost_response = False
            response = self._exchange_authorized(request, policy)
            if self.has_lost_response:
                policy = dataclasses.replace(policy, is_uncertain=True)
            is_wrong_audience = response.status == 401 and self._has_wrong_audience(request)
            step = policy.next(response, now=time.monotonic(), is_wrong_audience=is_wrong_audience)
            if isinstance(step, Stop):
                break
            request = self._take(step, request)
            policy = dataclasses.replace(step.policy, can_renew=self.token.can_renew and not request.anonymous)
        if policy.accepts(response.status):
            return response
        raise self._build_error(response, step.reason)

    def _build_policy(self, request: ApiRequest, accept: t.Container[int], until: float | None) -> RetryPolicy:
        return RetryPolicy(
            is_safe=request.is_safe,
            is_idempotent=request.is_idempotent,
            accepts=lambda status: self._expects(status) or status in accept,
            retry_for=self._retry_for,
            deadline=time.monotonic() + self._retry_for if until is None else until,
            can_renew=self.token.can_renew and not request.anonymous,
        )

    def _exchange_authorized(self, request: ApiRequest, policy: RetryPolicy) -> ApiResponse:
        if request.anonymous:
            return self._exchange(request, None, policy.deadline)
        self.pin.check(request.url, request.label, request.origin)
        return self._exchange(request, self.token.get_token().access_token, policy.deadline)

    @abc.abstractmethod
    def _exchange(self, request: ApiRequest, access_token: str | None, deadline: float) -> ApiResponse:
        """Send a request once and return its response, whatever its status is.

        Args:
            request: The request. A lost connection may be repeated if it is idempotent.
            access_token: The token to send; None for none.
            deadline: When repetitions end, by time.monotonic.

        Raises:
            NetworkError: There was no response.
        """

    def _take(self, step: Wait | Renew | Follow, request: ApiRequest) -> ApiRequest:
        """Do what the policy says and return the request to send next."""
        if isinstance(step, Wait):
            self._log_wait(step.seconds)
            time.sleep(step.seconds)
        elif isinstance(step, Renew):
            self.token.renew(step.claims)
        else:
            return self._follow(request, step.location)
        return request

    def _log_wait(self, seconds: float) -> None:
        self._log_progress(f"waits {seconds:g} s before it sends the request again")

    def _follow(self, request: ApiRequest, location: str) -> ApiRequest:
        """Return the request to the address of a redirect. Raises ApiError for an address that is not safe."""
        label = f"The redirect of {request.safe_description}"
        if request.is_safe:
            # A fragment is not sent (RFC 9110 section 10.2.2). A write is never taken to the shorter address.
            location = location.partition("#")[0]
        url = resolve_link(request.url, location, label)
        following = dataclasses.replace(request, url=url, label=label, origin="redirect")
        if request.anonymous:
            return _refuse_unsafe(request.url, following)
        leads = Origin.is_safe_lead(request.url, url)
        if request.is_download and request.is_safe and not self.pin.allows(url) and leads:
            # Only the wish for the content travels along: no token, no header. A write would take its body along.
            return dataclasses.replace(following, headers={}, anonymous=True)
        return following

    def _has_wrong_audience(self, request: ApiRequest) -> bool:
        sent = "" if request.anonymous else self.token.values[-1]
        return self.pin.is_for_other_api(read_audience(sent), request.url)

    def _build_error(self, response: ApiResponse, reason: str) -> ApiError:
        """Build the error for a response that is not a success; ``reason`` is why the request is not repeated."""
        return build_api_error(response, None if response.request.anonymous else self.token, reason)

    def build_mask(self) -> TokenMask:
        """Return the mask of every token that the session has sent."""
        values = self.token.values
        if values != self._masked_values:
            self._masked_values, self._mask = values, TokenMask(values)
        return self._mask


def _refuse_unsafe(source: str, request: ApiRequest) -> ApiRequest:
    """Return a request without a token, to which a response from ``source`` leads.

    Raises ApiError if it would be sent in the clear, or to this machine.
    """
    if Origin.is_safe_lead(source, request.url):
        return request
    found = Origin.parse(request.url)
    reason = "which is this machine" if found and found.is_this_machine else "which is not https"
    raise ApiError(
        f"{request.label} leads to {found or 'no plain URL'}, {reason}.",
        hint="Check url; the API, or a proxy, names such an address.",
    )


__all__ = ("AuthorizedSession",)
