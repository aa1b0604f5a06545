# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mask secrets in texts, in each form in which they were sent or may be quoted.

On ansible-core 2.22 and newer, register secrets with ansible-core too, which masks them in all that it shows.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

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
# A peer may quote a part of a secret only. The parts that are searched for, their number and their least length:
# any quarter of a secret is found, and nothing that is likely to be an ordinary word.
_PARTS = 8
_SHORTEST_PART = 12


def register_secrets(*secrets: str | None) -> None:
    """Register secrets with ansible-core, which masks them in output, logs, callbacks and results (2.22 and newer).

    Call it where a secret enters and where a token leaves.
    """
    for secret in secrets:
        if secret and len(secret.strip()) >= _SHORTEST_SECRET:
            register_secret(secret)


def mask_secrets(text: str, secrets: t.Iterable[str | None]) -> str:
    """Return the text with a mask in place of each secret and of each quarter of one.

    Mask before you cut or reformat a text, because a form of a secret that was changed is not found.

    Args:
        text: What a peer sent, or a message that quotes it.
        secrets: The secrets as they are. Their percent-encoded, form-encoded, JSON, HTML and Python forms are masked
            too. A secret of less than six characters is not masked.
    """
    forms = {form for secret in secrets if secret for form in _list_forms(secret)}
    pieces: list[str] = []
    end = 0
    for start, stop in sorted(span for form in forms for span in _find_spans(form, text)):
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
    return tuple(form for form in forms if len(form) >= _SHORTEST_SECRET)


def _lower_escapes(quoted: str) -> str:
    """Return percent-encoded text with its escapes in lower case, as some peers write them."""
    head, *escapes = quoted.split("%")
    return "%".join((head, *(escape[:2].lower() + escape[2:] for escape in escapes)))


def _find_spans(form: str, text: str) -> t.Iterator[tuple[int, int]]:
    """Yield start and end of each place where the text has the form or a large part of it."""
    size = max(_SHORTEST_PART, len(form) // _PARTS)
    if len(form) < 2 * size:
        size = len(form)
    for offset in range(0, len(form) - size + 1, size):
        found = text.find(form[offset : offset + size])
        while found >= 0:
            start, stop = _widen(form, offset, text, found, size)
            yield start, stop
            found = text.find(form[offset : offset + size], stop)


def _widen(form: str, offset: int, text: str, found: int, size: int) -> tuple[int, int]:
    """Return start and end of the longest common part around one of ``size`` characters."""
    before = after = 0
    while before < min(offset, found) and form[offset - before - 1] == text[found - before - 1]:
        before += 1
    end, stop = offset + size, found + size
    while after < min(len(form) - end, len(text) - stop) and form[end + after] == text[stop + after]:
        after += 1
    return found - before, stop + after


__all__ = ("MASK", "mask_content", "mask_secrets", "register_secrets")
