# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the collection can be made to crash, with an exception that holds all the secrets there are at that point."""

from __future__ import annotations

import functools
import importlib
import typing as t

# The header of extra_headers that names the point.
TRIGGER: t.Final = "Audit-Crash"
TEXT: t.Final = "aud1tCrash~text-of-an-exception"
_PLUGINS: t.Final = "ansible_collections.entra.auth.plugins."
# The functions after which it crashes, by the name of the point: module, class if there is one, and function.
POINTS: t.Final[dict[str, tuple[str, ...]]] = {
    "options": ("plugin_utils._options.sources", "resolve_options"),
    "credential": ("plugin_utils._credentials.client_secret", "ClientSecret", "build_client_authentication"),
    "response": ("plugin_utils._entra.token_endpoint", "parse_token_response"),
    "encrypt": ("plugin_utils._cache.encryption", "EntryCipher", "encrypt"),
    "store": ("plugin_utils._cache.directory_store", "DirectoryStore", "write"),
    "provider": ("plugin_utils._token.provider", "TokenProvider", "get_token"),
    "result": ("plugin_utils._token.result", "AppToken", "headers"),
    "header": ("module_utils._token", "Token", "authorization"),
}
_called: dict[str, t.Any] = {"point": None, "secrets": []}


class CrashError(Exception):
    """An unexpected error."""


def inject() -> None:
    """Make the functions crash when a call asks for it; in the process that Ansible forks its workers from."""
    for point, (module, *path) in POINTS.items():
        holder = importlib.import_module(_PLUGINS + module)
        for name in path[:-1]:
            holder = getattr(holder, name)
        _wrap(holder, path[-1], point)


def _wrap(holder: t.Any, name: str, point: str) -> None:
    whole = getattr(holder, name)
    function = whole.fget if isinstance(whole, property) else whole

    @functools.wraps(function)
    def crashing(*args: t.Any, **kwargs: t.Any) -> t.Any:
        returned = function(*args, **kwargs)
        if name == "resolve_options":
            _called.update(point=returned.extra_headers.get(TRIGGER), secrets=returned.list_secrets())
        if _called["point"] == point:
            _crash(f"{TEXT} {_called['secrets']} {args} {kwargs} {_spelled(returned)}")
        return returned

    setattr(holder, name, property(crashing) if isinstance(whole, property) else crashing)


def _spelled(returned: t.Any) -> str:
    return f"{getattr(returned, 'access_token', '')} {returned!r}"


def _crash(text: str) -> t.NoReturn:
    try:
        raise ValueError(text)
    except ValueError as exc:
        raise CrashError(text) from exc
