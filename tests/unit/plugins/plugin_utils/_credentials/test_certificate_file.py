# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate is read in each form a user may have it in, and what Entra could not take is refused by name."""

from __future__ import annotations

import base64
import datetime
import types
import typing as t

import certificates
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials import certificate_file
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.certificate_file import load_client_certificate

if t.TYPE_CHECKING:
    from certificates import Issued

PASSWORD = "hunter2-é"


def refused(content: bytes | str, password: str | None = None) -> InputError:
    with pytest.raises(InputError) as error:
        load_client_certificate(content.encode() if isinstance(content, str) else content, password)
    assert error.value.hint
    assert error.value.__context__ is None
    assert "hunter2" not in str(error.value)
    assert "BEGIN" not in str(error.value)
    return error.value


def forms(leaf: Issued, ca: Issued) -> dict[str, tuple[bytes, str | None]]:
    return {
        "PEM, key first": (leaf.pem().encode(), None),
        "PEM, certificate first": ((leaf.certificate_pem + leaf.key_pem()).encode(), None),
        "PEM with text around": (f"Bag Attributes\n{leaf.pem()}end".encode(), None),
        "PEM, PKCS 1": ((leaf.key_pem(traditional=True) + leaf.certificate_pem).encode(), None),
        "PEM on one line": (leaf.pem().replace("\n", "\\n").encode(), None),
        "PEM with CRLF": (leaf.pem().replace("\n", "\r\n").encode(), None),
        "PEM with a needless password": (leaf.pem().encode(), PASSWORD),
        "PEM, encrypted": (leaf.pem(PASSWORD).encode(), PASSWORD),
        "PFX": (leaf.pfx(), None),
        "PFX, encrypted": (leaf.pfx(PASSWORD), PASSWORD),
        "PFX in base64": (base64.b64encode(leaf.pfx()), None),
        "PFX in wrapped base64": (base64.encodebytes(leaf.pfx(PASSWORD)), PASSWORD),
    }


@pytest.mark.parametrize(
    "form",
    [
        "PEM, key first",
        "PEM, certificate first",
        "PEM with text around",
        "PEM, PKCS 1",
        "PEM on one line",
        "PEM with CRLF",
        "PEM with a needless password",
        "PEM, encrypted",
        "PFX",
        "PFX, encrypted",
        "PFX in base64",
        "PFX in wrapped base64",
    ],
)
def test_a_certificate_is_read_in_each_form(form: str, leaf: Issued, ca: Issued) -> None:
    loaded = load_client_certificate(*forms(leaf, ca)[form])
    assert loaded.chain == (leaf.der,)
    assert loaded.private_key.private_numbers() == leaf.key.private_numbers()


def test_the_chain_is_put_in_order_and_what_does_not_belong_to_it_is_left_out(ca: Issued) -> None:
    middle = certificates.issue("middle", issuer=ca)
    leaf = certificates.issue("app", issuer=middle)
    stranger = certificates.issue("stranger", ca.key)
    mixed = ca.certificate_pem + stranger.certificate_pem + leaf.pem() + middle.certificate_pem
    expected = (leaf.der, middle.der, ca.der)
    assert load_client_certificate(mixed.encode(), None).chain == expected
    assert load_client_certificate(leaf.pfx(chain=[ca, middle]), None).chain == expected


def test_a_chain_that_goes_in_a_circle_ends(ca: Issued) -> None:
    first = certificates.issue("first", ca.key)
    second = certificates.issue("second", ca.key, issuer=first)
    circle = certificates.issue("first", ca.key, issuer=second)
    content = ca.key_pem() + circle.certificate_pem + second.certificate_pem
    assert load_client_certificate(content.encode(), None).chain == (circle.der, second.der)


def test_what_has_no_private_key_is_refused(leaf: Issued) -> None:
    assert "without a private key" in refused(leaf.certificate_pem).message


def test_what_has_no_certificate_is_refused(leaf: Issued) -> None:
    assert "no certificate" in refused(leaf.key_pem()).message


def test_a_pfx_without_a_key_is_refused(leaf: Issued) -> None:
    content = pkcs12.serialize_key_and_certificates(b"app", None, leaf.certificate, None, serialization.NoEncryption())
    assert "no private key" in refused(content).message


def test_another_one_s_key_is_refused(leaf: Issued, other: Issued) -> None:
    assert "does not belong" in refused(other.key_pem() + leaf.certificate_pem).message


def test_a_key_that_entra_does_not_take_is_refused() -> None:
    assert "not an RSA key" in refused(certificates.issue("app", ec.generate_private_key(ec.SECP256R1())).pem()).message


@pytest.mark.parametrize("size", [1024])
def test_a_key_that_is_too_short_for_entra_is_still_read(size: int) -> None:
    short = certificates.issue("app", rsa.generate_private_key(public_exponent=65537, key_size=size))
    assert load_client_certificate(short.pem().encode(), None).chain == (short.der,)


@pytest.mark.parametrize("kind", ["PEM", "PFX"])
def test_a_password_that_is_needed_is_asked_for(kind: str, leaf: Issued) -> None:
    error = refused(leaf.pem(PASSWORD) if kind == "PEM" else leaf.pfx(PASSWORD))
    assert "encrypted, and no password is given" in error.message
    assert "client_certificate_password" in str(error.hint)


@pytest.mark.parametrize("kind", ["PEM", "PFX"])
def test_a_wrong_password_is_told_as_such(kind: str, leaf: Issued) -> None:
    error = refused(leaf.pem(PASSWORD) if kind == "PEM" else leaf.pfx(PASSWORD), "hunter2-wrong")
    assert "password does not open" in error.message
    assert "client_certificate_password" in str(error.hint)


def test_an_encrypted_key_of_the_older_kind_is_recognised(leaf: Issued) -> None:
    encrypted = (
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n"
        "-----END RSA PRIVATE KEY-----\n"
    )
    assert "no password is given" in refused(encrypted + leaf.certificate_pem).message


@pytest.mark.parametrize("kind", ["key", "certificate"])
def test_a_damaged_pem_is_refused(kind: str, leaf: Issued) -> None:
    broken = {"key": leaf.key_pem, "certificate": lambda: leaf.certificate_pem}
    parts = {name: text() for name, text in broken.items()}
    parts[kind] = parts[kind][:200] + parts[kind][260:]
    assert "can't be read as PEM" in refused(parts["key"] + parts["certificate"]).message


@pytest.mark.parametrize("content", [b"\x00\x01", b"junk", b"AAAA", b"{}", b"-----BEGIN", b"MIIJ" * 100])
def test_what_is_no_certificate_at_all_is_refused(content: bytes) -> None:
    refused(content)


@pytest.mark.parametrize(
    ("days", "told"), [((-10, -1), "expired on "), ((1, 10), "not valid before ")], ids=["past", "future"]
)
def test_a_certificate_outside_of_its_time_is_refused(days: tuple[float, float], told: str, leaf: Issued) -> None:
    assert told in refused(certificates.issue("app", leaf.key, days=days).pem()).message


def test_only_the_leaf_has_to_be_valid_today(leaf: Issued, ca: Issued) -> None:
    old_ca = certificates.issue("Nobody's CA", ca.key, days=(-10, -1))
    chain = load_client_certificate((leaf.pem() + old_ca.certificate_pem).encode(), None).chain
    assert chain == (leaf.der, old_ca.der)


def test_a_private_key_is_not_in_what_is_printed(leaf: Issued) -> None:
    assert "private_key" not in repr(load_client_certificate(leaf.pem().encode(), None))


def test_a_missing_cryptography_says_what_to_install(leaf: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_file, "HAS_CRYPTOGRAPHY", False)
    with pytest.raises(MissingLibraryError, match="cryptography"):
        load_client_certificate(leaf.pem().encode(), None)


def test_an_older_cryptography_is_understood() -> None:
    begins, ends = datetime.datetime(2026, 1, 1), datetime.datetime(2027, 1, 1)  # noqa: DTZ001 - as it hands them out
    older: t.Any = types.SimpleNamespace(not_valid_before=begins, not_valid_after=ends)
    utc = datetime.timezone.utc
    assert certificate_file._validity(older) == (begins.replace(tzinfo=utc), ends.replace(tzinfo=utc))
