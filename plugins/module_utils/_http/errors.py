# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failed connections in words: what happened, where, and what to look at.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import http.client
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError, printable

try:
    import requests
    import urllib3
except ImportError:
    _KINDS: dict[str, tuple[type[BaseException], ...]] = {}
    _BROKEN_URL: tuple[type[BaseException], ...] = ()
    _FAILURES: tuple[type[BaseException], ...] = ()
else:
    _KINDS = {
        # First, because urllib3 derives it from its timeouts.
        "other": (urllib3.exceptions.NewConnectionError,),
        "tls": (requests.exceptions.SSLError, urllib3.exceptions.SSLError),
        "proxy": (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError),
        "timeout": (requests.Timeout, urllib3.exceptions.TimeoutError),
    }
    _BROKEN_URL = (requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError, http.client.InvalidURL)
    _FAILURES = (OSError, urllib3.exceptions.HTTPError)

# That of Python, and that of a urllib3 before 2.0, which compares the name of the host itself.
_UNTRUSTED = frozenset({"SSLCertVerificationError", "CertificateError"})
_SHOWN_CHARACTERS = 300


def _causes(exc: BaseException) -> t.Iterator[BaseException]:
    while True:
        yield exc
        candidates = (getattr(exc, "reason", None), exc.__cause__, *exc.args)
        inner = next((one for one in candidates if isinstance(one, BaseException)), None)
        if inner is None:
            return
        exc = inner


def _reason(exc: BaseException) -> str:
    """The innermost cause in words, without URLs and object addresses."""
    text = str(list(_causes(exc))[-1])
    text = text.rpartition(": ")[2] if "object at 0x" in text else text
    # It may quote what the other side sent.
    return printable(text, _SHOWN_CHARACTERS)


def _is_broken_url(exc: BaseException) -> bool:
    # What is no failure of a connection is one of taking a URL apart, with an error of Python's own.
    return not isinstance(exc, _FAILURES) or any(isinstance(cause, _BROKEN_URL) for cause in _causes(exc))


def _kind(exc: BaseException, reason: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in reason or any(type(cause).__name__ in _UNTRUSTED for cause in _causes(exc)):
        return "certificate"
    # From the outside in: requests wraps urllib3's error, which wraps the real one.
    for cause in _causes(exc):
        for kind, classes in _KINDS.items():
            if isinstance(cause, classes):
                return kind
    return "other"


def describe_network_error(url: str, exc: BaseException) -> NetworkError:
    """What an exception of requests, urllib3 or the operating system means for the reader of a job's output."""
    host = urllib.parse.urlsplit(url).netloc
    if _is_broken_url(exc):
        # Without the reason, which quotes the URL, and in that of a proxy a password.
        return NetworkError(_BROKEN_URL_SENTENCE.format(host=host), hint=_BROKEN_URL_HINT)
    reason = _reason(exc)
    message, hint = _SENTENCES[_kind(exc, reason)]
    return NetworkError(f"{message.format(host=host)}: {reason.rstrip('.') or 'no reason is known'}.", hint=hint)


_BROKEN_URL_SENTENCE = "The request to {host} was not sent, because its URL or that of a proxy can't be read."
_BROKEN_URL_HINT = (
    "Check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY (in a password, # is written as %23, / as %2F, ? as %3F), "
    "and the host name (cloud, authority)."
)

_SENTENCES = {
    "certificate": (
        "The certificate of {host} is not trusted here",
        "Name the CA that signed it with ca_path or REQUESTS_CA_BUNDLE.",
    ),
    "tls": (
        "No TLS connection to {host} came about",
        "Check that https is spoken at that host and port, and that ca_path is a PEM file of certificates.",
    ),
    "proxy": (
        "The proxy on the way to {host} did not let the request through",
        "Check the option proxy, or HTTPS_PROXY and NO_PROXY.",
    ),
    "timeout": (
        "{host} did not answer in time",
        "Check the way to it (firewall, proxy), or raise timeout.",
    ),
    "other": (
        "The request to {host} failed",
        "Check the host name (cloud, authority), the firewall and the proxy.",
    ),
}


__all__ = ("describe_network_error",)
