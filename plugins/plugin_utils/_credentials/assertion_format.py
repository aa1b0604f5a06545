# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recognize assertions, and describe them without showing them.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, printable
from ansible_collections.entra.auth.plugins.plugin_utils._options.file_content import describe_json

_SHOWN_CHARACTERS = 1000
_ENCRYPTED_PARTS = 5
# GitHub Docs, "OpenID Connect reference": the form with ids, by default since 2026-07-15.
_IMMUTABLE_SUBJECT = re.compile(r"repo:[^/:@]+@\d+/[^/:@]+@\d+(:|$)")
_BEFORE = re.compile(r"\A(Authorization:\s*)?Bearer\s+", re.IGNORECASE)
_LITERAL_LINE_BREAKS = re.compile(r"(\\r|\\n)+$")
# Learn, "Flexible federated identity credentials": GitHub, GitLab and HCP Terraform.
_FLEXIBLE_ISSUERS = ("https://token.actions.", "https://gitlab.com", "https://app.terraform.io")


def parse_assertion(text: str, source: str) -> str:
    """Return the JWT that a text holds, without white space, quotes, a leading "Bearer" and a spelled-out line break.

    Args:
        text: the content of an option or file, or the value in a platform's response.
        source: where the text comes from, for the message.

    Raises:
        InputError: for anything other than one signed JWT; it names the form that was recognized.
    """
    stripped, joined = _normalize(text)
    if read_claims(joined) is not None:
        return joined
    raise InputError(
        f"{source} does not hold a JWT: it holds {_describe_form(stripped)}.",
        hint="Give the token alone, as its issuer wrote it: three parts, separated by dots.",
    )


def _normalize(text: str) -> tuple[str, str]:
    """Return a text without what may surround a JWT, and the same without the white space within it."""
    stripped = _LITERAL_LINE_BREAKS.sub("", _BEFORE.sub("", text.lstrip("\ufeff").strip().strip("\"'"), count=1))
    # White space is no part of a JWT (RFC 7515 section 7.1), so a wrapped one can be joined.
    return stripped, "".join(stripped.split())


def decode_shown(text: str) -> str:
    """Return everything in the text of an assertion that a message may show: its claims, or the text of JSON."""
    stripped, joined = _normalize(text)
    claims = read_claims(joined)
    if claims is not None:
        return json.dumps(claims, ensure_ascii=False)
    return json.dumps(_read_json(stripped), ensure_ascii=False)


def describe_assertion(assertion: str) -> str:
    """Return issuer, subject and audience of an assertion, unverified; they are no secrets and ready to be copied."""
    claims = read_claims(assertion)
    if claims is None:
        return "an assertion that is not a readable JWT"
    audience = claims.get("aud")
    shown = ", ".join(map(str, audience)) if isinstance(audience, list) else audience
    text = f"issuer '{claims.get('iss')}', subject '{claims.get('sub')}', audience '{shown}'"
    return printable(text, _SHOWN_CHARACTERS)


def describe_subject_form(assertion: str) -> str:
    """Return sentences about the subject's form and about flexible credentials; empty for other issuers."""
    claims = read_claims(assertion) or {}
    issuer, subject = str(claims.get("iss")), str(claims.get("sub"))
    sentences = []
    if subject.startswith("repo:"):
        sentences.append(
            "The subject has GitHub's immutable form, with the ids of owner and repository."
            if _IMMUTABLE_SUBJECT.match(subject)
            else "The subject has GitHub's older form, without ids; a repository that was created or renamed since "
            "2026-07-15 sends ids (repo:owner@id/repository@id:…)."
        )
    if issuer.startswith(_FLEXIBLE_ISSUERS):
        sentences.append("A flexible federated credential (claimsMatchingExpression) can match several subjects.")
    return " ".join(sentences)


def read_claims(assertion: str) -> dict[str, t.Any] | None:
    """Return the claims of a signed JWT; None for anything else."""
    parts = assertion.split(".")
    if len(parts) != 3 or not all(parts):
        return None
    header, claims = (_read_json(_decode_base64url(part)) for part in parts[:2])
    is_whole = isinstance(header, dict) and isinstance(claims, dict) and _decode_base64url(parts[2])
    return claims if is_whole else None


def _decode_base64url(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""


def _read_json(text: str | bytes) -> t.Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _describe_form(text: str) -> str:
    """Return a name for a text that is not a JWT, without quoting it."""
    if form := describe_json(text, "the token"):
        return form
    if len(text.split()) > 1 and all(read_claims(word) is not None for word in text.split()):
        return "more than one JWT"
    decoded = _decode_base64url("".join(text.split()).replace("+", "-").replace("/", "_"))
    if read_claims(decoded.decode(errors="replace").strip()) is not None:
        return "a JWT in base64, which has to be decoded first"
    if text.count(".") == _ENCRYPTED_PARTS - 1 and text.startswith("eyJ"):
        return "an encrypted JWT (JWE), which Entra can't read"
    return next((name for pattern, name in _FORMS if re.match(pattern, text)), "other text")


_FORMS = (
    (r"\[", "a JSON list"),
    (r"<", "XML or HTML"),
    (r"https?://", "a URL"),
    (r"[/~]", "a path, which federated_token_file takes"),
    (r"-----BEGIN", "PEM"),
    (r"eyJ[\w-]+\.[\w-]+\.?$", "a JWT without its last part, the signature"),
    (r"[\w.-]+\s*[:=]\s*[\"']?eyJ", "a name before the token"),
    (r"eyJ", "a JWT that was cut short or changed"),
)


__all__ = ("decode_shown", "describe_assertion", "describe_subject_form", "parse_assertion", "read_claims")
