# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a store is not used, in sentences for the user. Loaded only when there is a doubt.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError

_FIX = " To fix it: "


def build_store_error(reason: str, fix: str) -> OSError:
    """Build the error of a store that is not usable: ``strerror`` is for the user, with the fix."""
    return OSError(errno.EPERM, f"{reason}{_FIX}{fix}")


def convert_store_error(consequence: str, error: OSError) -> InputError:
    """Convert the error of a store into one that fails the task, which begins with the ``consequence``."""
    reason, _separator, fix = str(error.strerror).partition(_FIX)
    return InputError(f"{consequence} {reason}", hint=fix)


def build_directory_error(path: str, setting: str, reason: str, shared_parent: str | None) -> OSError:
    """Build the error that says why a directory is not used.

    Args:
        path: The directory.
        setting: What a user sets to have another directory used.
        reason: What is wrong, as the end of a sentence about the directory.
        shared_parent: The directory above it that other users can write to, if that is what is wrong.
    """
    if shared_parent:
        fix = f"Run: chmod go-w {shared_parent} (or, if users share it, chmod +t {shared_parent})"
    else:
        fix = f"Remove it, or run: chmod 700 {path}"
    return build_store_error(f"The cache directory {path} {reason}.", f"{fix}, or set {setting} to another directory.")


def is_private_group(gid: int) -> bool:
    """Whether a group is root's, or has the name of this user and no other member."""
    if gid == 0:
        return True
    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return group.gr_name == user and set(group.gr_mem) <= {user}


__all__ = ("build_directory_error", "build_store_error", "convert_store_error", "is_private_group")
