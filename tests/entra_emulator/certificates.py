# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates made for one run: what Service Fabric's listener shows, and what tests upload to apps."""

from __future__ import annotations

import dataclasses
import hashlib
import ssl
import typing as t
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

if t.TYPE_CHECKING:
    from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Made:
    """An RSA key and its certificate; ``issuer`` None for a self-signed one."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    issuer: Made | None = None

    @property
    def pem(self) -> str:
        """The certificate alone, as it is uploaded to an app."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def chain_pem(self) -> str:
        """The certificate and those of its issuers."""
        return self.pem + (self.issuer.chain_pem if self.issuer else "")

    def key_pem(self, password: str = "", *, traditional: bool = False) -> str:
        """The key in PKCS#8, or PKCS#1 if ``traditional``, encrypted if there is a password."""
        form = serialization.PrivateFormat
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            form.TraditionalOpenSSL if traditional else form.PKCS8,
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption(),
        ).decode()

    def pfx(self, password: str = "") -> bytes:
        """Key, certificate and issuers in PKCS#12."""
        issuers = x509.load_pem_x509_certificates(self.issuer.chain_pem.encode()) if self.issuer else None
        protection = serialization.BestAvailableEncryption(password.encode()) if password else None
        return pkcs12.serialize_key_and_certificates(
            b"made-up", self.key, self.certificate, issuers, protection or serialization.NoEncryption()
        )


def make(
    name: str, issuer: Made | None = None, *, starts: float = -3600, ends: float = 86400, is_ca: bool = False
) -> Made:
    """A certificate with that common name, valid from and to that many seconds from now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))])
    certificate = (
        x509.CertificateBuilder(issuer.certificate.subject if issuer else subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(seconds=starts))
        .not_valid_after(now + timedelta(seconds=ends))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(alternatives, critical=False)
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )
    return Made(key, certificate, issuer)


class SelfSigned:
    """A server's certificate that no CA vouches for; clients know it by its SHA-1 thumbprint."""

    def __init__(self, host: str, directory: Path) -> None:
        made = make(host)
        der = made.certificate.public_bytes(serialization.Encoding.DER)
        self.thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # The ssl module reads keys from files only.
        file = directory / "service_fabric.pem"
        file.touch(0o600)
        file.write_text(made.key_pem() + made.pem)
        self.context.load_cert_chain(file)
        file.unlink()
