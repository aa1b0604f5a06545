# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ansible.builtin.uri``, by what they mean for the modules that call APIs.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

# Handed to uri as they are. They concern the task's host.
PASSED_OPTIONS = (
    *("attributes", "ciphers", "client_cert", "client_key", "creates", "decompress", "dest", "force", "group"),
    *("http_agent", "mode", "owner", "remote_src", "removes", "selevel", "serole", "setype", "seuser", "unix_socket"),
    *("unsafe_writes", "use_proxy"),
)
PASSED_ALIASES = {"attr": "attributes"}
# Set by the modules themselves, by their own names and their aliases.
OWNED_OPTIONS = (
    *("follow_redirects", "force_basic_auth", "unredirected_headers", "url_password", "url_username", "use_gssapi"),
    *("use_netrc", "password", "user"),
)
_OF_HOSTS = (*PASSED_OPTIONS, *PASSED_ALIASES, "return_content")


def find_owned(names: t.Iterable[str]) -> list[str]:
    """Return the names that are options of uri which the modules set themselves."""
    return [name for name in names if name in OWNED_OPTIONS]


def find_hint(names: t.Collection[str]) -> str | None:
    """Return what to do about options of uri that a module does not have; None if one of them is of no uri either."""
    if not set(names).issubset((*OWNED_OPTIONS, *_OF_HOSTS)):
        return None
    if owned := find_owned(names):
        return f"Remove {', '.join(owned)}: the module sends the token, and follows redirects that stay at the API."
    listed = " and ".join(names)
    return f"Remove {listed}, or use entra.auth.authorized_uri, which runs ansible.builtin.uri on a host."


__all__ = ("OWNED_OPTIONS", "PASSED_ALIASES", "PASSED_OPTIONS", "find_hint", "find_owned")
