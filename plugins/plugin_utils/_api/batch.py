# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many requests to Microsoft Graph in few (Learn "Combine multiple HTTP requests using JSON batching").

At most twenty go together, those that depend on each other in the same batch. What was throttled is sent again alone,
after the longest of the waits that were asked for.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import json
import re
import time
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.module_utils._http.retry_after import parse_retry_after
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError, parse_error_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.paging import is_listing, pages
from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiRequest, ApiResponse
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import API_OPTIONS, METHODS, SAFE_METHODS
from ansible_collections.entra.auth.plugins.plugin_utils._options.headers import refuse_broken_headers
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiSession

Item = dict[str, t.Any]

_MOST_ITEMS = 20
_MEMBERS = frozenset({"id", "method", "url", "headers", "body", "dependsOn"})
_THROTTLED = (429, 503)
_FAILED_DEPENDENCY = 424
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_SHOWN_FAILURES = 3


def batch_items(requests: t.Sequence[t.Mapping[str, t.Any]]) -> list[Item]:
    """The requests of a batch as they are sent, each with an id. Raises InputError for what Graph would refuse."""
    taken = {str(request["id"]) for request in requests if "id" in request}
    if len(taken) < sum("id" in request for request in requests):
        raise InputError("requests: two have the same id.", hint="Give each an id of its own, or none at all.")
    free = (str(number) for number in range(1, len(requests) + len(taken) + 1) if str(number) not in taken)
    items = [_item(request, free) for request in requests]
    ids = {item["id"] for item in items}
    for item in items:
        unknown = set(item.get("dependsOn", ())) - ids
        if unknown:
            raise InputError(
                f"requests: {item['id']} depends on {sorted(unknown)[0]}, which is none of them.",
                hint="Name in dependsOn the ids of other requests of the same task.",
            )
    return items


def _item(request: t.Mapping[str, t.Any], free: t.Iterator[str]) -> Item:
    id_ = str(request["id"]) if "id" in request else next(free)
    unknown = set(request) - _MEMBERS
    method, url = str(request.get("method", "GET")).upper(), str(request.get("url") or "")
    if unknown or method not in METHODS or not url or "#" in url or "://" in url.partition("?")[0]:
        problem = (
            f"has '{sorted(unknown)[0]}'" if unknown
            else f"has the method {method}" if method not in METHODS
            else "has a # in its url, which cuts it off there; write %23" if "#" in url
            else "has no url relative to the version, like /users"
        )  # fmt: skip
        raise InputError(
            f"requests: {id_} {problem}.", hint=f"A request has {', '.join(sorted(_MEMBERS))}; only url is required."
        )
    item: Item = {"id": id_, "method": method, "url": url if url.startswith("/") else f"/{url}"}
    headers = convert(API_OPTIONS["headers"], request.get("headers") or {}, f"requests: {id_}")
    # They go out in a head of their own with the next pages of a listing.
    refuse_broken_headers(f"requests: {id_}: headers", headers)
    if "body" in request:
        item["body"] = request["body"]
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json"
    depends_on = request.get("dependsOn") or []
    listed = [depends_on] if isinstance(depends_on, (str, int)) else depends_on
    if not isinstance(listed, list):
        raise InputError(f"requests: {id_} has no list in dependsOn.", hint="List the ids of other requests there.")
    more = {"headers": headers, "dependsOn": [str(other) for other in listed]}
    return {**item, **{name: value for name, value in more.items() if value}}


def chunks_of(items: t.Sequence[Item]) -> list[list[Item]]:
    """The items in batches of at most twenty, in their order, those that depend on each other together."""
    batches: list[list[Item]] = [[]]
    for group in _groups(items):
        if len(group) > _MOST_ITEMS:
            raise InputError(
                f"requests: {len(group)} depend on each other, and a batch holds {_MOST_ITEMS}.",
                hint="Split them over several tasks.",
            )
        if len(batches[-1]) + len(group) > _MOST_ITEMS:
            batches.append([])
        batches[-1] += group
    return batches


def _groups(items: t.Sequence[Item]) -> list[list[Item]]:
    """The items that hang together, directly or by others, in the order of the first of each."""
    group_of: dict[str, list[str]] = {item["id"]: [item["id"]] for item in items}
    for item in items:
        for other in item.get("dependsOn", ()):
            one, two = group_of[item["id"]], group_of[other]
            if one is not two:
                one += two
                group_of.update(dict.fromkeys(two, one))
    by_id = {item["id"]: item for item in items}
    order = {id_: number for number, id_ in enumerate(by_id)}
    distinct = {id(group): group for group in group_of.values()}
    return [[by_id[id_] for id_ in sorted(group, key=order.__getitem__)] for group in distinct.values()]


class Batch:
    """Sends ``items`` by requests like ``request``. ``retry_for`` seconds bound the waits for one batch."""

    def __init__(
        self,
        session: ApiSession,
        request: ApiRequest,
        *,
        retry_for: float,
        expects: t.Callable[[int], bool],
        paginate: bool,
        tell: t.Callable[[str], None],
    ) -> None:
        self._session = session
        self._request = request
        self._retry_for = retry_for
        self._expects = expects
        self._paginate = paginate
        self._tell = tell
        self.sent = 0

    def responses(self, items: t.Sequence[Item]) -> list[Item]:
        """The answers in the order of the items: id, status, headers, body. Raises ApiError where some are bad."""
        iterate_body = chunks_of(items)
        responses: dict[str, Item] = {}
        try:
            for chunk in iterate_body:
                self._run(chunk, responses)
            listed = [self._complete(item, responses[item["id"]]) for item in items]
        except EntraAuthError as exc:
            failure = exc
        else:
            return self._judged(listed, items)
        raise self._broken_off(failure, responses, items)

    def _judged(self, listed: list[Item], items: t.Sequence[Item]) -> list[Item]:
        both = zip(items, listed, strict=True)
        bad = [(item, response) for item, response in both if not self._expects(response["status"])]
        if bad:
            raise self._failure(bad, listed, items)
        return listed

    def _run(self, chunk: list[Item], responses: dict[str, Item]) -> None:
        """Add the answers to a batch, those of its throttled requests once they are not."""
        until, backoff = time.monotonic() + self._retry_for, _FIRST_PAUSE_SECONDS
        while True:
            responses.update(self._post(chunk))
            again = self._to_repeat(chunk, responses)
            pause = max([_retry_after(responses[item["id"]]) for item in again], default=0.0) or backoff
            if not again or time.monotonic() + pause > until:
                return
            self._tell(f"{len(again)} requests of a batch were throttled; sends them again in {pause:g} s")
            time.sleep(pause)
            backoff = min(2 * backoff, _LONGEST_PAUSE_SECONDS)
            chunk = again

    def _post(self, chunk: list[Item]) -> dict[str, Item]:
        self.sent += 1
        body = json.dumps({"requests": chunk}).encode()
        only_reads = all(item["method"] == "GET" for item in chunk)
        response = self._session.send(
            dataclasses.replace(self._request, body=body, repeatable=only_reads), accept=(200,)
        )
        content = response.parse_json()
        listed = content.get("responses") if isinstance(content, dict) else None
        responses = {str(one.get("id")): one for one in listed or () if isinstance(one, dict)}
        if any(not isinstance(responses.get(item["id"], {}).get("status"), int) for item in chunk):
            raise ApiError(
                f"The answer of {response.request.safe_description} lacks some of the batch's answers.",
                hint="Look whether the requests took effect before you repeat them.",
            )
        return responses

    @staticmethod
    def _to_repeat(chunk: list[Item], responses: t.Mapping[str, Item]) -> list[Item]:
        """What was throttled and what waits for that, depending on nothing that is done."""
        ids = {item["id"] for item in chunk if responses[item["id"]]["status"] in _THROTTLED}
        waiting = [item for item in chunk if responses[item["id"]]["status"] == _FAILED_DEPENDENCY]
        while new := {item["id"] for item in waiting if ids.intersection(item.get("dependsOn", ()))} - ids:
            ids |= new
        again = [item for item in chunk if item["id"] in ids]
        return [{**item, "dependsOn": [other for other in item.get("dependsOn", ()) if other in ids]} for item in again]

    def _complete(self, item: Item, response: Item) -> Item:
        """An answer with the whole of a listing that it began."""
        body = response.get("body")
        listed = _plain(response)
        if not (self._paginate and item["method"] == "GET" and is_listing(body) and self._expects(response["status"])):
            return listed
        root = re.sub(r"/\$batch$", "", urllib.parse.urlsplit(self._request.url)._replace(query="").geturl())
        first = ApiRequest("GET", root + item["url"], item.get("headers", {}))
        whole: Item = {}
        items: list[t.Any] = []
        for page in pages(self._session, ApiResponse(first, 200, {}, b""), body, self._tell):
            whole.update(page.rest)
            items += page.items
        return {**listed, "body": {**whole, "value": items}}

    def _failure(self, bad: list[tuple[Item, Item]], listed: list[Item], items: t.Sequence[Item]) -> ApiError:
        shown = "; ".join(_complained(item, response) for item, response in bad[:_SHOWN_FAILURES])
        more = f"; and {len(bad) - _SHOWN_FAILURES} more" if len(bad) > _SHOWN_FAILURES else ""
        failure = ApiError(
            f"{len(bad)} of {len(listed)} requests of the batch failed: {shown}{more}.",
            hint="Look at responses, which holds every answer; statuses that are good ones too go into status_code.",
        )
        failure.request_summary = self._session.token.describe_request()
        failure.result = {"status": bad[0][1]["status"], **self._fields(items, {one["id"]: one for one in listed})}
        return failure

    def _broken_off(
        self, failure: EntraAuthError, responses: t.Mapping[str, Item], items: t.Sequence[Item]
    ) -> EntraAuthError:
        """A failure on the way, with the answers that there were before."""
        more = (
            f" {len(responses)} of {len(items)} requests were answered before, as responses tells." if responses else ""
        )
        whole = ApiError(f"{failure.message}{more}", hint=failure.hint, response=failure.response)
        whole.request_summary, whole.from_cache = failure.request_summary, failure.from_cache
        result = failure.result if isinstance(failure, ApiError) else {}
        whole.result = {**result, **self._fields(items, responses)}
        return whole

    def _fields(self, items: t.Sequence[Item], responses: t.Mapping[str, Item]) -> Item:
        answered = [(item, _plain(responses[item["id"]])) for item in items if item["id"] in responses]
        wrote = any(item["method"] not in SAFE_METHODS and self._expects(one["status"]) for item, one in answered)
        return {
            "responses": [one for _item, one in answered],
            "count": len(answered),
            "pages": self.sent,
            "changed": wrote,
        }


def _plain(response: Item) -> Item:
    headers, body = response.get("headers") or {}, response.get("body")
    return {"id": str(response["id"]), "status": response["status"], "headers": headers, "body": body}


def _complained(item: Item, response: Item) -> str:
    body = response.get("body")
    complaint = parse_error_body(body if isinstance(body, dict) else {})
    return f"{item['id']} ({item['method']} {item['url'].partition('?')[0]}) was answered {response['status']}: {complaint}"


def _retry_after(response: Item) -> float:
    headers = {str(name).lower(): str(value) for name, value in (response.get("headers") or {}).items()}
    return parse_retry_after(headers.get("retry-after", "")) or 0.0


__all__ = ("Batch", "batch_items", "chunks_of")
