# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in texts: one function masks them, in each form in which they may have been sent or quoted.

On ansible-core 2.22 and newer a secret is also registered with the core, which masks it in everything that it shows.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import json
import typing as t
import urllib.parse

try:
    from ansible.module_utils.secrets import register_secret as _register  # type: ignore[import-not-found, unused-ignore]  # 2.22
except ImportError:

    def _register(text: str) -> str:
        return text


MASK = "********"
# A shorter text is part of ordinary words.
_SHORTEST_SECRET = 6


def register_secrets(*secrets: str | None) -> None:
    """Have ansible-core mask these texts in output, log, callbacks and results, if it can (2.22 and newer)."""
    for secret in secrets:
        if secret and len(secret) >= _SHORTEST_SECRET:
            _register(secret)


def mask_secrets(text: str, secrets: t.Iterable[str | None]) -> str:
    """Return the text with a mask in place of each secret, as it is and percent-encoded, form-encoded or in JSON.

    Mask before you cut a text: a part of a secret is not found.
    """
    forms = {form for secret in secrets if secret for form in _forms_of(secret)}
    # The longest first: one may be the beginning of another.
    for form in sorted(forms, key=len, reverse=True):
        if len(form) >= _SHORTEST_SECRET:
            text = text.replace(form, MASK)
    return text


def _forms_of(secret: str) -> t.Iterator[str]:
    for form in (secret, secret.strip()):
        yield form
        for quote in (urllib.parse.quote, urllib.parse.quote_plus):
            quoted = quote(form, safe="")
            yield from (quoted, quoted.replace("%2F", "/"))
            yield _lower_escapes(quoted)
        yield from (json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1], repr(form)[1:-1])


def _lower_escapes(quoted: str) -> str:
    """Return percent-encoded text with its escapes in lower case, as some peers write them."""
    head, *escapes = quoted.split("%")
    return "%".join((head, *(escape[:2].lower() + escape[2:] for escape in escapes)))


__all__ = ("MASK", "mask_secrets", "register_secrets")
