# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the URL of the token endpoint from cloud, authority and tenant.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS

# Letters, digits, dots and hyphens: a GUID or a verified domain, without characters that change the meaning of a URL.
_TENANT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?", re.IGNORECASE)
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f]")
# No segment is "." or "..", because those are removed on the way, and another path than the checked one is requested.
_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*")
# What follows the authority in the URLs that the portal and OpenID metadata show.
_ENDPOINT = re.compile(
    r"(/oauth2(/v2\.0)?/(token|authorize|devicecode|logout)|(/v2\.0)?/\.well-known/openid-configuration|/v2\.0"
    r"|/discovery(/v2\.0)?/keys|/federationmetadata/2007-06/federationmetadata\.xml|/saml2|/wsfed)$",
    re.IGNORECASE,
)
_TENANTLESS = frozenset({"common", "organizations", "consumers"})
_PORTALS = ("portal.azure.com", "portal.azure.us", "portal.azure.cn", "entra.microsoft.com", "aad.portal.azure.com")
_API_URLS = [api.url for cloud in CLOUDS.values() for api in cloud.apis.values() if api.url]
_API_HOSTS = frozenset({*(urllib.parse.urlsplit(url).hostname for url in _API_URLS), *_PORTALS})
# Other names of login hosts (Learn, "National clouds", and the list of instance metadata in MSAL).
_CLOUD_OF_LOGIN_HOST: t.Mapping[str, str] = {
    "login.microsoftonline.com": "public",
    "login.microsoft.com": "public",
    "login.windows.net": "public",
    "sts.windows.net": "public",
    "login.microsoftonline.us": "usgov",
    "login.usgovcloudapi.net": "usgov",
    "login.partner.microsoftonline.cn": "china",
    "login.chinacloudapi.cn": "china",
    "login.sovcloud-identity.fr": "bleu",
    "login.sovcloud-identity.de": "delos",
    "login.sovcloud-identity.sg": "govsg",
}


def validate_tenant(tenant_id: str) -> None:
    """Raise InputError for a tenant that an application can't sign in to (Learn, AADSTS9001023, AADSTS900023)."""
    if tenant_id.lower() in _TENANTLESS:
        raise InputError(
            f"The tenant '{tenant_id}' stands for any tenant, but an application signs in to one.",
            hint="Set tenant_id to the tenant's GUID or one of its verified domains.",
        )
    if not _TENANT.fullmatch(tenant_id):
        raise InputError(
            f"tenant_id {tenant_id!r} is not a GUID or a domain name.",
            hint="Set it to the Directory (tenant) ID or a verified domain such as contoso.onmicrosoft.com.",
        )


@functools.cache
def normalize_authority(authority: str) -> str:
    """Return an authority as https URL without a slash at its end.

    The URL of an endpoint, an issuer or OpenID metadata is reduced to its authority, and a host name without a scheme
    gets https. Plain http is only for loopback, because the request contains a credential.

    Raises:
        InputError: It is not a valid URL of a login host.
    """
    url = authority.strip() if "://" in authority else f"https://{authority.strip()}"
    parts = _parse_url(url)
    path = _ENDPOINT.sub("", parts.path.rstrip("/")) if parts else ""
    if parts is None or not _is_host(parts.hostname or "") or not _PATH.fullmatch(path) or "@" in parts.netloc:
        raise InputError(
            "The authority is not a URL of a login host.",
            hint="Write it like https://login.microsoftonline.com.",
        )
    base = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(str(parts.hostname))):
        raise InputError(
            f"The authority {parts.scheme}://{parts.hostname} is not https, so the credential would be sent in clear.",
            hint="Write the authority as https://…; http is only for a test server on this machine.",
        )
    _refuse_misplaced_parts(parts, base, path)
    return f"{_use_login_host(base)}{path}"


def _refuse_misplaced_parts(parts: urllib.parse.SplitResult, base: str, path: str) -> None:
    if parts.query or parts.fragment:
        raise InputError(
            "The authority has a query or a fragment, which would be lost.",
            hint="Remove it; for B2C write the policy as the last part of the path.",
        )
    if (parts.hostname or "") in _API_HOSTS:
        raise InputError(
            f"The authority {base} is the address of an API or a portal, not of a login host.",
            hint="Write it like https://login.microsoftonline.com, or remove it and set cloud.",
        )
    if path.strip("/").lower() in _TENANTLESS:
        raise InputError(
            f"The authority ends in {path}, which stands for any tenant, but an application signs in to one.",
            hint=f"Write the authority as {base}; the tenant is taken from tenant_id.",
        )


def _use_login_host(base: str) -> str:
    # This host names the issuer of older tokens and is not for requests.
    return CLOUDS["public"].login_url if base.lower() == "https://sts.windows.net" else base


def refuse_other_tenant(authority: str, tenant_id: str) -> None:
    """Raise InputError if an authority of Entra names another tenant than tenant_id does; both as GUIDs."""
    tenant = urllib.parse.urlsplit(normalize_authority(authority)).path.strip("/")
    if GUID.fullmatch(tenant) and GUID.fullmatch(tenant_id) and tenant.lower() != tenant_id.lower():
        raise InputError(
            f"The authority names the tenant {tenant}, but tenant_id is {tenant_id}.",
            hint="Write the authority without the tenant, or correct tenant_id.",
        )


def find_cloud(authority: str) -> str | None:
    """Return the name of the cloud that a login host belongs to; None for any other host."""
    parts = _parse_url(authority.strip() if "://" in authority else f"https://{authority.strip()}")
    return _CLOUD_OF_LOGIN_HOST.get((parts.hostname or "").rstrip(".")) if parts else None


def build_token_url(authority: str, tenant_id: str) -> str:
    """Return the v2.0 token endpoint (Learn, "OAuth 2.0 client credentials flow").

    An authority with a path (a B2C policy, ``…/adfs``, a tenant) is complete; AD FS has no v2.0. Raises InputError.
    """
    base = normalize_authority(authority)
    path = urllib.parse.urlsplit(base).path
    if path.lower() == "/adfs":
        return f"{base}/oauth2/token"
    return f"{base if path else f'{base}/{tenant_id}'}/oauth2/v2.0/token"


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is that of this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _parse_url(url: str) -> urllib.parse.SplitResult | None:
    if _BLANK_OR_CONTROL.search(url):
        # urlsplit removes some of these silently.
        return None
    try:
        parts = urllib.parse.urlsplit(url)
        # The port is checked when it is read.
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(_HOST_NAME.fullmatch(host))
    return True


__all__ = (
    "GUID",
    "build_token_url",
    "find_cloud",
    "is_loopback",
    "normalize_authority",
    "refuse_other_tenant",
    "validate_tenant",
)
