# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Correct the ``Location`` of a response that ``ansible.builtin.uri`` has joined to a URL with a query.

Its older releases (2.16, 2.17 and the first of 2.18) put a path behind the query of the request: ``/b`` at
``https://api/a?x=1`` becomes ``https://api?x=1/b``. Newer ones follow RFC 3986 section 5.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import posixpath
import urllib.parse


def correct_location(url: str, location: str) -> str:
    """Return the URL that a response leads to.

    Args:
        url: The URL of the request.
        location: The field ``location`` in the result of uri.
    """
    parts = urllib.parse.urlsplit(url)
    # As uri itself computes what it puts before a path, and before a relative reference.
    before_path, before_name = url.replace(parts.path, "") if parts.path else url, posixpath.dirname(url)
    is_misplaced = before_path != f"{parts.scheme}://{parts.netloc}"
    if is_misplaced and location.startswith(f"{before_path}/"):
        return _join(url, location[len(before_path) :])
    if "?" in before_name and location.startswith(f"{before_name}/"):
        return _join(url, location[len(before_name) + 1 :])
    return location


def _join(url: str, reference: str) -> str:
    try:
        return urllib.parse.urljoin(url, reference)
    except ValueError:  # such as half an IPv6 address, which is refused when it is followed
        return reference


__all__ = ("correct_location",)
