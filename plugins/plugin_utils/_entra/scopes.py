# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert the option ``scope`` to the form field that is sent.

Rules of Learn, "Scopes and permissions in the Microsoft identity platform": an application requests exactly one
``<resource>/.default``. The part before ``/.default`` is never normalised, because it becomes the audience literally.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import GUID
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import ALIASES

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import Api, Cloud

_DEFAULT = "/.default"
_GRANTED = "The permissions of an application are granted to it; a token for the API has all that are granted."
_WHITE_SPACE = re.compile(r"\s")


@dataclasses.dataclass(frozen=True)
class Scope:
    """``value`` is the form field ``scope``; ``api`` is its API if that is a known one."""

    value: str
    api: Api | None

    @property
    def api_url(self) -> str | None:
        """The base URL of the API; None if it has none or several."""
        return self.api.url if self.api else None

    @property
    def resource(self) -> str:
        """The resource that the token's audience will name."""
        return _get_resource(self.value.partition(" ")[0])


def resolve_scope(requested: t.Sequence[str], cloud: Cloud, *, delegated: bool) -> Scope:
    """Return the scope to send.

    Args:
        requested: The items of the option: aliases, resources or full scopes.
        cloud: The cloud in which an alias is looked up.
        delegated: Whether the token is a user's, whose permissions may be requested one by one.

    Raises:
        InputError: Entra would refuse the scope.
    """
    if not requested:
        raise _build_empty_error()
    values = [_build_full_scope(item.strip(), cloud, delegated=delegated) for item in requested]
    resources = {value.removesuffix(_DEFAULT) for value in values if value.endswith(_DEFAULT)}
    if len(resources) > 1:
        raise InputError(
            f"A token is for one API, but the scope names {len(resources)}: {', '.join(sorted(resources))}.",
            hint="Use one task, or one term of the lookup, for each API.",
        )
    api = next((api for api in map(cloud.find_api, map(_get_resource, values)) if api), None)
    # A user's permission without a resource is one of Microsoft Graph (Learn, "Scopes and permissions").
    if not any("/" in value for value in values):
        api = cloud.get_api("graph")
    return Scope(" ".join(dict.fromkeys(values)), api)


def _build_full_scope(item: str, cloud: Cloud, *, delegated: bool) -> str:
    _refuse_malformed(item)
    alias = item.removesuffix(_DEFAULT)
    if alias in ALIASES:
        return cloud.get_api(alias).resource + _DEFAULT
    if item.endswith(_DEFAULT):
        return item
    if GUID.fullmatch(item) or cloud.find_api(item):
        return item + _DEFAULT
    if "://" in item:
        _refuse_part_of_known_api(item, cloud, delegated=delegated)
        return item if delegated and _has_path(item) else item + _DEFAULT
    if delegated:
        return item
    raise _build_unknown_error(item)


def _refuse_part_of_known_api(item: str, cloud: Cloud, *, delegated: bool) -> None:
    """Raise InputError for a URL below a known API, because that is not a resource (AADSTS500011)."""
    if not item.lower().startswith("http"):
        return  # api://… is an API of the user's own
    # Loaded only here and for messages: a worker compiles every file that a call needs.
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.suggestions import find_api_of_part

    alias = find_api_of_part(item, cloud, delegated=delegated)
    if alias:
        raise InputError(
            f"The scope '{item}' is a part of the API '{alias}', and not the API itself.",
            hint=f"Use scope: {alias}. {_GRANTED}",
        )


def _refuse_malformed(item: str) -> None:
    if not item:
        raise _build_empty_error()
    if _WHITE_SPACE.search(item):
        raise InputError(
            f"The scope '{item}' contains white space.",
            hint="Write several scopes as a YAML list; in a URI encode the space as %20.",
        )
    if not item.isprintable():
        raise InputError("The scope contains control characters.", hint="Type it again.")


def _build_empty_error() -> InputError:
    return InputError("The scope is empty.", hint="Name an API, for example scope: graph.")


def _has_path(uri: str) -> bool:
    return urllib.parse.urlsplit(uri).path.strip("/") != ""


def _get_resource(value: str) -> str:
    """Return the resource of a full scope, which is followed by ``/.default`` or the name of a permission."""
    return value.removesuffix(_DEFAULT) if value.endswith(_DEFAULT) else value.rpartition("/")[0] or value


def _build_unknown_error(item: str) -> InputError:
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.suggestions import suggest_alias

    alias = suggest_alias(item)
    advice = f"Use scope: {alias}. {_GRANTED}" if alias else f"The known APIs are {', '.join(sorted(ALIASES))}."
    return InputError(
        f"The scope '{item}' is not a known API, a resource URI or an app ID.",
        hint=f"{advice} Any other API is named by its resource URI or app ID.",
    )


__all__ = ("Scope", "resolve_scope")
