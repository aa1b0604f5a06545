# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens with the claims that a test needs, which nobody signed."""

from __future__ import annotations

import base64
import json
import typing as t

_HEADER: t.Final = {"alg": "RS256", "typ": "JWT"}


def encode_segment(content: str | bytes) -> str:
    """Encode text as a segment of a JWT: base64url without padding."""
    data = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def build_jwt(header: t.Any = None, /, **claims: t.Any) -> str:
    """Build a token with these claims and a made-up signature."""
    return build_raw_jwt(json.dumps(claims), json.dumps(header or _HEADER))


def build_raw_jwt(payload: str | bytes, header: str = "{}") -> str:
    """Build a token whose payload need not be claims, or JSON at all."""
    return ".".join(map(encode_segment, (header, payload, "made-up signature")))


__all__ = ("build_jwt", "build_raw_jwt", "encode_segment")
