# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a certificate with its private key, and refusing by name what Entra could not take.

Loaded for a token request only: parsing X.509 costs more than a cached token does.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime
import hashlib
import re
import time
import typing as t
import uuid

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError

try:
    import jwt
except ImportError:
    HAS_PYJWT = False
else:
    HAS_PYJWT = True

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import pkcs12
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

if t.TYPE_CHECKING:  # pragma: no cover
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

# Learn advises 5 to 10 minutes; Entra's clock and ours may differ.
_ASSERTION_SECONDS = 600
_CLOCK_SKEW_SECONDS = 60
_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class ClientCertificate:
    """An RSA key with the certificate that belongs to it; ``chain`` are DER certificates, leaf first."""

    private_key: rsa.RSAPrivateKey = dataclasses.field(repr=False)
    chain: tuple[bytes, ...]

    def sign_assertion(self, client_id: str, token_url: str, *, with_chain: bool) -> str:
        """A new assertion that proves the client to the token endpoint, as a signed JWT.

        ``with_chain`` adds ``x5c``, for apps that trust a subject name of an issuer. Raises MissingLibraryError.
        """
        if not HAS_PYJWT:
            raise MissingLibraryError(missing_required_lib("PyJWT"), hint="Install it where the token is asked for.")
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
        algorithm, headers = self._header(token_url)
        if with_chain:
            headers["x5c"] = [base64.b64encode(certificate).decode() for certificate in self.chain]
        return str(jwt.encode(claims, self.private_key, algorithm=algorithm, headers=headers))

    def _header(self, token_url: str) -> tuple[str, dict[str, t.Any]]:
        # AD FS knows neither PSS signatures nor SHA-256 thumbprints.
        if token_url.lower().endswith("/adfs/oauth2/token"):
            return "RS256", {"x5t": self._thumbprint("sha1")}
        return "PS256", {"x5t#S256": self._thumbprint("sha256")}

    def _thumbprint(self, algorithm: str) -> str:
        # RFC 7515 sections 4.1.7 and 4.1.8.
        return base64.urlsafe_b64encode(hashlib.new(algorithm, self.chain[0]).digest()).rstrip(b"=").decode()


def load_client_certificate(content: bytes, password: str | None) -> ClientCertificate:
    """The certificate in PEM (key and certificates in any order, literal ``\\n`` accepted) or PFX (binary or base64).

    Raises InputError for what Entra would refuse: no key, another one's key, a key other than RSA, a wrong password,
    a certificate that is not valid today. Raises MissingLibraryError.
    """
    if not HAS_CRYPTOGRAPHY:
        raise MissingLibraryError(missing_required_lib("cryptography"), hint="Install it where the token is asked for.")
    if b"-----BEGIN" in content:
        key, certificates = _from_pem(content.replace(b"\\n", b"\n"), password)
    else:
        key, certificates = _from_pfx(_decoded(content), password)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise InputError(
            "The private key of the client certificate is not an RSA key, which is all that Entra takes.",
            hint="Make a certificate with an RSA key of 2048 bits or more.",
        )
    leaf = next((certificate for certificate in certificates if _belongs(certificate, key)), None)
    if leaf is None:
        raise InputError(
            "The private key does not belong to the client certificate.",
            hint="Give the key and the certificate that were made together.",
        )
    _refuse_outside_validity(leaf)
    chain = _ordered(leaf, certificates)
    return ClientCertificate(key, tuple(one.public_bytes(serialization.Encoding.DER) for one in chain))


def _from_pem(content: bytes, password: str | None) -> tuple[PrivateKeyTypes, list[x509.Certificate]]:
    blocks = [(match.group(1), match.group(0)) for match in _PEM_BLOCK.finditer(content)]
    keys = [block for label, block in blocks if label.endswith(b"PRIVATE KEY")]
    certificates = [block for label, block in blocks if label == b"CERTIFICATE"]
    if not keys:
        raise InputError("The client certificate comes without a private key.", hint="Add the key to the same PEM.")
    if not certificates:
        raise InputError("There is a private key but no certificate.", hint="Add the certificate to the same PEM.")
    encrypted = b"ENCRYPTED" in keys[0]
    if encrypted and password is None:
        raise _needs_password()
    try:
        key = serialization.load_pem_private_key(keys[0], password.encode() if encrypted and password else None)
        return key, [x509.load_pem_x509_certificate(block) for block in certificates]
    except (ValueError, TypeError):
        pass
    raise _wrong_password() if encrypted else _unreadable("PEM")


def _from_pfx(content: bytes, password: str | None) -> tuple[PrivateKeyTypes, list[x509.Certificate]]:
    loaded, reason = None, ""
    try:
        loaded = pkcs12.load_pkcs12(content, password.encode() if password else None)
    except ValueError as exc:
        reason = str(exc).lower()
    if loaded is None:
        if "password" not in reason:
            raise _unreadable("PFX")
        raise _wrong_password() if password else _needs_password()
    certificates = [one.certificate for one in (loaded.cert, *loaded.additional_certs) if one]
    if loaded.key is None:
        raise InputError("The PFX holds no private key.", hint="Export it again with the private key.")
    return loaded.key, certificates


def _decoded(content: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return content


def _belongs(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> bool:
    public = certificate.public_key()
    return isinstance(public, rsa.RSAPublicKey) and public.public_numbers() == key.public_key().public_numbers()


def _ordered(leaf: x509.Certificate, certificates: t.Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Leaf first, each followed by its issuer, as far as the issuers are there; Entra insists on that order."""
    chain = [leaf]
    while chain[-1].issuer != chain[-1].subject:
        issuer = next((one for one in certificates if one.subject == chain[-1].issuer and one not in chain), None)
        if issuer is None:
            break
        chain.append(issuer)
    return chain


def _refuse_outside_validity(certificate: x509.Certificate) -> None:
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    begins, ends = _validity(certificate)
    if now > ends:
        raise InputError(
            f"The client certificate expired on {ends:%Y-%m-%d}.",
            hint="Upload a new certificate to the app registration and give that one.",
        )
    if now < begins:
        raise InputError(
            f"The client certificate is not valid before {begins:%Y-%m-%d %H:%M} UTC.",
            hint="Wait until then, or set this machine's clock.",
        )


def _validity(certificate: x509.Certificate) -> tuple[datetime.datetime, datetime.datetime]:
    # cryptography before 42 has only naive datetimes, in UTC.
    if hasattr(certificate, "not_valid_after_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    begins, ends = certificate.not_valid_before, certificate.not_valid_after
    return begins.replace(tzinfo=datetime.timezone.utc), ends.replace(tzinfo=datetime.timezone.utc)


def _unreadable(kind: str) -> InputError:
    return InputError(
        f"The client certificate can't be read as {kind}.",
        hint="Give PEM text with the key and the certificate, or a PFX in a file or as base64.",
    )


def _needs_password() -> InputError:
    return InputError(
        "The private key of the client certificate is encrypted, and no password is given.",
        hint="Set client_certificate_password.",
    )


def _wrong_password() -> InputError:
    return InputError(
        "The password does not open the private key of the client certificate.",
        hint="Correct client_certificate_password.",
    )


__all__ = ("ClientCertificate", "load_client_certificate")
