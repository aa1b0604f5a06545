# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks after the token cache that outlives a run, on the controller, which has it."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import read_metadata
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import open_store
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import CACHES_OF_A_RUN
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import OptionSources
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure, run_guarded
from ansible_collections.entra.auth.plugins.plugin_utils._token.masking import hide_arguments

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions


class ActionModule(ActionBase):
    """Lists what is in the cache, and clears it."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The entries by what everybody may read of them."""
        super().run(tmp, task_vars)
        try:
            _spec, arguments = self.validate_argument_spec({"cache": {"type": "str"}, "clear": {"type": "bool"}})
        finally:
            # Not before: it looks at a copy, which is hidden from this process as well.
            self._task.args = hide_arguments(self._task.args)
        sources = OptionSources({"cache": arguments["cache"]}, task_vars or {}, self._templar.template)
        outcome = run_guarded(sources, lambda options: self._look_after(options, clear=bool(arguments["clear"])))
        if isinstance(outcome, Failure):
            return outcome.as_result()
        return outcome

    def _look_after(self, options: AppTokenOptions, *, clear: bool) -> dict[str, t.Any]:
        # What is kept for a run ends with it, so only the others can be meant.
        store = open_store("user" if options.cache in CACHES_OF_A_RUN else options.cache)
        labels = [read_metadata(content) for _name, content in store.entries()]
        if clear and not self._task.check_mode:
            store.clear()
        entries = [_entry(label) for label in labels if label]
        return {
            "changed": clear and bool(labels),
            "entries": sorted(entries, key=lambda entry: (entry["client_id"], entry["scope"])),
        }


def _entry(label: t.Mapping[str, t.Any]) -> dict[str, str]:
    # Whoever can write to the store can write anything into a label.
    names = ("credential", "token_url", "client_id", "scope", "expires_at")
    return {name: "".join(c for c in str(label.get(name, "")) if c.isprintable())[:200] for name in names}
