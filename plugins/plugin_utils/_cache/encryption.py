# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Encryption of cache entries with a key derived from the credential that bought the token.

AES-256-GCM with keys from HKDF-SHA256 (RFC 5869) without a salt. HKDF is fast, so the secret itself has to be beyond
guessing: a client secret of Entra has about 200 bits, and the option ``cache_key`` at least 32 characters.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import typing as t

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

_FORMAT = b"entra.auth cache 2\n"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class EntryCipher:
    """Encrypts and names entries with keys derived from ``secret``.

    Raises:
        MissingLibraryError: cryptography, which ansible-core depends on, is not installed.
    """

    def __init__(self, secret: str) -> None:
        if not HAS_CRYPTOGRAPHY:
            # Not at the top: a lookup of a cached token loads this file and nothing that it does not need.
            from ansible_collections.entra.auth.plugins.module_utils._errors import MissingLibraryError

            raise MissingLibraryError.on_control_node("cryptography")
        keys = HKDF(algorithm=hashes.SHA256(), length=2 * _KEY_BYTES, salt=None, info=_FORMAT).derive(secret.encode())
        self._cipher = AESGCM(keys[:_KEY_BYTES])
        self._naming_key = keys[_KEY_BYTES:]

    def derive_name(self, key: str) -> str:
        """Derive the name of an entry, 40 hex digits, which reveals nothing about ``key`` and depends on the secret."""
        return hmac.new(self._naming_key, key.encode(), hashlib.sha256).hexdigest()[:40]

    def encrypt(self, content: bytes, name: str, public_metadata: t.Mapping[str, t.Any] | None = None) -> bytes:
        """Encrypt the content, bound to a name and to public metadata, which stay readable without the secret."""
        head = _FORMAT + json.dumps(public_metadata or {}).encode() + b"\n"
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + self._cipher.encrypt(nonce, content, head + name.encode())

    def decrypt(self, entry: bytes | None, name: str) -> bytes | None:
        """Decrypt an entry; return None if it was not encrypted under this name with this secret."""
        head, rest = _split(entry or b"")
        try:
            return self._cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + name.encode())
        except (InvalidTag, ValueError):
            return None


def read_metadata(entry: bytes) -> dict[str, t.Any] | None:
    """Read the public metadata of an entry, unverified; return None if it is not an entry."""
    head, _rest = _split(entry)
    try:
        metadata = json.loads(head[len(_FORMAT) :])
    except (ValueError, RecursionError):
        return None
    return metadata if isinstance(metadata, dict) else None


def _split(entry: bytes) -> tuple[bytes, bytes]:
    end = entry.find(b"\n", len(_FORMAT)) + 1
    return (entry[:end], entry[end:]) if end and entry.startswith(_FORMAT) else (b"", b"")


if HAS_CRYPTOGRAPHY:
    # OpenSSL looks up its algorithms at their first use: here, in the main process, once for all processes it forks.
    EntryCipher("").encrypt(b"", "")


__all__ = ("EntryCipher", "read_metadata")
