# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AADSTS codes about what a tenant holds: its apps and APIs, its policies, its users; and about the service itself.

Data only, in the rows that aadsts_requests explains.

Sources: Learn, "Microsoft Entra authentication and authorization error codes", and the pages on each grant.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._entra.aadsts_requests import Row

APP_ONLY = "an app-only credential (client_secret, client_certificate or federated_token)"
SIGN_IN = "sign in again (credential device_code with refresh_token_file)"

CHECK_APP = (
    "Check client_id (the app's Application ID), tenant_id and cloud; in a tenant that is not the app's own, have an "
    "administrator consent to the app."
)
FIND_API = (
    "Correct scope and cloud, or have an administrator add the API to the tenant with 'az ad sp create --id' and the "
    "API's app id."
)
NEW_TOKEN = f"Have the user {SIGN_IN}, and no longer give the old refresh_token."
LATER = "Run again in a few minutes, or raise retry_for so that the request is retried for longer."
SUPPORT = "Run again later; if it persists, give the correlation id, trace id and timestamp to Microsoft support."
_NAME_TENANT = "Set tenant_id to the tenant's GUID or one of its verified domains, not to common or organizations."
_SET_CLOUD = "Set cloud to the cloud the tenant is in, and remove an authority that belongs to another cloud."
CONSENT = "Have an administrator grant consent for the app's API permissions in the Entra admin center."
_OWN_TENANT = "Set tenant_id to the tenant the account belongs to, or invite the account to this tenant as a guest."
_NO_DEVICE = f"Use {APP_ONLY}, or have an administrator exempt the app from the policy."
_PASS_CHECK = f"Have the user {SIGN_IN} and pass the check, or use {APP_ONLY}."
NEW_CODE = "Run the play again for a new code and enter it before it expires."
_ASK_ADMIN = "Give the correlation id to an administrator of the tenant and ask for a change of the policy."
_TENANT_LIST = "Ask your network team to allow this tenant_id in the tenant restrictions that the proxy sends."
_CROSS_TENANT = "Ask an administrator of the tenant that the message names to change its cross-tenant access settings."
_SIGNING_KEY = "Ask the owner of the API in scope to correct its signing key, or remove its custom claims."
_PASSWORD = f"Change the account's password, then {SIGN_IN}."

# A table is read by its rows: codes and cause on one line, the fix on the next.
# fmt: off
APPLICATION: tuple[Row, ...] = (
    ((700016, 700011), "the tenant does not know this application: wrong tenant, wrong cloud or never consented to",
     CHECK_APP),
    ((70001,), "the tenant does not know this application, or it is disabled",
     "Check client_id, tenant_id and cloud, and that the enterprise application is enabled for sign-in."),
    ((7000229,), "the app exists but has no service principal in this tenant",
     "Create it with 'az ad sp create --id' and the client_id, or have an administrator consent to the app."),
    ((7000112,), "the application is disabled in this tenant",
     "Enable its enterprise application for sign-in, or ask Microsoft support if Microsoft disabled it."),
    ((90002,), "the tenant was not found: mistyped, without a subscription or in another cloud",
     "Compare tenant_id with the Tenant ID in the Entra admin center, and set cloud to that tenant's cloud."),
    ((5000224, 5000225), "the tenant is blocked or was decommissioned, for example because it was not used",
     "Check tenant_id, or have an administrator of the tenant ask Microsoft support to restore it."),
    ((900023, 900021, 50029), "the tenant is not a valid GUID or domain name", _NAME_TENANT),
    ((90019, 50059, 50128, 9001023, 50194, 90124, 90130, 9002332),
     "the request names no single tenant, which the app or the grant needs", _NAME_TENANT),
    ((900382, 900432, 90038, 90051, 900439, 1000104),
     "the tenant or the app belongs to another cloud than the one that was asked", _SET_CLOUD),
    ((500011,), "the API in scope is not in this tenant: wrong URI, slash or cloud, or never used here", FIND_API),
    ((50001, 650054), "the API in scope is disabled in this tenant or does not exist", FIND_API),
    ((500014,), "the API in scope is disabled in this tenant, often because a subscription or licence ran out",
     "Renew the API's subscription or licence, or enable its enterprise application for sign-in."),
    ((650052,), "the tenant has no service principal or subscription for the API in scope",
     "Have an administrator consent to the API, or obtain the subscription or licence that brings it."),
    ((650056, 65005), "the app registration is misconfigured, usually in its API permissions",
     "Review the app's API permissions, grant admin consent for them, and check client_id."),
    ((650057,), "the API in scope is not among the API permissions of the app registration",
     "Add that API to the app's API permissions and grant consent, or correct scope."),
    ((65002,), "the app is one of Microsoft's own, which may not use the API in scope",
     "Set client_id to an app registration of your own tenant."),
    ((501051,), "the API in scope requires an assignment, and the app has none of its roles",
     "Assign one of the API's app roles to the service principal of client_id."),
    ((50105,), "the user or app is not assigned to the application that was asked for",
     "Assign the user or app to that enterprise application, or lift its assignment requirement."),
    ((65001, 90008), "neither the user nor an administrator has consented to the app using this API", CONSENT),
    ((90094, 90095, 90093), "using this API needs an administrator's consent", CONSENT),
    ((9002341,), "the user has to permit single sign-on for the app", NEW_TOKEN),
    ((65004,), "the user declined to sign in or to consent to the app",
     "Run the play again and accept, or have an administrator grant consent for the app's API permissions."),
    ((90099,), "the app is not authorised in the customer's tenant",
     "Have an administrator of that tenant consent to the app, or authorise it by the Partner Center."),
    ((100007,), "a regional login host was used, which ordinary apps may not",
     "Remove the regional authority, so that the login host of cloud is used."),
    ((1000031,), "the application cannot be accessed at present",
     "Ask the owner of the application, or an administrator of the tenant, to restore access to it."),
    ((50003, 50007, 50146, 501461), "the API in scope is set up without the key that its tokens need", _SIGNING_KEY),
    ((50010, 67003), "the API in scope names no audience or identity that tokens can be issued for",
     "Ask the owner of the API in scope to give its app registration an Application ID URI."),
    ((50124, 501241, 501621), "a claims transformation of the API in scope is misconfigured",
     "Ask the owner of the API in scope to correct its claims mapping policy."),
    ((221000,), "the API in scope takes no tokens of a device alone", f"Use {APP_ONLY}, or have a user {SIGN_IN}."),
)

POLICY: tuple[Row, ...] = (
    ((53003,), "a conditional access policy blocks this sign-in, for apps usually by location or risk",
     "Find the correlation id in the Entra sign-in log, and have an administrator allow the app or its public IP."),
    ((53000,), "conditional access requires a compliant device", _NO_DEVICE),
    ((53001,), "conditional access requires a domain-joined device", _NO_DEVICE),
    ((53002, 50127), "conditional access requires an approved application", _NO_DEVICE),
    ((50005, 50097, 50129, 50155, 50187, 135011), "conditional access requires a device that is registered and enabled",
     _NO_DEVICE),
    ((50131,), "conditional access refuses the request, by its policies or a suspicion", _ASK_ADMIN),
    ((530032,), "a policy of the tenant blocks this sign-in", _ASK_ADMIN),
    ((530035,), "the tenant's security defaults block this sign-in", _ASK_ADMIN),
    ((530034,), "the tenant blocks this delegated administrator", _ASK_ADMIN),
    ((53011,), "the user is blocked as a risk in the home tenant", _ASK_ADMIN),
    ((530084,), "conditional access requires a token bound to a device, and this one is not", _NO_DEVICE),
    ((50076, 50074, 50078, 50086), "the user has to pass multifactor authentication", _PASS_CHECK),
    ((50079, 50072, 53004, 53010), "the user has to register for multifactor authentication", _PASS_CHECK),
    ((50158, 50161, 50170, 50177, 50178), "the user has to pass a check of an external identity provider", _PASS_CHECK),
    ((700020,), "the service wants the user to take part", _PASS_CHECK),
    ((500021, 500022, 50002), "the network's tenant restrictions do not allow this tenant", _TENANT_LIST),
    ((500212,), "the user's own tenant does not allow access to this one", _CROSS_TENANT),
    ((500213,), "this tenant does not allow access by users of that one", _CROSS_TENANT),
    ((90123,), "the identity provider of the user denied the token", _ASK_ADMIN),
    ((54000,), "the user is a minor, whom the tenant does not allow this app", _ASK_ADMIN),
)

USER: tuple[Row, ...] = (
    ((50034, 50014, 16003, 90125), "the user is not in this tenant's directory", _OWN_TENANT),
    ((90072, 50020, 51004, 16000, 50197), "the account is of another tenant and was not added to this one",
     _OWN_TENANT),
    ((500341,), "the user's account was deleted",
     "Have another account sign in (credential device_code with refresh_token_file)."),
    ((50057,), "the user's account is disabled",
     f"Have an administrator enable the account, then {SIGN_IN}."),
    ((50055, 50144, 50125, 50135), "the user's password has expired or has to be changed", _PASSWORD),
    ((50053,), "the user's account is locked, or its address is known for attacks",
     f"Have an administrator unlock the account, then {SIGN_IN}."),
    ((50126, 50056, 50064), "the user name or password is wrong", f"Correct or reset the password, then {SIGN_IN}."),
    ((50173, 50132, 50133), "the refresh token was revoked after the user's password or credentials changed",
     NEW_TOKEN),
    ((70008, 700081), "the refresh token or code has expired", NEW_TOKEN),
    ((40008, 40009, 40010, 40015), "the user's own identity provider refused the request or failed",
     f"Have the user {SIGN_IN}, or ask the operator of that identity provider."),
    ((700082,), "the refresh token was not used for 90 days or more",
     f"Have the user {SIGN_IN}, and schedule a job that uses it more often."),
    ((700084,), "the refresh token is of a single-page app, and so expires after 24 hours",
     f"Register the app's redirect URI as web or native, then {SIGN_IN}."),
    ((70043,), "the tenant's sign-in frequency policy asks for a new sign-in", NEW_TOKEN),
    ((70000,), "the refresh token or code is not valid", NEW_TOKEN),
    ((50085, 50139), "the refresh token needs a new sign-in at the user's own identity provider", NEW_TOKEN),
    ((50089, 50058), "the sign-in has expired, or there was none", NEW_TOKEN),
    ((54005,), "the authorization code was already used", NEW_TOKEN),
    ((700005,), "the refresh token or code is of another tenant",
     f"Set tenant_id to the tenant in which the user signed in, or have the user {SIGN_IN}."),
    ((700003,), "the device of this sign-in is not registered in the tenant",
     f"Register the device and have the user {SIGN_IN}, or use {APP_ONLY}."),
    ((70016,), "the user has not finished the sign-in yet",
     "Open the address that was shown, enter the code and finish the sign-in."),
    ((70018, 90119), "the code of the sign-in is wrong or empty", NEW_CODE),
    ((70019, 70020), "the device code has expired", NEW_CODE),
    ((90120,), "the sign-in was already finished or declined", NEW_CODE),
    ((50134,), "the sign-in took place in another region than it was begun in", NEW_CODE),
    ((50199,), "the user has to confirm the app", NEW_CODE),
    ((500207, 500208), "this type of account cannot be used with the API in scope",
     "Have an account of another type sign in, such as a work or school account of the tenant."),
    ((90027,), "personal accounts cannot be used with this endpoint",
     "Have a work or school account of the tenant sign in."),
)

TRANSIENT: tuple[Row, ...] = (
    ((50196,), "the same request was sent too often in a short time: there is a loop",
     "Stop the loop, set cache to run or user instead of none, and remove force_refresh."),
    ((90055,), "the tenant has sent too many requests",
     "Wait before you run again, and share tokens between jobs by setting cache to user or a Redis URL."),
    ((50088, 50166), "a service that takes part in the sign-in has had too many requests", LATER),
    ((90033, 90006, 90012, 90024, 50033, 50087, 90090, 90091, 70012), "the service has a temporary fault", LATER),
    ((50000, 50042, 50043, 90036, 90092, 90085, 165004), "the service failed to issue the token", SUPPORT),
    ((220501,), "the service could not download the revocation list of the certificate's CA",
     "Check that the CA's revocation list is reachable from the internet, and run again later."),
)
# fmt: on


__all__ = (
    "APPLICATION",
    "APP_ONLY",
    "CHECK_APP",
    "CONSENT",
    "FIND_API",
    "LATER",
    "NEW_CODE",
    "NEW_TOKEN",
    "POLICY",
    "SIGN_IN",
    "SUPPORT",
    "TRANSIENT",
    "USER",
)
