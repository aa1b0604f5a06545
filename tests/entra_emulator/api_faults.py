# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults only an API has: tokens that end early, and links to pages and operations that lead astray."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

from .fields import take
from .paging import EMPTY
from .text import dump

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Response

    from .exchange import Exchange, Options

_POLLED: t.Final = ("Location", "Azure-AsyncOperation")
_LINKS: t.Final = ("@odata.nextLink", "nextLink")


def revoke_token(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """Void every token of the client first; with ``challenge`` the 401 asks for claims."""
    client_id = str(exchange.world.issuer.claims_of(exchange.bearer_token()).get("appid", ""))
    exchange.world.issuer.revoke(client_id, challenge=take(options, "challenge", bool, False))
    return exchange.proceed()


def expire_token(_options: Options, exchange: Exchange) -> Iterable[bytes]:
    """End the request's token first."""
    exchange.world.issuer.expire(exchange.bearer_token())
    return exchange.proceed()


def next_link(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """The page with another link to the next, which it also has if it is the last."""
    healthy = exchange.healthy()
    if healthy.status_code == 200:
        page = healthy.get_json()
        own = Request(exchange.environ).url
        link = str(next((page[name] for name in _LINKS if name in page), own))
        _write(
            healthy, {**page, _link_name(exchange): _astray(take(options, "to", str, "foreign"), link, own, exchange)}
        )
    return exchange.send(healthy)


def operation_link(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """The healthy answer with other addresses to poll."""
    healthy = exchange.healthy()
    own = Request(exchange.environ).url
    for name in _POLLED:
        if name in healthy.headers:
            link = healthy.headers[name]
            healthy.headers[name] = _astray(take(options, "to", str, "foreign"), link, own, exchange)
    return exchange.send(healthy)


def empty_page(_options: Options, exchange: Exchange) -> Iterable[bytes]:
    """A page without items, whose link leads to where the client was going."""
    healthy = exchange.healthy()
    if healthy.status_code == 200:
        asked = Request(exchange.environ)
        others = [pair for pair in asked.url.partition("?")[2].split("&") if pair and not pair.startswith(EMPTY)]
        number = int(asked.args.get(EMPTY, "0")) + 1
        link = f"{asked.base_url}?{'&'.join([*others, f'{EMPTY}={number}'])}"
        _write(healthy, {**healthy.get_json(), _link_name(exchange): link, "value": []})
    return exchange.send(healthy)


def _astray(target: str, link: str, own: str, exchange: Exchange) -> str:
    """Where ``target`` leads instead of ``link``: the short names of the README, or a URL as it is."""
    parts = urlsplit(link)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if target in ("foreign", "foreign_http"):
        return exchange.world.urls[target] + path
    named = {"loop": own, "relative": path, "http": link.replace("https:", "http:", 1)}
    return named.get(target, target)


def _link_name(exchange: Exchange) -> str:
    return _LINKS[not exchange.environ["PATH_INFO"].startswith(("/v1.0", "/beta"))]


def _write(response: Response, page: dict[str, t.Any]) -> None:
    response.set_data(dump(page))
