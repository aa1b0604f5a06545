# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that ``authorized_uri`` has in addition to those of ``app_token``, typed and checked before any request.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import (
    OPTION_NAMES,
    OptionSpec,
    list_options,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import define_option as _option
from ansible_collections.entra.auth.plugins.plugin_utils._options.arguments import (
    convert_arguments,
    refuse_unknown_arguments,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.headers import refuse_broken_headers
from ansible_collections.entra.auth.plugins.plugin_utils._options.uri import (
    PASSED_ALIASES,
    PASSED_OPTIONS,
    find_hint,
    find_owned,
)

BODY_FORMATS = ("json", "raw", "form-urlencoded", "form-multipart")
_METHOD = re.compile(r"[A-Z]+")


@dataclasses.dataclass(frozen=True)
class AuthorizedUriOptions:
    """What to request of an API.

    Attributes:
        passed: The options for ``ansible.builtin.uri``, as they were given.
        given: The names of all options that were given.
    """

    url: str = _option("str", "")
    method: str = _option("str", "GET")
    headers: dict[str, str] = _option("dict", {})
    body: t.Any = _option("raw")
    body_format: str = _option("str", "json", choices=BODY_FORMATS)
    src: str | None = _option("str")
    status_code: list[int] = _option("list", [], elements="int")
    return_content: bool = _option("bool", False)
    jmespath: str | None = _option("str")
    allowed_hosts: list[str] = _option("list", [])
    access_token: str | None = _option("str", secret=True)
    passed: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    given: frozenset[str] = frozenset()

    def expects(self, status: int) -> bool:
        """Return whether a response with this status is a success."""
        return status in self.status_code if self.status_code else 200 <= status < 300


URI_OPTIONS = {
    **list_options(AuthorizedUriOptions),
    **{name: OptionSpec(name, "raw") for name in PASSED_OPTIONS},
}


def parse_uri_options(arguments: t.Mapping[str, t.Any]) -> AuthorizedUriOptions:
    """Return the options that a task's own arguments give.

    Raises:
        InputError: An option is unknown, of another type, set by this module itself, or contradicts another one.
    """
    named = {PASSED_ALIASES.get(name, name): value for name, value in arguments.items()}
    _refuse_owned(named)
    refuse_unknown_arguments("authorized_uri", named, (*URI_OPTIONS, *OPTION_NAMES))
    given = convert_arguments(URI_OPTIONS, named)
    passed = {name: value for name, value in given.items() if name in PASSED_OPTIONS}
    values = {name: value for name, value in given.items() if name not in passed}
    options = AuthorizedUriOptions(**values, passed=passed, given=frozenset(given))
    _refuse_contradictions(options)
    return options


def _refuse_owned(names: t.Iterable[str]) -> None:
    owned = find_owned(names)
    if owned:
        raise InputError(
            f"authorized_uri sets {', '.join(owned)} of ansible.builtin.uri itself.", hint=str(find_hint(owned))
        )


def _refuse_contradictions(options: AuthorizedUriOptions) -> None:
    if not options.url:
        raise InputError(
            "authorized_uri needs a url.", hint="Give a whole one, or a path of the API such as /v1.0/users."
        )
    if not _METHOD.fullmatch(options.method):
        raise InputError("method has to be one word, like GET or POST.", hint="Correct the option method.")
    for one, other in (("body", "src"), ("dest", "jmespath")):
        if {one, other} <= options.given:
            raise InputError(f"{one} and {other} exclude each other.", hint=f"Remove {one} or {other}.")
    if options.body_format == "form-multipart" and not isinstance(options.body, (t.Mapping, type(None))):
        raise InputError(
            "With body_format: form-multipart, body has to be a mapping.",
            hint="Give the fields of the form as a mapping, a file as a mapping with filename.",
        )
    refuse_broken_headers("headers", options.headers)


__all__ = (
    "BODY_FORMATS",
    "URI_OPTIONS",
    "AuthorizedUriOptions",
    "parse_uri_options",
)
