# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fault does to a request: one function per action in ``ACTIONS``, with the options it takes."""

from __future__ import annotations

import json
import time
import typing as t
from urllib.parse import parse_qsl, quote

from flask import Response

from . import api_faults, errors, refusals, wire, wire_faults
from .errors import EntraError
from .fields import take
from .text import dump, new_guid

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .exchange import Action, Exchange, Options

_BLOCK: t.Final = b"x" * 65536
_GIB: t.Final = 1024**3
_LONGEST_SECONDS: t.Final = 3600.0  # of a drip nobody hangs up on
_GIVE_CLIENT_TIME_SECONDS: t.Final = 0.05  # to read what was sent before the connection is reset


def _status(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """Any status, body and headers, or an API's own refusal; ``retry_after`` in seconds, sent as such or as a date."""
    status = take(options, "status", int, 503)
    now = exchange.world.clock.now()
    if exchange.listener == "api" and options.get("body") is None:
        exchange.environ[refusals.REFUSAL] = refusals.of(options, now)
        return exchange.proceed()
    response = _body(options, exchange, status)
    response.status_code = status
    response.headers.update(refusals.headers_of(options, now))
    return exchange.send(response)


def _body(options: Options, exchange: Exchange, status: int) -> Response:
    """The body given, or what the service sends: text from login (Entra's 429 is not JSON), JSON from a platform."""
    body = options.get("body")
    if isinstance(body, str):
        return Response(body, content_type=take(options, "content_type", str, "text/plain"))
    words = refusals.phrase(status)
    if body is None and exchange.listener == "platform":
        body = {"error": words.lower().replace(" ", "_"), "error_description": f"It answered {status}."}
    elif body is None:
        return Response(words, content_type="text/plain")
    return Response(dump(body), content_type="application/json")


def _error(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """An AADSTS answer, anything of it replaceable."""
    extra = {name: options[name] for name in ("suberror", "claims", "interval") if name in options}
    refused = EntraError(
        take(options, "code", int, 50000),
        status=take(options, "status", int, 0) or None,
        error=take(options, "error", str, "") or None,
        extra=extra,
    )
    client_request_id = exchange.environ.get("HTTP_CLIENT_REQUEST_ID", "")
    return exchange.send(errors.response(refused, exchange.world.around(new_guid(), client_request_id)))


def _named_error(code: int, error: str) -> Action:
    """A device flow error by its name (RFC 8628 section 3.5; Learn "OAuth 2.0 device authorization grant flow")."""
    return lambda options, exchange: _error({**options, "code": code, "error": error}, exchange)


def _redirect(options: Options, exchange: Exchange) -> Iterable[bytes]:
    location = take(options, "location", str, exchange.world.urls["foreign"])
    return exchange.send(Response(status=take(options, "status", int, 302), headers={"Location": location}))


def _echo(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """A refusal that repeats what was sent, in each form and in each field and header that a client may show."""
    sent = exchange.environ["wsgi.input"].read().decode()
    pairs = parse_qsl(sent, keep_blank_values=True)
    said = [f"{value} {quote(value, safe='')} {json.dumps(value)}" for _name, value in pairs]
    text = " ".join(["AADSTS50012: It was", *said, "as", sent])
    names = ("error", "error_description", "suberror", "correlation_id", "trace_id", "timestamp", "error_uri")
    response = Response(dump(dict.fromkeys(names, text)), content_type="application/json")
    response.status_code = take(options, "status", int, 400)
    response.headers.update({"client-request-id": quote(sent), "x-ms-request-id": quote(sent)})
    return exchange.send(response)


def _drop(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """No answer at all; ``reset`` for a TCP reset instead of an orderly end."""
    if take(options, "reset", bool, False):
        raise wire.reset(exchange.environ)
    raise wire.hang_up(exchange.environ)


def _reset_mid_body(_options: Options, exchange: Exchange) -> Iterable[bytes]:
    """Headers and half of the healthy body, then a TCP reset."""
    healthy = exchange.healthy()
    body = healthy.get_data()
    healthy.headers["Content-Length"] = str(len(body))
    exchange.start_response(healthy.status, healthy.headers.to_wsgi_list())
    yield body[: len(body) // 2]
    time.sleep(_GIVE_CLIENT_TIME_SECONDS)
    raise wire.reset(exchange.environ)


def _truncated_json(_options: Options, exchange: Exchange) -> Iterable[bytes]:
    """A complete HTTP answer around half of the healthy body."""
    healthy = exchange.healthy()
    healthy.set_data(healthy.get_data()[: len(healthy.get_data()) // 2])
    return exchange.send(healthy)


def _slow(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """The healthy answer, ``seconds`` late, or as soon as the fault has been forgotten."""
    exchange.pause(take(options, "seconds", float, 5.0))
    return exchange.proceed()


def _drip(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """One byte per ``interval``, until the client hangs up or ``seconds`` are over."""
    interval = take(options, "interval", float, 0.5)
    ends = time.monotonic() + take(options, "seconds", float, _LONGEST_SECONDS)
    exchange.start_response("200 OK", [("Content-Type", "application/json")])
    while time.monotonic() < ends:
        yield b" "
        time.sleep(interval)


def _endless(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """Garbage of no announced length, up to ``bytes`` or until the client hangs up."""
    exchange.start_response("200 OK", [("Content-Type", "application/json")])
    yield from _garbage(take(options, "bytes", int, 3 * _GIB))


def _huge(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """Garbage of an announced length of ``bytes``."""
    length = take(options, "bytes", int, 2 * _GIB)
    exchange.start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(length))])
    yield from _garbage(length)


def _garbage(length: int) -> Iterator[bytes]:
    while length > 0:
        yield _BLOCK[:length]
        length -= len(_BLOCK)


def _canned(body: str, content_type: str = "application/json") -> Action:
    return lambda _options, exchange: exchange.send(Response(body, content_type=content_type))


def _token_with_control_chars(options: Options, exchange: Exchange) -> Iterable[bytes]:
    """A success whose token would break out of a header."""
    token = take(options, "access_token", str, "made-up\r\nX-Injected: 1\u0001")
    body = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}
    return exchange.send(Response(json.dumps(body), content_type="application/json"))


_HTML: t.Final = "<!DOCTYPE html><html><body><h1>Please sign in to this network</h1></body></html>"
_TYPES: t.Final[dict[str, type]] = {
    "access_token": str,
    "body": object,  # text, or anything to be sent as JSON
    "bytes": int,
    "challenge": bool,
    "claims": str,
    "code": int,
    "content_type": str,
    "error": str,
    "error_code": str,
    "headers": dict,
    "interval": float,
    "location": str,
    "message": str,
    "part": str,
    "reset": bool,
    "retry_after": float,
    "retry_after_as": str,
    "seconds": float,
    "status": int,
    "suberror": str,
    "to": str,
}
_ERROR: t.Final = ("suberror", "claims", "interval", "status")

_STATUS: t.Final = (
    *("status", "headers", "retry_after", "retry_after_as"),
    *("body", "content_type", "error_code", "message"),
)
ACTIONS: t.Final[dict[str, tuple[Action, tuple[str, ...]]]] = {
    "status": (_status, _STATUS),
    "error": (_error, (*_ERROR, "code", "error")),
    "authorization_pending": (_named_error(70016, "authorization_pending"), _ERROR),
    "slow_down": (_named_error(70016, "slow_down"), _ERROR),
    "authorization_declined": (_named_error(65004, "authorization_declined"), _ERROR),
    "bad_verification_code": (_named_error(70018, "bad_verification_code"), _ERROR),
    "expired_token": (_named_error(70019, "expired_token"), _ERROR),
    "revoke_token": (api_faults.revoke_token, ("challenge",)),
    "expire_token": (api_faults.expire_token, ()),
    "next_link": (api_faults.next_link, ("to",)),
    "operation_link": (api_faults.operation_link, ("to",)),
    "empty_page": (api_faults.empty_page, ()),
    "redirect": (_redirect, ("location", "status")),
    "drop": (_drop, ("reset",)),
    "reset_mid_body": (_reset_mid_body, ()),
    "truncated_json": (_truncated_json, ()),
    "slow": (_slow, ("seconds",)),
    "drip": (_drip, ("interval", "seconds")),
    "drip_wire": (wire_faults.drip_wire, ("part", "interval", "seconds")),
    "cut": (wire_faults.cut, ("bytes",)),
    "stall": (wire_faults.stall, ("bytes", "seconds")),
    "no_status_line": (wire_faults.no_status_line, ("body",)),
    "echo": (_echo, ("status",)),
    "endless": (_endless, ("bytes",)),
    "huge": (_huge, ("bytes",)),
    "non_json_200": (_canned(_HTML, "text/html"), ()),
    "json_array_200": (_canned("[]"), ()),
    "token_with_control_chars": (_token_with_control_chars, ("access_token",)),
}
OPTIONS: t.Final = {
    name: {option: _TYPES[option] for option in options} for name, (_action, options) in ACTIONS.items()
}


def carry_out(exchange: Exchange) -> Iterable[bytes]:
    """Do to the request what its fault says."""
    return ACTIONS[exchange.fault.action][0](exchange.fault.options, exchange)
