# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user should do about a refused token request.

Microsoft advises programming against ``error`` and not against the AADSTS codes, which may change. So the codes pick
words here and nothing else: they never decide about a retry. A code that is not in the tables falls back to ``error``
(RFC 6749 section 5.2, RFC 8628 section 3.5, and the values Entra adds), and then to the service's own description.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.plugin_utils._entra import aadsts_directory as directory
from ansible_collections.entra.auth.plugins.plugin_utils._entra import aadsts_requests as requests

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.aadsts_requests import Fix


class Issuer(enum.Enum):
    """Who responds to token requests, by the name in a message."""

    ENTRA = "Entra"
    AD_FS = "AD FS"
    B2C = "Azure AD B2C"


@dataclasses.dataclass(frozen=True)
class Hint:
    """``cause`` is a clause that says what went wrong, if that is known; ``fix`` a sentence that says what to do."""

    cause: str
    fix: str


@dataclasses.dataclass(frozen=True)
class Proof:
    """How an app proved itself.

    Attributes:
        option: The option or the platform that the proof comes from; empty for a public app, which has none.
        words: The proof in a sentence.
        group: The proofs that have the same advice.
    """

    option: str
    words: str
    group: str


_PROOFS = (
    Proof("", "the credential", "public"),
    Proof("client_secret", "client_secret", "secret"),
    Proof("client_secret_file", "the content of client_secret_file", "secret"),
    Proof("client_certificate", "client_certificate", "certificate"),
    Proof("client_certificate_path", "the certificate in client_certificate_path", "certificate"),
    Proof("federated_token", "federated_token", "given"),
    Proof("federated_token_file", "the token in federated_token_file", "file"),
    Proof("github_actions", "the token of the GitHub Actions job", "platform"),
    Proof("azure_pipelines", "the token of the Azure Pipelines job", "platform"),
    Proof("request_url", "the token that federated_token_request_url issues", "platform"),
    Proof("managed_identity", "the token of the managed identity", "identity"),
)
PROOFS: t.Mapping[str, Proof] = {proof.option: proof for proof in _PROOFS}
# Of a proof that nothing is known about.
_UNKNOWN_PROOF = Proof("?", "the credential", "")


# fmt: off
_BY_ERROR: t.Mapping[str, tuple[str, Fix]] = {
    "invalid_client": ("the app's credential was refused", {
        "": "Check that client_id, tenant_id and {proof} belong together, then replace {proof}.",
        "public": "Check client_id and tenant_id, and give client_secret, client_certificate or federated_token."}),
    "invalid_grant": ("the refresh token, code or assertion is expired, revoked or of another app", {
        "": f"Have the user {directory.SIGN_IN} for the same client_id.",
        "given": "Give a new federated_token for the same client_id.",
        "file": "Have the issuer renew the token in federated_token_file, for the same client_id.",
        "platform": "Run the job again for a new token, and check the app's federated credential.",
        "identity": "Check the app's federated credential, and that it names this managed identity."}),
    "unauthorized_client": ("the app may not do this in this tenant", directory.CHECK_APP),
    "invalid_scope": ("the scope is not valid, unknown or malformed", requests.DEFAULT_SCOPE),
    "invalid_request": (
        "a parameter is missing or malformed",
        "Check tenant_id, client_id, scope and {proof} for empty values, line breaks and double encoding."),
    "invalid_resource": (
        "the API in scope is not known or not set up in this tenant", directory.FIND_API),
    "invalid_instance": (
        "the login host is not one that Entra knows",
        "Correct authority, or remove it and set cloud, which chooses the login host."),
    "unsupported_grant_type": ("the grant type is not allowed", requests.OTHER_KIND),
    "unsupported_response_type": (
        "the login host does not support this kind of request",
        "Check that authority is a login host of Entra, or remove it and set cloud."),
    "access_denied": (
        "the user, an administrator or a policy denied access",
        "Find the correlation id in the Entra sign-in log, and ask an administrator to grant the access it lacks."),
    "interaction_required": (
        "the service wants the user to take part",
        f"Have the user {directory.SIGN_IN}, with the claims the service asked for, if any, as claims_challenge."),
    "login_required": ("the user has to sign in again", directory.NEW_TOKEN),
    "consent_required": (
        "neither the user nor an administrator has consented to the app using this API",
        directory.CONSENT),
    "temporarily_unavailable": ("the service is busy or has a temporary fault", directory.LATER),
    "server_error": ("the service had a fault of its own", directory.SUPPORT),
    "authorization_pending": (
        "the user has not finished the sign-in yet",
        "Open the address that was shown, enter the code and finish the sign-in."),
    "slow_down": (
        "the service was asked for the sign-in's result too often",
        "Run one sign-in at a time, and finish it with the code that was shown last."),
    "authorization_declined": (
        "the user declined the sign-in", "Run the play again and accept the sign-in for this app."),
    "expired_token": ("the device code has expired", directory.NEW_CODE),
    "bad_verification_code": ("the device code is wrong", directory.NEW_CODE),
}
# A sign-in ends alike with every issuer.
_OF_SIGN_IN = (
    "authorization_pending", "slow_down", "authorization_declined", "expired_token", "bad_verification_code",
)
_ELSEWHERE: t.Mapping[Issuer, t.Mapping[str, tuple[str, Fix]]] = {
    Issuer.AD_FS: {
        "": ("",
             "Look for the activity id of the message in the event log AD FS/Admin of the server."),
        "invalid_client": (
            "the app's credential was refused",
            "Compare client_id and {proof} with the app in its application group of AD FS."),
        "unauthorized_client": (
            "the app may not use this API or this grant",
            "Add the web API to the app's application group of AD FS, and permit the app and the scope there."),
        "invalid_resource": (
            "the API in scope is not known",
            "Set scope to the identifier of a web API in the app's application group of AD FS."),
        "invalid_scope": (
            "the scope is not valid",
            "Set scope to the identifier of a web API in the app's application group of AD FS, followed by a scope."),
    },
    Issuer.B2C: {
        "": ("",
             "Look up the AADB2C code of the message in Learn (Azure Active Directory B2C error codes), and check the "
             "policy in authority."),
        "invalid_client": (
            "the app's credential was refused",
            "Check client_id and client_secret in the B2C tenant, which takes no certificate or federated token."),
        "invalid_scope": (
            "the scope is not valid",
            "Set scope to an API of the B2C tenant followed by /.default, and grant the app its permissions there."),
    },
}
# fmt: on
_READ_ERROR = "Correct what the message names; the sign-in log of Entra has the attempt under the correlation id."
_READ_CODE = "Correct what the message names; https://login.microsoftonline.com/error?code={code} explains the code."

BY_CODE: t.Mapping[int, tuple[str, Fix]] = {
    code: (cause, fix)
    for rows in (
        *(requests.CREDENTIAL, requests.FEDERATION, requests.REQUEST),
        *(directory.APPLICATION, directory.POLICY, directory.USER, directory.TRANSIENT),
    )
    for codes, cause, fix in rows
    for code in codes
}


def find_code_hint(error_codes: t.Sequence[int], proof: str = "?") -> Hint | None:
    """Return the hint for the first AADSTS code that is known; None if none is.

    Args:
        error_codes: The codes, the most telling first.
        proof: The option or platform that the app's proof comes from, as in PROOFS.
    """
    row = next((BY_CODE[code] for code in error_codes if code in BY_CODE), None)
    return _build_hint(row, proof) if row else None


def find_hint(error_codes: t.Sequence[int], error: str | None, issuer: Issuer = Issuer.ENTRA, proof: str = "?") -> Hint:
    """Return the hint for a refused token request: by its codes, by its ``error``, or to read the description.

    Args:
        error_codes: The AADSTS codes, the most telling first.
        error: The OAuth error.
        issuer: Who refused the request.
        proof: The option or platform that the app's proof comes from, as in PROOFS.
    """
    if issuer is not Issuer.ENTRA:
        rows = {name: _BY_ERROR[name] for name in _OF_SIGN_IN}
        rows.update(_ELSEWHERE[issuer])
        return _build_hint(rows.get(error or "", rows[""]), proof)
    known = find_code_hint(error_codes, proof)
    if known:
        return known
    if error_codes:
        return Hint("", _READ_CODE.format(code=error_codes[0]))
    return _build_hint(_BY_ERROR.get(error or "", ("", _READ_ERROR)), proof)


def identify_issuer(url: str, description: str) -> Issuer:
    """Return who refused a token request, by the codes of its description and the URL of the endpoint."""
    if "AADSTS" in description:
        return Issuer.ENTRA
    parts = urllib.parse.urlsplit(url)
    if "AADB2C" in description or (parts.hostname or "").endswith(".b2clogin.com"):
        return Issuer.B2C
    if re.search(r"\bMSIS\d+", description) or parts.path.lower().startswith("/adfs/"):
        return Issuer.AD_FS
    return Issuer.ENTRA


def _build_hint(row: tuple[str, Fix], proof: str) -> Hint:
    cause, fix = row
    used = PROOFS.get(proof, _UNKNOWN_PROOF)
    if not isinstance(fix, str):
        fix = fix.get(used.group, fix[""])
    return Hint(cause, fix.format(proof=used.words))


__all__ = ("BY_CODE", "PROOFS", "Hint", "Issuer", "find_code_hint", "find_hint", "identify_issuer")
