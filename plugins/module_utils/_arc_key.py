# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The key file by which the agent of Azure Arc recognizes a privileged program of its machine.

Learn, "Authenticate against Azure resources with Azure Arc-enabled servers".

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import os
import re

from ansible_collections.entra.auth.plugins.module_utils._errors import NetworkError

_KEY_DIRECTORY = "/var/opt/azcmagent/tokens"
_MAX_BYTES = 4096
_CHALLENGE = re.compile(r"\s*Basic\s+realm=\"?([^\"]+?)\"?\s*", re.IGNORECASE)


def read_arc_key(challenge: str) -> str:
    """Return the content of the key file that a challenge of the agent names.

    Args:
        challenge: The header WWW-Authenticate of the agent's 401: ``Basic realm=<path of the file>``.

    Raises:
        NetworkError: The challenge does not name a key file of the agent, or the file can't be used.
    """
    match = _CHALLENGE.fullmatch(challenge)
    path = match[1] if match else ""
    if not _is_key_path(path):
        raise NetworkError(
            "The Azure Arc agent's challenge does not name a key file where its key files are.",
            hint="Check IDENTITY_ENDPOINT, and that the agent on this host is the one of Azure Arc.",
        )
    key = _read_file(path)
    if 0 < len(key) <= _MAX_BYTES:
        return key
    raise NetworkError(
        "The key file of the Azure Arc agent can't be read, is empty or is too large.",
        hint="Run Ansible as root or as a member of the group himds on that host.",
    )


def _is_key_path(path: str) -> bool:
    """Return whether a path is one of a key file: an endpoint that is not the agent must not obtain another file."""
    return os.path.dirname(path) == _KEY_DIRECTORY and path.endswith(".key") and not os.path.islink(path)


def _read_file(path: str) -> str:
    """Return the content of a file, one byte more than a key may have at most; empty if it can't be read."""
    try:
        with open(path, encoding="ascii", errors="strict") as file:
            return file.read(_MAX_BYTES + 1)
    except (OSError, ValueError):
        return ""


__all__ = ("read_arc_key",)
