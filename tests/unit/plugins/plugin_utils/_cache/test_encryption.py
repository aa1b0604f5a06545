# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sealed is read by who has the secret and knows the name, and a change to any byte of it is seen."""

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
LABEL = {"scope": "s", "expires_at": "é漢"}
SEALED = EntryCipher(SECRET).encrypt(CONTENT, "name", LABEL)
HEADER = SEALED.index(b"\n", len(encryption._FORMAT)) + 1
NONCE_END = HEADER + 12

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, st.binary(), texts)
def test_what_is_sealed_can_be_opened_again(secret: str, content: bytes, name: str) -> None:
    assert EntryCipher(secret).decrypt(EntryCipher(secret).encrypt(content, name), name) == content


@given(texts, texts)
def test_another_secret_opens_nothing(secret: str, other: str) -> None:
    sealed = EntryCipher(secret).encrypt(CONTENT, "name")
    assert EntryCipher(other).decrypt(sealed, "name") == (CONTENT if other == secret else None)


@given(texts, texts)
def test_an_entry_under_another_name_is_not_taken(name: str, other: str) -> None:
    cipher = EntryCipher(SECRET)
    assert cipher.decrypt(cipher.encrypt(CONTENT, name), other) == (CONTENT if other == name else None)


@pytest.mark.parametrize("position", range(len(SEALED)))
def test_a_change_of_any_byte_is_seen(position: int) -> None:
    for change in (0x01, 0x80):
        tampered = bytearray(SEALED)
        tampered[position] ^= change
        assert EntryCipher(SECRET).decrypt(bytes(tampered), "name") is None


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_a_truncated_entry_is_not_taken(length: int) -> None:
    assert EntryCipher(SECRET).decrypt(SEALED[:length], "name") is None


@pytest.mark.parametrize(
    "junk",
    [
        None,
        b"",
        b"entra.auth cache 1\n" + SEALED[len(encryption._FORMAT) :],
        b"entra.auth cache 1\n" + SEALED[HEADER:],
        b"entra.auth cache 3\n" + SEALED[len(encryption._FORMAT) :],
        SEALED[: len(encryption._FORMAT)],
        SEALED[: HEADER - 1],
        SEALED[: len(encryption._FORMAT)] + SEALED[HEADER:],
        SEALED + b"\x00",
        SEALED + SEALED,
        b"\n" + SEALED,
        SEALED[:HEADER],
        SEALED[:NONCE_END],
        SEALED[:HEADER] + b"\x00" * 5,
        CONTENT,
        b"\x00" * 1000,
    ],
    ids=lambda junk: f"{len(junk or b'')} bytes",
)
def test_what_is_no_entry_of_this_format_is_not_taken(junk: bytes | None) -> None:
    assert EntryCipher(SECRET).decrypt(junk, "name") is None


@given(st.binary())
def test_no_bytes_at_all_make_opening_fail(junk: bytes) -> None:
    assert EntryCipher(SECRET).decrypt(junk, "name") is None
    assert EntryCipher(SECRET).decrypt(SEALED[:HEADER] + junk, "name") is None


def test_sealing_the_same_twice_tells_nothing() -> None:
    seals = {EntryCipher(SECRET).encrypt(CONTENT, "name", LABEL) for _dummy in range(20)}
    assert len(seals) == 20
    assert len({sealed[HEADER:NONCE_END] for sealed in seals}) == 20


def test_what_is_sealed_shows_neither_content_nor_secret_nor_name() -> None:
    sealed = EntryCipher(SECRET).encrypt(CONTENT * 10, "the name of it")
    assert CONTENT not in sealed
    assert SECRET.encode() not in sealed
    assert b"the name of it" not in sealed


@given(texts, texts)
def test_names_are_fit_for_files_and_differ_by_subject_and_by_secret(subject: str, other: str) -> None:
    cipher = EntryCipher(SECRET)
    name = cipher.derive_name(subject)
    assert len(name) == 40
    assert set(name) <= set(string.hexdigits.lower())
    assert (cipher.derive_name(other) == name) is (other == subject)
    assert EntryCipher("another secret").derive_name(subject) != name
    assert EntryCipher(SECRET).derive_name(subject) == name


def test_keys_and_format_are_what_they_are_documented_to_be() -> None:
    # HKDF-SHA256 (RFC 5869) without salt, written out; caches of users outlive versions of this collection.
    info = b"entra.auth cache 2\n"
    pseudorandom = hmac.digest(bytes(32), b"secret", "sha256")
    first = hmac.digest(pseudorandom, info + b"\x01", "sha256")
    second = hmac.digest(pseudorandom, first + info + b"\x02", "sha256")
    assert EntryCipher("secret").derive_name("subject") == hmac.digest(second, b"subject", "sha256").hex()[:40]
    nonce = bytes(range(12))
    head = info + b'{"scope": "s"}\n'
    sealed = head + nonce + AESGCM(first).encrypt(nonce, CONTENT, head + b"name")
    assert EntryCipher("secret").decrypt(sealed, "name") == CONTENT
    assert read_metadata(sealed) == {"scope": "s"}


# --- labels -----------------------------------------------------------------------------------------------------

labels = st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts)


@given(labels, st.binary())
def test_a_label_is_read_without_the_secret(label: dict[str, t.Any], content: bytes) -> None:
    sealed = EntryCipher(SECRET).encrypt(content, "name", label)
    assert read_metadata(sealed) == label
    assert EntryCipher(SECRET).decrypt(sealed, "name") == content


def test_without_a_label_there_is_an_empty_one() -> None:
    assert read_metadata(EntryCipher(SECRET).encrypt(CONTENT, "name")) == {}


def test_a_label_on_another_content_is_seen() -> None:
    one, two = (EntryCipher(SECRET).encrypt(CONTENT, "name", {"scope": scope}) for scope in ("one", "two"))
    end_one, end_two = (sealed.index(b"}\n") + 2 for sealed in (one, two))
    assert read_metadata(one[:end_one] + two[end_two:]) == {"scope": "one"}
    assert EntryCipher(SECRET).decrypt(one[:end_one] + two[end_two:], "name") is None


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        CONTENT,
        encryption._FORMAT,
        encryption._FORMAT + b"\n",
        encryption._FORMAT + b"junk\n" + SEALED[HEADER:],
        encryption._FORMAT + b"[1]\n" + SEALED[HEADER:],
        encryption._FORMAT + b"null\n",
        encryption._FORMAT + b"\xff\xfe\n",
        encryption._FORMAT + b"[" * 100_000 + b"\n",
        b"entra.auth cache 1\n" + SEALED[len(encryption._FORMAT) :],
        SEALED[: HEADER - 1],
    ],
    ids=lambda junk: f"{len(junk)} bytes",
)
def test_what_was_not_sealed_has_no_label(junk: bytes) -> None:
    assert read_metadata(junk) is None


@given(st.binary())
def test_no_bytes_at_all_make_reading_a_label_fail(junk: bytes) -> None:
    for content in (junk, encryption._FORMAT + junk, encryption._FORMAT + junk + b"\n"):
        label = read_metadata(content)
        assert label is None or isinstance(label, dict)


def test_a_missing_cryptography_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "HAS_CRYPTOGRAPHY", False)
    with pytest.raises(MissingLibraryError, match="cryptography") as missing:
        EntryCipher(SECRET)
    assert missing.value.hint
