# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AADSTS codes about what an app sends: its credential, its assertion, and the parameters of its request.

Data only; hints says how it is used. Each row has codes, the cause as a clause, and the fix as a sentence. A fix that
depends on how the app proves itself is a mapping from the group of the proof; the empty group stands for all others.
``{proof}`` stands for the proof.

Sources: Learn, "Microsoft Entra authentication and authorization error codes", and the pages on each grant.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

Fix = str | t.Mapping[str, str]
Row = tuple[tuple[int, ...], str, Fix]

DEFAULT_SCOPE = "Set scope to an alias such as graph or arm, or to one resource followed by /.default."
_NOTHING_EMPTY = "Check that client_id, scope and {proof} are not empty and that no proxy changes the request."
_NO_OBO = "Use a credential of the app's own (client_secret, client_certificate or federated_token)."
_PROVE_OR_ALLOW = "Give client_secret, client_certificate or federated_token, or allow public client flows on the app."
OTHER_KIND = "Set credential to another kind, and check that authority is a login host of Entra."
_WELL_FORMED = "Check that {proof} and claims_challenge arrive whole and are not encoded twice."
_AUDIENCE = (
    "Check cloud, and have {proof} issued for the audience of the app's federated credential: "
    "api://AzureADTokenExchange, with USGov or China at its end in those clouds."
)
_SUBJECT = "Copy the sub of {proof} into the app's federated credential unchanged, letter case included."
_OTHER_IDENTITY = (
    "Set federated_token_source to managed_identity and managed_identity_client_id to a user-assigned identity of the "
    "app's own tenant."
)
_FRESH_ASSERTION = {
    "": "Synchronise the clock of the machine that runs this, and present a new assertion.",
    "certificate": "Synchronise the clock of the machine that runs this, because it dates the assertion.",
    "given": "Use federated_token_file or federated_token_source in place of a fixed federated_token, or a new one.",
    "file": "Have the issuer renew the token in federated_token_file, and synchronise this machine's clock with it.",
    "platform": "Run the job again for a new token, and synchronise the clock of the machine that runs this.",
}
_VALID_JWT = {
    "": "Check that {proof} is the whole JWT, without line breaks, quotes or a prefix such as Bearer.",
    "certificate": "Check that {proof} holds the certificate that belongs to the private key.",
}
_REGISTERED_CERTIFICATE = {
    "": "Check that {proof} is signed by a key that its issuer publishes.",
    "certificate": "Upload the public part of {proof} to the app registration, and check client_id.",
}

# A table is read by its rows: codes and cause on one line, the fix on the next.
# fmt: off
# The first sentence of their description does not tell the cause.
VAGUE = frozenset({
    50012, 50013, 50017, 50027, 50105, 50131, 70000, 70002,
    700024, 700027, 90004, 90013, 90023, 90100, 90117, 9002313,
})
CREDENTIAL: tuple[Row, ...] = (
    ((7000215,), "the client secret is wrong; most often the secret ID was pasted instead of its Value",
     "Give the secret's Value as {proof}, whole, not URL-encoded and without a trailing line break."),
    ((7000222,), "the client secret has expired",
     "Create a new secret for the app registration and give its Value as {proof}."),
    ((70002,), "the app's credential was refused", {
        "": "Check that client_id and {proof} are of the same app, and that the secret or certificate is registered.",
        "public": _PROVE_OR_ALLOW}),
    ((7000218, 7000216), "the app has to prove itself, but neither a secret nor an assertion was sent", {
        "": "Check that {proof} is not empty and that no proxy changes the request.",
        "public": _PROVE_OR_ALLOW}),
    ((700025,), "the app is a public client, but a secret or an assertion was sent",
     "Do not give {proof}, or register a web platform for the app."),
    ((700027,), "the app does not know the key or certificate that signed the assertion",
     _REGISTERED_CERTIFICATE),
    ((1000502,), "the certificate is not valid yet, or has expired", {
        "": "Have {proof} signed with a certificate that is valid today.",
        "certificate": "Renew {proof}, upload its public part to the app, and check this machine's clock."}),
    ((7000214,), "the certificate was revoked or removed", _REGISTERED_CERTIFICATE),
    ((50017,), "the certificate could not be validated: its issuer or its revocation list is not known or reachable",
     "Have an administrator add the issuing CA to the tenant, or use a certificate that is uploaded to the app."),
    ((50032,), "the key of the certificate is too weak", "Create a certificate with an RSA key of 2048 bits or more."),
    ((700024,), "the assertion is outside its lifetime: the clock is wrong or the assertion is stale",
     _FRESH_ASSERTION),
    ((70023,), "the assertion is valid for more than 24 hours, or has no iat",
     "Have {proof} issued with an iat and a lifetime of at most 24 hours."),
    ((50027,), "the assertion is not a valid JWT", _VALID_JWT),
    ((5002723,), "the login host does not accept the thumbprint or the algorithm that the assertion names", {
        "": "Check that {proof} is made for this login host.",
        "certificate": "Check authority, and that the login host accepts assertions signed with PS256 or RS256.",
        "given": "Have {proof} issued by the issuer that the app's federated credential names."}),
    ((50120, 50099, 900384, 50006), "the signature or the header of the assertion is not valid", _VALID_JWT),
    ((700030,), "the app does not trust the certificate's subject name",
     "Add subject and issuer of {proof} to those the app trusts, and set send_certificate_chain."),
    ((700021,), "the assertion was made for another application than client_id names",
     "Set client_id to the app that {proof} was made for."),
    ((700023,), "the assertion is addressed to another tenant, or scope names no resource",
     "Check that tenant_id, cloud and authority belong together, and that scope names an API."),
    ((7000232,), "the client id is a managed identity's, which usually cannot be used with a secret",
     "Set credential to managed_identity without {proof}, or set client_id to an app registration."),
    ((50012,), "the credential was refused; the service's message names the reason",
     "Correct {proof} as the service's message says, and upload the public part of a new certificate to the app."),
    ((50048,), "the assertion's subject differs from its issuer",
     "Make both iss and sub of {proof} the client_id, or add a federated credential for its issuer to the app."),
)

FEDERATION: tuple[Row, ...] = (
    ((70021,), "no federated credential of the app matches the assertion, or a new one is not active yet",
     "Compare iss, sub and aud of {proof} with the app's federated credential, or wait some minutes after adding one."),
    ((70025,), "the app has no federated credential at all",
     "Add a federated credential with iss, sub and aud of {proof} to the app, and check client_id."),
    ((700211,), "no federated credential of the app has the assertion's issuer",
     "Make the federated credential's issuer equal the iss of {proof}, trailing slash included."),
    ((700212, 7002121), "no federated credential of the app has the assertion's audience", _AUDIENCE),
    ((700213,), "no federated credential of the app has the assertion's subject",
     "Make the federated credential's subject equal the sub of {proof} (environment, branch or tag)."),
    ((7002137,), "the assertion's subject has another form than the federated credential's", _SUBJECT),
    ((7002138,), "the assertion's subject differs from the federated credential's in letter case", _SUBJECT),
    ((700222, 700226, 700227, 700229), "an assertion issued by Entra must be a managed identity's exchange token",
     _OTHER_IDENTITY),
    ((5000811,), "the key that signed the assertion is not among the keys its issuer publishes",
     "Check that the issuer's key set (JWKS) is public, and run again later with a new assertion."),
    ((50013,), "the assertion is not valid: its signature, issuer or lifetime is wrong",
     "Have {proof} issued again by the issuer that the app's federated credential names."),
    ((500131,), "the assertion has the wrong audience", "Have {proof} issued for the audience that the app expects."),
    ((500133,), "the assertion is outside its lifetime", _FRESH_ASSERTION),
    ((240002,), "the assertion lacks a claim that this grant needs",
     "Have {proof} issued with iss, sub, aud and exp, by the issuer of the app's federated credential."),
)

REQUEST: tuple[Row, ...] = (
    ((7000110,), "the credential belongs to another app than the request names, or client_id is missing",
     "Set client_id to the app that owns {proof} or the refresh token."),
    ((1002012,), "an app-only token needs a scope that ends in /.default", DEFAULT_SCOPE),
    ((70011,), "the scope is malformed, names several resources or mixes /.default with others", DEFAULT_SCOPE),
    ((28002,), "the scope is not valid", DEFAULT_SCOPE),
    ((28003,), "the scope is empty", DEFAULT_SCOPE),
    ((90102,), "an address in the request, such as the scope, is not an absolute URI", DEFAULT_SCOPE),
    ((700022,), "the scope names more than one resource",
     "Get one token per API: use one task or lookup for each scope."),
    ((90009,), "the app requests a token for itself, which needs its own app id as the resource",
     "Set scope to the client_id followed by /.default."),
    ((700038,), "the client id is not valid", "Set client_id to the Application ID of the app registration."),
    ((900144, 90014), "a mandatory parameter is missing; the service's message names it", _NOTHING_EMPTY),
    ((90121,), "the request is empty", _NOTHING_EMPTY),
    ((90013, 90100, 90117), "a parameter is not valid",
     "Check client_id, scope and {proof} for spaces, quotes, line breaks and double encoding."),
    ((9002313, 90004, 90023, 90005, 90007, 90107, 165900),
     "the request is malformed, often because a token in it was cut", _WELL_FORMED),
    ((90016,), "a token that was presented lacks a claim", _WELL_FORMED),
    ((90015,), "the address of the request is too long",
     "Remove the parameters that a gateway at authority adds to the request."),
    ((900561, 90056), "the login host did not receive the POST that was sent, often because a proxy redirected it",
     "Correct authority and proxy so that the request reaches the login host without a redirect."),
    ((1002016,), "the connection used a version of TLS that Entra no longer accepts",
     "Have this machine, and a proxy that inspects TLS, use TLS 1.2 or newer."),
    ((51005,), "the login host redirects the request to another place", "Set authority to the host that it names."),
    ((901002,), "the request has a resource parameter, which this endpoint does not take",
     "Name the API in scope only, and check that no gateway at authority adds a resource parameter."),
    ((70003,), "the grant type is not allowed", OTHER_KIND),
    ((90010,), "the request uses an algorithm or a feature that is not supported", OTHER_KIND),
    ((100040,), "no token is issued for the resource in scope, often because that is the app id of a managed identity",
     "Set scope to an alias such as graph, or to the app id or URI of an API."),
    ((7000113, 7000114), "the app or its token may not be used in the on-behalf-of grant", _NO_OBO),
    ((51000, 90043), "the request needs a feature that is disabled", OTHER_KIND),
    ((50049, 50050), "the login host is not one that Entra knows",
     "Correct authority, or remove it and set cloud, which chooses the login host."),
    ((230109,), "the request went to a backup of the login host",
     "Remove authority, so that the login host of cloud is used."),
    ((1000610, 1000611, 1000612, 1000613, 1000614), "attestation for a certificate-bound token failed",
     "Use an ordinary bearer token: set credential to client_secret, client_certificate or federated."),
)
# fmt: on


__all__ = ("CREDENTIAL", "DEFAULT_SCOPE", "FEDERATION", "OTHER_KIND", "REQUEST", "VAGUE", "Fix", "Row")
