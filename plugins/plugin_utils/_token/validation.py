# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refusing, before any request, what can't work.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_sources import (
    describe_missing_permission,
)
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import CREDENTIALS
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import (
    is_loopback,
    refuse_other_tenant,
    validate_tenant,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import CACHES, OPTIONS, find_passwords
from ansible_collections.entra.auth.plugins.plugin_utils._options.headers import refuse_broken_headers

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import Credential
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_SET_MISSING = "Set what is missing in one of the places named; an empty value counts as not given."
_ON_AZURE = "On Azure, credential: managed_identity needs none of it."
_PROXY = re.compile(r"(https?|socks[45][ah]?)://([^\s/?#@]*@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")
_REDIS = re.compile(r"rediss?://[^\s/]+")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# No platform's timers hold any number, and nobody waits for longer.
_MAX_TIMEOUT_SECONDS = 86400


def refuse_missing(options: AppTokenOptions, kind: str | None) -> None:
    """Raise InputError that names all that is missing, and every place where it was looked for."""
    chosen = CREDENTIALS[kind] if kind else None
    required = chosen.required if chosen else ("tenant_id", "client_id")
    missing = [
        f"{name} (looked for {OPTIONS[name].describe_places()})" for name in required if not getattr(options, name)
    ]
    if chosen is None:
        missing.append(f"a credential ({_places_of_credentials()})")
    elif not _is_complete(chosen, options):
        missing.append(
            " or ".join(f"{name} (looked for {OPTIONS[name].describe_places()})" for name in chosen.selecting_options)
        )
    if missing:
        raise InputError(
            f"To ask for a token, entra.auth still needs {', and '.join(missing)}.",
            hint=" ".join(
                filter(None, (_describe_ci_job(chosen, options), _SET_MISSING, None if chosen else _ON_AZURE))
            ),
        )


def _describe_ci_job(chosen: type[Credential] | None, options: AppTokenOptions) -> str | None:
    """Return why a CI job offers no assertion, if an assertion may be what is missing."""
    if chosen is None or (chosen is CREDENTIALS["federated"] and not chosen.is_given(options)):
        return describe_missing_permission()
    return None


def _places_of_credentials() -> str:
    names = [name for cls in CREDENTIALS.values() for name in cls.selecting_options]
    vendor = [variable for name in names for variable in OPTIONS[name].vendor_env]
    return (
        f"looked for the options {', '.join(names)}; each also as variable app_token_<option> and in the environment "
        f"as ENTRA_AUTH_<OPTION>; in the environment {', '.join(vendor)}"
    )


def _is_complete(cls: type[Credential], options: AppTokenOptions) -> bool:
    # A managed identity needs no selector, and a person at a device code brings all that is needed.
    return not cls.required or not cls.selecting_options or cls.is_given(options)


def refuse_unusable(options: AppTokenOptions) -> None:
    """Raise InputError for values that have the right type but could only fail later."""
    if options.tenant_id:
        validate_tenant(options.tenant_id)
    if options.authority:
        refuse_other_tenant(options.authority, options.tenant_id or "")
    if _CONTROL_CHARACTER.search(str(options.client_id)) or " " in str(options.client_id):
        raise InputError(
            "client_id contains white space or control characters.",
            hint="Set it to the Application (client) ID of the app registration.",
        )
    if options.timeout == 0:
        raise InputError("timeout is 0, which leaves no time for any answer.", hint="Set timeout above 0 seconds.")
    if options.timeout > _MAX_TIMEOUT_SECONDS:
        raise InputError("timeout is longer than a day.", hint=f"Set it to {_MAX_TIMEOUT_SECONDS} seconds or less.")
    if options.ca_path and options.run_on == "controller" and not os.access(options.ca_path, os.R_OK):
        raise InputError(
            f"ca_path {options.ca_path} does not exist or can't be read.",
            hint="Set it to a PEM file, or a directory of hashed certificates, that the controller can read.",
        )
    _refuse_plain_http("api_base_url", options.api_base_url)
    if options.proxy and not _PROXY.fullmatch(options.proxy):
        raise InputError("proxy is not the URL of a proxy.", hint="Write it like http://proxy.example.com:3128.")
    refuse_broken_headers("extra_headers", options.extra_headers)
    _refuse_unknown_cache(options)


def _refuse_plain_http(name: str, url: str | None) -> None:
    if url is None:
        return
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        parts = urllib.parse.urlsplit("")
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return
    raise InputError(
        f"{name} is not an https URL, so the token would travel in the clear.",
        hint=f"Write {name} as https://host; http is for a test server on this machine only.",
    )


def _refuse_unknown_cache(options: AppTokenOptions) -> None:
    if options.cache not in CACHES and not _REDIS.match(options.cache):
        raise InputError(
            f"cache is none of {', '.join(CACHES)}, and no URL of a Redis server.",
            hint="Use one of them, or a URL like rediss://user:password@host:6379/0.",
        )
    if find_passwords(options.cache) and options.origins.get("cache", "").startswith("ansible.cfg"):
        raise InputError(
            "cache in ansible.cfg holds a password, which does not belong there.",
            hint="Set the whole URL as ENTRA_AUTH_CACHE in the environment, or as the variable app_token_cache.",
        )


def parse_claims_challenge(challenge: str | None) -> str | None:
    """The JSON text to send as ``claims``, from the base64 of a WWW-Authenticate header or from JSON itself.

    Learn, "Claims challenges, claims requests and client capabilities". Raises InputError for anything else.
    """
    if challenge is None:
        return None
    try:
        text = challenge if challenge.lstrip().startswith("{") else _from_base64(challenge)
        claims = json.loads(text)
    except (ValueError, binascii.Error, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise InputError(
            "claims_challenge is neither JSON nor base64 of JSON.",
            hint="Copy the value of claims from the WWW-Authenticate header of the 401 answer.",
        )
    return json.dumps(claims, separators=(",", ":"))


def _from_base64(text: str) -> str:
    normal = text.strip().replace("-", "+").replace("_", "/")
    return base64.b64decode(normal + "=" * (-len(normal) % 4), validate=True).decode()


__all__ = ("parse_claims_challenge", "refuse_missing", "refuse_unusable")
