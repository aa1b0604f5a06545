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

    ``failed`` counts hosts that did not get what they wanted.
    """

    samples: tuple[float, ...]
    requests: int | None = None
    failed: int = 0

    @property
    def median(self) -> float:
        """The middle one, in the unit of the case."""
        return statistics.median(self.samples)


@dataclasses.dataclass(frozen=True)
class Ratio:
    """How often ``to`` goes into ``of``: the median of the ratios of samples that were taken in the same round.

    ``at_most`` and ``at_least`` are what the project promises, where it does.
    """

    of: str
    to: str
    median: float
    low: float
    high: float
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
            name: Measured(tuple(found["samples"]), found["requests"], found["failed"])
            for name, found in kept["contenders"].items()
        }
        ratios = tuple(
            Ratio(**{key: value for key, value in ratio.items() if key != "holds"}) for ratio in kept["ratios"]
        )
        return cls(kept["name"], kept["title"], kept["unit"], kept["conditions"], contenders, ratios)


def ratio(case: t.Mapping[str, Measured], of: str, to: str, **promise: float) -> Ratio:
    """``of`` against ``to``, round by round, so that what slowed the machine down for a while slowed down both."""
    pairs = zip(case[of].samples, case[to].samples, strict=True)
    found = [ours / theirs for ours, theirs in pairs]
    rounded = [round(value, 3) for value in (statistics.median(found), min(found), max(found))]
    return Ratio(of, to, *rounded, **promise)


def _rounded(measured: Measured) -> dict[str, t.Any]:
    samples = [float(f"{sample:.4g}") for sample in measured.samples]
    median = float(f"{measured.median:.4g}")
    return {"median": median, "requests": measured.requests, "failed": measured.failed, "samples": samples}
