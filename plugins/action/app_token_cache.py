# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of the module ``app_token_cache``."""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import printable
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import read_metadata
from ansible_collections.entra.auth.plugins.plugin_utils._cache.lasting_stores import open_store
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import CACHES_OF_A_RUN, OptionSpec
from ansible_collections.entra.auth.plugins.plugin_utils._options.arguments import refuse_unknown_arguments
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert, is_blank
from ansible_collections.entra.auth.plugins.plugin_utils._token.controller_action import (
    ControllerAction,
    Result,
    Variables,
)
from ansible_collections.entra.auth.plugins.plugin_utils._token.validation import refuse_unusable_cache

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_CLEAR = OptionSpec("clear", "bool", False)
_OPTIONS = ("cache", _CLEAR.name)
# Public metadata of an entry. It is unverified: any user who can write to the store can write anything into it.
_SHOWN = ("credential", "token_url", "client_id", "scope", "expires_at")
_SHOWN_CHARACTERS = 200


class ActionModule(ControllerAction):
    """List the entries of the cache, and clear it."""

    option_names = ("cache",)

    def find_direct(self, variables: Variables) -> Result:
        """Return the option ``cache``, if it is given. Raises InputError for an unknown option."""
        refuse_unknown_arguments("app_token_cache", self._task.args, _OPTIONS)
        return {"cache": self._task.args.get("cache")}

    def execute(self, options: AppTokenOptions, variables: Variables) -> Result:
        """Return the public metadata of all entries, as they are or were before the cache was cleared."""
        refuse_unusable_cache(options)
        clear = self._is_clearing()
        # A cache of the run ends with the run, so only the user's cache can be meant.
        store = open_store("user" if options.cache in CACHES_OF_A_RUN else options.cache)
        found = [read_metadata(content) for _name, content in store.list_entries()]
        if clear and not self._task.check_mode:
            store.clear()
        entries = [_describe_entry(metadata) for metadata in found if metadata]
        return {
            "changed": clear and bool(found),
            "entries": sorted(entries, key=lambda entry: (entry["client_id"], entry["scope"])),
        }

    def _is_clearing(self) -> bool:
        value = self._task.args.get(_CLEAR.name)
        return not is_blank(value) and bool(convert(_CLEAR, value, f"option {_CLEAR.name}"))


def _describe_entry(metadata: t.Mapping[str, t.Any]) -> dict[str, str]:
    # Empty for anything other than text.
    return {name: printable(metadata.get(name), _SHOWN_CHARACTERS) for name in _SHOWN}
