# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the headers that a user gives, before any request.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError

# RFC 9110 section 5: a field name is a token; a field value has no control characters except the tab.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# requests refuses a value with a leading blank and quotes it; http.client writes Latin-1 only.
_HEADER_VALUE = re.compile(r"(?!\s)[\x00-\xff]*")


def refuse_broken_headers(option: str, headers: t.Mapping[str, str]) -> None:
    """Raise InputError if a header of an option can't be sent, or would replace Authorization."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or _CONTROL_CHARACTER.search(value):
            raise InputError(
                f"{option}: {name!r} is not a header name, or its value holds a line break.",
                hint="Give header names and one-line values.",
            )
        if not _HEADER_VALUE.fullmatch(value):
            raise InputError(
                f"{option}: the value of {name!r} begins with a blank, or holds a character that no header can carry.",
                hint="Remove the blank, or encode the value as the API says; headers carry Latin-1 (ISO 8859-1) only.",
            )
        if name.lower() == "authorization":
            raise InputError(
                f"{option} can't replace Authorization.",
                hint=f"Remove it from {option}; entra.auth sets it.",
            )


__all__ = ("refuse_broken_headers",)
