# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP exchange, with whoever issues tokens or with an API: a bounded answer, or a readable error.

Imported only when a request is due, because loading requests costs more than a warm cache hit altogether.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import MissingLibraryError, NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http.body import read_body
from ansible_collections.entra.auth.plugins.module_utils._http.errors import describe_network_error
from ansible_collections.entra.auth.plugins.module_utils._http.retry_after import parse_retry_after

try:
    import requests
    import requests.adapters
    import urllib3
    from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError, ReadTimeoutError
    from urllib3.util.retry import Retry
except ImportError:
    HAS_REQUESTS = False
    Retry = object  # type: ignore[assignment, misc]  # only so that the class below can be defined
else:
    HAS_REQUESTS = True

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings

_USER_AGENT = "ansible-collection-entra.auth"
_BACKOFF_FACTOR_SECONDS = 1
_BACKOFF_MAX_SECONDS = 30


@dataclasses.dataclass(frozen=True)
class Request:
    """What to send: ``form`` goes form-encoded, ``body`` as it is or from a file opened anew for each attempt.

    ``retried_statuses`` are those that mean to ask again, with the waits of the retry policy. One that is not
    ``repeatable`` is not sent again once it may have arrived. ``read`` takes the body of the answer, given until when
    by time.monotonic; without one it is bounded to what a token endpoint answers.
    """

    url: str
    method: str = "GET"
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    form: t.Mapping[str, str] | None = dataclasses.field(default=None, repr=False)
    body: bytes | t.Callable[[], t.BinaryIO] | None = dataclasses.field(default=None, repr=False)
    repeatable: bool = True
    retried_statuses: tuple[int, ...] = (408, 429, 500, 502, 503, 504)
    read: t.Callable[[requests.Response, float], bytes] | None = None


@dataclasses.dataclass(frozen=True)
class Response:
    """A complete HTTP answer; ``headers`` compare without case, ``asked_on`` is when the last attempt began."""

    status: int
    headers: t.Mapping[str, str]
    body: bytes = dataclasses.field(repr=False)
    asked_on: Moment

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait by the Retry-After header, given in seconds or as a date (RFC 9110 section 10.2.3)."""
        return parse_retry_after(self.headers.get("Retry-After", ""), self.headers.get("Date", ""))


@dataclasses.dataclass
class _Attempts:
    """Shared by the retry policies of one request, of which urllib3 makes a new one for each attempt."""

    deadline: float
    on_pause: t.Callable[[float], object]
    began_on: Moment = dataclasses.field(default_factory=Moment.now)


class _RetryWithin(Retry):
    """urllib3's retry policy, with a budget in seconds for busy answers.

    A wait that would end after the deadline (time.monotonic) is not begun: what was last seen is the result.
    """

    attempts: _Attempts

    def new(self, **changes: t.Any) -> _RetryWithin:
        successor = super().new(**changes)
        successor.attempts = self.attempts
        return successor

    def increment(self, *args: t.Any, **context: t.Any) -> _RetryWithin:
        successor = super().increment(*args, **context)
        if time.monotonic() + successor.pause_after(context.get("response")) > self.attempts.deadline:
            raise MaxRetryError(context["_pool"], "", context.get("error"))
        return successor

    def sleep(self, response: t.Any = None) -> None:
        self.attempts.on_pause(self.pause_after(response))
        super().sleep(response)
        self.attempts.began_on = Moment.now()

    def pause_after(self, response: t.Any) -> float:
        """The seconds to wait after an answer, or after none."""
        return (self.get_retry_after(response) if response else None) or self.get_backoff_time()

    def get_retry_after(self, response: t.Any) -> float | None:
        # What can't be read counts as not there, where urllib3 would give up.
        return parse_retry_after(response.headers.get("Retry-After", ""), response.headers.get("Date", ""))

    def get_backoff_time(self) -> float:
        return min(super().get_backoff_time(), _BACKOFF_MAX_SECONDS)


def _need_libraries() -> None:
    if not HAS_REQUESTS:
        raise MissingLibraryError(missing_required_lib("requests"), hint="Install it where Ansible runs.")
    # New in 1.26, together with all that the retry policy above needs.
    if not hasattr(Retry, "DEFAULT_ALLOWED_METHODS"):
        version = urllib3.__version__  # type: ignore[attr-defined]  # its annotations leave it out
        raise MissingLibraryError(
            f"urllib3 {version} of {sys.executable} is too old; urllib3 1.26 or newer is needed.",
            hint="Upgrade requests and urllib3 where the token is asked for.",
        )


class Transport:
    """Sends requests over one kept-alive session."""

    def __init__(self, settings: NetworkSettings) -> None:
        """Raises MissingLibraryError where requests is not installed, or with too old a urllib3."""
        _need_libraries()
        self._settings = settings
        self._session = requests.Session()
        self._session.trust_env = settings.use_environment
        # A callable that adds nothing: without one, requests would put a netrc entry into the Authorization header.
        self._session.auth = lambda request: request
        # Or requests would look where a redirect leads even though none is followed, and fail at a broken Location.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]  # for this one alone
        self._session.headers["User-Agent"] = _USER_AGENT
        if not settings.validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        # One for all requests, because it owns the connections that are kept alive.
        self._adapter = self._new_adapter()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._adapter)

    def send(self, request: Request, *, until: float) -> Response:
        """The complete answer to a request; lost connections and busy answers are repeated until ``until``.

        ``until`` is by time.monotonic. Redirects are not followed: they would carry the credential elsewhere.
        Raises NetworkError.
        """
        outcome = self._attempt(request, _policy(request, until, self._settings))
        if isinstance(outcome, NetworkError):
            raise outcome
        return outcome

    def _attempt(self, request: Request, policy: _RetryWithin) -> Response | NetworkError:
        try:
            while True:
                self._adapter.max_retries = policy
                try:
                    return self._exchange(request, policy)
                except (ProtocolError, ReadTimeoutError) as exc:
                    # urllib3 repeats what fails before the headers are in; a body that breaks off is as harmless.
                    policy = policy.increment(request.method, request.url, error=exc, _pool=None)
                    policy.sleep()
        except (requests.RequestException, HTTPError, OSError, ValueError) as exc:
            # A bare ValueError is what a proxy of the environment with a broken URL ends in.
            return describe_network_error(request.url, exc)

    def _new_adapter(self) -> requests.adapters.HTTPAdapter:
        adapter = requests.adapters.HTTPAdapter()
        if self._settings.fingerprint:
            # Compared before anything is sent, by urllib3.
            adapter.init_poolmanager(1, 1, assert_fingerprint=self._settings.fingerprint)
        return adapter

    def _verify(self) -> str | bool:
        if self._settings.fingerprint or not self._settings.validate_certs:
            return False
        return self._settings.ca_path or True

    def _exchange(self, request: Request, policy: _RetryWithin) -> Response:
        with contextlib.ExitStack() as files:
            body = files.enter_context(request.body()) if callable(request.body) else request.body
            return self._send(request, request.form if body is None else body, policy)

    def _send(self, request: Request, data: t.Any, policy: _RetryWithin) -> Response:
        proxy = self._settings.proxy
        response = self._session.request(
            request.method,
            request.url,
            data=data,
            headers=dict(request.headers),
            timeout=(self._settings.connect_timeout or self._settings.timeout, self._settings.timeout),
            proxies={"http": proxy, "https": proxy} if proxy else None,
            verify=self._verify(),
            allow_redirects=False,
            stream=True,
        )
        with response:
            body = (request.read or read_body)(response, time.monotonic() + self._settings.timeout)
            return Response(response.status_code, response.headers, body, policy.attempts.began_on)


def _policy(request: Request, until: float, settings: NetworkSettings) -> _RetryWithin:
    retries = settings.lost_connection_retries
    policy = _RetryWithin(
        total=None,
        connect=retries,
        read=retries if request.repeatable else False,
        redirect=False,
        # Whatever is neither a lost connection nor a busy answer, as an untrusted certificate, stays what it is.
        other=0,
        allowed_methods=None,
        status_forcelist=request.retried_statuses,
        backoff_factor=_BACKOFF_FACTOR_SECONDS,
        raise_on_status=False,
    )
    policy.attempts = _Attempts(until, settings.on_pause)
    return policy


__all__ = ("Request", "Response", "Transport")
