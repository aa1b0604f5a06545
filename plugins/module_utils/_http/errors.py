# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failed exchanges in words: what happened, with whom, and what to check.

A message quotes nothing that a peer or a proxy sent, only the words of this machine's operating system and OpenSSL.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import enum
import http.client
import re
import socket
import ssl
import sys
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError, printable
from ansible_collections.entra.auth.plugins.module_utils._http.body import ResponseTooLargeError
from ansible_collections.entra.auth.plugins.module_utils._http.settings import Service

try:
    import requests
    import urllib3
except ImportError:
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

if t.TYPE_CHECKING:  # pragma: no cover
    # The classes of exceptions, and the reason that they stand for.
    _Rules = t.Sequence[tuple[tuple[type[BaseException], ...], "Reason"]]

    from ansible_collections.entra.auth.plugins.module_utils._http.deadline import Exchange
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings

_SHOWN_CHARACTERS = 200


class Reason(enum.Enum):
    """Why an exchange failed. The value is the sentence for it."""

    NO_TIME = "There was no time left to send a request to {host}"
    URL = "The request to {host} was not sent, because its URL or that of a proxy can't be read"
    SOCKS = "The request to {host} was not sent, because its proxy needs the Python package PySocks"
    CA_FILE = "The request to {host} was not sent, because the file of CA certificates can't be read"
    NAME = "The name of the host {host} can't be resolved"
    UNREACHABLE = "No connection to {host} was established"
    PROXY = "The proxy on the way to {host} did not let the request through"
    CONNECT_TIMEOUT = "No connection to {host} was established within {timeout:g} s"
    TIMEOUT = "{host} did not respond completely within {timeout:g} s"
    EXPIRED = "The certificate of {host} has expired"
    NOT_YET_VALID = "The certificate of {host} is not valid yet"
    WRONG_HOST = "The certificate of {host} is for another host name"
    WRONG_FINGERPRINT = "The certificate of {host} is not the one that the platform announced"
    UNTRUSTED = "The certificate of {host} is not trusted here"
    TLS = "No TLS connection to {host} was established"
    LOST = "The connection to {host} ended before the response was complete"
    NOT_HTTP = "The response of {host} is not one of HTTP"
    BROKEN = "The response of {host} is damaged"
    TOO_LARGE = "The response of {host} is larger than any that was expected"


# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_BY_VERIFY_CODE = {
    9: Reason.NOT_YET_VALID,
    10: Reason.EXPIRED,
    62: Reason.WRONG_HOST,
    63: Reason.WRONG_HOST,
    64: Reason.WRONG_HOST,
}
# After these the same request may succeed at once.
LOST_CONNECTIONS = frozenset({Reason.NAME, Reason.UNREACHABLE, Reason.CONNECT_TIMEOUT, Reason.TIMEOUT, Reason.LOST})

_HINTS = {
    Reason.NO_TIME: "Raise retry_for or timeout: earlier steps of this call, such as redirects, used them up.",
    Reason.URL: "Check {source}, and HTTPS_PROXY and ALL_PROXY (in a password, # is written as %23, / as %2F, ? as "
    "%3F).",
    Reason.SOCKS: f"Run {sys.executable} -m pip install PySocks on the machine that runs this, or use an HTTP proxy.",
    Reason.CA_FILE: "Correct REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, or set ca_path to a PEM file of CA certificates.",
    Reason.NAME: "Check {source}, and the name servers of the machine that runs this.",
    Reason.UNREACHABLE: "Check {source}, the firewall and the proxy.",
    Reason.PROXY: "Check the option proxy, or HTTPS_PROXY and NO_PROXY.",
    Reason.CONNECT_TIMEOUT: "Check {source}, the firewall and the proxy, or raise timeout.",
    Reason.TIMEOUT: "Raise timeout, or look for a firewall or proxy that delays the response.",
    Reason.EXPIRED: "Have its operator renew the certificate, and check the clock of the machine that runs this.",
    Reason.NOT_YET_VALID: "Check the clock of the machine that runs this, and of the one that issued the certificate.",
    Reason.WRONG_HOST: "Check {source}, or have a certificate issued for that name; a proxy that inspects TLS can be "
    "the reason too.",
    Reason.WRONG_FINGERPRINT: "Check that IDENTITY_SERVER_THUMBPRINT and IDENTITY_ENDPOINT are of the same node.",
    Reason.UNTRUSTED: "Set ca_path or REQUESTS_CA_BUNDLE to a PEM file with the CA that signed it.",
    Reason.TLS: "Check that https is spoken at that host and port, and that ca_path is a PEM file of certificates.",
    Reason.LOST: "Run again; if it stays so, look for a firewall, proxy or service that ends connections early.",
    Reason.NOT_HTTP: "Check {source}: another kind of service responds at that host and port.",
    Reason.BROKEN: "Run again; if it stays so, look for a proxy that changes responses.",
    Reason.TOO_LARGE: "Check {source}: another service may respond in its place.",
}
# A platform's endpoint is on the machine itself, with no proxy or CA between.
_LOCAL_HINT = (
    "Check that the managed identity endpoint of this machine runs, as the Azure Arc agent does, and check {source}."
)
_HINTS_OF_PLATFORM = {
    Reason.URL: "Correct {source}.",
    Reason.NAME: "Correct {source}.",
    Reason.UNREACHABLE: _LOCAL_HINT,
    Reason.CONNECT_TIMEOUT: _LOCAL_HINT,
    Reason.TIMEOUT: "Raise timeout, or restart the managed identity endpoint of this machine.",
    Reason.LOST: "Run again; if it stays so, restart the managed identity endpoint of this machine.",
    Reason.BROKEN: "Run again; if it stays so, update or restart the managed identity endpoint of this machine.",
}


_BEFORE_SENDING: _Rules = ()
_AFTER_SENDING: _Rules = ()
if HAS_REQUESTS:
    import urllib3.connection

    _TIMEOUTS = (socket.timeout, requests.Timeout, urllib3.exceptions.TimeoutError)
    _TLS = (ssl.SSLError, requests.exceptions.SSLError, urllib3.exceptions.SSLError)
    # Of a urllib3 before 2.0, which compares the name of the host itself.
    _HOST_MISMATCH = vars(urllib3.connection)["CertificateError"]
    # The first rule that fits any of an exception's causes decides.
    _BEFORE_SENDING = (
        ((requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError, http.client.InvalidURL), Reason.URL),
        ((requests.exceptions.ProxyError, urllib3.exceptions.ProxyError), Reason.PROXY),
        ((ssl.SSLCertVerificationError, _HOST_MISMATCH), Reason.UNTRUSTED),
        ((ValueError,), Reason.URL),
        ((socket.gaierror,), Reason.NAME),
        # Before the timeouts, because urllib3 derives it from them.
        ((urllib3.exceptions.NewConnectionError,), Reason.UNREACHABLE),
        (_TIMEOUTS, Reason.CONNECT_TIMEOUT),
        (_TLS, Reason.TLS),
        ((ConnectionError, http.client.HTTPException), Reason.LOST),
    )
    _AFTER_SENDING = (
        ((ResponseTooLargeError,), Reason.TOO_LARGE),
        ((urllib3.exceptions.DecodeError,), Reason.BROKEN),
        (_TIMEOUTS, Reason.TIMEOUT),
        # RemoteDisconnected among them.
        ((ConnectionError, ssl.SSLEOFError), Reason.LOST),
        (_TLS, Reason.TLS),
        ((http.client.BadStatusLine, http.client.UnknownProtocol, http.client.LineTooLong), Reason.NOT_HTTP),
    )


def find_reason(exc: BaseException, exchange: Exchange) -> Reason:
    """Return why an exchange failed, by the exception of requests, urllib3 or Python that ended it."""
    causes = list(_list_causes(exc))
    if exc.__class__ is OSError and exc.errno is None:
        # So requests says that the file of CA certificates is not there.
        return Reason.CA_FILE
    if isinstance(exc, requests.exceptions.InvalidSchema) and "SOCKS" in str(exc):
        return Reason.SOCKS
    if exchange.is_sent:
        # What is incomplete because the connection ended is not damaged.
        return _match(_AFTER_SENDING, causes) or (Reason.LOST if exchange.has_ended else Reason.BROKEN)
    return _refine(_match(_BEFORE_SENDING, causes) or Reason.UNREACHABLE, causes[-1])


def _match(rules: _Rules, causes: t.Sequence[BaseException]) -> Reason | None:
    fitting = (reason for classes, reason in rules if any(isinstance(cause, classes) for cause in causes))
    return next(fitting, None)


def _refine(reason: Reason, innermost: BaseException) -> Reason:
    """Return what exactly is wrong with a certificate."""
    if reason is Reason.TLS and str(innermost).startswith("Fingerprint"):
        return Reason.WRONG_FINGERPRINT
    if reason is Reason.UNTRUSTED:
        # A urllib3 before 2.0 compares the name itself, and has no code for it.
        code = getattr(innermost, "verify_code", None)
        return Reason.WRONG_HOST if code is None else _BY_VERIFY_CODE.get(code, reason)
    return reason


def _list_causes(exc: BaseException) -> t.Iterator[BaseException]:
    """Yield an exception and its causes, from the outside in: requests wraps urllib3's, which wraps the real one."""
    while True:
        yield exc
        candidates = (getattr(exc, "reason", None), exc.__cause__, *exc.args)
        inner = next((one for one in candidates if isinstance(one, BaseException)), None)
        if inner is None:
            return
        exc = inner


def describe_failure(url: str, reason: Reason, exc: BaseException, settings: NetworkSettings) -> NetworkError:
    """Return the error that tells the reader of a job's output about a failed exchange.

    Args:
        url: What was requested. Only its host and port are shown.
        reason: Why the exchange failed, as find_reason says.
        exc: The exception that ended it.
        settings: Who was asked, and for how long.
    """
    is_connecting = reason is Reason.CONNECT_TIMEOUT and settings.connect_timeout
    timeout = settings.connect_timeout if is_connecting else settings.timeout
    message = reason.value.format(host=_find_host(url), timeout=timeout)
    detail = _describe_detail(reason, list(_list_causes(exc)))
    hints = {**_HINTS, **_HINTS_OF_PLATFORM} if settings.service is Service.PLATFORM else _HINTS
    return NetworkError(
        f"{message}{f': {detail}' if detail else ''}.",
        hint=hints[reason].format(source=settings.url_source or settings.service.value),
    )


def _find_host(url: str) -> str:
    """Return host and port of a URL, without a user and a password."""
    try:
        return printable(urllib.parse.urlsplit(url).netloc.rpartition("@")[2], _SHOWN_CHARACTERS) or "the service"
    except ValueError:
        return "the service"


def _describe_detail(reason: Reason, causes: t.Sequence[BaseException]) -> str:
    """Return the words that this machine's system or OpenSSL has for a failure, or the proxy's status."""
    if reason not in _DETAILED:
        return ""
    refused = re.match(r"Tunnel connection failed: (\d{3})\b", str(causes[-1]))
    if refused:
        return f"it responded with {refused[1]}"
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLError):
            return str(getattr(cause, "verify_message", "") or (cause.reason or "").replace("_", " ").lower())
        if isinstance(cause, OSError) and cause.errno is not None:
            return printable(cause.strerror, _SHOWN_CHARACTERS).rstrip(".")
    return ""


_DETAILED = frozenset({Reason.NAME, Reason.UNREACHABLE, Reason.PROXY, Reason.UNTRUSTED, Reason.TLS, Reason.LOST})


__all__ = ("LOST_CONNECTIONS", "Reason", "describe_failure", "find_reason")
