# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates made for a test, with their keys in every form a user may have them in."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

_DAY: t.Final = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    key: t.Any
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate as DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def certificate_pem(self) -> str:
        """The certificate alone as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def key_pem(self, password: str | None = None, *, traditional: bool = False) -> str:
        """The key alone as PEM."""
        form = serialization.PrivateFormat.TraditionalOpenSSL if traditional else serialization.PrivateFormat.PKCS8
        return str(self.key.private_bytes(serialization.Encoding.PEM, form, _encryption(password)).decode())

    def pem(self, password: str | None = None) -> str:
        """Key and certificate as PEM."""
        return self.key_pem(password) + self.certificate_pem

    def pfx(self, password: str | None = None, chain: t.Sequence[Issued] = ()) -> bytes:
        """Key, certificate and chain as PFX."""
        others = [one.certificate for one in chain]
        return pkcs12.serialize_key_and_certificates(b"app", self.key, self.certificate, others, _encryption(password))


def issue(name: str, key: t.Any = None, *, issuer: Issued | None = None, days: tuple[float, float] = (-1, 1)) -> Issued:
    """A certificate for ``name``, valid from the first to the second day from now; self-signed without an issuer."""
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * _DAY)
        .not_valid_after(now + days[1] * _DAY)
    )
    return Issued(key, builder.sign(issuer.key if issuer else key, hashes.SHA256()))


def _encryption(password: str | None) -> serialization.KeySerializationEncryption:
    return serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
