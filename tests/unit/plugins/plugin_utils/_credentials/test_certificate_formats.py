# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate is read in each form a user may have it in; any other form is named, never blamed on the password."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import textwrap
import typing as t

import certificates
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.certificate_formats import (
    read_certificate_material,
)

if t.TYPE_CHECKING:
    import pathlib

    from certificates import Issued

PASSWORD = "hunter2-é"


def refused(content: bytes | str, password: str | None = None) -> InputError:
    content = content.encode() if isinstance(content, str) else content
    try:
        problems = read_certificate_material(content, password, "the_option").problems
    except InputError as error:
        problems = [error]
    assert problems
    error = problems[0]
    assert error.hint
    assert error.__context__ is None
    assert "the_option" in error.message
    assert "hunter2" not in str(error)
    assert "BEGIN" not in str(error)
    return error


def forms(leaf: Issued) -> dict[str, tuple[bytes, str | None]]:
    pem, encrypted = leaf.pem(), leaf.pem(PASSWORD)
    body = base64.encodebytes(leaf.der + b"\x30\x02\x0c\x00").decode()
    trusted = f"-----BEGIN TRUSTED CERTIFICATE-----\n{body}-----END TRUSTED CERTIFICATE-----"
    return {
        "PEM, key first": (pem.encode(), None),
        "PEM, certificate first": ((leaf.certificate_pem + leaf.key_pem()).encode(), None),
        "PEM with text around": (f"Bag Attributes\n{pem}end".encode(), None),
        "PEM, PKCS 1": ((leaf.key_pem(traditional=True) + leaf.certificate_pem).encode(), None),
        "PEM with literal \\n": (pem.replace("\n", "\\n").encode(), None),
        "PEM with literal \\r\\n": (pem.replace("\n", "\\r\\n").encode(), None),
        "PEM with blanks in place of line breaks": (pem.replace("\n", " ").encode(), None),
        "PEM with CRLF": (pem.replace("\n", "\r\n").encode(), None),
        "PEM with blank lines": (pem.replace("\n", "\n\n").encode(), None),
        "PEM with blank lines, encrypted": (encrypted.replace("\n", "\n\n").encode(), PASSWORD),
        "PEM, indented": (textwrap.indent(pem, "    ").encode(), None),
        "PEM in UTF-16": (pem.encode("utf-16"), None),
        "PEM in UTF-16 without a mark": (pem.encode("utf-16-be"), None),
        "PEM with a byte order mark": (pem.encode("utf-8-sig"), None),
        "PEM in base64": (base64.b64encode(pem.encode()), None),
        "PEM in wrapped base64": (base64.encodebytes(encrypted.encode()), PASSWORD),
        "PEM in base64 in UTF-16": (base64.b64encode(pem.encode()).decode().encode("utf-16"), None),
        "PEM with a needless password": (pem.encode(), PASSWORD),
        "PEM, encrypted": (encrypted.encode(), PASSWORD),
        "PEM, trusted": (
            (leaf.key_pem() + trusted).encode(),
            None,
        ),
        "PEM with PKCS 7": (
            leaf.key_pem().encode() + pkcs7.serialize_certificates([leaf.certificate], serialization.Encoding.PEM),
            None,
        ),
        "PFX": (leaf.pfx(), None),
        "PFX, encrypted": (leaf.pfx(PASSWORD), PASSWORD),
        "PFX in base64": (base64.b64encode(leaf.pfx()), None),
        "PFX in wrapped base64": (base64.encodebytes(leaf.pfx(PASSWORD)), PASSWORD),
        "PFX in base64 in UTF-16": (base64.b64encode(leaf.pfx()).decode().encode("utf-16"), None),
    }


def test_a_certificate_is_read_in_each_form(leaf: Issued) -> None:
    for form, (content, password) in forms(leaf).items():
        material = read_certificate_material(content, password, "the_option")
        keys = [t.cast("t.Any", key).private_numbers() for key in material.keys]
        assert keys == [leaf.key.private_numbers()], form
        assert material.certificates == [leaf.certificate], form
        assert material.problems == [], form


def test_the_older_kind_of_encryption_of_a_key_is_read(leaf: Issued) -> None:
    """With its headers, which a blank line separates from the key."""
    block = leaf.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(PASSWORD.encode()),
    )
    assert b"Proc-Type: 4,ENCRYPTED" in block
    for content in (block, block.replace(b"\n", b"\r\n"), block.replace(b"\n", b"\n\n"), block.replace(b"\n", b"\\n")):
        material = read_certificate_material(content + leaf.certificate_pem.encode(), PASSWORD, "the_option")
        assert len(material.keys) == 1


# --- what lacks something ---------------------------------------------------------------------------------------


def request(leaf: Issued, encoding: serialization.Encoding) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(leaf.certificate.subject)
    return builder.sign(leaf.key, hashes.SHA256()).public_bytes(encoding)


def public_key(leaf: Issued, encoding: serialization.Encoding) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return t.cast("bytes", leaf.key.public_key().public_bytes(encoding, form))


def private_key(leaf: Issued, form: serialization.PrivateFormat, encoding: serialization.Encoding) -> bytes:
    return t.cast("bytes", leaf.key.private_bytes(encoding, form, serialization.NoEncryption()))


def incomplete(leaf: Issued) -> list[tuple[bytes | str, str]]:
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    formats = serialization.PrivateFormat
    without_key = pkcs12.serialize_key_and_certificates(
        b"app", None, leaf.certificate, None, serialization.NoEncryption()
    )
    without_certificate = pkcs12.serialize_key_and_certificates(
        b"app", leaf.key, None, None, serialization.NoEncryption()
    )
    openssh = private_key(leaf, formats.OpenSSH, pem)
    return [
        (leaf.certificate_pem, "holds a certificate without a private key"),
        (leaf.key_pem(), "holds a private key, but no certificate"),
        (without_key, "a PFX that holds no private key"),
        (without_certificate, "a PFX that holds no certificate"),
        (openssh, "in the format of OpenSSH"),
        (openssh + leaf.certificate_pem.encode(), "in the format of OpenSSH"),
        (request(leaf, pem), "a certificate request without a private key"),
        (request(leaf, pem).replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"), "a certificate request"),
        (request(leaf, der), "a certificate request in DER"),
        (public_key(leaf, pem), "a public key without a private key"),
        (public_key(leaf, der), "a public key in DER"),
        (leaf.der, "a certificate in DER without its private key"),
        (base64.b64encode(leaf.der), "a certificate in DER without its private key"),
        (private_key(leaf, formats.PKCS8, der), "a private key in DER without its certificate"),
        (private_key(leaf, formats.TraditionalOpenSSL, der), "a private key in DER without its certificate"),
        (pkcs7.serialize_certificates([leaf.certificate], der), "PKCS#7"),
        (pkcs7.serialize_certificates([leaf.certificate], pem), "PKCS#7"),
        (leaf.key_pem()[:300], "PEM that is cut short"),
    ]


def test_what_lacks_a_part_is_named_by_its_form(leaf: Issued) -> None:
    for content, form in incomplete(leaf):
        assert form in refused(content).message, form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("/etc/ssl/app.pem", "holds a path"),
        ("~/app.pfx", "holds a path"),
        ("./app", "holds a path"),
        ("C:\\keys\\app.pfx", "holds a path"),
        ("app.PEM", "holds a path"),
        ("certificates of the app/app.p12", "holds a path"),
        (json.dumps({"value": "MII", "id": "x"}), "JSON around the certificate (with the keys 'value', 'id')"),
        ("{}", "an empty JSON object"),
        ("PuTTY-User-Key-File-3: ssh-rsa", "a key in the format of PuTTY"),
        ("ssh-rsa AAAAB3NzaC1yc2E me@here", "a public key in the format of OpenSSH"),
        ("ecdsa-sha2-nistp256 AAAA", "a public key in the format of OpenSSH"),
        ("<html>", "XML or HTML"),
        ("https://vault.example/secret", "a URL"),
        ("junk", "can't be read as PEM or PFX"),
        ("AAAA", "can't be read as PEM or PFX"),
        ("MIIJ" * 100, "can't be read as PFX"),
        ("[" * 100000, "can't be read as PEM or PFX"),
        ("", "can't be read as PEM or PFX"),
    ],
)
def test_what_is_no_certificate_at_all_is_named(text: str, form: str) -> None:
    error = refused(text)
    assert form in error.message
    assert ("client_certificate_path" in str(error.hint)) is ("holds a path" in error.message)


@pytest.mark.parametrize("content", [b"\x00\x01", b"\x30\x82", b"\x30\x80\x00", b"-----BEGIN", b"-----BEGIN X-----\n"])
def test_damaged_bytes_are_refused(content: bytes) -> None:
    refused(content)


@pytest.mark.parametrize("kind", ["key", "certificate"])
def test_a_damaged_pem_is_refused(kind: str, leaf: Issued) -> None:
    parts = {"key": leaf.key_pem(), "certificate": leaf.certificate_pem}
    parts[kind] = parts[kind][:200] + parts[kind][260:]
    assert "can't be read as PEM" in refused(parts["key"] + parts["certificate"]).message


def test_a_key_of_another_kind_is_read(leaf: Issued) -> None:
    """Whether Entra takes it is decided later."""
    elliptic = certificates.issue("app", ec.generate_private_key(ec.SECP256R1()))
    assert len(read_certificate_material(elliptic.pem().encode(), None, "the_option").keys) == 1


# --- passwords --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PEM", "PFX"])
@pytest.mark.parametrize(
    ("password", "words"), [(None, "encrypted, and no password is given"), ("hunter2-wrong", "password does not open")]
)
def test_a_password_that_is_missing_or_wrong_is_told(kind: str, password: str | None, words: str, leaf: Issued) -> None:
    error = refused(leaf.pem(PASSWORD) if kind == "PEM" else leaf.pfx(PASSWORD), password)
    assert words in error.message
    assert "client_certificate_password" in str(error.hint)


# Without OpenSSL's legacy provider, as a Python of a distribution may be.
WITHOUT_LEGACY = """
import pathlib, sys
from ansible_collections.entra.auth.plugins.plugin_utils._credentials import certificate_formats
try:
    content = pathlib.Path(sys.argv[1]).read_bytes()
    for problem in certificate_formats.read_certificate_material(content, "hunter2", "the_option").problems:
        raise problem
except Exception as error:
    print(error)
"""


def read_without_legacy(path: pathlib.Path) -> str:
    environment = {"PYTHONPATH": ":".join(sys.path), "CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1"}
    command = [sys.executable, "-c", WITHOUT_LEGACY, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "hunter2" not in done.stdout
    return done.stdout


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def test_a_pfx_whose_cipher_is_missing_is_not_called_a_wrong_password(leaf: Issued, tmp_path: pathlib.Path) -> None:
    """As with files of older Windows."""
    pem, pfx = tmp_path / "app.pem", tmp_path / "app.pfx"
    pem.write_text(leaf.pem())
    legacy = ["-legacy", "-certpbe", "PBE-SHA1-RC2-40", "-passout", "pass:hunter2"]
    openssl("pkcs12", "-export", "-in", str(pem), "-out", str(pfx), *legacy)
    told = read_without_legacy(pfx)
    assert "The password is wrong, or the OpenSSL of this machine's Python lacks the cipher RC2-40." in told
    assert "openssl pkcs12 -legacy" in told
    assert "lacks the cipher RC2-40" in refused(pfx.read_bytes(), "hunter2-wrong").message
    assert len(read_certificate_material(pfx.read_bytes(), "hunter2", "the_option").keys) == 1


def test_a_key_whose_cipher_is_missing_is_not_called_a_wrong_password(leaf: Issued, tmp_path: pathlib.Path) -> None:
    pem, encrypted = tmp_path / "app.pem", tmp_path / "encrypted.pem"
    pem.write_text(leaf.pem())
    providers = ["-provider", "legacy", "-provider", "default"]
    arguments = ["-in", str(pem), "-out", str(encrypted), "-passout", "pass:hunter2"]
    openssl("pkcs8", "-topk8", "-v1", "PBE-MD5-DES", *providers, *arguments)
    encrypted.write_text(encrypted.read_text() + leaf.certificate_pem)
    assert "The password is wrong, or" in read_without_legacy(encrypted)
    assert "lacks the cipher DES" in read_without_legacy(encrypted)


def test_a_key_with_an_unknown_cipher_is_told_as_such(leaf: Issued) -> None:
    headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: IDEA-CBC,0011223344556677"
    block = f"-----BEGIN RSA PRIVATE KEY-----\n{headers}\n\n{'AAAA' * 16}\n-----END RSA PRIVATE KEY-----\n"
    assert "lacks the cipher of the private key" in refused(block + leaf.certificate_pem, "hunter2").message
    assert "no password is given" in refused(block + leaf.certificate_pem).message
