# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens in what an API sends back: masked whole, in parts, and in the usual spellings.

Some services, gateways and debugging pages repeat the request. A part of a token, or a token with escaped characters,
would pass a mask that looks for the exact text.

This is not mask_secrets of module_utils: that one masks any secret in the forms that encoders give it, by a loop over
each character of a message. A token has few kinds of characters (RFC 6750 section 2.1). So this class finds parts of it
behind any mixture of escapes, and passes through a body of 100 MB without a loop in Python.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import functools
import re
import struct
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._secrets import MASK, list_base64_forms

# A part of a token of this length or more is masked. Shorter ones occur in other texts by chance.
_SHORTEST_PART = 20
# Any common part of _SHORTEST_PART characters holds a block that begins at a multiple of _STRIDE, and a word that
# begins at a multiple of _WORD_STRIDE. So it is enough to compare one of them in each stride, without a loop in Python.
# The words are compared first: that takes half the time, but some of them occur by chance.
_BLOCK = 6
_STRIDE = _SHORTEST_PART - _BLOCK + 1
_BLOCKS = struct.Struct(f"{_BLOCK}s{_STRIDE - _BLOCK}x")
_WORD_BYTES = struct.calcsize("I")
_WORD_STRIDE = 16
_RUNS = re.compile(rf"[A-Za-z0-9._~+/=-]{{{_SHORTEST_PART},}}")
_ESCAPED = re.compile(
    r"\\u00(?P<u>[0-9a-fA-F]{2})|\\x(?P<x>[0-9a-fA-F]{2})|%(?P<p>[0-9a-fA-F]{2})"
    r"|&#x0*(?P<h>[0-9a-fA-F]{2});|&#0*(?P<d>[0-9]{2,3});|\x00"
)
# The first byte of each escape. To search for a single byte takes far less time than for two.
_ESCAPE_MARKS = (b"\\", b"%", b"&", b"\x00")
_BACKSLASHES = re.compile(rb"\\+")
# Text that was escaped twice is decoded twice; no service escapes more often.
_ROUNDS = 3


class TokenMask:
    """Masks tokens in texts and data. The header of a JWT is the same for all tokens of an issuer and is not masked."""

    def __init__(self, tokens: t.Iterable[str]) -> None:
        self._tokens = tuple(dict.fromkeys(token for token in tokens if token))
        # Searched for as a whole: parts of them would be as many again, of which some occur in other texts by chance.
        self._encoded = tuple(form for token in self._tokens for form in sorted(list_base64_forms(token)))

    @functools.cached_property
    def _blocks(self) -> frozenset[tuple[bytes]]:
        tokens = [token.encode() for token in self._tokens]
        return frozenset((token[at : at + _BLOCK],) for token in tokens for at in range(len(token) - _BLOCK + 1))

    @functools.cached_property
    def _words(self) -> frozenset[int]:
        rests = [token.encode()[start:] for token in self._tokens for start in range(_WORD_BYTES)]
        return frozenset(
            word for rest in rests for word in _cast_to_words(rest[: len(rest) // _WORD_BYTES * _WORD_BYTES])
        )

    @functools.cached_property
    def _whole_texts(self) -> tuple[bytes, ...]:
        short = (token for token in self._tokens if len(token) < _SHORTEST_PART)
        return tuple(text.encode() for text in (*short, *self._encoded))

    @functools.cached_property
    def _least_parts(self) -> frozenset[str]:
        ends = ((token, range(_SHORTEST_PART, len(token) + 1)) for token in self._tokens)
        return frozenset(token[end - _SHORTEST_PART : end] for token, each in ends for end in each)

    @functools.cached_property
    def _jwt_headers(self) -> tuple[str, ...]:
        return tuple(token.partition(".")[0] for token in self._tokens if token.count(".") == 2)

    def mask_text(self, text: str) -> str:
        """Return a decoded text without tokens; its escapes are decoded only if one of them hides a token."""
        masked = self._mask_parts(text)
        plain = _decode_escapes(text)
        if plain == text:
            return masked
        masked_plain = self._mask_parts(plain)
        return masked if _decode_escapes(masked) == masked_plain else masked_plain

    def mask_bytes(self, body: bytes) -> bytes:
        """Return a body without tokens in ASCII; decode it and mask the texts for those in other spellings."""
        if not self._may_hold_part(body) and not any(text in body for text in self._whole_texts):
            return body
        return self._mask_parts(body.decode("latin-1")).encode("latin-1")

    def mask_headers(self, headers: t.Mapping[str, str]) -> dict[str, str]:
        """Return header fields without tokens."""
        return {self._mask_name(name): self.mask_text(value) for name, value in headers.items()}

    def _mask_name(self, name: str) -> str:
        return self.mask_text(name) if len(name) >= _SHORTEST_PART else name

    def mask_json(self, content: t.Any, body: bytes) -> t.Any:
        """Return the parsed content of a body that ``mask_bytes`` gave, without the tokens that were escaped there."""
        escaped = b'"'.join(_list_escaped(body)) if self._tokens else b""
        if not escaped:
            return content
        # JSON in JSON doubles the backslashes.
        plain = _decode_escapes(_BACKSLASHES.sub(rb"\\", escaped).decode("latin-1"))
        return self.mask_data(content) if self._mask_parts(plain) != plain else content

    def mask_data(self, data: t.Any) -> t.Any:
        """Return data with the tokens in all of its texts masked, keys included."""
        if isinstance(data, str):
            return self.mask_text(data)
        if isinstance(data, dict):
            return {self.mask_data(name): self.mask_data(value) for name, value in data.items()}
        return [self.mask_data(item) for item in data] if isinstance(data, (list, tuple)) else data

    def _may_hold_part(self, body: bytes) -> bool:
        if not self._tokens:
            return False
        padded = body + bytes(-len(body) % (_STRIDE * _WORD_STRIDE))
        words = _cast_to_words(padded)[:: _WORD_STRIDE // _WORD_BYTES]
        return not self._words.isdisjoint(words) and not self._blocks.isdisjoint(_BLOCKS.iter_unpack(padded))

    def _mask_parts(self, text: str) -> str:
        for token in (*self._tokens, *self._encoded):
            text = text.replace(token, MASK)
        if len(text) < _SHORTEST_PART or not self._may_hold_part(text.encode("utf-8", "surrogatepass")):
            return text
        return _RUNS.sub(lambda run: self._mask_common(run[0]), text)

    def _mask_common(self, run: str) -> str:
        """Mask each part that a run of characters has in common with a token."""
        pieces, position = [], 0
        while position < len(run):
            length = self._measure_common(run, position)
            is_token = length >= _SHORTEST_PART and not self._is_jwt_header(run[position : position + length])
            pieces.append(MASK if is_token else run[position : position + max(1, length)])
            position += max(1, length)
        return "".join(pieces)

    def _measure_common(self, run: str, start: int) -> int:
        """Return the length of the longest part of a token that begins at a position; 0 if it is too short to mask."""
        end = start + _SHORTEST_PART
        if run[start:end] not in self._least_parts or end > len(run):
            return 0
        while end < len(run) and any(run[start : end + 1] in token for token in self._tokens):
            end += 1
        return end - start

    def _is_jwt_header(self, part: str) -> bool:
        """Return whether a part is of the header, with too little of the rest to be masked for that."""
        head, _dot, rest = part.partition(".")
        return len(rest) < _SHORTEST_PART and any(head in header for header in self._jwt_headers)


def _cast_to_words(text: bytes) -> memoryview[int]:
    return memoryview(text).cast("I")


def _list_escaped(body: bytes) -> t.Iterator[bytes]:
    """Yield the pieces of JSON between quotes that hold an escape. No token and no escape has a quote in it."""
    for mark in _ESCAPE_MARKS:
        at = body.find(mark)
        while at >= 0:
            end = body.find(b'"', at)
            yield body[body.rfind(b'"', 0, at) + 1 : end if end >= 0 else len(body)]
            at = body.find(mark, end) if end >= 0 else -1


def _decode_escapes(text: str) -> str:
    for _dummy in range(_ROUNDS):
        decoded = _ESCAPED.sub(_decode_escape, text)
        if decoded == text:
            break
        text = decoded
    return text


def _decode_escape(match: re.Match[str]) -> str:
    hexadecimal = match["u"] or match["x"] or match["p"] or match["h"]
    if hexadecimal:
        return chr(int(hexadecimal, 16))
    return chr(int(match["d"])) if match["d"] else ""


__all__ = ("TokenMask",)
