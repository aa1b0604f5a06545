# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where token requests go: from cloud, authority and tenant to the URL of the token endpoint.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError

# Letters, digits, dots and hyphens: a GUID or a verified domain, and nothing that could change the URL's meaning.
_TENANT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?", re.IGNORECASE)
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f]")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_TENANTLESS = frozenset({"common", "organizations", "consumers"})


def validate_tenant(tenant_id: str) -> None:
    """Refuse what can't be a tenant of an application token (Learn, AADSTS9001023, AADSTS900023)."""
    if tenant_id.lower() in _TENANTLESS:
        raise InputError(
            f"The tenant '{tenant_id}' stands for any tenant, but an application signs in to one.",
            hint="Set tenant_id to the tenant's GUID or one of its verified domains.",
        )
    if not _TENANT.fullmatch(tenant_id):
        raise InputError(
            f"tenant_id {tenant_id!r} is neither a GUID nor a domain name.",
            hint="Set it to the Directory (tenant) ID or a verified domain such as contoso.onmicrosoft.com.",
        )


def normalize_authority(authority: str) -> str:
    """A login host as https URL without a last slash; a bare host name is taken as https.

    Plain http is for loopback alone: the request carries a credential.
    """
    url = authority.strip() if "://" in authority else f"https://{authority.strip()}"
    parts = _parts(url)
    path = parts.path.rstrip("/") if parts else ""
    if parts is None or not _is_host(parts.hostname or "") or not _PATH.fullmatch(path) or "@" in parts.netloc:
        raise InputError(
            "The authority is not a URL of a login host.",
            hint="Write it like https://login.microsoftonline.com.",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(str(parts.hostname))):
        raise InputError(
            f"The authority {parts.scheme}://{parts.hostname} is not https, so the credential would go in the clear.",
            hint="Write the authority as https://…; http is for a test server on this machine only.",
        )
    return f"{parts.scheme}://{parts.netloc}{path}"


def build_token_url(authority: str, tenant_id: str) -> str:
    """The v2.0 token endpoint (Learn, "OAuth 2.0 client credentials flow").

    An authority with a path (a B2C policy, ``…/adfs``, a tenant) already says all; AD FS knows no v2.0.
    """
    base = normalize_authority(authority)
    path = urllib.parse.urlsplit(base).path
    if path:
        validate_tenant(path.split("/")[1])
    if path.lower() == "/adfs":
        return f"{base}/oauth2/token"
    return f"{base if path else f'{base}/{tenant_id}'}/oauth2/v2.0/token"


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _parts(url: str) -> urllib.parse.SplitResult | None:
    if _BLANK_OR_CONTROL.search(url):
        # urlsplit would drop some of these without a word.
        return None
    try:
        parts = urllib.parse.urlsplit(url)
        # Reading the port is what checks it.
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(_HOST_NAME.fullmatch(host))
    return True


__all__ = ("build_token_url", "is_loopback", "normalize_authority", "validate_tenant")
