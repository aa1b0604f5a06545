# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a write would send or change, fit to be shown: for check mode and for --diff.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import Scope

_MASK = "********"
# Names under which APIs take secrets: passwordProfile, secretText, adminPassword, keyCredentials.key, sasToken, …
_SECRET_NAME = re.compile(
    r"passw|pwd|secret|token|credential|connectionstring|privatekey|accesskey|sharedkey|assertion|signature|^sas$|^key$|^pfx",
    re.IGNORECASE,
)
_SECRET_NAME_OR_VALUE = re.compile(f"{_SECRET_NAME.pattern}|value$", re.IGNORECASE)
# What names the value beside it: of an app setting, a header, a pair, a parameter of a template, a JSON Patch.
_NAMES_OF_VALUES = ("name", "key", "type", "path")
_VAULTS = tuple(
    api for cloud in CLOUDS.values() for alias, api in cloud.apis.items() if alias in ("key_vault", "managed_hsm")
)


def hides_values(url: str, scope: Scope) -> bool:
    """Whether what a call has in ``value`` is a secret: in the vaults of any cloud, and below a path that says so."""
    parts = urllib.parse.urlsplit(url)
    if any(map(_SECRET_NAME.search, urllib.parse.unquote(parts.path).split("/"))):
        return True
    suffixes = tuple(host.removeprefix("*") for api in _VAULTS for host in api.hosts)
    return (parts.hostname or "").endswith(suffixes) or any(api.is_named_by(scope.resource) for api in _VAULTS)


def without_secrets(data: t.Any, *, hide_values: bool = False) -> t.Any:
    """A copy of a body in which everything below a name that tells of a secret is masked.

    So is a ``value`` beside the name of a secret, and each ``value`` if ``hide_values``.
    """
    if isinstance(data, dict):
        hidden = hide_values or any(
            _tells_of_a_secret(name) for kind, name in data.items() if kind.lower() in _NAMES_OF_VALUES
        )
        secret = _SECRET_NAME_OR_VALUE if hidden else _SECRET_NAME
        return {
            name: _MASK
            if secret.search(name) and value not in (None, "")
            else without_secrets(value, hide_values=hide_values)
            for name, value in data.items()
        }
    return [without_secrets(item, hide_values=hide_values) for item in data] if isinstance(data, list) else data


def _tells_of_a_secret(name: t.Any) -> bool:
    if not isinstance(name, str):
        return False
    return any(_SECRET_NAME.search(part) or "secure" in part.lower() for part in name.split("/"))


def shown_body(body: t.Any, body_format: str, *, hide_values: bool = False) -> t.Any:
    """A body as it may be shown: data without its secrets; of text no more than its length."""
    if isinstance(body, (dict, list)):
        return without_secrets(body, hide_values=hide_values)
    if body is None or (body_format == "json" and not isinstance(body, str)):
        return body
    return f"({len(str(body).encode())} bytes)"


def difference(url: str, method: str, old: t.Any, new: t.Any, *, hide_values: bool = False) -> dict[str, t.Any]:
    """The difference that a PUT or PATCH makes to what it names, as Ansible shows it."""
    return {
        # Masked first: what names a value may be missing in the new one.
        "before": _restricted(without_secrets(old, hide_values=hide_values), new),
        "after": without_secrets(new, hide_values=hide_values),
        "before_header": f"{url} (before)",
        "after_header": f"{url} (after {method})",
    }


def _restricted(old: t.Any, new: t.Any) -> t.Any:
    """Of the old value what the new one names: the rest is the service's own, or stays as it is."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {name: _restricted(old[name], value) for name, value in new.items() if name in old}
    return old


__all__ = ("difference", "hides_values", "shown_body", "without_secrets")
