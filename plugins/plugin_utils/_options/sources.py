# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the options of ``app_token`` come from.

One order for every option: given directly, Ansible variable, ``ENTRA_AUTH_*``, the variables other tools already set,
``ansible.cfg``, default. An empty string counts as not given, from any source, because AWX injects empty variables.
Ansible's own option machinery is not used, because it lets an empty variable win, hands over variables untemplated,
accepts unknown keywords, and repeats secret values in its error messages.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import configparser
import dataclasses
import difflib
import functools
import os
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleError

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import INI_SECTION, OPTIONS, AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import convert

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OptionSpec

# What a call wishes for itself alone: of those that follow it, each would make a token request.
_ONCE = frozenset({"force_refresh"})
_KNOWN = tuple(name for spec in OPTIONS.values() for name in (spec.name, *spec.aliases))
_CONFIG_FILE: str | None = C.CONFIG_FILE  # type: ignore[attr-defined]  # ansible.constants fills itself at run time


@dataclasses.dataclass(frozen=True)
class OptionSources:
    """The places to look at, in one call.

    ``direct`` are a task's arguments or a lookup's keywords, ``variables`` the host's, and ``template`` turns a raw
    variable into its value.
    """

    direct: t.Mapping[str, t.Any]
    variables: t.Mapping[str, t.Any]
    template: t.Callable[[t.Any], t.Any]

    def resolve(self) -> AppTokenOptions:
        """All options with their origins. Raises InputError for an unknown option or a value of the wrong type."""
        _refuse_unknown(self.direct)
        values: dict[str, t.Any] = {}
        origins: dict[str, str] = {}
        for spec in OPTIONS.values():
            for origin, value in self._candidates(spec):
                if not is_blank(value):
                    values[spec.name] = convert(spec, value, origin)
                    origins[spec.name] = origin
                    break
        if _is_overruled_authority(origins):
            del values["authority"], origins["authority"]
        return AppTokenOptions(**values, origins=origins)

    def given_by_variables(self) -> dict[str, t.Any]:
        """The value of each option that has a variable, as it is now, to ask with them again. Raises InputError."""
        specs = (spec for spec in OPTIONS.values() if spec.variable in self.variables and spec.name not in _ONCE)
        values = {spec.name: self._variable(spec.variable) for spec in specs}
        return {name: value for name, value in values.items() if not is_blank(value)}

    def _candidates(self, spec: OptionSpec) -> t.Iterator[tuple[str, t.Any]]:
        for name in (spec.name, *spec.aliases):
            yield f"option {name}", self.direct.get(name)
        if spec.variable in self.variables:
            yield f"variable {spec.variable}", self._variable(spec.variable)
        for name in spec.env:
            yield f"environment {name}", os.environ.get(name)
        if spec.ini_key:
            yield f"ansible.cfg [{INI_SECTION}] {spec.ini_key}", _ini_section(_CONFIG_FILE).get(spec.ini_key)

    def _variable(self, name: str) -> t.Any:
        try:
            return self.template(self.variables[name])
        except AnsibleError as exc:
            reason = str(exc)
        raise InputError(f"The variable {name} can't be evaluated: {reason}", hint=f"Correct {name}.")


def is_blank(value: t.Any) -> bool:
    """Whether a value counts as not given."""
    return value is None or (isinstance(value, str) and not value.strip())


def _is_overruled_authority(origins: t.Mapping[str, str]) -> bool:
    # What another tool left in the environment must not send a request for one cloud to the login host of another.
    vendor = {f"environment {name}" for option in ("authority", "cloud") for name in OPTIONS[option].vendor_env}
    return origins.get("authority") in vendor and "cloud" in origins and origins["cloud"] not in vendor


def _refuse_unknown(direct: t.Mapping[str, t.Any]) -> None:
    for name in direct:
        if name not in _KNOWN:
            close = difflib.get_close_matches(str(name), _KNOWN, n=1)
            raise InputError(
                f"'{name}' is not an option of app_token.",
                hint=f"Did you mean '{close[0]}'?" if close else f"The options are {', '.join(sorted(OPTIONS))}.",
            )


@functools.lru_cache(maxsize=1)
def _ini_section(path: str | None) -> t.Mapping[str, str]:
    if path is None:
        return {}
    # Comments as Ansible itself reads its configuration file; no interpolation, so that a % stays a %.
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    parser.read(path, encoding="utf-8")
    return dict(parser[INI_SECTION]) if parser.has_section(INI_SECTION) else {}


__all__ = ("OptionSources", "is_blank")
