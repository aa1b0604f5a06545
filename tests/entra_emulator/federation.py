# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workload identity federation: assertions of other issuers, and of this Entra's own managed identities.

Learn "Workload identity federation: important considerations" and "Configure an application to trust a managed
identity".
"""

from __future__ import annotations

import threading
import typing as t
from collections import Counter

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from .certificate_proof import check_times
from .errors import EntraError
from .fields import InputError, only, take, take_number
from .resources import TOKEN_EXCHANGE
from .text import new_guid

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .app_credentials import FederatedCredential
    from .asked import TokenRequest
    from .jws import Jws
    from .model import App
    from .settings import Clock
    from .world import World

_SECONDS: t.Final = 300.0  # of an assertion, as CI systems have it


class _SigningKey(t.NamedTuple):
    id: str
    key: rsa.RSAPrivateKey


def _new_key() -> _SigningKey:
    return _SigningKey(new_guid(), rsa.generate_private_key(public_exponent=65537, key_size=2048))


class Federation:
    """Other issuers with their keys, and how often a federated credential was looked for since it was added."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, _SigningKey] = {}
        self._looked_for: Counter[str] = Counter()

    def forget(self) -> None:
        """Forget all issuers."""
        with self._lock:
            self._keys.clear()
            self._looked_for.clear()

    def add_issuer(self, url: str = "") -> str:
        """Give an issuer a (new) key; its URL, made up if none is given."""
        key = _new_key()
        with self._lock:
            url = url or f"https://issuer-{len(self._keys) + 1}.example"
            self._keys[url] = key
        return url

    def _key_of(self, issuer: str) -> _SigningKey:
        with self._lock:
            if issuer not in self._keys:
                self._keys[issuer] = _new_key()
            return self._keys[issuer]

    def mint(self, claims: Mapping[str, object], seconds: float = _SECONDS, *, forged: bool = False) -> str:
        """An assertion of the issuer ``claims["iss"]``, which gets a key if it has none; or one it did not sign."""
        key = _new_key() if forged else self._key_of(str(claims["iss"]))
        now = int(self._clock.now())
        # GitHub and others let assertions begin before they are issued, for clocks that are late.
        times = {"iat": now, "nbf": now + min(0, seconds) - 60, "exp": now + seconds, "jti": new_guid()}
        return jwt.encode({**times, **claims}, key.key, "RS256", {"kid": key.id})

    def mint_from_json(self, data: Mapping[str, object]) -> str:
        """What ``POST /assertions`` describes."""
        only(data, ("issuer", "subject", "audience", "lifetime", "claims", "forged"))
        claims = {name[:3]: take(data, name, str, "") for name in ("issuer", "subject", "audience")}
        if not all(claims.values()):
            raise InputError("an assertion has an issuer, a subject and an audience")
        seconds = take_number(data, "lifetime")
        extra = take(data, "claims", dict, {})
        lifetime = _SECONDS if seconds is None else seconds
        return self.mint({**claims, **extra}, lifetime, forged=take(data, "forged", bool, False))

    def key(self, issuer: str, key_id: object) -> rsa.RSAPublicKey | None:
        """The issuer's public key of that id."""
        found = self._keys.get(issuer)
        return found.key.public_key() if found and found.id == key_id else None

    def sees(self, credential: FederatedCredential) -> bool:
        """Whether a credential has spread by now; each look counts."""
        with self._lock:
            self._looked_for[credential.id] += 1
            often_enough = self._looked_for[credential.id] > credential.spread_requests
        return often_enough and self._clock.now() >= credential.added_on + credential.spread_seconds


def check(world: World, asked: TokenRequest, app: App, assertion: Jws) -> None:
    """Refuse an assertion no federated credential of the app matches, or that its issuer did not sign."""
    issuer = str(assertion.claims.get("iss"))
    ours = issuer in _own_issuers(world)
    if ours:
        _check_kind(assertion)
    credential = _match(app.federated, assertion, 7002121 if ours else 700212)
    if not world.federation.sees(credential):
        raise EntraError(70021)
    key_id = assertion.header.get("kid")
    key = world.issuer.public_key(key_id) if ours else world.federation.key(issuer, key_id)
    if not assertion.signed_by(key):
        raise EntraError(5000811)
    asked.log_assertion(assertion)
    check_times(world, assertion)


def _own_issuers(world: World) -> set[str]:
    tenants = world.directory.tenants()
    return {world.issuer_url(tenant.id, version) for tenant in tenants for version in ("1.0", "2.0")}


def _check_kind(assertion: Jws) -> None:
    """Of Entra's own tokens only a managed identity's for the exchange will do."""
    if assertion.claims.get("idtyp") != "app":
        raise EntraError(700229)
    if not assertion.claims.get("xms_mirid"):
        raise EntraError(700222)
    if not set(assertion.audiences()) & TOKEN_EXCHANGE.audiences():
        raise EntraError(700227)


def _match(known: tuple[FederatedCredential, ...], assertion: Jws, wrong_audience: int) -> FederatedCredential:
    """The credential whose issuer, audience and subject equal the assertion's, letter by letter."""
    issuer, subject, audience = (str(assertion.claims.get(name)) for name in ("iss", "sub", "aud"))
    same_issuer = [one for one in known if one.issuer == issuer]
    if not same_issuer:
        raise EntraError(700211, issuer=issuer)
    same_audience = [one for one in same_issuer if one.audience in assertion.audiences()]
    if not same_audience:
        raise EntraError(wrong_audience, audience=audience)
    found = next((one for one in same_audience if one.subject == subject), None)
    if found is None:
        alike = any(one.subject.lower() == subject.lower() for one in same_audience)
        raise EntraError(7002138 if alike else 700213, subject=subject)
    return found
