# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a token may be sent: to the hosts of the API it was asked for, and to no other.

RFC 6750 section 5.3: a bearer token is good in whosever hands it is, so it goes over TLS, to its audience alone.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import is_loopback

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import Scope

# Nothing that two parsers of URLs could read in two ways: no user name, backslash, percent sign or letter beyond ASCII.
_AUTHORITY = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?")
_ALLOWED = re.compile(r"(http://)?(\*\.)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_PORTS = {"https": 443, "http": 80}


@dataclasses.dataclass(frozen=True)
class Origin:
    """Scheme, host in lower case and port of a URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Origin | None:
        """The origin of an absolute http or https URL; None for anything that is not plainly one."""
        if re.search(r"[\s\x00-\x1f\x7f\\]", url):
            return None
        try:
            parts = urllib.parse.urlsplit(url)
        except ValueError:
            return None
        match = _AUTHORITY.fullmatch(parts.netloc)
        if match is None or parts.scheme not in _PORTS:
            return None
        return cls(parts.scheme, match["host"].lower(), int(match["port"] or _PORTS[parts.scheme]))

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what is sent there: https, or this machine itself."""
        return self.scheme == "https" or is_loopback(self.host.strip("[]"))

    @classmethod
    def is_private_at(cls, url: str) -> bool:
        """Whether a URL has an origin that is private."""
        origin = cls.parse(url)
        return origin is not None and origin.is_private

    def __str__(self) -> str:
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


@dataclasses.dataclass(frozen=True)
class HostPin:
    """The hosts that may receive the token for ``scope``: names, ``*.suffix`` for all below, each maybe with a port.

    They mean https, and ``http://name`` plain http, which is for this machine only.
    """

    scope: str
    hosts: tuple[str, ...]

    def allows(self, url: str) -> bool:
        """Whether the token may be sent to a URL."""
        origin = Origin.parse(url)
        return bool(origin and origin.is_private and any(matches_origin(pattern, origin) for pattern in self.hosts))

    def check(self, url: str, label: str = "url") -> None:
        """Raise InputError, which calls the URL ``what``, where the token may not be sent there."""
        if self.allows(url):
            return
        origin = Origin.parse(url)
        if origin is None:
            raise InputError(
                f"{label} is not a plain http or https URL, so no token is sent there.",
                hint="Write it like https://graph.microsoft.com/v1.0/users, without user name and blanks.",
            )
        if not origin.is_private:
            raise InputError(
                f"{label} leads to {origin}, which is not https, so the token would travel in the clear.",
                hint="Use https; http is for a test server on this machine only.",
            )
        hosts = f"goes to {', '.join(self.hosts)} only" if self.hosts else "has no host of its own"
        raise InputError(
            f"{label} leads to {origin}, which gets no token: the one for {self.scope} {hosts}.",
            hint="Name the scope of the API that is called; if that host is to be trusted with the token, "
            "name it in allowed_hosts.",
        )


def build_host_pin(scope: Scope, api_base_url: str | None, allowed_hosts: t.Sequence[str] = ()) -> HostPin:
    """Where a token for a scope may go: to ``api_base_url`` or else the API's own hosts, and to ``allowed_hosts``.

    An API that is not in the table is at the host its identifier names, where that is a URL. Raises InputError for an
    entry of ``allowed_hosts`` that is none.
    """
    for entry in allowed_hosts:
        if not _ALLOWED.fullmatch(entry):
            raise InputError(
                f"allowed_hosts: '{entry}' is not the name of a host.",
                hint="Write host.example.com, *.example.com or host.example.com:8443, or http://localhost:8080.",
            )
    return HostPin(scope.value, (*_own_hosts(scope, api_base_url), *(entry.lower() for entry in allowed_hosts)))


def _own_hosts(scope: Scope, api_base_url: str | None) -> tuple[str, ...]:
    if api_base_url:
        return host_of(api_base_url)
    if scope.api:
        return (*host_of(scope.api.url or ""), *scope.api.hosts)
    return host_of(scope.resource)


def host_of(url: str) -> tuple[str, ...]:
    origin = Origin.parse(url)
    return (re.sub("^https://", "", str(origin)),) if origin else ()


def matches_origin(pattern: str, origin: Origin) -> bool:
    scheme, _mark, pattern = pattern.rpartition("://")
    name, _colon, port = pattern.rpartition(":") if re.search(r":[0-9]+$", pattern) else (pattern, "", "")
    if (origin.scheme, origin.port) != (scheme or "https", int(port or _PORTS[origin.scheme])):
        return False
    return origin.host.endswith(name[1:]) if name.startswith("*.") else origin.host == name


__all__ = ("HostPin", "Origin", "build_host_pin")
