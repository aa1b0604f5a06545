# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creation of the secret of a run, once for all of its processes.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import secrets
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache.file_lock import lock_file
from ansible_collections.entra.auth.plugins.plugin_utils._cache.replacement import Replacement

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import Directory

# It is held for as long as it takes to write a small file.
_WAIT_SECONDS = 30


def create_run_secret(directory: Directory, name: str) -> str:
    """Create the secret in the directory of the run, or read the one that another process created first.

    Raises:
        InputError: The secret can't be stored.
    """
    try:
        with lock_file(directory, f"{name}.lock", wait_seconds=_WAIT_SECONDS) as is_held:
            known = directory.read(name)
            if known is None and is_held:
                known = secrets.token_hex(32).encode()
                with Replacement(directory, name, f"{name}.new") as replacement:
                    replacement.commit(known)
        reason: str | None = "another process has locked it for too long"
    except OSError as exc:
        known, reason = None, exc.strerror
    if known is not None:
        return known.decode()
    raise InputError(
        f"The key of this run can't be stored in {directory.path}: {reason}.",
        hint="Set local_tmp in ansible.cfg (ANSIBLE_LOCAL_TEMP) to a directory with room that this user can write to.",
    )


__all__ = ("create_run_secret",)
