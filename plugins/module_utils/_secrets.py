# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mask secrets in texts, in each form in which they were sent or may be quoted.

On ansible-core 2.22 and newer, register secrets with ansible-core too, which masks them in all that it shows.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import typing as t
import urllib.parse

try:
    from ansible.module_utils.secrets import register_secret  # type: ignore[import-not-found, unused-ignore]  # new in ansible-core 2.22
except ImportError:

    def register_secret(text: str) -> str:
        """Do nothing: before 2.22 ansible-core masks no values."""
        return text


MASK = "********"
# A shorter text is part of ordinary words.
_SHORTEST_SECRET = 6
# A peer may quote a part of a secret only, cut off or wrapped into lines. Any part of this length is found, and nothing
# that is likely to be an ordinary word. Such a part holds a seed of half that length, at a multiple of that length.
_SHORTEST_PART = 12
_SEED = _SHORTEST_PART // 2
_PLACES = 4
# Of a form from this length on, parts are searched for.
_LONG = 2 * _SHORTEST_PART


def register_secrets(*secrets: str | None) -> None:
    """Register secrets with ansible-core, which masks them in output, logs, callbacks and results (2.22 and newer).

    Call it where a secret enters and where a token leaves.
    """
    for secret in secrets:
        if secret and len(secret.strip()) >= _SHORTEST_SECRET:
            register_secret(secret)


def mask_secrets(text: str, secrets: t.Iterable[str | None]) -> str:
    """Return the text with a mask in place of each secret, and of each part of twelve characters of a longer one.

    Mask before you cut or reformat a text, because a form of a secret that was changed is not found.

    Args:
        text: What a peer sent, or a message that quotes it.
        secrets: The secrets as they are. Their percent-encoded, form-encoded, JSON, HTML and Python forms are masked
            too, and their base64. A secret of less than six characters is not masked, and one of less than 24 only as
            a whole.
    """
    forms = tuple(sorted({form for secret in secrets if secret for form in _list_forms(secret)}))
    whole = (span for form in forms if len(form) < _LONG for span in _find_whole(form, text))
    pieces: list[str] = []
    end = 0
    for start, stop in sorted([*whole, *_find_parts(_index_seeds(forms), text)]):
        if start > end or not pieces:
            pieces += [text[end:start], MASK]
        end = max(end, stop)
    return "".join(pieces) + text[end:]


def mask_content(content: t.Any, secrets: t.Collection[str | None]) -> t.Any:
    """Return decoded JSON with secrets masked in all of its strings and names."""
    if isinstance(content, str):
        return mask_secrets(content, secrets)
    if isinstance(content, dict):
        return {mask_content(name, secrets): mask_content(value, secrets) for name, value in content.items()}
    if isinstance(content, list):
        return [mask_content(value, secrets) for value in content]
    return content


@functools.lru_cache(maxsize=128)
def _list_forms(secret: str) -> tuple[str, ...]:
    forms: set[str] = set()
    for text in (secret, secret.strip()):
        escaped = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        quoted = {
            quote(text, safe=safe) for quote in (urllib.parse.quote, urllib.parse.quote_plus) for safe in ("", "/")
        }
        forms |= {text, repr(text)[1:-1], html.escape(text), html.escape(text, quote=False)}
        forms |= escaped | {form.replace("/", "\\/") for form in escaped}
        forms |= quoted | {_lower_escapes(form) for form in quoted}
        forms.update(list_base64_forms(text))
    return tuple(form for form in forms if len(form) >= _SHORTEST_SECRET)


def list_base64_forms(text: str) -> set[str]:
    """Return what is the same in the base64 of every message that holds a text, for both alphabets.

    That depends on how many bytes are before it, modulo three. What depends on the bytes around it is left out.
    """
    forms = set()
    for before in range(3):
        content = bytes(before) + text.encode("utf-8", "surrogatepass")
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # Each digit has six bits: the first that has none of another byte, and the number of whole ones.
            forms.add(encode(content).decode()[-(-before * 8 // 6) : len(content) * 8 // 6])
    return {form for form in forms if len(form) >= _LONG}


def _lower_escapes(quoted: str) -> str:
    """Return percent-encoded text with its escapes in lower case, as some peers write them."""
    head, *escapes = quoted.split("%")
    return "%".join((head, *(escape[:2].lower() + escape[2:] for escape in escapes)))


@functools.lru_cache(maxsize=128)
def _index_seeds(forms: tuple[str, ...]) -> dict[str, list[tuple[str, int]]]:
    """Return where each seed is: the long forms that have it, and at which offset."""
    places: dict[str, list[tuple[str, int]]] = {}
    for form in forms:
        for offset in range(0, len(form) - _SEED + 1, _SEED) if len(form) >= _LONG else ():
            places.setdefault(form[offset : offset + _SEED], []).append((form, offset))
    # A secret with a pattern in it repeats its seeds; some of the places are enough to find every part.
    return {seed: found[:_PLACES] for seed, found in places.items()}


def _find_whole(form: str, text: str) -> t.Iterator[tuple[int, int]]:
    """Yield start and end of each place where the text has the form."""
    found = text.find(form)
    while found >= 0:
        yield found, found + len(form)
        found = text.find(form, found + len(form))


def _find_parts(seeds: t.Mapping[str, t.Iterable[tuple[str, int]]], text: str) -> t.Iterator[tuple[int, int]]:
    """Yield start and end of each place where the text has a part of a long form."""
    position = 0
    while position <= len(text) - _SEED and seeds:
        following = position + 1
        for form, offset in seeds.get(text[position : position + _SEED], ()):
            start, stop = _widen(form, offset, text, position)
            if stop - start >= _SHORTEST_PART:
                yield start, stop
                following = max(following, stop)
        position = following


def _widen(form: str, offset: int, text: str, found: int) -> tuple[int, int]:
    """Return start and end of the longest common part around a seed."""
    before = after = 0
    while before < min(offset, found) and form[offset - before - 1] == text[found - before - 1]:
        before += 1
    end, stop = offset + _SEED, found + _SEED
    while after < min(len(form) - end, len(text) - stop) and form[end + after] == text[stop + after]:
        after += 1
    return found - before, stop + after


__all__ = ("MASK", "list_base64_forms", "mask_content", "mask_secrets", "register_secrets")
