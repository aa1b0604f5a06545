# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the certificate and key that sign, and sign assertions with them.

Loaded for a token request only: parsing X.509 takes longer than reading a cached token.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import time
import typing as t
import uuid

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.certificate_formats import (
    CertificateMaterial,
    read_certificate_material,
)

try:
    import jwt
except ImportError:
    HAS_PYJWT = False
else:
    HAS_PYJWT = True

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

if t.TYPE_CHECKING:  # pragma: no cover
    from cryptography import x509

# Learn advises 5 to 10 minutes; Entra's clock and this machine's may differ.
_ASSERTION_SECONDS = 600
_CLOCK_SKEW_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class SigningCertificate:
    """An RSA key with the certificate that belongs to it; ``chain`` has DER certificates, the leaf first."""

    private_key: rsa.RSAPrivateKey = dataclasses.field(repr=False)
    chain: tuple[bytes, ...]

    def sign_assertion(self, client_id: str, token_url: str, *, with_chain: bool) -> str:
        """Return a new assertion, a signed JWT that proves the client to the token endpoint.

        Args:
            client_id: issuer and subject of the assertion.
            token_url: its audience.
            with_chain: whether to add ``x5c``, for apps that trust a subject name of an issuer.

        Raises:
            MissingLibraryError: if PyJWT is not installed.
        """
        if not HAS_PYJWT:
            raise MissingLibraryError.on_control_node("PyJWT")
        now = int(time.time())
        claims = {
            "aud": token_url,
            "iss": client_id,
            "sub": client_id,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now - _CLOCK_SKEW_SECONDS,
            "exp": now + _ASSERTION_SECONDS,
        }
        algorithm, headers = self._build_header(token_url)
        if with_chain:
            headers["x5c"] = [base64.b64encode(certificate).decode() for certificate in self.chain]
        return str(jwt.encode(claims, self.private_key, algorithm=algorithm, headers=headers))

    def _build_header(self, token_url: str) -> tuple[str, dict[str, t.Any]]:
        # AD FS supports neither PSS signatures nor SHA-256 thumbprints.
        if token_url.lower().endswith("/adfs/oauth2/token"):
            return "RS256", {"x5t": self._calculate_thumbprint("sha1")}
        return "PS256", {"x5t#S256": self._calculate_thumbprint("sha256")}

    def _calculate_thumbprint(self, algorithm: str) -> str:
        # RFC 7515 sections 4.1.7 and 4.1.8.
        return base64.urlsafe_b64encode(hashlib.new(algorithm, self.chain[0]).digest()).rstrip(b"=").decode()


def load_client_certificate(
    content: bytes, password: str | None, source: str = "client_certificate"
) -> SigningCertificate:
    """Return the key and the certificate that sign, out of all that the content holds.

    Args:
        content: PEM or PFX, in any form that ``read_certificate_material`` reads.
        password: opens an encrypted key or PFX.
        source: the option or file, for the messages.

    Raises:
        InputError: for content that Entra would refuse: no key or one of another certificate, a key other than RSA, a
            wrong password, a certificate that is not valid today.
        MissingLibraryError: if cryptography is not installed.
    """
    if not HAS_CRYPTOGRAPHY:
        raise MissingLibraryError.on_control_node("cryptography")
    material = read_certificate_material(content, password, source)
    key, leaf = _choose_pair(material, source)
    _refuse_outside_validity(leaf, source)
    chain = _build_chain(leaf, material.certificates)
    return SigningCertificate(key, tuple(one.public_bytes(serialization.Encoding.DER) for one in chain))


def _choose_pair(material: CertificateMaterial, source: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """Return a key with its certificate: of several the one that is valid today, then the one that ends last."""
    keys = [key for key in material.keys if isinstance(key, rsa.RSAPrivateKey)]
    pairs = [(key, one) for key in keys for one in material.certificates if _belongs_to(one, key)]
    if pairs:
        return max(pairs, key=lambda pair: (_is_valid(pair[1]), _get_validity(pair[1])[1]))
    if material.problems:
        raise material.problems[0]
    if not keys:
        raise InputError(
            f"The private key in {source} is not an RSA key, and Entra accepts no other.",
            hint="Make a certificate with an RSA key of 2048 bits or more.",
        )
    raise InputError(
        f"The private key does not belong to the client certificate in {source}.",
        hint="Give the key and the certificate that were made together.",
    )


def _belongs_to(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> bool:
    public = certificate.public_key()
    return isinstance(public, rsa.RSAPublicKey) and public.public_numbers() == key.public_key().public_numbers()


def _build_chain(leaf: x509.Certificate, certificates: t.Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return the leaf, then each certificate's issuer as far as it is there; Entra requires that order."""
    chain = [leaf]
    while chain[-1].issuer != chain[-1].subject:
        last = chain[-1]
        issuers = [one for one in certificates if one.subject == last.issuer and one not in chain]
        if not issuers:
            break
        chain.append(max(issuers, key=lambda one: (_is_signed_by(last, one), _is_valid(one), _get_validity(one)[1])))
    return chain


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (AttributeError, ValueError, TypeError, InvalidSignature):
        # cryptography before 40 can't verify; of several issuers with one name the newest is taken then.
        return False
    return True


def _is_valid(certificate: x509.Certificate) -> bool:
    begins, ends = _get_validity(certificate)
    return begins <= datetime.datetime.now(tz=datetime.timezone.utc) <= ends


def _refuse_outside_validity(certificate: x509.Certificate, source: str) -> None:
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    begins, ends = _get_validity(certificate)
    if now > ends:
        raise InputError(
            f"The client certificate in {source} expired on {ends:%Y-%m-%d}.",
            hint="Upload a new certificate to the app registration and give that one.",
        )
    if now < begins:
        raise InputError(
            f"The client certificate in {source} is not valid before {begins:%Y-%m-%d %H:%M} UTC.",
            hint="Wait until then, or set this machine's clock.",
        )


def _get_validity(certificate: x509.Certificate) -> tuple[datetime.datetime, datetime.datetime]:
    # cryptography before 42 has naive datetimes only, in UTC.
    if hasattr(certificate, "not_valid_after_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    begins, ends = certificate.not_valid_before, certificate.not_valid_after
    return begins.replace(tzinfo=datetime.timezone.utc), ends.replace(tzinfo=datetime.timezone.utc)


__all__ = ("SigningCertificate", "load_client_certificate")
