# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking for secrets where none may be: in text, bytes and whole directories, in every form they could have taken."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import stat
import typing as t
import urllib.parse

if t.TYPE_CHECKING:
    from pathlib import Path

# What a program that wraps its lines puts into a value, as it is or escaped.
_WHITE_SPACE: t.Final = re.compile(rb"(?:\s|\\+[nrt])+")
_WORD: t.Final = re.compile(rb"[A-Za-z0-9]+")
_LONG_WORD: t.Final = re.compile(rb"[A-Za-z0-9]{16,}")
# A token of this length is also looked for in pieces, so that one cut short is found too.
_LONG: t.Final = 100
_PIECE: t.Final = 40
_CONTEXT: t.Final = 60
# JUnit's reports hold results as JSON and as Python shows them; Python 3.12 and older escapes quotes in them as well.
_IN_XML: t.Final = ("raw", "JSON", "JSON in UTF-8", "JSON in JSON", "Python", "Python in JSON")


class Leak(t.NamedTuple):
    """A marker by its name, the form it was found in, and where; ``context`` is what stands before it."""

    marker: str
    form: str
    where: str
    context: str

    def __str__(self) -> str:
        return f"{self.marker} ({self.form}) in {self.where} after {self.context!r}"


class Markers:
    """What must be nowhere: names and secret values. Lines that match ``but_lines`` are passed over."""

    def __init__(self, values: t.Mapping[str, str], *, but_lines: bytes = b"") -> None:
        assert all(values.values()), f"an empty marker would be everywhere: {values}"
        self.values = dict(values)
        self._but_lines = but_lines and re.compile(rb"^.*" + but_lines + rb".*$", re.MULTILINE)
        needles = {(name, piece.encode()): "piece" for name, value in values.items() for piece in _pieces(value)}
        for name, value in values.items():
            needles |= {(name, needle): form for form, needle in reversed(forms(value).items())}
        written = [(name, form, needle) for (name, needle), form in needles.items()]
        self._written = _Needles(written)
        self._folded = _Needles([(name, form, _WHITE_SPACE.sub(b"", needle)) for name, form, needle in written])

    def in_text(self, text: str | bytes, where: str) -> list[Leak]:
        """Every marker that is in a text, once for each form it is found in."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        if self._but_lines:
            data = self._but_lines.sub(b"", data)
        found = {
            (name, form): Leak(name, form, where, _before(haystack, needle))
            for haystack, needles in ((_WHITE_SPACE.sub(b"", data), self._folded), (data, self._written))
            for name, form, needle in needles.found_in(haystack)
        }
        return list(found.values())

    def in_tree(self, root: Path, *, but: t.Container[Path] = ()) -> list[Leak]:
        """Every marker in the content or the name of a file below ``root`` (or in that file), ``but`` for some."""
        leaks = []
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path not in but:
                leaks += self.in_text(str(path.relative_to(root)), f"the name {path}")
                leaks += self.in_text(_content(path), str(path))
        return leaks


class _Needles:
    """Names, forms and bytes to look for, by the longest word in the bytes.

    The forms of a value have words in common, and long words can only be where there are long words. Both spare most
    of the search, and neither misses anything.
    """

    def __init__(self, needles: t.Iterable[tuple[str, str, bytes]]) -> None:
        self._by_word: dict[bytes, list[tuple[str, str, bytes]]] = {}
        for name, form, needle in needles:
            word = max(_WORD.findall(needle), key=len, default=b"")
            self._by_word.setdefault(word, []).append((name, form, needle))

    def found_in(self, data: bytes) -> t.Iterator[tuple[str, str, bytes]]:
        long_words = b"\n".join(_LONG_WORD.findall(data))
        for word, needles in self._by_word.items():
            if word in (long_words if _LONG_WORD.fullmatch(word) else data):
                yield from (needle for needle in needles if needle[2] in data)


def forms(value: str) -> dict[str, bytes]:
    """A value as programs write it down; the name of each form and its bytes."""
    once = json.dumps(value)[1:-1]
    written = {
        "raw": value,
        "JSON": once,
        "JSON in UTF-8": json.dumps(value, ensure_ascii=False)[1:-1],
        "JSON in JSON": json.dumps(once)[1:-1],
        "JSON, all escaped": "".join(f"\\u{ord(character):04x}" for character in value),
        "JSON, symbols escaped": re.sub(r"[^A-Za-z0-9]", lambda match: f"\\u{ord(match[0]):04x}", value),
        "JSON, unsafe ones escaped": re.sub(r"[^ -~]|[<>&'\"+`\\]", lambda match: f"\\u{ord(match[0]):04x}", value),
        "Python": repr(value)[1:-1],
        "Python in JSON": json.dumps(repr(value)[1:-1])[1:-1],
        "Python bytes": repr(value.encode())[2:-1],
        "shell": shlex.quote(value),
        "XML": html.escape(value),
        "URL": urllib.parse.quote(value, safe=""),
        "URL path": urllib.parse.quote(value),
        "URL form": urllib.parse.quote_plus(value),
        "YAML single quotes": value.replace("'", "''"),
    }
    for name in _IN_XML:
        written[f"{name} in XML"] = html.escape(written[name], quote=False)
        written[f"{name} in XML, quotes escaped"] = written[f"{name} in XML"].replace('"', "&quot;")
    encoded = {name: text.encode() for name, text in written.items()} | {"hex": value.encode().hex().encode()}
    cased = {f"{name}, lower case": _lower_escapes(text) for name, text in encoded.items() if name.startswith("URL")}
    cased |= {
        f"{name}, upper case": _upper_escapes(text) for name, text in encoded.items() if name.startswith("JSON, ")
    }
    in_base64 = {
        f"{name} in {way}": text for name in ("raw", "JSON") for way, text in _base64_forms(encoded[name]).items()
    }
    return {**encoded, **cased, **in_base64}


def _pieces(value: str) -> list[str]:
    """What would be left of a long token if it were cut."""
    # The first segment of a JWT is the same in all, and no secret.
    body = value.partition(".")[2] if value.count(".") == 2 else value
    return [body[at : at + _PIECE] for at in range(0, len(body) - _PIECE, _PIECE)] if len(value) >= _LONG else []


def _base64_forms(data: bytes) -> dict[str, bytes]:
    """What is the same in base64 whatever stands before and after, for each of the three ways it can be aligned."""
    stable = {}
    for offset in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            text = encode(b"\0" * offset + data)
            # The first characters hold bits of what stands before, the last one bits of what comes after.
            stable[f"{name} at {offset}"] = text[(0, 2, 3)[offset] : (offset + len(data)) * 8 // 6]
    return stable


def _lower_escapes(text: bytes) -> bytes:
    return re.sub(rb"%[0-9A-F]{2}", lambda match: match[0].lower(), text)


def _upper_escapes(text: bytes) -> bytes:
    return re.sub(rb"\\u[0-9a-f]{4}", lambda match: b"\\u" + match[0][2:].upper(), text)


def _content(path: Path) -> bytes:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return str(path.readlink()).encode()
    return path.read_bytes() if stat.S_ISREG(mode) else b""


def _before(haystack: bytes, needle: bytes) -> str:
    position = haystack.index(needle)
    return haystack[max(0, position - _CONTEXT) : position].decode("utf-8", "replace")


__all__ = ("Leak", "Markers", "forms")
