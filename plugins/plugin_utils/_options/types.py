# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert option values to their types, in every form that YAML, ``-e``, the environment or an ini file can give.

A list may be comma-separated text, and a mapping ``name=value`` text; both may be text in YAML's flow style, of which
JSON is a part. A line break at the end is not part of a value. Ansible's own converters are not used, because they
repeat the value in their messages, which must not happen to a secret.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import datetime
import difflib
import functools
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
    """Return the value of an option in its type, as plain Python.

    Args:
        spec: The option.
        value: Its value as it was given.
        origin: The place of the value, for messages.

    Raises:
        InputError: The value has another type, or is not one of the choices.
    """
    if spec.name == "claims_challenge" and isinstance(value, t.Mapping):
        # Before ansible-core 2.19 a template that gives JSON becomes the data that JSON stands for.
        value = json.dumps(value)
    try:
        converted = _get_converter(spec)(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        # Constructed after the block: an error raised in an except clause has the value in its context.
        converted = None
    if converted is None:
        raise InputError(
            f"{spec.name} (from {origin}) has to be {_describe_type(spec)}, not {_describe_value(spec, value)}.",
            hint=f"Correct {origin}.",
        )
    return _check_choice(spec, converted, origin) if spec.choices else converted


def is_blank(value: t.Any) -> bool:
    """Return whether a value counts as not given: nothing, empty text, or what omit is before ansible-core 2.19."""
    return value is None or (isinstance(value, str) and (not value.strip() or _is_omitted(value)))


def _is_omitted(value: t.Any) -> bool:
    return isinstance(value, str) and value.startswith(_OMIT)


def strip_line_breaks(text: str) -> str:
    """Return a text without the line breaks at its end, which editors, ``echo`` and YAML block scalars add."""
    return text.rstrip("\r\n")


def _check_choice(spec: OptionSpec, value: str, origin: str) -> str:
    value = canonicalize_cloud(value) if spec.name == "cloud" else value
    if value in spec.choices:
        return value
    raise InputError(
        f"{spec.name} (from {origin}) is '{value}', which is not one of {', '.join(spec.choices)}.",
        hint=_suggest_choice(spec, value) or f"Correct {origin}.",
    )


def _suggest_choice(spec: OptionSpec, value: str) -> str | None:
    if spec.name == "cloud":
        from ansible_collections.entra.auth.plugins.plugin_utils._entra.suggestions import suggest_cloud

        return suggest_cloud(value)
    close = difflib.get_close_matches(value.lower(), spec.choices, n=1)
    return f"Use {close[0]}." if close else None


def _describe_value(spec: OptionSpec, value: t.Any) -> str:
    if isinstance(value, (str, int, float)) and not spec.may_hold_secret and str(value).isprintable():
        return f"'{value}'"
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "a value of another kind")


def _to_plain_str(value: t.Any) -> str:
    if value is None or isinstance(value, (bool, dict, list, tuple, set, bytes)):
        raise TypeError
    # Through bytes, because str() of a subclass of str may return that subclass with all its attributes, and because
    # text without a UTF-8 form (an undecodable environment variable) can't be sent.
    return str(value).encode().decode()


def _to_str(value: t.Any) -> str:
    return strip_line_breaks(_to_plain_str(value))


def expand_path(value: t.Any) -> str:
    """Return a path with ``~`` and variables of the environment resolved. Raises TypeError or ValueError."""
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


def _to_list(convert_item: t.Callable[[t.Any], t.Any], value: t.Any) -> list[t.Any]:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        text = _to_str(value).strip()
        is_flow = text.startswith("[") or (text.startswith("{") and convert_item is _to_mapping)
        value = _parse_flow(text) if is_flow else [item.strip() for item in text.split(",")]
    if isinstance(value, t.Mapping) and convert_item is _to_mapping:
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return [convert_item(item) for item in value if not is_blank(item)]


def _to_dict(convert_item: t.Callable[[t.Any], t.Any], value: t.Any) -> dict[str, t.Any]:
    if isinstance(value, str):
        text = _to_str(value).strip()
        value = _parse_flow(text) if text.startswith("{") else _parse_pairs(text)
    if not isinstance(value, t.Mapping):
        raise TypeError
    return {_to_str(name): convert_item(item) for name, item in value.items() if not _is_omitted(item)}


def _to_mapping(value: t.Any) -> dict[str, t.Any]:
    return _to_dict(to_plain, value)


def _to_item(value: t.Any) -> str:
    return _to_str(value).strip()


def _parse_flow(text: str) -> t.Any:
    """Return the data of a text in YAML's flow style or JSON. Raises ValueError."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None  # of no type that is wanted


def _parse_pairs(text: str) -> dict[str, str]:
    """Return the mapping of ``name=value`` pairs that commas or blanks separate. Raises ValueError."""
    import shlex

    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = ", \t\r\n", True, ""
    pairs = [pair.partition("=") for pair in lexer]
    if not all(name and equals for name, equals, _value in pairs):
        raise ValueError
    return {name: value for name, _equals, value in pairs}


def to_plain(value: t.Any) -> t.Any:
    """Return data as plain Python that JSON knows: Ansible's own types, and the dates of YAML, resolved.

    Raises TypeError for bytes and sets.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, t.Mapping):
        return {_to_plain_str(name): to_plain(content) for name, content in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else _to_plain_str(value)


Converter = t.Callable[[t.Any], t.Any]

_CONVERTERS: t.Mapping[str, Converter] = {
    "str": _to_str,
    "path": expand_path,
    "bool": _to_bool,
    "int": _to_int,
    "float": _to_float,
    "raw": to_plain,
}
# For the items of lists and the values of mappings.
_ITEM_CONVERTERS: t.Mapping[str, Converter] = {"str": _to_item, "int": _to_int, "dict": _to_mapping, "raw": to_plain}


def _get_converter(spec: OptionSpec) -> Converter:
    if spec.type == "list":
        return functools.partial(_to_list, _ITEM_CONVERTERS[spec.elements])
    if spec.type == "dict":
        return functools.partial(_to_dict, _to_str if spec.elements == "str" else _ITEM_CONVERTERS[spec.elements])
    return _CONVERTERS[spec.type]


# Not the names of classes, because those of Ansible's own mean nothing to a reader.
_KINDS = (
    (bool, "true or false"),
    (str, "text"),
    ((int, float), "a number"),
    (t.Mapping, "a mapping"),
    ((list, tuple, set), "a list"),
    (type(None), "nothing"),
)

_TYPES: t.Mapping[str, str] = {
    "str": "text",
    "path": "a path",
    "bool": "true or false",
    "int": "a whole number, 0 or more",
    "float": "a number of seconds, 0 or more",
    "raw": "data that JSON can hold",
}
_ITEMS: t.Mapping[str, str] = {"str": "texts", "int": "whole numbers", "dict": "mappings", "raw": "values"}


def _describe_type(spec: OptionSpec) -> str:
    if spec.type == "list":
        return f"a list of {_ITEMS[spec.elements]}"
    if spec.type == "dict":
        return f"a mapping of names to {_ITEMS[spec.elements]}"
    return _TYPES[spec.type]


__all__ = ("convert", "expand_path", "is_blank", "strip_line_breaks", "to_plain")
