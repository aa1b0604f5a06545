# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user should do about an error of Microsoft Entra, as data.

Microsoft advises programming against ``error`` and not against the AADSTS codes, which may change. So the codes pick
words here and nothing else: they never make a retry decision. A code this table does not know falls back to what
``error`` means (RFC 6749 section 5.2, RFC 8628 section 3.5, and the values Entra adds).

Sources: Microsoft Learn "Microsoft Entra authentication and authorization error codes" and the pages on each grant.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing as t


class Kind(enum.Enum):
    """Where the fault lies, and so who can mend it."""

    CREDENTIAL = "credential"
    APPLICATION = "application"
    REQUEST = "request"
    POLICY = "policy"
    FEDERATION = "federation"
    USER = "user"
    TRANSIENT = "transient"


@dataclasses.dataclass(frozen=True)
class Hint:
    """``cause`` is a clause that says what went wrong, ``fix`` a sentence that says what to do about it."""

    kind: Kind
    cause: str
    fix: str


_APP_ONLY = "an app-only credential (client_secret, client_certificate or federated_token)"
_SIGN_IN = "sign in again (credential device_code with refresh_token_file)"

_CHECK_APP = (
    "Check client_id (the app's Application ID), tenant_id and cloud; in a tenant that is not the app's own, have an "
    "administrator consent to the app."
)
_NAME_TENANT = "Set tenant_id to the tenant's GUID or one of its verified domains, not to common or organizations."
_SET_CLOUD = "Set cloud to the cloud the tenant is in, and remove an authority that belongs to another cloud."
_FIND_API = (
    "Correct scope and cloud, or have an administrator add the API to the tenant with 'az ad sp create --id' and the "
    "API's app id."
)
_CONSENT = "Have an administrator grant consent for the app's API permissions in the Entra admin center."
_DEFAULT_SCOPE = "Set scope to an alias such as graph or arm, or to one resource followed by /.default."
_NOTHING_EMPTY = "Check that client_id, scope and the credential are not empty and that no proxy changes the request."
_AUDIENCE = (
    "Check cloud, and have federated_token issued for the audience of the app's federated credential: "
    "api://AzureADTokenExchange, with USGov or China at its end in those clouds."
)
_FRESH_ASSERTION = (
    "Synchronise the clock of the machine that asks, and use federated_token_file or federated_token_source instead of "
    "a fixed federated_token."
)
_SUBJECT_CASE = "Copy the sub of federated_token into the app's federated credential unchanged, letter case included."
_MANAGED_IDENTITY = (
    "Set federated_token_source to managed_identity and managed_identity_client_id to a user-assigned identity of the "
    "app's own tenant."
)
_OWN_TENANT = "Set tenant_id to the tenant the account belongs to, or invite the account to this tenant as a guest."
_NO_OBO = "Use the app's own client_secret, client_certificate or federated_token, or a user's refresh_token."
_NO_DEVICE = f"Use {_APP_ONLY}, or have an administrator exempt the app from the policy."
_PASS_CHECK = f"Have the user {_SIGN_IN} and pass the check, or use {_APP_ONLY}."
_NEW_TOKEN = f"Have the user {_SIGN_IN}, and no longer give the old refresh_token."
_NEW_CODE = "Run the play again for a new code and enter it before it expires."
_ASK_ADMIN = "Give the correlation id to an administrator of the tenant and ask for a change of the policy."
_TENANT_LIST = "Ask your network team to allow this tenant_id in the tenant restrictions that the proxy sends."
_LATER = "Run again in a few minutes, or raise retry_for so that the request is retried for longer."
_SUPPORT = "Run again later; if it persists, give the correlation id, trace id and timestamp to Microsoft support."

# A table is read by its rows: codes and cause on one line, the fix on the next.
# fmt: off
_ROWS: t.Mapping[Kind, tuple[tuple[tuple[int, ...], str, str], ...]] = {
    Kind.CREDENTIAL: (
        ((7000215,), "the client secret is wrong; most often the secret ID was pasted instead of its Value",
         "Give the secret's Value as client_secret, whole, not URL-encoded and without a trailing line break."),
        ((7000222,), "the client secret has expired",
         "Create a new secret for the app registration and give its Value as client_secret."),
        ((7000218,), "the app is confidential, but neither a secret nor an assertion was sent",
         "Give client_secret, client_certificate or federated_token, or allow public client flows on the app."),
        ((700025,), "the app is a public client, but a secret or an assertion was sent",
         "Drop client_secret, client_certificate and federated_token, or register a web platform for the app."),
        ((700027,), "the app does not know this certificate, its key does not match, or its chain is out of order",
         "Upload the public part of client_certificate to the app; check that the key fits and the leaf comes first."),
        ((700024,), "the assertion is outside its lifetime: the clock is wrong or the assertion is stale",
         _FRESH_ASSERTION),
        ((700030,), "the app does not trust the certificate's subject name",
         "Add subject and issuer of client_certificate to those the app trusts, and set send_certificate_chain."),
        ((700021,), "the assertion was made for another application than client_id names",
         "Set client_id to the app the federated_token was made for, or give client_certificate instead."),
        ((700023,), "the assertion is addressed to another tenant, or scope names no resource",
         "Check that tenant_id, cloud and authority belong together, and that scope names an API."),
        ((7000232,), "the client id is a managed identity's, which usually cannot be used with a secret",
         "Set credential to managed_identity and drop client_secret, or set client_id to an app registration."),
        ((50012,), "the credential was refused; the service's message names the reason",
         "Read the service's message, then correct client_secret, client_certificate or federated_token."),
        ((50048,), "the assertion's subject differs from its issuer",
         "Make both iss and sub of federated_token the client_id, or give client_certificate instead."),
    ),
    Kind.APPLICATION: (
        ((700016,), "the tenant does not know this application: wrong tenant, wrong cloud or never consented to",
         _CHECK_APP),
        ((70001,), "the tenant does not know this application, or it is disabled",
         "Check client_id, tenant_id and cloud, and that the enterprise application is enabled for sign-in."),
        ((7000229,), "the app exists but has no service principal in this tenant",
         "Create it with 'az ad sp create --id' and the client_id, or have an administrator consent to the app."),
        ((7000112,), "the application is disabled in this tenant",
         "Enable its enterprise application for sign-in, or ask Microsoft support if Microsoft disabled it."),
        ((90002,), "the tenant was not found: mistyped, without a subscription or in another cloud",
         "Compare tenant_id with the Tenant ID in the Entra admin center, and set cloud to that tenant's cloud."),
        ((900023,), "the tenant is neither a GUID nor a domain name", _NAME_TENANT),
        ((90019, 50059, 9001023), "the request names no single tenant, which an app-only token needs", _NAME_TENANT),
        ((50049,), "the login host is not one that Entra knows",
         "Correct authority, or remove it and set cloud, which chooses the login host."),
        ((900382, 900432, 90038, 90051, 900439), "the request went to a cloud the tenant or app is not in",
         _SET_CLOUD),
        ((500011,), "the API in scope is not in this tenant: wrong URI, slash or cloud, or never used here",
         _FIND_API),
        ((50001,), "the API in scope is disabled in this tenant or does not exist", _FIND_API),
        ((500014,), "the API in scope is disabled in this tenant, often because a subscription or licence ran out",
         "Renew the API's subscription or licence, or enable its enterprise application for sign-in."),
        ((650052,), "the tenant has no service principal or subscription for the API in scope",
         "Have an administrator consent to the API, or obtain the subscription or licence that brings it."),
        ((650056,), "the app registration is misconfigured, usually in its API permissions",
         "Review the app's API permissions, grant admin consent for them, and check client_id."),
        ((650057,), "the API in scope is not among the API permissions of the app registration",
         "Add that API to the app's API permissions and grant consent, or correct scope."),
        ((501051,), "the API in scope requires an assignment, and the app has none of its roles",
         "Assign one of the API's app roles to the service principal of client_id."),
        ((50105,), "the user or app is not assigned to the application that was asked for",
         "Assign the user or app to that enterprise application, or lift its assignment requirement."),
        ((65001,), "neither the user nor an administrator has consented to the app using this API", _CONSENT),
        ((90094,), "using this API needs an administrator's consent", _CONSENT),
        ((65004,), "the user declined to sign in or to consent to the app",
         "Run the play again and accept, or have an administrator grant consent for the app's API permissions."),
        ((100007,), "a regional login host was used, which ordinary apps may not",
         "Remove the regional authority, so that the login host of cloud is used."),
        ((1000031,), "the application cannot be accessed at present",
         "Ask the owner of the application, or an administrator of the tenant, to restore access to it."),
        ((1000610, 1000611, 1000612, 1000613, 1000614), "attestation for a certificate-bound token failed",
         "Use an ordinary bearer token: set credential to client_secret, client_certificate or federated."),
    ),
    Kind.REQUEST: (
        ((7000110,), "the credential belongs to another app than the request names, or client_id is missing",
         "Set client_id to the app that owns the refresh_token, refresh_token_file or federated_token."),
        ((1002012,), "an app-only token needs a scope that ends in /.default", _DEFAULT_SCOPE),
        ((70011,), "the scope is malformed, names several resources or mixes /.default with others", _DEFAULT_SCOPE),
        ((28002,), "the scope is not valid", _DEFAULT_SCOPE),
        ((28003,), "the scope is empty", _DEFAULT_SCOPE),
        ((700022,), "the scope names more than one resource",
         "Get one token per API: use one task or lookup for each scope."),
        ((900144, 90014), "a mandatory parameter is missing; the service's message names it", _NOTHING_EMPTY),
        ((90013,), "a parameter is not valid",
         "Check client_id, scope and the credential for spaces, quotes, line breaks and double encoding."),
        ((9002313,), "the request is malformed: often a token that was cut short or encoded twice",
         "Check that federated_token, refresh_token and claims_challenge arrive whole and not encoded twice."),
        ((900561,), "the login host got another method than POST; often a redirect by a proxy is the reason",
         "Correct authority and proxy so that the request reaches the login host without a redirect."),
        ((901002,), "the request has a resource parameter, which this endpoint does not take",
         "Name the API in scope only, and check that no gateway at authority adds a resource parameter."),
        ((70003,), "the grant type is not allowed",
         "Set credential to another kind, and check that authority is a login host of Entra."),
        ((100040,), "no token is issued for what scope names, often because it is a managed identity's own app id",
         "Set scope to an alias such as graph, or to the app id or URI of an API."),
        ((7000113, 7000114), "the app or its token may not be used in the on-behalf-of grant", _NO_OBO),
        ((51000,), "the request needs a feature that is disabled",
         "Set credential to another kind: client_secret, client_certificate or federated."),
    ),
    Kind.POLICY: (
        ((53003,), "a conditional access policy blocks this sign-in, for apps usually by location or risk",
         "Find the correlation id in the Entra sign-in log, and have an administrator allow the app or its public IP."),
        ((53000,), "conditional access requires a compliant device", _NO_DEVICE),
        ((53001,), "conditional access requires a domain-joined device", _NO_DEVICE),
        ((53002,), "conditional access requires an approved application", _NO_DEVICE),
        ((530032,), "a policy of the tenant blocks this sign-in", _ASK_ADMIN),
        ((530035,), "the tenant's security defaults block this sign-in", _ASK_ADMIN),
        ((530034,), "the tenant blocks this delegated administrator", _ASK_ADMIN),
        ((530084,), "conditional access requires a token bound to a device, and this one is not", _NO_DEVICE),
        ((50076, 50074, 50078), "the user has to pass multifactor authentication", _PASS_CHECK),
        ((50079, 50072), "the user has to register for multifactor authentication", _PASS_CHECK),
        ((50158,), "the user has to pass a check of an external identity provider", _PASS_CHECK),
        ((500021, 500022), "the network's tenant restrictions do not allow this tenant", _TENANT_LIST),
    ),
    Kind.FEDERATION: (
        ((70021,), "no federated credential of the app matches the assertion, or it is too new to be known everywhere",
         "Compare iss, sub and aud of federated_token with that credential, or wait some minutes if it is new."),
        ((700211,), "no federated credential of the app has the assertion's issuer",
         "Make the federated credential's issuer equal the iss of federated_token, trailing slash included."),
        ((700212, 7002121), "no federated credential of the app has the assertion's audience", _AUDIENCE),
        ((700213,), "no federated credential of the app has the assertion's subject",
         "Make the federated credential's subject equal the sub of federated_token (environment, branch or tag)."),
        ((7002137,), "the assertion's subject has another form than the federated credential's", _SUBJECT_CASE),
        ((7002138,), "the assertion's subject differs from the federated credential's in letter case", _SUBJECT_CASE),
        ((700222, 700226, 700227, 700229), "an assertion issued by Entra must be a managed identity's exchange token",
         _MANAGED_IDENTITY),
        ((5000811,), "the key that signed the assertion is not among the keys its issuer publishes",
         "Check that the issuer's key set (JWKS) is public, get a new federated_token and run again later."),
        ((50013,), "the assertion is not valid: its signature, issuer or lifetime is wrong",
         "Get a new federated_token from the issuer that the app's federated credential names."),
        ((500131,), "the assertion has the wrong audience",
         "Get a new federated_token whose audience is the one the app expects."),
        ((500133,), "the assertion is outside its lifetime", _FRESH_ASSERTION),
    ),
    Kind.USER: (
        ((50034,), "the user is not in this tenant's directory", _OWN_TENANT),
        ((90072, 50020, 51004), "the account is of another tenant and was not added to this one", _OWN_TENANT),
        ((500341,), "the user's account was deleted",
         "Have another account sign in (credential device_code with refresh_token_file)."),
        ((50057,), "the user's account is disabled",
         f"Have an administrator enable the account, then {_SIGN_IN}."),
        ((50055,), "the user's password has expired", f"Change the account's password, then {_SIGN_IN}."),
        ((50053,), "the user's account is locked", f"Have an administrator unlock the account, then {_SIGN_IN}."),
        ((50126,), "the user name or password is wrong", f"Correct or reset the password, then {_SIGN_IN}."),
        ((50173,), "the refresh token was revoked after the user's password or credentials changed", _NEW_TOKEN),
        ((70008,), "the refresh token or code has expired", _NEW_TOKEN),
        ((700082,), "the refresh token was not used for 90 days or more",
         f"Have the user {_SIGN_IN}, and schedule a job that uses it more often."),
        ((700084,), "the refresh token is of a single-page app, and so expires after 24 hours",
         f"Register the app's redirect URI as web or native, then {_SIGN_IN}."),
        ((70043,), "the tenant's sign-in frequency policy asks for a new sign-in", _NEW_TOKEN),
        ((70000,), "the refresh token or code is not valid", _NEW_TOKEN),
        ((50089,), "the sign-in took too long and has expired", _NEW_TOKEN),
        ((54005,), "the authorization code was already used", _NEW_TOKEN),
        ((700003,), "the device of this sign-in is not registered in the tenant",
         f"Register the device and have the user {_SIGN_IN}, or use {_APP_ONLY}."),
        ((70016,), "the user has not finished the sign-in yet",
         "Open the address that was shown, enter the code and finish the sign-in."),
        ((70018,), "the device code is wrong", _NEW_CODE),
        ((70019, 70020), "the device code has expired", _NEW_CODE),
        ((500207,), "this type of account cannot be used with the API in scope",
         "Have an account of another type sign in, such as a work or school account of the tenant."),
    ),
    Kind.TRANSIENT: (
        ((50196,), "the same request was sent too often in a short time: there is a loop",
         "Stop the loop, set cache to run or user instead of none, and remove force_refresh."),
        ((90055,), "the tenant has sent too many requests",
         "Wait before you run again, and share tokens between jobs by setting cache to user or a Redis URL."),
        ((90033, 90006, 90012, 90024, 50033, 50087, 90090), "the service has a temporary fault", _LATER),
        ((50000,), "the service failed to issue the token", _SUPPORT),
    ),
}

HINTS: t.Mapping[int, Hint] = types.MappingProxyType({
    code: Hint(kind, cause, fix) for kind, rows in _ROWS.items() for codes, cause, fix in rows for code in codes
})

_BY_ERROR: t.Mapping[str, Hint] = {
    "invalid_client": Hint(
        Kind.CREDENTIAL, "the app's credential was refused",
        "Check client_id, tenant_id and cloud, then replace client_secret, client_certificate or federated_token."),
    "invalid_grant": Hint(
        Kind.USER, "the refresh token, code or assertion is expired, revoked or of another app",
        f"Have the user {_SIGN_IN}, or get a new federated_token, for the same client_id."),
    "unauthorized_client": Hint(Kind.APPLICATION, "the app may not do this in this tenant", _CHECK_APP),
    "invalid_scope": Hint(Kind.REQUEST, "the scope is not valid, unknown or malformed", _DEFAULT_SCOPE),
    "invalid_request": Hint(
        Kind.REQUEST, "a parameter is missing or malformed",
        "Check tenant_id, client_id, scope and the credential for empty values, line breaks and double encoding."),
    "invalid_resource": Hint(Kind.APPLICATION, "the API in scope is not known or not set up in this tenant", _FIND_API),
    "invalid_instance": HINTS[50049],
    "unsupported_grant_type": HINTS[70003],
    "unsupported_response_type": Hint(
        Kind.REQUEST, "the login host does not support this kind of request",
        "Check that authority is a login host of Entra, or remove it and set cloud."),
    "access_denied": Hint(
        Kind.POLICY, "the user, an administrator or a policy denied access",
        "Find the correlation id in the Entra sign-in log, and ask an administrator to grant the access it lacks."),
    "interaction_required": Hint(
        Kind.POLICY, "the service wants the user to take part",
        f"Have the user {_SIGN_IN}, with the claims the service asked for, if any, as claims_challenge."),
    "login_required": Hint(Kind.USER, "the user has to sign in again", _NEW_TOKEN),
    "consent_required": HINTS[65001],
    "temporarily_unavailable": Hint(Kind.TRANSIENT, "the service is busy or has a temporary fault", _LATER),
    "server_error": Hint(Kind.TRANSIENT, "the service had a fault of its own", _SUPPORT),
    "authorization_pending": HINTS[70016],
    "slow_down": Hint(Kind.TRANSIENT, "the service was asked for the sign-in's result too often",
                      "Run one sign-in at a time, and finish it with the code that was shown last."),
    "authorization_declined": Hint(Kind.USER, "the user declined the sign-in",
                                   "Run the play again and accept the sign-in for this app."),
    "expired_token": HINTS[70019],
    "bad_verification_code": HINTS[70018],
}
# fmt: on


def find_hint(error_codes: t.Sequence[int], error: str | None) -> Hint | None:
    """The hint of the first code that is known, else that of the OAuth ``error``, else none."""
    known = next((HINTS[code] for code in error_codes if code in HINTS), None)
    return known or _BY_ERROR.get(error or "")


__all__ = ("HINTS", "Hint", "Kind", "find_hint")
