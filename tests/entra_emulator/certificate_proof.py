# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An app's own assertion, signed with the key of its certificate.

RFC 7523 section 3; Learn "Microsoft identity platform application authentication certificate credentials".
"""

from __future__ import annotations

import hashlib
import itertools
import typing as t
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from .errors import EntraError

if t.TYPE_CHECKING:
    from .app_credentials import TrustedSubject
    from .asked import TokenRequest
    from .jws import Jws
    from .model import App
    from .world import World

_HOSTS: t.Final = ("localhost", "127.0.0.1", "::1")
_PATHS: t.Final = ("oauth2/v2.0/token", "oauth2/token", "v2.0")


class _Signer(t.NamedTuple):
    certificate: x509.Certificate
    allowed: bool  # uploaded, or of a subject the app trusts


def check(world: World, asked: TokenRequest, app: App, assertion: Jws) -> None:
    """Refuse an assertion the app did not sign, or not for this tenant and moment."""
    signer = _signer(app, assertion)
    if signer is None:
        raise _unknown(assertion, "The key was not found")
    if not assertion.signed_by(signer.certificate.public_key()):
        raise _unknown(assertion, "The signature is not valid")
    if signer.certificate.not_valid_after_utc < world.clock.utc():
        raise _unknown(assertion, "The certificate has expired")
    asked.log_assertion(assertion)
    if not any(_is_ours(world, app, audience) for audience in assertion.audiences()):
        raise EntraError(700023)
    _check_parties(asked, app, assertion)
    check_times(world, assertion)
    if not signer.allowed:
        raise EntraError(700030)


def check_times(world: World, assertion: Jws) -> None:
    """Refuse an assertion of another time; one without an end never was within it."""
    begins, ends, now = assertion.moment("nbf") or 0, assertion.moment("exp") or 0, world.clock.now()
    skew = world.settings.clock_skew
    if not begins - skew <= now < ends + skew:
        raise EntraError(700024, now=f"{now:.0f}", begins=f"{begins:.0f}", ends=f"{ends:.0f}")


def _check_parties(asked: TokenRequest, app: App, assertion: Jws) -> None:
    issuer, subject = (str(assertion.claims.get(name)) for name in ("iss", "sub"))
    if issuer.lower() != app.client_id.lower():
        raise EntraError(700021)
    if subject != issuer:
        raise EntraError(50048, subject=subject)
    if not assertion.claims.get("jti"):
        raise EntraError(9002313)


def _signer(app: App, assertion: Jws) -> _Signer | None:
    """The certificate whose key the assertion says it was signed with, if the app has anything to do with it."""
    uploaded = (one.x509() for one in app.certificates)
    known = next((one for one in uploaded if _is_named(one, assertion)), None)
    if known:
        return _Signer(known, allowed=True)
    chain = _chain(assertion)
    if not chain or (assertion.thumbprints() and not _is_named(chain[0], assertion)):
        return None
    trusted = [one for one in app.trusted_subjects if _leads_to(chain, one)]
    return _Signer(chain[0], any(one.names(chain[0]) for one in trusted)) if trusted else None


def _is_named(certificate: x509.Certificate, assertion: Jws) -> bool:
    der = certificate.public_bytes(Encoding.DER)
    named = assertion.thumbprints()
    return bool(named) and all(hashlib.new(algorithm, der).digest() == value for algorithm, value in named.items())


def _chain(assertion: Jws) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(der) for der in assertion.chain()]
    except ValueError:
        raise _unknown(assertion, "The certificates of x5c can't be read") from None


def _leads_to(chain: list[x509.Certificate], trusted: TrustedSubject) -> bool:
    """Whether each certificate was issued by the next, and the last is an issuer ``trusted`` knows or one's issue."""
    known = trusted.issuers()
    in_order = all(_issued(one, by) for one, by in itertools.pairwise(chain))
    return in_order and any(chain[-1] == one or _issued(chain[-1], one) for one in known)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_ours(world: World, app: App, audience: str) -> bool:
    """Whether ``audience`` is the tenant's token URL or issuer, by any name of this host and of the tenant."""
    given = urlsplit(audience)
    ours = (given.scheme, given.port) == ("https", urlsplit(world.urls["login"]).port) and given.hostname in _HOSTS
    tenant, _slash, path = given.path.removeprefix("/").partition("/")
    found = world.directory.find_tenant(tenant)
    return ours and found is not None and found.id == app.tenant_id and path in _PATHS


def _unknown(assertion: Jws, reason: str) -> EntraError:
    thumbprint = next(iter(assertion.thumbprints().values()), b"").hex().upper()
    return EntraError(700027, reason=reason, thumbprint=thumbprint)
