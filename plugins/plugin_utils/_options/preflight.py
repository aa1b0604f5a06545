# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that ``preflight`` has in addition to those of ``app_token``; the role has the same as variables.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import (
    OPTION_NAMES,
    OptionSpec,
    define_option,
    list_options,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.arguments import (
    convert_arguments,
    refuse_unknown_arguments,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert, is_blank


@dataclasses.dataclass(frozen=True)
class PreflightCall:
    """A call to make: ``url`` may be a path below the base URL of the API of ``scope``."""

    url: str = define_option("str", "")
    scope: str = define_option("str", "graph")
    status_code: list[int] = define_option("list", [200], elements="int")


@dataclasses.dataclass(frozen=True)
class PreflightOptions:
    """What to check. ``required_roles`` are those of each scope; ``warn_days`` of zero checks no expiration."""

    scopes: list[str] = define_option("list", ["graph", "arm"])
    default_calls: bool = define_option("bool", True)
    calls: list[PreflightCall] = define_option("list", [], elements="dict")
    allowed_hosts: list[str] = define_option("list", [])
    required_roles: dict[str, list[str]] = define_option("dict", {}, elements="raw")
    warn_days: int = define_option("int", 30)
    fail: bool = define_option("bool", True)


PREFLIGHT_OPTIONS = list_options(PreflightOptions)
_CALL_OPTIONS = list_options(PreflightCall)
_ROLES = OptionSpec("required_roles", "list")


def parse_preflight_options(arguments: t.Mapping[str, t.Any], prefix: str = "") -> PreflightOptions:
    """Return the options that arguments or the variables of the role give.

    Args:
        arguments: The values by the names of the options.
        prefix: What the names of the role's variables begin with, for messages.

    Raises:
        InputError: An unknown option, or a value of another type.
    """
    refuse_unknown_arguments("preflight", arguments, (*PREFLIGHT_OPTIONS, *OPTION_NAMES))
    origin = f"variable {prefix}" if prefix else "option "
    values = convert_arguments(PREFLIGHT_OPTIONS, arguments, origin)
    values["calls"] = [_parse_call(call, f"{origin}calls") for call in values.get("calls", [])]
    required = values.get("required_roles", {})
    values["required_roles"] = {
        scope: convert(_ROLES, roles, f"{origin}required_roles") for scope, roles in required.items()
    }
    return PreflightOptions(**values)


def _parse_call(call: t.Mapping[str, t.Any], origin: str) -> PreflightCall:
    unknown = sorted(set(call) - set(_CALL_OPTIONS))
    if unknown:
        raise InputError(
            f"calls (from {origin}): '{unknown[0]}' is not a part of a call.",
            hint="Give url, and scope and status_code if they differ from graph and 200. A call only reads.",
        )
    values = {name: convert(_CALL_OPTIONS[name], value, origin) for name, value in call.items() if not is_blank(value)}
    if not values.get("url"):
        raise InputError(f"calls (from {origin}): a call has no url.", hint="Give the url of each call, or a path.")
    return PreflightCall(**values)


__all__ = (
    "PREFLIGHT_OPTIONS",
    "PreflightCall",
    "PreflightOptions",
    "parse_preflight_options",
)
