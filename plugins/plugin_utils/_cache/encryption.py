# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sealing: nobody reads an entry of the cache, or is served one, who lacks the credential that bought it.

AES-256-GCM with keys from HKDF-SHA256 (RFC 5869). A client secret of Entra has some 200 bits, so no slow derivation
is needed.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.entra.auth.plugins.module_utils._errors import MissingLibraryError

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
    """Seals and names entries with keys that only the holder of ``secret`` can derive."""

    def __init__(self, secret: str) -> None:
        """Raises MissingLibraryError where cryptography, which ansible-core depends on, is not installed."""
        if not HAS_CRYPTOGRAPHY:
            raise MissingLibraryError(missing_required_lib("cryptography"), hint="Install it where Ansible runs.")
        keys = HKDF(algorithm=hashes.SHA256(), length=2 * _KEY_BYTES, salt=None, info=_FORMAT).derive(secret.encode())
        self._cipher = AESGCM(keys[:_KEY_BYTES])
        self._naming_key = keys[_KEY_BYTES:]

    def name(self, subject: str) -> str:
        """A file name for a subject, which tells nothing about it and differs for each secret."""
        return hmac.new(self._naming_key, subject.encode(), hashlib.sha256).hexdigest()[:40]

    def seal(self, content: bytes, name: str, label: t.Mapping[str, t.Any] | None = None) -> bytes:
        """The content as it may lie about, bound to its name and to a label that everybody may read."""
        head = _FORMAT + json.dumps(label or {}).encode() + b"\n"
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + self._cipher.encrypt(nonce, content, head + name.encode())

    def open(self, sealed: bytes | None, name: str) -> bytes | None:
        """The content; None for anything that was not sealed under this name with this secret."""
        head, rest = _split(sealed or b"")
        try:
            return self._cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + name.encode())
        except (InvalidTag, ValueError):
            return None


def read_metadata(sealed: bytes) -> dict[str, t.Any] | None:
    """The label of what a Seal has sealed, unverified; None for anything else."""
    head, _rest = _split(sealed)
    try:
        label = json.loads(head[len(_FORMAT) :])
    except (ValueError, RecursionError):
        return None
    return label if isinstance(label, dict) else None


def _split(sealed: bytes) -> tuple[bytes, bytes]:
    end = sealed.find(b"\n", len(_FORMAT)) + 1
    return (sealed[:end], sealed[end:]) if end and sealed.startswith(_FORMAT) else (b"", b"")


if HAS_CRYPTOGRAPHY:
    # OpenSSL looks its algorithms up at their first use: here, in the main process, once for all that it forks.
    EntryCipher("").seal(b"", "")


__all__ = ("EntryCipher", "read_metadata")
