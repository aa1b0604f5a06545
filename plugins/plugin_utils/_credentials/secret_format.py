# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recognize texts that were given in place of a client secret, without showing them.

Loaded only for a secret that looks like something else, or that was refused.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import re

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import GUID
from ansible_collections.entra.auth.plugins.plugin_utils._entra.hints import PROOFS
from ansible_collections.entra.auth.plugins.plugin_utils._options.file_content import describe_json

# What a wrong secret looks like, in the words of the advice.
_FORMS = (
    (
        GUID.pattern,
        "The given text is a GUID and so most probably the Secret ID; the Value is shown only once, when the secret is "
        "created.",
    ),
    (r"([\"']).*\1", "The given text has quotes around it, which count as a part of the secret."),
    (r"\s.*|.*\s", "The given text has a blank at its beginning or end, which counts as a part of the secret."),
    (r"(/|~/|[a-z]:\\).*", "The given text looks like a path, which client_secret_file takes."),
)


def suggest_secret(secret: str, proof: str) -> str | None:
    """Return the advice for a wrong secret that looks like something else; None for any other secret.

    Args:
        secret: the secret, which is not shown.
        proof: the option that it comes from.
    """
    words = next((words for form, words in _FORMS if re.fullmatch(form, secret, re.IGNORECASE)), None)
    return f"Give the secret's Value as {PROOFS[proof].words}. {words}" if words else None


def refuse_other_form(secret: str, source: str) -> None:
    """Raise InputError for a text that no client secret can be.

    Args:
        secret: the text, which is not shown.
        source: the option or file it comes from, for the message.
    """
    lines = secret.splitlines()
    form = describe_json(secret, "the secret")
    if form is None and "-----BEGIN" in secret:
        form = "PEM, which client_certificate takes"
    if form is None and len(lines) > 1:
        form = f"{len(lines)} lines"
    if form is None and any(ord(character) < ord(" ") for character in secret):
        form = "control characters"
    if form:
        raise InputError(
            f"{source} does not hold a client secret: it holds {form}.",
            hint="Give the secret's Value alone, in one line.",
        )


__all__ = ("refuse_other_form", "suggest_secret")
