# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get the item of a lookup from its options. A lookup with a record of an earlier one does not load this file.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import json
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import open_stores
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import resolve_options
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure, run_guarded
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import select_output
from ansible_collections.entra.auth.plugins.plugin_utils._token.result_cache import RECORD, VARIABLES, serialize_inputs
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import Messages
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result_cache import LookupCall

_KEEP_SECONDS = 86400


def get_item(call: LookupCall, output: t.Any, messages: Messages, *, keep: bool) -> t.Any | Failure:
    """Return the token of a lookup in the form that ``output`` names, or the failure.

    Args:
        call: The lookup.
        output: The name of the form.
        messages: Shows texts to the user.
        keep: Whether to store a record for the lookups of other processes.
    """
    call = call._replace(template=_evaluate_once(call.template))

    def work(options: AppTokenOptions) -> t.Any:
        form = select_output(output)
        app_token = get_app_token(options, messages, CachedTokensOnly(call.variables))
        if keep:
            store_record(call, app_token)
        return form(app_token)

    return run_guarded(lambda: _resolve(call), work)


def _evaluate_once(template: t.Callable[[t.Any], t.Any]) -> t.Callable[[t.Any], t.Any]:
    """Return a function that evaluates each variable once: a record must be stored for the inputs that were used."""
    values: dict[int, tuple[t.Any, t.Any]] = {}

    def evaluate(raw: t.Any) -> t.Any:
        # The variable is kept beside its value, so that no other one can have the same id.
        if id(raw) not in values:
            values[id(raw)] = (raw, template(raw))
        return values[id(raw)][1]

    return evaluate


def _resolve(call: LookupCall) -> AppTokenOptions:
    if "_role_call" in call.direct:  # given by the variables that the role app_token leaves behind
        from ansible_collections.entra.auth.plugins.plugin_utils._token.role_call import decrypt_call

        return decrypt_call(str(call.direct["_role_call"]))
    return resolve_options(*call)


def store_record(call: LookupCall, app_token: AppToken) -> None:
    """Store the record of a lookup, if its result depends on its inputs and on an entry of the cache alone.

    A record that can't be stored only means that the next lookup takes the normal path as well.
    """
    options, entry = app_token.options, app_token.entry
    if entry is None or options.force_refresh or options.required_roles or _reads_files(options):
        return
    record = {
        "path": entry.path,
        "secret": entry.secret,
        "min_validity": options.min_validity,
        "extra_headers": options.extra_headers,
    }
    names = sorted(spec.variable for spec in OPTIONS.values())
    # Of any kind: the inputs are objects of the play, and evaluating a variable may run anything.
    with contextlib.suppress(Exception):
        cipher = EntryCipher(serialize_inputs(call, names))
        name = cipher.derive_name(RECORD)
        run = open_stores("run", warn=lambda _message: None).run
        run.write(name, cipher.encrypt(json.dumps(record).encode(), name), keep_seconds=_KEEP_SECONDS)
        run.write(VARIABLES, json.dumps(names).encode(), keep_seconds=_KEEP_SECONDS)


def _reads_files(options: AppTokenOptions) -> bool:
    """Return whether an option is the content of a file, which may change while the inputs stay the same."""
    files = [getattr(options, spec.name) for spec in OPTIONS.values() if spec.type == "path" and spec.name != "ca_path"]
    return any(files) or any("_FILE" in origin for origin in options.origins.values())


__all__ = ("get_item", "store_record")
