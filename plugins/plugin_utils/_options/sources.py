# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the options of ``app_token`` come from.

The order is the same for every option: given directly, Ansible variable, ``ENTRA_AUTH_*``, the variables other tools
already set, ``ansible.cfg``, default. An empty text counts as not given, from any source, because AWX injects empty
variables. Facts are no source; every variable, those of the roles included, is read by :func:`read_variable`.

Ansible's own option machinery is not used: it lets an empty variable win, hands over variables untemplated, accepts
unknown keywords, takes facts for variables, and repeats secret values in its error messages.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import configparser
import functools
import os
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleError

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import find_cloud
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import (
    INI_SECTION,
    OPTION_NAMES,
    OPTIONS,
    AppTokenOptions,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert, expand_path, is_blank

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OptionSpec

Variables = t.Mapping[str, t.Any]
Template = t.Callable[[t.Any], t.Any]

_CONFIG_FILE: str | None = C.CONFIG_FILE  # type: ignore[attr-defined]  # ansible.constants fills itself at run time


def resolve_options(
    direct: t.Mapping[str, t.Any], variables: Variables, template: Template, names: t.Collection[str] = OPTIONS
) -> AppTokenOptions:
    """Return the options of a call with their origins.

    Args:
        direct: A task's arguments or a lookup's keywords, evaluated.
        variables: The variables of the task's host, not evaluated.
        template: Evaluates a variable.
        names: The options that the call uses. The others have their defaults, wherever they are given.

    Raises:
        InputError: An option is unknown, a value has another type, or a variable can't be evaluated.
    """
    if not all(name in OPTION_NAMES for name in direct):
        # Loaded only here: a worker compiles every file that a call needs.
        from ansible_collections.entra.auth.plugins.plugin_utils._options.arguments import refuse_unknown_arguments

        refuse_unknown_arguments("app_token", direct, OPTION_NAMES)
    values: dict[str, t.Any] = {}
    origins: dict[str, str] = {}
    for spec in map(OPTIONS.__getitem__, names):
        for origin, value in _find_candidates(spec, direct, variables, template):
            if not is_blank(value):
                values[spec.name] = convert(spec, value, origin)
                origins[spec.name] = origin
                break
    if _is_overruled_authority(origins):
        del values["authority"], origins["authority"]
    if "authority" in values:
        values["cloud"] = _choose_cloud(values, origins)
    return AppTokenOptions(**values, origins=origins)


def _find_candidates(
    spec: OptionSpec, direct: t.Mapping[str, t.Any], variables: Variables, template: Template
) -> t.Iterator[tuple[str, t.Any]]:
    for name in (spec.name, *spec.aliases):
        yield f"option {name}", direct.get(name)
    if spec.variable in variables:
        value = read_variable(spec.variable, variables, template, secret=spec.may_hold_secret)
        yield f"variable {spec.variable}", value
    for name in spec.env:
        yield f"environment {name}", os.environ.get(name)
    for name in spec.vendor_file_env:
        yield f"environment {name}", _read_file(name, os.environ.get(name))
    if spec.ini_key:
        yield f"ansible.cfg [{INI_SECTION}] {spec.ini_key}", _read_ini_section(_CONFIG_FILE).get(spec.ini_key)


def read_variable(name: str, variables: Variables, template: Template, *, secret: bool = False) -> t.Any:
    """Return the value of a variable of the task's host; None if it is not set, omitted, or only a fact.

    Args:
        name: The variable's whole name.
        variables: The variables of the task's host, not evaluated.
        template: Evaluates a variable.
        secret: Whether an error must not say why the variable can't be evaluated, as the reason may quote it.

    Raises:
        InputError: The variable can't be evaluated.
    """
    raw = variables.get(name)
    if name in variables.get("ansible_facts", ()):
        # Loaded only here: a worker compiles every file that a call needs.
        from ansible_collections.entra.auth.plugins.plugin_utils._options.facts import remove_fact

        raw = remove_fact(name, get_host_name(variables), variables)
    if raw is None:
        return None
    try:
        return template(raw)
    except AnsibleError as exc:
        if type(exc).__name__ == "AnsibleValueOmittedError":  # of ansible-core 2.19 and newer: the value is omit
            return None
        reason = " and its value may be a secret, so the reason is not shown." if secret else f": {exc}"
    # Raised after the block: an error raised inside of it would carry the value along as its context.
    raise InputError(f"The variable {name} can't be evaluated{reason}", hint=f"Correct {name}.")


def get_host_name(variables: Variables) -> str:
    """Return the inventory name of the task's host. Raises InputError if the host returned that name as a fact."""
    if "inventory_hostname" in variables.get("ansible_facts", ()):
        raise InputError(
            "The host of this task returned a fact inventory_hostname, so its name in the inventory is not certain.",
            hint="Find out which host of the play returns that fact, and why: the host may be compromised.",
        )
    return str(variables.get("inventory_hostname", "localhost"))


def _read_file(name: str, path: str | None) -> str | None:
    """Return the text of the file that an environment variable names. Raises InputError if it can't be read."""
    if is_blank(path):
        return None
    # Loaded only here: a worker compiles every file that a call needs.
    from ansible_collections.entra.auth.plugins.plugin_utils._options.file_content import read_text

    return read_text(name, expand_path(path)).strip()


def _is_overruled_authority(origins: t.Mapping[str, str]) -> bool:
    # What another tool left in the environment must not send a request for one cloud to the login host of another.
    vendor = {f"environment {name}" for option in ("authority", "cloud") for name in OPTIONS[option].vendor_env}
    return origins.get("authority") in vendor and "cloud" in origins and origins["cloud"] not in vendor


def _choose_cloud(values: t.Mapping[str, t.Any], origins: t.Mapping[str, str]) -> str:
    """Return the cloud that was given, or that of a known login host. Raises InputError if they contradict."""
    implied = find_cloud(values["authority"])
    cloud = str(values.get("cloud") or implied or OPTIONS["cloud"].default)
    if implied and CLOUDS[implied].login_url != CLOUDS[cloud].login_url:
        raise InputError(
            f"The authority (from {origins['authority']}) is the login host of the cloud {implied}, but cloud (from "
            f"{origins['cloud']}) is {cloud}.",
            hint=f"Set cloud to {implied}, or remove the authority.",
        )
    return cloud


@functools.lru_cache(maxsize=1)
def _read_ini_section(path: str | None) -> t.Mapping[str, str]:
    if path is None:
        return {}
    # Comments as Ansible itself reads its configuration file; no interpolation, so that a % stays a %.
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    parser.read(path, encoding="utf-8")
    return dict(parser[INI_SECTION]) if parser.has_section(INI_SECTION) else {}


__all__ = (
    "Template",
    "Variables",
    "get_host_name",
    "read_variable",
    "resolve_options",
)
