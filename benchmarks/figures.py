# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was measured, in numbers that may be compared."""

from __future__ import annotations

import dataclasses
import statistics
import typing as t


@dataclasses.dataclass(frozen=True)
class Measured:
    """One contender's samples, in the order in which they were taken, and its token requests in all of them.

    ``failed`` counts hosts that did not get what they wanted. ``spent`` is the processor time of all processes behind
    each sample, in the same unit, where it is known: other work on the machine hardly changes it.
    """

    samples: tuple[float, ...]
    requests: int | None = None
    failed: int = 0
    spent: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        """The middle one, in the unit of the case."""
        return statistics.median(self.samples)


@dataclasses.dataclass(frozen=True)
class Ratio:
    """How often ``to`` goes into ``of``: the median of the ratios of samples that were taken in the same round.

    ``spent`` is the same for processor time. ``at_most`` and ``at_least`` are what the project promises, where it does.
    """

    of: str
    to: str
    median: float
    low: float
    high: float
    spent: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the promise is kept; None where there is none."""
        if self.at_most is not None:
            return self.median <= self.at_most
        return None if self.at_least is None else self.median >= self.at_least


@dataclasses.dataclass(frozen=True)
class Case:
    """Contenders under the same conditions. ``unit`` is what their samples are in."""

    name: str
    title: str
    unit: str
    conditions: t.Mapping[str, t.Any]
    contenders: t.Mapping[str, Measured]
    ratios: tuple[Ratio, ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        """As it is kept in the results file."""
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "conditions": dict(self.conditions),
            "contenders": {name: _rounded(measured) for name, measured in self.contenders.items()},
            "ratios": [{**dataclasses.asdict(ratio), "holds": ratio.holds} for ratio in self.ratios],
        }

    @classmethod
    def from_dict(cls, kept: t.Mapping[str, t.Any]) -> Case:
        """The inverse of as_dict."""
        contenders = {
            name: Measured(tuple(found["samples"]), found["requests"], found["failed"], tuple(found["spent"]))
            for name, found in kept["contenders"].items()
        }
        ratios = tuple(
            Ratio(**{key: value for key, value in ratio.items() if key != "holds"}) for ratio in kept["ratios"]
        )
        return cls(kept["name"], kept["title"], kept["unit"], kept["conditions"], contenders, ratios)


def ratio(case: t.Mapping[str, Measured], of: str, to: str, **promise: float) -> Ratio:
    """``of`` against ``to``, round by round, so that what slowed the machine down for a while slowed down both."""
    found = _quotients(case[of].samples, case[to].samples)
    spent = _quotients(case[of].spent, case[to].spent)
    rounded = [round(value, 3) for value in (statistics.median(found), min(found), max(found))]
    return Ratio(of, to, *rounded, round(statistics.median(spent), 3) if spent else None, **promise)


def _quotients(ours: t.Sequence[float], theirs: t.Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def _rounded(measured: Measured) -> dict[str, t.Any]:
    return {
        "median": _four_digits(measured.median),
        "requests": measured.requests,
        "failed": measured.failed,
        "samples": [_four_digits(sample) for sample in measured.samples],
        "spent": [_four_digits(spent) for spent in measured.spent],
    }


def _four_digits(value: float) -> float:
    return float(f"{value:.4g}")
