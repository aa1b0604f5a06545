# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recognize the form of a certificate file, and read the keys and certificates in it.

Loaded for a token request only: parsing X.509 takes longer than reading a cached token.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import re
import textwrap
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.file_content import decode_text, describe_json

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

if t.TYPE_CHECKING:  # pragma: no cover
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_SEQUENCE = 0x30
_LONG_LENGTH = 0x80
_PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_PEM_HEADER = re.compile(r"^\s*([A-Za-z-]+: .*)$", re.MULTILINE)
# RFC 7292 appendix C and RFC 8018 appendix A.3, object identifiers in DER: OpenSSL 3 has these ciphers in its legacy
# provider alone.
_LEGACY_CIPHERS = {
    bytes.fromhex(oid): name
    for oid, name in (
        ("2a864886f70d010c0101", "RC4-128"),
        ("2a864886f70d010c0102", "RC4-40"),
        ("2a864886f70d010c0105", "RC2-128"),
        ("2a864886f70d010c0106", "RC2-40"),
        ("2a864886f70d010503", "DES"),
        ("2a864886f70d01050b", "RC2-64"),
        ("2a864886f70d0302", "RC2"),
    )
}
# OpenSSL reports a missing cipher and a wrong password in the same words.
_WRONG_OR = "The password is wrong, or "
_GIVE = "Give PEM text with the key and the certificate, or a PFX in a file or as base64."
_ADD_KEY = "Add the private key: PEM text with the key and the certificate, or a PFX that was exported with the key."


class CertificateMaterial(t.NamedTuple):
    """The private keys and certificates that a file holds, and the errors of those that can't be read."""

    keys: list[PrivateKeyTypes]
    certificates: list[x509.Certificate]
    problems: list[InputError]


def read_certificate_material(content: bytes, password: str | None, source: str) -> CertificateMaterial:
    """Return the keys and certificates in PEM (with literal ``\\n`` or in base64 too) or PFX (binary or in base64).

    Args:
        content: the content of the option or file.
        password: opens an encrypted key or PFX.
        source: where the content comes from, for the messages.

    Raises:
        InputError: for content without a key and a certificate; it names the form that was recognized.
    """
    if _is_der(content):
        return _read_der(content, password, source)
    text = decode_text(content).strip()
    if "-----BEGIN" in text:
        return _read_pem(text, password, source)
    _refuse_recognized(text, source)
    decoded = _decode_base64(text)
    if decoded and b"-----BEGIN" in decoded:
        return _read_pem(decode_text(decoded), password, source)
    return _read_der(decoded or content, password, source)


def _is_der(content: bytes) -> bool:
    return len(content) > 1 and content[0] == _SEQUENCE and content[1] >= _LONG_LENGTH


def _decode_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return None


# --- PEM --------------------------------------------------------------------------------------------------------


def _read_pem(text: str, password: str | None, source: str) -> CertificateMaterial:
    # A variable of a CI system often has its line breaks spelled out.
    blocks = _PEM_BLOCK.findall(text.replace("\\r", "").replace("\\n", "\n"))
    labels = [label for label, _body in blocks]
    material = CertificateMaterial([], [], [])
    for label, body in blocks:
        if label == "OPENSSH PRIVATE KEY":
            continue
        if label.endswith("PRIVATE KEY"):
            _load_key(_format_block(label, body), password, source, material)
        elif label.endswith("CERTIFICATE") or label in ("PKCS7", "CMS"):
            _load_certificates(label, body, source, material)
    if not material.keys and not material.problems:
        raise _describe_missing_key(labels, source)
    if not material.certificates and not material.problems:
        raise InputError(
            f"{source} holds a private key, but no certificate.", hint="Add the certificate to the same PEM."
        )
    return material


def _format_block(label: str, body: str) -> bytes:
    """Return a block as RFC 7468 writes it, whatever white space it came with."""
    headers = _PEM_HEADER.findall(body)
    encoded = "".join(_PEM_HEADER.sub("", body).split())
    lines = [f"-----BEGIN {label}-----", *headers, *([""] if headers else []), *textwrap.wrap(encoded, 64)]
    return "\n".join((*lines, f"-----END {label}-----", "")).encode()


def _load_key(block: bytes, password: str | None, source: str, material: CertificateMaterial) -> None:
    encrypted = b"ENCRYPTED" in block
    if encrypted and password is None:
        material.problems.append(_report_missing_password(source))
        return
    try:
        key = serialization.load_pem_private_key(block, password.encode() if encrypted and password else None)
        material.keys.append(key)
        return
    except UnsupportedAlgorithm:
        reason = "unknown"
    except (ValueError, TypeError) as exc:
        reason = str(exc).lower()
    material.problems.append(
        _explain_unopened_key(block, reason, source) if encrypted else _report_unreadable(source, "PEM")
    )


def _explain_unopened_key(block: bytes, reason: str, source: str) -> InputError:
    encoded = b"".join(block.splitlines()[1:-1])
    legacy = _find_legacy_cipher(_decode_base64(encoded.decode(errors="replace")) or b"")
    if "unknown" in reason:
        return _report_missing_cipher(source, legacy or "of the private key")
    return _report_missing_cipher(source, legacy, _WRONG_OR) if legacy else _report_wrong_password(source)


def _find_legacy_cipher(content: bytes) -> str | None:
    return next((name for oid, name in _LEGACY_CIPHERS.items() if oid in content), None)


def _load_certificates(label: str, body: str, source: str, material: CertificateMaterial) -> None:
    content = _decode_base64(body) or b""
    try:
        if label in ("PKCS7", "CMS"):
            material.certificates.extend(pkcs7.load_der_pkcs7_certificates(content))
        else:
            # What "openssl x509 -trustout" appends to the certificate is no part of it.
            material.certificates.append(x509.load_der_x509_certificate(_cut_first_element(content)))
    except (ValueError, UnsupportedAlgorithm):
        material.problems.append(_report_unreadable(source, "PEM"))


def _cut_first_element(content: bytes) -> bytes:
    """Return the first element of DER (X.690 section 8.1.3), without the bytes that follow it."""
    if len(content) < 2 or content[1] < _LONG_LENGTH:
        return content
    end = 2 + content[1] - _LONG_LENGTH
    return content[: end + int.from_bytes(content[2:end], "big")]


def _describe_missing_key(labels: t.Sequence[str], source: str) -> InputError:
    if "OPENSSH PRIVATE KEY" in labels:
        return InputError(
            f"{source} holds a private key in the format of OpenSSH.",
            hint="Convert a copy of the key with 'ssh-keygen -p -m PEM -f KEY', and give it with its certificate.",
        )
    forms = {
        "CERTIFICATE REQUEST": "a certificate request",
        "NEW CERTIFICATE REQUEST": "a certificate request",
        "PUBLIC KEY": "a public key",
        "PKCS7": "PKCS#7, that is certificates",
        "CMS": "PKCS#7, that is certificates",
    }
    found = next((form for label, form in forms.items() if label in labels), "a certificate")
    if not labels:
        found = "PEM that is cut short or has no END line,"
    return InputError(f"{source} holds {found} without a private key.", hint=_ADD_KEY)


# --- PFX and other DER ------------------------------------------------------------------------------------------


def _read_der(content: bytes, password: str | None, source: str) -> CertificateMaterial:
    loaded, reason = None, ""
    try:
        loaded = pkcs12.load_pkcs12(content, password.encode() if password else None)
    except UnsupportedAlgorithm:
        reason = "cipher"
    except ValueError as exc:
        reason = str(exc).lower()
    if loaded is None:
        raise _explain_unopened_pfx(content, password, reason, source)
    certificates = [one.certificate for one in (loaded.cert, *loaded.additional_certs) if one]
    if loaded.key is None:
        raise InputError(f"{source} is a PFX that holds no private key.", hint="Export it again with the private key.")
    if not certificates:
        raise InputError(f"{source} is a PFX that holds no certificate.", hint="Export it again with the certificate.")
    return CertificateMaterial([loaded.key], certificates, [])


def _explain_unopened_pfx(content: bytes, password: str | None, reason: str, source: str) -> InputError:
    legacy = _find_legacy_cipher(content)
    if reason == "cipher":
        return _report_missing_cipher(source, legacy or "of the PFX")
    if "password" not in reason:
        form = _identify_der(content)
        return (
            InputError(f"{source} holds {form}.", hint=_ADD_KEY)
            if form
            else _report_unreadable(source, "PFX" if _is_der(content) else "PEM or PFX")
        )
    if not password:
        return _report_missing_password(source)
    return _report_missing_cipher(source, legacy, _WRONG_OR) if legacy else _report_wrong_password(source)


def _identify_der(content: bytes) -> str | None:
    """Return a name for DER that is not a PFX; None if it is not known."""
    loaders: tuple[tuple[t.Callable[[bytes], object], str], ...] = (
        (x509.load_der_x509_certificate, "a certificate in DER without its private key"),
        (x509.load_der_x509_csr, "a certificate request in DER"),
        (lambda der: serialization.load_der_private_key(der, None), "a private key in DER without its certificate"),
        (serialization.load_der_public_key, "a public key in DER"),
        (pkcs7.load_der_pkcs7_certificates, "PKCS#7, that is certificates without a private key"),
    )
    for load, name in loaders:
        try:
            load(content)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        return name
    return None


# --- everything else --------------------------------------------------------------------------------------------

_FORMS = (
    (r"PuTTY-User-Key-File", "a key in the format of PuTTY"),
    (r"(ssh|ecdsa)-\S+ ", "a public key in the format of OpenSSH"),
    (r"<", "XML or HTML"),
    (r"https?://", "a URL"),
)
# Base64 of DER begins with MI, that of PEM with LS0t, so that neither is taken for a path.
_PATH = re.compile(r"(~|\.{0,2}/|[A-Za-z]:\\)[^\n]*|[^\n]+\.(pem|pfx|p12|cer|crt|der|key)", re.IGNORECASE)


def _refuse_recognized(text: str, source: str) -> None:
    """Raise InputError for a text whose form is known and not that of a certificate."""
    if _PATH.fullmatch(text):
        raise InputError(
            f"{source} holds a path instead of a certificate.",
            hint="Give the path as client_certificate_path.",
        )
    form = next((name for pattern, name in _FORMS if re.match(pattern, text)), None) or describe_json(
        text, "the certificate"
    )
    if form:
        raise InputError(f"{source} holds {form}.", hint=_GIVE)


def _report_unreadable(source: str, kind: str) -> InputError:
    return InputError(f"{source} holds a client certificate that can't be read as {kind}.", hint=_GIVE)


def _report_missing_password(source: str) -> InputError:
    return InputError(
        f"The private key in {source} is encrypted, and no password is given.", hint="Set client_certificate_password."
    )


def _report_wrong_password(source: str) -> InputError:
    return InputError(
        f"The password does not open the private key in {source}.",
        hint="Correct client_certificate_password, or remove it if there is no password.",
    )


def _report_missing_cipher(source: str, cipher: str, before: str = "") -> InputError:
    openssl = f"{'the' if before else 'The'} OpenSSL of this machine's Python"
    return InputError(
        f"{source} can't be opened. {before}{openssl} lacks the cipher {cipher}.",
        hint="Check client_certificate_password. If it is right, encrypt the key again with AES; for a PFX: 'openssl "
        "pkcs12 -legacy -in old.pfx -nodes | openssl pkcs12 -export -out new.pfx' where OpenSSL has that cipher.",
    )


__all__ = ("HAS_CRYPTOGRAPHY", "CertificateMaterial", "read_certificate_material")
