# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small text helpers every part needs: JSON, GUIDs, unpadded base64url."""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DNS_NAME = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", re.IGNORECASE)


def dump(value: object) -> str:
    """Compact JSON, as the services write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def is_guid(value: str) -> bool:
    """Whether ``value`` is a GUID in its hyphenated form."""
    return _GUID.fullmatch(value) is not None


def is_dns_name(value: str) -> bool:
    """Whether ``value`` could be a domain: two labels or more, of letters, digits and hyphens."""
    return _DNS_NAME.fullmatch(value) is not None


def new_guid() -> str:
    """A random GUID."""
    return str(uuid.uuid4())


def to_base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(value: str) -> bytes:
    """The bytes of :func:`to_base64url`; ``ValueError`` for anything else."""
    try:
        return base64.urlsafe_b64decode(value.encode() + b"=" * (-len(value) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from error
