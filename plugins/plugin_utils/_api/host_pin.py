# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts that may receive a token: those of the API that the token was requested for, and no others.

RFC 6750 section 5.3: any holder of a bearer token can use it, so it is sent over TLS and to its audience only.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import is_loopback
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import Api
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import Scope

# Nothing that two parsers of URLs could read in two ways: no user name, backslash, percent sign or letter beyond ASCII.
_AUTHORITY = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?")
_ALLOWED = re.compile(r"(http://)?(\*\.)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_PORTS = {"https": 443, "http": 80}
# RFC 1035 section 2.3.4.
_LONGEST_HOST = 253
# Below these suffixes Azure Relay forwards requests, with their Authorization header, to programs of its customers
# (Learn "Azure Relay Hybrid Connections protocol"). Every Azure customer can register a name there.
_RELAY_SUFFIX = re.compile(r"\*\.servicebus\.")

UrlOrigin = t.Literal["typed", "redirect", "next_link", "operation"]


@dataclasses.dataclass(frozen=True)
class Origin:
    """Scheme, host in lower case and port of a URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Origin | None:
        """Return the origin of an absolute http or https URL; None for anything that is not plainly one."""
        if re.search(r"[\s\x00-\x1f\x7f\\]", url):
            return None
        try:
            parts = urllib.parse.urlsplit(url)
        except ValueError:
            return None
        match = _AUTHORITY.fullmatch(parts.netloc)
        if match is None or parts.scheme not in _PORTS or len(match["host"]) > _LONGEST_HOST:
            return None
        return cls(parts.scheme, match["host"].lower(), int(match["port"] or _PORTS[parts.scheme]))

    @property
    def is_private(self) -> bool:
        """Whether no third party can read what is sent there: by https, or to this machine itself."""
        return self.scheme == "https" or self.is_this_machine

    @property
    def is_this_machine(self) -> bool:
        """Whether the host is this machine."""
        return is_loopback(self.host.strip("[]"))

    @classmethod
    def is_safe_lead(cls, source: str, url: str) -> bool:
        """Return whether a response from ``source`` may lead to a URL, to which no token is sent.

        Only this machine may lead to this machine: another one must not reach the services that listen here.
        """
        found, asked = cls.parse(url), cls.parse(source)
        if found is None or not found.is_private:
            return False
        return not found.is_this_machine or (asked is not None and asked.is_this_machine)

    def __str__(self) -> str:
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


@dataclasses.dataclass(frozen=True)
class HostPin:
    """The hosts that may receive the token for ``scope``.

    Attributes:
        scope: The scope of the token, for messages.
        hosts: Names, and ``*.suffix`` for all names below a suffix, with a port if it is not the usual one. They mean
            https; ``http://name`` means plain http, which is allowed for this machine only.
        api: The API of the scope; None for one that is not in the table of clouds.
    """

    scope: str
    hosts: tuple[str, ...]
    api: Api | None = None

    def allows(self, url: str) -> bool:
        """Return whether the token may be sent to a URL."""
        origin = Origin.parse(url)
        return bool(origin and origin.is_private and any(matches_origin(pattern, origin) for pattern in self.hosts))

    def narrow_to(self, url: str) -> HostPin:
        """Return the pin for the addresses that responses from a URL name.

        A redirect or a link must not lead to a relay of another Azure customer, so of the hosts below a suffix where
        there are such relays only the host of the URL itself remains.
        """
        hosts = tuple(host for host in self.hosts if not _RELAY_SUFFIX.match(host))
        return dataclasses.replace(self, hosts=(*hosts, *list_hosts_of(url))) if hosts != self.hosts else self

    def check(self, url: str, label: str = "url", origin: UrlOrigin = "typed") -> None:
        """Raise InputError if the token may not be sent to a URL.

        Args:
            url: The URL.
            label: What the message calls the URL.
            origin: Where the URL comes from; the fix depends on it.
        """
        if self.allows(url):
            return
        found = Origin.parse(url)
        if found is None:
            raise InputError(
                f"{label} is not a plain http or https URL, so no token is sent there.",
                hint="Write it like https://graph.microsoft.com/v1.0/users, without user name and blanks; a blank in "
                "a path or query is %20."
                if origin == "typed"
                else _FAULT_OF_API,
            )
        if not found.is_private:
            raise InputError(
                f"{label} leads to {found}, which is not https, so the token could be read on its way.",
                hint="Use https; http is for a test server on this machine only."
                if origin == "typed"
                else _FAULT_OF_API,
            )
        hosts = f"is sent to {', '.join(self.hosts)} only" if self.hosts else "has no host of its own"
        raise InputError(
            f"{label} leads to {found}, which gets no token: the one for {self.scope} {hosts}.",
            hint=_suggest_scope(url) if origin == "typed" else _HINTS[origin],
        )

    def is_for_other_api(self, audience: str, url: str) -> bool:
        """Return whether a token with this audience is certainly for another API than the one at a URL.

        Only the APIs in the table of clouds are known by their audience; other identifiers prove nothing.
        """
        called = find_apis_at(url) or ([self.api] if self.api else [])
        if not audience or not called or any(api.is_named_by(audience) for api in called):
            return False
        return any(cloud.find_api(audience) for cloud in CLOUDS.values())


_FAULT_OF_API = "Send the request again; if it stays so, it is a fault of the API or of a proxy that rewrites it."
_HINTS: t.Mapping[UrlOrigin, str] = {
    "redirect": "If it is a download, use entra.auth.api_request with dest, which fetches it without the token. If you "
    "trust that host with the token, name it in allowed_hosts.",
    "next_link": "Find out why the API continues its listing on another host: a gateway in front of it may need "
    "api_base_url. If you trust that host with the token, name it in allowed_hosts.",
    "operation": "Check the resource itself to see how the operation goes on. If you trust that host with the token, "
    "name it in allowed_hosts.",
}


def _suggest_scope(url: str) -> str:
    called = find_apis_at(url)
    aliases = sorted({alias for cloud in CLOUDS.values() for alias, api in cloud.apis.items() if api in called})
    scope = f"Set scope to {' or '.join(aliases)}" if aliases else "Check url, and set scope to the API that is called"
    return f"{scope}; if you trust that host with this token, name it in allowed_hosts."


def find_apis_at(url: str) -> list[Api]:
    """Return the APIs of the table that have a URL's host; several can share one."""
    origin = Origin.parse(url)
    if origin is None:
        return []
    return [api for cloud in CLOUDS.values() for api in cloud.apis.values() if _is_at(api, origin)]


def _is_at(api: Api, origin: Origin) -> bool:
    return any(matches_origin(pattern, origin) for pattern in _list_own_hosts(api))


def build_host_pin(scope: Scope, api_base_url: str | None, allowed_hosts: t.Sequence[str] = ()) -> HostPin:
    """Build the pin for a scope: ``api_base_url`` or else the API's own hosts, and ``allowed_hosts``.

    An API that is not in the table has the host of its identifier, if that is a URL. Raises InputError for an entry of
    ``allowed_hosts`` that is not a host.
    """
    for entry in allowed_hosts:
        if not _ALLOWED.fullmatch(entry):
            raise InputError(
                f"allowed_hosts: '{entry}' is not the name of a host.",
                hint="Write host.example.com, *.example.com or host.example.com:8443, or http://localhost:8080.",
            )
    hosts = list_hosts_of(api_base_url) if api_base_url else _list_hosts_of_scope(scope)
    return HostPin(scope.value, (*hosts, *(entry.lower() for entry in allowed_hosts)), scope.api)


def _list_hosts_of_scope(scope: Scope) -> tuple[str, ...]:
    return _list_own_hosts(scope.api) if scope.api else list_hosts_of(scope.resource)


@functools.cache
def _list_own_hosts(api: Api) -> tuple[str, ...]:
    return (*list_hosts_of(api.url or ""), *api.hosts)


def list_hosts_of(url: str) -> tuple[str, ...]:
    """Return the host of a URL as HostPin writes it; nothing for anything that is not a URL."""
    origin = Origin.parse(url)
    return (re.sub("^https://", "", str(origin)),) if origin else ()


def matches_origin(pattern: str, origin: Origin) -> bool:
    """Return whether a host as HostPin writes it is, or includes, that of an origin."""
    scheme, _mark, pattern = pattern.rpartition("://")
    name, _colon, port = pattern.rpartition(":") if re.search(r":[0-9]+$", pattern) else (pattern, "", "")
    if (origin.scheme, origin.port) != (scheme or "https", int(port or _PORTS[origin.scheme])):
        return False
    return origin.host.endswith(name[1:]) if name.startswith("*.") else origin.host == name


__all__ = ("HostPin", "Origin", "UrlOrigin", "build_host_pin", "find_apis_at", "list_hosts_of", "matches_origin")
