# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP exchanges with a service that issues tokens or with an API: a complete, bounded response, or a readable error.

Imported only when a request is due, because loading requests costs more than a whole cache hit.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import sys
import time
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import MissingLibraryError, NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http.body import CODINGS, ResponseTooLargeError, read_body
from ansible_collections.entra.auth.plugins.module_utils._http.deadline import Exchange, limit_connections
from ansible_collections.entra.auth.plugins.module_utils._http.errors import (
    LOST_CONNECTIONS,
    Reason,
    describe_failure,
    find_reason,
)
from ansible_collections.entra.auth.plugins.module_utils._http.pauses import get_pause
from ansible_collections.entra.auth.plugins.module_utils._http.retry_after import parse_retry_after

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError
except ImportError:
    HAS_REQUESTS = False
    HTTPAdapter = object  # type: ignore[assignment, misc]  # only so that the class below can be defined
else:
    HAS_REQUESTS = True

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings

_USER_AGENT = "ansible-collection-entra.auth"
_OLDEST_URLLIB3 = (1, 26)


@dataclasses.dataclass(frozen=True)
class Request:
    """What to send.

    Attributes:
        url: Where to.
        method: The HTTP method.
        headers: More header fields.
        form: The fields of a form-encoded body.
        body: The body as it is, or a function that opens it, for each attempt again. It takes the place of ``form``.
        repeatable: Whether the request may be sent again once it may have arrived.
        retried_statuses: The statuses of responses after which the same request is sent again, after a pause.
        read: Reads the body of the response; by default it is bounded to what a token endpoint sends.
        carries_file: Whether a file is sent or received, so that the timeout holds for each MiB of it.
    """

    url: str
    method: str = "GET"
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    form: t.Mapping[str, str] | None = dataclasses.field(default=None, repr=False)
    body: bytes | t.Callable[[], t.BinaryIO] | None = dataclasses.field(default=None, repr=False)
    repeatable: bool = True
    retried_statuses: tuple[int, ...] = (408, 429, 500, 502, 503, 504)
    read: t.Callable[[requests.Response], bytes] | None = None
    carries_file: bool = False


@dataclasses.dataclass(frozen=True)
class Response:
    """A complete response.

    Attributes:
        status: The status code.
        headers: The header fields; names compare without case.
        body: The body.
        requested_on: When the last attempt began.
        attempts: How often the request was sent, or tried to be.
    """

    status: int
    headers: t.Mapping[str, str]
    body: bytes = dataclasses.field(repr=False)
    requested_on: Moment
    attempts: int = 1

    @property
    def retry_after(self) -> float | None:
        """The seconds to wait that the response asks for (RFC 9110 section 10.2.3)."""
        return parse_retry_after(self.headers.get("Retry-After", ""), self.headers.get("Date", ""))


class _Failure(t.NamedTuple):
    """An exchange that failed. ``may_repeat`` is whether sending the request again can help and can't harm."""

    error: NetworkError
    may_repeat: bool


class Transport:
    """Sends requests over one session, whose connections are kept alive."""

    def __init__(self, settings: NetworkSettings) -> None:
        """Raises MissingLibraryError if requests is not installed, or with too old a urllib3."""
        _require_libraries()
        self._settings = settings
        self._exchange = Exchange()
        self._session = _open_session(settings, self._exchange)
        self._routes: dict[str, dict[str, t.Any]] = {}

    def send(self, request: Request, *, until: float) -> Response:
        """Send a request, and send it again after lost connections and busy responses.

        Redirects are not followed: they would carry the credential elsewhere.

        Args:
            request: What to send.
            until: When to begin the last attempt, by time.monotonic. Every attempt ends ``timeout`` after it at the
                latest, so that all requests with the same ``until`` together keep to one bound.

        Returns:
            The last response, whatever its status.

        Raises:
            NetworkError: There is no complete response.
        """
        retries = _Retries(request, self._settings.lost_connection_retries)
        attempts = 0
        while True:
            attempts += 1
            outcome = self._attempt(request, until)
            pause = retries.choose_pause(outcome)
            if pause is None or time.monotonic() + pause > until:
                break
            if pause:
                self._settings.on_pause(pause)
                time.sleep(pause)
        if isinstance(outcome, _Failure):
            raise outcome.error
        return dataclasses.replace(outcome, attempts=attempts) if attempts > 1 else outcome

    def _attempt(self, request: Request, until: float) -> Response | _Failure:
        seconds = min(self._settings.timeout, until + self._settings.timeout - time.monotonic())
        if seconds <= 0:
            return _Failure(describe_failure(request.url, Reason.NO_TIME, TimeoutError(), self._settings), False)
        with contextlib.ExitStack() as files:
            # Outside of what follows, because a file that can't be opened is no failure of the network.
            body = files.enter_context(request.body()) if callable(request.body) else request.body
            data = request.form if body is None else body
            self._exchange.begin(seconds, self._settings.connect_timeout, carries_file=request.carries_file)
            try:
                return self._exchange_messages(request, data)
            except (requests.RequestException, HTTPError, http.client.HTTPException, ResponseTooLargeError) as exc:
                failure: Exception = exc
            except (ValueError, ArithmeticError) as exc:
                # A proxy's URL that can't be read, or a number in a response that is not one of HTTP.
                failure = exc
            except OSError as exc:
                if self._exchange.is_sent:
                    # Of a file that the response is written to. Those of a connection are wrapped by urllib3.
                    raise
                failure = exc
        return self._describe(request, failure, seconds)

    def _exchange_messages(self, request: Request, data: t.Any) -> Response:
        requested_on = Moment.now()
        prepared, route = self._prepare(request, data), self._get_route(request.url)
        # Not by Session.send, which keeps cookies and prepares to follow redirects.
        adapter = self._session.get_adapter(request.url)
        response = adapter.send(prepared, timeout=self._settings.timeout, **route)
        with response:
            body = (request.read or read_body)(response)
            return Response(response.status_code, response.headers, body, requested_on)

    def _prepare(self, request: Request, data: t.Any) -> requests.PreparedRequest:
        """Build the message to send: without cookies, and without the user name of a URL or of a netrc file.

        Request.prepare and Session.prepare_request would put such a user into the header Authorization.
        """
        prepared = requests.PreparedRequest()
        prepared.prepare_method(request.method)
        prepared.prepare_url(request.url, None)
        prepared.prepare_headers({**self._session.headers, **request.headers})
        prepared.prepare_body(data, None)
        return prepared

    def _get_route(self, url: str) -> dict[str, t.Any]:
        """Return the proxies, CAs and client certificates for a URL, found once for each host.

        Plain http goes to this machine or a link-local address: a proxy does not reach it, and would see the secret.
        """
        scheme, host = urllib.parse.urlsplit(url)[:2]
        if scheme == "http":
            return {"stream": True}
        if host not in self._routes:
            proxies = {"https": self._settings.proxy} if self._settings.proxy else {}
            verify = _choose_verification(self._settings)
            route: t.Any = self._session.merge_environment_settings(url, proxies, True, verify, None)
            # To requests before 2.28 an empty CURL_CA_BUNDLE means that no certificate is verified.
            self._routes[host] = {**route, "verify": route["verify"] or verify}
        return self._routes[host]

    def _describe(self, request: Request, exc: Exception, seconds: float) -> _Failure:
        reason = find_reason(exc, self._exchange)
        is_safe = request.repeatable or not self._exchange.is_sent
        # The time that there was, which is less than the timeout at the end of a call.
        settings = dataclasses.replace(self._settings, timeout=round(seconds, 1) or seconds)
        error = describe_failure(request.url, reason, exc, settings)
        return _Failure(error, reason in LOST_CONNECTIONS and is_safe)


class _Retries:
    """When to send one request again."""

    def __init__(self, request: Request, lost_connections: int) -> None:
        self._busy = request.retried_statuses
        self._lost_connections_left = lost_connections
        self._has_lost_one = False
        self._count = 0

    def choose_pause(self, outcome: Response | _Failure) -> float | None:
        """Return the seconds to wait before the next attempt; None if the outcome is final."""
        if isinstance(outcome, _Failure):
            self._lost_connections_left -= 1
            if not outcome.may_repeat or self._lost_connections_left < 0:
                return None
            if not self._has_lost_one:
                # One that was kept alive, and that the server has closed since: the next one is new.
                self._has_lost_one = True
                return 0
            return self._back_off()
        if outcome.status not in self._busy:
            return None
        return outcome.retry_after or self._back_off()

    def _back_off(self) -> float:
        self._count += 1
        return get_pause(self._count - 1)


class _LimitedAdapter(HTTPAdapter):
    """requests' adapter, whose connections keep to the deadline of the exchange in progress."""

    def __init__(self, exchange: Exchange, fingerprint: str | None) -> None:
        self._exchange = exchange
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: t.Any, **settings: t.Any) -> None:
        """Open the pools for direct connections."""
        if self._fingerprint:
            # urllib3 compares it before anything is sent.
            settings["assert_fingerprint"] = self._fingerprint
        super().init_poolmanager(*args, **settings)
        limit_connections(self.poolmanager, self._exchange)

    def proxy_manager_for(self, proxy: str, **settings: t.Any) -> t.Any:
        """Return the pools for connections by a proxy."""
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **settings)
        if is_new:
            limit_connections(manager, self._exchange)
        return manager


def _require_libraries() -> None:
    if not HAS_REQUESTS:
        raise MissingLibraryError.on_control_node("requests")
    version = urllib3.__version__  # type: ignore[attr-defined]  # its annotations leave it out
    if tuple(int(number) for number in version.split(".")[:2]) < _OLDEST_URLLIB3:
        raise MissingLibraryError(
            f"urllib3 {version} on the control node is too old; entra.auth needs urllib3 1.26 or newer.",
            hint=f"On the control node, run: {sys.executable} -m pip install --upgrade requests urllib3",
        )


def _open_session(settings: NetworkSettings, exchange: Exchange) -> requests.Session:
    session = requests.Session()
    session.trust_env = settings.use_environment
    session.headers.update({"User-Agent": _USER_AGENT, "Accept-Encoding": CODINGS})
    if not settings.validate_certs:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    # One for both, because it owns the connections that are kept alive.
    adapter = _LimitedAdapter(exchange, settings.fingerprint)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session


def _choose_verification(settings: NetworkSettings) -> str | bool:
    if settings.fingerprint or not settings.validate_certs:
        return False
    return settings.ca_path or True


__all__ = ("Request", "Response", "Transport")
