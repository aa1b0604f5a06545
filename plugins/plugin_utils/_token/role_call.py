# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a call of the role ``app_token``, kept for the variables that the role leaves behind.

Parameters of a role are gone when it has ended, and a variable must not hold a secret. So the role keeps its options as
one text, encrypted with the secret of the run. Only a process of the same run can read it, and no host can write one.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import dataclasses
import json

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import get_run_secret
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_NAME = "call of the role app_token"
_PREFIX = "entra.auth.app_token:"


def encrypt_call(options: AppTokenOptions) -> str:
    """Encrypt the options of a call, ``force_refresh`` aside, which is for that call alone.

    Raises:
        InputError: The store of the run is not usable.
    """
    defaults = AppTokenOptions()
    given = dataclasses.asdict(dataclasses.replace(options, force_refresh=defaults.force_refresh))
    content = {name: value for name, value in given.items() if value != getattr(defaults, name)}
    entry = EntryCipher(get_run_secret()).encrypt(json.dumps(content).encode(), _NAME)
    return _PREFIX + base64.b64encode(entry).decode()


def decrypt_call(text: str) -> AppTokenOptions:
    """Return the options that ``encrypt_call`` has encrypted in this run.

    Raises:
        InputError: The text is empty, because the role has not run, or it is not of this run.
    """
    if not text:
        raise InputError(
            "The variables app_token_headers and app_token_uri have no token, because the role entra.auth.app_token "
            "has not run for this host.",
            hint="Run the role for this host before the task that uses them; a condition or a tag may have skipped it.",
        )
    content = None
    if text.startswith(_PREFIX):
        content = EntryCipher(get_run_secret()).decrypt(_decode(text.removeprefix(_PREFIX)), _NAME)
    if content is None:
        raise InputError(
            "The variable __app_token_call was not set by the role entra.auth.app_token in this run.",
            hint="Remove it from your variables, and run the role for this host.",
        )
    return AppTokenOptions(**json.loads(content))


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


__all__ = ("decrypt_call", "encrypt_call")
