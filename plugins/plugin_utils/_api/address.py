# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address of a call: its whole URL, the scope of its token, and the hosts that may receive the token.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import re
import string
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import add_query
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import build_host_pin, find_apis_at
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import choose_kind, load_class
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS
from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import resolve_scope

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import HostPin
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import Scope
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

# /oidc is the one path of Microsoft Graph without a version.
_GRAPH_PATH = re.compile(r"/+(v[0-9.]+|\w*beta|oidc)(/|\?|$)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class ApiAddress:
    """Where a call goes. ``is_graph`` is whether the API is Microsoft Graph."""

    url: str
    scope: Scope
    pin: HostPin
    is_graph: bool


def resolve_address(
    url: str,
    options: AppTokenOptions,
    *,
    allowed_hosts: t.Sequence[str] = (),
    query: t.Mapping[str, t.Any] | None = None,
) -> ApiAddress:
    """Resolve the address of a call before any request.

    Args:
        url: A whole URL, or a path below the base URL of the API.
        options: The options of the token, with its scope, cloud and ``api_base_url``.
        allowed_hosts: More hosts that may receive the token.
        query: More parameters for the query of the URL.

    Raises:
        InputError: The URL can't be used as it is, or its host may not receive the token.
    """
    kind = choose_kind(options)
    cloud = CLOUDS[options.cloud]
    scope = resolve_scope(options.scope, cloud, delegated=kind is not None and load_class(kind).delegated)
    is_graph = scope.api is not None and scope.api is cloud.apis.get("graph")
    whole = add_query(_complete_url(url, options.api_base_url or scope.api_url, scope), query or {})
    _refuse_blank(whole)
    whole = _encode_letters(whole)
    pin = build_host_pin(scope, options.api_base_url, allowed_hosts)
    pin.check(whole)
    if is_graph and scope.api in find_apis_at(whole):
        _refuse_missing_version(whole)
    return ApiAddress(whole, scope, pin.narrow_to(whole), is_graph)


def _complete_url(url: str, base: str | None, scope: Scope) -> str:
    if "://" not in url.partition("?")[0]:
        if not base:
            raise InputError(
                f"url {url!r} is a path, but the API of {scope.value} has no base URL of its own.",
                hint="Give the whole URL, or set api_base_url.",
            )
        url = f"{base.rstrip('/')}/{url.lstrip('/')}"
    if "#" in url:
        raise InputError(
            "url holds a #, and the part after it would not be sent.",
            hint="Write it as %23, as in /v1.0/users/ann_contoso.com%23EXT%23@fabrikam.onmicrosoft.com.",
        )
    return url


def _refuse_blank(url: str) -> None:
    if re.search(r"\s", url.strip()):
        raise InputError(
            "url holds a blank or a line break.",
            hint="Write a blank as %20, or give the parameters of the query to the option query if there is one, which "
            "encodes them.",
        )


def _encode_letters(url: str) -> str:
    """Return a URL whose letters beyond ASCII are percent-encoded; a name of a host with such letters is unchanged."""
    head, slash, rest = url.partition("://")
    host, separator, path = re.split(r"([/?]|$)", rest, maxsplit=1)
    return f"{head}{slash}{host}{separator}{urllib.parse.quote(path, safe=string.printable)}"


def _refuse_missing_version(url: str) -> None:
    path = urllib.parse.urlsplit(url).path
    if not _GRAPH_PATH.match(path):
        raise InputError(
            f"url has the path {path or '/'}, but the paths of Microsoft Graph begin with /v1.0 or /beta.",
            hint=f"Write /v1.0/{path.lstrip('/')}.",
        )


__all__ = ("ApiAddress", "resolve_address")
