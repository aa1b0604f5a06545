# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show what a write would send or change, without secrets: for check mode and for --diff.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._secrets import MASK
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import Scope

# Names under which APIs take secrets: passwordProfile, secretText, adminPassword, keyCredentials.key, sasToken, …
_SECRET_NAME = re.compile(
    r"passw|pwd|secret|token|credential|connectionstring|privatekey|accesskey|sharedkey|assertion|signature|^sas$|^key$|^pfx",
    re.IGNORECASE,
)
_SECRET_NAME_OR_VALUE = re.compile(f"{_SECRET_NAME.pattern}|value$", re.IGNORECASE)
# Members that name the value beside them: of an app setting, a header, a pair, a template parameter, a JSON Patch.
_NAMES_OF_VALUES = ("name", "key", "type", "path")
_VAULTS = tuple(
    api for cloud in CLOUDS.values() for alias, api in cloud.apis.items() if alias in ("key_vault", "managed_hsm")
)


def has_secret_values(url: str, scope: Scope) -> bool:
    """Return whether each ``value`` of a call is a secret: in the vaults of any cloud, and if the path says so."""
    parts = urllib.parse.urlsplit(url)
    if any(map(_SECRET_NAME.search, urllib.parse.unquote(parts.path).split("/"))):
        return True
    suffixes = tuple(host.removeprefix("*") for api in _VAULTS for host in api.hosts)
    return (parts.hostname or "").endswith(suffixes) or any(api.is_named_by(scope.resource) for api in _VAULTS)


def mask_body(data: t.Any, *, hide_values: bool = False) -> t.Any:
    """Return a copy of a body in which everything below the name of a secret is masked.

    A ``value`` beside the name of a secret is masked as well, and each ``value`` if ``hide_values``.
    """
    if isinstance(data, dict):
        hidden = hide_values or any(
            _names_secret(name) for kind, name in data.items() if kind.lower() in _NAMES_OF_VALUES
        )
        secret = _SECRET_NAME_OR_VALUE if hidden else _SECRET_NAME
        return {
            name: MASK if secret.search(name) and value not in (None, "") else mask_body(value, hide_values=hide_values)
            for name, value in data.items()
        }
    return [mask_body(item, hide_values=hide_values) for item in data] if isinstance(data, list) else data


def _names_secret(name: t.Any) -> bool:
    if not isinstance(name, str):
        return False
    return any(_SECRET_NAME.search(part) or "secure" in part.lower() for part in name.split("/"))


def format_body(body: t.Any, body_format: str, *, hide_values: bool = False) -> t.Any:
    """Return a body as it may be shown: data without its secrets; of text only the length."""
    if isinstance(body, (dict, list)):
        return mask_body(body, hide_values=hide_values)
    if body is None or (body_format == "json" and not isinstance(body, str)):
        return body
    return f"({len(str(body).encode())} bytes)"


def build_difference(url: str, method: str, old: t.Any, new: t.Any, *, hide_values: bool = False) -> dict[str, t.Any]:
    """Return the difference that a PUT or PATCH makes, in the form that Ansible shows.

    Args:
        url: The URL of the request.
        method: Its method.
        old: The present value of the resource.
        new: The body of the request.
        hide_values: Whether each ``value`` is a secret.
    """
    return {
        # Masked first: the name of a value may be missing in the new body.
        "before": _restrict(mask_body(old, hide_values=hide_values), new),
        "after": mask_body(new, hide_values=hide_values),
        "before_header": f"{url} (before)",
        "after_header": f"{url} (after {method})",
    }


def _restrict(old: t.Any, new: t.Any) -> t.Any:
    """Return the members of the old value that the new one names: others don't change."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {name: _restrict(old[name], value) for name, value in new.items() if name in old}
    return old


__all__ = ("build_difference", "format_body", "has_secret_values", "mask_body")
