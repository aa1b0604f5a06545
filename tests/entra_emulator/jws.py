# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signed assertions as Entra reads them: RFC 7515 with what clients in the field do differently.

Segments and thumbprints come padded or in standard base64, numbers as floats or text, ``x5c`` as one string.
"""

from __future__ import annotations

import base64
import binascii
import json
import typing as t
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

if t.TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_PSS: t.Final = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
_PADDINGS: t.Final[dict[str, padding.AsymmetricPadding]] = {"PS256": _PSS, "RS256": padding.PKCS1v15()}


class MalformedError(ValueError):
    """Not an assertion at all."""


@dataclass(frozen=True)
class Jws:
    """A compact JWS over JSON claims; nothing of it is verified yet."""

    header: dict[str, t.Any]
    claims: dict[str, t.Any]
    signed: bytes
    signature: bytes

    def signed_by(self, key: PublicKeyTypes | None) -> bool:
        """Whether the signature is good, by one of the algorithms Entra takes."""
        scheme = _PADDINGS.get(str(self.header.get("alg")))
        if scheme is None or not isinstance(key, rsa.RSAPublicKey):
            return False
        try:
            key.verify(self.signature, self.signed, scheme, hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def moment(self, claim: str) -> float | None:
        """A time of the claims in epoch seconds; None when absent."""
        value = self.claims.get(claim)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise MalformedError(claim)
        try:
            return float(value)
        except ValueError:
            raise MalformedError(claim) from None

    def audiences(self) -> list[str]:
        """The audience, which may be a list."""
        value = self.claims.get("aud")
        return [str(one) for one in value] if isinstance(value, list) else [str(value)]

    def chain(self) -> list[bytes]:
        """The certificates of ``x5c`` in DER, in the order given; MSAL Python leaves the line ends of PEM in them."""
        value = self.header.get("x5c", [])
        return [decode("".join(str(one).split())) for one in (value if isinstance(value, list) else [value])]

    def thumbprints(self) -> dict[str, bytes]:
        """The certificate thumbprints in the header by their hash."""
        named = {"sha1": self.header.get("x5t"), "sha256": self.header.get("x5t#S256")}
        return {algorithm: decode(str(value)) for algorithm, value in named.items() if value}


def read(text: str) -> Jws:
    """The assertion; :class:`MalformedError` for anything that is none."""
    segments = text.split(".")
    if len(segments) != 3:
        raise MalformedError("segments")
    header, claims, signature = map(decode, segments)
    return Jws(_object(header), _object(claims), ".".join(segments[:2]).encode(), signature)


def decode(text: str) -> bytes:
    """Base64 in either alphabet, padded or not."""
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("base64") from error


def _object(data: bytes) -> dict[str, t.Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedError("JSON") from error
    if not isinstance(value, dict):
        raise MalformedError("object")
    return value
