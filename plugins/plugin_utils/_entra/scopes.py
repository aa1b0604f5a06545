# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a user writes as ``scope`` to what is sent.

Rules of Learn "Scopes and permissions in the Microsoft identity platform": an application token is asked for with
exactly one ``<resource>/.default``; what stands before ``/.default`` is never normalised, because it becomes the
audience literally.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import ALIASES

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import Api, Cloud

_DEFAULT = "/.default"
_WHITE_SPACE = re.compile(r"\s")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Scope:
    """``value`` is the form field ``scope``; ``api`` the API it is for, where that is a known one."""

    value: str
    api: Api | None

    @property
    def api_url(self) -> str | None:
        """The base URL of the API, where it has just one."""
        return self.api.url if self.api else None

    @property
    def resource(self) -> str:
        """What the token is for, as its audience will say."""
        return _resource(self.value.partition(" ")[0])


def resolve_scope(requested: t.Sequence[str], cloud: Cloud, *, delegated: bool) -> Scope:
    """The scope to send for what was requested.

    ``delegated`` tells whether a user's permissions may be named one by one (a refresh token); an application asks
    for ``/.default`` of one resource. Raises InputError for anything Entra could only refuse.
    """
    if not requested:
        raise _empty()
    values = [_full_scope(item.strip(), cloud, delegated=delegated) for item in requested]
    resources = {value[: -len(_DEFAULT)] for value in values if value.endswith(_DEFAULT)}
    if len(resources) > 1:
        raise InputError(
            f"A token is for one API, but the scope names {len(resources)}: {', '.join(sorted(resources))}.",
            hint="Ask for one token per API: one task, or one term of the lookup, each.",
        )
    api = next((api for api in map(cloud.api_named_by, map(_resource, values)) if api), None)
    # A user's permission without a resource is one of Microsoft Graph (Learn, "Scopes and permissions").
    if not any("/" in value for value in values):
        api = cloud.api("graph")
    return Scope(" ".join(dict.fromkeys(values)), api)


def _full_scope(item: str, cloud: Cloud, *, delegated: bool) -> str:
    _refuse_malformed(item)
    if item in ALIASES:
        return cloud.api(item).resource + _DEFAULT
    if item.endswith(_DEFAULT):
        return item
    if _GUID.fullmatch(item) or cloud.api_named_by(item):
        return item + _DEFAULT
    if "://" in item:
        return item if delegated and _has_path(item) else item + _DEFAULT
    if delegated:
        return item
    raise _unknown(item)


def _refuse_malformed(item: str) -> None:
    if not item:
        raise _empty()
    if _WHITE_SPACE.search(item):
        raise InputError(
            f"The scope '{item}' holds white space.",
            hint="Write several scopes as a YAML list; in a URI encode the space as %20.",
        )
    if not item.isprintable():
        raise InputError("The scope holds control characters.", hint="Type it again.")


def _empty() -> InputError:
    return InputError("The scope is empty.", hint="Name an API, for example scope: graph.")


def _has_path(uri: str) -> bool:
    return urllib.parse.urlsplit(uri).path.strip("/") != ""


def _resource(value: str) -> str:
    """The resource part of a full scope: all before ``/.default``, else all before a permission's name."""
    return value[: -len(_DEFAULT)] if value.endswith(_DEFAULT) else value.rpartition("/")[0] or value


def _unknown(item: str) -> InputError:
    close = difflib.get_close_matches(item, ALIASES, n=1)
    suggestion = f"Did you mean '{close[0]}'? " if close else ""
    return InputError(
        f"The scope '{item}' is neither a known API nor a resource URI nor an app id.",
        hint=f"{suggestion}Known are {', '.join(sorted(ALIASES))}; any other API goes by its URI or app id.",
    )


__all__ = ("Scope", "resolve_scope")
