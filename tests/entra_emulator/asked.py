# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request to the token endpoint, read the way Entra reads it."""

from __future__ import annotations

import base64
import json
import typing as t
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from .errors import EntraError
from .gateway import ENTRY

if t.TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from .jws import Jws
    from .log import Entry, Pairs


class Form:
    """Form fields; an empty or repeated one counts as missing (Learn "What's new for authentication", Sept. 2019)."""

    def __init__(self, pairs: Pairs) -> None:
        names = [name for name, _value in pairs]
        self._fields = {name: value for name, value in pairs if value and names.count(name) == 1}

    def get(self, name: str) -> str | None:
        """The field, or None when it is missing."""
        return self._fields.get(name)

    def require(self, name: str) -> str:
        """The field; 900144 when it is missing."""
        value = self.get(name)
        if value is None:
            raise EntraError(900144, parameter=name)
        return value


@dataclass(frozen=True)
class TokenRequest:
    """What was asked; ``legacy`` for the v1 endpoint with ``resource`` instead of ``scope``."""

    tenant: str
    form: Form
    login_url: str
    entry: Entry
    legacy: bool = False

    def log_assertion(self, assertion: Jws) -> None:
        """Let the log show what the client signed, now that its signature is known to be good."""
        self.entry.assertion = {"header": assertion.header, "claims": assertion.claims}

    def requested_claims(self) -> dict[str, t.Any]:
        """The ``claims`` parameter (OpenID Connect Core section 5.5), logged."""
        try:
            claims = json.loads(self.form.get("claims") or "{}")
        except ValueError:
            raise EntraError(9002313) from None
        if not isinstance(claims, dict):
            raise EntraError(9002313)
        self.entry.requested_claims = claims or None
        return claims


def read(request: Request, tenant: str, login_url: str, *, legacy: bool) -> TokenRequest:
    """The request; a body of another content type is not read, so every field of it is missing."""
    readable = request.mimetype == "application/x-www-form-urlencoded"
    in_body = parse_qsl(request.get_data(as_text=True), keep_blank_values=True) if readable else []
    in_header = [pair for pair in _basic(request) if pair not in in_body]
    return TokenRequest(tenant, Form(in_body + in_header), login_url, request.environ[ENTRY], legacy)


def _basic(request: Request) -> Pairs:
    """Client id and secret of HTTP Basic, each form-encoded before (RFC 6749 section 2.3.1)."""
    scheme, _dummy, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        client_id, _dummy, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        raise EntraError(9002313) from None
    return [("client_id", unquote_plus(client_id)), ("client_secret", unquote_plus(secret))]
