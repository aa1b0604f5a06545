# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of AADSTS codes: HTTP status, ``error`` and text.

Source: Learn "Microsoft Entra authentication and authorization error codes"; texts as seen in issue threads, with
``{fields}`` where the service quotes the request.  Codes nobody raises here can be served by a fault.
"""

from __future__ import annotations

import typing as t


class Refusal(t.NamedTuple):
    """One row: what a client sees for one code."""

    status: int
    error: str
    text: str


_DOCS = "https://go.microsoft.com/fwlink/?linkid=2225119"
_CREDENTIAL = {
    7000215: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
    "not the client secret ID, for a secret added to app '{client_id}'.",
    7000222: "The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new "
    "keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
    "https://aka.ms/certCreds.",
    7000218: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    700025: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
    700027: "The certificate with identifier used to sign the client assertion is not registered on application. "
    "[Reason - {reason}., Thumbprint of key used by client: '{thumbprint}']",
    700024: "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {begins}, "
    "expiry time of assertion {ends}.",
    700030: "Invalid certificate - subject name in certificate is not authorized.",
    700021: "Client assertion application identifier doesn't match 'client_id' parameter.",
    700023: "Client assertion audience claim does not match Realm issuer.",
    7000232: "Managed identity applications cannot authenticate with a client secret.",
    50012: "Authentication failed.",
    7000229: "The client application {client_id} is missing service principal in the tenant {tenant}. "
    f"See instructions here: {_DOCS}",
    7000110: "Request is ambiguous, multiple application identifiers found. Application identifiers: {client_ids}.",
    70021: "No matching federated identity record found for presented assertion.",
    700211: "No matching federated identity record found for presented assertion issuer '{issuer}'.",
    700212: "No matching federated identity record found for presented assertion audience '{audience}'.",
    700213: "No matching federated identity record found for presented assertion subject '{subject}'.",
    7002137: "The presented assertion subject has an unexpected form.",
    7002138: "The presented assertion subject '{subject}' matches a federated identity record only case-insensitively.",
    7002121: "No matching federated identity record found for presented assertion audience '{audience}'.",
    700222: "Tokens issued by Microsoft Entra ID may not be used for federated identity credential flows.",
    700226: "The presented assertion is not a managed identity token.",
    700227: "The presented assertion has the wrong audience for federated identity credential flows.",
    700229: "Only app-only tokens may be used for federated identity credential flows.",
    5000811: "Unable to verify token signature. The signing key identifier does not match any valid registered keys.",
}
_GRANT = {
    70000: "Provided grant is invalid or malformed.",
    70008: "The provided authorization code or refresh token has expired due to inactivity. "
    "Send a new interactive authorization request for this user and resource.",
    700082: "The refresh token has expired due to inactivity. It was inactive for 90.00:00:00.",
    700084: "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime.",
    70043: "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access.",
    50173: "The provided grant has expired due to it being revoked, a fresh auth token is needed. "
    "The user might have changed or reset their password.",
    50089: "Authentication failed due to flow token expired.",
    54005: "OAuth2 Authorization code was already redeemed, please retry with a new valid code.",
    700003: "Device object was not found in the tenant '{tenant}' directory.",
    65001: "The user or administrator has not consented to use the application with ID '{client_id}'. "
    "Send an interactive authorization request for this user and resource.",
    50013: "Assertion failed signature validation.",
    500131: "Assertion audience does not match the client app presenting the assertion.",
    500133: "Assertion is not within its valid time range.",
    50034: "The user account does not exist in the {tenant} directory.",
    90072: "User account from another identity provider does not exist in tenant '{tenant}' and cannot access the "
    "application '{client_id}' in that tenant. The account needs to be added as an external user first.",
    50020: "User account from identity provider does not exist in tenant '{tenant}'.",
    51004: "The user account does not exist in the {tenant} directory. Add it to the directory first.",
    500341: "The user account has been deleted from the {tenant} directory.",
    50057: "The user account is disabled.",
    50055: "The password is expired.",
    50053: "The account is locked because the user tried to sign in too many times.",
    50126: "Error validating credentials due to invalid username or password.",
    50105: "The signed in user is not assigned to a role for the application '{client_id}'.",
    50196: "The server terminated an operation because it encountered a client request loop.",
    501051: "Application '{client_id}' is not assigned to a role for the application '{resource}'.",
}
_APPLICATION = {
    700016: "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if "
    "the application has not been installed by the administrator of the tenant or consented to by any user in the "
    "tenant. You may have sent your authentication request to the wrong tenant.",
    7000112: "Application '{client_id}'({name}) is disabled.",
    70001: "Application '{client_id}' is disabled or was not found in the directory.",
}
_RESOURCE = {
    500011: "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if "
    "the application has not been installed by the administrator of the tenant or consented to by any user in the "
    "tenant. You might have sent your authentication request to the wrong tenant.",
    50001: "The resource principal named {resource} was not found in the tenant named {tenant} or is disabled.",
    500014: "The service principal for resource '{resource}' is disabled.",
    650057: "Invalid resource. The client has requested access to a resource which is not listed in the requested "
    "permissions in the client's application registration.",
}
_SCOPE = {
    1002012: "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
    "/.default suffixed to the resource identifier (application ID URI).",
    70011: "The provided request must include a 'scope' input parameter. The provided value for the input parameter "
    "'scope' is not valid. The scope {scope} is not valid.",
    28002: "Provided value for the input parameter scope '{scope}' isn't valid when requesting an access token.",
    28003: "Provided value for the input parameter scope can't be empty when requesting an access token.",
    700022: "The provided value for the input parameter scope '{scope}' is not valid because it contains more than "
    "one resource.",
}
_POLICY = {
    53003: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    53000: "Device is not in required device state: compliant.",
    53001: "Device is not in required device state: domain joined.",
    53002: "The app used is not an approved app for Conditional Access.",
    530032: "User blocked due to a tenant-wide security policy.",
    530034: "Access blocked: delegated administrator blocked by policy.",
    530035: "Access has been blocked by security defaults.",
    530084: "Access has been blocked by a token protection policy.",
    50076: "Due to a configuration change made by your administrator, or because you moved to a new location, "
    "you must use multi-factor authentication to access '{resource}'.",
    50079: "You must enroll in multi-factor authentication to access '{resource}'.",
    50074: "Strong Authentication is required.",
    50072: "You must enroll for second factor authentication.",
    50078: "Presented multi-factor authentication has expired.",
    50158: "External security challenge was not satisfied.",
}
_REQUEST = {
    900144: "The request body must contain the following parameter: '{parameter}'.",
    90014: "The required field '{parameter}' is missing from the credential.",
    90013: "Invalid input received from the user.",
    9002313: "Invalid request. Request is malformed or invalid.",
    901002: "The 'resource' request parameter is not supported.",
    90002: "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
    "correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions "
    "for the tenant.",
    900023: "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
    9001023: "The grant type is not supported over the /common or /consumers endpoints. "
    "Please use the /organizations or tenant-specific endpoint.",
    90019: "No tenant-identifying information found in either the request or implied by any provided credentials.",
    50059: "No tenant-identifying information found in either the request or implied by any provided credentials.",
    900382: "Confidential Client is not supported in Cross Cloud request.",
    900432: "Confidential Client is not supported in Cross Cloud request.",
    90038: "Tenant '{tenant}' is hosted in a national cloud.",
    90051: "Invalid national cloud identifier.",
    900439: "The tenant '{tenant}' is not supported on this national cloud host.",
    50048: "Subject '{subject}' must match Issuer claim in the client assertion.",
    650052: "The app is trying to access a service that your organization lacks a service principal for.",
    100040: "The request is not supported.",
    7000113: "Application is not authorized to make application on-behalf-of calls.",
    7000114: "Application is not allowed to make application on-behalf-of calls.",
    51000: "The feature is disabled for the tenant.",
    500021: "Access to tenant is denied.",
    500022: "Access to tenant is denied.",
    100007: "Regional endpoint is only supported for Microsoft services.",
    500207: "The account type can't be used for the resource you're trying to access.",
    1000031: "Application can't be accessed at this time. Contact your administrator.",
    90094: "The grant requires administrator permission.",
    65004: "User declined to consent to access the app.",
}
_TRANSIENT = {
    90033: "A transient error has occurred. Please try again.",
    90006: "External server retryable error.",
    90012: "The request timed out.",
    90024: "RequestBudgetExceededError. A transient error has occurred.",
    50033: "A retryable error has occurred.",
    50087: "A transient error has occurred during sign-out. Please try again.",
    90090: "A transient error has occurred.",
}
_DEVICE_CODE = {
    70016: ("authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    70018: ("bad_verification_code", "Verification User Code is not correct or does not exist."),
    70019: ("expired_token", "CodeExpired - Verification User Code expired. Have the user retry the sign-in."),
    70020: ("expired_token", "The provided value for the input parameter 'device_code' is not valid. It has expired."),
}


def _rows(status: int, error: str, texts: dict[int, str]) -> dict[int, Refusal]:
    return {code: Refusal(status, error, text) for code, text in texts.items()}


TABLE: t.Final[dict[int, Refusal]] = {
    **_rows(401, "invalid_client", _CREDENTIAL),
    **_rows(400, "invalid_grant", _GRANT),
    **_rows(400, "unauthorized_client", _APPLICATION),
    **_rows(400, "invalid_resource", _RESOURCE),
    **_rows(400, "invalid_scope", _SCOPE),
    **_rows(400, "interaction_required", _POLICY),
    **_rows(400, "invalid_request", _REQUEST),
    **_rows(503, "temporarily_unavailable", _TRANSIENT),
    **{code: Refusal(400, error, text) for code, (error, text) in _DEVICE_CODE.items()},
    900561: Refusal(405, "invalid_request", "The endpoint only accepts POST requests. Received a {method} request."),
    70003: Refusal(400, "unsupported_grant_type", "The app requested an unsupported grant type '{grant_type}'."),
    50049: Refusal(400, "invalid_instance", "Unknown or invalid instance."),
    650056: Refusal(400, "invalid_client", "Misconfigured application."),
    90055: Refusal(429, "temporarily_unavailable", "The tenant is being throttled. Please wait before trying again."),
    50000: Refusal(500, "server_error", "There was an error issuing a token or an issue with our sign-in service."),
}
UNKNOWN: t.Final = Refusal(400, "invalid_request", "The request was refused.")
