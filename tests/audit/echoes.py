# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token endpoint and an API that repeat what they were sent, in the place and spelling that a request names."""

from __future__ import annotations

import typing as t
import urllib.parse

from attacks.attacker import AttackerServer, read_answer_number
from attacks.test_echoes import API_ECHOES, REFUSALS, SPELLINGS
from canned_server import token_answer

if t.TYPE_CHECKING:
    from canned_server import Received

_SECRET_FIELDS: t.Final = ("client_secret", "client_assertion", "refresh_token")
RENEWED_TOKEN: t.Final = "aud1tRenewed~token~0123456789"
# By its number: what a token endpoint answers, given the request's form and its secrets.
REPEATED_BY_ENTRA: t.Final = [
    *((place, "raw") for place in REFUSALS),
    *(("description", spelling) for spelling in SPELLINGS),
]
REPEATED_BY_API: t.Final = list(API_ECHOES.values())


class EchoServer(AttackerServer):
    """Both of them; ``sent`` are the secrets that reached it, and the token that it issued.

    For the scope ``api://renewed`` it issues one token, to be renewed at once, and refuses to renew it.
    """

    def __init__(self) -> None:
        super().__init__(self._repeat)
        self.sent = [RENEWED_TOKEN]

    def _repeat(self, request: Received) -> bytes:
        form = dict(urllib.parse.parse_qsl(request.body))
        if "scope" not in form:
            token = request.headers.get("authorization", "").partition(" ")[2]
            return REPEATED_BY_API[read_answer_number(request.target)](token)
        secrets = [form[name] for name in _SECRET_FIELDS if name in form]
        is_known = secrets[0] in self.sent
        self.sent += secrets
        if "renewed" not in form["scope"]:
            place, spelling = REPEATED_BY_ENTRA[read_answer_number(form["scope"])]
        elif is_known:
            place, spelling = "description", "raw"
        else:
            return token_answer(access_token=RENEWED_TOKEN, refresh_in=0.001)
        return REFUSALS[place](" ".join(map(SPELLINGS[spelling], secrets)))


__all__ = ("RENEWED_TOKEN", "REPEATED_BY_API", "REPEATED_BY_ENTRA", "EchoServer")
