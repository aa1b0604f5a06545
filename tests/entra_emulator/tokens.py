# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access and id tokens: signed with a throw-away key, or opaque; and the check an API makes of a bearer token."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import threading
import typing as t
from collections import deque

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .text import to_base64url

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import Clock

_REMEMBERED: t.Final = 10_000  # tokens issued

Claims = dict[str, t.Any]
Fault = t.Literal["malformed", "signature", "expired", "audience", "revoked"]


class RejectedTokenError(Exception):
    """A bearer token an API does not take; ``claims`` are empty unless its signature was good."""

    def __init__(self, fault: Fault, claims: Claims | None = None, challenge: dict[str, object] | None = None) -> None:
        super().__init__(fault)
        self.fault = fault
        self.claims = claims or {}
        self.challenge = challenge


class _Moments(t.NamedTuple):
    """Issue and end of a token to the microsecond; its ``iat`` and ``exp`` are whole seconds.

    ``not_before`` is what the client asked for to answer a challenge (:func:`_newer_than`).
    """

    issued: float
    expires: float
    not_before: int = 0


class _Revocation(t.NamedTuple):
    """Tokens issued to a client before ``since`` are void; ``challenge`` says whether the 401 asks for claims."""

    since: float
    challenge: bool

    def voids(self, moments: _Moments) -> bool:
        """Whether such a token is void; after a challenge so is a newer one that does not answer it."""
        return moments.issued <= self.since or (self.challenge and moments.not_before < int(self.since))


class Issuer:
    """Signs tokens and knows which of them are still good."""

    def __init__(self, clock: Clock, server_lifetime: Callable[[], float | None]) -> None:
        self._clock = clock
        self._server_lifetime = server_lifetime
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_id = _thumbprint(self._key.public_key())
        self._lock = threading.Lock()
        self._moments: dict[str, _Moments] = {}
        self._opaque: dict[str, Claims] = {}
        self._verified: dict[str, Claims] = {}  # a listing of a thousand pages shows the same token a thousand times
        self._revocations: dict[str, _Revocation] = {}
        self._issued: deque[str] = deque(maxlen=_REMEMBERED)

    def forget(self) -> None:
        """Forget revocations and opaque tokens; signed tokens live on until their ``exp``."""
        with self._lock:
            self._moments.clear()
            self._opaque.clear()
            self._verified.clear()
            self._revocations.clear()
            self._issued.clear()

    def issued(self) -> list[str]:
        """The newest tokens that were issued, id tokens among them."""
        with self._lock:
            return list(self._issued)

    def jwks(self) -> dict[str, object]:
        """The public key set (RFC 7517)."""
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**jwk, "use": "sig", "kid": self.key_id, "x5t": self.key_id}]}

    def sign(self, claims: Claims) -> str:
        """A compact RS256 JWS over ``claims``."""
        token = jwt.encode(claims, self._key, "RS256", {"kid": self.key_id, "x5t": self.key_id})
        self._issued.append(token)
        return token

    def public_key(self, key_id: object) -> rsa.RSAPublicKey | None:
        """The key of that id, if it is the one tokens are signed with."""
        return self._key.public_key() if key_id == self.key_id else None

    def issue(self, claims: Claims, seconds: float, *, opaque: bool, requested: Claims | None = None) -> str:
        """An access token good for ``seconds``; each is unique by its ``uti``.  ``requested``: the claims asked for."""
        now = self._clock.now()
        uti = secrets.token_urlsafe(16)
        begins = int(now)
        times = {"iat": begins, "nbf": begins, "exp": math.ceil(now + seconds), "uti": uti}
        full = {**claims, **times}
        token = f"opaque.{secrets.token_urlsafe(64)}" if opaque else self.sign(full)
        with self._lock:
            self._moments[uti] = _Moments(now, now + seconds, _not_before(requested or {}))
            if opaque:
                self._opaque[token] = full
                self._issued.append(token)
        return token

    def revoke(self, client_id: str, *, challenge: bool) -> None:
        """Void every token issued to ``client_id`` so far, as continuous access evaluation does."""
        with self._lock:
            self._revocations[client_id.lower()] = _Revocation(self._clock.now(), challenge)

    def check(self, token: str, audiences: frozenset[str]) -> Claims:
        """The claims of a good token for one of ``audiences``; :class:`RejectedTokenError` otherwise."""
        claims = self._read(token)
        if claims["aud"] not in audiences:  # first, as id tokens have the same signature but not the claims used below
            raise RejectedTokenError("audience", claims)
        moments = self._moments.get(claims["uti"], _Moments(claims["iat"], claims["exp"]))
        if self._clock.now() >= self._end(moments):
            raise RejectedTokenError("expired", claims)
        revocation = self._revocations.get(claims["appid"].lower())
        if revocation and revocation.voids(moments):
            raise RejectedTokenError("revoked", claims, _newer_than(revocation) if revocation.challenge else None)
        return claims

    def _end(self, moments: _Moments) -> float:
        """When the APIs stop taking a token: as promised, or earlier if the service's own lifetime is shorter."""
        lifetime = self._server_lifetime()
        return moments.expires if lifetime is None else min(moments.expires, moments.issued + lifetime)

    def expire(self, token: str) -> None:
        """End ``token`` now, whatever its ``exp`` says."""
        claims = self.claims_of(token)
        moments = self._moments.get(claims.get("uti", ""))
        if moments:
            with self._lock:
                self._moments[claims["uti"]] = moments._replace(expires=self._clock.now())

    def claims_of(self, token: str) -> Claims:
        """What one of our tokens says, good or not any more; empty for any other."""
        try:
            return self._read(token)
        except RejectedTokenError:
            return {}

    def _read(self, token: str) -> Claims:
        known = self._opaque.get(token) or self._verified.get(token)
        if known:
            return known
        if token.count(".") != 2:
            raise RejectedTokenError("malformed")
        # PyJWT would use the machine's clock and knows one audience style: both are checked here instead.
        unchecked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        try:
            claims = jwt.decode(token, self._key.public_key(), ["RS256"], options=t.cast("t.Any", unchecked))
        except jwt.InvalidTokenError as error:
            raise RejectedTokenError("signature") from error
        self._verified[token] = claims
        return claims


def _newer_than(revocation: _Revocation) -> dict[str, object]:
    """The claims a client must ask for next (Learn "Claims challenges, claims requests and client capabilities")."""
    return {"access_token": {"nbf": {"essential": True, "value": str(int(revocation.since))}}}


def _not_before(requested: Claims) -> int:
    """What :func:`_newer_than` made, read back from a request's claims; 0 when it is not there."""
    try:
        return int(requested["access_token"]["nbf"]["value"])
    except (KeyError, TypeError, ValueError):
        return 0


def _thumbprint(key: rsa.RSAPublicKey) -> str:
    return to_base64url(hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest())


def peek(token: str) -> Claims:
    """The claims of a token without any check, empty if there are none to see; only to match faults with."""
    try:
        return jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
