# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send authorized requests from the control node, over one session that is kept alive.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
import urllib.parse
import uuid

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http.body import ResponseTooLargeError, read_body
from ansible_collections.entra.auth.plugins.module_utils._http.settings import Service
from ansible_collections.entra.auth.plugins.module_utils._http.transport import Request, Transport
from ansible_collections.entra.auth.plugins.plugin_utils._api.authorized_session import AuthorizedSession
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse, build_response

if t.TYPE_CHECKING:  # pragma: no cover
    import requests

    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import HostPin
    from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import Holder

# The largest responses known, those of Log Analytics queries, have at most 100 MB.
_MAX_RESPONSE_BYTES = 128 * 1024 * 1024
_WITH_DEST = "have it written to a file with dest"


class ApiSession(AuthorizedSession):
    """A session of the control node. ``is_graph`` is whether the API is Microsoft Graph."""

    def __init__(
        self,
        token: Holder,
        pin: HostPin,
        network: NetworkSettings,
        expects: t.Callable[[int], bool],
        *,
        is_graph: bool,
        log_progress: t.Callable[[str], object],
    ) -> None:
        """Prepare a session; see AuthorizedSession.

        Raises:
            MissingLibraryError: requests is not installed.
        """
        super().__init__(token, pin, expects, retry_for=network.retry_for, log_progress=log_progress)
        self.is_graph = is_graph
        self._transport = Transport(dataclasses.replace(network, service=Service.API, on_pause=self._log_wait))

    def _exchange(self, request: ApiRequest, access_token: str | None, deadline: float) -> ApiResponse:
        """Send a request over the kept connection; see AuthorizedSession."""
        authorization = {"Authorization": f"Bearer {access_token}"} if access_token else {}
        wire = Request(
            request.url,
            request.method,
            {**_build_ids(), **request.headers, **authorization},
            body=request.body,
            repeatable=request.is_idempotent,
            retried_statuses=(),
            read=request.read or read_bounded,
            carries_file=request.carries_file,
        )
        mask = self.build_mask()
        try:
            response = self._transport.send(wire, until=deadline)
            # The transport repeats a request after a lost connection only.
            self.has_lost_response = response.attempts > 1
        except NetworkError as exc:
            failure = exc
        else:
            return build_response(request, response.status, response.headers, response.body, mask)
        # It may quote what the peer sent.
        failure.message = mask.mask_text(failure.message)
        if not request.is_idempotent:
            failure.hint = f"Check whether the request took effect before you repeat it. {failure.hint}"
        raise failure


def _build_ids() -> dict[str, str]:
    # Graph and ARM each repeat theirs in the response and in their logs.
    unique = str(uuid.uuid4())
    return {"client-request-id": unique, "x-ms-client-request-id": unique, "x-ms-return-client-request-id": "true"}


def read_bounded(response: requests.Response, otherwise: str = _WITH_DEST) -> bytes:
    """Return the whole body; refuse it early if its announced length is too large.

    Args:
        response: The response whose body has not been read.
        otherwise: What helps other than a smaller request, for the message.

    Raises:
        ApiError: The body is too large.
    """
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > _MAX_RESPONSE_BYTES:
        raise _build_too_large(response, f"has {int(announced)} bytes", otherwise)
    with contextlib.suppress(ResponseTooLargeError):
        return read_body(response, _MAX_RESPONSE_BYTES)
    raise _build_too_large(response, "does not end", otherwise)


def _build_too_large(response: requests.Response, size: str, otherwise: str) -> ApiError:
    parts = urllib.parse.urlsplit(str(response.url))
    return ApiError(
        f"The response of {parts.netloc}{parts.path} {size}; the limit is {_MAX_RESPONSE_BYTES} bytes.",
        hint=f"Request less with $select, $top or a filter, or {otherwise}.",
    )


__all__ = ("ApiSession", "read_bounded")
