# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the URLs that options and the variables of a platform name, before a token is sent there.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import ipaddress
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError


def refuse_insecure_url(name: str, url: str, *, link_local: bool = False) -> None:
    """Raise InputError for a URL by which a token would leave the machine in clear text.

    Args:
        name: the variable or option that holds the URL, for the message.
        url: https to any host, or http to this machine.
        link_local: accept http to a link-local address too: managed identity endpoints have such addresses, which no
            router forwards (RFC 3927 section 2.7).
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urllib.parse.urlsplit(""), ""
    if host and (parts.scheme == "https" or (parts.scheme == "http" and _is_local(host, link_local=link_local))):
        return
    places = "this machine or a link-local address" if link_local else "this machine"
    raise InputError(
        f"{name} is not an https URL, so a token would travel in clear text. Nothing was sent there.",
        hint=f"Correct {name}; http is accepted for {places} only.",
    )


def _is_local(host: str, *, link_local: bool) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return address.is_loopback or (link_local and address.is_link_local)


__all__ = ("refuse_insecure_url",)
