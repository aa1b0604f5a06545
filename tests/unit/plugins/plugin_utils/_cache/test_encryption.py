# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An entry is decrypted with its secret and name alone, and a change of any byte is detected."""

from __future__ import annotations

import hmac
import string
import typing as t

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._cache import encryption
from ansible_collections.entra.auth.plugins.plugin_utils._cache.encryption import EntryCipher, read_metadata

SECRET = "3Xq8Q~a-client-secret-of-entra"
CONTENT = b"the content"
METADATA = {"scope": "s", "expires_at": "é漢"}
ENTRY = EntryCipher(SECRET).encrypt(CONTENT, "name", METADATA)
HEADER = ENTRY.index(b"\n", len(encryption._FORMAT)) + 1
NONCE_END = HEADER + 12

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, st.binary(), texts)
def test_an_encrypted_entry_can_be_decrypted(secret: str, content: bytes, name: str) -> None:
    assert EntryCipher(secret).decrypt(EntryCipher(secret).encrypt(content, name), name) == content


@given(texts, texts)
def test_another_secret_decrypts_nothing(secret: str, other: str) -> None:
    entry = EntryCipher(secret).encrypt(CONTENT, "name")
    assert EntryCipher(other).decrypt(entry, "name") == (CONTENT if other == secret else None)


@given(texts, texts)
def test_an_entry_under_another_name_is_refused(name: str, other: str) -> None:
    cipher = EntryCipher(SECRET)
    assert cipher.decrypt(cipher.encrypt(CONTENT, name), other) == (CONTENT if other == name else None)


@pytest.mark.parametrize("change", [0x01, 0x80])
def test_a_change_of_any_byte_is_detected(change: int) -> None:
    for position in range(len(ENTRY)):
        tampered = bytearray(ENTRY)
        tampered[position] ^= change
        assert EntryCipher(SECRET).decrypt(bytes(tampered), "name") is None, f"byte {position}"


def test_a_truncated_entry_is_refused() -> None:
    for length in range(len(ENTRY)):
        assert EntryCipher(SECRET).decrypt(ENTRY[:length], "name") is None, f"{length} bytes"


@pytest.mark.parametrize(
    "junk",
    [
        None,
        b"",
        b"entra.auth cache 1\n" + ENTRY[len(encryption._FORMAT) :],
        b"entra.auth cache 1\n" + ENTRY[HEADER:],
        b"entra.auth cache 3\n" + ENTRY[len(encryption._FORMAT) :],
        ENTRY[: len(encryption._FORMAT)],
        ENTRY[: HEADER - 1],
        ENTRY[: len(encryption._FORMAT)] + ENTRY[HEADER:],
        ENTRY + b"\x00",
        ENTRY + ENTRY,
        b"\n" + ENTRY,
        ENTRY[:HEADER],
        ENTRY[:NONCE_END],
        ENTRY[:HEADER] + b"\x00" * 5,
        CONTENT,
        b"\x00" * 1000,
    ],
    ids=lambda junk: f"{len(junk or b'')} bytes",
)
def test_an_entry_of_another_format_is_refused(junk: bytes | None) -> None:
    assert EntryCipher(SECRET).decrypt(junk, "name") is None


@given(st.binary())
def test_no_bytes_make_decryption_raise(junk: bytes) -> None:
    assert EntryCipher(SECRET).decrypt(junk, "name") is None
    assert EntryCipher(SECRET).decrypt(ENTRY[:HEADER] + junk, "name") is None


def test_two_entries_of_the_same_content_differ() -> None:
    entries = {EntryCipher(SECRET).encrypt(CONTENT, "name", METADATA) for _dummy in range(20)}
    assert len(entries) == 20
    assert len({entry[HEADER:NONCE_END] for entry in entries}) == 20


def test_an_entry_shows_neither_content_nor_secret_nor_name() -> None:
    entry = EntryCipher(SECRET).encrypt(CONTENT * 10, "the name of it")
    assert CONTENT not in entry
    assert SECRET.encode() not in entry
    assert b"the name of it" not in entry


@given(texts, texts)
def test_names_are_valid_for_files_and_depend_on_key_and_secret(key: str, other: str) -> None:
    cipher = EntryCipher(SECRET)
    name = cipher.derive_name(key)
    assert len(name) == 40
    assert set(name) <= set(string.hexdigits.lower())
    assert (cipher.derive_name(other) == name) is (other == key)
    assert EntryCipher("another secret").derive_name(key) != name
    assert EntryCipher(SECRET).derive_name(key) == name


def test_keys_and_format_are_as_documented() -> None:
    # HKDF-SHA256 (RFC 5869) without salt, written out; caches of users outlive versions of this collection.
    info = b"entra.auth cache 2\n"
    pseudorandom = hmac.digest(bytes(32), b"secret", "sha256")
    first = hmac.digest(pseudorandom, info + b"\x01", "sha256")
    second = hmac.digest(pseudorandom, first + info + b"\x02", "sha256")
    assert EntryCipher("secret").derive_name("key") == hmac.digest(second, b"key", "sha256").hex()[:40]
    nonce = bytes(range(12))
    head = info + b'{"scope": "s"}\n'
    entry = head + nonce + AESGCM(first).encrypt(nonce, CONTENT, head + b"name")
    assert EntryCipher("secret").decrypt(entry, "name") == CONTENT
    assert read_metadata(entry) == {"scope": "s"}


# --- public metadata --------------------------------------------------------------------------------------------

metadata_dicts = st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts)


@given(metadata_dicts, st.binary())
def test_public_metadata_is_read_without_the_secret(metadata: dict[str, t.Any], content: bytes) -> None:
    entry = EntryCipher(SECRET).encrypt(content, "name", metadata)
    assert read_metadata(entry) == metadata
    assert EntryCipher(SECRET).decrypt(entry, "name") == content


def test_an_entry_without_public_metadata_has_an_empty_one() -> None:
    assert read_metadata(EntryCipher(SECRET).encrypt(CONTENT, "name")) == {}


def test_public_metadata_of_another_entry_is_detected() -> None:
    one, two = (EntryCipher(SECRET).encrypt(CONTENT, "name", {"scope": scope}) for scope in ("one", "two"))
    end_one, end_two = (entry.index(b"}\n") + 2 for entry in (one, two))
    assert read_metadata(one[:end_one] + two[end_two:]) == {"scope": "one"}
    assert EntryCipher(SECRET).decrypt(one[:end_one] + two[end_two:], "name") is None


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        CONTENT,
        encryption._FORMAT,
        encryption._FORMAT + b"\n",
        encryption._FORMAT + b"junk\n" + ENTRY[HEADER:],
        encryption._FORMAT + b"[1]\n" + ENTRY[HEADER:],
        encryption._FORMAT + b"null\n",
        encryption._FORMAT + b"\xff\xfe\n",
        encryption._FORMAT + b"[" * 100_000 + b"\n",
        b"entra.auth cache 1\n" + ENTRY[len(encryption._FORMAT) :],
        ENTRY[: HEADER - 1],
    ],
    ids=lambda junk: f"{len(junk)} bytes",
)
def test_anything_else_has_no_public_metadata(junk: bytes) -> None:
    assert read_metadata(junk) is None


@given(st.binary())
def test_no_bytes_make_reading_public_metadata_raise(junk: bytes) -> None:
    for content in (junk, encryption._FORMAT + junk, encryption._FORMAT + junk + b"\n"):
        metadata = read_metadata(content)
        assert metadata is None or isinstance(metadata, dict)


def test_a_missing_cryptography_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "HAS_CRYPTOGRAPHY", False)
    with pytest.raises(MissingLibraryError, match="cryptography") as missing:
        EntryCipher(SECRET)
    assert missing.value.hint
