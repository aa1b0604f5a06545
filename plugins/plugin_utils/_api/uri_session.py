# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send authorized requests from the task's host, each by the action ``ansible.builtin.uri``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import copy
import math
import re
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import printable
from ansible_collections.entra.auth.plugins.plugin_utils._api.authorized_session import AuthorizedSession
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.retry_policy import NO_RESPONSE
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_result import (
    UNREADABLE,
    Result,
    UriNotRun,
    UriResponse,
    describe_uri_failure,
    read_response,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import HostPin
    from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import Holder
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._options.authorized_uri import AuthorizedUriOptions

RunUri = t.Callable[[Result, float], Result | UriNotRun]

_HINT_FOR_UNREADABLE = "Use entra.auth.api_request, or write the response to a file with dest."
_HINT_FOR_MODULE = (
    "Correct what the message says; a host without Python, or with one that is too old, can't run it: use "
    "entra.auth.api_request, which sends requests from the control node."
)
_HINT_FOR_ACTION = (
    "Correct what the message says: a file to send has to be beside the playbook or in the directory files of the "
    "role, and modules have to run on {host} as the task's user."
)
# For uri to start on a slow host, because its own timeout begins after that; and how late a whole call may end.
_START_SECONDS, _LATE_SECONDS = 10, 1
# Options of the token that concern the request to the API as well, but only if the task itself gives them.
_NETWORK_OPTIONS = ("ca_path", "validate_certs")


class UriSession(AuthorizedSession):
    """A session of the task's host."""

    def __init__(
        self,
        token: Holder,
        pin: HostPin,
        call: AuthorizedUriOptions,
        options: AppTokenOptions,
        run_uri: RunUri,
        *,
        host: str,
        log_progress: t.Callable[[str], object],
    ) -> None:
        """Prepare a session.

        Args:
            token: The token of the call.
            pin: The hosts that may receive the token.
            call: The options of the call.
            options: The options of the token, for its extra headers and the network.
            run_uri: Runs the action ansible.builtin.uri with arguments, ends it after some seconds, returns its result.
            host: The host on which uri runs, for messages.
            log_progress: Takes a sentence before each wait.
        """
        super().__init__(token, pin, call.expects, retry_for=options.retry_for, log_progress=log_progress)
        self._call = call
        self._options = options
        self._run_uri = run_uri
        self._host = host

    def _exchange(self, request: ApiRequest, access_token: str | None, deadline: float) -> ApiResponse:
        """Run uri once; see AuthorizedSession. A lost connection is a response with the status NO_RESPONSE."""
        left = deadline + self._options.timeout - time.monotonic()
        if left <= 0:
            # The requests of one call, redirects among them, keep to one bound.
            return self._read(request, {"failed": True, "status": NO_RESPONSE, "msg": "timed out"})
        arguments = self._build_arguments(request, str(access_token))
        timeout = min(self._options.timeout, left)
        limit = min(timeout + _START_SECONDS, left + _LATE_SECONDS)
        outcome = self._run_uri({**arguments, "timeout": _round_up(timeout)}, limit)
        if isinstance(outcome, UriNotRun):
            raise self._build_not_run_error(request, self.build_mask().mask_text(outcome.said))
        return self._read(request, outcome)

    def _build_arguments(self, request: ApiRequest, access_token: str) -> Result:
        """Build the arguments of uri.

        ``url_password`` has uri mask the token in its own output; without a user name it is not used for Basic
        authentication. A netrc entry would replace the header, and uri would take it along to another host. Plain http
        goes to the host itself, and a proxy would see the token.
        """
        call, options = self._call, self._options
        headers = {**request.headers, "Authorization": f"Bearer {access_token}"}
        network: Result = {name: getattr(options, name) for name in _NETWORK_OPTIONS if self._is_direct(name)}
        if request.url.lower().startswith("http:"):
            network["use_proxy"] = False
        return {
            **call.passed,
            **network,
            **self._build_body(),
            "url": request.url,
            "method": request.method,
            "headers": headers,
            "status_code": [status for status in range(100, 600) if call.expects(status)],
            "return_content": call.return_content or "dest" not in call.given,
            "follow_redirects": "none",
            "url_password": access_token,
            "use_netrc": False,
            "unredirected_headers": list(headers),
        }

    def _build_body(self) -> Result:
        call = self._call
        if "body" in call.given:
            # A copy, because the action uri replaces the names of files in it by those on the host.
            return {"body": copy.deepcopy(call.body), "body_format": call.body_format}
        return {"src": call.src} if call.src else {}

    def _is_direct(self, name: str) -> bool:
        # A variable or the environment speaks of the control node, where that file is.
        return self._options.origins.get(name, "").startswith("option ")

    def _read(self, request: ApiRequest, result: Result) -> UriResponse:
        """Return the response in a result of uri. Raises ApiError for a module that did not run."""
        response = read_response(request, result, self.build_mask())
        if isinstance(response, UriResponse):
            return response
        raise self._build_module_error(request, response)

    def _build_not_run_error(self, request: ApiRequest, said: str) -> ApiError:
        error = ApiError(
            f"{request.safe_description} was not sent, because ansible.builtin.uri did not run on {self._host}: "
            f"{printable(said).rstrip('. ') or 'Ansible did not say why'}.",
            hint=_HINT_FOR_ACTION.format(host=self._host),
        )
        error.result = {"status": NO_RESPONSE}
        return error

    def _build_module_error(self, request: ApiRequest, said: str) -> ApiError:
        error = ApiError(
            f"{request.safe_description} has no result, because ansible.builtin.uri failed on {self._host}: "
            f"{printable(said).rstrip('. ') or 'it did not say why'}.",
            hint=_HINT_FOR_UNREADABLE if said == UNREADABLE else _HINT_FOR_MODULE,
        )
        if not request.is_idempotent:
            error.hint = f"Check whether the request took effect before you repeat it. {error.hint}"
        error.result = {"status": NO_RESPONSE}
        return error

    def _build_error(self, response: ApiResponse, reason: str) -> ApiError:
        """Build the error for a response that is not a success, with the fields that uri returned."""
        response = t.cast("UriResponse", response)
        is_lost = response.status == NO_RESPONSE
        error = self._build_lost(response, reason) if is_lost else super()._build_error(response, reason)
        error.result = {**describe_uri_failure(response, self._call), **error.result}
        return error

    def _build_lost(self, response: UriResponse, reason: str) -> ApiError:
        """Build the error for a request without a response, in fixed words: uri quotes what a peer sent."""
        what, hint = next(
            words for pattern, *words in _LOST_WORDS if re.search(pattern, response.failure, re.IGNORECASE)
        )
        hint = hint.format(host=self._host, timeout=_round_up(self._options.timeout))
        if not response.request.is_idempotent:
            hint = f"Check whether the request took effect before you repeat it. {hint}"
        message = f"{response.request.safe_description} got no response on {self._host}: {what}."
        error = ApiError(" ".join(filter(None, (message, reason))), hint=hint)
        error.request_summary = self.token.describe_request()
        error.result = {"status": NO_RESPONSE}
        return error


def _round_up(seconds: float) -> int:
    """Return whole seconds for a timeout, at least one, as uri takes them."""
    return max(1, math.ceil(seconds))


# The words of uri, what they mean, and the fix. The first that fits counts.
_LOST_WORDS = (
    (
        r"certificate has expired",
        "the certificate of the server has expired",
        "Have the certificate renewed, or check the clock of {host}.",
    ),
    (
        r"hostname mismatch|doesn't match|not valid for",
        "the certificate of the server is for another name",
        "Check url; a proxy that inspects TLS may respond in place of the API.",
    ),
    (
        r"certificate verify failed|failed to validate the ssl certificate",
        "the certificate of the server is not trusted there",
        "Install the CA on {host}, set SSL_CERT_FILE in the task's environment, or ca_path to its file on {host}.",
    ),
    (
        r"tunnel connection failed|proxy",
        "the proxy did not let the request through",
        "Check HTTPS_PROXY and NO_PROXY in the task's environment on {host}.",
    ),
    (
        r"name or service not known|getaddrinfo|nodename nor servname|name resolution|no address associated",
        "the name of the API's host could not be resolved",
        "Check url and the name servers of {host}, or use entra.auth.api_request, which sends from the control node.",
    ),
    (
        r"timed out|timeout",
        "it was not complete in time",
        "Check the way from {host} to the API, or raise timeout (now {timeout} s).",
    ),
    (
        r"refused|unreachable|no route",
        "the connection was refused or not possible",
        "Check url, and firewall and proxy between {host} and the API, or use entra.auth.api_request, which sends from "
        "the control node.",
    ),
    (
        r"",
        "the connection was lost or the response is not HTTP",
        "Repeat the task; if it fails again, look for a proxy or firewall between {host} and the API that ends "
        "connections.",
    ),
)


__all__ = ("Result", "RunUri", "UriSession")
