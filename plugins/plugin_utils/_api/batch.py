# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send many requests to Microsoft Graph in few (Learn "Combine multiple HTTP requests using JSON batching").

At most twenty go together; requests that depend on each other go in the same batch. Throttled requests are sent again
on their own, after the longest of the waits that Graph asks for. The responses that there are get lost in no failure.

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
from ansible_collections.entra.auth.plugins.plugin_utils._api.backoff import Backoff
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError, add_result, parse_error_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse, Headers
from ansible_collections.entra.auth.plugins.plugin_utils._api.next_page import is_listing
from ansible_collections.entra.auth.plugins.plugin_utils._api.paging import iterate_pages
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import API_OPTIONS, METHODS, SAFE_METHODS
from ansible_collections.entra.auth.plugins.plugin_utils._options.headers import refuse_broken_headers
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.session import ApiSession

# A request of a batch as it is sent.
Item = dict[str, t.Any]
# A response of a batch: id, status, headers and body, of the types that these have to be.
ItemResponse = dict[str, t.Any]

_MAX_ITEMS = 20
_MEMBERS = frozenset({"id", "method", "url", "headers", "body", "dependsOn"})
_THROTTLED = (429, 503)
_FAILED_DEPENDENCY = 424
_SHOWN_FAILURES = 3


def build_items(requests: t.Sequence[t.Mapping[str, t.Any]]) -> list[Item]:
    """Return the requests of a batch as they are sent, each with an id. Raises InputError if Graph would refuse one."""
    taken = {str(request["id"]) for request in requests if "id" in request}
    if len(taken) < sum("id" in request for request in requests):
        raise InputError("requests: two have the same id.", hint="Give each an id of its own, or none at all.")
    free = (str(number) for number in range(1, len(requests) + len(taken) + 1) if str(number) not in taken)
    items = [_build_item(request, free) for request in requests]
    ids = {item["id"] for item in items}
    for item in items:
        unknown = set(item.get("dependsOn", ())) - ids
        if unknown:
            raise InputError(
                f"requests: {item['id']} depends on {min(unknown)}, which is not the id of a request.",
                hint="Name in dependsOn the ids of other requests of the same task.",
            )
    return items


def _build_item(request: t.Mapping[str, t.Any], free: t.Iterator[str]) -> Item:
    id_ = str(request["id"]) if "id" in request else next(free)
    method, url = str(request.get("method", "GET")).upper(), str(request.get("url") or "")
    _refuse_broken_request(id_, method, url, set(request) - _MEMBERS)
    item: Item = {"id": id_, "method": method, "url": url if url.startswith("/") else f"/{url}"}
    headers = convert(API_OPTIONS["headers"], request.get("headers") or {}, f"requests: {id_}")
    # The next pages of a listing are requested with the same headers.
    refuse_broken_headers(f"requests: {id_}: headers", headers)
    if "body" in request:
        item["body"] = request["body"]
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json"
    more = {"headers": headers, "dependsOn": _convert_depends_on(id_, request.get("dependsOn") or [])}
    return {**item, **{name: value for name, value in more.items() if value}}


def _refuse_broken_request(id_: str, method: str, url: str, unknown: set[str]) -> None:
    problems = {
        f"has '{min(unknown, default='')}'": bool(unknown),
        f"has the method {method}": method not in METHODS,
        "has a # in its url, and the text after it would not be sent; write %23": "#" in url,
        "has a blank in its url; write %20": bool(re.search(r"\s", url)),
        "has no url relative to the version, like /users": not url or "://" in url.partition("?")[0],
    }
    problem = next((words for words, is_so in problems.items() if is_so), None)
    if problem:
        raise InputError(
            f"requests: {id_} {problem}.", hint=f"A request has {', '.join(sorted(_MEMBERS))}; only url is required."
        )


def _convert_depends_on(id_: str, value: t.Any) -> list[str]:
    listed = [value] if isinstance(value, (str, int)) else value
    if not isinstance(listed, list):
        raise InputError(f"requests: {id_} has no list in dependsOn.", hint="List the ids of other requests there.")
    return [str(other) for other in listed]


def split_into_batches(items: t.Sequence[Item]) -> list[list[Item]]:
    """Split the items into batches of at most twenty, in their order; items that depend on each other stay together."""
    batches: list[list[Item]] = [[]]
    for group in _group_by_dependency(items):
        if len(group) > _MAX_ITEMS:
            raise InputError(
                f"requests: {len(group)} depend on each other, and a batch holds {_MAX_ITEMS}.",
                hint="Split them over several tasks.",
            )
        if len(batches[-1]) + len(group) > _MAX_ITEMS:
            batches.append([])
        batches[-1] += group
    return batches


def _group_by_dependency(items: t.Sequence[Item]) -> list[list[Item]]:
    """Return the items that depend on each other, directly or by others, in the order of the first of each group."""
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
    """Sends items by requests like ``request``.

    Args:
        session: Sends the requests.
        request: The request for a batch, without its body.
        retry_for: Seconds for the waits of one batch.
        expects: Whether a status is a good one.
        paginate: Whether to complete the listings among the responses.
        log_progress: Takes a sentence about the progress.
    """

    def __init__(
        self,
        session: ApiSession,
        request: ApiRequest,
        *,
        retry_for: float,
        expects: t.Callable[[int], bool],
        paginate: bool,
        log_progress: t.Callable[[str], None],
    ) -> None:
        self._session = session
        self._request = request
        self._retry_for = retry_for
        self._expects = expects
        self._paginate = paginate
        self._log_progress = log_progress
        self.sent = 0
        self.has_written = False

    def send(self, items: t.Sequence[Item]) -> list[ItemResponse]:
        """Return the responses in the order of the items. Raises ApiError, with all responses, if some are bad."""
        batches = split_into_batches(items)
        responses: dict[str, ItemResponse] = {}
        try:
            for batch in batches:
                self._send_until_done(batch, responses)
            for item in items:
                responses[item["id"]] = self._complete(item, responses[item["id"]])
        except EntraAuthError as exc:
            failure = exc
        else:
            return self._judge(items, responses)
        raise self._add_responses(failure, items, responses)

    def _judge(self, items: t.Sequence[Item], responses: dict[str, ItemResponse]) -> list[ItemResponse]:
        listed = [responses[item["id"]] for item in items]
        both = zip(items, listed, strict=True)
        bad = [(item, response) for item, response in both if not self._expects(response["status"])]
        if bad:
            raise self._build_failure(bad, items, responses)
        return listed

    def _send_until_done(self, batch: list[Item], responses: dict[str, ItemResponse]) -> None:
        """Add the responses to a batch; throttled requests are sent again while there is time."""
        backoff = Backoff(self._retry_for)
        while True:
            self._post(batch, responses, backoff.until)
            again = _select_throttled(batch, responses)
            pause = backoff.choose_pause(max((_get_retry_after(responses[item["id"]]) for item in again), default=None))
            if not again or pause is None:
                return
            self._log_progress(f"{len(again)} requests of a batch were throttled; sends them again in {pause:g} s")
            time.sleep(pause)
            batch = again

    def _post(self, batch: list[Item], responses: dict[str, ItemResponse], until: float) -> None:
        """Send a batch and add its responses. Raises ApiError, after that, if some are missing."""
        self.sent += 1
        body = json.dumps({"requests": batch}).encode()
        only_reads = all(item["method"] in SAFE_METHODS for item in batch)
        request = dataclasses.replace(self._request, body=body, repeatable=only_reads)
        response = self._session.send(request, accept=(200,), until=until)
        content = response.parse_json()
        found = _parse_responses(content)
        missing = [item["id"] for item in batch if item["id"] not in found]
        for item in batch:
            if item["id"] in found:
                responses[item["id"]] = found[item["id"]]
                is_write = item["method"] not in SAFE_METHODS
                self.has_written |= is_write and 200 <= found[item["id"]]["status"] < 300
        if missing:
            failure = ApiError(
                f"The response to {response.request.safe_description} lacks the responses to "
                f"{len(missing)} of {len(batch)} requests.",
                hint="Look whether those requests took effect before you repeat them.",
            )
            failure.result = {"status": response.status}
            raise failure

    def _complete(self, item: Item, response: ItemResponse) -> ItemResponse:
        """Return a response with all pages of the listing that it began."""
        body = response["body"]
        headers = Headers({name: value for name, value in response["headers"].items() if isinstance(value, str)})
        if not self._paginate or item["method"] != "GET" or not self._expects(response["status"]):
            return response
        if not isinstance(body, dict) or not is_listing(body, headers):
            return response
        root = re.sub(r"/\$batch$", "", urllib.parse.urlsplit(self._request.url)._replace(query="").geturl())
        first = ApiRequest("GET", root + item["url"], item.get("headers", {}))
        whole: dict[str, t.Any] = {}
        items: list[t.Any] = []
        name = ""
        for page in iterate_pages(self._session, ApiResponse(first, 200, headers, b""), body, self._log_progress):
            whole.update(page.rest)
            items += page.items
            name = name or page.list_name or "value"
        return {**response, "body": {**whole, name: items}}

    def _build_failure(
        self, bad: list[tuple[Item, ItemResponse]], items: t.Sequence[Item], responses: dict[str, ItemResponse]
    ) -> ApiError:
        shown = "; ".join(_describe(item, response) for item, response in bad[:_SHOWN_FAILURES])
        more = f"; and {len(bad) - _SHOWN_FAILURES} more" if len(bad) > _SHOWN_FAILURES else ""
        failure = ApiError(
            f"{len(bad)} of {len(items)} requests of the batch failed: {shown}{more}.",
            hint="Look at responses, which holds every response; name further good statuses in status_code.",
        )
        failure.request_summary = self._session.token.describe_request()
        failure.result = {"status": bad[0][1]["status"], **self._build_fields(items, responses)}
        return failure

    def _add_responses(
        self, failure: EntraAuthError, items: t.Sequence[Item], responses: t.Mapping[str, ItemResponse]
    ) -> ApiError:
        """Return a failure of a whole batch with the responses that there are."""
        if responses:
            failure.message += f" {len(responses)} of {len(items)} requests have responses, which responses holds."
        return add_result(failure, self._build_fields(items, responses))

    def _build_fields(self, items: t.Sequence[Item], responses: t.Mapping[str, ItemResponse]) -> dict[str, t.Any]:
        known = [responses[item["id"]] for item in items if item["id"] in responses]
        return {"responses": known, "count": len(known), "pages": self.sent, "changed": self.has_written}


def _parse_responses(content: t.Any) -> dict[str, ItemResponse]:
    """Return the usable responses of a batch by their ids."""
    listed = content.get("responses") if isinstance(content, dict) else None
    found: dict[str, ItemResponse] = {}
    for one in listed if isinstance(listed, list) else ():
        status = one.get("status") if isinstance(one, dict) else None
        if isinstance(status, int) and not isinstance(status, bool):
            headers = one.get("headers")
            found[str(one.get("id"))] = {
                "id": str(one.get("id")),
                "status": status,
                "headers": headers if isinstance(headers, dict) else {},
                "body": one.get("body"),
            }
    return found


def _select_throttled(batch: list[Item], responses: t.Mapping[str, ItemResponse]) -> list[Item]:
    """Return the throttled requests and those that wait for them, without dependencies on finished requests."""
    ids = {item["id"] for item in batch if responses[item["id"]]["status"] in _THROTTLED}
    waiting = [item for item in batch if responses[item["id"]]["status"] == _FAILED_DEPENDENCY]
    while new := {item["id"] for item in waiting if ids.intersection(item.get("dependsOn", ()))} - ids:
        ids |= new
    again = [item for item in batch if item["id"] in ids]
    return [{**item, "dependsOn": [other for other in item.get("dependsOn", ()) if other in ids]} for item in again]


def _describe(item: Item, response: ItemResponse) -> str:
    body = response["body"]
    error = parse_error_body(body if isinstance(body, dict) else {})
    request = f"{item['method']} {item['url'].partition('?')[0]}"
    return f"{item['id']} ({request}) responded with {response['status']}: {error}"


def _get_retry_after(response: ItemResponse) -> float:
    headers = {str(name).lower(): str(value) for name, value in response["headers"].items()}
    return parse_retry_after(headers.get("retry-after", "")) or 0.0


__all__ = ("Batch", "build_items", "split_into_batches")
