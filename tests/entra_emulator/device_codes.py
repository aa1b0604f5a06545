# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sign-ins on another device (RFC 8628; Learn "OAuth 2.0 device authorization grant flow")."""

from __future__ import annotations

import dataclasses
import secrets
import string
import threading
import typing as t

from . import scopes
from .errors import EntraError
from .fields import InputError, only, take
from .model import RefreshToken

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .asked import TokenRequest
    from .model import App
    from .settings import Clock, Settings
    from .world import World

State = t.Literal["pending", "approved", "declined", "expired", "redeemed"]
_ACTIONS: t.Final[dict[str, State]] = {"approve": "approved", "decline": "declined", "expire": "expired"}
_EARLY: t.Final = 0.9  # of the interval; what a poll takes on the way is no fault of the client's


@dataclasses.dataclass
class DeviceCode:
    """One sign-in somebody was asked for; ``user`` is the number of who did."""

    device_code: str
    user_code: str
    tenant_id: str
    client_id: str
    scopes: tuple[str, ...]
    expires_on: float
    state: State = "pending"
    user: int = 1
    polls: int = 0
    polled_on: float = 0


class DeviceCodes:
    """All of them, in order of request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, DeviceCode] = {}

    def forget(self) -> None:
        """Forget all codes."""
        with self._lock:
            self._codes.clear()

    def listed(self) -> list[dict[str, object]]:
        """All codes as JSON members."""
        with self._lock:
            return [dataclasses.asdict(record) for record in self._codes.values()]

    def start(self, app: App, scopes: tuple[str, ...], seconds: float) -> DeviceCode:
        """A new code for ``app``."""
        letters = string.ascii_uppercase + string.digits
        user_code = "".join(secrets.choice(letters) for _dummy in range(9))
        expires_on = self._clock.now() + seconds
        record = DeviceCode(secrets.token_urlsafe(96), user_code, app.tenant_id, app.client_id, scopes, expires_on)
        with self._lock:
            self._codes[record.device_code] = record
        return record

    def decide(self, user_code: str, data: Mapping[str, object]) -> dict[str, object]:
        """What the person does: ``action`` is approve, decline or expire, ``user`` their number."""
        only(data, ("action", "user"))
        action = take(data, "action", str, "")
        with self._lock:
            record = next((one for one in self._codes.values() if one.user_code == user_code.upper()), None)
            if record is None or action not in _ACTIONS:
                raise InputError(f"no code {user_code!r}, or an action other than {', '.join(_ACTIONS)}")
            record.state = _ACTIONS[action]
            record.user = take(data, "user", int, record.user)
            return dataclasses.asdict(record)

    def redeem(self, settings: Settings, value: str, app: App) -> RefreshToken:
        """What was allowed, as the refresh token to be minted from it; each other outcome is an error."""
        with self._lock:
            record = self._codes.get(value)
            if record is None or record.client_id != app.client_id:
                raise EntraError(70018)
            self._note_poll(record, settings)
            if record.state == "expired" or record.expires_on <= self._clock.now():
                raise EntraError(70020)
            if record.state == "declined":
                raise EntraError(65004, error="authorization_declined")
            if record.state == "redeemed":
                raise EntraError(54005)
            if record.state == "pending":
                raise EntraError(70016)
            record.state = "redeemed"
        return RefreshToken("", record.tenant_id, record.client_id, record.user, record.scopes, 0)

    def _note_poll(self, record: DeviceCode, settings: Settings) -> None:
        """Count the poll; refuse it when it comes too early."""
        before, record.polled_on = record.polled_on, self._clock.now()
        if record.polled_on - before < settings.device_code_interval * _EARLY:
            raise EntraError(70016, error="slow_down")
        after = settings.device_code_approve_after
        if record.state == "pending" and after is not None and record.polls >= after:
            record.state = "approved"
        record.polls += 1


def begin(world: World, asked: TokenRequest, app: App) -> dict[str, object]:
    """The answer to a request for a device code."""
    wanted = scopes.consent(world, app.tenant_id, asked.form.require("scope"))
    record = world.device_codes.start(app, wanted, world.settings.device_code_expires_in)
    address = f"{world.urls['login']}/common/oauth2/deviceauth"
    return {
        "user_code": record.user_code,
        "device_code": record.device_code,
        "verification_uri": address,
        "expires_in": world.settings.device_code_expires_in,
        "interval": world.settings.device_code_interval,
        "message": f"To sign in, use a web browser to open the page {address} and enter the code {record.user_code} "
        "to authenticate.",
    }
