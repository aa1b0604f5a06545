# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the cached token of a lookup without the files that resolve its options.

In a play of lookups alone, each worker process compiles every file of the collection that a lookup needs, which takes
far longer than to read a token. So a lookup that got a token stores a *record* (see ``lookups.py``): in which file the
cache has the token, the secret that decrypts it, and what else the result depends on. The record is encrypted with all
inputs of the lookup, so only a lookup with the same inputs finds it. The token itself is read from the cache each time.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import json
import os
import typing as t

from ansible import constants as C

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._token import Freshness, Token
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher

try:
    # Not by module_utils._secrets, which is larger than this file.
    from ansible.module_utils.secrets import register_secrets  # type: ignore[import-not-found, unused-ignore]  # new in ansible-core 2.22
except ImportError:
    register_secrets = None

# The store of the run, as in _cache/stores.py, which is larger than this file.
_DIRECTORY: str = os.path.join(C.DEFAULT_LOCAL_TMP, "entra_auth")  # type: ignore[attr-defined]  # ansible.constants fills itself at run time
_CONFIG_FILE: str | None = C.CONFIG_FILE  # type: ignore[attr-defined]  # ansible.constants fills itself at run time
VARIABLES = "variables of lookups"
RECORD = "record of a lookup"
_MAX_BYTES = 1024 * 1024
_PREFIX = "app_token_"
# What omit is before ansible-core 2.19, as in _options/types.py, which is larger than this file.
_OMIT = "__omit_place_holder__"


class LookupCall(t.NamedTuple):
    """One lookup: its keywords, the variables of the host, and what evaluates them."""

    direct: t.Mapping[str, t.Any]
    variables: t.Mapping[str, t.Any]
    template: t.Callable[[t.Any], t.Any]


class Found(t.NamedTuple):
    """A valid token and the headers that go with it."""

    token: Token
    extra_headers: dict[str, str]


def load_result(call: LookupCall) -> Found | None:
    """Return the cached token of a lookup; None if there is no record, no valid token, or an input is not usable."""
    try:
        names = json.loads(_read(os.path.join(_DIRECTORY, VARIABLES)))
        cipher = EntryCipher(serialize_inputs(call, names))
        name = cipher.derive_name(RECORD)
        record = json.loads(cipher.decrypt(_read(os.path.join(_DIRECTORY, name)), name) or b"")
        entry = EntryCipher(record["secret"]).decrypt(_read(record["path"]), os.path.basename(record["path"]))
        token = Token.from_dict(json.loads(entry or b""))
        is_fresh = token.judge_freshness(Moment.now(), min_validity=record["min_validity"]) is Freshness.FRESH
    except Exception:  # noqa: BLE001 - the normal path does the same again, and reports it without secrets
        return None
    if register_secrets:
        register_secrets([record["secret"], token.access_token])
    return Found(token, record["extra_headers"]) if is_fresh else None


def serialize_inputs(call: LookupCall, names: t.Sequence[str]) -> str:
    """Return as text everything that the options of a lookup may depend on.

    Raises:
        ValueError: A host returned a fact with the name of an option.
    """
    given = [name for name in names if name in call.variables and not is_overridden(name, call.direct)]
    if any(name in call.variables.get("ansible_facts", ()) for name in given):
        raise ValueError("facts are no options, and the normal path tells them apart")
    values = {name: _evaluate(call, name) for name in given}
    config = [_CONFIG_FILE, os.stat(_CONFIG_FILE).st_mtime_ns] if _CONFIG_FILE else []
    inputs = [names, dict(call.direct), values, dict(os.environ), config]
    return json.dumps(inputs, sort_keys=True, default=str)


def is_overridden(variable: str, direct: t.Mapping[str, t.Any]) -> bool:
    """Return whether a keyword of the lookup takes the place of a variable, which then is not evaluated."""
    value = direct.get(variable[len(_PREFIX) :])
    if isinstance(value, str):
        return bool(value.strip()) and not value.startswith(_OMIT)
    return value is not None or "_role_call" in direct


def _evaluate(call: LookupCall, name: str) -> t.Any:
    try:
        return call.template(call.variables[name])
    except Exception as exc:
        if type(exc).__name__ == "AnsibleValueOmittedError":  # of ansible-core 2.19 and newer: the value is omit
            return None
        raise


def _read(path: str) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        return file.read(_MAX_BYTES)


__all__ = ("RECORD", "VARIABLES", "Found", "LookupCall", "is_overridden", "load_result", "serialize_inputs")
