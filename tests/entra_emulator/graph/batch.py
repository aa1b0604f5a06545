# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many requests in one (Learn "Combine multiple HTTP requests using JSON batching")."""

from __future__ import annotations

import base64
import typing as t

from flask import Response, current_app, request
from werkzeug.test import EnvironBuilder

from .. import refusals
from ..faults import Facts
from ..gateway import ENTRY
from ..refusals import REFUSAL
from ..tokens import peek
from ..world import world
from .service import GraphError, given, graph

if t.TYPE_CHECKING:
    from .service import Answer, Body

_MOST_ITEMS: t.Final = 20
_SHOWN_HEADERS: t.Final = ("Content-Type", "Location", "Retry-After", "WWW-Authenticate")
_FAILED_DEPENDENCY: t.Final = {"error": {"code": "FailedDependency", "message": "A request this one needs has failed."}}


@graph.post("/$batch")
def batch() -> Answer:
    """Answers to all items, the last one first: clients have to go by the ids."""
    run = _Run(_items())
    for id_ in run.items:
        run.answer(id_)
    request.environ[ENTRY].batch = [{**run.items[id_], "status": run.answers[id_]["status"]} for id_ in run.items]
    return {"responses": [run.answers[id_] for id_ in reversed(run.items)]}


def _items() -> dict[str, Body]:
    """The items by id, each with what it must have."""
    listed = given().get("requests")
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise GraphError(400, "BadRequest", "Invalid batch payload format.")
    if len(listed) > _MOST_ITEMS:
        raise GraphError(400, "BadRequest", f"Number of batch requests exceeds the maximum value of {_MOST_ITEMS}.")
    for item in listed:
        _check(item)
    items = {item["id"]: item for item in listed}
    if len(items) < len(listed):
        raise GraphError(400, "BadRequest", "Request Id has to be unique in a batch.")
    for item in listed:
        if not set(item.get("dependsOn", [])) <= set(items):
            raise GraphError(400, "BadRequest", f"Request {item['id']} depends on a request that is not there.")
    return items


def _check(item: Body) -> None:
    if not all(isinstance(item.get(name), str) and item[name] for name in ("id", "method", "url")):
        raise GraphError(400, "BadRequest", "Invalid batch payload format.")
    if "://" in item["url"]:
        raise GraphError(400, "BadRequest", f"The url of request {item['id']} is not relative.")
    headers = {name.lower() for name in item.get("headers", {})}
    if "body" in item and "content-type" not in headers:
        raise GraphError(400, "BadRequest", f"Write request id : {item['id']} does not contain Content-Type header.")


class _Run:
    """One batch on its way."""

    def __init__(self, items: dict[str, Body]) -> None:
        self.items = items
        self.answers: dict[str, Body] = {}
        self._begun: set[str] = set()

    def answer(self, id_: str) -> bool:
        """Whether that item succeeded, once those it depends on did."""
        if id_ not in self.answers:
            if id_ in self._begun:
                raise GraphError(400, "BadRequest", f"Request {id_} depends on itself.")
            self._begun.add(id_)
            item = self.items[id_]
            ready = all(self.answer(other) for other in item.get("dependsOn", []))
            self.answers[id_] = {"id": id_, **(_call(item) if ready else {"status": 424, "body": _FAILED_DEPENDENCY})}
        return int(self.answers[id_]["status"]) < 400


def _call(item: Body) -> Body:
    """What Graph answers to one item, with the batch's own token unless it has another."""
    path = item["url"] if item["url"].startswith("/") else f"/{item['url']}"
    token = request.headers.get("Authorization", "")
    builder = EnvironBuilder(
        path=f"/{request.path.split('/')[1]}{path}",
        base_url=request.host_url,
        method=item["method"],
        headers=list({"Authorization": token, **item.get("headers", {})}.items()),
        json=item.get("body"),
    )
    environ = {**builder.get_environ(), ENTRY: request.environ[ENTRY]}
    fault = world().faults.strike(_facts(item["method"], path, token))
    if fault:
        environ[REFUSAL] = refusals.of(fault.options, world().clock.now())
    return _as_item(t.cast("Response", Response.from_app(current_app.wsgi_app, environ)))


def _facts(method: str, path: str, token: str) -> Facts:
    path, _dummy, query = path.partition("?")
    return Facts("batch_item", method, path, query, str(peek(token.partition(" ")[2]).get("appid", "")))


def _as_item(response: Response) -> Body:
    headers = {name: response.headers[name] for name in _SHOWN_HEADERS if name in response.headers}
    answer: Body = {"status": response.status_code, "headers": headers}
    if response.is_json:
        answer["body"] = response.get_json()
    elif response.get_data():
        answer["body"] = base64.b64encode(response.get_data()).decode()
    return answer
