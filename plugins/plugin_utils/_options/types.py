# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Typed option values, from whatever a playbook, a variable or the environment holds.

Ansible's own converters repeat the value in their messages, which must not happen to a secret.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import datetime
import difflib
import json
import math
import os
import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import canonicalize_cloud

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OptionSpec

_OMIT = "__omit_place_holder__"


def convert(spec: OptionSpec, value: t.Any, origin: str) -> t.Any:
    """The value of an option in its type, as plain Python; InputError names the option and its origin."""
    if spec.name == "claims_challenge" and isinstance(value, t.Mapping):
        # Before ansible-core 2.19 a template that gives JSON becomes the data that JSON stands for.
        value = json.dumps(value)
    try:
        converted = _CONVERTERS[spec.type](value)
    except (TypeError, ValueError, OverflowError):
        # Constructed after the block: what is raised in an except clause drags the value along as its context.
        converted = None
    if converted is None:
        raise InputError(
            f"{spec.name} (from {origin}) has to be {_WANTED[spec.type]}, not {_shown(spec, value)}.",
            hint=f"Correct {origin}.",
        )
    return _checked_choice(spec, converted, origin) if spec.choices else converted


def is_blank(value: t.Any) -> bool:
    """Return whether a value counts as not given: nothing, empty text, or what omit is before ansible-core 2.19."""
    return value is None or (isinstance(value, str) and (not value.strip() or value.startswith(_OMIT)))


def _checked_choice(spec: OptionSpec, value: str, origin: str) -> str:
    value = canonicalize_cloud(value) if spec.name == "cloud" else value
    if value in spec.choices:
        return value
    close = difflib.get_close_matches(value, spec.choices, n=1)
    raise InputError(
        f"{spec.name} (from {origin}) is '{value}', which is none of {', '.join(spec.choices)}.",
        hint=f"Did you mean '{close[0]}'?" if close else f"Correct {origin}.",
    )


def _shown(spec: OptionSpec, value: t.Any) -> str:
    if isinstance(value, (str, int, float)) and not spec.secret and str(value).isprintable():
        return f"'{value}'"
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "a value of another kind")


def _to_str(value: t.Any) -> str:
    if value is None or isinstance(value, (bool, dict, list, tuple, set, bytes)):
        raise TypeError
    # Through bytes, because str() of a subclass of str may return that subclass with all it carries, and because
    # what has no UTF-8 form (an undecodable environment variable) can't be sent.
    return str(value).encode().decode()


def _to_path(value: t.Any) -> str:
    return os.path.expanduser(os.path.expandvars(_to_str(value)))


def _to_bool(value: t.Any) -> bool:
    return bool(boolean(value, strict=True))


def _to_int(value: t.Any) -> int:
    number = float(_to_str(value))
    if number < 0 or number != int(number):
        raise ValueError
    return int(number)


def _to_float(value: t.Any) -> float:
    number = float(_to_str(value))
    if not math.isfinite(number) or number < 0:
        raise ValueError
    return number


def _to_list(value: t.Any) -> list[str]:
    items = value if isinstance(value, (list, tuple)) else _to_str(value).split(",")
    return [text for text in (_to_str(item).strip() for item in items) if text]


def _to_dict(value: t.Any) -> dict[str, str]:
    pairs = json.loads(_to_str(value)) if isinstance(value, str) else value
    if not isinstance(pairs, t.Mapping):
        raise TypeError
    return {_to_str(name): _to_str(content) for name, content in pairs.items()}


def plain(value: t.Any) -> t.Any:
    """Data as plain Python that JSON knows: Ansible's own strings, lists and mappings, and YAML's dates, resolved.

    Raises TypeError for anything else.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, t.Mapping):
        return {_to_str(name): plain(content) for name, content in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else _to_str(value)


_CONVERTERS: t.Mapping[str, t.Callable[[t.Any], t.Any]] = {
    "str": _to_str,
    "path": _to_path,
    "bool": _to_bool,
    "int": _to_int,
    "float": _to_float,
    "list": _to_list,
    "dict": _to_dict,
    "raw": plain,
}

# Not the names of classes, which Ansible's own say nothing to a reader.
_KINDS = (
    (bool, "true or false"),
    (str, "text"),
    ((int, float), "a number"),
    (t.Mapping, "a mapping"),
    ((list, tuple, set), "a list"),
    (type(None), "nothing"),
)

_WANTED: t.Mapping[str, str] = {
    "str": "text",
    "path": "a path",
    "bool": "true or false",
    "int": "a whole number of seconds, 0 or more",
    "float": "a number of seconds, 0 or more",
    "list": "a list of texts",
    "dict": "a mapping of names to texts",
    "raw": "data that JSON can hold",
}


__all__ = ("convert", "is_blank", "plain")
