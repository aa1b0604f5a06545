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
import os

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

_FORMAT = b"entra.auth cache 1\n"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class Seal:
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

    def seal(self, content: bytes, name: str) -> bytes:
        """The content as it may lie about, bound to its name."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, content, _FORMAT + name.encode())

    def open(self, sealed: bytes | None, name: str) -> bytes | None:
        """The content; None for anything that was not sealed under this name with this secret."""
        if sealed is None or not sealed.startswith(_FORMAT):
            return None
        nonce, ciphertext = sealed[len(_FORMAT) :][:_NONCE_BYTES], sealed[len(_FORMAT) + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, _FORMAT + name.encode())
        except (InvalidTag, ValueError):
            return None


__all__ = ("Seal",)
