# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an app can prove itself by besides secrets: registered certificates, trusted subject names, other issuers."""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from .fields import InputError, only, take, take_number, take_strings
from .text import new_guid

if t.TYPE_CHECKING:
    from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate uploaded to an app."""

    pem: str
    key_id: str = dataclasses.field(default_factory=new_guid)

    def x509(self) -> x509.Certificate:
        """The certificate itself."""
        return x509.load_pem_x509_certificate(self.pem.encode())

    def digest(self, algorithm: str = "sha1") -> bytes:
        """The thumbprint."""
        return hashlib.new(algorithm, self.x509().public_bytes(Encoding.DER)).digest()


@dataclasses.dataclass(frozen=True)
class TrustedSubject:
    """Any certificate of an issuer with that subject (RFC 4514, or the common name alone) is as good as uploaded.

    ``issuer_pem`` may hold a CA's intermediates too, as most clients leave them out of ``x5c``.
    """

    issuer_pem: str
    subject: str

    def issuers(self) -> list[x509.Certificate]:
        """The certificates of the issuer."""
        return x509.load_pem_x509_certificates(self.issuer_pem.encode())

    def names(self, certificate: x509.Certificate) -> bool:
        """Whether ``certificate`` has the subject."""
        common = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        return self.subject in (certificate.subject.rfc4514_string(), *common)


@dataclasses.dataclass(frozen=True)
class FederatedCredential:
    """Trust in the assertions of another issuer; the first ``spread_requests`` and ``spread_seconds`` don't see it."""

    issuer: str
    subject: str
    audience: str
    added_on: float
    spread_seconds: float = 0
    spread_requests: int = 0
    id: str = dataclasses.field(default_factory=new_guid)


def certificates_from(data: Mapping[str, object]) -> tuple[Certificate, ...]:
    """``certificates``: one PEM or a list of them; a key in the same PEM is not looked at."""
    return tuple(Certificate(_certificate(pem)) for pem in take_strings(data, "certificates"))


def trusted_subjects_from(data: Mapping[str, object]) -> tuple[TrustedSubject, ...]:
    """``trusted_subjects``: a list of ``{"issuer_pem", "subject"}``."""
    listed = _objects(data, "trusted_subjects", ("issuer_pem", "subject"))
    return tuple(
        TrustedSubject(_certificate(take(item, "issuer_pem", str, "")), take(item, "subject", str, ""))
        for item in listed
    )


def federated_from(data: Mapping[str, object], now: float) -> tuple[FederatedCredential, ...]:
    """``federated``: a list of ``{"issuer", "subject", "audience", "spread_seconds", "spread_requests"}``."""
    names = ("issuer", "subject", "audience", "spread_seconds", "spread_requests")
    return tuple(
        FederatedCredential(
            issuer=take(item, "issuer", str, ""),
            subject=take(item, "subject", str, ""),
            audience=take(item, "audience", str, ""),
            added_on=now,
            spread_seconds=take_number(item, "spread_seconds") or 0,
            spread_requests=take(item, "spread_requests", int, 0),
        )
        for item in _objects(data, "federated", names)
    )


def _objects(data: Mapping[str, object], name: str, known: tuple[str, ...]) -> list[dict[str, object]]:
    listed = take(data, name, list, [])
    for item in listed:
        if not isinstance(item, dict):
            raise InputError(f"{name} must be a list of objects, not of {item!r}")
        only(item, known)
    return listed


def _certificate(pem: str) -> str:
    """``pem`` if a certificate is in it."""
    try:
        x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise InputError(f"not a certificate in PEM: {pem[:60]!r}") from error
    return pem
