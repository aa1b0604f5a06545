# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be switched while the emulator runs, and the clock all its parts share."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from datetime import UTC, datetime

from .fields import InputError, only

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NumberForm = t.Literal["int", "string", "float", "missing"]
Separator = t.Literal["space", "crlf"]
Rotation = t.Literal["keep_old", "strict", "none"]
OperationStyle = t.Literal["azure_async", "location", "both", "provisioning_state", "none"]
OperationResult = t.Literal["Succeeded", "Failed", "Canceled"]
ArcKeyFile = t.Literal["missing", "good", "outside", "too_big", "wrong_extension", "symlink"]


@dataclasses.dataclass(frozen=True)
class Settings:
    """The switches of ``PATCH /settings``; replaced as a whole, so a reader always sees one consistent set."""

    token_lifetime: float = 3599  # seconds; may be fractional
    capable_token_lifetime: float = 86399  # seconds; of Graph's tokens for a client that declares cp1
    expires_in: NumberForm = "int"
    refresh_in: int | None = None  # seconds; None leaves the field out
    error_separator: Separator = "space"
    refresh_token_rotation: Rotation = "keep_old"
    clock_offset: float = 0  # seconds this service's clock is ahead of the machine's
    opaque_tokens: bool = False
    latency: float = 0  # seconds before every answer of every listener but control
    clock_skew: float = 0  # seconds an assertion's times may be off (Entra: some minutes)
    device_code_interval: float = 5  # seconds between two polls
    device_code_expires_in: int = 900
    device_code_approve_after: int | None = None  # polls, after which a person signs in; None: never by itself
    identity_token_lifetime: float = 86400  # seconds; of managed identities' tokens
    arc_key_file: ArcKeyFile = "missing"  # what an Arc challenge names; all but "missing" write a file, as root
    arc_ignores_selector: bool = False  # as older Arc agents do
    ci_assertion_lifetime: float = 300  # seconds
    github_actions_subject: str = "repo:contoso/playbooks:ref:refs/heads/main"
    azure_pipelines_subject: str = "sc://contoso/playbooks/azure"
    token_server_lifetime: float | None = None  # seconds after which the APIs refuse a token, whatever its exp says
    operation_style: OperationStyle = "azure_async"  # how the API tells how far an operation is
    operation_status: int | None = None  # of the first answer; None: the usual one
    operation_polls: int = 2  # that find it still running
    operation_retry_after: float | None = 0  # seconds; None: no header
    operation_result: OperationResult = "Succeeded"
    users: int = 250
    groups: int = 12
    resources: int = 3  # virtual machines in each resource group
    page_size: int = 100

    def changed(self, values: Mapping[str, object]) -> Settings:
        """A copy with ``values`` applied; :class:`InputError` names a wrong name or value."""
        only(values, _CHECKS)
        for name, value in values.items():
            if not _CHECKS[name](value):
                raise InputError(f"setting {name} does not take {value!r}")
        return dataclasses.replace(self, **t.cast("dict[str, t.Any]", values))


def _number(low: float) -> Callable[[object], bool]:
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and value >= low


def _whole(low: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= low


def _one_of(values: object) -> Callable[[object], bool]:
    return lambda value: value in t.get_args(values)


_CHECKS: dict[str, Callable[[object], bool]] = {
    "token_lifetime": _number(0),
    "capable_token_lifetime": _number(0),
    "expires_in": _one_of(NumberForm),
    "refresh_in": lambda value: value is None or _whole(0)(value),
    "error_separator": _one_of(Separator),
    "refresh_token_rotation": _one_of(Rotation),
    "clock_offset": _number(float("-inf")),
    "opaque_tokens": lambda value: isinstance(value, bool),
    "latency": _number(0),
    "clock_skew": _number(0),
    "device_code_interval": _number(0),
    "device_code_expires_in": _whole(0),
    "device_code_approve_after": lambda value: value is None or _whole(0)(value),
    "identity_token_lifetime": _number(0),
    "arc_key_file": _one_of(ArcKeyFile),
    "arc_ignores_selector": lambda value: isinstance(value, bool),
    "ci_assertion_lifetime": _number(float("-inf")),
    "github_actions_subject": lambda value: isinstance(value, str),
    "azure_pipelines_subject": lambda value: isinstance(value, str),
    "token_server_lifetime": lambda value: value is None or _number(0)(value),
    "operation_style": _one_of(OperationStyle),
    "operation_status": lambda value: value is None or _whole(200)(value),
    "operation_polls": _whole(0),
    "operation_retry_after": lambda value: value is None or _number(0)(value),
    "operation_result": _one_of(OperationResult),
    "users": _whole(0),
    "groups": _whole(0),
    "resources": _whole(0),
    "page_size": _whole(1),
}


class Clock:
    """The service's own time: the machine's, moved by the setting ``clock_offset``."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._settings().clock_offset

    def utc(self) -> datetime:
        """The same as an aware datetime."""
        return datetime.fromtimestamp(self.now(), UTC)
