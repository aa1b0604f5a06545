# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the role ``preflight`` plans its calls, judges the answers and shows them.

Tokens and answers are the results of loops over ``entra.auth.app_token`` and ``ansible.builtin.uri``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import itertools
import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import parse_error_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_calls import objection, refusal, roles_of

Found = t.Mapping[str, t.Any]
Report = dict[str, t.Any]

_GRAPH = "graph"
_HEADINGS = ("API", "App", "Tenant", "Roles", "Token valid until", "Answer")
_SHOWN_NAMES = 3
# Token lifetimes and certificate assertions bear less than that (Learn, "Application authentication certificate
# credentials").
_SKEW_SECONDS = 300
# Graph's lists of what proves an app (Learn, "application resource type"), by the credential that uses them.
_ENDING = {"client_secret": ("passwordCredentials", "secret"), "client_certificate": ("keyCredentials", "certificate")}


def plan(
    tokens: t.Sequence[Found], calls: t.Sequence[Found], allowed_hosts: t.Sequence[str], warn_days: int
) -> list[Report]:
    """What to ask of the APIs that there is a token for: ``scope``, absolute ``url``, ``status_code``, ``of``.

    ``objection`` says why it is not to be asked, and is empty where it is; ``planned_on`` is when it was planned.
    """
    by_scope = _by_scope(tokens)
    possible = [(call, by_scope[_scope_of(call)]) for call in calls if _scope_of(call) in by_scope]
    planned = [_planned(call, token, allowed_hosts) for call, token in possible]
    graph = by_scope.get(_GRAPH)
    if graph and warn_days and graph["credential"] in _ENDING:
        select = f"$select=displayName,{_ENDING[graph['credential']][0]}"
        itself = {"url": f"/v1.0/applications(appId='{graph['client_id']}')?{select}", "status_code": [200]}
        planned.append({**_planned(itself, graph, ()), "of": "itself"})
    return planned


def _by_scope(tokens: t.Sequence[Found]) -> dict[str, Found]:
    return {str(token["item"]): token for token in tokens if token.get("access_token")}


def _scope_of(call: Found) -> str:
    return str(call.get("scope") or _GRAPH)


def _planned(call: Found, token: Found, allowed_hosts: t.Sequence[str]) -> Report:
    url, scope = str(call["url"]), _scope_of(call)
    if "://" not in url.partition("?")[0]:
        url = f"{(token['api_url'] or '').rstrip('/')}/{url.lstrip('/')}"
    return {
        "scope": scope,
        "url": url,
        "planned_on": _now().timestamp(),
        "status_code": [int(status) for status in call.get("status_code") or [200]],
        "of": "call",
        "objection": objection(
            url, token, scope, allowed_hosts, f"preflight_calls: {url.partition('?')[0]}", "preflight_"
        ),
    }


def report(
    tokens: t.Sequence[Found],
    responses: t.Sequence[Found],
    asked_again: t.Mapping[str, Found],
    required_roles: t.Mapping[str, t.Sequence[str]],
    warn_days: int,
) -> Report:
    """All that was found, without a token: ``ok``, ``problems``, ``warnings``, ``apis`` and ``credentials``.

    ``asked_again`` are later answers by their URLs.
    """
    apis = [_api(token, required_roles.get(str(token["item"])) or ()) for token in tokens]
    by_scope = _by_scope(tokens)
    problems = [api["error"] for api in apis if api["error"]]
    warnings: list[str] = []
    credentials = _credentials(tokens, warn_days)
    for first in responses:
        call = first["__preflight_call"]
        response = asked_again.get(call["url"], first)
        if call["of"] == "itself":
            credentials = _ends(response, by_scope[call["scope"]], warn_days)
            continue
        judged = _judged(call, response, by_scope[call["scope"]])
        next(api for api in apis if api["scope"] == call["scope"])["calls"].append(judged)
        problems += filter(None, [judged.pop("problem")])
        warnings += filter(None, [judged.pop("warning")])
    warnings += [*_skewed(responses), *credentials.pop("warnings", ())]
    return {"ok": not problems, "problems": problems, "warnings": warnings, "apis": apis, "credentials": credentials}


def _api(token: Found, required: t.Sequence[str]) -> Report:
    roles = roles_of(token)
    missing = sorted(set(required) - set(roles)) if token.get("access_token") else []
    lacking = (
        f"The token for {token.get('scope')} lacks the app roles {', '.join(missing)}. To fix it: Grant them to the "
        "app as application permissions with admin consent; then ask once with force_refresh."
    )
    names = ("api_url", "cloud", "tenant_id", "client_id", "credential", "expires_at")
    return {
        "scope": str(token["item"]),
        **{name: token.get(name) for name in names},
        "roles": roles,
        "missing_roles": missing,
        "error": lacking if missing else None if token.get("access_token") else token.get("msg"),
        "calls": [],
    }


def _judged(call: Found, response: Found, token: Found) -> Report:
    status = response.get("status")
    ok = status in call["status_code"]
    content = response.get("json")
    problem = warning = None
    if call["objection"]:
        problem, said = call["objection"], "not asked"
    elif ok:
        said = _summary(content)
        if call["scope"] == "arm" and call["url"].partition("?")[0].endswith("/subscriptions") and not _listed(content):
            warning = (
                f"The app {token['client_id']} sees no subscription. To fix it: Give it a role assignment in Azure, or "
                "take arm out of preflight_scopes."
            )
    elif isinstance(status, int) and status > 0:
        problem = refusal(response, token, f"GET {call['url']}")
        said = f"{status} {parse_error_body(content or {}).code or ''}".rstrip()
    else:
        place = call["url"].partition("?")[0]
        problem = f"GET {place} brought no answer: {response.get('msg') or 'it was not made'}"
        said = "no answer"
    shown = {"url": call["url"], "status": status, "ok": ok, "answer": said}
    return {**shown, "problem": problem, "warning": warning}


def _listed(content: t.Any) -> list[t.Any] | None:
    listed = content.get("value") if isinstance(content, dict) else None
    return listed if isinstance(listed, list) else None


def _summary(content: t.Any) -> str:
    """An answer in a few words: what it lists or is, by name."""
    listed = _listed(content)
    if listed is None:
        return _name(content) or "answered"
    names = [name for name in map(_name, listed[:_SHOWN_NAMES]) if name]
    more = [f"{len(listed) - len(names)} more"] if len(listed) > len(names) else []
    return ", ".join([*names, *more]) or "nothing"


def _name(item: t.Any) -> str | None:
    names = ("displayName", "name", "userPrincipalName", "id")
    return next((str(item[name]) for name in names if item.get(name)), None) if isinstance(item, dict) else None


def _skewed(responses: t.Sequence[Found]) -> list[str]:
    skew = min(_skews(responses), key=abs, default=0.0)
    if abs(skew) < _SKEW_SECONDS:
        return []
    ahead = "ahead of" if skew > 0 else "behind"
    return [
        f"The clock of this machine is {abs(skew):.0f} s {ahead} that of the API. To fix it: Set the clock; tokens and "
        "certificates depend on it."
    ]


def _skews(responses: t.Sequence[Found]) -> t.Iterator[float]:
    """By how many seconds the clock is off at least: an answer came after its call was planned, and is here now."""
    for response in responses:
        planned_on = response["__preflight_call"]["planned_on"]
        # A year that Python can't count with is as good as no date.
        with contextlib.suppress(ValueError, OverflowError):
            if date := email.utils.parsedate_tz(str(response.get("date", ""))):
                answered_on = email.utils.mktime_tz(date)
                yield max(0.0, planned_on - answered_on) or min(0.0, _now().timestamp() - answered_on)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


# --- when the app's credentials end -----------------------------------------------------------------------------


def _credentials(tokens: t.Sequence[Found], warn_days: int) -> Report:
    """What is known without asking Graph."""
    by_scope = _by_scope(tokens)
    kind = next((token["credential"] for token in by_scope.values()), None)
    if kind and kind not in _ENDING:
        return _unread(f"a {kind} credential has none that is kept in Entra")
    if not warn_days:
        return _unread("preflight_warn_days is 0")
    if _GRAPH not in {str(token["item"]) for token in tokens}:
        return _unread("graph is not in preflight_scopes")
    return _unread("there is no token for graph")


def _unread(note: str) -> Report:
    return {"read": False, "note": note, "ends": []}


def _ends(response: Found, token: Found, warn_days: int) -> Report:
    listed, word = _ENDING[token["credential"]]
    if response.get("status") != 200 or not isinstance(response.get("json"), dict):
        return _unread(_why_not(response, token))
    entries = [_end(entry, word) for entry in response["json"].get(listed) or () if entry.get("endDateTime")]
    ends = sorted((end for end in entries if end["days_left"] >= 0), key=lambda end: str(end["ends_at"]))
    warnings = [_ending(end, token) for end in ends if end["days_left"] < warn_days]
    return {"read": True, "note": None, "ends": ends, "warnings": warnings}


def _why_not(response: Found, token: Found) -> str:
    reasons = {
        403: "Graph lets the app not read itself; Application.Read.All would allow it",
        404: f"the app is registered in another tenant than {token['tenant_id']}",
    }
    status = response.get("status")
    return reasons.get(status if isinstance(status, int) else 0, f"Graph answered {status} when asked for the app")


def _end(entry: Found, word: str) -> Report:
    # Graph gives up to seven digits of a second's fraction, more than Python reads.
    moment = datetime.datetime.strptime(f"{str(entry['endDateTime'])[:19]}+0000", "%Y-%m-%dT%H:%M:%S%z")
    return {
        "kind": word,
        "name": entry.get("displayName"),
        "key_id": entry.get("keyId"),
        "ends_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "days_left": (moment - _now()).days,
    }


def _ending(end: Found, token: Found) -> str:
    return (
        f"The {end['kind']} '{end['name']}' (key id {end['key_id']}) of the app {token['client_id']} ends on "
        f"{str(end['ends_at'])[:10]}, in {end['days_left']} days. To fix it: Make a new one and hand it to all that "
        "use this one; or remove it where nothing does."
    )


# --- the table --------------------------------------------------------------------------------------------------


def table(found: Report, *, problems: bool) -> list[str]:
    """The report as lines of text, with the problems or without."""
    rows = [_HEADINGS, *(row for api in found["apis"] for row in _rows(api))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    wrong = [f"Problem: {one}" for one in found["problems"]] if problems else []
    return [
        *lines,
        "",
        _credential_line(found["credentials"]),
        *(f"Warning: {one}" for one in found["warnings"]),
        *wrong,
    ]


def _rows(api: Report) -> t.Iterator[tuple[str, ...]]:
    """One line for an API, and more where it has several roles or calls."""
    none = "by Azure RBAC" if api["scope"] == "arm" and api["expires_at"] else "none"
    roles = [*(api["roles"] or [none]), *(f"missing: {role}" for role in api["missing_roles"])]
    responses = [_answer(call, api["calls"]) for call in api["calls"]]
    responses = responses or ["no token" if api["expires_at"] is None else "not asked"]
    first = (api["scope"], api["client_id"] or "", api["tenant_id"] or "")
    for number, (role, response) in enumerate(itertools.zip_longest(roles, responses, fillvalue="")):
        left, until = (("", "", ""), "") if number else (first, api["expires_at"] or "")
        yield (*left, role, until, response)


def _answer(call: Found, calls: t.Sequence[Found]) -> str:
    # Not by urlsplit, which refuses some URLs: one that was not asked may be any text.
    path = "".join(call["url"].partition("?")[0].split("/", 3)[3:])
    return f"/{path}: {call['response']}" if len(calls) > 1 else str(call["answer"])


def _credential_line(credentials: Found) -> str:
    if not credentials["read"]:
        return f"End of secrets and certificates: not known, because {credentials['note']}"
    listed = [f"{end['kind']} '{end['name']}' in {end['days_left']} days" for end in credentials["ends"]]
    return f"End of secrets and certificates: {', '.join(listed) or 'none ends'}"


__all__ = ("plan", "report", "table")
