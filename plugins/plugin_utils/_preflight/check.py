# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check before the real work whether an app works here, what it may do, and when its credential expires.

Every request only reads. Everything that is wrong is found before anything fails, and causes that several APIs share
are reported once.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, printable
from ansible_collections.entra.auth.plugins.module_utils._secrets import mask_secrets
from ansible_collections.entra.auth.plugins.plugin_utils._api.address import resolve_address
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiSession
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import TokenHolder
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import choose_kind, create_credential
from ansible_collections.entra.auth.plugins.plugin_utils._options.preflight import PreflightCall
from ansible_collections.entra.auth.plugins.plugin_utils._preflight.expirations import (
    CREDENTIAL_LISTS,
    build_unread,
    explain_unread,
    read_expirations,
    warn_of_expirations,
)
from ansible_collections.entra.auth.plugins.plugin_utils._preflight.table import build_table
from ansible_collections.entra.auth.plugins.plugin_utils._token.descriptions import build_missing_roles_error
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._options.preflight import PreflightOptions
    from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import Messages
    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
    from ansible_collections.entra.auth.plugins.plugin_utils._token.target import Target

Report = dict[str, t.Any]

_GRAPH = "graph"
_ARM = "arm"
_DEFAULT_CALLS = (
    PreflightCall("/v1.0/organization", _GRAPH),
    PreflightCall("/subscriptions?api-version=2022-12-01", _ARM),
)
# What the report repeats of the result of app_token.
_TOKEN_FIELDS = ("api_url", "cloud", "tenant_id", "client_id", "credential", "expires_at")
_SHOWN_NAMES = 3
_SHOWN_CHARACTERS = 60


def check(checks: PreflightOptions, options: AppTokenOptions, messages: Messages, target: Target) -> Report:
    """Return the report on an app.

    Args:
        checks: What to check.
        options: The options of the app's token; the scopes of the checks take the place of their scope.
        messages: Shows progress.
        target: The task's host.

    Returns:
        ``ok``, ``problems``, ``warnings``, ``apis``, ``credentials`` and ``table``, without a token.
    """
    return _Preflight(checks, options, messages, target).run()


class _Problems:
    """What is wrong, each cause once, with the APIs that it concerns."""

    def __init__(self, secrets: t.Sequence[str]) -> None:
        self._secrets = secrets
        self._texts: dict[tuple[str, str], str] = {}
        self._scopes: dict[tuple[str, str], list[str]] = {}

    def add(self, scope: str, failure: EntraAuthError) -> str:
        """Add a failure, and return its text."""
        # The ids of the responses tell equal causes apart, so they don't count.
        cause = (failure.message, failure.hint)
        text = mask_secrets(str(failure), self._secrets)
        self._texts.setdefault(cause, text)
        self._scopes.setdefault(cause, []).append(scope)
        return text

    def list_texts(self) -> list[str]:
        """Return the texts, with the APIs of those that several have."""
        return [
            text if len(set(self._scopes[cause])) == 1 else f"{text} This concerns {', '.join(self._scopes[cause])}."
            for cause, text in self._texts.items()
        ]


class _Preflight:
    def __init__(self, checks: PreflightOptions, options: AppTokenOptions, messages: Messages, target: Target) -> None:
        self._checks = checks
        self._options = options
        self._messages = messages
        self._target = target
        self._problems = _Problems(options.list_secrets())
        self._warnings: list[str] = []

    def run(self) -> Report:
        calls = [*(_DEFAULT_CALLS if self._checks.default_calls else ()), *self._checks.calls]
        scopes = [*self._checks.scopes, *(call.scope for call in self._checks.calls), *self._checks.required_roles]
        tokens: dict[str, AppToken] = {}
        apis = [self._check_api(scope, tokens) for scope in dict.fromkeys(scopes)]
        for api in apis:
            if api["scope"] in tokens:
                own = [call for call in calls if call.scope == api["scope"]]
                api["calls"] = [self._check_call(call, tokens[call.scope]) for call in own]
        credentials = self._check_credentials(tokens)
        expiring = warn_of_expirations(credentials, self._checks.warn_days)
        warnings = [*self._warnings, *expiring]
        problems = self._problems.list_texts()
        report = {"ok": not problems, "problems": problems, "warnings": warnings, "apis": apis}
        return {**report, "credentials": credentials, "table": build_table({**report, "credentials": credentials})}

    def _check_api(self, scope: str, tokens: dict[str, AppToken]) -> Report:
        """Get the token for an API, add it to ``tokens``, and return what it says."""
        try:
            tokens[scope] = self._get_token(dataclasses.replace(self._options, scope=[scope]))
        except EntraAuthError as exc:
            failure = exc
        else:
            return self._check_roles(scope, tokens[scope])
        return {
            "scope": scope,
            "api_url": None,
            **_describe_app(self._options),
            "expires_at": None,
            "roles": [],
            "missing_roles": [],
            "error": self._problems.add(scope, failure),
            "calls": [],
        }

    def _check_roles(self, scope: str, token: AppToken) -> Report:
        known = token.as_dict()
        roles = sorted(map(printable, token.token.list_roles()))
        missing = sorted(set(self._checks.required_roles.get(scope, ())) - set(roles))
        return {
            "scope": scope,
            **{name: known.get(name) for name in _TOKEN_FIELDS},
            "roles": roles,
            "missing_roles": missing,
            "error": self._problems.add(scope, build_missing_roles_error(token, missing)) if missing else None,
            "calls": [],
        }

    def _get_token(self, options: AppTokenOptions) -> AppToken:
        return get_app_token(options, self._messages, self._target)

    def _send(
        self, url: str, token: AppToken, scope: str, statuses: t.Container[int], allowed_hosts: t.Sequence[str] = ()
    ) -> ApiResponse:
        """Read a URL with a token that is replaced if it is refused, and return the response. Raises EntraAuthError."""
        options = dataclasses.replace(self._options, scope=[scope], force_refresh=False)
        held = [token]
        address = resolve_address(url, options, allowed_hosts=allowed_hosts)
        session = ApiSession(
            TokenHolder(options, lambda wanted: held.pop() if held else self._get_token(wanted)),
            address.pin,
            options.get_network_settings(),
            lambda status: status in statuses,
            is_graph=address.is_graph,
            log_progress=lambda text: self._messages.v(f"entra.auth: {text}"),
        )
        return session.send(ApiRequest("GET", address.url, {"Accept": "application/json", **options.extra_headers}))

    def _check_call(self, call: PreflightCall, token: AppToken) -> Report:
        # Without the query, which may hold a secret.
        url = call.url.partition("?")[0]
        try:
            response = self._send(call.url, token, call.scope, call.status_code, self._checks.allowed_hosts)
            content = response.parse_json() if response.is_json else None
        except EntraAuthError as exc:
            failure = exc
        else:
            if _is_without_subscription(call, content):
                self._warnings.append(
                    f"The app {token.as_dict()['client_id']} sees no subscription. To fix it: Give it a role "
                    "assignment in Azure, or remove arm from the scopes."
                )
            url = response.request.url.partition("?")[0]
            return {"url": url, "status": response.status, "ok": True, "response": _summarize(response, content)}
        if url not in failure.message:
            failure.message = f"{url}: {failure.message}"
        self._problems.add(call.scope, failure)
        status = failure.result.get("status") if isinstance(failure, ApiError) else None
        summary = f"{status} {failure.response.error or ''}".rstrip() if status else "no response"
        return {"url": url, "status": status, "ok": False, "response": summary}

    def _check_credentials(self, tokens: t.Mapping[str, AppToken]) -> Report:
        """Read the app's own registration, if that tells when the credential in use expires."""
        kinds = {token.credential for token in tokens.values()}
        if kinds and not kinds & set(CREDENTIAL_LISTS):
            return build_unread(f"a credential of the kind {min(kinds)} is not kept in the app registration")
        if not self._checks.warn_days:
            return build_unread("warn_days is 0")
        if _GRAPH not in tokens:
            known = _GRAPH in (*self._checks.scopes, *self._checks.required_roles)
            return build_unread("there is no token for graph" if known else "graph is not among the scopes")
        token = tokens[_GRAPH]
        listed, kind = CREDENTIAL_LISTS[token.credential]
        client_id = token.as_dict()["client_id"]
        url = f"/v1.0/applications(appId='{client_id}')?$select=displayName,{listed}"
        try:
            content = self._send(url, token, _GRAPH, (200,)).parse_json()
        except EntraAuthError as exc:
            return build_unread(explain_unread(exc, token))
        return read_expirations(content, listed, kind, str(client_id))


def _describe_app(options: AppTokenOptions) -> Report:
    """Return the app that a token was requested for, as far as the options name it."""
    kind = choose_kind(options)
    identity = create_credential(kind, options).get_identity() if kind else options
    return {
        "cloud": options.cloud,
        "tenant_id": identity.tenant_id,
        "client_id": identity.client_id,
        "credential": kind,
    }


def _is_without_subscription(call: PreflightCall, content: t.Any) -> bool:
    is_listing = call.scope == _ARM and call.url.partition("?")[0].endswith("/subscriptions")
    return is_listing and not _get_list(content)


def _get_list(content: t.Any) -> list[t.Any] | None:
    listed = content.get("value") if isinstance(content, dict) else None
    return listed if isinstance(listed, list) else None


def _summarize(response: ApiResponse, content: t.Any) -> str:
    """Return a response in a few words: what it lists or is, by name, or else its status."""
    listed = _get_list(content)
    if listed is None:
        return _get_name(content) or str(response.status)
    names = [name for name in map(_get_name, listed[:_SHOWN_NAMES]) if name]
    more = [f"{len(listed) - len(names)} more"] if len(listed) > len(names) else []
    return ", ".join([*names, *more]) or "nothing"


def _get_name(item: t.Any) -> str | None:
    names = ("displayName", "name", "userPrincipalName", "id")
    found = (printable(item.get(name), _SHOWN_CHARACTERS) for name in names) if isinstance(item, dict) else ()
    return next(filter(None, found), None)


def build_failed_report(message: str) -> Report:
    """Return the report if nothing could be checked at all."""
    credentials = build_unread("nothing could be checked")
    report = {"ok": False, "problems": [message], "warnings": [], "apis": [], "credentials": credentials}
    return {**report, "table": build_table(report)}


__all__ = ("build_failed_report", "check")
