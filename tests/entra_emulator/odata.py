# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``$filter`` of a listing (OData 4.01 part 2, section 5.1.1): comparisons of one property each, joined by ``and``."""

from __future__ import annotations

import operator
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Body = dict[str, t.Any]
Wanted = t.Callable[[Body], bool]

_TEXT: t.Final = r"'((?:[^']|'')*)'"
_COMPARISON: t.Final = re.compile(rf"(\w+) (eq|ne|le|ge|lt|gt) (?:{_TEXT}|([\w:.+-]+))")
_AFFIX: t.Final = re.compile(rf"(startswith|endswith)\((\w+), ?{_TEXT}\)", re.IGNORECASE)
_BARE: t.Final[Mapping[str, object]] = {"true": True, "false": False, "null": None}
_OPERATORS: t.Final[dict[str, Callable[[t.Any, t.Any], bool]]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "le", "ge", "lt", "gt")
}
_ADVANCED: t.Final = ("ne", "endswith")  # Learn "Advanced query capabilities on Microsoft Entra ID objects"


class FilterError(ValueError):
    """A filter this emulator does not know; the message is the clause."""


class Filter(t.NamedTuple):
    """Clauses that must all hold; ``advanced`` if Graph answers only eventually consistent requests with such a one."""

    clauses: tuple[Wanted, ...]
    advanced: bool

    def wants(self, item: Body) -> bool:
        """Whether ``item`` is asked for."""
        return all(clause(item) for clause in self.clauses)


def parse(text: str) -> Filter:
    """The filter ``text`` says; :class:`FilterError` for anything more than this emulator has."""
    clauses: list[Wanted] = []
    names: list[str] = []
    rest = text
    while True:
        name, clause, rest = _clause(rest)
        names.append(name)
        clauses.append(clause)
        if not rest:
            return Filter(tuple(clauses), any(name in _ADVANCED for name in names))
        if not rest.startswith(" and "):
            raise FilterError(text)
        rest = rest.removeprefix(" and ")


def _clause(text: str) -> tuple[str, Wanted, str]:
    """Operator and meaning of the first clause of ``text``, and what follows it."""
    comparison, affix = _COMPARISON.match(text), _AFFIX.match(text)
    if comparison:
        return comparison[2], _comparing(*comparison.groups()), text[comparison.end() :]
    if affix:
        return affix[1].lower(), _fixed(*affix.groups()), text[affix.end() :]
    raise FilterError(text)


def _comparing(name: str, how: str, quoted: str | None, bare: str | None) -> Wanted:
    """A comparison; texts and moments in ISO 8601 alike compare as text, what is null only by eq and ne."""
    value = _BARE.get(bare or "", bare) if quoted is None else quoted.replace("''", "'")
    compare = _OPERATORS[how]
    if how in ("eq", "ne"):
        return lambda item: compare(_folded(item.get(name)), _folded(value))
    return lambda item: item.get(name) is not None and compare(str(item[name]), str(value))


def _fixed(how: str, name: str, quoted: str) -> Wanted:
    affix = quoted.replace("''", "'").lower()
    if how.lower() == "startswith":
        return lambda item: str(item.get(name)).lower().startswith(affix)
    return lambda item: str(item.get(name)).lower().endswith(affix)


def _folded(value: object) -> object:
    return value.lower() if isinstance(value, str) else value
