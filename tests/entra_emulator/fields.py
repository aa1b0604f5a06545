# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strict reading of the JSON a test sends to the control endpoint: a typing slip must fail, not be ignored."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_T = t.TypeVar("_T")


class InputError(ValueError):
    """The control endpoint was asked for something it does not know; the message says what."""


def only(data: Mapping[str, object], known: Iterable[str]) -> None:
    """Raise :class:`InputError` for any key of ``data`` outside ``known``."""
    known = sorted(known)
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise InputError(f"unknown field(s) {', '.join(unknown)}; known: {', '.join(known)}")


def take(data: Mapping[str, object], name: str, kind: type[_T], default: _T) -> _T:
    """The value of ``name`` if it has the type ``kind`` (an int is a good float), ``default`` when absent or null."""
    value = data.get(name)
    if value is None:
        return default
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return t.cast("_T", float(value))
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"{name} must be {kind.__name__}, not {value!r}")
    return value


def take_number(data: Mapping[str, object], name: str) -> float | None:
    """The number called ``name``, or None when absent or null."""
    return None if data.get(name) is None else take(data, name, float, 0.0)


def take_strings(data: Mapping[str, object], name: str) -> tuple[str, ...]:
    """The list of strings called ``name``; one string counts as a list of one."""
    value = data.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{name} must be a list of strings, not {value!r}")
    return tuple(value)
