# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell what a call lacks, where it was searched, and what to set.

It is loaded only for a message.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_sources import (
    describe_missing_permission,
)
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import CREDENTIALS
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS

# Stands for a credential of any kind; the advice names one of them.
_CREDENTIAL = ()
_COMMON_CREDENTIAL = "client_secret"
_WAYS = ("option", "variable", "environment variable")
# The variables with which azure.azcollection and AWX give a user's name and password.
_PASSWORD_VARIABLES = ("AZURE_AD_USER", "AZURE_PASSWORD")


def build_missing_error(
    required: t.Sequence[str],
    kind: str | None,
    log: t.Callable[[str], object],
    *,
    has_proof: bool,
) -> InputError:
    """Return the error for a call that lacks something.

    Args:
        required: The options that are missing, apart from those of the credential.
        kind: The kind of the chosen credential; None if none is given.
        log: Shows a line with -v. It gets every place that was searched.
        has_proof: Whether an option of the credential is given.
    """
    missing: list[tuple[str, ...]] = [(name,) for name in required]
    if not has_proof:
        missing.append(CREDENTIALS[kind].selecting_options if kind else _CREDENTIAL)
    for name in _list_options(missing):
        log(f"entra.auth: {name} was searched in {OPTIONS[name].describe_places()}; an empty value does not count")
    ci_job = None
    if not has_proof and kind in (None, "federated"):
        ci_job = describe_missing_permission()
    advice = _suggest_ways(missing)
    return InputError(
        f"Missing: {_join([_describe_missing(names) for names in missing])}.{_describe_passwords(missing)}",
        hint=f"{ci_job} Or set {advice}" if ci_job else f"Set {advice}",
    )


def _list_options(missing: t.Iterable[tuple[str, ...]]) -> t.Iterator[str]:
    for names in missing:
        yield from names or (name for entry in CREDENTIALS.values() for name in entry.selecting_options)


def _describe_missing(names: tuple[str, ...]) -> str:
    return " or ".join(names) or f"a credential (such as {_COMMON_CREDENTIAL})"


def _suggest_ways(missing: t.Sequence[tuple[str, ...]]) -> str:
    """Return the three shortest ways to give what is missing."""
    ways = list(zip(*map(_choose_ways, missing), strict=True))
    names = [f"{kind}{'s' if len(missing) > 1 else ''} {_join(way)}" for kind, way in zip(_WAYS, ways, strict=True)]
    return f"the {names[0]}, the {names[1]} or the {names[2]}; -v lists every place that was searched."


def _choose_ways(names: tuple[str, ...]) -> tuple[str, str, str]:
    """Return an option, its variable, and the environment variable that most tools know, or our own."""
    options = [OPTIONS[name] for name in names or (_COMMON_CREDENTIAL,)]
    known = [(option, name) for option in options for name in option.vendor_env if name.startswith("AZURE_")]
    option, environment = known[0] if known else (options[0], options[0].env[0])
    return option.name, option.variable, environment


def _describe_passwords(missing: t.Sequence[tuple[str, ...]]) -> str:
    found = [name for name in _PASSWORD_VARIABLES if os.environ.get(name)]
    if _CREDENTIAL not in missing or not found:
        return ""
    return f" {_join(found)} {'was' if len(found) == 1 else 'were'} found, but user passwords are not supported."


def _join(parts: t.Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


__all__ = ("build_missing_error",)
