# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of a refresh token that changes with each use (Learn, "Refresh tokens": store the new one, discard the old).

A refresh token that changes can't encrypt cached access tokens itself: each redemption would lose those of all other
scopes. A random *entry secret* does. It lasts as long as the sign-in and is stored in the *record*, encrypted with
the newest refresh token.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.module_utils._secrets import register_secrets
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import Directory
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.refresh_token import parse_refresh_token
from ansible_collections.entra.auth.plugins.plugin_utils._options.file_content import decode_text, refuse_content

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.replacement import Replacement

_Result = t.TypeVar("_Result")
_RECORD = "sign-in"
# More than any refresh token or record has.
_RESERVED_BYTES = 32 * 1024


@dataclasses.dataclass(frozen=True)
class SignIn:
    """One sign-in: its newest refresh token and the secret that encrypts its access tokens in the cache."""

    refresh_token: str = dataclasses.field(repr=False)
    entry_secret: str = dataclasses.field(repr=False)


class RefreshTokenStore:
    """The newest refresh token of a sign-in, in a file of the user: mode 0600, replaced atomically.

    Beside it, ``<file>.lock`` separates redemptions, across runs too, and ``<file>.key`` is the record.

    Args:
        path: The file, ``refresh_token_file``.
        seed: The refresh token to redeem while the file is missing or empty.
        wait_seconds: How long to wait for the redemption of another process.

    Raises:
        InputError: The path is not one, or the directory of the file can't be opened.
    """

    def __init__(self, path: str, seed: str | None, *, wait_seconds: float) -> None:
        refuse_content("refresh_token_file", path)
        self._path = path
        self._seed = seed
        self._wait_seconds = wait_seconds
        folder, self._name = os.path.split(os.path.abspath(path))
        # Held open, so that a directory that is replaced during a redemption does not get the new refresh token.
        self._directory = self._try_to_write(lambda: Directory(os.path.realpath(folder)))

    def load_sign_in(self) -> SignIn:
        """Load the sign-in as it is now. Raises InputError if there is no refresh token."""
        refresh_token = self._load_refresh_token()
        if entry_secret := self._load_entry_secret(refresh_token):
            return SignIn(refresh_token, entry_secret)
        # Unknown, or read between the two steps of a redemption: load it again under the lock.
        with self._lock():
            return self._load_or_create()

    def read_newest(self) -> str | None:
        """Return the refresh token in the file, without a lock; None if the file holds none that can be used."""
        with contextlib.suppress(InputError):
            return self._load_refresh_token() if self._read(self._name) else None
        return None

    def has_any(self) -> bool:
        """Whether there is a refresh token to redeem."""
        return bool((self._read(self._name) or b"").strip() or self._seed)

    @contextlib.contextmanager
    def exclusive_redemption(self) -> t.Iterator[SignIn]:
        """Hold the right to redeem the newest refresh token, and the room on the disk for its successor.

        Raises:
            InputError: There is no refresh token, or its successor can't be stored. Nothing was redeemed.
        """
        with self._lock():
            sign_in = self._load_or_create()
            with self._reserve():
                yield sign_in

    def store_rotated(self, sign_in: SignIn, refresh_token: str) -> None:
        """Store the successor; call it within ``exclusive_redemption``, before the access token is handed out.

        Raises:
            EntraAuthError: The disk failed.
        """
        try:
            # The record first: after a crash in between, the file has the old token, which Entra still redeems.
            self._new_record.commit_durably(_encrypt_record(sign_in.entry_secret, refresh_token))
            self._new_file.commit_durably(refresh_token.encode())
        except OSError as exc:
            reason = exc.strerror
        else:
            return
        raise EntraAuthError(
            f"refresh_token_file: the new refresh token can't be written to {self._path}: {reason}.",
            hint="Repair the disk and run again: Entra still redeems the refresh token that the file has.",
        )

    @contextlib.contextmanager
    def replace_after_sign_in(self) -> t.Iterator[t.Callable[[str], None]]:
        """Hold the room for the refresh token of a new sign-in; yield the function that stores it.

        Raises:
            InputError: It can't be stored. Nothing was redeemed.
        """
        with self._lock(), self._reserve():
            yield lambda refresh_token: self.store_rotated(_create_sign_in(refresh_token), refresh_token)

    def _load_or_create(self) -> SignIn:
        refresh_token = self._load_refresh_token()
        if entry_secret := self._load_entry_secret(refresh_token):
            return SignIn(refresh_token, entry_secret)
        sign_in = _create_sign_in(refresh_token)
        content = _encrypt_record(sign_in.entry_secret, refresh_token)
        with self._open_replacement(self._record_name) as record:
            self._try_to_write(lambda: record.commit(content))
        return sign_in

    def _load_refresh_token(self) -> str:
        content = (self._read(self._name) or b"").strip()
        if content:
            refresh_token = parse_refresh_token(decode_text(content), f"refresh_token_file {self._path}")
            register_secrets(refresh_token)
            return refresh_token
        if self._seed:
            return self._seed
        raise InputError(
            f"refresh_token_file {self._path} does not exist or is empty, and no refresh_token is given.",
            hint="Give refresh_token once, or sign in once with credential: device_code; the file keeps the rest.",
        )

    def _load_entry_secret(self, refresh_token: str) -> str | None:
        content = EntryCipher(refresh_token).decrypt(self._read(self._record_name), _RECORD)
        return content.decode() if content else None

    def _read(self, name: str) -> bytes | None:
        try:
            return self._directory.read(name)
        except OSError as exc:
            reason = exc.strerror
        raise InputError(
            f"refresh_token_file: {os.path.join(os.path.dirname(self._path), name)} can't be read: {reason}.",
            hint="It has to be a regular file that belongs to the user who runs Ansible.",
        )

    @contextlib.contextmanager
    def _lock(self) -> t.Iterator[None]:
        from ansible_collections.entra.auth.plugins.plugin_utils._cache.file_lock import lock_file

        with contextlib.ExitStack() as stack:
            lock = lock_file(self._directory, f"{self._name}.lock", wait_seconds=self._wait_seconds)
            if not self._try_to_write(lambda: stack.enter_context(lock)):
                raise self._build_unwritable_error(f"another process has held {self._name}.lock for too long")
            yield

    @contextlib.contextmanager
    def _reserve(self) -> t.Iterator[None]:
        """Create both files with room for their content, so that no redeemed token has no place to go."""
        with (
            self._open_replacement(self._record_name) as self._new_record,
            self._open_replacement(self._name) as self._new_file,
        ):
            yield

    def _open_replacement(self, name: str) -> Replacement:
        from ansible_collections.entra.auth.plugins.plugin_utils._cache.replacement import Replacement

        return self._try_to_write(
            lambda: Replacement(self._directory, name, f"{name}.new", reserve_bytes=_RESERVED_BYTES)
        )

    def _try_to_write(self, action: t.Callable[[], _Result]) -> _Result:
        try:
            return action()
        except OSError as exc:
            reason = exc.strerror
        raise self._build_unwritable_error(reason)

    def _build_unwritable_error(self, reason: str | None) -> InputError:
        return InputError(
            f"refresh_token_file: {self._path} can't be written: {reason}. No refresh token was redeemed.",
            hint="Put refresh_token_file in an existing directory with room that the user who runs Ansible may write "
            "to.",
        )

    @property
    def _record_name(self) -> str:
        return f"{self._name}.key"


def _create_sign_in(refresh_token: str) -> SignIn:
    return SignIn(refresh_token, secrets.token_urlsafe(32))


def _encrypt_record(entry_secret: str, refresh_token: str) -> bytes:
    return EntryCipher(refresh_token).encrypt(entry_secret.encode(), _RECORD)


__all__ = ("RefreshTokenStore", "SignIn")
