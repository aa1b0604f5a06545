# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of a token that need nothing but the token and the caller's own headers.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

_AUTHORIZATION = "Authorization"


def build_headers(token: Token, extra_headers: t.Mapping[str, str]) -> dict[str, str]:
    """Return the request headers: the caller's own and Authorization, which they can't replace."""
    own = {name: value for name, value in extra_headers.items() if name.lower() != _AUTHORIZATION.lower()}
    return {**own, _AUTHORIZATION: token.authorization}


def build_uri_arguments(token: Token, extra_headers: t.Mapping[str, str]) -> dict[str, t.Any]:
    """Return arguments with which an ``ansible.builtin.uri`` task sends the headers and does not show the token.

    The module masks the value of ``url_password`` in all that it prints. Without a user name it is not used for Basic
    authentication. A netrc entry would replace the header, and a redirect would send headers to another host.
    """
    headers = build_headers(token, extra_headers)
    return {
        "headers": headers,
        "url_password": token.access_token,
        "use_netrc": False,
        "unredirected_headers": list(headers),
    }


FORMS: t.Mapping[str, t.Callable[[Token, t.Mapping[str, str]], t.Any]] = {
    "access_token": lambda token, extra_headers: token.access_token,
    "authorization": lambda token, extra_headers: token.authorization,
    "headers": build_headers,
    "uri": build_uri_arguments,
}


__all__ = ("FORMS", "build_headers", "build_uri_arguments")
