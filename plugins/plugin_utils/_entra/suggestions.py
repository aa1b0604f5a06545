# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell what a user probably meant by a name of a cloud or of an API that is not known.

It is loaded only for a message.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import difflib
import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import ALIASES, CLOUDS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import Api, Cloud

# Words in the names that other tools and people use, in lower case, with the cloud they stand for.
_CLOUD_WORDS = (
    ("dod", "usgov_dod"),
    ("l5", "usgov_dod"),
    ("govsg", "govsg"),
    ("singapore", "govsg"),
    ("gov", "usgov"),
    ("china", "china"),
    ("21vianet", "china"),
    ("bleu", "bleu"),
    ("france", "bleu"),
    ("delos", "delos"),
    ("public", "public"),
    ("global", "public"),
    ("azurecloud", "public"),
)
# Names of APIs in other tools, in lower case and without punctuation.
_API_NAMES = {
    "azure": "arm",
    "azuremanagement": "arm",
    "azureresourcemanager": "arm",
    "management": "arm",
    "resourcemanager": "arm",
    "userimpersonation": "arm",
    "msgraph": "graph",
    "microsoftgraph": "graph",
    "aadgraph": "graph",
    "azuredevops": "devops",
    "kv": "key_vault",
    "vault": "key_vault",
    "blob": "storage",
    "loganalytics": "log_analytics",
    "office365": "office_management",
    "o365": "office_management",
    "mde": "defender",
}
# "User.Read.All", "Sites.Selected": a permission, most probably one of Microsoft Graph.
_PERMISSION = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)+")

# After a resource, not a version of Graph and without further segments.
_ONE_PERMISSION = re.compile(r"/(?!v\d|beta)[^/]+", re.IGNORECASE)


def suggest_cloud(name: str) -> str | None:
    """Return a sentence about the cloud that a name probably stands for; None if there is none."""
    if "://" in name:
        return _explain_endpoint(name)
    normalized = _normalize(name)
    found = next((cloud for word, cloud in _CLOUD_WORDS if word in normalized), None)
    close = difflib.get_close_matches(name.lower(), CLOUDS, n=1)
    meant = found or (close[0] if close else None)
    return f"Use {meant}." if meant else None


def _explain_endpoint(url: str) -> str:
    """Return what to set instead of the URL of Azure's metadata, which some tools take for a cloud."""
    found = _find_cloud_of_api(url)
    if found:
        return f"Use the name of that cloud, {found}, instead of a URL."
    return (
        "A URL is not a cloud. For a cloud without a name here, leave cloud at public and set authority to the login "
        "host, scope to the resource URI, and api_base_url to the base URL of the API."
    )


def _find_cloud_of_api(url: str) -> str | None:
    host = _get_host(url)
    hosts = {name: {_get_host(api.url) for api in cloud.apis.values() if api.url} for name, cloud in CLOUDS.items()}
    return next((name for name, known in hosts.items() if host in known), None)


def suggest_alias(name: str) -> str | None:
    """Return the alias that a name of an API, a permission or a host name probably stands for; None if unknown."""
    normalized = _normalize(name)
    exact = {_normalize(alias): alias for alias in ALIASES} | _API_NAMES
    if normalized in exact:
        return exact[normalized]
    public = CLOUDS["public"]
    on_host = find_alias_of_host(name, public)
    if on_host:
        return on_host
    by_app_id = public.find_api(name.partition("/")[0])
    if by_app_id:
        return next(alias for alias, api in public.apis.items() if api is by_app_id)
    if _PERMISSION.fullmatch(name):
        return "graph"
    close = difflib.get_close_matches(name.lower(), ALIASES, n=1)
    return close[0] if close else None


def find_alias_of_host(url: str, cloud: Cloud) -> str | None:
    """Return the alias of the API that a URL or a bare host name belongs to; None if the cloud has none there."""
    host = _get_host(url)
    for alias, api in cloud.apis.items():
        known = {_get_host(name) for name in (api.resource, api.url or "", *api.also)}
        if host and (host in known or _is_at(host, api.hosts)):
            return alias
    return None


def find_api_of_part(scope: str, cloud: Cloud, *, delegated: bool) -> str | None:
    """Return the alias of the API of which a scope is only a part; None if the scope may be a resource of its own.

    Args:
        scope: A URL that is not the identifier of a known API.
        cloud: The cloud whose APIs are known.
        delegated: Whether the name of one permission may follow the resource, as in ``…/User.Read``.
    """
    alias = find_alias_of_host(scope, cloud)
    if alias is None:
        return None
    api = cloud.apis[alias]
    names = [name.rstrip("/").lower() for name in (api.resource, *api.also)]
    rest = next((scope[len(name) :] for name in names if scope.lower().startswith(f"{name}/")), None)
    if rest is None:
        # The host of one account or of the API's URL. Some APIs issue tokens for one account.
        is_account = api.has_account_resources and urllib.parse.urlsplit(scope).path.strip("/") == ""
        return None if is_account or _is_listed(scope, api) else alias
    if delegated and _ONE_PERMISSION.fullmatch(rest):
        return None
    return alias


def _is_listed(url: str, api: Api) -> bool:
    host = _get_host(url)
    return host in api.hosts and urllib.parse.urlsplit(url).path.strip("/") == ""


def _get_host(url: str) -> str | None:
    try:
        return urllib.parse.urlsplit(url if "://" in url else f"https://{url}").hostname if "." in url else None
    except ValueError:
        return None


def _is_at(host: str, patterns: t.Iterable[str]) -> bool:
    return any(host.endswith(name[1:]) if name.startswith("*.") else host == name for name in patterns)


def _normalize(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


__all__ = ("find_alias_of_host", "find_api_of_part", "suggest_alias", "suggest_cloud")
