# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse options that can't work, before any request.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import json
import os
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import CREDENTIALS, is_given, load_class
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import (
    refuse_other_tenant,
    validate_tenant,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import CACHES, find_passwords
from ansible_collections.entra.auth.plugins.plugin_utils._options.headers import refuse_broken_headers

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_PROXY = re.compile(r"(https?|socks[45][ah]?)://([^\s/?#@]*@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")
_BLANK_OR_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_MIN_CACHE_KEY_CHARACTERS = 32
_REDIS = re.compile(r"rediss?://[^\s/]+")
# Timers of platforms have limits, and no exchange takes longer.
_MAX_TIMEOUT_SECONDS = 86400


def refuse_missing(options: AppTokenOptions, kind: str | None, log: t.Callable[[str], object]) -> None:
    """Refuse options that lack something the credential needs.

    Args:
        options: The options of the call.
        kind: The kind of the credential; None if no credential is given.
        log: Shows a line with -v. It gets every place that was searched.

    Raises:
        InputError: It names all that is missing.
    """
    required = load_class(kind).required if kind else ("tenant_id", "client_id")
    missing = [name for name in required if not getattr(options, name)]
    has_proof = kind is not None and _has_proof(kind, options)
    if missing or not has_proof:
        # Loaded only here: a worker compiles every file that a call needs.
        from ansible_collections.entra.auth.plugins.plugin_utils._token.missing_options import build_missing_error

        raise build_missing_error(missing, kind, log, has_proof=has_proof)


def _has_proof(kind: str, options: AppTokenOptions) -> bool:
    # A managed identity needs no selector, and for a device code a person signs in.
    return not load_class(kind).required or not CREDENTIALS[kind].selecting_options or is_given(kind, options)


def refuse_unusable(options: AppTokenOptions) -> None:
    """Raise InputError for values of the right type that would fail later."""
    if options.tenant_id:
        validate_tenant(options.tenant_id)
    if options.authority:
        refuse_other_tenant(options.authority, options.tenant_id or "")
    if _BLANK_OR_CONTROL.search(str(options.client_id)):
        raise InputError(
            "client_id contains white space or control characters.",
            hint="Set it to the Application (client) ID of the app registration.",
        )
    if options.ca_path and options.run_on == "controller" and not os.access(options.ca_path, os.R_OK):
        raise InputError(
            f"ca_path {options.ca_path} does not exist or can't be read.",
            hint="Set it to a PEM file, or a directory of hashed certificates, that the control node can read.",
        )
    refuse_unusable_request(options)
    refuse_unusable_cache(options)


def refuse_unusable_request(options: AppTokenOptions) -> None:
    """Raise InputError for values that concern the requests to an API too, and so a call with a token from elsewhere.

    ca_path is not among them, because authorized_uri may have it for the task's host.
    """
    if options.timeout == 0:
        raise InputError("timeout is 0, which leaves no time for a response.", hint="Set timeout above 0 seconds.")
    if options.timeout > _MAX_TIMEOUT_SECONDS:
        raise InputError("timeout is longer than a day.", hint=f"Set it to {_MAX_TIMEOUT_SECONDS} seconds or less.")
    if options.api_base_url is not None:
        # Loaded only here: a worker compiles every file that a call needs.
        from ansible_collections.entra.auth.plugins.module_utils._endpoint_url import refuse_insecure_url

        refuse_insecure_url("api_base_url", options.api_base_url)
    if options.proxy and not _PROXY.fullmatch(options.proxy):
        raise InputError("proxy is not the URL of a proxy.", hint="Write it like http://proxy.example.com:3128.")
    refuse_broken_headers("extra_headers", options.extra_headers)


def refuse_unusable_cache(options: AppTokenOptions) -> None:
    """Raise InputError for a cache that can't be used, or whose password is in the wrong place."""
    if options.cache not in CACHES and not _REDIS.match(options.cache):
        raise InputError(
            f"cache is not one of {', '.join(CACHES)}, or the URL of a Redis server.",
            hint="Use one of them, or a URL like rediss://user:password@host:6379/0.",
        )
    if find_passwords(options.cache) and options.origins.get("cache", "").startswith("ansible.cfg"):
        raise InputError(
            "cache in ansible.cfg contains a password, which does not belong there.",
            hint="Set the whole URL as ENTRA_AUTH_CACHE in the environment, or as the variable app_token_cache.",
        )
    if options.cache_key and len(options.cache_key) < _MIN_CACHE_KEY_CHARACTERS:
        raise InputError(
            f"cache_key has fewer than {_MIN_CACHE_KEY_CHARACTERS} characters, so it could be guessed.",
            hint="Use a random text, such as the output of: openssl rand -base64 32",
        )


def parse_claims_challenge(challenge: str | None) -> str | None:
    """Return the JSON text to send as ``claims`` (Learn, "Claims challenges, claims requests and client capabilities").

    Args:
        challenge: The base64 of a WWW-Authenticate header, or JSON; None for no challenge.

    Raises:
        InputError: It is neither of them.
    """
    if challenge is None:
        return None
    try:
        text = challenge if challenge.lstrip().startswith("{") else _decode_base64(challenge)
        claims = json.loads(text)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise InputError(
            "claims_challenge is not JSON or base64 of JSON.",
            hint="Copy the value of claims from the WWW-Authenticate header of the 401 response.",
        )
    return json.dumps(claims, separators=(",", ":"))


def _decode_base64(text: str) -> str:
    normal = text.strip().replace("-", "+").replace("_", "/")
    return base64.b64decode(normal + "=" * (-len(normal) % 4), validate=True).decode()


__all__ = (
    "parse_claims_challenge",
    "refuse_missing",
    "refuse_unusable",
    "refuse_unusable_cache",
    "refuse_unusable_request",
)
