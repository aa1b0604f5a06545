# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeping a refresh token that changes with each use (Learn, "Refresh tokens": store the new one, discard the old).

A rotating refresh token can't seal cached access tokens itself: each redemption would orphan those of all other scopes.
So a random *sealing secret* does, which lives as long as the sign-in, and which is itself sealed for the newest refresh
token: whoever holds that one, and nobody else, gets at both.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import secrets
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher
from ansible_collections.entra.auth.plugins.plugin_utils._cache.file_lock import lock_file
from ansible_collections.entra.auth.plugins.plugin_utils._cache.private_files import Replacement, read_private_file

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import Store
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_RECORD = "sign-in"
_NEWEST = "newest refresh token"
# As long as a refresh token lives (Learn, "Refresh tokens": token lifetime).
_KEEP_SECONDS = 90 * 86400


@dataclasses.dataclass(frozen=True)
class SignIn:
    """What is known of one sign-in: its newest refresh token and the secret that seals its access tokens."""

    refresh_token: str = dataclasses.field(repr=False)
    sealing_secret: str = dataclasses.field(repr=False)


class RefreshTokenStore(abc.ABC):
    """Knows the newest refresh token of a sign-in and takes in its successors.

    A *record* lies about for each refresh token that may be presented: the sealing secret, sealed for its holder.
    ``wait_seconds`` bounds how long one caller waits for another one's redemption.
    """

    def __init__(self, *, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds

    def sign_in(self) -> SignIn:
        """The sign-in as it is now."""
        presented = self._presented()
        known = self._recall(presented)
        if known:
            return SignIn(self._newest(known, presented), known)
        # Unknown, or seen half-way through somebody's redemption: look again when that is over.
        with self.exclusive_redemption() as sign_in:
            return sign_in

    @contextlib.contextmanager
    def exclusive_redemption(self) -> t.Iterator[SignIn]:
        """The right to redeem the newest refresh token, which one caller at a time has."""
        with self._lock():
            presented = self._presented()
            known = self._recall(presented) or self._begin(presented)
            yield SignIn(self._newest(known, presented), known)

    @abc.abstractmethod
    def store_rotated(self, sign_in: SignIn, refresh_token: str) -> None:
        """Keep the newest refresh token; called while redeeming, before the access token is handed out."""

    @abc.abstractmethod
    def _presented(self) -> str:
        """The refresh token that the user, or the user's file, presents."""

    @abc.abstractmethod
    def _newest(self, sealing_secret: str, presented: str) -> str:
        """The newest one of the same sign-in."""

    @abc.abstractmethod
    def _read_record(self, name: str) -> bytes | None:
        """A sealed record."""

    @abc.abstractmethod
    def _write_record(self, name: str, content: bytes) -> None:
        """Put a sealed record in place, atomically."""

    @abc.abstractmethod
    def _lock(self) -> t.ContextManager[object]:
        """One caller at a time."""

    def _begin(self, holder: str) -> str:
        sealing_secret = secrets.token_urlsafe(32)
        self._remember(holder, sealing_secret)
        return sealing_secret

    def _recall(self, holder: str) -> str | None:
        cipher = EntryCipher(holder)
        name = cipher.derive_name(_RECORD)
        content = cipher.decrypt(self._read_record(name), name)
        return content.decode() if content else None

    def _remember(self, holder: str, sealing_secret: str) -> None:
        cipher = EntryCipher(holder)
        name = cipher.derive_name(_RECORD)
        self._write_record(name, cipher.encrypt(sealing_secret.encode(), name))


class GivenRefreshToken(RefreshTokenStore):
    """A refresh token given as an option; whoever presents it or a successor finds the newest in the cache."""

    def __init__(self, refresh_token: str, store: Store, *, wait_seconds: float) -> None:
        super().__init__(wait_seconds=wait_seconds)
        self._given = refresh_token
        self._store = store

    def store_rotated(self, sign_in: SignIn, refresh_token: str) -> None:
        cipher = EntryCipher(sign_in.sealing_secret)
        name = cipher.derive_name(_NEWEST)
        # A cache that is lost meanwhile must not cost the token that was bought.
        with contextlib.suppress(OSError):
            self._store.write(name, cipher.encrypt(refresh_token.encode(), name), keep_seconds=_KEEP_SECONDS)
            self._remember(refresh_token, sign_in.sealing_secret)

    def _presented(self) -> str:
        return self._given

    def _newest(self, sealing_secret: str, presented: str) -> str:
        cipher = EntryCipher(sealing_secret)
        name = cipher.derive_name(_NEWEST)
        content = cipher.decrypt(self._store.read(name), name)
        return content.decode() if content else presented

    def _read_record(self, name: str) -> bytes | None:
        return self._store.read(name)

    def _write_record(self, name: str, content: bytes) -> None:
        self._store.write(name, content, keep_seconds=_KEEP_SECONDS)

    def _lock(self) -> t.ContextManager[object]:
        # By what all holders of the sign-in have in common, once it is known.
        holder = self._recall(self._given) or self._given
        return self._store.lock(EntryCipher(holder).derive_name(_RECORD), wait_seconds=self._wait_seconds)


class RefreshTokenFile(RefreshTokenStore):
    """The newest refresh token in a file of the user, replaced atomically, mode 0600.

    Beside it, ``<file>.lock`` keeps redemptions apart, across runs too, and ``<file>.key`` is the sealed record.
    ``seed`` is presented while the file does not exist.
    """

    def __init__(self, path: str, seed: str | None, *, wait_seconds: float) -> None:
        super().__init__(wait_seconds=wait_seconds)
        self._path = path
        self._seed = seed

    @contextlib.contextmanager
    def exclusive_redemption(self) -> t.Iterator[SignIn]:
        # Opened before the request: a successor that has no place to go must not be asked for.
        with super().exclusive_redemption() as sign_in, _replacement(self._path) as self._successor:
            yield sign_in

    def store_rotated(self, sign_in: SignIn, refresh_token: str) -> None:
        # The record first: a crash in between leaves the old refresh token, which Entra still redeems.
        self._remember(refresh_token, sign_in.sealing_secret)
        self._successor.commit(refresh_token.encode())

    @contextlib.contextmanager
    def replace_after_sign_in(self) -> t.Iterator[t.Callable[[str], None]]:
        """The place for the refresh token of a new sign-in, which what it yields takes in."""
        with self._lock(), _replacement(self._path) as token_file:

            def keep(refresh_token: str) -> None:
                self._begin(refresh_token)
                token_file.commit(refresh_token.encode())

            yield keep

    def has_any(self) -> bool:
        """Whether there is a refresh token to redeem."""
        return bool((_read(self._path) or b"").strip() or self._seed)

    def _presented(self) -> str:
        content = (_read(self._path) or b"").decode(errors="replace").strip() or self._seed
        if content:
            return content
        raise InputError(
            f"refresh_token_file {self._path} does not exist or is empty, and no refresh_token is given.",
            hint="Give refresh_token once, or sign in once with credential: device_code; the file keeps the rest.",
        )

    def _newest(self, sealing_secret: str, presented: str) -> str:
        return presented

    def _read_record(self, name: str) -> bytes | None:
        return _read(self._record_path)

    def _write_record(self, name: str, content: bytes) -> None:
        with _replacement(self._record_path) as replacement:
            replacement.commit(content)

    @contextlib.contextmanager
    def _lock(self) -> t.Iterator[None]:
        with contextlib.ExitStack() as stack:
            reason: str | None = "another process has held it for too long"
            try:
                is_held = stack.enter_context(lock_file(f"{self._path}.lock", wait_seconds=self._wait_seconds))
            except OSError as exc:
                is_held, reason = False, exc.strerror
            if not is_held:
                raise _unwritable(f"{self._path}.lock", reason)
            yield

    @property
    def _record_path(self) -> str:
        return f"{self._path}.key"


def _read(path: str) -> bytes | None:
    try:
        return read_private_file(path)
    except OSError as exc:
        reason = exc.strerror
    raise InputError(
        f"refresh_token_file: {path} can't be read: {reason}.",
        hint="It has to be a regular file that belongs to the user who runs Ansible.",
    )


def _replacement(path: str) -> Replacement:
    try:
        return Replacement(path)
    except OSError as exc:
        reason = exc.strerror
    raise _unwritable(path, reason)


def _unwritable(path: str, reason: str | None) -> InputError:
    return InputError(
        f"refresh_token_file: {path} can't be written: {reason}. No refresh token was redeemed.",
        hint="Put refresh_token_file in an existing directory that the user who runs Ansible may write to.",
    )


def open_refresh_token_store(options: AppTokenOptions, store: Store, *, wait_seconds: float) -> RefreshTokenStore:
    """The keeper for what was given: a file, or a refresh token alone."""
    if options.refresh_token_file:
        return RefreshTokenFile(options.refresh_token_file, options.refresh_token, wait_seconds=wait_seconds)
    return GivenRefreshToken(options.refresh_token or "", store, wait_seconds=wait_seconds)


__all__ = ("RefreshTokenFile", "RefreshTokenStore", "SignIn", "open_refresh_token_store")
