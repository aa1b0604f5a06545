# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proof by a signed assertion instead of a secret (RFC 7521 section 4.2): whose it is decides how it is checked."""

from __future__ import annotations

import typing as t

from . import certificate_proof, federation, jws
from .errors import EntraError

if t.TYPE_CHECKING:
    from .asked import TokenRequest
    from .model import App
    from .world import World

_TYPE: t.Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def check(world: World, asked: TokenRequest, app: App) -> None:
    """Refuse an assertion that does not prove the request comes from ``app``."""
    if asked.form.require("client_assertion_type") != _TYPE:
        raise EntraError(9002313)
    try:
        assertion = jws.read(asked.form.require("client_assertion"))
        by_another = "://" in str(assertion.claims.get("iss"))  # an app's own assertion names its client id
        (federation if by_another else certificate_proof).check(world, asked, app, assertion)
    except jws.MalformedError:
        raise EntraError(9002313) from None
